//! Deltas as bytes, over random histories: merged, cut and described without a document, they mean what documents make of them.

use crdt_core::codec::{Limits, delta_version, diff_delta, merge_deltas, validate_delta};
use crdt_core::{Doc, ReplicaId, VersionVector};
use crdt_testkit::histories::{for_all, histories};
use crdt_testkit::played::{Played, apply};
use crdt_testkit::random::Random;
use crdt_testkit::{Checked, Failure, same};

const CASES: u32 = 300;
const MOVES: usize = 40;

/// A replica that no history names.
const STRANGER: ReplicaId = ReplicaId::new(0x7e57);

fn merged(deltas: &[Vec<u8>]) -> Checked<Vec<u8>> {
    let deltas: Vec<&[u8]> = deltas.iter().map(Vec::as_slice).collect();
    merge_deltas(&deltas, &Limits::DEFAULT).map_err(|error| Failure::new(format!("merge: {error}")))
}

fn listener(deltas: &[Vec<u8>]) -> Checked<Doc> {
    let mut doc = Doc::new(STRANGER);
    deltas.iter().try_for_each(|delta| apply(&mut doc, delta))?;
    Ok(doc)
}

fn same_docs(one: &Doc, other: &Doc) -> Checked {
    same("version", one.version(), other.version())?;
    same("pending", &one.pending(), &other.pending())?;
    same("runs", &one.runs(), &other.runs())?;
    same("registers", &one.registers().collect::<Vec<_>>(), &other.registers().collect())?;
    same("elements", &one.elements().collect::<Vec<_>>(), &other.elements().collect())
}

#[test]
fn applying_what_was_merged_is_applying_all_of_it() {
    for_all(CASES, histories(MOVES), |script| {
        let played = Played::run(script, |_, _, _| Ok(()))?;
        let mut random = Random::new(script.steps.len() as u64);
        let mut deltas = played.deltas.clone();
        random.shuffle(&mut deltas);
        played.check_listener(&[merged(&deltas)?])?;

        // Some of them, so that some operations wait; merged in parts, some twice.
        deltas.retain(|_| random.chance(60));
        let middle = random.below(deltas.len() + 1);
        let (one, other) = (merged(&deltas[..middle])?, merged(&deltas[middle / 2..])?);
        let all = merged(&deltas)?;
        same_docs(&listener(&deltas)?, &listener(std::slice::from_ref(&all))?)?;
        same_docs(&listener(&deltas)?, &listener(&[other.clone(), one.clone()])?)?;
        same("merging what was merged", &merged(&[other, one])?, &all)
    });
}

#[test]
fn what_is_cut_by_a_version_is_what_a_document_of_that_version_takes() {
    for_all(CASES, histories(MOVES), |script| {
        let played = Played::run(script, |_, _, _| Ok(()))?;
        let mut random = Random::new(script.steps.len() as u64);
        let whole = played.docs[0].delta_since(&VersionVector::new());
        for state in played.states.iter().filter(|_| random.chance(25)) {
            let wrong = |error| Failure::new(format!("diff: {error}"));
            let rest = diff_delta(&whole, &state.version, &Limits::DEFAULT).map_err(wrong)?;
            let asked = played.docs[0].delta_since(&state.version);
            same("the rest", &rest, &merged(&[asked])?)?;

            let seen = listener(std::slice::from_ref(&whole))?.delta_since(&VersionVector::new());
            let front = cut_back(&seen, &state.version)?;
            let mut doc = listener(&[front])?;
            same("version", doc.version(), &state.version)?;
            apply(&mut doc, &rest)?;
            same_docs(&doc, &listener(std::slice::from_ref(&whole))?)?;
        }
        Ok(())
    });
}

/// What a version has seen of a delta of everything.
fn cut_back(whole: &[u8], version: &VersionVector) -> Checked<Vec<u8>> {
    let doc = listener(&[whole.to_vec()])?;
    let parts: Vec<Vec<u8>> =
        version.iter().map(|(replica, count)| doc.delta_of(replica, 0..count)).collect();
    merged(&parts)
}

#[test]
fn what_a_delta_is_said_to_hold_is_what_it_brings() {
    for_all(CASES, histories(MOVES), |script| {
        let played = Played::run(script, |_, _, _| Ok(()))?;
        let wrong = |error| Failure::new(format!("own delta: {error}"));
        let mut doc = Doc::new(STRANGER);
        for delta in &played.deltas {
            let version = delta_version(delta, &Limits::DEFAULT).map_err(wrong)?;
            let summary = validate_delta(delta, &Limits::DEFAULT).map_err(wrong)?;
            let count: u64 = version.ranges().iter().map(|(_, range)| range.len() as u64).sum();
            same("operations", &summary.operations, &count)?;
            same("follows", &version.follows(doc.version()), &true)?;
            let before = doc.version().clone();
            apply(&mut doc, delta)?;
            let mut after = before.clone();
            after.merge(&version.end());
            same("version", doc.version(), &after)?;
            same("brings news", &version.brings_news_to(&before), &(before != after))?;
            same("brings it again", &version.brings_news_to(&after), &false)?;
        }
        Ok(())
    });
}

#[test]
fn a_version_that_claims_too_much_takes_neither_time_nor_memory() {
    let mut doc = Doc::new(ReplicaId::new(1));
    doc.insert(0, "little").unwrap();
    let claims: VersionVector = (0..1 << 20).map(|n| (ReplicaId::new(n * 4099), u32::MAX)).collect();
    let bytes = claims.encode();
    let claims = VersionVector::decode(&bytes, &Limits::DEFAULT).unwrap();
    // With claims of 2^52 operations, anything that went through them would not come back.
    let delta = doc.delta_since(&VersionVector::new());
    assert_eq!(doc.delta_since(&claims), delta);
    assert_eq!(diff_delta(&delta, &claims, &Limits::DEFAULT).unwrap(), delta);
    assert!(claims.covers(&claims) && !claims.covers(doc.version()));
    assert!(
        !delta_version(&delta, &Limits::DEFAULT).unwrap().follows(&VersionVector::new()) || doc.len() == 6
    );
    doc.decode_history_since(&claims);
    let mut merged = doc.version().clone();
    merged.merge(&claims);
    assert_eq!(merged.len(), claims.len() + 1);
    let mut more = VersionVector::decode(&bytes, &Limits::DEFAULT).unwrap();
    more.set(ReplicaId::new(1), 3);
    assert_eq!(doc.delta_since(&more), doc.delta_of(ReplicaId::new(1), 3..u32::MAX));
    // One more replica than may be.
    let many: VersionVector = (0..(1 << 20) + 1).map(|n| (ReplicaId::new(n), 1)).collect();
    assert!(VersionVector::decode(&many.encode(), &Limits::DEFAULT).is_err());
}
