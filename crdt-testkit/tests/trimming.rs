//! Documents that forget their past: what shows stays, whoever has seen it goes on as before, and whoever has not is refused
//! or merged as everywhere.

use crdt_core::{ApplyError, Doc, HistoryError, Json, ReplicaId, TextEdit, VersionVector};
use crdt_testkit::histories::for_all;
use crdt_testkit::loaded::loaded;
use crdt_testkit::random::Random;
use crdt_testkit::{Checked, Failure, same};
use proptest::prelude::any;
use std::cell::Cell;

fn fail<E: std::fmt::Display>(error: E) -> Failure {
    Failure::new(error.to_string())
}

/// One edit, mostly near the end of the one before.
fn edit(doc: &mut Doc, random: &mut Random) -> Checked {
    let len = doc.len();
    let at = random.below(len + 1);
    match random.below(12) {
        0..=4 => doc.insert(at, ["a", "bc", "def ", "é", "漢字x"][random.below(5)]).map_err(fail),
        5..=8 if len > 0 => {
            let start = random.below(len);
            doc.delete(start..(start + 1 + random.below(6)).min(len)).map_err(fail)
        }
        9 if len > 1 => {
            let start = random.below(len - 1);
            let end = start + 1 + random.below((len - start - 1).max(1));
            doc.mark(start..end, ["bold", "link"][random.below(2)], Json::yes()).map_err(fail)
        }
        10 => doc.insert_embed(at, Json::string("image")).map_err(fail),
        11 => doc.set("title", Json::number(i32::try_from(at).unwrap_or(0))).map_err(fail),
        _ => Ok(()),
    }
}

fn pull(to: &mut Doc, from: &Doc) -> Checked {
    to.apply(&from.delta_since(to.version())).map(drop).map_err(fail)
}

fn sync(docs: &mut [Doc]) -> Checked {
    for _ in 0..docs.len() {
        for at in 1..docs.len() {
            let (front, back) = docs.split_at_mut(at);
            pull(&mut back[0], &front[at - 1])?;
            pull(&mut front[at - 1], &back[0])?;
        }
    }
    Ok(())
}

fn same_content(doc: &Doc, expected: &Doc) -> Checked {
    same("text", &doc.text(), &expected.text())?;
    same("runs", &doc.runs(), &expected.runs())?;
    same("registers", &doc.registers().collect::<Vec<_>>(), &expected.registers().collect())?;
    same("version", doc.version(), expected.version())
}

/// Elements that show, in order.
fn shown(doc: &Doc) -> Vec<crdt_core::OpId> {
    doc.elements().filter(|(_, shows)| *shows).map(|(id, _)| id).collect()
}

/// `trimmed` keeps a part of what `whole` keeps, in the same order.
fn is_part(trimmed: &Doc, whole: &Doc) -> Checked {
    same("what shows", &shown(trimmed), &shown(whole))?;
    let mut all = whole.elements();
    for (id, shows) in trimmed.elements() {
        same("an element that stays", &all.any(|element| element == (id, shows)), &true)?;
    }
    Ok(())
}

#[test]
fn who_has_passed_the_version_goes_on_as_if_nothing_had_been_trimmed() {
    for_all(400, any::<u64>(), |seed| {
        let mut random = Random::new(*seed);
        // The first two never trim.
        let mut docs: Vec<Doc> = (0..4).map(|index| Doc::new(ReplicaId::new(10 + index))).collect();
        for _ in 0..random.below(5) + 2 {
            for _ in 0..random.below(40) + 5 {
                let at = random.below(docs.len());
                edit(&mut docs[at], &mut random)?;
                if random.chance(10) {
                    let from = docs[random.below(docs.len())].clone();
                    let to = random.below(docs.len());
                    pull(&mut docs[to], &from)?;
                }
            }
            sync(&mut docs)?;
            for doc in &docs {
                same_content(doc, &docs[0])?;
            }
            let version = docs[0].version().clone();
            for (at, doc) in docs.iter_mut().enumerate() {
                // Edits of one's own that the others will get later are kept out of what is trimmed.
                if random.chance(30) {
                    edit(doc, &mut random)?;
                }
                if at > 1 && random.chance(60) {
                    let before = doc.clone();
                    doc.trim(&version).map_err(fail)?;
                    doc.assert_invariants();
                    same_content(doc, &before).map_err(|failure| failure.at("trimmed"))?;
                    is_part(doc, &before)?;
                    for again in loaded(doc, ReplicaId::new(99))? {
                        same_content(&again, &before).map_err(|failure| failure.at("loaded"))?;
                        same("elements", &again.elements().collect::<Vec<_>>(), &doc.elements().collect())?;
                        same("floor", &again.floor(), &doc.floor())?;
                    }
                    if random.chance(30) {
                        let mut again = doc.clone();
                        again.trim(&version).map_err(fail)?;
                        same("trimmed twice", &again.encode_snapshot(), &doc.encode_snapshot())?;
                    }
                }
            }
        }
        sync(&mut docs)?;
        for doc in &docs {
            doc.assert_invariants();
            same_content(doc, &docs[0])?;
            is_part(doc, &docs[0])?;
        }
        Ok(())
    });
}

