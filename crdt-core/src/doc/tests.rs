//! Documents over a tree with tiny nodes, against an in-order traversal of what they say.
//!
//! The big histories are in `crdt-testkit`, which sees the engine as its users do; these run with
//! the fan-out of `cfg(test)`, so that short texts meet every split.

use super::{Doc, PendingReport};
use crate::anchor::{Anchor, Side};
use crate::codec::{Limits, decode_delta, encode_delta};
use crate::dice::Dice;
use crate::error::{ApplyError, DecodeError, EditError};
use crate::event::TextEdit;
use crate::ids::{OpId, ReplicaId, VersionVector};
use crate::op::{Op, OpKind};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

fn doc(replica: u64) -> Doc {
    Doc::new(ReplicaId::new(replica))
}

fn id(replica: u64, seq: u32) -> OpId {
    OpId::new(ReplicaId::new(replica), seq)
}

fn insert(id: OpId, anchor: Anchor, text: &str) -> Op {
    Op { id, kind: OpKind::Insert { anchor, text: text.into() } }
}

fn delete(id: OpId, target: OpId, len: u32) -> Op {
    Op { id, kind: OpKind::Delete { target, len, descending: false } }
}

/// The text by the page: in-order traversal, siblings in descending id order.
fn text_by_traversal(ops: &[Op]) -> String {
    let mut chars: BTreeMap<OpId, char> = BTreeMap::new();
    let mut children: BTreeMap<(Option<OpId>, Side), BTreeSet<OpId>> = BTreeMap::new();
    let mut deleted: BTreeSet<OpId> = BTreeSet::new();
    for op in ops {
        match &op.kind {
            OpKind::InsertValue { anchor, value } => {
                chars.insert(op.id, '\u{fffc}');
                children.entry((anchor.element, anchor.side)).or_default().insert(op.id);
                if value.is_statement() {
                    deleted.insert(op.id);
                }
            }
            OpKind::Insert { anchor, text } => {
                let mut place = (anchor.element, anchor.side);
                for (ch, seq) in text.chars().zip(op.id.seq..) {
                    let id = OpId::new(op.id.replica, seq);
                    chars.insert(id, ch);
                    children.entry(place).or_default().insert(id);
                    place = (Some(id), Side::After);
                }
            }
            OpKind::Delete { target, len, descending } => {
                for step in 0..*len {
                    let seq = if *descending { target.seq - step } else { target.seq + step };
                    deleted.insert(OpId::new(target.replica, seq));
                }
            }
        }
    }
    enum Step {
        Visit((Option<OpId>, Side)),
        Emit(OpId),
    }
    let mut text = String::new();
    let mut stack = vec![Step::Visit((None, Side::After))];
    while let Some(step) = stack.pop() {
        match step {
            Step::Emit(id) if deleted.contains(&id) => {}
            Step::Emit(id) => text.push(chars[&id]),
            Step::Visit(place) => {
                for &child in children.get(&place).into_iter().flatten() {
                    stack.push(Step::Visit((Some(child), Side::After)));
                    stack.push(Step::Emit(child));
                    stack.push(Step::Visit((Some(child), Side::Before)));
                }
            }
        }
    }
    text
}

fn check(doc: &Doc) {
    doc.assert_invariants();
    let delta = doc.delta_since(&VersionVector::new());
    let ops = decode_delta(&delta, &Limits::DEFAULT).unwrap();
    assert_eq!(doc.text(), text_by_traversal(&ops));
    assert_eq!(decode_delta(&encode_delta(&ops), &Limits::DEFAULT).unwrap(), ops);
    let opened = Doc::from_snapshot(ReplicaId::new(u64::MAX), &doc.encode_snapshot()).unwrap();
    assert_eq!((opened.text(), opened.version()), (doc.text(), doc.version()));
    assert_eq!(doc.len(), doc.text().chars().count());
    assert_eq!(doc.len_utf16(), doc.text().encode_utf16().count());
}

