//! Whatever is refused has changed nothing, and the same id with other content is refused wherever it stands.

use super::Doc;
use crate::anchor::Anchor;
use crate::codec::{Limits, encode_delta};
use crate::error::{ApplyError, DecodeError};
use crate::ids::{OpId, ReplicaId, Seq, VersionVector};
use crate::json::Json;
use crate::op::{Op, OpKind};
use crate::value::{Mark, Register, SequenceKind, Value};
use alloc::vec;
use alloc::vec::Vec;
use core::slice;

fn id(replica: u64, seq: Seq) -> OpId {
    OpId::new(ReplicaId::new(replica), seq)
}

fn insert(id: OpId, anchor: Anchor, text: &str) -> Op {
    Op { id, kind: OpKind::Insert { anchor, text: text.into() } }
}

fn delete(id: OpId, target: OpId, len: u32, descending: bool) -> Op {
    Op { id, kind: OpKind::Delete { target, len, descending } }
}

fn carry(id: OpId, anchor: Anchor, value: Value) -> Op {
    Op { id, kind: OpKind::InsertValue { anchor, value } }
}

/// Applies what must be refused. Everything that can be told of the document is as it was.
fn refused(doc: &mut Doc, delta: &[u8]) -> ApplyError {
    let (snapshot, version, pending) = (doc.encode_snapshot(), doc.version().clone(), doc.pending());
    let (runs, delta_before) = (doc.runs(), doc.delta_since(&VersionVector::new()));
    let error = doc.apply(delta).unwrap_err();
    assert_eq!(doc.encode_snapshot(), snapshot, "{error}");
    assert_eq!((doc.version(), doc.pending(), doc.runs()), (&version, pending, runs), "{error}");
    assert_eq!(doc.delta_since(&VersionVector::new()), delta_before, "{error}");
    doc.assert_invariants();
    error
}

/// A document with text, values, deletions, and some of each waiting.
fn busy() -> Doc {
    let mut doc = Doc::new(ReplicaId::new(9));
    doc.insert(0, "own words").unwrap();
    doc.mark(0..3, "bold", Json::yes()).unwrap();
    doc.insert_embed(4, Json::number(1)).unwrap();
    doc.set("title", Json::string("a title")).unwrap();
    doc.apply(&encode_delta(&[
        insert(id(1, 0), Anchor::START, "here"),
        delete(id(2, 0), id(1, 1), 2, false),
        carry(id(2, 2), Anchor::after(id(1, 0)), Value::Embed(Json::number(2))),
        insert(id(3, 5), Anchor::START, "waits"),
        delete(id(4, 3), id(3, 8), 3, true),
        carry(id(5, 1), Anchor::START, Value::Embed(Json::number(3))),
    ]))
    .unwrap();
    assert_eq!(doc.pending().operations, 9);
    doc
}

/// Every operation that is one of `op` alone.
fn singles(op: &Op) -> Vec<Op> {
    if let OpKind::InsertValue { .. } = op.kind {
        return vec![op.clone()];
    }
    let mut all = Vec::new();
    let mut rest = op.as_run();
    while rest.len > 1 {
        let (one, more) = rest.split(1);
        all.push(one.to_op());
        rest = more;
    }
    all.push(rest.to_op());
    all
}

/// What an operation of this name could be besides what it is.
fn others(op: &Op) -> Vec<Op> {
    let element = id(1, 0);
    let kinds = [
        OpKind::Insert { anchor: Anchor::START, text: "e".into() },
        OpKind::Insert { anchor: Anchor::START, text: "\u{fffc}".into() },
        OpKind::Insert { anchor: Anchor::after(element), text: "w".into() },
        OpKind::Insert { anchor: Anchor::before(element), text: "w".into() },
        OpKind::InsertValue { anchor: Anchor::START, value: Value::Embed(Json::number(3)) },
        OpKind::InsertValue { anchor: Anchor::START, value: Value::Embed(Json::number(4)) },
        OpKind::InsertValue {
            anchor: Anchor::START,
            value: Value::Register(Register { name: "n".into(), value: None, stamp: 1 }),
        },
        OpKind::Delete { target: element, len: 1, descending: false },
        OpKind::Delete { target: id(1, 3), len: 1, descending: false },
    ];
    let mut others: Vec<Op> = kinds.into_iter().map(|kind| Op { id: op.id, kind }).collect();
    // What refers to itself is refused for that.
    let refers = |kind: &OpKind| match kind {
        OpKind::Insert { anchor, .. } | OpKind::InsertValue { anchor, .. } => anchor.element,
        OpKind::Delete { target, .. } => Some(*target),
    };
    let is_own = |element: OpId| element.replica == op.id.replica && element.seq >= op.id.seq;
    others.retain(|other| other != op && !refers(&other.kind).is_some_and(is_own));
    others
}

