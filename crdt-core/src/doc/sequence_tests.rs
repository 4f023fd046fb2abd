//! Documents with named texts and lists: scenarios, and random ones against what their operations say one by one.

use super::*;
use crate::codec::{Limits, decode_delta, encode_delta};
use crate::dice::Dice;
use crate::json::Json;
use crate::mark::{Content, Marks, TextRun};
use crate::op::{Op, OpKind};
use crate::value::{Mark, ROOTS, SequenceKind, Value};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec;
use std::format;

extern crate std;

/// What a text or list holds, one by one.
type Shown = Vec<(String, Marks)>;
/// The main text has no name.
type All = BTreeMap<Option<(String, SequenceKind)>, Shown>;

fn doc(replica: u64) -> Doc {
    Doc::new(ReplicaId::new(replica))
}

fn number(number: usize) -> Json {
    Json::number(i32::try_from(number).unwrap())
}

fn values(doc: &Doc, name: &str) -> String {
    let values = doc.list(name).unwrap().values();
    values.iter().map(Json::as_str).collect::<Vec<_>>().join(" ")
}

fn text(doc: &Doc, name: &str) -> String {
    doc.text_named(name).unwrap().text()
}

fn sync(one: &mut Doc, other: &mut Doc) {
    for _ in 0..2 {
        deliver(other, one);
        deliver(one, other);
    }
    assert_eq!(all(one), all(other));
    check(one);
    check(other);
}

fn deliver(from: &Doc, to: &mut Doc) {
    let mut seen = all(to);
    let edits = to.apply(&from.delta_since(to.version())).unwrap();
    replay(&mut seen, &edits);
    assert_eq!(seen, all(to));
}

fn one_by_one(runs: Vec<TextRun>) -> Shown {
    let elements = runs.into_iter().flat_map(|TextRun { content, marks }| match content {
        Content::Text(text) => text.chars().map(|ch| (String::from(ch), marks.clone())).collect::<Vec<_>>(),
        Content::Embed(json) => vec![(format!("<{json}>"), marks)],
    });
    elements.collect()
}

/// What the document shows; what is empty counts as not there.
fn all(doc: &Doc) -> All {
    let mut all: All = [(None, one_by_one(doc.runs()))].into();
    for (name, kind) in doc.sequences() {
        let shown = match kind {
            SequenceKind::Text => one_by_one(doc.text_named(name).unwrap().runs()),
            SequenceKind::List => {
                let values = doc.list(name).unwrap().values();
                values.iter().map(|json| (format!("<{json}>"), Marks::NONE)).collect()
            }
        };
        all.insert(Some((name.into(), kind)), shown);
    }
    all.retain(|_, shown| !shown.is_empty());
    all
}

