//! `cargo xtask test`: every check and every test, the quick ones first.

use crate::project::Project;
use crate::step::Steps;
use crate::toolchain::{self, WASM_TARGET, cargo, npm};
use crate::{layers, npm};
use std::path::Path;
use std::process::Command;

/// All but `crdt-bench`, whose comparison compiles half a dozen other CRDTs (docs/decisions/0007-comparison.md).
const WITHOUT_PEERS: [&str; 3] = ["--workspace", "--exclude", "crdt-bench"];

/// Runs everything; the first failure ends it.
pub(crate) fn run(steps: &mut Steps, project: &Project) -> Result<(), String> {
    toolchain::check_node(steps)?;
    toolchain::wasm_target(steps, project)?;
    steps.loud("formatting", &mut cargo(project, &["fmt", "--all", "--check"]))?;
    steps.inside("layering", || layers::check(project))?;
    rust(steps, project)?;
    npm::editor(steps, project)?;
    scripts(steps, &project.js(), "js", &["typecheck", "lint", "test"])?;
    scripts(steps, &project.editor(), "examples/editor", &["typecheck", "lint"])?;
    browser(steps, project)
}

fn rust(steps: &mut Steps, project: &Project) -> Result<(), String> {
    let mut core = cargo(project, &["check", "--package", "crdt-core", "--target", WASM_TARGET]);
    steps.loud("crdt-core without std", &mut core)?;
    let denied = ["--", "--deny", "warnings"];
    let mut clippy = cargo(project, &[&["clippy", "--all-targets"][..], &WITHOUT_PEERS].concat());
    steps.loud("clippy", clippy.args(denied))?;
    let own_benches = ["clippy", "--package", "crdt-bench", "--no-default-features", "--all-targets"];
    steps.loud("clippy for our own benches", cargo(project, &own_benches).args(denied))?;
    let mut wasm_clippy = cargo(project, &["clippy", "--package", "crdt-wasm", "--target", WASM_TARGET]);
    steps.loud("clippy for wasm", wasm_clippy.args(denied))?;
    let mut docs = cargo(project, &[&["doc", "--no-deps"][..], &WITHOUT_PEERS].concat());
    steps.loud("rustdoc", docs.env("RUSTDOCFLAGS", "--deny warnings"))?;
    steps.loud("Rust tests", &mut cargo(project, &[&["test"][..], &WITHOUT_PEERS].concat()))
}

fn scripts(steps: &mut Steps, folder: &Path, name: &str, scripts: &[&str]) -> Result<(), String> {
    for script in scripts {
        steps.loud(&format!("{name} {script}"), &mut npm(folder, &["run", script]))?;
    }
    Ok(())
}

/// Tests in a real browser, against the relay that `cargo test` has built for the relay's own tests. Building it alone
/// would choose other features of its dependencies and compile them all again.
fn browser(steps: &mut Steps, project: &Project) -> Result<(), String> {
    let chromium = toolchain::chromium(steps, project)?;
    let relay = project.relay("debug");
    if !relay.is_file() {
        return Err(format!("the Rust tests have not built {}", relay.display()));
    }
    let with_tools = |command: &mut Command| {
        command.env("CHROMIUM", &chromium).env("CRDT_RELAY", &relay);
    };
    for (folder, name) in [(project.js(), "js"), (project.editor(), "examples/editor")] {
        let mut test = npm(&folder, &["run", "test:browser"]);
        with_tools(&mut test);
        steps.loud(&format!("{name} test:browser"), &mut test)?;
    }
    Ok(())
}
