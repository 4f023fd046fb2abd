//! Bytes as a history of several replicas.
#![no_main]

#[path = "../checks/converge.rs"]
mod converge;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| converge::check(bytes));
