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
        }
    }
});
