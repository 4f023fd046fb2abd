//! Replays recorded editing histories and prints one JSON line per file: `replay FILE...`.

use crdt_testkit::replay::{Replay, replay};
use crdt_testkit::traces::read_trace;
use sha2::{Digest, Sha256};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() || files.iter().any(|file| file.starts_with("--")) {
        eprintln!("usage: replay FILE...\nReplays editing traces, sequential or concurrent, gzipped or not.");
        return ExitCode::from(2);
    }
    let mut all_right = true;
    for file in files {
        match replay_file(&file) {
            Ok(replay) => {
                println!("{}", json_line(&file, &replay));
                all_right &= replay.is_right();
            }
            Err(problem) => {
                eprintln!("{file}: {problem}");
                all_right = false;
            }
        }
    }
    if all_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn replay_file(file: &str) -> Result<Replay, Box<dyn std::error::Error>> {
    let trace = read_trace(&std::fs::read(file)?)?;
    Ok(replay(&trace)?)
}

fn json_line(file: &str, replay: &Replay) -> String {
    let sha256: String =
        Sha256::digest(replay.text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let fields: [(&str, serde_json::Value); 10] = [
        ("file", file.into()),
        ("edits", replay.edits.into()),
        ("replicas", replay.replicas.into()),
        ("equal_end_content", replay.equal_end_content.into()),
        ("converged", replay.converged.into()),
        ("text_sha256", sha256.into()),
        ("delta_bytes", replay.delta_bytes.into()),
        ("snapshot_bytes", replay.snapshot_bytes.into()),
        ("local_ms", milliseconds(replay.local).into()),
        ("apply_ms", milliseconds(replay.apply).into()),
    ];
    // Written by hand to keep the keys in the order in which people read them.
    let fields: Vec<String> = fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

/// With three digits behind the point.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