#[test]
fn the_same_id_with_other_content_is_refused_be_it_integrated_or_waiting() {
    let everything = [
        insert(id(1, 0), Anchor::START, "here"),
        delete(id(2, 0), id(1, 1), 2, false),
        carry(id(2, 2), Anchor::after(id(1, 0)), Value::Embed(Json::number(2))),
        insert(id(3, 5), Anchor::START, "waits"),
        delete(id(4, 3), id(3, 8), 3, true),
        carry(id(5, 1), Anchor::START, Value::Embed(Json::number(3))),
    ];
    let mut doc = busy();
    let mut loaded = Doc::from_snapshot(ReplicaId::new(10), &doc.encode_snapshot()).unwrap();
    for known in everything.iter().flat_map(singles) {
        doc.apply(&encode_delta(slice::from_ref(&known))).unwrap();
        for other in others(&known) {
            let collision = ApplyError::ReplicaCollision { id: known.id };
            let lie = encode_delta(slice::from_ref(&other));
            assert_eq!(refused(&mut doc, &lie), collision, "{known:?} {other:?}");
            assert_eq!(refused(&mut loaded, &lie), collision, "{known:?} {other:?}");
            // Behind what is sound and new, and in front of it.
            for new in [insert(id(0, 0), Anchor::START, "new"), insert(id(77, 0), Anchor::START, "new")] {
                let both = encode_delta(&[new, other.clone()]);
                assert_eq!(refused(&mut doc, &both), collision, "{known:?} {other:?}");
            }
        }
    }
}

#[test]
fn runs_that_differ_somewhere_inside_are_refused_and_the_place_is_named() {
    let mut doc = busy();
    let collision = |id| ApplyError::ReplicaCollision { id };
    let lies = [
        (insert(id(1, 0), Anchor::START, "hero"), id(1, 3)),
        (insert(id(1, 0), Anchor::START, "herX and on"), id(1, 3)),
        (insert(id(1, 2), Anchor::after(id(1, 1)), "rX"), id(1, 3)),
        (delete(id(2, 0), id(1, 1), 2, true), id(2, 1)),
        (insert(id(3, 0), Anchor::START, "fill-waits"), id(3, 5)),
        (insert(id(3, 6), Anchor::after(id(3, 5)), "aits and Not"), id(3, 5)),
        (insert(id(3, 6), Anchor::after(id(3, 5)), "ai?s"), id(3, 8)),
        (delete(id(4, 3), id(3, 8), 4, false), id(4, 4)),
        (delete(id(4, 4), id(3, 7), 2, false), id(4, 5)),
    ];
    for (lie, at) in lies {
        if let OpKind::Insert { text, .. } = &lie.kind
            && text == "aits and Not"
        {
            // It goes on as it should.
            doc.clone().apply(&encode_delta(&[lie])).unwrap();
            continue;
        }
        assert_eq!(refused(&mut doc, &encode_delta(slice::from_ref(&lie))), collision(at), "{lie:?}");
    }
    // Own operations that nobody can know of.
    let own = doc.version().get(ReplicaId::new(9));
    let lie = encode_delta(&[insert(id(9, own), Anchor::START, "x")]);
    assert_eq!(refused(&mut doc, &lie), collision(id(9, own)));
    // A value that is one in the run and another here, and one that is missing.
    let with = |value: i32, text: &str| {
        let behind = Anchor::after(id(2, 2));
        let value = Value::Embed(Json::number(value));
        encode_delta(&[carry(id(2, 2), Anchor::after(id(1, 0)), value), insert(id(2, 3), behind, text)])
    };
    assert_eq!(refused(&mut doc, &with(3, "x")), collision(id(2, 2)));
    let plain = encode_delta(&[insert(id(2, 2), Anchor::after(id(1, 0)), "\u{fffc}x")]);
    assert_eq!(refused(&mut doc, &plain), collision(id(2, 2)));
    doc.apply(&with(2, "x")).unwrap();
}

#[test]
fn what_waits_is_not_overtaken_by_other_content_that_fits() {
    // The operation waits for those before it; then they come with another one in its place.
    let mut doc = Doc::new(ReplicaId::new(9));
    doc.apply(&encode_delta(&[insert(id(1, 2), Anchor::START, "c")])).unwrap();
    let lie = encode_delta(&[insert(id(1, 0), Anchor::START, "ab"), insert(id(1, 2), Anchor::START, "X")]);
    assert_eq!(refused(&mut doc, &lie), ApplyError::ReplicaCollision { id: id(1, 2) });
    let lie = encode_delta(&[insert(id(1, 0), Anchor::START, "abX")]);
    assert_eq!(refused(&mut doc, &lie), ApplyError::ReplicaCollision { id: id(1, 2) });
    doc.apply(&encode_delta(&[insert(id(1, 0), Anchor::START, "ab")])).unwrap();
    assert_eq!((doc.version().get(ReplicaId::new(1)), doc.pending().operations), (3, 0));
}

