//! The commands of the README: `cargo xtask demo`, `cargo xtask test` and what they are made of.

mod demo;
mod fuzz;
mod layers;
mod npm;
mod project;
#[cfg(test)]
mod readme;
mod stamp;
mod step;
mod test;
mod toolchain;
mod wasm;

use demo::DemoOptions;
use fuzz::FuzzOptions;
use project::Project;
use std::env;
use std::process::ExitCode;
use step::Steps;

const HELP: &str = "\
Usage: cargo xtask COMMAND

Commands:
  demo     Set everything up and start the relay with the demo editor on loopback
  test     Run every check and every test of the repository
  setup    Install and build what `demo` needs: wasm target, npm packages, page, relay
  wasm     Build js/wasm: crdt-wasm through wasm-bindgen and wasm-opt
  fuzz     Throw bytes at decoders and documents, and say what broke
  help     Show this text

`cargo xtask COMMAND --help` tells more. What is already done is not done again.
Needed: Rust with Cargo, Node 20 or newer with npm, a C compiler.
";

const DEMO_HELP: &str = "\
Usage: cargo xtask demo [--port N] [--data DIR]

Sets everything up, starts the relay with the demo editor on 127.0.0.1 and prints the address.
Ctrl-C stops the relay, which stores everything first.

  --port N     Listen here (default: the first free port from 8787)
  --data DIR   Keep documents here (default: data/ in the repository)
";

const TEST_HELP: &str = "\
Usage: cargo xtask test

Runs, and stops at the first failure: set-up; formatting, clippy and rustdoc without warnings; the layering check;
all Rust tests and doc tests; crdt-core and crdt-wasm for wasm32; type check, lint, unit and browser tests of js/ and
examples/editor, against the real relay.

Environment:
  CHROMIUM      Browser to use (default: from the PATH, else installed)
  CRDT_TRACES   Folder with editing traces (default: ../shared/traces)
";

const SETUP_HELP: &str = "\
Usage: cargo xtask setup

Finds or installs the wasm target, installs npm packages, builds js/ and examples/editor, compiles the relay.
";

const WASM_HELP: &str = "\
Usage: cargo xtask wasm

Compiles crdt-wasm (profile `wasm`), runs wasm-bindgen and wasm-opt, writes js/wasm/.
";

const FUZZ_HELP: &str = "\
Usage: cargo xtask fuzz [--seconds N] [TARGET…]

Runs each fuzz target, or those named, for N seconds and prints executions, coverage and crashes. Ends with an error
if one stopped, and says how to keep the input that did it. Installs cargo-fuzz and a nightly toolchain if they are missing.

  --seconds N   For each target (default: 60)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let mut steps = Steps::new();
    match run(&mut steps, &arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask failed after {:.1} s: {error}", steps.seconds());
            ExitCode::FAILURE
        }
    }
}

fn run(steps: &mut Steps, arguments: &[String]) -> Result<(), String> {
    let (command, rest) = arguments.split_first().map_or(("help", &[][..]), |(first, rest)| (first, rest));
    if let Some(help) = wanted_help(command, rest) {
        print!("{help}");
        return Ok(());
    }
    let project = Project::find()?;
    if command == "demo" {
        let options = DemoOptions::parse(rest)?;
        return demo::run(steps, &project, &options);
    }
    if command == "fuzz" {
        let options = FuzzOptions::parse(rest)?;
        return fuzz::run(steps, &project, &options);
    }
    if let Some(word) = rest.first() {
        return Err(format!("{command} does not know {word}: see `cargo xtask {command} --help`"));
    }
    match command {
        "setup" => {
            setup(steps, &project)?;
            println!("set up in {:.1} s: `cargo xtask demo` starts the editor", steps.seconds());
        }
        "wasm" => {
            toolchain::check_node(steps)?;
            wasm::build(steps, &project)?;
            println!("js/wasm is up to date after {:.1} s", steps.seconds());
        }
        "test" => {
            test::run(steps, &project)?;
            println!("{} steps passed in {:.1} s", steps.count(), steps.seconds());
        }
        _ => return Err(format!("there is no command {command}: see `cargo xtask help`")),
    }
    Ok(())
}

/// The help text that was asked for.
fn wanted_help(command: &str, rest: &[String]) -> Option<&'static str> {
    if ["help", "--help", "-h"].contains(&command) {
        return Some(HELP);
    }
    if !rest.iter().any(|word| word == "--help" || word == "-h") {
        return None;
    }
    Some(match command {
        "demo" => DEMO_HELP,
        "test" => TEST_HELP,
        "setup" => SETUP_HELP,
        "wasm" => WASM_HELP,
        "fuzz" => FUZZ_HELP,
        _ => HELP,
    })
}

/// Everything that the demo needs.
fn setup(steps: &mut Steps, project: &Project) -> Result<(), String> {
    toolchain::check_node(steps)?;
    npm::editor(steps, project)?;
    demo::build_relay(steps, project)
}

#[cfg(test)]
mod tests {
    use super::{DEMO_HELP, HELP, run, wanted_help};
    use crate::step::Steps;

    #[test]
    fn every_way_to_ask_for_help_is_answered() {
        assert_eq!(wanted_help("help", &[]), Some(HELP));
        assert_eq!(wanted_help("--help", &[]), Some(HELP));
        assert_eq!(wanted_help("demo", &["--help".to_owned()]), Some(DEMO_HELP));
        assert_eq!(wanted_help("test", &[]), None);
    }

    #[test]
    fn an_unknown_command_is_an_error_that_names_it() {
        let error = run(&mut Steps::new(), &["dance".to_owned()]).unwrap_err();
        assert!(error.contains("dance"), "{error}");
    }
}
