//! What was: a document shows every version that it has passed through as it was seen then.

use crdt_core::{Doc, HistoryError, ReplicaId, TextEdit, VersionVector};
use crdt_testkit::cells::{self, cells};
use crdt_testkit::histories::{for_all, histories};
use crdt_testkit::plain::PlainText;
use crdt_testkit::played::{Played, State};
use crdt_testkit::random::Random;
use crdt_testkit::{Checked, Failure, same};

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
fn warm_and_cold(played: &Played) -> Checked<[Doc; 2]> {
    let warm = played.docs[0].clone();
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

/// Shows what the edits make of a document.
fn replayed(before: &Doc, edits: &[TextEdit]) -> Checked<PlainText> {
    let mut plain = PlainText::of(before);
    edits.iter().try_for_each(|edit| plain.replay(edit))?;
    Ok(plain)
}

#[test]
fn every_version_shows_as_it_was_seen_then() {
    for_all(CASES, histories(MOVES), |script| {
        let played = Played::run(script, |_, _, _| Ok(()))?;
        for doc in warm_and_cold(&played)? {
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
        for doc in warm_and_cold(&played)? {
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
    for_all(CASES, histories(MOVES), |script| {
        let played = Played::run(script, |_, _, _| Ok(()))?;
        let mut random = Random::new(script.steps.len() as u64);
        for doc in warm_and_cold(&played)? {
            for _ in 0..8 {
                let [from, to] = [(); 2].map(|()| &played.states[random.below(played.states.len())].version);
                let edits = doc.diff(from, to).map_err(refused)?;
                replayed(&at(&doc, from)?, &edits)?.check(&at(&doc, to)?)?;
            }
            same("nothing differs", &doc.diff(doc.version(), doc.version()), &Ok(Vec::new()))?;
        }
        Ok(())
    });
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
