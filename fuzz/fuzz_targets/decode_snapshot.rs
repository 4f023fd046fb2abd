//! Bytes from outside as the chunks of a snapshot.
#![no_main]

#[path = "../memory.rs"]
mod memory;
#[path = "../checks/snapshot.rs"]
mod snapshot;

use crdt_core::{Doc, ReplicaId};

use crdt_testkit::chunks::{Body, sealed};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|bytes: &[u8]| {
    memory::bounded(bytes, (4 << 20) + (64 << 10), |bytes| {
        Doc::from_snapshot(ReplicaId::new(7), &sealed(bytes))
    });
    snapshot::check(bytes);
});

// Three of four times one chunk is changed and the lengths follow, or most changes would end at the first chunk that
// does not fit.
fuzz_mutator!(|bytes: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let place = seed as usize / 4;
    match Body::read(&bytes[..size]) {
        Some(mut body) if !seed.is_multiple_of(4) && !body.chunks.is_empty() => {
            let at = place % body.chunks.len();
            let chunk = &mut body.chunks[at].bytes;
            let len = chunk.len();
            chunk.resize(len + 64, 0);
            let len = fuzzer_mutate(chunk, len, len + 64);
            chunk.truncate(len);
            let changed = body.write();
            if changed.len() > max_size {
                return fuzzer_mutate(bytes, size, max_size);
            }
            bytes[..changed.len()].copy_from_slice(&changed);
            changed.len()
        }
        _ => fuzzer_mutate(bytes, size, max_size),
    }
});
