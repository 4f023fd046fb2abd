use super::*;
use crate::anchor::Side;
use crate::codec::{Limits, decode_delta, encode_delta};
use crate::dice::Dice;
use crate::doc::rich_tests::{Shown, edit, one_by_one, replay};
use crate::json::Json;
use crate::mark::{Expand, Marks};
use crate::op::{Op, OpKind};
use crate::value::{Mark, Value};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

fn doc(replica: u64) -> Doc {
    Doc::new(ReplicaId::new(replica))
}

fn undo_of(doc: &Doc) -> UndoManager {
    UndoManager::new(doc, UndoOptions { interval_ms: 0, replicas: Vec::new() })
}

fn give(from: &Doc, to: &mut Doc) {
    to.apply(&from.delta_since(to.version())).unwrap();
}

#[test]
fn undone_deletions_come_back_with_their_marks() {
    let mut alice = doc(1);
    alice.insert(0, "one two three").unwrap();
    alice.mark(4..7, "link", Json::string("l")).unwrap();
    alice.mark(0..7, "bold", Json::yes()).unwrap();
    let before = alice.runs();
    let mut undo = undo_of(&alice);
    alice.delete(2..9).unwrap();
    undo.record(&alice, 0);
    undo.undo(&mut alice).unwrap();
    assert_eq!(alice.runs(), before);
    undo.redo(&mut alice).unwrap();
    assert_eq!(alice.text(), "onhree");
    undo.undo(&mut alice).unwrap();
    assert_eq!(alice.runs(), before);
    assert!(!undo.can_undo() && undo.can_redo());
}

#[test]
fn edits_close_together_are_undone_together() {
    let mut alice = doc(1);
    let mut undo = UndoManager::new(&alice, UndoOptions::default());
    for (now_ms, letter) in [(0, "a"), (400, "b"), (1000, "c"), (1100, "d")] {
        alice.insert(alice.len(), letter).unwrap();
        undo.record(&alice, now_ms);
    }
    undo.stop();
    alice.insert(4, "e").unwrap();
    undo.record(&alice, 1101);
    for left in ["abcd", "ab", ""] {
        undo.undo(&mut alice).unwrap();
        assert_eq!(alice.text(), left);
    }
    assert_eq!(undo.undo(&mut alice), Ok(None));
    for left in ["ab", "abcd", "abcde"] {
        undo.redo(&mut alice).unwrap();
        assert_eq!(alice.text(), left);
    }
}

#[test]
fn what_somebody_else_deleted_too_stays_deleted() {
    let (mut alice, mut bob) = (doc(1), doc(2));
    bob.insert(0, "abcdef").unwrap();
    give(&bob, &mut alice);
    let mut undo = undo_of(&alice);
    alice.delete(1..5).unwrap();
    undo.record(&alice, 0);
    bob.delete(2..3).unwrap();
    bob.insert(3, "X").unwrap();
    give(&bob, &mut alice);
    undo.undo(&mut alice).unwrap();
    assert_eq!(alice.text(), "abdXef");
}

#[test]
fn the_selection_comes_back_around_what_comes_back() {
    let mut alice = doc(1);
    alice.insert(0, "one two").unwrap();
    let mut undo = undo_of(&alice);
    let at = |doc: &Doc, position, side| doc.anchor_at(position, side).unwrap();
    use crate::anchor::Side::{After, Before};
    undo.note_selection(Some(Selection { anchor: at(&alice, 0, Before), head: at(&alice, 3, After) }));
    alice.delete(0..3).unwrap();
    undo.record(&alice, 0);
    undo.note_selection(Some(Selection { anchor: at(&alice, 0, Before), head: at(&alice, 0, Before) }));
    alice.insert(0, ">").unwrap();
    let undone = undo.undo(&mut alice).unwrap().unwrap();
    assert_eq!(alice.text(), " two");
    assert!(undone.selection.is_some());
    let undone = undo.undo(&mut alice).unwrap().unwrap();
    let Selection { anchor, head } = undone.selection.unwrap();
    assert_eq!((alice.resolve(&anchor), alice.resolve(&head)), (Some(0), Some(3)));
}

