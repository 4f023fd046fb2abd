//! Documents with marks and embeds: scenarios, and random ones against every mark laid over every element.

use super::*;
use crate::codec::{Limits, decode_delta, encode_delta};
use crate::dice::Dice;
use crate::json::Json;
use crate::mark::{Content, Expand, Marks, TextRun};
use crate::op::{Op, OpKind};
use crate::value::{Mark, Value};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec;
use std::format;

extern crate std;

fn doc(replica: u64) -> Doc {
    Doc::new(ReplicaId::new(replica))
}

fn sync(one: &mut Doc, other: &mut Doc) {
    one.apply(&other.delta_since(one.version())).unwrap();
    other.apply(&one.delta_since(other.version())).unwrap();
    assert_eq!(one.runs(), other.runs());
    check(one);
    check(other);
}

/// `"The |fox|:bold| jumped"`: runs with the names of their marks.
fn shown(doc: &Doc) -> String {
    let runs = doc.runs().into_iter().map(|TextRun { content, marks }| {
        let text = match content {
            Content::Text(text) => text,
            Content::Embed(json) => format!("<{json}>"),
        };
        let names: Vec<&str> = marks.iter().map(|(name, _)| name).collect();
        if names.is_empty() { text } else { format!("{text}:{}", names.join(",")) }
    });
    runs.collect::<Vec<_>>().join("|")
}

/// Each visible element with its character or embed, and its marks: by all that was ever said.
fn by_all_marks(doc: &Doc) -> Vec<(String, Marks)> {
    let mut ops = decode_delta(&doc.delta_since(&VersionVector::new()), &Limits::DEFAULT).unwrap();
    ops.retain(|op| doc.version().contains(op.id)); // the others wait
    let order: Vec<(OpId, bool)> = doc.elements().collect();
    let place: BTreeMap<OpId, usize> = order.iter().zip(0..).map(|((id, _), at)| (*id, at)).collect();
    // Twice the place of an element, one more behind it; the ends are outside.
    let edge = |anchor: &Anchor| match anchor.element {
        Some(id) => place.get(&id).map(|at| 2 + 2 * at + usize::from(anchor.side == Side::After)),
        None => Some(if anchor.side == Side::After { 0 } else { usize::MAX }),
    };
    let mut marks: Vec<(u64, OpId, Mark)> = Vec::new();
    let mut content: BTreeMap<OpId, String> = BTreeMap::new();
    for op in &ops {
        match &op.kind {
            OpKind::InsertValue { value: Value::Mark(mark), .. } => {
                marks.push((mark.stamp, op.id, mark.clone()));
            }
            OpKind::InsertValue { value: Value::Embed(json), .. } => {
                content.insert(op.id, format!("<{json}>"));
            }
            OpKind::Insert { text, .. } => {
                for (seq, ch) in (op.id.seq..).zip(text.chars()) {
                    content.insert(OpId { seq, ..op.id }, ch.into());
                }
            }
            _ => {}
        }
    }
    marks.sort_by_key(|(stamp, id, _)| (*stamp, *id));
    let visible = order.iter().filter(|(_, visible)| *visible);
    visible
        .map(|(id, _)| {
            let at = 2 + 2 * place[id];
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
            (content[id].clone(), holds.into_iter().collect())
        })
        .collect()
}

/// Each visible element, with its marks.
pub(super) type Shown = Vec<(String, Marks)>;

pub(super) fn one_by_one(runs: Vec<TextRun>) -> Shown {
    let elements = runs.into_iter().flat_map(|TextRun { content, marks }| match content {
        Content::Text(text) => text.chars().map(|ch| (String::from(ch), marks.clone())).collect::<Vec<_>>(),
        Content::Embed(json) => vec![(format!("<{json}>"), marks)],
    });
    elements.collect()
}