/// Replays edits on the text that stood before.
fn replayed(before: &str, edits: &[TextEdit]) -> String {
    let mut chars: Vec<char> = before.chars().collect();
    for edit in edits {
        match edit {
            TextEdit::Insert { position, text, .. } => {
                chars.splice(position..position, text.chars());
            }
            TextEdit::Embed { position, .. } => chars.insert(*position, '\u{fffc}'),
            TextEdit::Delete { position, len, .. } => {
                chars.drain(*position..position + len);
            }
            _ => {}
        }
    }
    chars.into_iter().collect()
}

#[test]
fn who_has_not_is_refused_or_merged_as_everywhere() {
    let (refused, merged) = (Cell::new(0), Cell::new(0));
    for_all(400, any::<u64>(), |seed| {
        let mut random = Random::new(*seed);
        let mut docs: Vec<Doc> = (0..3).map(|index| Doc::new(ReplicaId::new(10 + index))).collect();
        for _ in 0..30 {
            let at = random.below(docs.len());
            edit(&mut docs[at], &mut random)?;
        }
        sync(&mut docs)?;
        let mut stale = Doc::from_snapshot(ReplicaId::new(50), &docs[0].encode_snapshot()).map_err(fail)?;
        for _ in 0..40 {
            let at = random.below(docs.len());
            edit(&mut docs[at], &mut random)?;
        }
        sync(&mut docs)?;
        let mut whole = docs[0].clone();
        let mut trimmed = docs[1].clone();
        trimmed.trim(&whole.version().clone()).map_err(fail)?;
        for _ in 0..10 {
            let before = stale.version().clone();
            edit(&mut stale, &mut random)?;
            let delta = stale.delta_since(&before);
            let (bytes, text) = (trimmed.encode_snapshot(), trimmed.text());
            match trimmed.apply(&delta) {
                Ok(edits) => {
                    merged.set(merged.get() + 1);
                    whole.apply(&delta).map_err(fail)?;
                    same("text by events", &replayed(&text, &edits), &trimmed.text())?;
                    same_content(&trimmed, &whole)?;
                    is_part(&trimmed, &whole)?;
                }
                Err(ApplyError::Trimmed) => {
                    refused.set(refused.get() + 1);
                    same("a document that refused", &trimmed.encode_snapshot(), &bytes)?;
                    // The others would wait for it.
                    break;
                }
                Err(error) => return Err(fail(error)),
            }
            trimmed.assert_invariants();
        }
        // What it lacks was trimmed: it has to reload.
        same(
            "a delta below the floor",
            &stale.apply(&trimmed.delta_since(stale.version())),
            &Err(ApplyError::Trimmed),
        )?;
        same("text at it", &trimmed.text_at(stale.version()).is_err(), &true)
    });
    let (refused, merged) = (refused.get(), merged.get());
    assert!(refused > 50 && merged > 50, "{refused} refused, {merged} merged");
}

