//! Bytes from outside as the chunks of a snapshot.
#![no_main]

#[path = "../checks/snapshot.rs"]
mod snapshot;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| snapshot::check(bytes));