#[test]
fn undoing_a_mark_or_a_register_restores_what_stood_there() {
    let (mut alice, mut bob) = (doc(1), doc(2));
    let value = |number| Json::number(number);
    alice.insert(0, "abcdef").unwrap();
    alice.mark(0..3, "color", value(1)).unwrap();
    alice.set("title", value(1)).unwrap();
    give(&alice, &mut bob);
    let before = alice.runs();
    let mut undo = undo_of(&alice);
    alice.mark(1..5, "color", value(2)).unwrap();
    alice.set("title", value(2)).unwrap();
    undo.record(&alice, 0);
    let mut undone = alice.clone();
    undo.clone().undo(&mut undone).unwrap();
    assert_eq!((undone.runs(), undone.get("title")), (before, Some(&value(1))));
    // Somebody else's later word stays.
    give(&alice, &mut bob);
    bob.mark(4..6, "color", value(3)).unwrap();
    bob.set("title", value(3)).unwrap();
    give(&bob, &mut alice);
    let colored = |doc: &Doc| -> Vec<String> {
        doc.runs().iter().map(|run| format!("{:?}", run.marks.get("color"))).collect()
    };
    undo.undo(&mut alice).unwrap();
    assert_eq!(colored(&alice), ["Some(1)", "None", "Some(3)"]);
    assert_eq!(alice.get("title"), Some(&value(3)));
    undo.redo(&mut alice).unwrap();
    assert_eq!(colored(&alice), ["Some(1)", "Some(2)", "Some(3)"]);
    undo.undo(&mut alice).unwrap();
    assert_eq!(colored(&alice), ["Some(1)", "None", "Some(3)"]);
}

#[test]
fn a_group_of_replicas_is_undone_as_one() {
    let (mut alice, mut bob, mut carol) = (doc(1), doc(2), doc(3));
    let options = UndoOptions { interval_ms: 0, replicas: vec![alice.replica(), bob.replica()] };
    let mut undo = UndoManager::new(&alice, options);
    alice.insert(0, "alice ").unwrap();
    undo.record(&alice, 0);
    give(&alice, &mut bob);
    bob.insert(6, "bob ").unwrap();
    give(&bob, &mut carol);
    carol.insert(10, "carol").unwrap();
    give(&carol, &mut alice);
    undo.record(&alice, 1);
    undo.undo(&mut alice).unwrap();
    assert_eq!(alice.text(), "alice carol");
    undo.undo(&mut alice).unwrap();
    assert_eq!(alice.text(), "carol");
}

/// The elements that operations with these ids deleted.
fn deleted_by(ops: &[Op], counts: impl Fn(OpId) -> bool) -> BTreeSet<OpId> {
    let mut deleted = BTreeSet::new();
    for op in ops {
        let OpKind::Delete { target, len, descending } = &op.kind else { continue };
        for step in (0..*len).filter(|step| counts(OpId { seq: op.id.seq + step, ..op.id })) {
            let seq = if *descending { target.seq - step } else { target.seq + step };
            deleted.insert(OpId { seq, ..*target });
        }
    }
    deleted
}

/// What the document would show if `own` had never said anything since `from`: text of others that no other deleted, with
/// the marks that others set.
fn without(doc: &Doc, own: ReplicaId, from: Seq) -> Shown {
    let ops = decode_delta(&doc.delta_since(&VersionVector::new()), &Limits::DEFAULT).unwrap();
    let is_own = |id: OpId| id.replica == own && id.seq >= from;
    let mut content: BTreeMap<OpId, String> = BTreeMap::new();
    let deleted = deleted_by(&ops, |id| !is_own(id));
    let mut marks: Vec<(u64, OpId, Mark)> = Vec::new();
    for op in &ops {
        match &op.kind {
            OpKind::Insert { text, .. } => {
                let elements = (op.id.seq..).zip(text.chars()).map(|(seq, ch)| (OpId { seq, ..op.id }, ch));
                content.extend(elements.filter(|(id, _)| !is_own(*id)).map(|(id, ch)| (id, ch.into())));
            }
            OpKind::InsertValue { .. } if is_own(op.id) => {}
            OpKind::InsertValue { value: Value::Embed(json), .. } => {
                drop(content.insert(op.id, format!("<{json}>")));
            }
            OpKind::InsertValue { value: Value::Mark(mark), .. } => {
                marks.push((mark.stamp, op.id, mark.clone()));
            }
            _ => {}
        }
    }
    marks.sort_by_key(|(stamp, id, _)| (*stamp, *id));
    let order: Vec<OpId> = doc.elements().map(|(id, _)| id).collect();
    let place: BTreeMap<OpId, usize> = order.iter().zip(1..).map(|(id, at)| (*id, 2 * at)).collect();
    let edge = |anchor: &Anchor| match anchor.element {
        Some(id) => place[&id] + usize::from(anchor.side == Side::After),
        None if anchor.side == Side::After => 0,
        None => usize::MAX,
    };
    let shown = order.iter().filter(|id| !deleted.contains(id));
    shown
        .filter_map(|id| {
            let mut holds: BTreeMap<Arc<str>, Json> = BTreeMap::new();
            for (_, _, mark) in &marks {
                if edge(&mark.start) <= place[id] && place[id] < edge(&mark.end) {
                    match &mark.value {
                        Some(value) => drop(holds.insert(mark.name.clone(), value.clone())),
                        None => drop(holds.remove(&mark.name)),
                    }
                }
            }
            Some((content.get(id)?.clone(), holds.into_iter().collect::<Marks>()))
        })
        .collect()
}

