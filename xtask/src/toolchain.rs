//! Programs that the work needs and that are not ours: Cargo, the wasm target, Node, a browser.

use crate::project::Project;
use crate::step::{Steps, command};
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";
/// Node's oldest major version that the packages run on.
const NODE_MAJOR: u32 = 20;
/// Names under which a Chromium is installed.
const BROWSERS: [&str; 5] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/// The Cargo that started this program.
pub(crate) fn cargo(project: &Project, arguments: &[&str]) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut cargo = command(program, &project.root, arguments);
    cargo.env("CARGO_TARGET_DIR", &project.target);
    if env::var_os("CI").is_some() {
        // A clone that is built once gains nothing from incremental files and full debug information, which take most
        // of the disk; lines are enough for a backtrace.
        cargo.env("CARGO_INCREMENTAL", "0").env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
    }
    cargo
}

/// npm, as it is called on this system.
pub(crate) fn npm(folder: &Path, arguments: &[&str]) -> Command {
    command(if cfg!(windows) { "npm.cmd" } else { "npm" }, folder, arguments)
}

/// What a program prints about itself, trimmed.
pub(crate) fn said_by(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Is there a Node that is new enough, and npm?
pub(crate) fn check_node(steps: &mut Steps) -> Result<(), String> {
    let version = said_by("node", &["--version"])
        .ok_or_else(|| format!("node is not installed: install Node {NODE_MAJOR} or newer, with npm"))?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_MAJOR) {
        return Err(format!("node {version} is too old: install Node {NODE_MAJOR} or newer"));
    }
    if npm(Path::new("."), &["--version"]).output().is_ok_and(|output| output.status.success()) {
        steps.up_to_date(&format!("node {version}"));
        Ok(())
    } else {
        Err("npm is not installed: install it (it comes with Node)".to_owned())
    }
}

/// Finds the wasm target or installs it.
pub(crate) fn wasm_target(steps: &mut Steps, project: &Project) -> Result<(), String> {
    if has_wasm_target() {
        steps.up_to_date(WASM_TARGET);
        return Ok(());
    }
    let install = steps
        .quiet("rustup target add", &mut command("rustup", &project.root, &["target", "add", WASM_TARGET]));
    if install.is_ok() && has_wasm_target() {
        return Ok(());
    }
    let rustc = said_by("rustc", &["--version"]).unwrap_or_else(|| "rustc".to_owned());
    Err(format!(
        "the Rust target {WASM_TARGET} is missing: install it with `rustup target add {WASM_TARGET}`, \
         or your system's package of that standard library for {rustc}"
    ))
}

/// Asks the compiler and not rustup: the target may come from a system package.
fn has_wasm_target() -> bool {
    said_by("rustc", &["--print", "target-libdir", "--target", WASM_TARGET]).is_some_and(|folder| {
        std::fs::read_dir(folder).is_ok_and(|files| {
            files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
        })
    })
}

/// Finds cargo-fuzz and a nightly toolchain, which libFuzzer's instrumentation needs, or installs them.
pub(crate) fn cargo_fuzz(steps: &mut Steps, project: &Project) -> Result<(), String> {
    let nightly = || said_by("rustup", &["run", "nightly", "rustc", "--version"]);
    if nightly().is_none() {
        let arguments = ["toolchain", "install", "nightly", "--profile", "minimal"];
        let install =
            steps.quiet("rustup toolchain install", &mut command("rustup", &project.root, &arguments));
        if install.is_err() || nightly().is_none() {
            return Err("there is no nightly toolchain: `rustup toolchain install nightly`".to_owned());
        }
    }
    if on_path("cargo-fuzz").is_none() {
        let install =
            cargo(project, &["install", "--locked", "cargo-fuzz"]).env_remove("CARGO_TARGET_DIR").status();
        if !install.is_ok_and(|status| status.success()) {
            return Err("cargo-fuzz is missing: `cargo install --locked cargo-fuzz`".to_owned());
        }
    }
    steps.up_to_date("cargo-fuzz");
    Ok(())
}

/// Finds a Chromium for the browser tests or installs one: `$CHROMIUM`, the `PATH`, the system's package, Playwright's.
pub(crate) fn chromium(steps: &mut Steps, project: &Project) -> Result<PathBuf, String> {
    if let Some(path) = find_chromium(project) {
        steps.up_to_date(&format!("chromium ({})", path.display()));
        return Ok(path);
    }
    if said_by("id", &["-u"]).as_deref() == Some("0") && on_path("apt-get").is_some() {
        let update = steps.quiet("apt-get update", &mut command("apt-get", &project.root, &["update"]));
        if update.is_ok() {
            let mut install = command(
                "apt-get",
                &project.root,
                &["install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
            );
            install.env("DEBIAN_FRONTEND", "noninteractive");
            if steps.quiet("install Chromium", &mut install).is_ok()
                && let Some(path) = find_chromium(project)
            {
                return Ok(path);
            }
        }
    }
    let mut install = command("node", &project.editor(), &[PLAYWRIGHT, "install", "chromium"]);
    if steps.quiet("install Playwright's Chromium", &mut install).is_ok()
        && let Some(path) = find_chromium(project)
    {
        return Ok(path);
    }
    Err("there is no Chromium for the browser tests: install the package `chromium`, or set CHROMIUM to its program"
        .to_owned())
}

const PLAYWRIGHT: &str = "node_modules/playwright-core/cli.js";

fn find_chromium(project: &Project) -> Option<PathBuf> {
    if let Some(path) = env::var_os("CHROMIUM") {
        return Some(PathBuf::from(path));
    }
    BROWSERS.iter().find_map(|name| on_path(name)).or_else(|| {
        let script = "console.log(require('playwright-core').chromium.executablePath())";
        let output = command("node", &project.editor(), &["-e", script]).output().ok()?;
        let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        (output.status.success() && path.is_file()).then_some(path)
    })
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let name = format!("{name}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&path).map(|folder| folder.join(&name)).find(|file| file.is_file())
}