fn replay(text: &mut String, edits: &[TextEdit]) {
    for edit in edits {
        let mut chars: Vec<char> = text.chars().collect();
        let units = |upto: usize, chars: &[char]| chars[..upto].iter().map(|c| c.len_utf16()).sum::<usize>();
        match edit {
            TextEdit::Insert { position, position_utf16, text: new, .. } => {
                assert_eq!(units(*position, &chars), *position_utf16);
                chars.splice(position..position, new.chars());
            }
            TextEdit::Delete { position, position_utf16, len, len_utf16 } => {
                assert_eq!(units(*position, &chars), *position_utf16);
                assert_eq!(units(position + len, &chars), position_utf16 + len_utf16);
                chars.drain(*position..position + len);
            }
            TextEdit::Embed { position, .. } => chars.insert(*position, '\u{fffc}'),
            _ => {}
        }
        *text = chars.into_iter().collect();
    }
}

const ALPHABET: [&str; 6] = ["a", "bc", "é", "😀", "def😀g", "日本"];

fn edit(doc: &mut Doc, dice: &mut Dice) {
    let before = doc.text();
    if dice.below(3) > 0 || doc.is_empty() {
        // Near the front half of the time, so that siblings meet.
        let position = dice.below(doc.len() + 1) / (1 + dice.below(2));
        let new = ALPHABET[dice.below(ALPHABET.len())];
        doc.insert(position, new).unwrap();
        let new_len = new.chars().count();
        assert_eq!(doc.slice(position..position + new_len).unwrap(), new, "found where it was put");
    } else {
        let start = dice.below(doc.len());
        let end = start + 1 + dice.below((doc.len() - start).min(4));
        doc.delete(start..end).unwrap();
        assert_eq!(doc.len() + end - start, before.chars().count());
    }
}

#[test]
fn random_histories_agree_with_the_traversal() {
    for seed in 0..150 {
        let mut dice = Dice(seed);
        let count = 2 + dice.below(4);
        let mut docs: Vec<Doc> = (0..count).map(|i| doc((dice.below(1000) * 10 + i) as u64)).collect();
        let mut texts: Vec<String> = vec![String::new(); count];
        for _ in 0..60 {
            let who = dice.below(count);
            if dice.below(3) > 0 {
                edit(&mut docs[who], &mut dice);
                texts[who] = docs[who].text();
            } else {
                let from = dice.below(count);
                if from != who {
                    let delta = docs[from].delta_since(docs[who].version());
                    let edits = docs[who].apply(&delta).unwrap();
                    replay(&mut texts[who], &edits);
                    assert_eq!(texts[who], docs[who].text(), "seed {seed}: events tell what changed");
                }
            }
            check(&docs[who]);
        }
        let mut all = doc(0);
        for other in &docs {
            all.apply(&other.delta_since(all.version())).unwrap();
        }
        let everything = all.delta_since(&VersionVector::new());
        for other in &mut docs {
            // Its own operations come back: known, compared, dropped.
            other.apply(&everything).unwrap();
            assert_eq!(other.text(), all.text(), "seed {seed}: converged");
            assert_eq!(other.version(), all.version());
        }
        check(&all);
    }
}

#[test]
fn single_operations_in_any_order_with_duplicates_converge() {
    for seed in 0..100 {
        let mut dice = Dice(seed);
        let mut docs: Vec<Doc> = (1..4).map(doc).collect();
        for _ in 0..25 {
            let (who, from) = (dice.below(3), dice.below(3));
            edit(&mut docs[who], &mut dice);
            if from != who && dice.below(2) == 0 {
                let delta = docs[from].delta_since(docs[who].version());
                docs[who].apply(&delta).unwrap();
            }
        }
        let mut all = doc(9);
        for other in &docs {
            all.apply(&other.delta_since(all.version())).unwrap();
        }
        let mut deltas: Vec<Vec<u8>> = Vec::new();
        for (replica, count) in all.version().iter() {
            deltas.extend((0..count).map(|seq| all.delta_of(replica, seq..seq + 1)));
        }
        let mut late = doc(10);
        let mut text = String::new();
        for _ in 0..2 {
            let mut rest = deltas.clone();
            while !rest.is_empty() {
                let delta = rest.swap_remove(dice.below(rest.len()));
                replay(&mut text, &late.apply(&delta).unwrap());
                late.assert_invariants();
                assert_eq!(text, late.text());
            }
        }
        assert_eq!(late.text(), all.text(), "seed {seed}");
        assert_eq!(late.version(), all.version());
        assert_eq!(late.pending(), PendingReport::default());
    }
}

