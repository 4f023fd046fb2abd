//! What was: a document shows every version that it has passed through as it was seen then.

use crdt_core::codec::{Limits, decode_delta};
use crdt_core::{
    Authors, DeletedText, Doc, EditError, History, HistoryError, Json, OpId, OpKind, ReplicaId, SequenceKind,
    TextEdit, UndoManager, UndoOptions, VersionVector,
};
use crdt_testkit::cells::{self, Cell, Glyph, cells};
use crdt_testkit::histories::{for_all, histories};
use crdt_testkit::plain::PlainText;
use crdt_testkit::played::{Played, State, apply};
use crdt_testkit::random::Random;
use crdt_testkit::{Checked, Failure, same};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Histories a property.
const CASES: u32 = 300;
/// Moves a history.
const MOVES: usize = 40;

/// A replica that no history names.
const STRANGER: ReplicaId = ReplicaId::new(0x7e57);

fn refused(error: HistoryError) -> Failure {
    Failure::new(format!("refused: {error}"))
}

/// The document at the end, as it was edited and as it is opened from a snapshot.
fn warm_and_cold(warm: &Doc) -> Checked<[Doc; 2]> {
    let warm = warm.clone();
    let cold = Doc::from_snapshot(STRANGER, &warm.encode_snapshot())
        .map_err(|error| Failure::new(format!("snapshot refused: {error}")))?;
    Ok([warm, cold])
}

fn text_of(state: &State) -> String {
    cells::text(&cells(&state.runs))
}

/// Another document as it was.
fn at(doc: &Doc, version: &VersionVector) -> Checked<Doc> {
    doc.at(ReplicaId::new(0x7e58), version).map_err(refused)
}

/// All that a document shows: main text, registers, and the named sequences that are not empty.
#[derive(Clone, Debug, Default, PartialEq)]
struct Shown {
    main: PlainText,
    named: BTreeMap<(SequenceKind, String), PlainText>,
}

impl Shown {
    fn of(doc: &Doc) -> Self {
        let named = doc.sequences().map(|(name, kind)| {
            let cells = match kind {
                SequenceKind::Text => doc.text_named(name).map(|text| cells(&text.runs())),
                SequenceKind::List => doc.list(name).map(|list| {
                    let cell = |value| Cell { glyph: Glyph::Embed(value), marks: crdt_core::Marks::NONE };
                    list.values().into_iter().map(cell).collect()
                }),
            };
            ((kind, name.to_owned()), PlainText::of_cells(cells.unwrap_or_default()))
        });
        let named = named.filter(|(_, plain)| !plain.is_empty()).collect();
        Self { main: PlainText::of(doc), named }
    }

    fn replay(&mut self, edits: &[TextEdit]) -> Checked {
        for edit in edits {
            match edit {
                TextEdit::In { name, kind, edit } => {
                    let place = (*kind, name.to_string());
                    let plain = self.named.entry(place.clone()).or_default();
                    plain.replay(edit)?;
                    if plain.is_empty() {
                        self.named.remove(&place);
                    }
                }
                edit => self.main.replay(edit)?,
            }
        }
        Ok(())
    }
}

/// What the edits make of a document.
fn replayed(before: &Doc, edits: &[TextEdit]) -> Checked<Shown> {
    let mut shown = Shown::of(before);
    shown.replay(edits)?;
    Ok(shown)
}

/// Documents that everybody edited at once, with a named text, a list, marks and registers; and the versions they were at.
fn with_sequences(seed: u64) -> (Vec<Doc>, Vec<VersionVector>) {
    let mut random = Random::new(seed);
    let mut docs: Vec<Doc> = (1..=3).map(|replica| Doc::new(ReplicaId::new(replica))).collect();
    let mut versions = vec![VersionVector::new()];
    for step in 0..60 {
        let from = random.below(3);
        if random.chance(30) {
            let to = (from + 1 + random.below(2)) % 3;
            let delta = docs[from].delta_since(docs[to].version());
            docs[to].apply(&delta).unwrap();
            versions.push(docs[to].version().clone());
            continue;
        }
        edit_at_random(&mut docs[from], &mut random, step);
        versions.push(docs[from].version().clone());
    }
    for _ in 0..2 {
        for (from, to) in [(1, 0), (2, 0), (0, 1), (0, 2)] {
            let delta = docs[from].delta_since(docs[to].version());
            docs[to].apply(&delta).unwrap();
        }
    }
    (docs, versions)
}

