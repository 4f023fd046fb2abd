//! Bytes from outside as a delta: refused without a trace, or applied with every invariant intact.
#![no_main]

use crdt_core::codec::{decode_delta, encode_delta};
use crdt_core::{Anchor, Doc, Op, OpId, OpKind, ReplicaId};
use libfuzzer_sys::fuzz_target;

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
    let mut doc = Doc::new(ReplicaId::new(u64::MAX));
    let ops = [
        insert(first, 0, Anchor::START, "ab😀éef"),
        insert(second, 0, Anchor::before(OpId::new(first, 1)), "wxyz"),
        delete,
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

fuzz_target!(|bytes: &[u8]| {
    if let Ok(mut ops) = decode_delta(bytes) {
        ops.sort_by_key(|op| op.id);
        assert_eq!(decode_delta(&encode_delta(&ops)).as_ref(), Ok(&ops), "what was decoded round-trips");
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
            let opened = Doc::from_snapshot(ReplicaId::new(2), &after).expect("a snapshot opens");
            assert_eq!((opened.text(), opened.version()), (doc.text(), doc.version()));
            assert_eq!(opened.pending(), doc.pending());
            let mut ops = decode_delta(&after[6..after.len() - 4]).expect("a snapshot holds a delta");
            // In causal order as far as ids tell: what waits makes `in_pieces` give up.
            ops.sort_by_key(|op| (op.id.replica != ReplicaId::new(0), op.id));
            if let Some(pieced) = in_pieces(Doc::new(ReplicaId::new(u64::MAX)), &ops, bytes) {
                assert_eq!((pieced.text(), pieced.version()), (doc.text(), doc.version()));
                assert_eq!(pieced.pending(), doc.pending());
            }
        }
    }
});
