//! Bytes from outside as a delta.
#![no_main]

#[path = "../checks/delta.rs"]
mod delta;
#[path = "../memory.rs"]
mod memory;

use crdt_core::{Doc, ReplicaId};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    memory::bounded(bytes, 64 << 10, |bytes| Doc::new(ReplicaId::new(7)).apply(bytes));
    delta::check(bytes);
});
