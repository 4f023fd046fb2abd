//! The work that the benches of crdt-core share: recorded histories, ready to be replayed.

#![forbid(unsafe_code)]

pub mod siblings;

use crdt_core::{Doc, ReplicaId};
use crdt_testkit::traces::{Patch, SequentialTrace, Trace, find_traces, read_trace};
use std::fs;

/// The replica that types a history.
pub const AUTHOR: ReplicaId = ReplicaId::new(0x1234_5678_9abc_def0);
/// One that reads it.
pub const READER: ReplicaId = ReplicaId::new(0x0fed_cba9_8765_4321);

/// The recorded sequential histories with these names. Without the folder of traces there are none, and
/// standard error says so.
///
/// # Panics
/// If a file that is there is no trace.
pub fn sequential(names: &[&str]) -> Vec<(String, SequentialTrace)> {
    let Some(folder) = find_traces() else { return Vec::new() };
    let read = |name: &&str| {
        let bytes = fs::read(folder.join(format!("{name}.json.gz"))).expect("the trace is readable");
        match read_trace(&bytes).expect("the file is a trace") {
            Trace::Sequential(trace) => (String::from(*name), trace),
            Trace::Concurrent(_) => panic!("{name} is concurrent"),
        }
    };
    names.iter().map(read).collect()
}

/// Makes one edit.
///
/// # Panics
/// If the edit is outside the text, which no recorded one is.
pub fn edit(doc: &mut Doc, patch: &Patch) {
    let Patch { position, delete_len, text } = patch;
    doc.delete(*position..position + delete_len).expect("recorded edits are inside the text");
    doc.insert(*position, text).expect("recorded edits are inside the text");
}

/// Replays a history as local edits.
pub fn replay(trace: &SequentialTrace) -> Doc {
    let mut doc = Doc::new(AUTHOR);
    for patch in trace.transactions.iter().flatten() {
        edit(&mut doc, patch);
    }
    doc
}

/// Replays a history as local edits, with one delta for each transaction.
pub fn replay_with_deltas(trace: &SequentialTrace) -> Vec<Vec<u8>> {
    let mut doc = Doc::new(AUTHOR);
    let mut deltas = Vec::with_capacity(trace.transactions.len());
    for patches in &trace.transactions {
        let from = doc.version().get(AUTHOR);
        for patch in patches {
            edit(&mut doc, patch);
        }
        deltas.push(doc.delta_of(AUTHOR, from..doc.version().get(AUTHOR)));
    }
    deltas
}
