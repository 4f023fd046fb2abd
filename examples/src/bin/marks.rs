//! Runs files of cases about marks through crdt-core: `marks FILE...`.

use crdt_testkit::peritext::read_cases;
use std::process::ExitCode;

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() || files.iter().any(|file| file.starts_with("--")) {
        eprintln!("usage: marks FILE...\nRuns cases in the form of spec/peritext.json through crdt-core.");
        return ExitCode::from(2);
    }
    let (mut passed, mut failed) = (0, 0);
    for file in files {
        let cases = std::fs::read(&file)
            .map_err(|error| error.to_string())
            .and_then(|bytes| read_cases(&bytes).map_err(|failure| failure.to_string()));
        let cases = match cases {
            Ok(cases) => cases,
            Err(problem) => {
                eprintln!("{file}: {problem}");
                return ExitCode::from(2);
            }
        };
        for case in &cases {
            match case.check() {
                Ok(()) => passed += 1,
                Err(failure) => {
                    failed += 1;
                    println!("{file}: {}: {failure}", case.name);
                }
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