#[test]
fn runs_typed_at_one_place_stay_whole() {
    let (mut low, mut high) = (doc(1), doc(2));
    low.insert(0, "xy").unwrap();
    high.apply(&low.delta_since(high.version())).unwrap();
    for ch in "abc".chars() {
        low.insert(low.len() - 1, &ch.to_string()).unwrap();
    }
    for ch in "CBA".chars() {
        high.insert(1, &ch.to_string()).unwrap();
    }
    low.apply(&high.delta_since(low.version())).unwrap();
    high.apply(&low.delta_since(high.version())).unwrap();
    assert_eq!(low.text(), high.text());
    assert!(low.text().contains("abc") && low.text().contains("ABC"), "{}", low.text());
}

#[test]
fn what_is_missing_is_reported() {
    let mut alice = doc(1);
    alice.insert(0, "abc").unwrap();
    let mut bob = doc(2);
    bob.apply(&alice.delta_since(bob.version())).unwrap();
    bob.insert(3, "d").unwrap();
    bob.delete(0..1).unwrap();

    let mut carol = doc(3);
    assert_eq!(carol.apply(&bob.delta_of(ReplicaId::new(2), 1..2)).unwrap(), []);
    let missing = vec![(ReplicaId::new(1), 0..1), (ReplicaId::new(2), 0..1)];
    assert_eq!(carol.pending(), PendingReport { operations: 1, missing });
    carol.apply(&bob.delta_of(ReplicaId::new(2), 0..1)).unwrap();
    let missing = vec![(ReplicaId::new(1), 0..3)];
    assert_eq!(carol.pending(), PendingReport { operations: 2, missing });
    // A copy of the waiting document waits as well, and can be made from a snapshot.
    let mut dave = Doc::from_snapshot(ReplicaId::new(4), &carol.encode_snapshot()).unwrap();
    assert_eq!(dave.pending(), carol.pending());
    // Whoever opens it under the name of a replica whose operations wait would give these names away again.
    let error = Doc::from_snapshot(bob.replica(), &carol.encode_snapshot()).unwrap_err();
    assert_eq!(error, ApplyError::ReplicaCollision { id: id(2, 0) });
    for waiting in [&mut carol, &mut dave] {
        waiting.apply(&alice.delta_since(&VersionVector::new())).unwrap();
        assert_eq!(waiting.text(), "bcd");
        assert_eq!(waiting.pending(), PendingReport::default());
    }
}

#[test]
fn a_deletion_applies_as_far_as_its_targets_are_there() {
    let mut late = doc(9);
    late.apply(&encode_delta(&[insert(id(1, 0), Anchor::START, "ab")])).unwrap();
    let edits = late.apply(&encode_delta(&[delete(id(2, 0), id(1, 1), 3)])).unwrap();
    assert_eq!(edits.len(), 1);
    assert_eq!(late.text(), "a");
    assert_eq!(late.version().get(ReplicaId::new(2)), 1);
    late.apply(&encode_delta(&[insert(id(1, 2), Anchor::after(id(1, 1)), "cde")])).unwrap();
    assert_eq!(late.text(), "ae");
}

/// Applies what must be refused and returns why; the document must not have changed.
fn refused(doc: &mut Doc, delta: &[u8]) -> ApplyError {
    let before = doc.encode_snapshot();
    let error = doc.apply(delta).unwrap_err();
    assert_eq!(doc.encode_snapshot(), before, "a refused delta changes nothing");
    doc.assert_invariants();
    error
}

#[test]
fn the_same_id_with_other_content_is_a_collision() {
    let mut late = doc(9);
    late.apply(&encode_delta(&[insert(id(1, 0), Anchor::START, "abcd")])).unwrap();
    for (other, at) in [
        (insert(id(1, 0), Anchor::START, "abXd"), id(1, 2)),
        (insert(id(1, 2), Anchor::after(id(1, 0)), "cd"), id(1, 2)),
        (delete(id(1, 3), id(1, 0), 1), id(1, 3)),
    ] {
        let error = refused(&mut late, &encode_delta(&[insert(id(3, 0), Anchor::START, "z"), other]));
        assert_eq!(error, ApplyError::ReplicaCollision { id: at });
    }
    // What goes on from something known is taken, and only the rest of it.
    late.apply(&encode_delta(&[insert(id(1, 2), Anchor::after(id(1, 1)), "cde")])).unwrap();
    assert_eq!(late.text(), "abcde");
    // The same with what waits.
    late.apply(&encode_delta(&[insert(id(4, 1), Anchor::after(id(4, 0)), "yz")])).unwrap();
    let error = refused(&mut late, &encode_delta(&[insert(id(4, 0), Anchor::START, "xyZ")]));
    assert_eq!(error, ApplyError::ReplicaCollision { id: id(4, 2) });
    late.apply(&encode_delta(&[insert(id(4, 0), Anchor::START, "xyz!")])).unwrap();
    assert_eq!(late.text(), "xyz!abcde");
    assert_eq!(late.pending().operations, 0);
    // Nobody else speaks for this replica.
    let error = refused(&mut late, &encode_delta(&[insert(id(9, 0), Anchor::START, "me")]));
    assert_eq!(error, ApplyError::ReplicaCollision { id: id(9, 0) });
}

