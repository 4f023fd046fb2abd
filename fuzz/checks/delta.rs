//! Bytes from outside as a delta: refused without a trace, or applied with every invariant intact.

use crdt_core::codec::{Limits, ReplicaNames, decode_delta, encode_delta};
use crdt_core::{Anchor, ApplyError, Doc, Json, Mark, Op, OpId, OpKind, ReplicaId, Value, VersionVector};

/// A document in which most short references lead somewhere.
fn known() -> Doc {
    let first = ReplicaId::new(0);
    let second = ReplicaId::new(1);
    let insert = |replica, seq, anchor, text: &str| Op {
        id: OpId::new(replica, seq),
        kind: OpKind::Insert { anchor, text: text.into() },
    };
    let delete = Op {
        id: OpId::new(second, 4),
        kind: OpKind::Delete { target: OpId::new(first, 2), len: 2, descending: false },
    };
    let value =
        |seq, anchor, value| Op { id: OpId::new(first, seq), kind: OpKind::InsertValue { anchor, value } };
    let (start, end) = (Anchor::before(OpId::new(first, 0)), Anchor::after(OpId::new(first, 4)));
    let mark = Mark { start, end, name: "b".into(), value: Some(Json::yes()), stamp: 3 };
    let mut doc = Doc::new(ReplicaId::new(u64::MAX));
    let ops = [
        insert(first, 0, Anchor::START, "ab😀éef"),
        insert(second, 0, Anchor::before(OpId::new(first, 1)), "wxyz"),
        delete,
        value(6, Anchor::after(OpId::new(first, 5)), Value::Embed(Json::number(7))),
        value(7, start, Value::Mark(mark)),
    ];
    doc.apply(&encode_delta(&ops)).expect("the operations refer to each other");
    doc
}

/// The same operations in pieces of up to three, in an order that the bytes decide.
fn in_pieces(mut doc: Doc, ops: &[Op], bytes: &[u8]) -> Option<Doc> {
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    let mut all = Doc::new(ReplicaId::new(u64::MAX - 1));
    for op in ops {
        all.apply(&encode_delta(std::slice::from_ref(op))).ok()?;
        let mut from = op.id.seq;
        let end = from.checked_add(op.len())?;
        while from < end {
            let to = end.min(from + 1 + u32::from(bytes[from as usize % bytes.len()] % 3));
            // A waiting operation is not in the log that pieces are cut from; such inputs say nothing here.
            if all.version().get(op.id.replica) < to {
                return None;
            }
            // Pieces overlap: what waits may come again in part.
            let again = from.saturating_sub(u32::from(bytes[to as usize % bytes.len()] % 3));
            pieces.push(all.delta_of(op.id.replica, again..to));
            from = to;
        }
        if pieces.len() > 300 {
            return None;
        }
    }
    let mut turn = bytes.len();
    while !pieces.is_empty() {
        turn = turn.wrapping_mul(31).wrapping_add(usize::from(bytes[turn % bytes.len()]));
        let piece = pieces.swap_remove(turn % pieces.len());
        doc.apply(&piece).ok()?;
        doc.assert_invariants();
    }
    Some(doc)
}

/// The bytes as deltas of a connection, each behind its length: what cannot be read leaves document and names, and
/// what was taken can be said again by names.
fn over_a_connection(bytes: &[u8]) {
    let mut doc = known();
    let mut names = ReplicaNames::new();
    let mut rest = bytes;
    while let Some((&len, tail)) = rest.split_first() {
        let (delta, tail) = tail.split_at(usize::from(len).min(tail.len()));
        rest = tail;
        let before = (doc.encode_snapshot(), names.clone());
        match doc.apply_named(delta, &mut names) {
            Err(ApplyError::Decode(_)) => {
                assert_eq!(
                    (doc.encode_snapshot(), names.clone()),
                    before,
                    "what cannot be read changes nothing"
                );
            }
            Err(_) => assert_eq!(doc.encode_snapshot(), before.0, "a refused delta changes nothing"),
            Ok(_) => {}
        }
    }
    if doc.len() < 4096 {
        doc.assert_invariants();
    }
    let mut other = Doc::new(doc.replica());
    let (mut sent, mut received) = (names.clone(), names);
    for (replica, end) in doc.version().iter() {
        let mut delta = Vec::new();
        doc.delta_of_named(replica, 0..end, &mut sent, &mut delta);
        other.apply_named(&delta, &mut received).expect("what a document says is sound");
        assert_eq!(received, sent, "both ends keep the same names");
    }
    assert_eq!((other.runs(), other.version()), (doc.runs(), doc.version()));
}

/// Everything below, with these bytes.
pub(crate) fn check(bytes: &[u8]) {
    over_a_connection(bytes);
    if let Ok(mut ops) = decode_delta(bytes, &Limits::DEFAULT) {
        ops.sort_by_key(|op| op.id);
        let again = encode_delta(&ops);
        assert_eq!(decode_delta(&again, &Limits::DEFAULT).as_ref(), Ok(&ops), "what was decoded round-trips");
        assert!(bytes[0] >= 0x80 || again == bytes, "one run has one form");
    }
    let mut doc = known();
    let before = doc.encode_snapshot();
    match doc.apply(bytes) {
        Err(_) => assert_eq!(doc.encode_snapshot(), before, "a refused delta changes nothing"),
        Ok(_) => {
            if doc.len() < 4096 {
                doc.assert_invariants();
            }
            let after = doc.encode_snapshot();
            doc.apply(bytes).expect("the same again is known");
            assert_eq!(doc.encode_snapshot(), after, "the same again changes nothing");
            let opened = Doc::from_snapshot(doc.replica(), &after).expect("a snapshot opens");
            assert_eq!((opened.runs(), opened.version()), (doc.runs(), doc.version()));
            assert_eq!(opened.pending(), doc.pending());
            let everything = doc.delta_since(&VersionVector::new());
            let mut ops =
                decode_delta(&everything, &Limits::DEFAULT).expect("a document reads what it wrote");
            // In causal order as far as ids tell: what waits makes `in_pieces` give up.
            ops.sort_by_key(|op| (op.id.replica != ReplicaId::new(0), op.id));
            if let Some(pieced) = in_pieces(Doc::new(ReplicaId::new(u64::MAX)), &ops, bytes) {
                assert_eq!((pieced.runs(), pieced.version()), (doc.runs(), doc.version()));
                assert_eq!(pieced.pending(), doc.pending());
            }
        }
    }
}
