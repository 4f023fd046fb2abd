//! Deltas as sets of operations, against sets of operations.

use super::tests::{delete, id, insert, random_op};
use super::*;
use crate::anchor::Anchor;
use crate::dice::Dice;
use crate::error::ApplyError;
use crate::ids::{ReplicaId, Seq, VersionVector};
use crate::json::Json;
use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::vec;

/// Operations one by one.
type Set = BTreeMap<OpId, OpKind>;

fn set_of(ops: &[Op]) -> Set {
    let mut set = Set::new();
    for op in ops {
        let at = |n: Seq| OpId { seq: op.id.seq + n, ..op.id };
        match &op.kind {
            OpKind::Insert { anchor, text } => {
                for (n, ch) in (0..).zip(text.chars()) {
                    let anchor = if n == 0 { *anchor } else { Anchor::after(at(n - 1)) };
                    assert_eq!(set.insert(at(n), OpKind::Insert { anchor, text: ch.to_string() }), None);
                }
            }
            OpKind::Delete { target, len, descending } => {
                for n in 0..*len {
                    let seq = if *descending { target.seq - n } else { target.seq + n };
                    let target = OpId { seq, ..*target };
                    let one = OpKind::Delete { target, len: 1, descending: false };
                    assert_eq!(set.insert(at(n), one), None);
                }
            }
            OpKind::InsertValue { .. } => assert_eq!(set.insert(op.id, op.kind.clone()), None),
        }
    }
    set
}

fn ops_of_set(set: &Set) -> Vec<Op> {
    set.iter().map(|(id, kind)| Op { id: *id, kind: kind.clone() }).collect()
}

fn read(delta: &[u8]) -> Set {
    set_of(&decode_delta(delta, &Limits::DEFAULT).unwrap())
}

fn merged(deltas: &[Vec<u8>]) -> Result<Vec<u8>, ApplyError> {
    let deltas: Vec<&[u8]> = deltas.iter().map(Vec::as_slice).collect();
    merge_deltas(&deltas, &Limits::DEFAULT)
}

/// A history that nobody could have typed, with everything that a delta can hold.
fn history(dice: &mut Dice) -> Vec<Op> {
    let mut next = vec![0; 1 + dice.below(5)];
    let mut ops = Vec::new();
    for _ in 0..dice.below(40) {
        let mut op = random_op(dice, &mut next);
        if let OpKind::Delete { len, descending, .. } = &mut op.kind {
            // Long ones one by one take long.
            let less = (*len).min(9);
            next[usize::try_from(op.id.replica.get()).unwrap()] -= *len - less;
            (*len, *descending) = (less, *descending && less > 1);
        }
        if let (OpKind::Insert { anchor, .. }, 0) = (&op.kind, dice.below(4)) {
            let anchor = *anchor;
            next[usize::try_from(op.id.replica.get()).unwrap()] = op.id.seq + 1;
            let value = if dice.below(2) == 0 { Value::Close } else { Value::Embed(Json::number(7)) };
            op.kind = OpKind::InsertValue { anchor, value };
        }
        ops.push(op);
    }
    ops
}

/// Some of the operations, cut anyhow.
fn part(dice: &mut Dice, ops: &[Op]) -> Vec<u8> {
    let keep = 1 + dice.below(4);
    let mut some = Vec::new();
    for op in ops {
        if dice.below(4) >= keep {
            continue;
        }
        match (&op.kind, dice.below(3)) {
            (OpKind::InsertValue { .. }, _) | (_, 0) => some.push(op.clone()),
            (_, 1) => some.extend(ops_of_set(&set_of(core::slice::from_ref(op)))),
            _ if op.len() > 1 => {
                let at = 1 + Seq::try_from(dice.below(op.len() as usize - 1)).unwrap();
                let (front, rest) = op.as_run().split(at);
                some.extend([front, rest].iter().filter(|_| dice.below(3) > 0).map(|run| run.to_op()));
            }
            _ => {}
        }
    }
    encode_delta(&some)
}