#[test]
fn references_that_cannot_be_are_refused() {
    let mut late = doc(9);
    let known = [insert(id(1, 0), Anchor::START, "ab"), delete(id(1, 2), id(1, 0), 1)];
    late.apply(&encode_delta(&known)).unwrap();
    for wrong in [
        insert(id(2, 0), Anchor::after(id(1, 2)), "x"),
        insert(id(2, 0), Anchor::after(id(2, 0)), "x"),
        insert(id(2, 0), Anchor::before(id(2, 7)), "x"),
        delete(id(2, 0), id(1, 1), 2),
        delete(id(2, 0), id(2, 0), 1),
    ] {
        let error = refused(&mut late, &encode_delta(&[wrong]));
        assert!(matches!(error, ApplyError::InvalidReference { id: at, .. } if at == id(2, 0)), "{error}");
    }
    // To an operation of the same delta that is no element.
    let both = [delete(id(2, 0), id(1, 1), 1), insert(id(3, 0), Anchor::after(id(2, 0)), "x")];
    assert!(matches!(refused(&mut late, &encode_delta(&both)), ApplyError::InvalidReference { .. }));
    // What waited and turns out to refer to no element goes nowhere, in whatever order it came.
    late.apply(&encode_delta(&both[1..])).unwrap();
    late.apply(&encode_delta(&both[..1])).unwrap();
    assert_eq!(late.pending(), PendingReport::default());
    assert_eq!(late.text(), "");
}

#[test]
fn what_waits_and_comes_again_in_part_waits_only_with_the_rest() {
    let mut late = doc(9);
    late.apply(&encode_delta(&[insert(id(1, 0), Anchor::START, "ab")])).unwrap();
    // Five deletions wait for the two before them; then these come, with the first two of the five.
    late.apply(&encode_delta(&[delete(id(2, 2), id(1, 0), 5)])).unwrap();
    let before = [delete(id(2, 0), id(1, 0), 2), delete(id(2, 2), id(1, 0), 2)];
    late.apply(&encode_delta(&before)).unwrap();
    assert_eq!((late.version().get(ReplicaId::new(2)), late.pending().operations), (4, 3));
    let copy = Doc::from_snapshot(ReplicaId::new(3), &late.encode_snapshot()).unwrap();
    assert_eq!((copy.version(), copy.pending()), (late.version(), late.pending()));
    late.apply(&encode_delta(&[insert(id(1, 2), Anchor::after(id(1, 1)), "cdef")])).unwrap();
    assert_eq!((late.text().as_str(), late.pending().operations), ("f", 0));
}

#[test]
fn what_waits_is_bounded() {
    let mut late = doc(9);
    let missing = Anchor::after(id(2, 0));
    let waiting: Vec<Op> = (0..)
        .map(|n| insert(id(1, 1 + 2 * n), missing, "x"))
        .take(Limits::DEFAULT.max_pending_runs)
        .collect();
    late.apply(&encode_delta(&waiting)).unwrap();
    assert_eq!(late.pending().operations, Limits::DEFAULT.max_pending_runs);
    // Known to wait already: takes no more room.
    late.apply(&encode_delta(&waiting)).unwrap();
    let (before, one_more) = (late.pending(), encode_delta(&[insert(id(3, 0), missing, "x")]));
    assert_eq!(
        late.apply(&one_more),
        Err(ApplyError::PendingFull { limit: Limits::DEFAULT.max_pending_runs })
    );
    assert_eq!(late.pending(), before);

    let many = u32::try_from(Limits::DEFAULT.max_pending_operations).unwrap();
    let error = refused(&mut doc(9), &encode_delta(&[delete(id(1, 0), id(2, 0), many + 1)]));
    assert_eq!(error, ApplyError::PendingFull { limit: Limits::DEFAULT.max_pending_operations });
    doc(9).apply(&encode_delta(&[delete(id(1, 0), id(2, 0), many)])).unwrap();
}

