//! 30,000 changed inputs of each kind: bytes flipped, ends cut off, two sound inputs spliced. None may stop the program, a refused one
//! changes nothing, and what a checksum covers is refused or what it was.

use crdt_core::{Doc, ReplicaId, VersionVector};
use crdt_testkit::chunks::{body, sealed};
use crdt_testkit::loaded::PROFILES;
use crdt_testkit::played::{Played, apply};
use crdt_testkit::random::Random;
use crdt_testkit::script::{Script, Step};
use crdt_testkit::told;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

const CASES: usize = 30_000;
const SOURCES: usize = 120;
const SEED: u64 = 5;
const ME: ReplicaId = ReplicaId::new(0x7e57);

/// A document that has some of a history, and what there is to hear of it.
struct Source {
    doc: Doc,
    /// Of `doc`, in each profile.
    snapshots: [Vec<u8>; 2],
    deltas: Vec<Vec<u8>>,
}

/// What became of the inputs of one kind.
#[derive(Debug, Default)]
struct Outcomes {
    refused: usize,
    /// Taken, with another content than any sound input.
    taken: usize,
    /// The change changed nothing.
    unchanged: usize,
}

fn sources(random: &mut Random) -> Vec<Source> {
    let mut sources = Vec::new();
    while sources.len() < SOURCES {
        let bytes: Vec<u8> = (0..12 + random.below(60)).map(|_| random.bits().to_le_bytes()[0]).collect();
        let mut script: Script = told::script(&bytes);
        // `Played` knows neither; what is said is said all the same.
        script.steps.retain(|(_, step)| !matches!(step, Step::Turn { .. } | Step::EditPlaced { .. }));
        let Ok(played) = Played::run(&script, |_, _, _| Ok(())) else { continue };
        if played.deltas.is_empty() {
            continue;
        }
        let mut doc = Doc::new(ME);
        for delta in &played.deltas {
            // What is left out lets others wait.
            if random.chance(60) {
                apply(&mut doc, delta).expect("what a document says is sound");
            }
        }
        if doc.version().is_empty() {
            continue;
        }
        let mut deltas = played.deltas;
        let end = &played.docs[0];
        deltas.push(end.delta_since(&VersionVector::new()));
        deltas.push(end.delta_since(doc.version()));
        deltas.retain(|delta| !delta.is_empty());
        let snapshots = PROFILES.map(|profile| doc.encode_snapshot_as(profile));
        sources.push(Source { snapshots, doc, deltas });
    }
    sources
}

/// One to three bytes flipped, the end cut off, or the front of one before the back of another.
fn changed(random: &mut Random, one: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = one.to_vec();
    match random.below(10) {
        0..=5 => {
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len());
                bytes[at] ^= u8::try_from(1 + random.below(255)).expect("at most 255");
            }
        }
        6 | 7 => bytes.truncate(random.below(bytes.len())),
        _ => {
            bytes.truncate(random.below(bytes.len() + 1));
            bytes.extend_from_slice(&other[random.below(other.len())..]);
        }
    }
    bytes
}

/// Runs all cases of one kind; `check` says whether the input was taken. A panic tells which input it was.
fn run(
    name: &str,
    mut next: impl FnMut() -> (Vec<u8>, bool),
    mut check: impl FnMut(&[u8]) -> bool,
) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for case in 0..CASES {
        let (bytes, is_sound) = next();
        let taken = catch_unwind(AssertUnwindSafe(|| check(&bytes)));
        let Ok(taken) = taken else {
            let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").expect("a string takes it");
                hex
            });
            panic!("{name}, case {case}: {hex}");
        };
        match (is_sound, taken) {
            (true, _) => outcomes.unchanged += 1,
            (false, true) => outcomes.taken += 1,
            (false, false) => outcomes.refused += 1,
        }
    }
    println!("{name}: {outcomes:?}");
    outcomes
}

