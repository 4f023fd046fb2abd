//! Runs files of known histories through crdt-core: `vectors FILE...`.

use crdt_testkit::vectors::read_vectors;
use std::process::ExitCode;

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() || files.iter().any(|file| file.starts_with("--")) {
        eprintln!(
            "usage: vectors FILE...\nRuns histories in the form of spec/vectors.json through crdt-core."
        );
        return ExitCode::from(2);
    }
    let (mut passed, mut failed) = (0, 0);
    for file in files {
        let vectors = std::fs::read(&file)
            .map_err(|error| error.to_string())
            .and_then(|bytes| read_vectors(&bytes).map_err(|failure| failure.to_string()));
        let vectors = match vectors {
            Ok(vectors) => vectors,
            Err(problem) => {
                eprintln!("{file}: {problem}");
                return ExitCode::from(2);
            }
        };
        for (number, vector) in vectors.iter().enumerate() {
            match vector.check() {
                Ok(()) => passed += 1,
                Err(failure) => {
                    failed += 1;
                    println!("{file}: vector {number}: {failure}");
                }
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