#[test]
fn bytes_that_are_no_delta_are_refused() {
    let mut alice = doc(1);
    alice.insert(0, "hé😀").unwrap();
    alice.delete(1..2).unwrap();
    alice.insert(1, "x").unwrap();
    let delta = alice.delta_since(&VersionVector::new());
    let mut late = doc(9);
    for len in 0..delta.len() {
        // Cut behind a whole block it is a smaller delta; anywhere else it is none.
        let before = late.encode_snapshot();
        if late.clone().apply(&delta[..len]).is_err() {
            refused(&mut late, &delta[..len]);
        }
        assert_eq!(before, late.encode_snapshot());
    }
    assert_eq!(refused(&mut late, &[]), DecodeError::Truncated.into());
    assert_eq!(refused(&mut late, b"nothing"), DecodeError::WrongFormat.into());
    assert_eq!(refused(&mut late, &[0xd7, 0]), DecodeError::UnsupportedVersion(7).into());
    for seed in 0..20_000 {
        let mut dice = Dice(seed);
        let mut bytes = delta.clone();
        for _ in 0..=dice.below(3) {
            let at = dice.below(bytes.len());
            bytes[at] = u8::try_from(dice.below(256)).unwrap();
        }
        let mut target = late.clone();
        if target.apply(&bytes).is_err() {
            refused(&mut late, &bytes);
        } else {
            target.assert_invariants();
        }
    }
    let mut snapshot = alice.encode_snapshot();
    for at in 0..snapshot.len() {
        snapshot[at] ^= 1;
        assert!(Doc::from_snapshot(ReplicaId::new(2), &snapshot).is_err(), "byte {at} is checked");
        snapshot[at] ^= 1;
    }
    assert_eq!(Doc::from_snapshot(ReplicaId::new(2), &snapshot).unwrap().text(), alice.text());
}

#[test]
fn positions_outside_or_inside_a_pair_are_errors() {
    let mut alice = doc(1);
    alice.insert(0, "a😀b").unwrap();
    assert_eq!(alice.insert(4, "x"), Err(EditError::OutOfBounds { position: 4, len: 3 }));
    assert_eq!(alice.insert_utf16(5, "x"), Err(EditError::OutOfBounds { position: 5, len: 4 }));
    assert_eq!(alice.insert_utf16(2, "x"), Err(EditError::InsideSurrogatePair { position_utf16: 2 }));
    assert_eq!(alice.delete_utf16(2..3), Err(EditError::InsideSurrogatePair { position_utf16: 2 }));
    assert_eq!(alice.delete_utf16(0..2), Err(EditError::InsideSurrogatePair { position_utf16: 2 }));
    let (start, end) = (2, 1);
    assert_eq!(alice.delete(start..end), Err(EditError::InvertedRange { start, end }));
    assert_eq!(alice.slice_utf16(1..3).unwrap(), "😀");
    assert_eq!(alice.version().get(ReplicaId::new(1)), 3);
    alice.insert_utf16(3, "!").unwrap();
    alice.delete_utf16(1..3).unwrap();
    assert_eq!(alice.text(), "a!b");
    assert_eq!(alice.position_to_utf16(3), Ok(3));
    assert_eq!(alice.position_from_utf16(1), Ok(1));
}

#[test]
fn long_text_of_many_bytes_is_found_at_every_position() {
    let text: String =
        (0..3000u32).map(|i| if i % 7 == 0 { '😀' } else { char::from(b'a' + (i % 26) as u8) }).collect();
    let mut alice = doc(1);
    alice.insert(0, &text).unwrap();
    let mut bob = doc(2);
    for ch in text.chars() {
        bob.insert(bob.len(), &ch.to_string()).unwrap();
    }
    for other in [&alice, &bob] {
        check(other);
        for at in (0..3000).step_by(97) {
            let expected: String = text.chars().skip(at).take(10).collect();
            assert_eq!(other.slice(at..(at + 10).min(3000)).unwrap(), expected);
            let utf16 = other.position_to_utf16(at).unwrap();
            assert_eq!(text.chars().take(at).map(char::len_utf16).sum::<usize>(), utf16);
            assert_eq!(other.position_from_utf16(utf16), Ok(at));
        }
    }
}