#[test]
fn every_kind_of_refusal_changes_nothing() {
    let new = insert(id(0, 0), Anchor::START, "sound and new");
    let with = |op: Op| encode_delta(&[new.clone(), op]);
    let mark = |start| {
        let value = Mark { start, end: Anchor::END, name: "bold".into(), value: None, stamp: 1 };
        carry(id(6, 0), Anchor::START, Value::Mark(value))
    };
    let register = |name: &str, stamp| {
        let value = Register { name: name.into(), value: Some(Json::yes()), stamp };
        carry(id(6, 0), Anchor::START, Value::Register(value))
    };
    let mut doc = busy();
    let sound = with(insert(id(6, 0), Anchor::START, "x"));
    // What cannot be read.
    for len in 0..sound.len() {
        // A block that ends there is a smaller delta.
        if doc.clone().apply(&sound[..len]).is_err() {
            refused(&mut doc, &sound[..len]);
        }
    }
    let table = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = sound.clone();
        change(&mut bytes);
        bytes
    };
    let decode = [
        (vec![], DecodeError::Truncated),
        (b"CRDTS".to_vec(), DecodeError::WrongFormat),
        (table(&|bytes| bytes[0] = 0xd3), DecodeError::UnsupportedVersion(3)),
        (table(&|bytes| bytes[1] = 0x7f), DecodeError::Truncated),
        (table(&|bytes| drop(bytes.splice(1..2, [0x82, 0]))), DecodeError::InvalidNumber),
        (table(&|bytes| bytes[19] = 0xff), DecodeError::InvalidText),
        (table(&|bytes| bytes[2] = 6), DecodeError::InvalidValue("replica table")),
        (table(&|bytes| bytes.extend([0, 3, 8])), DecodeError::InvalidValue("order of runs")),
        (with(register(&"n".repeat(1025), 1)), DecodeError::LimitExceeded("bytes of a name")),
        (with(register("n", (1 << 53) + 1)), DecodeError::LimitExceeded("stamp")),
        ([&encode_delta(slice::from_ref(&new))[..], b"!"].concat(), DecodeError::TrailingBytes),
    ];
    for (bytes, expected) in decode {
        assert_eq!(refused(&mut doc, &bytes), ApplyError::Decode(expected), "{bytes:x?}");
    }
    // What refers to what is no element, or cannot have been seen.
    let invalid = [
        insert(id(6, 0), Anchor::after(id(2, 0)), "x"),
        insert(id(6, 0), Anchor::before(id(2, 1)), "x"),
        insert(id(6, 0), Anchor::after(id(6, 0)), "x"),
        insert(id(6, 0), Anchor::after(id(6, 4)), "x"),
        delete(id(6, 0), id(2, 0), 3, false),
        delete(id(6, 0), id(2, 2), 2, true),
        delete(id(6, 2), id(6, 0), 3, false),
    ];
    for op in invalid {
        let error = refused(&mut doc, &with(op.clone()));
        assert!(matches!(error, ApplyError::InvalidReference { id, .. } if id == op.id), "{op:?}: {error}");
    }
    // A mark of anything is taken; one that is none here just never shows.
    doc.clone().apply(&with(mark(Anchor::after(id(2, 0))))).unwrap();
    // What only a named sequence's own replica says.
    let open = Value::Open { name: "notes".into(), kind: SequenceKind::Text };
    let error = refused(&mut doc, &with(carry(id(6, 0), Anchor::START, open)));
    assert!(matches!(error, ApplyError::Decode(_) | ApplyError::InvalidReference { .. }), "{error}");
    // What there is no room for.
    let mut limits = Limits::DEFAULT;
    limits.max_pending_operations = 11;
    doc.set_limits(limits);
    let error = refused(&mut doc, &with(insert(id(6, 1), Anchor::START, "xyz")));
    assert_eq!(error, ApplyError::PendingFull { limit: 11 });
    limits.max_pending_operations = usize::MAX;
    limits.max_pending_runs = 3;
    doc.set_limits(limits);
    let error = refused(&mut doc, &with(insert(id(6, 1), Anchor::START, "x")));
    assert_eq!(error, ApplyError::PendingFull { limit: 3 });
    limits.max_pending_runs = usize::MAX;
    doc.set_limits(limits);
    // Room is kept for what waits, as if it were text.
    doc.apply(&encode_delta(&[delete(id(7, 0), id(8, 0), 1 << 30, false)])).unwrap();
    assert_eq!(refused(&mut doc, &with(insert(id(6, 0), Anchor::START, "x"))), ApplyError::Full);
}