/// The same by all that was ever said, one after the other.
fn by_all_that_was_said(doc: &Doc) -> All {
    let mut ops = decode_delta(&doc.delta_since(&VersionVector::new()), &Limits::DEFAULT).unwrap();
    ops.retain(|op| doc.version().contains(op.id)); // the others wait
    let order: Vec<OpId> = doc.elements().map(|(id, _)| id).collect();
    let place: BTreeMap<OpId, usize> = order.iter().copied().zip(0..).collect();
    let (mut shown, mut deleted) = (BTreeMap::new(), BTreeSet::new());
    let (mut marks, mut replaced, mut moved) = (Vec::<(u64, OpId, Mark)>::new(), Vec::new(), Vec::new());
    let mut opened = BTreeMap::new();
    for op in ops {
        match op.kind {
            OpKind::Insert { text, .. } => {
                for (seq, ch) in (op.id.seq..).zip(text.chars()) {
                    shown.insert(OpId { seq, ..op.id }, String::from(ch));
                }
            }
            OpKind::Delete { target, len, descending } => {
                let first = if descending { target.seq - (len - 1) } else { target.seq };
                deleted.extend((first..first + len).map(|seq| OpId { seq, ..target }));
            }
            OpKind::InsertValue { value, .. } => match value {
                Value::Embed(json) => drop(shown.insert(op.id, format!("<{json}>"))),
                Value::Mark(mark) => marks.push((mark.stamp, op.id, mark)),
                Value::Replace { element, value, stamp } => replaced.push((stamp, op.id, element, value)),
                Value::Move { element, stamp } => moved.push((stamp, op.id, element)),
                Value::Open { name, kind } => drop(opened.insert(op.id, (String::from(&*name), kind))),
                Value::Register(_) | Value::Roots | Value::Close => {}
            },
        }
    }
    let is_embed =
        |id: &OpId| shown.get(id).is_some_and(|text: &String| text.starts_with('<') && text.len() > 1);
    marks.sort_by_key(|(stamp, id, _)| (*stamp, *id));
    replaced.sort_by_key(|(stamp, id, ..)| (*stamp, *id));
    moved.sort_by_key(|(stamp, id, _)| (*stamp, *id));
    moved.retain(|(_, _, element)| is_embed(element));
    let last_slot: BTreeMap<OpId, OpId> = moved.iter().map(|(_, slot, element)| (*element, *slot)).collect();
    for (_, slot, element) in &moved {
        if deleted.contains(slot) {
            deleted.insert(*element);
        }
    }
    let last_value: BTreeMap<OpId, String> =
        replaced.into_iter().map(|(_, _, element, json)| (element, format!("<{json}>"))).collect();
    let entry_of: BTreeMap<OpId, OpId> = moved.iter().map(|(_, slot, element)| (*slot, *element)).collect();

    // Twice the place of an element, one more behind it; the ends of the main text are outside of that.
    let edge = |anchor: &Anchor| match (anchor.element, anchor.side) {
        (Some(id), side) => place.get(&id).map(|at| 2 + 2 * at + usize::from(side == Side::After)),
        (None, Side::After) => Some(0),
        (None, Side::Before) => Some(place.get(&ROOTS).map_or(usize::MAX, |at| 1 + 2 * at)),
    };
    let mut all = All::new();
    let mut here = Some(None);
    for (id, at) in order.into_iter().zip((2..).step_by(2)) {
        match opened.get(&id) {
            Some((name, kind)) => here = Some(Some((name.clone(), *kind))),
            None if id == ROOTS => here = None,
            None => {}
        }
        let entry = entry_of.get(&id).copied().unwrap_or(id);
        let shows = last_slot.get(&entry).is_none_or(|slot| *slot == id) && !deleted.contains(&entry);
        let Some(content) = shown.get(&entry).filter(|_| shows) else { continue };
        let content = last_value.get(&entry).unwrap_or(content).clone();
        let mut holds: BTreeMap<Arc<str>, Json> = BTreeMap::new();
        for (_, _, mark) in &marks {
            let (Some(start), Some(end)) = (edge(&mark.start), edge(&mark.end)) else { continue };
            if start <= at && at < end {
                match &mark.value {
                    Some(value) => drop(holds.insert(mark.name.clone(), value.clone())),
                    None => drop(holds.remove(&mark.name)),
                }
            }
        }
        let sequence = here.clone().expect("nothing shows outside");
        all.entry(sequence).or_default().push((content, holds.into_iter().collect()));
    }
    all
}

fn replay(all: &mut All, edits: &[TextEdit]) {
    for edit in edits {
        match edit {
            TextEdit::In { name, kind, edit } => {
                replay_one(all.entry(Some((String::from(&**name), *kind))).or_default(), edit);
            }
            edit => replay_one(all.entry(None).or_default(), edit),
        }
    }
    all.retain(|_, shown| !shown.is_empty());
}

fn replay_one(shown: &mut Shown, edit: &TextEdit) {
    match edit.clone() {
        TextEdit::Insert { position, text, marks, .. } => {
            let new = text.chars().map(|ch| (String::from(ch), marks.clone())).collect::<Vec<_>>();
            shown.splice(position..position, new);
        }
        TextEdit::Embed { position, value, marks, .. } => {
            shown.insert(position, (format!("<{value}>"), marks));
        }
        TextEdit::Replace { position, value, marks, .. } => shown[position] = (format!("<{value}>"), marks),
        TextEdit::Delete { position, len, .. } => drop(shown.drain(position..position + len)),
        TextEdit::Mark { position, len, name, value, .. } => {
            for (_, marks) in &mut shown[position..position + len] {
                let others = marks.iter().filter(|(other, _)| **other != *name);
                let mut all: Vec<(Arc<str>, Json)> =
                    others.map(|(other, value)| (other.into(), value.clone())).collect();
                all.extend(value.clone().map(|value| (name.clone(), value)));
                *marks = all.into_iter().collect();
            }
        }
        TextEdit::Register { .. } | TextEdit::In { .. } => panic!("no such edit in a text"),
    }
}

