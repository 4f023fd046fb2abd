//! Keeps a document in a directory: `log DIRECTORY append LINE...`, `log DIRECTORY show`, `log DIRECTORY compact`.

use crdt_core::ReplicaId;
use crdt_core::codec::Limits;
use crdt_core::log::{Directory, LogStore};
use std::collections::hash_map::RandomState;
use std::error::Error;
use std::hash::BuildHasher;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        [directory, "append", lines @ ..] if !lines.is_empty() => run(directory, Some(lines), false),
        [directory, "show"] => run(directory, None, false),
        [directory, "compact"] => run(directory, None, true),
        _ => {
            eprintln!("usage: log DIRECTORY append LINE... | show | compact");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(directory: &str, lines: Option<&[&str]>, compact: bool) -> Result<(), Box<dyn Error>> {
    // The standard library's seeds are random: every document that is opened is a replica of its own.
    let replica = ReplicaId::new(RandomState::new().hash_one(directory));
    let (mut store, mut doc, report) =
        LogStore::open(Directory::open(directory)?, replica, Limits::default())?;
    if let Some(torn) = report.torn_tail {
        eprintln!("cut off {} bytes at {} that were not written to their end", torn.bytes, torn.offset);
    }
    for line in lines.unwrap_or_default() {
        let end = doc.len();
        let mut transaction = doc.transaction();
        transaction.insert(end, &format!("{line}\n"))?;
        store.append(&transaction.commit())?;
    }
    if compact {
        let before = store.len_bytes();
        store.compact(&doc)?;
        println!("{before} bytes became {}", store.len_bytes());
    } else if lines.is_none() {
        print!("{}", doc.text());
    }
    Ok(())
}
