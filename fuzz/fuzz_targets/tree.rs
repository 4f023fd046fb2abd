//! Bytes as changes of the order-statistic tree.
#![no_main]

extern crate alloc;

#[path = "../checks/tree.rs"]
mod tree;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tree::check(bytes));
