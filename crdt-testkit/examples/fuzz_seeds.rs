//! Writes what the fuzzer starts from: deltas, the chunks of snapshots and the messages of a connection, all of random
//! histories; and bytes that tell histories.
//!
//! `cargo run -p crdt-testkit --example fuzz_seeds` fills `fuzz/corpus/`, which is not kept.

use crdt_core::sync::{Frame, Handle, split};
use crdt_core::{Doc, ReplicaId, VersionVector};
use crdt_testkit::chunks::{Body, body};
use crdt_testkit::histories::{for_all, histories};
use crdt_testkit::loaded::PROFILES;
use crdt_testkit::played::{Played, apply};
use crdt_testkit::random::Random;
use std::cell::Cell;
use std::fs;
use std::path::Path;

fn main() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let write_as = |target: &str, name: &str, bytes: &[u8]| {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder).expect("the corpus can be written");
        fs::write(folder.join(format!("seed-{name}")), bytes).expect("the corpus can be written");
    };
    let write = |target: &str, number: u32, bytes: &[u8]| write_as(target, &number.to_string(), bytes);
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
        for (profile, name) in PROFILES.into_iter().zip(["", "-compact"]) {
            let snapshot = doc.encode_snapshot_as(profile);
            let plain = Body::read(body(&snapshot)).and_then(|body| body.plain()).expect("an own snapshot");
            write_as("decode_snapshot", &format!("{}{name}", number.get()), body(&snapshot));
            write_as("decode_snapshot", &format!("{}{name}-plain", number.get()), &plain.write());
        }
        // Half of its past is trimmed.
        let mut trimmed = doc.clone();
        let half = doc.version().iter().map(|(replica, seen)| (replica, seen / 2)).collect();
        for version in [half, doc.version().clone()] {
            if trimmed.trim(&version).is_ok() {
                let number = format!("{}-trimmed-{}", number.get(), trimmed.floor().len());
                write_as("decode_snapshot", &number, body(&trimmed.encode_snapshot()));
            }
        }
        let delta = doc.delta_since(&VersionVector::new());
        write("decode_delta", number.get(), &delta);
        write("decode_message", number.get(), &messages(&played, &delta));
        write("decode_log", number.get(), &records(&snapshot_of_first(&played), &played.deltas));
        number.set(number.get() + 1);
        Ok(())
    });
    let mut random = Random::new(11);
    for number in 0..100 {
        let mut bytes = |most: usize| -> Vec<u8> {
            (0..3 + random.below(most)).map(|_| random.bits().to_le_bytes()[0]).collect()
        };
        write("converge", number, &bytes(60));
        write("round_trip", number, &bytes(140));
        write("tree", number, &bytes(300));
    }
    println!("{} seeds of each format in {}", number.get(), corpus.display());
}

/// What a server sends after the join: everything at once, or batch after batch; each behind its length, as the target reads them.
fn messages(played: &Played, everything: &[u8]) -> Vec<u8> {
    const HANDLE: Handle = 1;
    let end = &played.docs[0];
    let mut frames = vec![Frame::Sync { up_to: 10, delta: everything }.encode(HANDLE)];
    for ((replica, to), log_seq) in end.version().iter().zip(11..) {
        let delta = end.delta_of(replica, 0..to);
        frames.push(Frame::Update { log_seq, replica, from: 0, to, delta: &delta }.encode(HANDLE));
        frames.push(Frame::Head { log_seq }.encode(HANDLE));
    }
    frames.push(Frame::Ack { replica: ReplicaId::new(1), up_to: 6, log_seq: 30 }.encode(HANDLE));
    frames.push(Frame::Pull { version: end.version().clone() }.encode(HANDLE));
    let pieces = frames.into_iter().flat_map(|frame| split(HANDLE, frame, 200));
    let mut bytes = vec![1];
    for piece in pieces {
        bytes.push(u8::try_from(piece.len()).expect("a piece is short"));
        bytes.extend(piece);
    }
    bytes
}

/// A snapshot of what the first delta says, if it is short.
fn snapshot_of_first(played: &Played) -> Vec<u8> {
    let mut doc = Doc::new(ReplicaId::new(7));
    if let Some(delta) = played.deltas.first() {
        doc.apply(delta).expect("what a document says is sound");
    }
    doc.encode_snapshot()
}

/// Records as the target reads them, kind, length and payload, and a byte that is damaged.
fn records(snapshot: &[u8], deltas: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let all = std::iter::once((1, snapshot)).chain(deltas.iter().map(|delta| (0, delta.as_slice())));
    for (kind, payload) in all {
        if let Ok(len) = u8::try_from(payload.len()) {
            bytes.extend([kind, len]);
            bytes.extend_from_slice(payload);
        }
    }
    bytes.extend([1, 200]);
    bytes
}