#[test]
fn a_transaction_leaves_as_exactly_one_delta() {
    let mut alice = doc(1);
    alice.insert(0, "before ").unwrap();
    let mut bob = doc(2);
    bob.apply(&alice.delta_since(bob.version())).unwrap();
    let mut transaction = alice.transaction();
    transaction.insert(7, "one two").unwrap();
    assert!(transaction.insert(99, "x").is_err());
    transaction.delete(10..14).unwrap();
    let delta = transaction.commit();
    assert_eq!(decode_delta(&delta, &Limits::DEFAULT).unwrap().len(), 2);
    bob.apply(&delta).unwrap();
    assert_eq!(bob.text(), "before one");
    assert_eq!(alice.transaction().commit(), []);
}

#[test]
fn anchors_stay_beside_their_element() {
    let mut alice = doc(1);
    alice.insert(0, "ab").unwrap();
    let after_a = alice.anchor_at(1, Side::After).unwrap();
    let before_b = alice.anchor_at(1, Side::Before).unwrap();
    assert_eq!(alice.anchor_at(0, Side::After).unwrap(), Anchor::START);
    assert_eq!(alice.anchor_at(2, Side::Before).unwrap(), Anchor::END);
    alice.insert(1, "😀x").unwrap();
    assert_eq!((alice.resolve(&after_a), alice.resolve(&before_b)), (Some(1), Some(3)));
    alice.delete(0..1).unwrap();
    assert_eq!((alice.resolve(&after_a), alice.resolve(&before_b)), (Some(0), Some(2)));
    assert_eq!(alice.resolve(&Anchor::END), Some(3));
    assert_eq!(alice.resolve(&Anchor::after(id(7, 0))), None);
    for anchor in [after_a, before_b, Anchor::START, Anchor::END] {
        assert_eq!(Anchor::decode(&anchor.encode()), Ok(anchor));
    }
}

