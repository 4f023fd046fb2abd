//! What is too much is refused, and changes nothing.

use super::Doc;
use crate::anchor::Anchor;
use crate::codec::{Limits, decode_delta, encode_delta};
use crate::error::{ApplyError, DecodeError};
use crate::ids::{OpId, ReplicaId, Seq, VersionVector};
use crate::json::Json;
use crate::op::{Op, OpKind};
use crate::value::Value;
use alloc::vec;
use alloc::vec::Vec;

fn id(replica: u64, seq: Seq) -> OpId {
    OpId::new(ReplicaId::new(replica), seq)
}

fn insert(id: OpId, anchor: Anchor, text: &str) -> Op {
    Op { id, kind: OpKind::Insert { anchor, text: text.into() } }
}

/// A document of a little of everything, as a delta.
fn sample() -> Vec<u8> {
    let mut doc = Doc::new(ReplicaId::new(1));
    doc.insert(0, "some text").unwrap();
    doc.mark(0..4, "bold", Json::parse("[[[1]]]").unwrap()).unwrap();
    doc.insert_embed(2, Json::string("a picture")).unwrap();
    doc.delete(4..6).unwrap();
    let mut other = Doc::new(ReplicaId::new(2));
    other.apply(&doc.delta_since(&VersionVector::new())).unwrap();
    other.insert(3, "more").unwrap();
    other.delta_since(&VersionVector::new())
}

#[test]
fn each_limit_is_kept_to_the_last_one_and_named() {
    let delta = sample();
    let ops = decode_delta(&delta, &Limits::DEFAULT).unwrap();
    let text = |op: &Op| match &op.kind {
        OpKind::Insert { text, .. } => text.len(),
        OpKind::InsertValue { .. } => 3,
        OpKind::Delete { .. } => 0,
    };
    type Field = fn(&mut Limits) -> &mut usize;
    let cases: [(Field, usize, &str); 7] = [
        (|limits| &mut limits.max_input_bytes, delta.len(), "bytes of the input"),
        (|limits| &mut limits.max_replicas, 2, "replicas"),
        (|limits| &mut limits.max_text_bytes, ops.iter().map(text).sum(), "bytes of text"),
        (|limits| &mut limits.max_values, 2, "values"),
        (|limits| &mut limits.max_name_bytes, 4, "bytes of a name"),
        (|limits| &mut limits.max_json_bytes, 11, "bytes of a JSON value"),
        (|limits| &mut limits.max_json_depth, 3, "depth of a JSON value"),
    ];
    for (field, least, name) in cases {
        check(&delta, least, name, |limits, value| *field(limits) = value);
    }
    let operations = usize::try_from(ops.iter().map(Op::len).sum::<Seq>()).unwrap();
    check(&delta, operations, "operations", |limits, value| limits.max_operations = value as u64);
    // Values are operations of their own where a delta is decoded, and parts of runs in the bytes.
    let mut limits = Limits::DEFAULT;
    limits.max_runs = ops.len();
    assert!(decode_delta(&delta, &limits).is_ok());
    limits.max_runs = 1;
    assert_eq!(decode_delta(&delta, &limits), Err(DecodeError::LimitExceeded("runs")));
}

fn check(delta: &[u8], least: usize, name: &'static str, set: impl Fn(&mut Limits, usize)) {
    let mut limits = Limits::DEFAULT;
    set(&mut limits, least);
    assert!(decode_delta(delta, &limits).is_ok(), "{name}: {least} are enough");
    let mut doc = Doc::new(ReplicaId::new(9));
    doc.insert(0, "here").unwrap();
    set(&mut limits, least - 1);
    assert_eq!(decode_delta(delta, &limits), Err(DecodeError::LimitExceeded(name)));
    doc.set_limits(limits);
    let before = doc.encode_snapshot();
    assert_eq!(doc.apply(delta), Err(ApplyError::Decode(DecodeError::LimitExceeded(name))));
    assert_eq!(doc.encode_snapshot(), before, "{name}");
    doc.set_limits(Limits::DEFAULT);
    doc.apply(delta).unwrap();
}

#[test]
fn a_delta_of_one_run_keeps_to_the_limits_too() {
    let delta = encode_delta(&[insert(id(1, 0), Anchor::START, "twenty bytes of text")]);
    let mut limits = Limits::DEFAULT;
    limits.max_text_bytes = 19;
    assert_eq!(decode_delta(&delta, &limits), Err(DecodeError::LimitExceeded("bytes of text")));
    limits.max_text_bytes = 20;
    limits.max_operations = 19;
    assert_eq!(decode_delta(&delta, &limits), Err(DecodeError::LimitExceeded("operations")));
    limits.max_operations = 20;
    assert!(decode_delta(&delta, &limits).is_ok());
    limits.max_input_bytes = delta.len() - 1;
    assert_eq!(decode_delta(&delta, &limits), Err(DecodeError::LimitExceeded("bytes of the input")));
}

