//! Bytes as a history that goes through every format.
#![no_main]

#[path = "../checks/round_trip.rs"]
mod round_trip;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| round_trip::check(bytes));