#[test]
fn undoing_everything_leaves_what_the_others_wrote() {
    for seed in 0..200 {
        let mut dice = Dice(seed);
        let (mut alice, mut bob) = (doc(1), doc(2));
        for _ in 0..dice.below(6) {
            edit(&mut alice, &mut dice);
        }
        give(&alice, &mut bob);
        let mut undo = undo_of(&alice);
        let from = alice.own_seq();
        for now_ms in 0..25 {
            match dice.below(4) {
                0 => give(&alice, &mut bob),
                1 => give(&bob, &mut alice),
                2 => edit(&mut bob, &mut dice),
                _ => {
                    edit(&mut alice, &mut dice);
                    undo.record(&alice, now_ms);
                }
            }
        }
        give(&bob, &mut alice);
        let edited = one_by_one(alice.runs());
        let expected = without(&alice, alice.replica(), from);
        let mut shown = edited.clone();
        let mut undo_again = undo.clone();
        while let Some(Undone { edits, .. }) = undo.undo(&mut alice).unwrap() {
            replay(&mut shown, &edits);
            assert_eq!(shown, one_by_one(alice.runs()), "seed {seed}: edits tell what changed");
            alice.assert_invariants();
        }
        assert_eq!(shown, expected, "seed {seed}");
        while let Some(Undone { edits, .. }) = undo.redo(&mut alice).unwrap() {
            replay(&mut shown, &edits);
            assert_eq!(shown, one_by_one(alice.runs()), "seed {seed}");
        }
        assert_eq!(shown, edited, "seed {seed}: redoing everything");
        while undo.undo(&mut alice).unwrap().is_some() {}
        assert_eq!(one_by_one(alice.runs()), expected, "seed {seed}: and undoing it again");
        give(&alice, &mut bob);
        give(&bob, &mut alice);
        assert_eq!(alice.runs(), bob.runs());
        undo_again.clear();
        assert!(!undo_again.can_undo());
    }
}

#[test]
fn a_mark_said_again_of_what_came_back_counts_as_when_it_was_said_first() {
    let mut alice = doc(1);
    let mut undo = undo_of(&alice);
    let mut states = vec![alice.runs()];
    let mut note = |alice: &Doc, undo: &mut UndoManager| {
        undo.record(alice, 0);
        states.push(alice.runs());
    };
    alice.insert(0, "line\n").unwrap();
    alice.mark(4..5, "list", Json::string("bullet")).unwrap();
    note(&alice, &mut undo);
    alice.unmark(4..5, "list").unwrap();
    note(&alice, &mut undo);
    alice.delete(3..5).unwrap();
    note(&alice, &mut undo);
    for _ in 0..3 {
        for state in states.iter().rev().skip(1) {
            undo.undo(&mut alice).unwrap().unwrap();
            assert_eq!(alice.runs(), *state);
        }
        for state in &states[1..] {
            undo.redo(&mut alice).unwrap().unwrap();
            assert_eq!(alice.runs(), *state);
        }
    }
}

#[test]
fn what_was_typed_in_front_of_a_link_that_came_back_never_was_in_it() {
    let mut alice = doc(1);
    alice.insert(0, "t").unwrap();
    let mut undo = undo_of(&alice);
    let link = [("link", Json::string("l"))].into_iter().collect();
    alice.insert_with(1, "xy", &link).unwrap();
    undo.undo(&mut alice).unwrap();
    undo.redo(&mut alice).unwrap();
    // Behind the letters of the link that are deleted, in front of those that it came back as.
    let anchor = alice.anchor_at(1, Side::Before).unwrap();
    let typed = Op { id: OpId::new(ReplicaId::new(2), 0), kind: OpKind::Insert { anchor, text: "a".into() } };
    alice.apply(&encode_delta(&[typed])).unwrap();
    let before = alice.runs();
    assert_eq!(before.iter().map(|run| run.marks.is_empty()).collect::<Vec<_>>(), [true, false]);
    alice.delete(1..2).unwrap();
    undo.undo(&mut alice).unwrap();
    assert_eq!(alice.runs(), before);
    alice.mark(0..4, "link", Json::string("m")).unwrap();
    undo.undo(&mut alice).unwrap();
    assert_eq!(alice.runs(), before);
}

