//! Bytes from outside as a delta.
#![no_main]

#[path = "../checks/delta.rs"]
mod delta;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| delta::check(bytes));
