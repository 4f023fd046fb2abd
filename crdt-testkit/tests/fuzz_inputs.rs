//! What the fuzz targets do, with inputs that once broke something and with sound ones.

use crdt_core::{Doc, ReplicaId, VersionVector};
use crdt_testkit::chunks::{Body, body, sealed};
use crdt_testkit::histories::{for_all, histories};
use crdt_testkit::played::{Played, apply};
use crdt_testkit::random::Random;
use std::fs;
use std::path::Path;

// What the source of the tree, which the check of that target compiles in, takes from its crate.
extern crate alloc;
#[path = "../../crdt-core/src/dice.rs"]
mod dice;

#[path = "../../fuzz/checks/converge.rs"]
mod converge;
#[path = "../../fuzz/checks/delta.rs"]
mod delta;
#[path = "../../fuzz/checks/log.rs"]
mod log;
#[path = "../../fuzz/checks/message.rs"]
mod message;
#[path = "../../fuzz/checks/round_trip.rs"]
mod round_trip;
#[path = "../../fuzz/checks/snapshot.rs"]
mod snapshot;
#[path = "../../fuzz/checks/tree.rs"]
mod tree;

type Check = fn(&[u8]);

/// The targets in `fuzz/fuzz_targets`.
const TARGETS: [(&str, Check); 7] = [
    ("converge", converge::check),
    ("decode_delta", delta::check),
    ("decode_log", log::check),
    ("decode_message", message::check),
    ("decode_snapshot", snapshot::check),
    ("round_trip", round_trip::check),
    ("tree", tree::check),
];

fn names_in(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz").join(folder);
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("the folder can be read").file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn every_target_is_checked_here() {
    let targets = TARGETS.map(|(name, _)| format!("{name}.rs"));
    assert_eq!(names_in("fuzz_targets"), targets);
    for folder in names_in("inputs") {
        assert!(TARGETS.iter().any(|(name, _)| *name == folder), "there is no target {folder}");
    }
}

#[test]
fn what_once_broke_something_breaks_nothing() {
    let mut replayed = 0;
    for (target, check) in TARGETS {
        for name in names_in(&format!("inputs/{target}")) {
            println!("{target}/{name}");
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/inputs").join(target).join(name);
            check(&fs::read(&path).expect("the input can be read"));
            replayed += 1;
        }
    }
    assert!(replayed >= 2, "{replayed} inputs: some were lost");
}

/// Where the format changes they have to be written anew, or they say nothing.
#[test]
fn the_chunks_of_kept_snapshots_can_be_taken_apart() {
    for name in names_in("inputs/decode_snapshot") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/inputs/decode_snapshot").join(&name);
        let body = Body::read(&fs::read(&path).expect("the input can be read"));
        assert!(body.is_some_and(|body| body.plain().is_some()), "{name}");
    }
}

/// So that the targets stay true about what they call, also where nobody fuzzes.
#[test]
fn random_bytes_pass_the_checks_of_the_fuzz_targets() {
    let mut random = Random::new(7);
    for (target, check) in TARGETS {
        for case in 0..40 {
            let bytes: Vec<u8> = (0..random.below(160)).map(|_| random.bits().to_le_bytes()[0]).collect();
            println!("{target}, case {case}");
            check(&bytes);
        }
    }
}

/// So that the targets stay true about the formats, also where nobody fuzzes.
#[test]
fn what_documents_write_passes_the_checks_of_the_fuzz_targets() {
    for_all(60, histories(12), |script| {
        let played = Played::run(script, |_, _, _| Ok(()))?;
        let mut doc = Doc::new(ReplicaId::new(7));
        for delta in &played.deltas {
            apply(&mut doc, delta)?;
            delta::check(delta);
        }
        delta::check(&doc.delta_since(&VersionVector::new()));
        let bytes = doc.encode_snapshot();
        let chunks = body(&bytes);
        assert_eq!(sealed(chunks), bytes, "sealed as the document does it");
        snapshot::check(chunks);
        for damage in [0_u8, 1, 0x80] {
            let mut records = Vec::new();
            for delta in played.deltas.iter().filter(|delta| delta.len() < 256) {
                records.extend([0, u8::try_from(delta.len()).expect("short")]);
                records.extend_from_slice(delta);
            }
            log::check(&[&records[..], &[damage, 130]].concat());
        }
        Ok(())
    });
}