/// A snapshot of a document opens as that document.
fn assert_saves(doc: &Doc) {
    let opened = Doc::from_snapshot(ME, &doc.encode_snapshot()).expect("an own snapshot opens");
    assert_eq!(opened.text(), doc.text());
    assert_eq!(opened.runs(), doc.runs());
    assert_eq!((opened.version(), opened.pending()), (doc.version(), doc.pending()));
}

#[test]
fn a_changed_delta_is_refused_without_a_trace_or_taken_whole() {
    let mut random = Random::new(SEED);
    let sources = sources(&mut random);
    let at = std::cell::Cell::new(0);
    let outcomes = run(
        "deltas",
        || {
            at.set(random.below(SOURCES));
            let deltas = &sources[at.get()].deltas;
            let one = &deltas[random.below(deltas.len())];
            // Half of the splices are of two histories.
            let others = &sources[if random.chance(50) { at.get() } else { random.below(SOURCES) }].deltas;
            let other = &others[random.below(others.len())];
            let bytes = changed(&mut random, one, other);
            let is_sound = bytes == *one || bytes == *other;
            (bytes, is_sound)
        },
        |bytes| {
            let source = &sources[at.get()];
            let mut doc = source.doc.clone();
            match doc.apply(bytes) {
                Err(_) => {
                    assert_eq!(doc.encode_snapshot(), source.snapshots[0], "a refused delta changes nothing");
                    false
                }
                Ok(_) => {
                    if doc.len() + doc.pending().operations < 10_000 {
                        doc.assert_invariants();
                    }
                    assert_saves(&doc);
                    let after = doc.encode_snapshot();
                    doc.apply(bytes).expect("the same again is known");
                    assert_eq!(doc.encode_snapshot(), after, "the same again changes nothing");
                    true
                }
            }
        },
    );
    assert!(outcomes.refused > CASES / 2, "{outcomes:?}");
    assert!(outcomes.taken > CASES / 20, "{outcomes:?}");
}

#[test]
fn a_changed_snapshot_is_refused() {
    let mut random = Random::new(SEED);
    let sources = sources(&mut random);
    let outcomes = run(
        "snapshots",
        || {
            let profile = random.below(2);
            let [one, other] = [0, 1].map(|_| &sources[random.below(SOURCES)].snapshots[profile]);
            let bytes = changed(&mut random, one, other);
            let is_sound = bytes == *one || bytes == *other;
            (bytes, is_sound)
        },
        |bytes| Doc::from_snapshot(ME, bytes).is_ok(),
    );
    assert_eq!(outcomes.taken, 0, "accepted with wrong content under a checksum");
    assert!(outcomes.refused > CASES * 9 / 10, "{outcomes:?}");
}

/// Under a right checksum it may open; then it is a document like any other (decision 0008 says what it may lie about).
#[test]
fn a_snapshot_that_lies_under_a_right_checksum_is_refused_or_a_document() {
    let mut random = Random::new(SEED);
    let sources = sources(&mut random);
    let outcomes = run(
        "snapshots with their checksums repaired",
        || {
            let profile = random.below(2);
            let [one, other] = [0, 1].map(|_| body(&sources[random.below(SOURCES)].snapshots[profile]));
            let bytes = changed(&mut random, one, other);
            let is_sound = bytes == one || bytes == other;
            (sealed(&bytes), is_sound)
        },
        |bytes| {
            let Ok(mut doc) = Doc::from_snapshot(ME, bytes) else { return false };
            assert_saves(&doc);
            doc.insert(doc.len() / 2, "é").expect("there is room");
            if doc.len() > 1 {
                doc.delete(0..1).expect("there is something");
            }
            assert_saves(&doc);
            let version = doc.version().clone();
            doc.apply(&sources[0].deltas[0]).ok();
            assert!(doc.version().covers(&version));
            true
        },
    );
    assert!(outcomes.refused > CASES / 2, "{outcomes:?}");
    assert!(outcomes.taken > CASES / 100, "{outcomes:?}");
}