pub(super) fn replay(content: &mut Shown, edits: &[TextEdit]) {
    for edit in edits {
        match edit.clone() {
            TextEdit::Insert { position, text, marks, .. } => {
                let new = text.chars().map(|ch| (String::from(ch), marks.clone())).collect::<Vec<_>>();
                content.splice(position..position, new);
            }
            TextEdit::Embed { position, value, marks, .. } => {
                content.insert(position, (format!("<{value}>"), marks));
            }
            TextEdit::Delete { position, len, .. } => drop(content.drain(position..position + len)),
            TextEdit::Register { .. } | TextEdit::Replace { .. } | TextEdit::In { .. } => {}
            TextEdit::Mark { position, len, name, value, .. } => {
                for (_, marks) in &mut content[position..position + len] {
                    let others = marks.iter().filter(|(other, _)| **other != *name);
                    let mut all: Vec<(Arc<str>, Json)> =
                        others.map(|(other, value)| (other.into(), value.clone())).collect();
                    all.extend(value.clone().map(|value| (name.clone(), value)));
                    *marks = all.into_iter().collect();
                }
            }
        }
    }
}

fn check(doc: &Doc) {
    doc.assert_invariants();
    let runs = doc.runs();
    assert_eq!(one_by_one(runs.clone()), by_all_marks(doc));
    let text: String = doc.text();
    assert_eq!(text.chars().count(), one_by_one(runs.clone()).len());
    let opened = Doc::from_snapshot(ReplicaId::new(77), &doc.encode_snapshot()).unwrap();
    opened.assert_invariants();
    assert_eq!(opened.runs(), runs);
    assert_eq!(opened.delta_since(&VersionVector::new()), doc.delta_since(&VersionVector::new()));
    let ops = decode_delta(&doc.delta_since(&VersionVector::new()), &Limits::DEFAULT).unwrap();
    let mut again = Doc::new(ReplicaId::new(78));
    again.apply(&encode_delta(&ops)).unwrap();
    assert_eq!(again.runs(), runs);
    again.apply(&encode_delta(&ops)).unwrap();
    assert_eq!(again.runs(), runs);
}

#[test]
fn bold_grows_at_its_end_and_a_link_does_not() {
    let mut alice = doc(1);
    alice.insert(0, "one two").unwrap();
    alice.mark(0..3, "bold", Json::yes()).unwrap();
    alice.mark(4..7, "link", Json::string("x")).unwrap();
    alice.insert(3, "!").unwrap();
    alice.insert(8, "!").unwrap();
    alice.insert(0, ".").unwrap();
    assert_eq!(shown(&alice), ".|one!:bold| |two:link|!");
    check(&alice);
    alice.set_expand("bold", Expand::Before);
    alice.mark(6..7, "bold", Json::yes()).unwrap();
    alice.insert(6, "t").unwrap();
    alice.insert(8, "h").unwrap();
    assert_eq!(shown(&alice), ".|one!:bold| |t:bold|t:bold,link|hwo:link|!");
}