/// Back and forth through what one wrote alone, with new edits from anywhere on the way.
#[test]
fn alone_one_finds_every_state_again() {
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let mut alice = doc(1);
        for (name, expand) in [("bold", Expand::Both), ("link", Expand::Before)] {
            if dice.below(3) == 0 {
                alice.set_expand(name, expand);
            }
        }
        let mut undo = undo_of(&alice);
        let mut states = vec![alice.runs()];
        let mut now = 0;
        for step in 0..60 {
            match dice.below(4) {
                0 => now -= usize::from(undo.undo(&mut alice).unwrap().is_some()),
                1 => now += usize::from(undo.redo(&mut alice).unwrap().is_some()),
                _ => {
                    edit(&mut alice, &mut dice);
                    if undo.record(&alice, step) {
                        now += 1;
                        states.truncate(now);
                        states.push(alice.runs());
                    }
                }
            }
            assert_eq!(alice.runs(), states[now], "seed {seed}, step {step}");
        }
    }
}

fn values(doc: &Doc) -> Vec<Json> {
    doc.list("todo").unwrap().values()
}

fn edit_list(doc: &mut Doc, number: i32, dice: &mut Dice) {
    let mut todo = doc.open_list("todo").unwrap();
    let len = todo.view().len();
    match dice.below(6) {
        0 | 1 => todo.insert(dice.below(len + 1), Json::number(number)).unwrap(),
        _ if len == 0 => {}
        2 => todo.replace(dice.below(len), Json::number(number)).unwrap(),
        3 | 4 => todo.move_to(dice.below(len), dice.below(len)).unwrap(),
        _ => {
            let from = dice.below(len);
            todo.delete(from..len.min(from + 2)).unwrap();
        }
    }
}

/// What the list would hold if `own` had never said anything since `from`: entries of others that no other deleted in any
/// place, where others moved them last, as others replaced them.
fn list_without(doc: &Doc, own: ReplicaId, from: Seq) -> Vec<Json> {
    let ops = decode_delta(&doc.delta_since(&VersionVector::new()), &Limits::DEFAULT).unwrap();
    let is_own = |id: OpId| id.replica == own && id.seq >= from;
    let mut entries: BTreeMap<OpId, Json> = BTreeMap::new();
    let mut slots: BTreeMap<OpId, OpId> = BTreeMap::new();
    let mut moves: BTreeMap<OpId, (u64, OpId)> = BTreeMap::new();
    let mut replaced: BTreeMap<OpId, (u64, OpId, Json)> = BTreeMap::new();
    let deleted = deleted_by(&ops, |id| !is_own(id));
    for op in &ops {
        let id = op.id;
        match &op.kind {
            OpKind::InsertValue { value: Value::Embed(json), .. } if !is_own(id) => {
                entries.insert(id, json.clone());
                slots.insert(id, id);
            }
            OpKind::InsertValue { value: Value::Move { element, stamp }, .. } => {
                slots.insert(id, *element);
                let last = moves.get(element).copied();
                if !is_own(id) && last < Some((*stamp, id)) {
                    moves.insert(*element, (*stamp, id));
                }
            }
            OpKind::InsertValue { value: Value::Replace { element, value, stamp }, .. } if !is_own(id) => {
                let last = replaced.get(element).map(|(stamp, id, _)| (*stamp, *id));
                if last < Some((*stamp, id)) {
                    replaced.insert(*element, (*stamp, id, value.clone()));
                }
            }
            _ => {}
        }
    }
    let dead: BTreeSet<OpId> = deleted.iter().filter_map(|id| slots.get(id)).copied().collect();
    let place_of = |entry: &OpId| moves.get(entry).map_or(*entry, |(_, slot)| *slot);
    let alive = entries.iter().filter(|(entry, _)| !dead.contains(entry));
    let shown: BTreeMap<OpId, Json> = alive
        .map(|(entry, json)| (place_of(entry), replaced.get(entry).map_or(json, |(.., json)| json).clone()))
        .collect();
    doc.elements().filter_map(|(id, _)| shown.get(&id).cloned()).collect()
}