fn check(doc: &Doc) {
    doc.assert_invariants();
    let shown = all(doc);
    assert_eq!(shown, by_all_that_was_said(doc));
    let opened = Doc::from_snapshot(ReplicaId::new(77), &doc.encode_snapshot()).unwrap();
    opened.assert_invariants();
    assert_eq!(all(&opened), shown);
    assert_eq!(opened.delta_since(&VersionVector::new()), doc.delta_since(&VersionVector::new()));
    let ops = decode_delta(&doc.delta_since(&VersionVector::new()), &Limits::DEFAULT).unwrap();
    let mut again = Doc::new(ReplicaId::new(78));
    for _ in 0..2 {
        again.apply(&encode_delta(&ops)).unwrap();
        assert_eq!(all(&again), shown);
    }
}

#[test]
fn who_opens_a_name_at_the_same_time_opens_one_text() {
    let (mut alice, mut bob) = (doc(1), doc(2));
    alice.insert(0, "main").unwrap();
    alice.open_text("notes").unwrap().insert(0, "a").unwrap();
    bob.open_text("notes").unwrap().insert(0, "b").unwrap();
    bob.open_text("other").unwrap().insert(0, "c").unwrap();
    bob.insert(0, "x").unwrap();
    sync(&mut alice, &mut bob);
    assert_eq!((text(&alice, "notes").as_str(), text(&alice, "other").as_str()), ("ba", "c"));
    assert_eq!(alice.text(), "mainx");
    assert_eq!(alice.version().len(), 5, "two people, two texts, and where they begin");
    let names: Vec<_> = alice.sequences().collect();
    assert_eq!(names, [("notes", SequenceKind::Text), ("other", SequenceKind::Text)]);
}

#[test]
fn a_text_and_a_list_of_one_name_are_two() {
    let mut alice = doc(1);
    alice.open_text("a").unwrap().insert(0, "text").unwrap();
    alice.open_list("a").unwrap().push(Json::yes()).unwrap();
    assert_eq!((text(&alice, "a").as_str(), values(&alice, "a").as_str()), ("text", "true"));
    assert!(alice.text_named("b").is_none() && alice.list("b").is_none());
    check(&alice);
}

#[test]
fn empty_sequences_stand_side_by_side() {
    let mut alice = doc(1);
    let names = ["a", "b", "c", "d"];
    for name in names {
        assert!(alice.open_text(name).unwrap().view().is_empty());
    }
    for name in names {
        alice.open_text(name).unwrap().insert(0, name).unwrap();
        alice.open_text(name).unwrap().insert(0, "<").unwrap();
        alice.open_text(name).unwrap().insert(2, ">").unwrap();
    }
    alice.insert(0, "main").unwrap();
    alice.insert(4, "!").unwrap();
    for name in names {
        assert_eq!(text(&alice, name), format!("<{name}>"));
        alice.open_text(name).unwrap().delete(0..3).unwrap();
        alice.open_text(name).unwrap().insert(0, "😀").unwrap();
        assert_eq!(text(&alice, name), "😀");
    }
    assert_eq!((alice.text().as_str(), alice.len(), alice.len_utf16()), ("main!", 5, 5));
    check(&alice);
}

