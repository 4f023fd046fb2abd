//! `cargo xtask fuzz`: every fuzz target for some time, and what came of it as a table.

use crate::project::Project;
use crate::step::{Steps, command};
use crate::toolchain::{self, cargo};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// How long each target runs unless asked otherwise.
const SECONDS: u32 = 60;
/// An input that takes longer is a finding.
const SLOW_INPUT_SECONDS: u32 = 10;
/// Memory of the whole process above which an input is a finding; decoding is held to far less by the targets themselves.
const MEMORY_MB: u32 = 1024;

/// What the command line may say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FuzzOptions {
    pub(crate) seconds: u32,
    /// None stands for all.
    pub(crate) targets: Vec<String>,
}

impl FuzzOptions {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self { seconds: SECONDS, targets: Vec::new() };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let (name, given) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            if name == "--seconds" {
                let text =
                    given.or_else(|| words.next().cloned()).ok_or_else(|| format!("{name} needs a value"))?;
                options.seconds = text
                    .parse()
                    .ok()
                    .filter(|&seconds| seconds > 0)
                    .ok_or_else(|| format!("--seconds {text} is no number of seconds"))?;
            } else if name.starts_with('-') {
                return Err(format!("fuzz does not know {word}: see `cargo xtask fuzz --help`"));
            } else {
                options.targets.push(word.clone());
            }
        }
        Ok(options)
    }
}

/// What libFuzzer said about one run.
#[derive(Debug, Default, PartialEq, Eq)]
struct Run {
    executions: u64,
    /// Edges of the control flow that were taken, and what libFuzzer counts beside them.
    edges: u64,
    features: u64,
    /// Inputs that each reach something no other does.
    corpus: u64,
    /// The input that broke it.
    crash: Option<PathBuf>,
}

/// Builds the targets, gives them inputs to start from, runs one after the other, and prints a table.
pub(crate) fn run(steps: &mut Steps, project: &Project, options: &FuzzOptions) -> Result<(), String> {
    let all = targets(project)?;
    if let Some(unknown) = options.targets.iter().find(|target| !all.contains(target)) {
        return Err(format!("there is no target {unknown}; there are {}", all.join(", ")));
    }
    let chosen = if options.targets.is_empty() { &all } else { &options.targets };
    toolchain::cargo_fuzz(steps, project)?;
    let mut seeds = cargo(project, &["run", "--package", "crdt-testkit", "--example", "fuzz_seeds"]);
    steps.quiet("inputs to start from", &mut seeds)?;
    let programs = compile(steps, project)?;
    let mut runs = Vec::new();
    for target in chosen {
        let run = steps.inside(&format!("{target}, {} s", options.seconds), || {
            run_target(project, &programs.join(target), target, options.seconds)
        })?;
        runs.push((target, run));
    }
    println!("\n| target | executions | a second | edges | features | corpus | crash |");
    println!("|---|---:|---:|---:|---:|---:|---|");
    for (target, run) in &runs {
        let Run { executions, edges, features, corpus, crash } = run;
        let crash = crash.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string());
        let a_second = executions / u64::from(options.seconds);
        println!("| {target} | {executions} | {a_second} | {edges} | {features} | {corpus} | {crash} |");
    }
    println!();
    let crashed: Vec<_> =
        runs.iter().filter_map(|(target, run)| Some((target, run.crash.as_ref()?))).collect();
    for (target, path) in &crashed {
        println!(
            "{target} stopped. To see why: `cargo +nightly fuzz run --sanitizer none {target} {0}`.\n\
             To make it smaller: `cargo +nightly fuzz tmin --sanitizer none {target} {0}`.\n\
             To keep it: mv {0} fuzz/inputs/{target}/WHAT-IT-IS; `cargo test -p crdt-testkit --test fuzz_inputs` replays it.",
            path.display()
        );
    }
    if crashed.is_empty() {
        Ok(())
    } else {
        Err(format!("{} of {} targets stopped", crashed.len(), runs.len()))
    }
}

/// The names of the targets, in alphabetical order.
fn targets(project: &Project) -> Result<Vec<String>, String> {
    let folder = project.path("fuzz/fuzz_targets");
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut targets: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned))
        .collect();
    targets.sort();
    Ok(targets)
}

/// Compiles the targets, and tells where the programs are.
///
/// The library has no unsafe code, and the targets count what they allocate, so there is nothing that AddressSanitizer could
/// add for the half of the speed that it takes.
fn compile(steps: &mut Steps, project: &Project) -> Result<PathBuf, String> {
    let version = toolchain::said_by("rustup", &["run", "nightly", "rustc", "--version", "--verbose"]);
    let version = version.ok_or("nightly's rustc does not run")?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let folder = project.target.join("fuzz");
    let mut build = command("cargo", &project.root, &["+nightly", "fuzz", "build", "--sanitizer", "none"]);
    // Set by the Cargo that runs this program; they would choose its toolchain.
    for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        build.env_remove(name);
    }
    steps.quiet("compile the targets", build.env("CARGO_TARGET_DIR", &folder))?;
    Ok(folder.join(host.ok_or("nightly's rustc does not name its host")?).join("release"))
}

