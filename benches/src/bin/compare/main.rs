//! `cargo run --release -p crdt-bench --bin compare -- [--json FILE] [--quick] [--row NAME] [TRACE...]`
//!
//! crdt-core beside its peers, on the same work in one process. Prints Markdown: the text of docs/benchmarks.md.

mod automerge;
mod cola;
mod contender;
mod diamond_types;
mod floor;
mod heap;
mod history;
mod loro;
mod measure;
mod ours;
mod report;
mod rows;
mod surroundings;
mod yrs;

use crdt_testkit::traces::{Trace, find_traces, read_trace};
use history::{History, Shared};
use measure::Plan;
use rows::Bench;
use std::process::ExitCode;
use std::{env, fs};

#[global_allocator]
static HEAP: heap::Counting = heap::Counting;

const TRACES: [&str; 6] = [
    "automerge-paper",
    "rustcode",
    "sveltecomponent",
    "friendsforever_flat",
    "friendsforever",
    "git-makefile",
];

const USAGE: &str = "compare [--json FILE] [--quick] [--row NAME] [TRACE...]
  --json FILE  also writes the values as JSON
  --quick      three runs of each instead of nine
  --row NAME   only rows of work whose names contain this
  TRACE...     only these recorded histories, of:";

#[derive(Default)]
struct Options {
    json: Option<String>,
    quick: bool,
    row: String,
    traces: Vec<String>,
}

fn options() -> Result<Options, String> {
    let mut options = Options::default();
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--json" => options.json = Some(value()?),
            "--row" => options.row = value()?,
            "--quick" => options.quick = true,
            name if TRACES.contains(&name) => options.traces.push(argument),
            _ => return Err(format!("{argument} is not known\n{USAGE} {}", TRACES.join(" "))),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    match options().and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let wanted = |name: &&str| options.traces.is_empty() || options.traces.iter().any(|trace| trace == name);
    let (mut sequential, mut concurrent) = (Vec::new(), Vec::new());
    let mut absent = Vec::new();
    let folder = find_traces();
    for name in TRACES.into_iter().filter(wanted) {
        let file = folder.as_ref().map(|folder| folder.join(format!("{name}.json.gz")));
        let Some(bytes) = file.and_then(|file| fs::read(file).ok()) else {
            absent.push(name);
            continue;
        };
        match read_trace(&bytes).map_err(|error| format!("{name}: {error}"))? {
            Trace::Sequential(trace) => sequential.push((name.to_owned(), History::new(&trace))),
            Trace::Concurrent(trace) => concurrent.push((name.to_owned(), Shared::new(trace))),
        }
    }
    print!("{}", surroundings::header(options.quick));
    if !absent.is_empty() {
        let names = absent.join(", ");
        eprintln!("*** SKIPPED: the rows of {names}: the recorded histories are not there ***");
        println!("**Skipped, because the recorded histories are not there: {names}.**\n");
    }
    let mut bench = Bench::new(Plan::new(options.quick), options.row.clone(), sequential, concurrent);
    rows::run(&mut bench);
    if let Some(file) = &options.json {
        fs::write(file, report::json(&bench.rows)).map_err(|error| format!("{file}: {error}"))?;
    }
    Ok(())
}