fn edit_at_random(doc: &mut Doc, random: &mut Random, step: i32) {
    let texts = ["a", "bc", "é😀", "word "];
    let names = ["bold", "link"];
    let name = names[random.below(2)];
    let text = texts[random.below(4)];
    let value = Json::number(step);
    let part = |random: &mut Random, len: usize| {
        let from = random.below(len + 1);
        from..from + random.below(len - from + 1)
    };
    match random.below(12) {
        0 | 1 => doc.insert(random.below(doc.len() + 1), text).unwrap(),
        2 => doc.delete(part(random, doc.len())).unwrap(),
        3 => doc.mark(part(random, doc.len()), name, value).unwrap(),
        4 => doc.set(["title", "language"][random.below(2)], value).unwrap(),
        5 => doc.insert_embed(random.below(doc.len() + 1), value).unwrap(),
        kind @ 6..=8 => {
            let mut notes = doc.open_text("notes").unwrap();
            let len = notes.view().len();
            match kind {
                6 => notes.insert(random.below(len + 1), text).unwrap(),
                7 => notes.delete(part(random, len)).unwrap(),
                _ => notes.mark(part(random, len), name, value).unwrap(),
            }
        }
        kind => {
            let mut list = doc.open_list("todo").unwrap();
            let len = list.view().len();
            match kind {
                9 | 10 if len > 0 => match random.below(3) {
                    0 => list.replace(random.below(len), value).unwrap(),
                    1 => list.move_to(random.below(len), random.below(len)).unwrap(),
                    _ if random.chance(30) => list.delete(part(random, len)).unwrap(),
                    _ => list.move_to(random.below(len), 0).unwrap(),
                },
                _ => list.insert(random.below(len + 1), value).unwrap(),
            }
        }
    }
}

/// Documents that were edited, and versions they were at.
fn some_histories(check: impl Fn(&Doc, &[VersionVector], &mut Random) -> Checked) {
    for_all(CASES / 2, histories(MOVES), |script| {
        let played = Played::run(script, |_, _, _| Ok(()))?;
        let versions: Vec<_> = played.states.iter().map(|state| state.version.clone()).collect();
        let mut random = Random::new(script.steps.len() as u64);
        warm_and_cold(&played.docs[0])?.iter().try_for_each(|doc| check(doc, &versions, &mut random))
    });
    for seed in 0..u64::from(CASES / 2) {
        let (docs, versions) = with_sequences(seed);
        let mut random = Random::new(seed);
        let checked = warm_and_cold(&docs[0])
            .and_then(|both| both.iter().try_for_each(|doc| check(doc, &versions, &mut random)));
        if let Err(failure) = checked {
            panic!("seed {seed}: {failure}");
        }
    }
}

#[test]
fn every_version_shows_as_it_was_seen_then() {
    for_all(CASES, histories(MOVES), |script| {
        let played = Played::run(script, |_, _, _| Ok(()))?;
        for doc in warm_and_cold(&played.docs[0])? {
            for state in &played.states {
                let text = text_of(state);
                same("text then", &doc.text_at(&state.version).map_err(refused)?, &text)?;
                same("runs then", &doc.runs_at(&state.version).map_err(refused)?, &state.runs)?;
                let utf16: Vec<u16> = text.encode_utf16().collect();
                let (from, to) = (utf16.len() / 3, utf16.len() - utf16.len() / 4);
                let slice = String::from_utf16(&utf16[from..to]).ok();
                same("slice then", &doc.slice_at_utf16(&state.version, from..to).ok(), &slice)?;
                let chars = text.chars().count();
                let (from, to) = (chars / 3, chars - chars / 4);
                let slice: String = text.chars().skip(from).take(to - from).collect();
                same("slice then", &doc.slice_at(&state.version, from..to), &Ok(slice))?;
                same("end", &doc.slice_at(&state.version, 0..chars + 1).is_err(), &true)?;
            }
        }
        Ok(())
    });
}