/// Runs the program itself: `cargo fuzz run` would compile it again when somebody edits meanwhile.
fn run_target(project: &Project, program: &Path, target: &str, seconds: u32) -> Result<Run, String> {
    let [corpus, artifacts] = ["corpus", "artifacts"].map(|name| format!("fuzz/{name}/{target}/"));
    for folder in [&corpus, &artifacts] {
        fs::create_dir_all(project.path(folder)).map_err(|error| format!("{folder}: {error}"))?;
    }
    let mut fuzzer = command(program, &project.root, &[&corpus]);
    // What once broke something is a good place to look near.
    let kept = format!("fuzz/inputs/{target}");
    if project.path(&kept).is_dir() {
        fuzzer.arg(kept);
    }
    let output = fuzzer
        .args([
            format!("-artifact_prefix={artifacts}"),
            format!("-max_total_time={seconds}"),
            format!("-timeout={SLOW_INPUT_SECONDS}"),
            format!("-rss_limit_mb={MEMORY_MB}"),
            "-print_final_stats=1".to_owned(),
        ])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{} cannot be started: {error}", program.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let run = read(&said);
    if !output.status.success() {
        let tail: Vec<_> = said.lines().rev().take(60).collect();
        tail.iter().rev().for_each(|line| eprintln!("{line}"));
        if run.crash.is_none() {
            return Err(format!("it ended with {} and kept no input", output.status));
        }
    } else if run.executions == 0 {
        return Err("it ended without a single execution".to_owned());
    }
    Ok(run)
}

/// Reads what libFuzzer printed.
fn read(said: &str) -> Run {
    let mut run = Run::default();
    for line in said.lines() {
        if let Some((_, path)) = line.split_once("Test unit written to ") {
            run.crash = Some(PathBuf::from(path.trim()));
        } else if let Some(count) = line.strip_prefix("stat::number_of_executed_units:") {
            run.executions = count.trim().parse().unwrap_or(0);
        } else if line.starts_with('#') {
            // #1024  NEW    cov: 310 ft: 812 corp: 60/1200b lim: 40 exec/s: 512 rss: 60Mb …
            let mut words = line.split_whitespace();
            while let Some(word) = words.next() {
                let mut number = || {
                    let digits = words.next().unwrap_or_default().split('/').next().unwrap_or_default();
                    digits.parse().unwrap_or(0)
                };
                match word {
                    "cov:" => run.edges = number(),
                    "ft:" => run.features = number(),
                    "corp:" => run.corpus = number(),
                    _ => {}
                }
            }
        }
    }
    run
}

#[cfg(test)]
mod tests {
    use super::{FuzzOptions, Run, read, targets};
    use crate::project::Project;
    use std::path::PathBuf;

    fn parsed(words: &[&str]) -> Result<FuzzOptions, String> {
        FuzzOptions::parse(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn seconds_and_targets_are_read() {
        assert_eq!(parsed(&[]), Ok(FuzzOptions { seconds: 60, targets: Vec::new() }));
        let expected = FuzzOptions { seconds: 5, targets: vec!["tree".to_owned()] };
        assert_eq!(parsed(&["--seconds", "5", "tree"]).as_ref(), Ok(&expected));
        assert_eq!(parsed(&["tree", "--seconds=5"]).as_ref(), Ok(&expected));
        for wrong in [&["--seconds"][..], &["--seconds", "0"], &["--minutes", "1"]] {
            assert!(parsed(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_libfuzzer_prints_is_read() {
        let said = "#2\tINITED cov: 28 ft: 29 corp: 1/1b exec/s: 0 rss: 30Mb\n\
                    #2097152\tpulse  cov: 310 ft: 812 corp: 60/1200b lim: 40 exec/s: 512 rss: 60Mb\n\
                    artifact_prefix='fuzz/artifacts/tree/'; Test unit written to fuzz/artifacts/tree/crash-0a\n\
                    stat::number_of_executed_units: 2097155\n";
        let crash = Some(PathBuf::from("fuzz/artifacts/tree/crash-0a"));
        assert_eq!(read(said), Run { executions: 2_097_155, edges: 310, features: 812, corpus: 60, crash });
        assert_eq!(read(""), Run::default());
    }

    #[test]
    fn every_target_is_a_program_of_the_fuzz_crate() {
        let project = Project::find().unwrap();
        let manifest = std::fs::read_to_string(project.path("fuzz/Cargo.toml")).unwrap();
        let named: Vec<_> =
            manifest.lines().filter_map(|line| line.strip_prefix("path = \"fuzz_targets/")).collect();
        let expected: Vec<_> = targets(&project).unwrap().iter().map(|name| format!("{name}.rs\"")).collect();
        assert_eq!(named, expected, "in alphabetical order");
    }
}