#[test]
fn what_is_inserted_with_marks_has_exactly_those() {
    let mut alice = doc(1);
    alice.insert(0, "ab").unwrap();
    alice.mark(0..2, "bold", Json::yes()).unwrap();
    alice.insert_with(1, "x", &Marks::NONE).unwrap();
    alice.insert(2, "y").unwrap();
    let linked: Marks = [("link", Json::string("l")), ("bold", Json::yes())].into_iter().collect();
    alice.insert_with(3, "z", &linked).unwrap();
    alice.insert_embed(4, Json::parse(r#"{"image":"i"}"#).unwrap()).unwrap();
    assert_eq!(shown(&alice), "a:bold|xy|z:bold,link|<{\"image\":\"i\"}>:bold|b:bold");
    assert_eq!(alice.embed_at(3).unwrap(), None);
    assert!(alice.embed_at(4).unwrap().is_some());
    assert!(alice.embed_at(6).is_err());
    check(&alice);
}

#[test]
fn a_link_ends_behind_its_deleted_last_letters() {
    let mut alice = doc(1);
    alice.insert(0, "a link here").unwrap();
    alice.mark(2..6, "link", Json::string("l")).unwrap();
    alice.delete(4..6).unwrap();
    alice.insert(4, "!").unwrap();
    assert_eq!(shown(&alice), "a |li:link|! here");
}

#[test]
fn a_mark_waits_for_the_elements_that_it_names() {
    let (mut alice, mut bob, mut carol) = (doc(1), doc(2), doc(3));
    carol.insert(0, "text").unwrap();
    bob.apply(&carol.delta_since(bob.version())).unwrap();
    bob.mark(1..3, "bold", Json::yes()).unwrap();
    bob.insert_embed(0, Json::number(1)).unwrap();
    let late = carol.delta_since(&VersionVector::new());
    alice.apply(&bob.delta_of(bob.replica(), 0..9)).unwrap();
    let snapshot = alice.encode_snapshot();
    let mut opened = Doc::from_snapshot(ReplicaId::new(4), &snapshot).unwrap();
    for doc in [&mut alice, &mut opened] {
        let mut seen = one_by_one(doc.runs());
        let edits = doc.apply(&late).unwrap();
        replay(&mut seen, &edits);
        assert_eq!(seen, one_by_one(doc.runs()));
        assert_eq!(shown(doc), "<1>|t|ex:bold|t");
        check(doc);
    }
}

#[test]
fn a_transaction_wins_or_loses_as_one() {
    let (mut alice, mut bob) = (doc(1), doc(2));
    alice.insert(0, "text").unwrap();
    bob.apply(&alice.delta_since(bob.version())).unwrap();
    let mut transaction = alice.transaction();
    transaction.mark(0..4, "color", Json::string("red")).unwrap();
    transaction.mark(0..4, "color", Json::string("blue")).unwrap();
    let delta = transaction.commit();
    bob.mark(0..4, "color", Json::string("green")).unwrap();
    bob.apply(&delta).unwrap();
    sync(&mut alice, &mut bob);
    assert_eq!(alice.runs()[0].marks.get("color"), Some(&Json::string("green")));
}

#[test]
fn the_later_value_of_a_register_stays() {
    let (mut alice, mut bob) = (doc(1), doc(2));
    alice.set("title", Json::string("a")).unwrap();
    bob.set("title", Json::string("b")).unwrap();
    bob.set("size", Json::number(1)).unwrap();
    let edits = alice.apply(&bob.delta_since(alice.version())).unwrap();
    let title = TextEdit::Register { name: "title".into(), value: Some(Json::string("b")) };
    assert_eq!(edits[0], title);
    assert_eq!(bob.apply(&alice.delta_since(bob.version())).unwrap(), []);
    sync(&mut alice, &mut bob);
    alice.unset("title").unwrap();
    sync(&mut alice, &mut bob);
    let opened = Doc::from_snapshot(ReplicaId::new(3), &bob.encode_snapshot()).unwrap();
    for doc in [&alice, &bob, &opened] {
        assert_eq!(doc.registers().collect::<Vec<_>>(), [("size", &Json::number(1))]);
        assert_eq!((doc.get("title"), doc.text().as_str()), (None, ""));
    }
}

#[test]
fn seeded_content_never_doubles() {
    let bold: Marks = [("bold", Json::yes())].into_iter().collect();
    let content = [
        TextRun::text("Title", bold),
        TextRun::text("\nrest ", Marks::NONE),
        TextRun::embed(Json::number(1), Marks::NONE),
    ];
    let mut alice = Doc::seeded(ReplicaId::new(1), &content, "d").unwrap();
    let mut bob = Doc::seeded(ReplicaId::new(2), &content, "d").unwrap();
    assert_eq!(alice.version(), bob.version());
    alice.insert(5, "!").unwrap();
    alice.insert(0, ">").unwrap();
    bob.mark(6..8, "bold", Json::yes()).unwrap();
    bob.delete(0..1).unwrap();
    sync(&mut alice, &mut bob);
    assert_eq!(shown(&alice), ">|itle!:bold|\n|re:bold|st |<1>");
    let other = Doc::seeded(ReplicaId::new(3), &content, "e").unwrap();
    bob.apply(&other.delta_since(bob.version())).unwrap();
    assert_eq!(bob.len(), alice.len() + other.len(), "another document's content is other content");
}

#[test]
fn an_element_has_one_value() {
    let mut alice = doc(1);
    alice.insert_embed(0, Json::number(1)).unwrap();
    let mut bob = doc(2);
    bob.apply(&alice.delta_since(bob.version())).unwrap();
    let anchor = Anchor::START;
    let id = OpId::new(ReplicaId::new(1), 0);
    let other = Op { id, kind: OpKind::InsertValue { anchor, value: Value::Embed(Json::number(2)) } };
    let plain = Op { id, kind: OpKind::Insert { anchor, text: "\u{fffc}".into() } };
    for op in [other, plain] {
        let before = bob.encode_snapshot();
        assert_eq!(bob.apply(&encode_delta(&[op])), Err(ApplyError::ReplicaCollision { id }));
        assert_eq!(bob.encode_snapshot(), before);
    }
    let mut carol = doc(3);
    carol.insert(0, "\u{fffc}").unwrap();
    let plain = carol.delta_since(&VersionVector::new());
    bob.apply(&plain).unwrap();
    let id = OpId::new(ReplicaId::new(3), 0);
    let rich = Op { id, kind: OpKind::InsertValue { anchor, value: Value::Embed(Json::number(2)) } };
    assert_eq!(bob.apply(&encode_delta(&[rich])), Err(ApplyError::ReplicaCollision { id }));
    assert_eq!(bob.runs().len(), 2);
}

#[test]
fn random_rich_documents_agree_with_every_mark_laid_over_every_element() {
    for seed in 0..150 {
        let mut dice = Dice(seed);
        let mut docs: Vec<Doc> = (1..=3).map(doc).collect();
        let mut shown: Vec<Vec<(String, Marks)>> = vec![Vec::new(); 3];
        for _ in 0..60 {
            let at = dice.below(3);
            if dice.below(4) == 0 {
                let from = dice.below(3);
                // Some of what the other has, and not always in order.
                let replica = docs[from].version().iter().nth(dice.below(3)).map(|(replica, _)| replica);
                let delta = match replica {
                    Some(replica) => {
                        let count = docs[from].version().get(replica);
                        let start = u32::try_from(dice.below(count as usize + 1)).unwrap();
                        docs[from].delta_of(replica, start..count)
                    }
                    None => docs[from].delta_since(docs[at].version()),
                };
                let edits = docs[at].apply(&delta).unwrap();
                replay(&mut shown[at], &edits);
                assert_eq!(shown[at], one_by_one(docs[at].runs()), "seed {seed}");
            } else {
                edit(&mut docs[at], &mut dice);
                shown[at] = one_by_one(docs[at].runs());
            }
            if dice.below(5) == 0 {
                assert_eq!(one_by_one(docs[at].runs()), by_all_marks(&docs[at]), "seed {seed}");
            }
        }
        for (at, from) in [(0, 1), (0, 2), (1, 0), (2, 0), (2, 1), (1, 2)] {
            let delta = docs[from].delta_since(docs[at].version());
            let edits = docs[at].apply(&delta).unwrap();
            replay(&mut shown[at], &edits);
        }
        for at in 0..3 {
            assert_eq!(shown[at], one_by_one(docs[at].runs()), "seed {seed}");
            assert_eq!(docs[at].runs(), docs[0].runs(), "seed {seed}");
            check(&docs[at]);
        }
    }
}

fn number(dice: &mut Dice, bound: usize) -> Json {
    Json::number(i32::try_from(dice.below(bound)).unwrap())
}

pub(super) fn edit(doc: &mut Doc, dice: &mut Dice) {
    let len = doc.len();
    let names = ["bold", "link", "color", "header"];
    let (one, other) = (dice.below(len + 1), dice.below(len + 1));
    let range = one.min(other)..one.max(other);
    match dice.below(9) {
        0 | 1 => doc.insert(one, ["a", "bc", "日本", "😀d", "long text"][dice.below(5)]).unwrap(),
        2 => doc.delete(range.start..range.end.min(range.start + 3)).unwrap(),
        3 | 4 => doc.mark(range, names[dice.below(4)], number(dice, 2)).unwrap(),
        5 => doc.unmark(range, names[dice.below(4)]).unwrap(),
        6 => {
            let marks = (0..dice.below(3)).map(|_| (names[dice.below(4)], number(dice, 2)));
            let marks: Marks = marks.collect::<Vec<_>>().into_iter().collect();
            doc.insert_with(one, "xy", &marks).unwrap();
            let runs = doc.runs_in(one..one + 2).unwrap();
            assert_eq!(runs, [TextRun::text("xy", marks)]);
        }
        7 => doc.insert_embed(one, number(dice, 5)).unwrap(),
        _ => {
            let mut transaction = doc.transaction();
            transaction.mark(range.clone(), "bold", Json::yes()).unwrap();
            transaction.insert(one, "t").unwrap();
            transaction.unmark(range, "color").unwrap();
            transaction.commit();
        }
    }
}