#[test]
fn a_document_as_it_was_is_a_document() {
    for_all(CASES, histories(MOVES), |script| {
        let played = Played::run(script, |_, _, _| Ok(()))?;
        for doc in warm_and_cold(&played.docs[0])? {
            for state in &played.states {
                let mut then = at(&doc, &state.version)?;
                then.assert_invariants();
                same("version then", then.version(), &state.version)?;
                same("elements then", &then.elements().collect::<Vec<_>>(), &state.elements)?;
                same("runs then", &then.runs(), &state.runs)?;
                // It goes on: what came later makes it what everybody has.
                let rest = doc.delta_since(then.version());
                then.apply(&rest).map_err(|error| Failure::new(format!("delta refused: {error}")))?;
                same("runs after the rest", &then.runs(), &doc.runs())?;
            }
        }
        Ok(())
    });
}

#[test]
fn what_differs_turns_one_version_into_the_other() {
    some_histories(|doc, versions, random| {
        for _ in 0..8 {
            let [from, to] = [(); 2].map(|()| &versions[random.below(versions.len())]);
            let edits = doc.diff(from, to).map_err(refused)?;
            same("what differs", &replayed(&at(doc, from)?, &edits)?, &Shown::of(&at(doc, to)?))?;
        }
        same("nothing differs", &doc.diff(doc.version(), doc.version()), &Ok(Vec::new()))
    });
}

#[test]
fn named_texts_show_as_they_were() {
    some_histories(|doc, versions, _| {
        for version in versions {
            let then = at(doc, version)?;
            let named = |doc: &Doc| doc.text_named("notes").map(|text| text.text()).unwrap_or_default();
            let Some(notes) = doc.text_named("notes") else { continue };
            let text = notes.text_at(version).map_err(refused)?;
            same("named text then", &text, &named(&then))?;
            let utf16 = text.encode_utf16().count();
            same("all of it", &notes.slice_at_utf16(version, 0..utf16), &Ok(text))?;
            same("main text then", &doc.text_at(version), &Ok(then.text()))?;
        }
        Ok(())
    });
}

/// Goes through all of a history, to its end and back.
fn go_through(doc: &Doc, mut history: History) -> Checked {
    let mut shown = vec![Shown::default()];
    let mut said = VersionVector::new();
    let len = history.len();
    while let Some(step) = history.next() {
        same("goes on", &step.seqs.start, &said.get(step.replica))?;
        said.set(step.replica, step.seqs.end);
        same("version", history.version(), &said)?;
        let mut next = shown.last().expect("never empty").clone();
        next.replay(&step.edits)?;
        same("shown", &next, &Shown::of(&at(doc, history.version())?))?;
        same("text", &history.text(), &next.main.text())?;
        shown.push(next);
        same("position", &history.position(), &(shown.len() - 1))?;
    }
    same("everything was said", doc.version(), &said)?;
    same("steps", &shown.len(), &(len + 1))?;
    let mut now = shown.pop().expect("never empty");
    while let Some(step) = history.previous() {
        now.replay(&step.edits)?;
        said.set(step.replica, step.seqs.start);
        same("version", history.version(), &said)?;
        same("shown", &Some(&now), &shown.last())?;
        shown.pop();
    }
    same("back at the start", &history.position(), &0)?;
    same("nothing", &now, &Shown::default())
}

#[test]
fn a_history_goes_forwards_and_backwards() {
    some_histories(|doc, _, random| {
        let history = doc.history().map_err(refused)?;
        go_through(doc, history.clone())?;
        go_through(doc, history.clone().by_operation())?;
        // Anywhere.
        let mut history = if random.chance(50) { history } else { history.by_operation() };
        let mut now = Shown::default();
        for _ in 0..10 {
            let index = random.below(history.len() + 2);
            now.replay(&history.seek(index))?;
            same("position", &history.position(), &index.min(history.len()))?;
            same("shown", &now, &Shown::of(&at(doc, history.version())?))?;
            let step = if random.chance(50) { history.next() } else { history.previous() };
            now.replay(&step.map(|step| step.edits).unwrap_or_default())?;
            same("shown", &now, &Shown::of(&at(doc, history.version())?))?;
        }
        Ok(())
    });
}

