//! Writes what the fuzzer starts from: deltas, and the chunks of snapshots, of random histories.
//!
//! `cargo run -p crdt-testkit --example fuzz_seeds` fills `fuzz/corpus/`, which is not kept.

use crdt_core::{Doc, ReplicaId, VersionVector};
use crdt_testkit::histories::{for_all, histories};
use crdt_testkit::played::{Played, apply};
use std::cell::Cell;
use std::fs;
use std::path::Path;

fn main() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let write = |target: &str, number: u32, bytes: &[u8]| {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder).expect("the corpus can be written");
        fs::write(folder.join(format!("seed-{number}")), bytes).expect("the corpus can be written");
    };
    let number = Cell::new(0_u32);
    for_all(200, histories(8), |script| {
        let played = Played::run(script, |_, _, _| Ok(()))?;
        let mut doc = Doc::new(ReplicaId::new(7));
        for (at, delta) in (0..).zip(&played.deltas) {
            // Every fifth history lacks a delta, so that others wait.
            if !number.get().is_multiple_of(5) || at != 1 {
                apply(&mut doc, delta)?;
            }
        }
        let snapshot = doc.encode_snapshot();
        write("load_snapshot", number.get(), &snapshot[6..snapshot.len() - 4]);
        write("decode_delta", number.get(), &doc.delta_since(&VersionVector::new()));
        number.set(number.get() + 1);
        Ok(())
    });
    println!("{} seeds each in {}", number.get(), corpus.display());
}
