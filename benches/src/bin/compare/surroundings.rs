//! When, where and with what it was measured.

use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// What was compiled in.
const LOCK: &str = include_str!("../../../../Cargo.lock");

const PEERS: [&str; 7] = ["diamond-types", "cola", "yrs", "loro", "automerge", "crop", "jumprope"];

/// The head of the page.
pub(crate) fn header(quick: bool) -> String {
    let versions: Vec<String> =
        PEERS.iter().map(|peer| format!("{peer} {}", newest_version(peer).unwrap_or("?"))).collect();
    let runs = if quick { "3 (quick)" } else { "9" };
    format!(
        "# crdt-core beside its peers\n\n\
         This page is what `cargo run --release -p crdt-bench --bin compare > docs/benchmarks.md` printed; how it measures and why so: \
         [decision 0007](decisions/0007-comparison.md).\n\n\
         Measured on {} on {}, crdt-core at {}, against {}.\n\nMedians of {runs} runs after a warm-up, the contenders in turns in one process; \
         fewer runs where it says so. Every text and every merge was checked. Bars are those that this project set itself; \
         *ours / floor* is against jumprope's buffered rope, which is no CRDT.\n\n",
        today(),
        machine(),
        commit(),
        versions.join(", ")
    )
}

/// Peers bring older versions of each other; the one that is used here is the newest.
fn newest_version(package: &str) -> Option<&'static str> {
    let name = format!("name = \"{package}\"");
    let versions = LOCK.split("[[package]]").filter(|entry| entry.lines().any(|line| line == name));
    let version = |entry: &'static str| {
        entry.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
    };
    let parts =
        |version: &&str| -> Vec<u32> { version.split('.').filter_map(|part| part.parse().ok()).collect() };
    versions.filter_map(version).max_by_key(parts)
}

fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let rustc = said("rustc", &["--version"]).unwrap_or_else(|| String::from("an unknown rustc"));
    format!("{cores} cores of {}, {rustc}", model.unwrap_or("an unknown processor"))
}

fn commit() -> String {
    let commit = said("git", &["rev-parse", "--short", "HEAD"]).unwrap_or_else(|| String::from("no commit"));
    let changed =
        said("git", &["status", "--porcelain", "--", "../crdt-core"]).is_some_and(|list| !list.is_empty());
    if changed { format!("{commit} with changes") } else { commit }
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The day, in UTC.
fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    // Days are counted from 1 March of the year 0, so that the leap day is the last of a year; 400 years have 146,097.
    let days = seconds / 86_400 + 719_468;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = days / 146_097 * 400 + year_of_era + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}
