//! Runs the programs that do the work, and shows how far it has come.
//!
//! A *quiet* step shows one line while it runs and its whole output only when it fails. A *loud* step passes its output
//! through as it comes (test runners, whose lines people and tools read).

use std::ffi::OsStr;
use std::io::{IsTerminal, Read, Write, stderr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// How often the line of a running step is drawn anew on a terminal.
const REDRAW: Duration = Duration::from_millis(200);
/// How often a running step is mentioned again where there is no terminal.
const MENTION: Duration = Duration::from_secs(30);
/// Width of the running line.
const LINE_CHARS: usize = 100;

/// The clock of one command, and its step lines.
#[derive(Debug)]
pub(crate) struct Steps {
    started: Instant,
    count: usize,
}

impl Steps {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), count: 0 }
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Prints one line with the time since the command began.
    pub(crate) fn say(&self, text: &str) {
        eprintln!("[{:6.1} s] {text}", self.seconds());
    }

    /// Says that a step has nothing to do.
    pub(crate) fn up_to_date(&mut self, name: &str) {
        self.count += 1;
        self.say(&format!("{name}: up to date"));
    }

    /// Runs a program; its output is shown only if it fails. Returns that output.
    pub(crate) fn quiet(&mut self, name: &str, command: &mut Command) -> Result<String, String> {
        self.say(&format!("{name} …"));
        let begun = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| cannot_start(name, command, &error))?;
        let (sender, receiver) = mpsc::channel();
        let readers = [
            child.stdout.take().map(|pipe| read_into(pipe, sender.clone())),
            child.stderr.take().map(|pipe| read_into(pipe, sender)),
        ];
        let output = self.follow(name, begun, &receiver);
        for reader in readers.into_iter().flatten() {
            reader.join().map_err(|_| format!("{name}: reading its output failed"))?;
        }
        let status = child.wait().map_err(|error| format!("{name}: {error}"))?;
        let output = String::from_utf8_lossy(&output).into_owned();
        if status.success() {
            self.count += 1;
            self.say(&format!("{name}: done in {:.1} s", begun.elapsed().as_secs_f64()));
            Ok(output)
        } else {
            eprintln!("{}", output.trim_end());
            Err(format!("{name}: `{}` ended with {status}", shown(command)))
        }
    }

    /// Runs a program whose output is worth reading while it comes.
    pub(crate) fn loud(&mut self, name: &str, command: &mut Command) -> Result<(), String> {
        self.say(&format!("{name}: {}", shown(command)));
        let begun = Instant::now();
        let status =
            command.stdin(Stdio::null()).status().map_err(|error| cannot_start(name, command, &error))?;
        if !status.success() {
            return Err(format!("{name}: `{}` ended with {status}", shown(command)));
        }
        self.count += 1;
        self.say(&format!("{name}: done in {:.1} s", begun.elapsed().as_secs_f64()));
        Ok(())
    }

    /// Does something inside this program.
    pub(crate) fn inside<T>(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<T, String>,
    ) -> Result<T, String> {
        self.say(&format!("{name} …"));
        let begun = Instant::now();
        let made = work().map_err(|error| format!("{name}: {error}"))?;
        self.count += 1;
        self.say(&format!("{name}: done in {:.1} s", begun.elapsed().as_secs_f64()));
        Ok(made)
    }

    /// Gathers the output until both pipes are closed, and shows that something is happening.
    fn follow(&self, name: &str, begun: Instant, receiver: &Receiver<Vec<u8>>) -> Vec<u8> {
        let terminal = stderr().is_terminal();
        let mut output = Vec::new();
        let mut shown_at = Instant::now();
        loop {
            let wait = if terminal { REDRAW } else { MENTION };
            match receiver.recv_timeout(wait.saturating_sub(shown_at.elapsed())) {
                Ok(bytes) => output.extend_from_slice(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    shown_at = Instant::now();
                    let line =
                        format!("{name} … {:.0} s {}", begun.elapsed().as_secs_f64(), last_line(&output));
                    if terminal {
                        let line: String = line.chars().take(LINE_CHARS).collect();
                        eprint!("\r\x1b[2K[{:6.1} s] {line}", self.seconds());
                        let _ = stderr().flush();
                    } else {
                        self.say(&line);
                    }
                }
            }
        }
        if terminal {
            eprint!("\r\x1b[2K");
        }
        output
    }
}

/// A command that runs in `folder`.
pub(crate) fn command(program: impl AsRef<OsStr>, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    command
}

fn read_into(mut pipe: impl Read + Send + 'static, sender: Sender<Vec<u8>>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut buffer = vec![0; 8192];
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            if sender.send(buffer[..count].to_vec()).is_err() {
                break;
            }
        }
    })
}

fn last_line(output: &[u8]) -> String {
    let tail = &output[output.len().saturating_sub(400)..];
    let text = String::from_utf8_lossy(tail);
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

fn cannot_start(name: &str, command: &Command, error: &std::io::Error) -> String {
    format!("{name}: `{}` cannot be started: {error}", shown(command))
}

#[cfg(test)]
mod tests {
    use super::{Steps, command, last_line};
    use std::path::Path;

    #[test]
    fn a_quiet_step_returns_the_output_of_both_pipes() {
        let output =
            Steps::new().quiet("rustc", &mut command("rustc", Path::new("."), &["--version"])).unwrap();
        assert!(output.starts_with("rustc "), "{output}");
    }

    #[test]
    fn a_failing_step_is_named_in_the_error() {
        let error = Steps::new()
            .quiet("compile nothing", &mut command("rustc", Path::new("."), &["no-such-file.rs"]))
            .unwrap_err();
        assert!(error.starts_with("compile nothing: `rustc no-such-file.rs` ended with"), "{error}");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error =
            Steps::new().loud("look", &mut command("no-such-program", Path::new("."), &[])).unwrap_err();
        assert!(error.contains("`no-such-program` cannot be started"), "{error}");
    }

    #[test]
    fn the_last_line_with_words_is_shown() {
        assert_eq!(last_line(b"one\n two \n\n"), "two");
        assert_eq!(last_line(b""), "");
    }
}