#[test]
fn a_history_by_time_goes_by_what_was_recorded() {
    some_histories(|doc, versions, random| {
        // What was new in each version was recorded when it was seen first.
        let (mut authors, mut seen) = (Authors::new(), VersionVector::new());
        for (time, version) in versions.iter().enumerate() {
            for (replica, end) in version.iter() {
                let user = format!("user {}", replica.get() % 2);
                let seqs = seen.get(replica)..end;
                authors
                    .record(replica, seqs, &user, 10 * time as u64)
                    .map_err(|_| Failure::new("too long"))?;
            }
            seen.merge(version);
        }
        let history = doc.history_by_time(&authors).map_err(refused)?;
        go_through(doc, history.clone())?;
        let mut history = if random.chance(50) { history } else { history.by_operation() };
        let mut last = 0;
        for step in history.by_ref() {
            let recorded = authors.of(OpId::new(step.replica, step.seqs.start)).map(|(_, time)| time);
            same("time", &step.time_ms, &recorded)?;
            let time = step.time_ms.unwrap_or(last);
            same("is in order", &(time >= last), &true)?;
            last = time;
        }
        // Everything seen up to a version was said by then.
        let mut so_far = VersionVector::new();
        for (time, version) in versions.iter().enumerate() {
            so_far.merge(version);
            history.seek_time(10 * time as u64 + 3);
            same("version by time", history.version(), &so_far)?;
        }
        Ok(())
    });
}

#[test]
fn going_back_to_a_version_is_an_edit_like_any_other() {
    some_histories(|doc, versions, random| {
        let mut author = doc.clone();
        let mut reader = doc.at(ReplicaId::new(0x7e59), doc.version()).map_err(refused)?;
        for _ in 0..3 {
            let version = &versions[random.below(versions.len())];
            let then = at(doc, version)?;
            let (before, visible) = (Shown::of(&author), visible(&author));
            let mut undo = UndoManager::new(&author, UndoOptions::default());
            let edits = author.restore(version).map_err(refused)?;
            author.assert_invariants();
            same("shown", &Shown::of(&author), &Shown::of(&then))?;
            let mut replayed = before.clone();
            replayed.replay(&edits)?;
            same("shown by edits", &replayed, &Shown::of(&author))?;
            let now = self::visible(&author);
            let mut stayed = self::visible(&then).into_iter().filter(|id| visible.contains(id));
            same("what was there stays", &stayed.find(|id| !now.contains(id)), &None)?;

            undo.record(&author, 0);
            let undone = |undo: Result<Option<crdt_core::Undone>, EditError>| {
                undo.map(|_| ()).map_err(|error| Failure::new(format!("refused: {error}")))
            };
            undone(undo.undo(&mut author))?;
            same("shown when undone", &Shown::of(&author), &before)?;
            same("one step", &undo.can_undo(), &false)?;
            undone(undo.redo(&mut author))?;
            same("shown when done again", &Shown::of(&author), &Shown::of(&then))?;

            edit_at_random(&mut reader, random, 7);
            for _ in 0..2 {
                let delta = author.delta_since(reader.version());
                apply(&mut reader, &delta)?;
                let delta = reader.delta_since(author.version());
                apply(&mut author, &delta)?;
            }
            same("everybody has the same", &Shown::of(&reader), &Shown::of(&author))?;
            same("runs then", &author.runs_at(version).map_err(refused)?, &then.runs())?;
        }
        Ok(())
    });
}

fn visible(doc: &Doc) -> BTreeSet<OpId> {
    doc.elements().filter(|(_, shows)| *shows).map(|(id, _)| id).collect()
}

#[test]
fn who_wrote_it_and_who_deleted_it_is_told_of_all_text() {
    some_histories(|doc, _, random| {
        let text = doc.text();
        let len = text.chars().count();
        let start = random.below(len + 1);
        let part = start..start + random.below(len - start + 1);
        let refused = |error: EditError| Failure::new(format!("refused: {error}"));
        for range in [0..len, part] {
            let found = doc.attribution(range.clone()).map_err(refused)?;
            // Element by element, as the sequence has them.
            let visible = doc.elements().filter(|(_, shows)| *shows).map(|(id, _)| id);
            let expected: Vec<OpId> = visible.skip(range.start).take(range.len()).collect();
            let ids = found.iter().flat_map(|one| {
                (0..one.len)
                    .map(|at| OpId::new(one.id.replica, one.id.seq + u32::try_from(at).expect("small")))
            });
            same("elements", &ids.collect::<Vec<_>>(), &expected)?;
            let mut at = range.start;
            for one in &found {
                same("no gaps", &one.position, &at)?;
                same("position, UTF-16", &Ok(one.position_utf16), &doc.position_to_utf16(at))?;
                at += one.len;
                same("end, UTF-16", &Ok(one.position_utf16 + one.len_utf16), &doc.position_to_utf16(at))?;
            }
            same("to the end", &at, &range.end)?;

            let deleted = doc.deleted_text(range.clone()).map_err(refused)?;
            same("deleted text", &in_pieces(&deleted), &deleted_by_hand(doc, &range)?)?;
        }
        Ok(())
    });
}