#[test]
fn merging_is_the_union_whatever_the_order_and_the_cuts() {
    for seed in 0..600 {
        let mut dice = Dice(seed);
        let ops = history(&mut dice);
        let mut parts: Vec<Vec<u8>> = (0..dice.below(6)).map(|_| part(&mut dice, &ops)).collect();
        let all = merged(&parts).unwrap();
        let mut expected = Set::new();
        for part in &parts {
            expected.extend(read(part));
        }
        assert_eq!(read(&all), expected, "seed {seed}");
        // One way to write them.
        assert_eq!(merged(&[encode_delta(&ops_of_set(&expected))]).as_ref(), Ok(&all), "seed {seed}");
        assert_eq!(merged(&[all.clone(), all.clone()]).as_ref(), Ok(&all), "seed {seed}");
        if let [first, rest @ ..] = parts.as_slice() {
            let behind = merged(&[first.clone(), merged(rest).unwrap()]);
            assert_eq!(behind.as_ref(), Ok(&all), "seed {seed}");
        }
        parts.reverse();
        let again = parts.get(dice.below(parts.len() + 1)).cloned();
        parts.extend(again);
        assert_eq!(merged(&parts).as_ref(), Ok(&all), "seed {seed}");
    }
}

#[test]
fn what_a_version_lacks_is_what_it_has_not_seen() {
    for seed in 0..600 {
        let mut dice = Dice(seed);
        let ops = history(&mut dice);
        let (one, other) = (part(&mut dice, &ops), part(&mut dice, &ops));
        let version: VersionVector =
            (0..5).map(|replica| (ReplicaId::new(replica), Seq::try_from(dice.below(40)).unwrap())).collect();
        let diff = |delta: &[u8]| diff_delta(delta, &version, &Limits::DEFAULT).unwrap();
        let mut expected = read(&one);
        expected.retain(|id, _| !version.contains(*id));
        assert_eq!(read(&diff(&one)), expected, "seed {seed}");
        assert_eq!(diff(&diff(&one)), diff(&one), "seed {seed}");
        let all = merged(&[one.clone(), other.clone()]).unwrap();
        assert_eq!(diff(&all), merged(&[diff(&one), diff(&other)]).unwrap(), "seed {seed}");
        assert_eq!(diff_delta(&one, &VersionVector::new(), &Limits::DEFAULT), Ok(merged(&[one]).unwrap()));
    }
}

#[test]
fn version_and_summary_say_what_is_in_it() {
    for seed in 0..600 {
        let mut dice = Dice(seed);
        let ops = history(&mut dice);
        let delta = part(&mut dice, &ops);
        let set = read(&delta);
        let version = delta_version(&delta, &Limits::DEFAULT).unwrap();
        let mut numbers = Vec::new();
        for (replica, range) in version.ranges() {
            numbers.extend(range.clone().map(|seq| OpId::new(*replica, seq)));
        }
        assert!(numbers.iter().eq(set.keys()), "seed {seed}");
        for pair in version.ranges().windows(2) {
            assert!(pair[0].0 < pair[1].0 || pair[0].1.end < pair[1].1.start, "seed {seed}");
        }
        let mut seen = VersionVector::new();
        for id in set.keys() {
            seen.raise(id.replica, id.seq + 1);
            assert!(version.contains(*id));
            assert!(!version.start().contains(*id) && version.end().contains(*id));
            let behind = OpId { seq: id.seq + 1, ..*id };
            assert_eq!(version.contains(behind), set.contains_key(&behind), "seed {seed}");
        }
        assert_eq!(version.end(), seen);
        let had: VersionVector =
            (0..5).map(|replica| (ReplicaId::new(replica), Seq::try_from(dice.below(40)).unwrap())).collect();
        assert_eq!(version.brings_news_to(&had), set.keys().any(|id| !had.contains(*id)), "seed {seed}");
        let goes_on = |id: &OpId| {
            let before = id.seq.checked_sub(1).map(|seq| OpId { seq, ..*id });
            before.is_none_or(|before| had.contains(before) || set.contains_key(&before))
        };
        assert_eq!(version.follows(&had), set.keys().all(goes_on), "seed {seed}");

        let summary = validate_delta(&delta, &Limits::DEFAULT).unwrap();
        let mut replicas: Vec<ReplicaId> = set.keys().map(|id| id.replica).collect();
        replicas.dedup();
        let values = set.values().filter(|kind| matches!(kind, OpKind::InsertValue { .. })).count();
        let text = |kind: &OpKind| match kind {
            OpKind::Insert { text, .. } => text.len(),
            OpKind::InsertValue { .. } => 3,
            OpKind::Delete { .. } => 0,
        };
        assert_eq!((summary.operations, summary.replicas), (set.len() as u64, replicas.len()), "seed {seed}");
        assert_eq!((summary.text_bytes, summary.values), (set.values().map(text).sum(), values));
    }
}