#[test]
fn positions_count_in_their_sequence() {
    let mut alice = doc(1);
    alice.insert(0, "ab😀").unwrap();
    let mut notes = alice.open_text("notes").unwrap();
    notes.insert(0, "😀xyz").unwrap();
    assert_eq!((notes.view().len(), notes.view().len_utf16()), (4, 5));
    assert_eq!(notes.insert(5, "!"), Err(EditError::OutOfBounds { position: 5, len: 4 }));
    assert_eq!(notes.insert_utf16(1, "!"), Err(EditError::InsideSurrogatePair { position_utf16: 1 }));
    assert_eq!(notes.delete_utf16(2..6), Err(EditError::OutOfBounds { position: 6, len: 5 }));
    notes.delete_utf16(2..3).unwrap();
    assert_eq!(notes.view().slice(1..3).unwrap(), "yz");
    assert_eq!(notes.view().slice_utf16(2..4).unwrap(), "yz");
    let view = notes.view();
    assert_eq!((view.position_to_utf16(3), view.position_from_utf16(4)), (Ok(4), Ok(3)));
    let anchors = [
        view.anchor_at(0, Side::After).unwrap(),
        view.anchor_at(1, Side::Before).unwrap(),
        view.anchor_at(3, Side::Before).unwrap(),
    ];
    notes.insert(0, "_").unwrap();
    let resolved = anchors.map(|anchor| notes.view().resolve(&anchor));
    assert_eq!(resolved, [Some(0), Some(2), Some(4)]);
    assert_eq!(notes.view().resolve(&Anchor::END), None);
    assert_eq!(anchors.map(|anchor| alice.resolve(&anchor)), [None; 3]);
    assert_eq!([anchors[0], anchors[2]], SequenceKind::Text.ends_of("notes"));
    assert_eq!(alice.anchor_at(3, Side::Before), Ok(Anchor::END));
    assert_eq!(alice.resolve(&Anchor::END), Some(3));
    assert_eq!(alice.insert(4, "!"), Err(EditError::OutOfBounds { position: 4, len: 3 }));
    assert_eq!(alice.slice(0..4), Err(EditError::OutOfBounds { position: 4, len: 3 }));
    check(&alice);
}

#[test]
fn marks_grow_up_to_the_ends_of_their_sequence() {
    let mut alice = doc(1);
    alice.insert(0, "main").unwrap();
    alice.mark(0..4, "bold", Json::yes()).unwrap();
    for name in ["a", "b"] {
        let mut text = alice.open_text(name).unwrap();
        text.insert(0, "text").unwrap();
        assert_eq!(text.view().runs(), [TextRun::text("text", Marks::NONE)]);
        text.mark(0..4, "bold", Json::yes()).unwrap();
        text.insert(4, "!").unwrap();
        assert_eq!(text.view().runs().len(), 1);
    }
    alice.insert(4, "!").unwrap();
    assert_eq!(alice.runs(), [TextRun::text("main!", [("bold", Json::yes())].into_iter().collect())]);
    let mut bob = doc(2);
    sync(&mut alice, &mut bob);
    bob.open_text("b").unwrap().unmark(1..5, "bold").unwrap();
    bob.open_text("b").unwrap().delete(3..5).unwrap();
    bob.open_text("b").unwrap().insert(3, "_").unwrap();
    bob.unmark(0..5, "bold").unwrap();
    sync(&mut alice, &mut bob);
    assert_eq!(alice.text_named("b").unwrap().runs().len(), 2);
    assert_eq!(alice.text_named("a").unwrap().runs().len(), 1);
}

fn list_of_three() -> (Doc, Doc) {
    let (mut alice, mut bob) = (doc(1), doc(2));
    alice.insert(0, "main").unwrap();
    for number in 1..4 {
        alice.open_list("l").unwrap().push(Json::number(number)).unwrap();
    }
    sync(&mut alice, &mut bob);
    (alice, bob)
}

#[test]
fn an_entry_is_moved_and_stays_one() {
    let (mut alice, mut bob) = list_of_three();
    for (from, to, expected) in
        [(0, 2, "2 3 1"), (2, 0, "1 2 3"), (1, 2, "1 3 2"), (2, 1, "1 2 3"), (1, 1, "1 2 3")]
    {
        alice.open_list("l").unwrap().move_to(from, to).unwrap();
        assert_eq!(values(&alice, "l"), expected);
        sync(&mut alice, &mut bob);
    }
    let mut list = alice.open_list("l").unwrap();
    assert_eq!(list.move_to(0, 3), Err(EditError::OutOfBounds { position: 4, len: 3 }));
    assert_eq!(list.move_to(3, 0), Err(EditError::OutOfBounds { position: 4, len: 3 }));
    assert_eq!(list.view().get(1), Some(Json::number(2)));
    assert_eq!(list.view().get(3), None);
    assert_eq!(alice.text(), "main");
}