#[test]
fn undoing_everything_in_a_list_leaves_what_the_others_did() {
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let (mut alice, mut bob) = (doc(1), doc(2));
        alice.open_list("todo").unwrap();
        for number in 0..3 {
            edit_list(&mut alice, number, &mut dice);
        }
        give(&alice, &mut bob);
        let mut undo = undo_of(&alice);
        let from = alice.own_seq();
        for step in 3..30 {
            match dice.below(4) {
                0 => give(&alice, &mut bob),
                1 => give(&bob, &mut alice),
                2 => edit_list(&mut bob, step, &mut dice),
                _ => {
                    edit_list(&mut alice, step, &mut dice);
                    undo.record(&alice, 0);
                }
            }
        }
        give(&bob, &mut alice);
        let edited = values(&alice);
        let expected = list_without(&alice, alice.replica(), from);
        for _ in 0..2 {
            while undo.undo(&mut alice).unwrap().is_some() {
                alice.assert_invariants();
            }
            assert_eq!(values(&alice), expected, "seed {seed}: undoing everything");
            while undo.redo(&mut alice).unwrap().is_some() {
                alice.assert_invariants();
            }
            assert_eq!(values(&alice), edited, "seed {seed}: redoing everything");
        }
        give(&alice, &mut bob);
        give(&bob, &mut alice);
        assert_eq!(values(&alice), values(&bob), "seed {seed}");
    }
}

#[test]
fn alone_one_finds_every_state_of_a_list_again() {
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let mut alice = doc(1);
        alice.open_list("todo").unwrap();
        let mut undo = undo_of(&alice);
        let mut states = vec![values(&alice)];
        let mut now = 0;
        for step in 0..60 {
            match dice.below(4) {
                0 => now -= usize::from(undo.undo(&mut alice).unwrap().is_some()),
                1 => now += usize::from(undo.redo(&mut alice).unwrap().is_some()),
                _ => {
                    edit_list(&mut alice, step, &mut dice);
                    if undo.record(&alice, 0) {
                        now += 1;
                        states.truncate(now);
                        states.push(values(&alice));
                    }
                }
            }
            assert_eq!(values(&alice), states[now], "seed {seed}, step {step}");
            alice.assert_invariants();
        }
    }
}

/// A document whose replica can say just so much more: it has deleted the same letters again and again.
fn almost_full(room: Seq) -> Doc {
    const LETTERS: Seq = 1 << 20;
    let mut other = doc(9);
    let mut give = |id, kind| other.apply(&encode_delta(&[Op { id, kind }])).unwrap();
    let target = OpId::new(ReplicaId::new(2), 0);
    give(target, OpKind::Insert { anchor: Anchor::START, text: "x".repeat(LETTERS as usize) });
    let mut seq = 0;
    while seq < Seq::MAX - room {
        let len = LETTERS.min(Seq::MAX - room - seq);
        give(OpId::new(ReplicaId::new(1), seq), OpKind::Delete { target, len, descending: false });
        seq += len;
    }
    Doc::from_snapshot(ReplicaId::new(1), &other.encode_snapshot()).unwrap()
}

#[test]
fn without_room_for_all_of_a_step_nothing_is_undone() {
    let mut full = 0;
    let empty = almost_full(150);
    for used in 0..130 {
        let mut alice = empty.clone();
        alice.insert(0, &"y".repeat(used)).unwrap();
        alice.insert(0, "one two three").unwrap();
        alice.mark(4..7, "link", Json::string("l")).unwrap();
        let before = alice.runs();
        let mut undo = undo_of(&alice);
        alice.delete(2..5).unwrap();
        alice.mark(1..9, "link", Json::string("m")).unwrap();
        undo.record(&alice, 0);
        let bytes = alice.encode_snapshot();
        match undo.undo(&mut alice) {
            Ok(_) => {
                assert_eq!(full, 0, "less room was enough");
                assert_eq!(alice.runs(), before);
            }
            Err(error) => {
                full += 1;
                assert_eq!((error, alice.encode_snapshot() == bytes), (EditError::Full, true));
                assert!(undo.can_undo() && !undo.can_redo());
            }
        }
    }
    assert!((1..130).contains(&full), "{full} of 130");
}