#[test]
fn the_same_id_with_other_content_is_a_collision_wherever_it_stands() {
    let mut met = 0;
    for seed in 0..2000 {
        let mut dice = Dice(seed);
        let ops = history(&mut dice);
        let whole = set_of(&ops);
        if whole.is_empty() {
            continue;
        }
        let (id, kind) = whole.iter().nth(dice.below(whole.len())).unwrap();
        let other = match kind {
            OpKind::Insert { anchor, .. } => match dice.below(4) {
                0 => OpKind::Insert { anchor: *anchor, text: "Q".into() },
                1 => OpKind::Insert { anchor: Anchor::before(tests::id(77, 7)), text: "a".into() },
                2 => OpKind::InsertValue { anchor: *anchor, value: Value::Roots },
                _ => OpKind::Delete { target: tests::id(77, 7), len: 1, descending: false },
            },
            OpKind::InsertValue { anchor, .. } => match dice.below(2) {
                0 => OpKind::InsertValue { anchor: *anchor, value: Value::Roots },
                _ => OpKind::Insert { anchor: *anchor, text: "\u{fffc}".into() },
            },
            OpKind::Delete { target, .. } => {
                let target = OpId { seq: target.seq ^ 1, ..*target };
                OpKind::Delete { target, len: 1, descending: false }
            }
        };
        let mut lie = whole.clone();
        lie.insert(*id, other);
        let one = merged(&[encode_delta(&ops_of_set(&whole))]).unwrap();
        let other = merged(&[encode_delta(&ops_of_set(&lie))]).unwrap();
        let pieces = part(&mut dice, &ops);
        let has_it = read(&pieces).contains_key(id);
        let collision = Err(ApplyError::ReplicaCollision { id: *id });
        assert_eq!(merged(&[one.clone(), other.clone()]), collision, "seed {seed}");
        assert_eq!(merged(&[other.clone(), one]), collision, "seed {seed}");
        let result = merged(&[pieces, other]);
        assert_eq!(result.is_err(), has_it, "seed {seed}");
        met += usize::from(has_it);
    }
    assert!(met > 300, "{met}");
}

#[test]
fn limits_hold_for_the_result_too() {
    let of = |seq, text: &str| encode_delta(&[insert(id(1, seq), Anchor::START, text)]);
    let mut limits = Limits::DEFAULT;
    limits.max_text_bytes = 5;
    let (one, other) = (of(0, "abc"), of(3, "def"));
    assert_eq!(merge_deltas(&[&one, &one], &limits), Ok(one.clone()));
    let error = DecodeError::LimitExceeded("bytes of text");
    assert_eq!(merge_deltas(&[&one, &other], &limits), Err(error.into()));
    assert_eq!(merge_deltas(&[], &limits), Ok(vec![0xd2, 0, 0]));
    assert_eq!(merge_deltas(&[&one, b"junk"], &limits), Err(DecodeError::WrongFormat.into()));
}

/// Each delta alone is long; none may be gone through for each operation of another.
#[test]
fn many_small_pieces_against_long_runs_take_no_product_of_time() {
    let long = "é".repeat(200_000);
    let typed = [insert(id(1, 0), Anchor::START, &long), delete(id(1, 200_000), id(2, 0), 200_000, false)];
    let whole = encode_delta(&typed);
    let pieces = encode_delta(&ops_of_set(&set_of(&typed)));
    let mut deltas: Vec<&[u8]> = vec![&whole; 12];
    deltas.insert(5, &pieces);
    assert_eq!(merge_deltas(&deltas, &Limits::DEFAULT).as_ref(), Ok(&whole));
    // As many deltas as keystrokes.
    let strokes: Vec<Vec<u8>> = ops_of_set(&set_of(&typed)).chunks(7).map(encode_delta).collect();
    assert_eq!(merged(&strokes).as_ref(), Ok(&whole));
}