#[test]
fn of_concurrent_moves_one_holds() {
    let (mut alice, mut bob) = list_of_three();
    alice.open_list("l").unwrap().move_to(0, 1).unwrap();
    bob.open_list("l").unwrap().move_to(0, 2).unwrap();
    sync(&mut alice, &mut bob);
    assert_eq!(values(&alice, "l"), "2 3 1");
    // Who moves it again later wins, and a deletion of a slot that no longer shows deletes it.
    alice.open_list("l").unwrap().move_to(2, 0).unwrap();
    bob.open_list("l").unwrap().delete(2..3).unwrap();
    sync(&mut alice, &mut bob);
    assert_eq!(values(&alice, "l"), "2 3");
    alice.open_list("l").unwrap().push(Json::number(4)).unwrap();
    sync(&mut alice, &mut bob);
}

#[test]
fn a_deleted_entry_stays_deleted_wherever_it_is_moved() {
    let (mut alice, mut bob) = list_of_three();
    alice.open_list("l").unwrap().delete(0..1).unwrap();
    bob.open_list("l").unwrap().move_to(0, 2).unwrap();
    bob.open_list("l").unwrap().replace(2, Json::string("x")).unwrap();
    sync(&mut alice, &mut bob);
    assert_eq!(values(&alice, "l"), "2 3");
}

#[test]
fn a_replaced_entry_is_the_same_entry() {
    let (mut alice, mut bob) = list_of_three();
    alice.open_list("l").unwrap().replace(1, Json::string("a")).unwrap();
    bob.open_list("l").unwrap().replace(1, Json::string("b")).unwrap();
    bob.open_list("l").unwrap().move_to(1, 0).unwrap();
    sync(&mut alice, &mut bob);
    assert_eq!(values(&alice, "l"), "\"b\" 1 3");
    alice.insert_embed(2, Json::number(7)).unwrap();
    alice.replace_embed(2, Json::number(8)).unwrap();
    assert_eq!(alice.replace_embed(1, Json::number(8)), Err(EditError::NoEmbed { position: 1 }));
    assert_eq!(alice.embed_at(2), Ok(Some(Json::number(8))));
    sync(&mut alice, &mut bob);
}

#[test]
fn an_embed_is_replaced_at_its_place_in_utf16() {
    let mut alice = doc(1);
    alice.insert(0, "😀").unwrap();
    alice.insert_embed(1, Json::number(7)).unwrap();
    alice.replace_embed_utf16(2, Json::number(8)).unwrap();
    assert_eq!(alice.embed_at(1), Ok(Some(Json::number(8))));
    assert_eq!(alice.replace_embed_utf16(0, Json::number(9)), Err(EditError::NoEmbed { position: 0 }));
    let inside = EditError::InsideSurrogatePair { position_utf16: 1 };
    assert_eq!(alice.replace_embed_utf16(1, Json::number(9)), Err(inside));
    let outside = EditError::OutOfBounds { position: 4, len: 3 };
    assert_eq!(alice.replace_embed_utf16(3, Json::number(9)), Err(outside));
    let mut notes = alice.open_text("notes").unwrap();
    notes.insert_embed(0, Json::number(1), None).unwrap();
    notes.replace_embed_utf16(0, Json::number(2)).unwrap();
    assert_eq!(notes.view().runs()[0].content, Content::Embed(Json::number(2)));
    check(&alice);
}

