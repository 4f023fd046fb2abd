//! Bytes as a history: whatever way its operations take, as snapshots or deltas, everybody ends with the same.

use crdt_core::codec::{Limits, decode_delta, encode_delta};
use crdt_core::{Doc, Op, ReplicaId, SequenceKind, UndoManager, UndoOptions, VersionVector};
use crdt_testkit::script::{Script, Step};
use crdt_testkit::told;
use crdt_testkit::twin::Turn;

const READER: ReplicaId = ReplicaId::new(0x7e57_0000_0000_0000);

/// Plays what the bytes tell on documents alone, and takes each of them through every format.
pub(crate) fn check(bytes: &[u8]) {
    let script = told::script(bytes);
    let mut docs = played(&script);
    for doc in &mut docs {
        // What waited for a sequence that was then opened here is woken, and told, by what is applied next.
        doc.apply(&doc.delta_since(&VersionVector::new())).expect("what a document says is sound");
        through_formats(doc);
    }
    // Everybody hears of everybody: from documents as they are, and from opened snapshots.
    let mut cold: Vec<Doc> = docs.iter().map(opened).collect();
    for doc in &mut docs {
        for told in &mut cold {
            told.decode_history_since(doc.version());
            doc.apply(&told.delta_since(doc.version())).expect("what a document says is sound");
        }
    }
    for reader in &mut cold {
        let delta = docs[0].delta_since(reader.version());
        reader.apply(&delta).expect("what a document says is sound");
    }
    for doc in docs[1..].iter().chain(&cold) {
        assert_same(doc, &docs[0]);
        assert_same(&opened(doc), &docs[0]);
    }
}

/// The documents of a script at its end, without a last exchange.
fn played(script: &Script) -> Vec<Doc> {
    let mut docs: Vec<Doc> = script.replicas.iter().map(|&replica| Doc::new(replica)).collect();
    let options = UndoOptions { interval_ms: 0, ..UndoOptions::default() };
    let mut undo: Vec<_> = docs.iter().map(|doc| UndoManager::new(doc, options.clone())).collect();
    let mut last = vec![Vec::new(); docs.len()];
    for (_, step) in &script.steps {
        match step {
            Step::Edit { replica, edits } => {
                let mut transaction = docs[*replica].transaction();
                edits.iter().for_each(|edit| edit.make(&mut transaction).expect("a sound edit"));
                said(&mut last[*replica], transaction.commit());
                undo[*replica].record(&docs[*replica], 0);
            }
            Step::EditPlaced { replica, edits } => {
                let mut transaction = docs[*replica].transaction();
                edits.iter().for_each(|edit| edit.make(&mut transaction).expect("a sound edit"));
                said(&mut last[*replica], transaction.commit());
                undo[*replica].record(&docs[*replica], 0);
            }
            Step::Turn { replica, turn } => {
                let (doc, undo) = (&mut docs[*replica], &mut undo[*replica]);
                let from = doc.version().get(doc.replica());
                match turn {
                    Turn::Undo => undo.undo(doc),
                    Turn::Redo => undo.redo(doc),
                }
                .expect("there is room");
                if doc.has_issued_since(from) {
                    last[*replica] = doc.issued_since(from);
                }
            }
            Step::Expand { name, expand, .. } => {
                docs.iter_mut().for_each(|doc| doc.set_expand(name, *expand));
            }
            Step::Sync { from, to } => sync(&mut docs, *from, *to),
            Step::Last { from, to } if !last[*from].is_empty() => {
                docs[*to].apply(&last[*from]).expect("what a document says is sound");
            }
            Step::SyncAll => {
                (1..docs.len()).for_each(|from| sync(&mut docs, from, 0));
                (1..docs.len()).for_each(|to| sync(&mut docs, 0, to));
            }
            _ => {}
        }
    }
    docs
}

/// Keeps the newest delta that says anything.
fn said(last: &mut Vec<u8>, delta: Vec<u8>) {
    if !delta.is_empty() {
        *last = delta;
    }
}

fn sync(docs: &mut [Doc], from: usize, to: usize) {
    let delta = docs[from].delta_since(docs[to].version());
    docs[to].apply(&delta).expect("what a document says is sound");
}

/// One document as a snapshot, as one delta, as one of each replica, and as one of each operation.
fn through_formats(doc: &Doc) {
    doc.assert_invariants();
    let cold = opened(doc);
    let everything = doc.delta_since(&VersionVector::new());
    assert_eq!(cold.delta_since(&VersionVector::new()), everything, "a snapshot keeps what was said");

    let mut ops = decode_delta(&everything, &Limits::DEFAULT).expect("a document reads what it wrote");
    ops.sort_by_key(|op| op.id);
    let again = encode_delta(&ops);
    let decoded = decode_delta(&again, &Limits::DEFAULT).expect("what was encoded decodes");
    assert_eq!(decoded, ops, "a delta encoded again says the same");
    assert_eq!(encode_delta(&decoded), again, "and has one form");

    let replicas = doc.version().iter();
    let by_replica: Vec<_> = replicas.map(|(replica, end)| doc.delta_of(replica, 0..end)).collect();
    let whole = [everything.clone(), everything];
    // What waits is in no delta of its replica.
    let waiting = doc.pending().operations > 0;
    let single: Vec<_> = ops.iter().map(|op: &Op| encode_delta(std::slice::from_ref(op))).collect();
    let ways: [&[Vec<u8>]; 3] = [&whole, &single, if waiting { &whole } else { &by_replica }];
    for deltas in ways {
        let mut reader = Doc::new(READER);
        for delta in deltas.iter().rev().chain(deltas.first()) {
            reader.apply(delta).expect("what a document says is sound");
        }
        reader.assert_invariants();
        assert_same(&reader, doc);
        assert_same(&opened(&reader), doc);
    }
}

fn opened(doc: &Doc) -> Doc {
    let snapshot = doc.encode_snapshot();
    let opened = Doc::from_snapshot(READER, &snapshot).expect("an own snapshot opens");
    assert_same(&opened, doc);
    assert_eq!(opened.encode_snapshot(), snapshot, "a snapshot saved again is the same");
    opened
}

fn assert_same(doc: &Doc, expected: &Doc) {
    assert_eq!(doc.text(), expected.text());
    assert_eq!(doc.runs(), expected.runs());
    assert_eq!(doc.version(), expected.version());
    assert_eq!(doc.pending(), expected.pending());
    assert!(doc.elements().eq(expected.elements()), "the same elements in the same order");
    assert!(doc.registers().eq(expected.registers()), "the same registers");
    assert!(doc.sequences().eq(expected.sequences()), "the same sequences");
    for (name, kind) in doc.sequences() {
        match kind {
            SequenceKind::Text => {
                let runs = |doc: &Doc| doc.text_named(name).map(|text| text.runs());
                assert_eq!(runs(doc), runs(expected));
            }
            SequenceKind::List => {
                let values = |doc: &Doc| doc.list(name).map(|list| list.values());
                assert_eq!(values(doc), values(expected));
            }
        }
    }
}