#[test]
fn what_waits_is_limited_by_what_the_document_is_set_to() {
    let mut doc = Doc::new(ReplicaId::new(9));
    let mut limits = Limits::DEFAULT;
    (limits.max_pending_operations, limits.max_pending_runs) = (4, 2);
    doc.set_limits(limits);
    let waiting = |replica, text: &str| encode_delta(&[insert(id(replica, 1), Anchor::START, text)]);
    doc.apply(&waiting(1, "abc")).unwrap();
    assert_eq!(doc.apply(&waiting(2, "de")), Err(ApplyError::PendingFull { limit: 4 }));
    doc.apply(&waiting(2, "d")).unwrap();
    // What comes again takes no room, and what does not wait needs none.
    doc.apply(&waiting(2, "d")).unwrap();
    doc.apply(&encode_delta(&[insert(id(3, 0), Anchor::START, "x")])).unwrap();
    assert_eq!(doc.apply(&waiting(4, "e")), Err(ApplyError::PendingFull { limit: 4 }));
    (limits.max_pending_operations, limits.max_pending_runs) = (1, 1);
    doc.set_limits(limits);
    doc.apply(&encode_delta(&[insert(id(1, 0), Anchor::START, "x")])).unwrap();
    assert_eq!((doc.text().len(), doc.pending().operations), (5, 1));
}

#[test]
fn a_version_vector_names_no_more_replicas_than_it_may() {
    let vector: VersionVector = (1..=5).map(|replica| (ReplicaId::new(replica), Seq::MAX)).collect();
    let mut limits = Limits::DEFAULT;
    limits.max_replicas = 5;
    assert_eq!(VersionVector::decode(&vector.encode(), &limits), Ok(vector.clone()));
    limits.max_replicas = 4;
    let refused = VersionVector::decode(&vector.encode(), &limits);
    assert_eq!(refused, Err(DecodeError::LimitExceeded("replicas")));
}

#[test]
fn numbers_at_the_end_of_their_range_are_refused_or_do_no_harm() {
    // An element that cannot be: the seq behind it would not fit.
    for anchor in [Anchor::after(id(2, Seq::MAX)), Anchor::before(id(2, Seq::MAX))] {
        let one = encode_delta(&[insert(id(1, 0), anchor, "x")]);
        assert_eq!(decode_delta(&one, &Limits::WIDEST), Err(DecodeError::InvalidValue("seq")));
        let two = encode_delta(&[insert(id(1, 0), anchor, "x"), insert(id(3, 0), Anchor::START, "y")]);
        assert_eq!(decode_delta(&two, &Limits::WIDEST), Err(DecodeError::InvalidValue("seq")));
    }
    let delete = |id, target, len, descending| Op { id, kind: OpKind::Delete { target, len, descending } };
    let ends = [
        delete(id(1, 0), id(2, Seq::MAX), 2, true),
        delete(id(1, 0), id(2, 1), 3, true),
        delete(id(1, 0), id(2, Seq::MAX - 1), 2, false),
        delete(id(1, Seq::MAX - 1), id(2, 0), 2, false),
        insert(id(1, Seq::MAX), Anchor::START, "x"),
        insert(id(1, Seq::MAX - 2), Anchor::START, "xyz"),
    ];
    for op in ends {
        let delta = encode_delta(core::slice::from_ref(&op));
        assert!(decode_delta(&delta, &Limits::WIDEST).is_err(), "{op:?}");
        let delta = encode_delta(&[op.clone(), insert(id(3, 0), Anchor::START, "y")]);
        assert!(decode_delta(&delta, &Limits::WIDEST).is_err(), "{op:?}");
    }
    // As far as it goes.
    let mut doc = Doc::new(ReplicaId::new(9));
    let last = [
        insert(id(1, Seq::MAX - 1), Anchor::after(id(2, Seq::MAX - 1)), "x"),
        delete(id(3, 0), id(2, Seq::MAX - 1), 1, false),
        delete(id(4, 0), id(2, Seq::MAX - 1), 3, true),
        delete(id(5, 7), id(2, Seq::MAX - 5), 5, false),
    ];
    doc.apply(&encode_delta(&last)).unwrap();
    doc.assert_invariants();
    let missing = doc.pending().missing;
    assert_eq!(
        missing,
        [(ReplicaId::new(1), 0..Seq::MAX - 1), (ReplicaId::new(2), 0..Seq::MAX), (ReplicaId::new(5), 0..7)]
    );
    assert_eq!(doc.delta_since(&VersionVector::new()), encode_delta(&last));
    let all: VersionVector = (0..9).map(|replica| (ReplicaId::new(replica), Seq::MAX)).collect();
    assert_eq!(decode_delta(&doc.delta_since(&all), &Limits::WIDEST), Ok(vec![]));
    let copy = Doc::from_snapshot(ReplicaId::new(10), &doc.encode_snapshot()).unwrap();
    assert_eq!(copy.pending(), doc.pending());
}

#[test]
fn a_value_at_the_end_of_its_range_waits_for_ever_and_does_no_harm() {
    let mark = crate::value::Mark {
        start: Anchor::after(id(2, Seq::MAX)),
        end: Anchor::before(id(u64::MAX, Seq::MAX)),
        name: "bold".into(),
        value: Some(Json::yes()),
        stamp: 1 << 53,
    };
    let said =
        Op { id: id(1, 0), kind: OpKind::InsertValue { anchor: Anchor::START, value: Value::Mark(mark) } };
    let mut doc = Doc::new(ReplicaId::new(9));
    doc.apply(&encode_delta(&[said])).unwrap();
    doc.insert(0, "text").unwrap();
    doc.mark(0..4, "bold", Json::yes()).unwrap();
    doc.assert_invariants();
    let copy = Doc::from_snapshot(ReplicaId::new(10), &doc.encode_snapshot()).unwrap();
    assert_eq!(copy.text(), doc.text());
    assert_eq!(copy.delta_since(&VersionVector::new()), doc.delta_since(&VersionVector::new()));
}