#[test]
fn a_move_waits_for_its_entry() {
    let (mut alice, mut bob) = (doc(1), doc(2));
    alice.open_list("l").unwrap().push(Json::number(1)).unwrap();
    bob.open_list("l").unwrap().push(Json::number(2)).unwrap();
    bob.apply(&alice.delta_since(bob.version())).unwrap();
    assert_eq!(values(&bob, "l"), "2 1");
    bob.open_list("l").unwrap().move_to(1, 0).unwrap();
    bob.open_list("l").unwrap().replace(0, Json::number(3)).unwrap();
    let mut carol = doc(3);
    carol.open_list("l").unwrap();
    let moved = bob.own_seq();
    carol.apply(&bob.delta_of(bob.replica(), 0..moved)).unwrap();
    assert_eq!(values(&carol, "l"), "2");
    check(&carol);
    bob.open_list("l").unwrap().delete(0..1).unwrap();
    for deletes in [false, true] {
        let mut carol = Doc::from_snapshot(carol.replica(), &carol.encode_snapshot()).unwrap();
        if deletes {
            carol.apply(&bob.delta_of(bob.replica(), moved..Seq::MAX)).unwrap();
        }
        let opened = Doc::from_snapshot(carol.replica(), &carol.encode_snapshot()).unwrap();
        for mut carol in [carol, opened] {
            check(&carol);
            deliver(&alice, &mut carol);
            check(&carol);
            assert_eq!(values(&carol, "l"), if deletes { "2" } else { "3 2" });
            deliver(&bob, &mut carol);
            assert_eq!(values(&carol, "l"), "2");
        }
    }
}

#[test]
fn what_waited_for_a_name_shows_when_somebody_applies_next() {
    let (mut alice, mut bob) = (doc(1), doc(2));
    bob.open_text("n").unwrap().insert(0, "text").unwrap();
    bob.insert(0, "main").unwrap();
    alice.apply(&bob.delta_of(bob.replica(), 0..9)).unwrap();
    assert_eq!(alice.pending().operations, 8);
    let replica = SequenceKind::Text.replica_of("n");
    alice.apply(&bob.delta_of(replica, 0..9)).unwrap();
    alice.open_text("n").unwrap();
    alice.assert_invariants();
    sync(&mut alice, &mut bob);
    assert_eq!((text(&alice, "n").as_str(), alice.text().as_str()), ("text", "main"));
    assert_eq!(alice.pending(), PendingReport::default());
}

#[test]
fn a_transaction_that_opens_a_name_says_so() {
    let (mut alice, mut bob) = (doc(1), doc(2));
    let mut transaction = alice.transaction();
    transaction.insert(0, "main").unwrap();
    transaction.open_text("n").unwrap().insert(0, "text").unwrap();
    bob.apply(&transaction.commit()).unwrap();
    assert_eq!((text(&bob, "n").as_str(), bob.text().as_str()), ("text", "main"));
    let mut transaction = alice.transaction();
    transaction.open_list("l").unwrap();
    bob.apply(&transaction.commit()).unwrap();
    assert!(bob.list("l").is_some());
    assert_eq!(alice.version(), bob.version());
    let from = alice.own_seq();
    alice.open_list("l").unwrap().push(Json::yes()).unwrap();
    bob.apply(&alice.issued_since(from)).unwrap();
    assert_eq!(all(&alice), all(&bob));
}

#[test]
fn edits_of_sequences_are_undone_in_them() {
    let (mut alice, mut bob) = list_of_three();
    alice.open_text("n").unwrap().insert(0, "text").unwrap();
    let mut undo = UndoManager::new(&alice, UndoOptions { interval_ms: 0, replicas: Vec::new() });
    type Edit = fn(&mut Doc) -> Result<(), EditError>;
    let edits: [Edit; 6] = [
        |doc| doc.open_list("l")?.move_to(0, 2),
        |doc| doc.open_list("l")?.replace(2, Json::number(7)),
        |doc| doc.open_list("l")?.move_to(2, 1),
        |doc| doc.open_text("n")?.mark(1..4, "bold", Json::yes()),
        |doc| doc.open_text("n")?.delete(2..4),
        |doc| doc.open_list("l")?.delete(0..1),
    ];
    let mut shown = vec![all(&alice)];
    for edit in edits {
        edit(&mut alice).unwrap();
        undo.record(&alice, 0);
        shown.push(all(&alice));
    }
    bob.open_list("l").unwrap().push(Json::number(4)).unwrap();
    for _ in 0..2 {
        for expected in shown.iter().rev().skip(1) {
            let mut seen = all(&alice);
            let undone = undo.undo(&mut alice).unwrap().unwrap();
            replay(&mut seen, &undone.edits);
            assert_eq!((&seen, &all(&alice)), (expected, expected));
        }
        for expected in shown.iter().skip(1) {
            let mut seen = all(&alice);
            let redone = undo.redo(&mut alice).unwrap().unwrap();
            replay(&mut seen, &redone.edits);
            assert_eq!((&seen, &all(&alice)), (expected, expected));
        }
    }
    sync(&mut alice, &mut bob);
    assert_eq!(values(&alice, "l"), "7 3 4");
}