/// Element by element: where, who inserted it, its text.
fn in_pieces(deleted: &[DeletedText]) -> Vec<(usize, OpId, char)> {
    let of_one = |one: &DeletedText| -> Vec<_> {
        let ids = (one.id.seq..).map(|seq| OpId::new(one.id.replica, seq));
        ids.zip(one.text.chars()).map(|(id, char)| (one.position, id, char)).collect()
    };
    deleted.iter().flat_map(of_one).collect()
}

fn deleted_by_hand(doc: &Doc, range: &Range<usize>) -> Checked<Vec<(usize, OpId, char)>> {
    let ops = decode_delta(&doc.delta_since(&VersionVector::new()), &Limits::DEFAULT)
        .map_err(|error| Failure::new(format!("delta refused: {error}")))?;
    let (mut texts, mut gone) = (BTreeMap::new(), BTreeSet::new());
    for op in &ops {
        let mut ids = (op.id.seq..).map(|seq| OpId::new(op.id.replica, seq));
        match &op.kind {
            OpKind::Insert { text, .. } => texts.extend(ids.zip(text.chars())),
            OpKind::InsertValue { .. } => texts.extend(ids.next().map(|id| (id, '\u{fffc}'))),
            OpKind::Delete { target, len, descending } => {
                gone.extend((0..*len).map(|at| {
                    let seq = if *descending { target.seq - at } else { target.seq + at };
                    OpId::new(target.replica, seq)
                }));
            }
        }
    }
    let len = doc.text().chars().count();
    let (mut at, mut found) = (0, Vec::new());
    for (id, shows) in doc.elements() {
        // Behind it, and behind all text, named sequences may start.
        if id == OpId::new(ReplicaId::new(0), 0) || at > range.end {
            break;
        }
        if shows {
            at += 1;
        } else if at >= range.start && gone.contains(&id) {
            found.push((at, id, texts[&id]));
        }
    }
    same("the main text", &(at <= len), &true)?;
    Ok(found)
}

#[test]
fn who_deleted_it_first_in_the_order_of_ids_is_told() {
    let mut docs: Vec<Doc> = (1..=3).map(|replica| Doc::new(ReplicaId::new(replica))).collect();
    docs[2].insert(0, "abcdef").unwrap();
    let delta = docs[2].delta_since(&VersionVector::new());
    docs[0].apply(&delta).unwrap();
    docs[1].apply(&delta).unwrap();
    docs[0].delete(2..4).unwrap();
    // Backspaced, and over what the first deleted.
    for end in (2..=5).rev() {
        docs[1].delete(end - 1..end).unwrap();
    }
    for from in [1, 2] {
        let delta = docs[from].delta_since(docs[0].version());
        docs[0].apply(&delta).unwrap();
    }
    let told: Vec<_> = docs[0].deleted_text(0..2).unwrap();
    let told: Vec<_> =
        told.iter().map(|one| (&*one.text, one.id.seq, one.by.replica.get(), one.by.seq)).collect();
    assert_eq!(told, [("b", 1, 2, 3), ("cd", 2, 1, 0), ("e", 4, 2, 0)]);
    assert_eq!(docs[0].text(), "af");
    let nothing = docs[0].deleted_text(0..0).unwrap();
    assert_eq!(nothing, []);
}

