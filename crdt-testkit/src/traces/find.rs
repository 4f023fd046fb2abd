//! Where the shared test data is, and a loud word when it is not there.

use std::env;
use std::path::{Path, PathBuf};

/// The folder of traces: `$CRDT_TRACES`, or `../shared/traces` beside the workspace. When there is
/// none, says so on standard error, because what needs it is skipped.
pub fn find_traces() -> Option<PathBuf> {
    match env::var_os("CRDT_TRACES") {
        Some(path) => existing(PathBuf::from(path)),
        None => find_shared("traces"),
    }
}

/// A file or folder of `../shared` beside the workspace, with the same word when it is absent.
pub fn find_shared(name: &str) -> Option<PathBuf> {
    existing(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(name))
}

fn existing(path: PathBuf) -> Option<PathBuf> {
    if path.exists() {
        return Some(path);
    }
    eprintln!("*** SKIPPED: {} is not there; set CRDT_TRACES to the folder of traces ***", path.display());
    None
}