#[test]
fn an_insertion_is_undone_wherever_it_was_moved() {
    let (mut alice, mut bob) = list_of_three();
    let mut undo = UndoManager::new(&alice, UndoOptions { interval_ms: 0, replicas: Vec::new() });
    alice.open_list("l").unwrap().insert(0, Json::number(9)).unwrap();
    undo.record(&alice, 0);
    sync(&mut alice, &mut bob);
    bob.open_list("l").unwrap().move_to(0, 3).unwrap();
    sync(&mut alice, &mut bob);
    assert_eq!(values(&alice, "l"), "1 2 3 9");
    undo.undo(&mut alice).unwrap();
    sync(&mut alice, &mut bob);
    assert_eq!(values(&alice, "l"), "1 2 3");
    undo.redo(&mut alice).unwrap();
    sync(&mut alice, &mut bob);
    assert_eq!(values(&alice, "l"), "1 2 3 9");
}

#[test]
fn names_that_stand_for_sequences_are_not_taken_by_others() {
    let mut zero = doc(0);
    let reserved = EditError::Reserved { replica: ReplicaId::new(0) };
    assert_eq!(zero.open_text("n").unwrap_err(), reserved);
    zero.insert(0, "text").unwrap();
    let mut alice = doc(1);
    alice.apply(&zero.delta_since(alice.version())).unwrap();
    assert_eq!(alice.open_text("n").unwrap_err(), reserved);
    assert_eq!(alice.text(), "text");
    let mut long = doc(2);
    let name = "n".repeat(1025);
    assert_eq!(long.open_list(&name).unwrap_err(), EditError::NameTooLong { len_utf8: 1025 });
    assert!(long.version().is_empty());
}

#[test]
fn delimiters_that_are_not_where_they_belong_are_refused() {
    let mut alice = doc(1);
    alice.insert(0, "text").unwrap();
    alice.open_text("n").unwrap();
    let replica = SequenceKind::Text.replica_of("m");
    let (open, close) = (OpId::new(replica, 0), OpId::new(replica, 1));
    let kind = SequenceKind::Text;
    let a_letter = Anchor::after(OpId::new(ReplicaId::new(1), 1));
    let roots = Anchor::after(ROOTS);
    for (id, anchor, value) in [
        (open, a_letter, Value::Open { name: "m".into(), kind }),
        (open, Anchor::before(ROOTS), Value::Open { name: "m".into(), kind }),
        (open, roots, Value::Open { name: "k".into(), kind }),
        (OpId::new(ReplicaId::new(5), 0), roots, Value::Open { name: "m".into(), kind }),
        (OpId::new(ReplicaId::new(5), 0), Anchor::START, Value::Roots),
        (open, roots, Value::Close),
        (close, roots, Value::Close),
    ] {
        let before = alice.encode_snapshot();
        let delta = encode_delta(&[Op { id, kind: OpKind::InsertValue { anchor, value } }]);
        assert!(matches!(alice.apply(&delta), Err(ApplyError::InvalidReference { .. })), "{id}");
        assert_eq!(alice.encode_snapshot(), before);
    }
}