#[test]
fn versions_with_names_go_to_everybody_and_are_no_content() {
    let mut alice = Doc::new(ReplicaId::new(1));
    let mut bob = Doc::new(ReplicaId::new(2));
    alice.insert(0, "first").unwrap();
    let mut undo = UndoManager::new(&alice, UndoOptions { interval_ms: 0, replicas: Vec::new() });
    alice.set("title", Json::string("T")).unwrap();
    undo.record(&alice, 0);
    alice.name_version("draft").unwrap();
    assert!(!undo.record(&alice, 1), "to name a version is no edit");
    let edits = bob.apply(&alice.delta_since(bob.version())).unwrap();
    assert!(edits.iter().all(|edit| match edit {
        TextEdit::Register { name, .. } => &**name == "title",
        _ => true,
    }));
    assert_eq!(bob.registers().count(), 1);
    let draft = bob.named_version("draft").unwrap();
    assert_eq!(bob.text_at(&draft).as_deref(), Ok("first"));
    assert_eq!(bob.named_versions(), [("draft".to_owned(), draft.clone())]);

    // Both give one name: the later transaction holds everywhere.
    bob.insert(5, " second").unwrap();
    bob.name_version("final").unwrap();
    alice.name_version_at("final", &draft).unwrap();
    for _ in 0..2 {
        alice.apply(&bob.delta_since(alice.version())).unwrap();
        bob.apply(&alice.delta_since(bob.version())).unwrap();
    }
    assert_eq!(alice.named_versions(), bob.named_versions());
    assert_eq!(alice.named_versions().len(), 2);
    // Undoing and going back leave names alone.
    undo.undo(&mut alice).unwrap();
    assert_eq!(alice.get("title"), None);
    alice.restore(&draft).unwrap();
    assert_eq!((alice.text().as_str(), alice.get("title")), ("first", Some(&Json::string("T"))));
    assert_eq!(alice.named_versions(), bob.named_versions());
    alice.restore(&VersionVector::new()).unwrap();
    assert_eq!((alice.text().as_str(), alice.named_versions().len()), ("", 2));

    alice.forget_version("draft").unwrap();
    assert_eq!(alice.named_version("draft"), None);
    assert_eq!(alice.named_versions().len(), 1);
    let before = alice.version().clone();
    alice.forget_version("never given").unwrap();
    assert_eq!(alice.version(), &before);

    let name = "crdt:version:draft";
    assert_eq!(alice.set(name, Json::yes()), Err(EditError::ReservedName));
    assert_eq!(alice.get("crdt:version:final"), None);
    assert!(alice.name_version(&"x".repeat(1011)).is_ok());
    assert_eq!(alice.name_version(&"x".repeat(1012)), Err(EditError::NameTooLong { len_utf8: 1025 }));
    let mut later = draft.clone();
    later.set(ReplicaId::new(9), 1);
    assert!(matches!(alice.name_version_at("x", &later), Err(HistoryError::NotReached { .. })));
    let opened = Doc::from_snapshot(STRANGER, &alice.encode_snapshot()).unwrap();
    assert_eq!(opened.named_versions(), alice.named_versions());
}

#[test]
fn what_never_was_is_told() {
    let mut alice = Doc::new(ReplicaId::new(1));
    let mut bob = Doc::new(ReplicaId::new(2));
    alice.insert(0, "one").unwrap();
    bob.apply(&alice.delta_since(bob.version())).unwrap();
    bob.insert(3, " two").unwrap();
    bob.delete(0..1).unwrap();
    alice.apply(&bob.delta_since(alice.version())).unwrap();

    let version = |counts: &[(u64, u32)]| -> VersionVector {
        counts.iter().map(|&(replica, count)| (ReplicaId::new(replica), count)).collect()
    };
    let later = version(&[(1, 3), (2, 6)]);
    let not_reached = HistoryError::NotReached { replica: ReplicaId::new(2), asked: 6, reached: 5 };
    assert_eq!(alice.text_at(&later), Err(not_reached));
    assert_eq!(alice.at(STRANGER, &later).err(), Some(not_reached));
    assert_eq!(alice.diff(alice.version(), &later), Err(not_reached));
    // Bob wrote behind an element that Alice had written by then.
    for broken in [version(&[(1, 2), (2, 1)]), version(&[(2, 5)])] {
        assert!(matches!(alice.text_at(&broken), Err(HistoryError::NotAState { .. })));
        assert!(matches!(alice.at(STRANGER, &broken), Err(HistoryError::NotAState { .. })));
    }
    assert_eq!(alice.text_at(&version(&[(1, 2)])).as_deref(), Ok("on"));
    assert_eq!(alice.text_at(&version(&[(1, 3), (2, 3)])).as_deref(), Ok("one tw"));
    let in_use = HistoryError::ReplicaInUse { replica: ReplicaId::new(1) };
    assert_eq!(alice.at(ReplicaId::new(1), &version(&[(1, 3)])).err(), Some(in_use));
    assert_eq!(alice.at(ReplicaId::new(1), &VersionVector::new()).map(|doc| doc.text()).as_deref(), Ok(""));
}