#[test]
fn version_vectors_round_trip_and_have_one_form() {
    let vector: VersionVector = [(ReplicaId::new(7), 3), (ReplicaId::new(u64::MAX), 1)].into_iter().collect();
    assert_eq!(VersionVector::decode(&vector.encode(), &Limits::DEFAULT), Ok(vector));
    let zero = [1, 7, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(
        VersionVector::decode(&zero, &Limits::DEFAULT),
        Err(DecodeError::InvalidValue("version vector"))
    );
    assert_eq!(format!("{}", id(7, 2)), "0000000000000007:2");
}

#[test]
fn deleting_nothing_where_the_last_deletion_was_says_nothing() {
    let mut doc = Doc::new(ReplicaId::new(1));
    doc.insert(0, "abcdef").unwrap();
    doc.delete(3..4).unwrap();
    let (version, delta) = (doc.version().clone(), doc.delta_since(&VersionVector::new()));
    doc.delete(3..3).unwrap();
    assert_eq!((doc.version(), doc.delta_since(&VersionVector::new())), (&version, delta));
    doc.assert_invariants();
}

#[test]
fn history_is_decoded_once_where_it_is_asked_for_and_nothing_else_changes() {
    let mut alice = doc(1);
    alice.insert(0, "one two é three").unwrap();
    alice.delete(4..8).unwrap();
    let mut bob = doc(2);
    bob.apply(&alice.delta_since(bob.version())).unwrap();
    bob.insert(4, "2 ").unwrap();
    alice.insert(4, "II ").unwrap();
    alice.apply(&bob.delta_since(alice.version())).unwrap();
    // Waits for an operation that nobody has said.
    alice.apply(&encode_delta(&[insert(id(5, 1), Anchor::after(id(5, 0)), "later")])).unwrap();

    let mut opened = Doc::from_snapshot(ReplicaId::new(3), &alice.encode_snapshot()).unwrap();
    opened.insert(0, "zero ").unwrap();
    let versions =
        [VersionVector::new(), bob.version().clone(), alice.version().clone(), opened.version().clone()];
    let shown = |doc: &Doc| {
        doc.assert_invariants();
        let deltas = versions.each_ref().map(|version| doc.delta_since(version));
        (
            doc.text(),
            doc.version().clone(),
            doc.pending(),
            doc.elements().collect::<Vec<_>>(),
            deltas,
            doc.encode_snapshot(),
        )
    };
    let before = shown(&opened);
    for (version, is_cold) in versions.iter().zip([false, false, true, true]) {
        let mut opened = opened.clone();
        opened.decode_history_since(version);
        assert_eq!(opened.log.is_cold(), is_cold, "{version:?}");
        assert_eq!(shown(&opened), before);
        opened.decode_history_since(&VersionVector::new());
        opened.decode_history_since(&VersionVector::new());
        assert_eq!(shown(&opened), before);
        opened.insert(6, "and on").unwrap();
        opened.apply(&bob.delta_since(&VersionVector::new())).unwrap();
        opened.assert_invariants();
        assert_eq!(opened.text(), format!("{}and on{}", &before.0[..6], &before.0[6..]));
    }
}

#[test]
fn pastes_are_counted_piece_by_piece() {
    let pastes =
        ["twelve bytes", "a long paste of ASCII", "the last is not: \u{e9}", "\u{1f600} the first is not"];
    let mut dice = Dice(3);
    let (mut one, mut expected) = (doc(1), String::new());
    let mut other = doc(2);
    for _ in 0..200 {
        let chars = expected.chars().count();
        let position = dice.below(chars + 1);
        let text = pastes[dice.below(pastes.len())];
        one.insert(position, text).unwrap();
        let byte = expected.char_indices().nth(position).map_or(expected.len(), |(byte, _)| byte);
        expected.insert_str(byte, text);
        assert_eq!(one.text(), expected);
        assert_eq!(one.len_utf16(), expected.encode_utf16().count());
        other.apply(&one.delta_since(other.version())).unwrap();
        assert_eq!(other.text(), expected);
        one.assert_invariants();
    }
}

/// Two who hear each other's every keystroke work at one place: what goes on from the last edit in the text goes on in
/// the log, too.
#[test]
fn deletions_of_all_sizes_go_on_from_each_other() {
    let mut dice = Dice(11);
    for _ in 0..300 {
        let mut docs = [doc(1), doc(2)];
        docs[0].insert(0, "a text that is long enough to be deleted from its middle").unwrap();
        let delta = docs[0].delta_since(docs[1].version());
        docs[1].apply(&delta).unwrap();
        let mut at = 30;
        for _ in 0..40 {
            let who = if dice.below(4) == 0 { 1 } else { 0 };
            let author = &mut docs[who];
            let from = author.version().clone();
            let count = [1, 1, 1, 2, 5][dice.below(5)];
            match dice.below(7) {
                0..=2 if at >= count => {
                    at -= count;
                    author.delete(at..at + count).unwrap();
                }
                3..=4 if at + count <= author.len() => author.delete(at..at + count).unwrap(),
                5 => {
                    author.insert(at, &"typed"[..count]).unwrap();
                    at += count;
                }
                _ => continue,
            }
            let delta = author.delta_since(&from);
            docs[1 - who].apply(&delta).unwrap();
            let mut fresh = doc(3);
            fresh.apply(&docs[who].delta_since(&VersionVector::new())).unwrap();
            assert_eq!(docs[0].text(), docs[1].text());
            assert_eq!(fresh.text(), docs[0].text());
            docs.iter().for_each(Doc::assert_invariants);
        }
    }
}

/// A deletion of what is deleted already moves nothing, and yet the next operation cannot go on from the text before it.
#[test]
fn text_does_not_go_on_from_a_deletion() {
    let mut reader = doc(1);
    let typed = [insert(id(2, 0), Anchor::START, "ab"), delete(id(3, 0), id(2, 0), 1)];
    reader.apply(&encode_delta(&typed)).unwrap();
    reader.apply(&encode_delta(&[insert(id(2, 2), Anchor::after(id(2, 1)), "c")])).unwrap();
    reader.apply(&encode_delta(&[delete(id(2, 3), id(2, 0), 1)])).unwrap();
    reader.assert_invariants();
    let before = reader.delta_since(&VersionVector::new());
    for text in ["d", "de"] {
        let wrong = encode_delta(&[insert(id(2, 4), Anchor::after(id(2, 3)), text)]);
        assert!(matches!(reader.apply(&wrong), Err(ApplyError::InvalidReference { .. })));
        assert_eq!((reader.text(), reader.delta_since(&VersionVector::new())), ("bc".into(), before.clone()));
    }
    reader.apply(&encode_delta(&[insert(id(2, 4), Anchor::after(id(2, 2)), "d")])).unwrap();
    assert_eq!(reader.text(), "bcd");
    reader.assert_invariants();
}
