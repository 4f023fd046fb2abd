//! `cargo xtask demo`: the relay with the demo page, on loopback, in this terminal.

use crate::project::Project;
use crate::stamp::Stamp;
use crate::step::Steps;
use crate::toolchain;
use crate::toolchain::cargo;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Command;

/// The port that is tried first when none is asked for, and how many after it.
const FIRST_PORT: u16 = 8787;
const PORTS_TRIED: u16 = 20;

/// What the command line may say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct DemoOptions {
    pub(crate) port: Option<u16>,
    pub(crate) data: Option<PathBuf>,
}

impl DemoOptions {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let (name, given) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            let mut value =
                || given.clone().or_else(|| words.next().cloned()).ok_or(format!("{name} needs a value"));
            match name {
                "--port" => {
                    let text = value()?;
                    options.port =
                        Some(text.parse().map_err(|_| format!("--port {text} is not a port number"))?);
                }
                "--data" => options.data = Some(PathBuf::from(value()?)),
                _ => return Err(format!("demo does not know {word}: see `cargo xtask demo --help`")),
            }
        }
        Ok(options)
    }
}

/// Builds the relay for people (optimized).
pub(crate) fn build_relay(steps: &mut Steps, project: &Project) -> Result<(), String> {
    let program = project.relay("release");
    let mut stamp = Stamp::new(&project.stamps(), &project.root, "relay")
        .text(&toolchain::said_by("rustc", &["--version", "--verbose"]).unwrap_or_default())
        .text(&program.to_string_lossy())
        .output(program);
    for input in [
        "Cargo.toml",
        "Cargo.lock",
        "crdt-core/src",
        "crdt-core/Cargo.toml",
        "crdt-relay/src",
        "crdt-relay/Cargo.toml",
    ] {
        stamp = stamp.input(&project.path(input))?;
    }
    if stamp.is_current() {
        steps.up_to_date("crdt-relay");
        return Ok(());
    }
    steps.quiet(
        "compile crdt-relay",
        &mut cargo(project, &["build", "--package", "crdt-relay", "--release"]),
    )?;
    stamp.save()
}

/// Sets everything up and becomes the relay; ends when the relay ends.
pub(crate) fn run(steps: &mut Steps, project: &Project, options: &DemoOptions) -> Result<(), String> {
    crate::setup(steps, project)?;
    let port = free_port(options.port)?;
    let data = options.data.clone().unwrap_or_else(|| project.path("data"));
    let data = std::path::absolute(&data).map_err(|error| format!("--data {}: {error}", data.display()))?;
    let mut relay = Command::new(project.relay("release"));
    relay
        .arg("--listen")
        .arg(format!("127.0.0.1:{port}"))
        .arg("--data")
        .arg(&data)
        .arg("--site")
        .arg(project.editor().join("dist"))
        .current_dir(&project.root);
    steps.say(&format!("documents are kept in {}", data.display()));
    eprintln!(
        "\n  The editor is at  http://127.0.0.1:{port}/\n  Open it in two tabs. Ctrl-C stops the relay; it stores everything first.\n"
    );
    become_program(&mut relay)
}

fn free_port(asked: Option<u16>) -> Result<u16, String> {
    let free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    match asked {
        Some(port) if free(port) => Ok(port),
        Some(port) => Err(format!("port {port} is in use: stop that program or give another --port")),
        None => (FIRST_PORT..FIRST_PORT + PORTS_TRIED).find(|port| free(*port)).ok_or_else(|| {
            format!("ports {FIRST_PORT} to {} are in use: give a --port", FIRST_PORT + PORTS_TRIED - 1)
        }),
    }
}

/// The relay takes this program's place, so that every signal reaches it and nobody else has to pass it on.
#[cfg(unix)]
fn become_program(command: &mut Command) -> Result<(), String> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(format!("the relay cannot be started: {error}"))
}

/// Where programs cannot take each other's place, Ctrl-C reaches both; this one waits for the relay.
#[cfg(not(unix))]
fn become_program(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("the relay cannot be started: {error}"))?;
    status.success().then_some(()).ok_or_else(|| format!("the relay ended with {status}"))
}

#[cfg(test)]
mod tests {
    use super::DemoOptions;
    use std::path::PathBuf;

    fn parse(words: &[&str]) -> Result<DemoOptions, String> {
        DemoOptions::parse(&words.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read_in_both_forms() {
        let expected = DemoOptions { port: Some(9000), data: Some(PathBuf::from("/tmp/d")) };
        assert_eq!(parse(&["--port", "9000", "--data", "/tmp/d"]).unwrap(), expected);
        assert_eq!(parse(&["--data=/tmp/d", "--port=9000"]).unwrap(), expected);
        assert_eq!(parse(&[]).unwrap(), DemoOptions::default());
    }

    #[test]
    fn wrong_options_are_named() {
        assert!(parse(&["--port", "many"]).unwrap_err().contains("--port many"));
        assert!(parse(&["--port"]).unwrap_err().contains("needs a value"));
        assert!(parse(&["--color"]).unwrap_err().contains("--color"));
    }
}
