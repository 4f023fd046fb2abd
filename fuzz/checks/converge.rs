//! Bytes as a history of several replicas, played beside the naive model.

use crdt_testkit::{check as check_script, told};

/// Plays what the bytes tell, and asserts all that the test kit asserts of every script.
pub(crate) fn check(bytes: &[u8]) {
    let script = told::script(bytes);
    if let Err(failure) = check_script(&script) {
        panic!("{failure}\n{script}");
    }
}