#[test]
fn old_operations_that_come_again_change_nothing() {
    for_all(200, any::<u64>(), |seed| {
        let mut random = Random::new(*seed);
        let mut docs: Vec<Doc> = (0..3).map(|index| Doc::new(ReplicaId::new(10 + index))).collect();
        let mut deltas = Vec::new();
        for _ in 0..60 {
            let at = random.below(docs.len());
            let before = docs[at].version().clone();
            edit(&mut docs[at], &mut random)?;
            deltas.push(docs[at].delta_since(&before));
            if random.chance(30) {
                sync(&mut docs)?;
            }
        }
        sync(&mut docs)?;
        let mut trimmed = docs[0].clone();
        // Some of the history stays.
        let history = docs[0].history().map_err(fail)?;
        let mut versions = vec![VersionVector::new(), docs[0].version().clone()];
        let mut history = history;
        while history.next().is_some() {
            if random.chance(20) {
                versions.push(history.version().clone());
            }
        }
        let version = versions[random.below(versions.len())].clone();
        trimmed.trim(&version).map_err(fail)?;
        let bytes = trimmed.encode_snapshot();
        random.shuffle(&mut deltas);
        for delta in &deltas {
            same("edits of what is known", &trimmed.apply(delta).map_err(fail)?, &Vec::new())?;
        }
        same("the document", &trimmed.encode_snapshot(), &bytes)?;
        let mut history = trimmed.history().map_err(fail)?;
        let mut text = history.text();
        while let Some(step) = history.next() {
            text = replayed(&text, &step.edits);
            same("text by steps", &text, &history.text())?;
            same("text of the whole", &Ok(history.text()), &docs[0].text_at(history.version()))?;
        }
        same("text at the end", &text, &trimmed.text())?;
        while let Some(step) = history.previous() {
            text = replayed(&text, &step.edits);
            same("text by steps back", &text, &history.text())?;
        }
        same("the start of history", history.version(), &trimmed.floor())?;
        for version in &versions {
            match trimmed.text_at(version) {
                Ok(text) => {
                    same("text at a version", &Ok(text), &docs[0].text_at(version))?;
                    let runs = docs[0].runs_at(version).map_err(fail)?;
                    same("runs at a version", &trimmed.runs_at(version).map_err(fail)?, &runs)?;
                    let then = trimmed.at(ReplicaId::new(77), version).map_err(fail)?;
                    then.assert_invariants();
                    same("document at a version", &then.runs(), &runs)?;
                    let (from, to) = (trimmed.version(), version);
                    same("what changed since", &trimmed.diff(from, to), &docs[0].diff(from, to))?;
                    let mut restored = trimmed.clone();
                    restored.restore(version).map_err(fail)?;
                    same("restored", &restored.runs(), &runs)?;
                }
                Err(HistoryError::Trimmed) => {
                    same("that it was trimmed", &trimmed.can_tell_since(version), &false)?;
                }
                Err(error) => return Err(fail(error)),
            }
        }
        Ok(())
    });
}

#[test]
fn what_was_typed_and_deleted_leaves_next_to_nothing() {
    let mut doc = Doc::new(ReplicaId::new(1));
    let mut random = Random::new(5);
    for _ in 0..20_000 {
        let at = random.below(doc.len() + 1);
        doc.insert(at, "ten lines\n").unwrap();
    }
    doc.delete(0..doc.len()).unwrap();
    doc.insert(0, "what is left").unwrap();
    let before = doc.encode_snapshot().len();
    doc.trim(&doc.version().clone()).unwrap();
    assert_eq!(doc.text(), "what is left");
    let after = doc.encode_snapshot().len();
    assert!(after < 200 && before > 200_000, "{before} bytes became {after}");
}

#[test]
fn a_version_that_is_no_state_is_refused() {
    let mut one = Doc::new(ReplicaId::new(1));
    let mut other = Doc::new(ReplicaId::new(2));
    one.insert(0, "below").unwrap();
    pull(&mut other, &one).unwrap();
    other.insert(5, "!").unwrap();
    pull(&mut one, &other).unwrap();
    let bytes = one.encode_snapshot();
    let version: VersionVector = [(ReplicaId::new(2), 1)].into_iter().collect();
    assert!(matches!(one.trim(&version), Err(HistoryError::NotAState { .. })));
    let version: VersionVector = [(ReplicaId::new(1), 6)].into_iter().collect();
    assert!(matches!(one.trim(&version), Err(HistoryError::NotReached { .. })));
    assert_eq!(one.encode_snapshot(), bytes);
}