#[test]
fn random_documents_show_what_was_said() {
    for seed in 0..200 {
        let mut dice = Dice(seed);
        let mut docs: Vec<Doc> = (1..=3).map(doc).collect();
        let mut shown: Vec<All> = vec![All::new(); 3];
        for _ in 0..70 {
            let at = dice.below(3);
            if dice.below(4) == 0 {
                let from = dice.below(3);
                // Some of what the other has, and not always in order.
                let replica = docs[from].version().iter().nth(dice.below(9)).map(|(replica, _)| replica);
                let delta = match replica {
                    Some(replica) => {
                        let count = docs[from].version().get(replica);
                        let start = Seq::try_from(dice.below(count as usize + 1)).unwrap();
                        docs[from].delta_of(replica, start..count)
                    }
                    None => docs[from].delta_since(docs[at].version()),
                };
                let edits = docs[at].apply(&delta).unwrap();
                replay(&mut shown[at], &edits);
                assert_eq!(shown[at], all(&docs[at]), "seed {seed}");
            } else {
                let text = docs[at].text();
                let is_main = edit(&mut docs[at], &mut dice);
                assert!(is_main || docs[at].text() == text, "seed {seed}");
                shown[at] = all(&docs[at]);
            }
            if dice.below(8) == 0 {
                docs[at].assert_invariants();
                assert_eq!(shown[at], by_all_that_was_said(&docs[at]), "seed {seed}");
            }
            if dice.below(20) == 0 {
                let snapshot = docs[at].encode_snapshot();
                docs[at] =
                    Doc::from_snapshot(ReplicaId::new(100 + dice.below(1 << 20) as u64), &snapshot).unwrap();
            }
        }
        for (at, from) in [(0, 1), (0, 2), (1, 0), (2, 0), (2, 1), (1, 2), (0, 1)] {
            let delta = docs[from].delta_since(docs[at].version());
            let edits = docs[at].apply(&delta).unwrap();
            replay(&mut shown[at], &edits);
        }
        for at in 0..3 {
            assert_eq!(docs[at].pending(), PendingReport::default(), "seed {seed}");
            assert_eq!(shown[at], all(&docs[at]), "seed {seed}");
            assert_eq!(shown[at], shown[0], "seed {seed}");
            check(&docs[at]);
        }
    }
}

/// Edits something, and tells whether that was the main text.
fn edit(doc: &mut Doc, dice: &mut Dice) -> bool {
    let name = ["a", "b"][dice.below(2)];
    match dice.below(5) {
        0 => {
            let len = doc.len();
            let (one, other) = (dice.below(len + 1), dice.below(len + 1));
            let range = one.min(other)..one.max(other);
            match dice.below(4) {
                0 | 1 => doc.insert(one, ["a", "bc", "日本", "long text"][dice.below(4)]).unwrap(),
                2 => doc.delete(range.start..range.end.min(range.start + 3)).unwrap(),
                _ => doc.mark(range, ["bold", "link"][dice.below(2)], number(dice.below(2))).unwrap(),
            }
            true
        }
        1 | 2 => {
            let mut text = doc.open_text(name).unwrap();
            let len = text.view().len();
            let (one, other) = (dice.below(len + 1), dice.below(len + 1));
            let range = one.min(other)..one.max(other);
            match dice.below(7) {
                0..=2 => text.insert(one, ["a", "bc", "日本", "😀d", "long text"][dice.below(5)]).unwrap(),
                3 => text.delete(range.start..range.end.min(range.start + 3)).unwrap(),
                4 => text.mark(range, ["bold", "link"][dice.below(2)], number(dice.below(2))).unwrap(),
                5 => text.unmark(range, ["bold", "link"][dice.below(2)]).unwrap(),
                _ => text.insert_embed(one, number(dice.below(9)), None).unwrap(),
            }
            false
        }
        _ => {
            let mut list = doc.open_list(name).unwrap();
            let len = list.view().len();
            let (one, other) = (dice.below(len.max(1)), dice.below(len.max(1)));
            match dice.below(6) {
                _ if len == 0 => list.push(number(dice.below(90))).unwrap(),
                0 | 1 => list.insert(one, number(dice.below(90))).unwrap(),
                2 => list.delete(one..one + 1).unwrap(),
                3 => list.replace(one, number(dice.below(90))).unwrap(),
                _ => {
                    let mut expected = list.view().values();
                    let entry = expected.remove(one);
                    expected.insert(other, entry);
                    list.move_to(one, other).unwrap();
                    assert_eq!(list.view().values(), expected);
                }
            }
            false
        }
    }
}
