//! Makes `js/wasm/`: the module that browsers load and the JavaScript around it.

use crate::npm;
use crate::project::Project;
use crate::stamp::Stamp;
use crate::step::{Steps, command};
use crate::toolchain::{WASM_TARGET, cargo, said_by, wasm_target};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Name of the generated files.
const NAME: &str = "crdt_wasm";

/// Up to this cost LLVM copies what is marked `#[inline]` into its callers: 325 unless told, even where it is told to be
/// small. A third of that leaves long bodies, which nobody calls often, where they are.
const INLINE: &str = "-Cllvm-args=-inlinehint-threshold=120";

/// What LLVM left apart stays apart, by name: moved into its only caller, it makes functions of so many locals that brotli
/// finds less to share. The wrappers around each export are put together.
///
/// Then what rustc's output for the target uses; wasm-opt refuses or loses instructions it was not told of.
const WASM_OPT: [&str; 17] = [
    "--no-inline=*crdt_core*",
    "--no-inline=core::*",
    "--no-inline=alloc::*",
    "--no-inline=<core::*",
    "--no-inline=<alloc::*",
    "-Oz",
    // The stack comes first, and nothing is at addresses below 1024.
    "--low-memory-unused",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// Builds crdt-wasm, runs wasm-bindgen and wasm-opt, unless nothing changed since the last time.
pub(crate) fn build(steps: &mut Steps, project: &Project) -> Result<(), String> {
    wasm_target(steps, project)?;
    npm::install(steps, project, &project.js(), "js")?;
    let stamp = stamp(project)?;
    if stamp.is_current() {
        steps.up_to_date("js/wasm");
        return Ok(());
    }
    let mut build =
        cargo(project, &["build", "--package", "crdt-wasm", "--profile", "wasm", "--target", WASM_TARGET]);
    build.env("CARGO_ENCODED_RUSTFLAGS", flags(project).join("\u{1f}"));
    steps.quiet("compile crdt-wasm", &mut build)?;
    let compiled = project.target.join(WASM_TARGET).join("wasm").join(format!("{NAME}.wasm"));
    let made = project.path(".xtask/wasm");
    steps.inside("wasm-bindgen", || bindgen(&compiled, &made))?;
    optimize(steps, project, &made)?;
    publish(project, &made)?;
    let size = |path: &Path| fs::metadata(path).map_or(0, |data| data.len());
    steps.say(&format!(
        "js/wasm/{NAME}_bg.wasm: {} bytes ({} before wasm-opt)",
        size(&project.wasm_out().join(format!("{NAME}_bg.wasm"))),
        size(&made.join(format!("{NAME}_bg.wasm")))
    ));
    stamp.save()
}

/// Panic messages would carry the paths of this machine into the module.
fn flags(project: &Project) -> Vec<String> {
    let cargo_home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))
        .unwrap_or_else(|| PathBuf::from(".cargo"));
    vec![
        INLINE.to_owned(),
        format!("--remap-path-prefix={}=.", project.root.display()),
        format!("--remap-path-prefix={}=cargo", cargo_home.display()),
    ]
}

fn stamp(project: &Project) -> Result<Stamp, String> {
    let mut stamp = Stamp::new(&project.stamps(), &project.root, "wasm")
        .text(&said_by("rustc", &["--version", "--verbose"]).unwrap_or_default())
        .text(&WASM_OPT.join(" "));
    for input in [
        "Cargo.toml",
        "Cargo.lock",
        "crdt-core/src",
        "crdt-core/Cargo.toml",
        "crdt-wasm/src",
        "crdt-wasm/Cargo.toml",
        "xtask/src/wasm.rs",
        "js/package-lock.json",
    ] {
        stamp = stamp.input(&project.path(input))?;
    }
    for suffix in [".js", ".d.ts", "_bg.wasm", "_bg.wasm.d.ts"] {
        stamp = stamp.output(project.wasm_out().join(format!("{NAME}{suffix}")));
    }
    Ok(stamp)
}

/// The `web` flavour without a path of its own: the package decides where the bytes come from (inlined, or given to
/// `init`), so that no bundler has to understand a `.wasm` import.
fn bindgen(compiled: &Path, made: &Path) -> Result<(), String> {
    let _ = fs::remove_dir_all(made);
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    bindgen
        .web(true)
        .map_err(|error| format!("{error:#}"))?
        .input_path(compiled)
        .out_name(NAME)
        .typescript(true)
        .omit_default_module_path(true)
        // wasm-opt goes by the names, and strips them.
        .remove_name_section(false)
        .remove_producers_section(true)
        .generate(made)
        .map_err(|error| format!("{error:#}"))
}

fn optimize(steps: &mut Steps, project: &Project, made: &Path) -> Result<(), String> {
    let program = project.js().join("node_modules/binaryen/bin/wasm-opt");
    let input = made.join(format!("{NAME}_bg.wasm"));
    let output = made.join("optimized.wasm");
    let mut optimize = command("node", &project.root, &[]);
    optimize.arg(program).arg(input).arg("-o").arg(output).args(WASM_OPT);
    steps.quiet("wasm-opt", &mut optimize).map(|_| ())
}

/// Copies the results to `js/wasm/`, whole or not at all: a build that was stopped leaves the last good module.
fn publish(project: &Project, made: &Path) -> Result<(), String> {
    let out = project.wasm_out();
    let failed = |error| format!("cannot write {}: {error}", out.display());
    fs::create_dir_all(&out).map_err(failed)?;
    for (from, to) in [
        (format!("{NAME}.js"), format!("{NAME}.js")),
        (format!("{NAME}.d.ts"), format!("{NAME}.d.ts")),
        (format!("{NAME}_bg.wasm.d.ts"), format!("{NAME}_bg.wasm.d.ts")),
        ("optimized.wasm".to_owned(), format!("{NAME}_bg.wasm")),
    ] {
        let waiting = out.join(format!("{to}.new"));
        fs::copy(made.join(from), &waiting).map_err(failed)?;
        fs::rename(&waiting, out.join(to)).map_err(failed)?;
    }
    Ok(())
}
