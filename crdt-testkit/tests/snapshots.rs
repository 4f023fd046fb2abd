//! What a snapshot keeps, and what a lying one can do.

use crdt_core::bytes::{crc32c, write_bytes, write_u64_le, write_varint};
use crdt_core::codec::{Limits, decode_delta, encode_delta};
use crdt_core::{
    Anchor, ApplyError, DecodeError, Doc, Op, OpId, OpKind, ReplicaId, Side, TextEdit, VersionVector,
};
use crdt_testkit::histories::{for_all, histories};
use crdt_testkit::loaded::PROFILES;
use crdt_testkit::model::ModelOp;
use crdt_testkit::plain::PlainText;
use crdt_testkit::played::{Played, apply};
use crdt_testkit::random::Random;
use crdt_testkit::{Checked, Failure, cells, same};
use proptest::prelude::any;

/// A snapshot in one of the profiles.
fn encode(doc: &Doc, random: &mut Random) -> Vec<u8> {
    doc.encode_snapshot_as(PROFILES[usize::from(random.chance(50))])
}

fn open(replica: u64, snapshot: &[u8]) -> Checked<Doc> {
    Doc::from_snapshot(ReplicaId::new(replica), snapshot)
        .map_err(|error| Failure::new(format!("own snapshot refused: {error}")))
}

/// The operations of a delta one by one, by id: replicas and runs may be cut and ordered differently.
fn ops(delta: &[u8]) -> Checked<Vec<ModelOp>> {
    let runs = decode_delta(delta, &Limits::DEFAULT)
        .map_err(|error| Failure::new(format!("delta refused: {error}")))?;
    let mut ops: Vec<_> = runs.iter().flat_map(ModelOp::from_run).collect();
    ops.sort_by_key(|op| op.id);
    Ok(ops)
}

fn same_documents(doc: &Doc, expected: &Doc, versions: &[VersionVector]) -> Checked {
    same("text", &doc.text(), &expected.text())?;
    same("runs", &doc.runs(), &expected.runs())?;
    same("registers", &doc.registers().collect::<Vec<_>>(), &expected.registers().collect())?;
    same("slice", &doc.slice(0..doc.len()), &expected.slice(0..expected.len()))?;
    same("version", doc.version(), expected.version())?;
    same("pending", &doc.pending(), &expected.pending())?;
    same("elements", &doc.elements().collect::<Vec<_>>(), &expected.elements().collect::<Vec<_>>())?;
    for version in versions {
        same("delta since", &ops(&doc.delta_since(version))?, &ops(&expected.delta_since(version))?)?;
    }
    doc.assert_invariants();
    Ok(())
}

/// Loaded documents hold, say and do what the saved ones do, also when saved again on the way, cold or not.
#[test]
fn a_loaded_document_goes_on_as_the_saved_one_would() {
    for_all(300, (histories(30), any::<u64>()), |(script, seed)| {
        let played = Played::run(script, |_, _, _| Ok(()))?;
        let mut random = Random::new(*seed);
        // One that lacks some deltas, so that others wait.
        let mut saved = Doc::new(ReplicaId::new(77));
        for delta in &played.deltas {
            if !random.chance(15) {
                apply(&mut saved, delta)?;
            }
        }
        let mut versions: Vec<_> = played.states.iter().map(|state| state.version.clone()).collect();
        versions.push(VersionVector::new());
        let mut loaded = open(77, &encode(&saved, &mut random))?;
        same_documents(&loaded, &saved, &versions)?;
        let mut others = played.deltas.clone();
        random.shuffle(&mut others);
        for delta in &others {
            if random.chance(30) {
                for doc in [&mut saved, &mut loaded] {
                    let len = doc.len();
                    let text = ["x", "é😀", "a longer text"][len % 3];
                    doc.insert(len / 2, text).map_err(|error| Failure::new(error.to_string()))?;
                    let end = (len / 3 + 2).min(doc.len());
                    doc.delete(len / 3..end).map_err(|error| Failure::new(error.to_string()))?;
                }
            }
            if random.chance(15) {
                loaded = open(77, &encode(&loaded, &mut random))?;
            }
            // One may tell in two edits what the other tells in one: they come to the same.
            let before = PlainText::of(&saved);
            let shown = |edits: Result<Vec<TextEdit>, ApplyError>| -> Checked<Result<PlainText, ApplyError>> {
                let edits = match edits {
                    Ok(edits) => edits,
                    Err(error) => return Ok(Err(error)),
                };
                let mut shown = before.clone();
                edits.iter().try_for_each(|edit| shown.replay(edit))?;
                Ok(Ok(shown))
            };
            let (one, other) = (saved.apply(delta), loaded.apply(delta));
            same("events", &shown(other)?, &shown(one)?)?;
            if random.chance(20) {
                same_documents(&loaded, &saved, &versions)?;
            }
        }
        same_documents(&loaded, &saved, &versions)?;
        same_documents(&open(77, &loaded.encode_snapshot())?, &saved, &versions)
    });
}

/// Whoever repairs the checksum gets inside. What is taken then works like any document, however little sense
/// it makes.
#[test]
fn a_lying_snapshot_is_refused_or_harmless() {
    for_all(400, (histories(25), any::<u64>()), |(script, seed)| {
        let played = Played::run(script, |_, _, _| Ok(()))?;
        let mut random = Random::new(*seed);
        let mut saved = Doc::new(ReplicaId::new(77));
        for delta in &played.deltas {
            if !random.chance(10) {
                apply(&mut saved, delta)?;
            }
        }
        let snapshot = encode(&saved, &mut random);
        for _ in 0..60 {
            let mut changed = snapshot[..snapshot.len() - 4].to_vec();
            for _ in 0..=random.below(3) {
                let at = 6 + random.below(changed.len() - 5);
                match random.below(6) {
                    0 => changed.truncate(at),
                    1 if at < changed.len() => drop(changed.remove(at)),
                    2 => changed.insert(at, random.bits().to_le_bytes()[0]),
                    3 if at < changed.len() => changed[at] = random.bits().to_le_bytes()[0],
                    _ if at < changed.len() => changed[at] ^= 1 << random.below(8),
                    _ => {}
                }
            }
            let checksum = crc32c(&changed);
            changed.extend_from_slice(&checksum.to_le_bytes());
            if let Ok(doc) = Doc::from_snapshot(ReplicaId::new(88), &changed) {
                work_with(doc, &played.deltas, &mut random)?;
            }
        }
        Ok(())
    });
}

/// Everything that can be done with a document, in any order. A step may fail; nothing may panic, and the
/// document stays one.
fn work_with(mut doc: Doc, deltas: &[Vec<u8>], random: &mut Random) -> Checked {
    // What is made up may claim more operations than can be listed.
    let elements: Vec<OpId> = doc.elements().map(|(id, _)| id).collect();
    for step in 0..12 {
        match random.below(7) {
            0 => {
                let _ = doc.insert(random.below(doc.len() + 1), ["a", "é", "xyz"][random.below(3)]);
            }
            1 if !doc.is_empty() => {
                let start = random.below(doc.len());
                let end = (start + 1 + random.below(4)).min(doc.len());
                let _ = doc.delete(start..end);
            }
            2 | 3 if !deltas.is_empty() => drop(doc.apply(&deltas[random.below(deltas.len())])),
            4 if !elements.is_empty() => {
                // Where siblings are likely to meet.
                let element = elements[random.below(elements.len())];
                let side = if random.chance(50) { Side::After } else { Side::Before };
                let id = OpId::new(ReplicaId::new(1000 + step), 0);
                let kind =
                    OpKind::Insert { anchor: Anchor { element: Some(element), side }, text: "s".to_owned() };
                drop(doc.apply(&encode_delta(&[Op { id, kind }])));
            }
            5 => drop(doc.delta_since(&VersionVector::new())),
            _ => {
                doc = Doc::from_snapshot(doc.replica(), &doc.encode_snapshot())
                    .map_err(|error| Failure::new(format!("what was taken is refused: {error}")))?;
            }
        }
        same("length", &doc.text().chars().count(), &doc.len())?;
        same("text of the runs", &cells::text(&cells::cells(&doc.runs())), &doc.text())?;
        same("slice", &doc.slice(0..doc.len()), &Ok(doc.text()))?;
    }
    Ok(())
}

/// Its tag and its bytes.
type Chunk = (u8, Vec<u8>);

/// Magic, version and no features.
const HEAD: &[u8] = b"CRDTS\x03\0\0";

/// A snapshot of these chunks, with a right checksum.
fn sealed(chunks: &[Chunk]) -> Vec<u8> {
    let mut bytes = HEAD.to_vec();
    for (tag, chunk) in chunks {
        bytes.extend([*tag, 0]);
        write_bytes(&mut bytes, chunk);
    }
    seal(bytes)
}

fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = crc32c(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

/// The chunk of a replica table: so many replicas, each with as many operations.
fn replicas(count: u64, operations: u64) -> Chunk {
    let mut chunk = Vec::new();
    write_varint(&mut chunk, count);
    for replica in 0..count {
        write_u64_le(&mut chunk, replica);
        write_varint(&mut chunk, operations);
    }
    (b'V', chunk)
}

/// Varints, then bytes.
fn numbers(varints: &[u64], bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    varints.iter().for_each(|&number| write_varint(&mut out, number));
    out.extend_from_slice(bytes);
    out
}

fn refusal(snapshot: &[u8]) -> DecodeError {
    match Doc::from_snapshot(ReplicaId::new(88), snapshot) {
        Err(ApplyError::Decode(error)) => error,
        other => panic!("a bomb was not refused as bytes: {other:?}"),
    }
}

const HUGE: u64 = 1 << 60;
const MOST: u64 = u32::MAX as u64;
/// An item: head of a run, one element, seq 0.
const ITEM: [u8; 2] = [0x02, 0];

/// Room is made for what the bytes left can hold, and not for what they declare: this test would not end well
/// otherwise.
#[test]
fn a_snapshot_that_declares_more_than_its_bytes_hold_is_refused() {
    let v = || replicas(1, 1);
    let delta = |varints: &[u64]| (b'P', [&[0xd2][..], &numbers(varints, &[0; 40])].concat());
    let truncated: &[&[Chunk]] = &[
        &[(b'V', numbers(&[HUGE], &[0; 40]))],
        &[(b'V', numbers(&[1_000_000], &[0; 18]))],
        &[v(), (b'I', numbers(&[HUGE, 0], &[0; 40]))],
        &[v(), (b'I', numbers(&[1, HUGE], &ITEM))],
        // Two switches of replica, of which neither is there.
        &[v(), (b'I', numbers(&[2, 2], &[0x82, 0x82]))],
        &[v(), (b'I', numbers(&[1, 0], &ITEM)), (b'T', b"x".to_vec()), (b'D', numbers(&[HUGE, 0], &[0; 40]))],
        &[delta(&[HUGE])],
        &[delta(&[1, 0, HUGE])],
        &[(b'P', [&[0x00][..], &[7; 8], &numbers(&[0, HUGE], b"x")].concat())],
    ];
    for chunks in truncated {
        assert_eq!(refusal(&sealed(chunks)), DecodeError::Truncated, "{chunks:02x?}");
    }
    for tag in *b"VITXADKJLRESPWz" {
        let bytes = [HEAD, &[tag, 0], &numbers(&[HUGE], &[0; 40])].concat();
        assert_eq!(refusal(&seal(bytes)), DecodeError::Truncated, "chunk {}", char::from(tag));
    }
}

/// Numbers that are each allowed, and that nothing stands behind.
#[test]
fn a_snapshot_that_claims_operations_it_does_not_hold_is_refused() {
    let million = 1_000_000;
    let invalid: &[(&str, &[Chunk])] = &[
        // 2^52 operations: not one element, not one deletion.
        ("deletion", &[replicas(million, MOST)]),
        ("deletion", &[replicas(million, 1)]),
        // One element of all those, and a deletion of it as long as its replica.
        (
            "deletion",
            &[
                replicas(1, MOST),
                (b'I', numbers(&[1, 0], &ITEM)),
                (b'T', b"x".to_vec()),
                (b'D', numbers(&[1, 0], &[0x03, 0xfd, 0xff, 0xff, 0xff, 0])),
            ],
        ),
        // An item of 2^32 - 1 elements with a text of one; one of 2^32, which is none.
        (
            "item",
            &[
                replicas(1, MOST),
                (b'I', numbers(&[1, 0], &[0x1a, 0xfe, 0xff, 0xff, 0xff, 0])),
                (b'T', b"x".to_vec()),
            ],
        ),
        (
            "item",
            &[
                replicas(1, MOST),
                (b'I', numbers(&[1, 0], &[0x1a, 0xff, 0xff, 0xff, 0xff, 0])),
                (b'T', b"x".to_vec()),
            ],
        ),
        // An item beyond the operations of its replica.
        ("item", &[replicas(1, 1), (b'I', numbers(&[1, 0], &[0x02, 2])), (b'T', b"x".to_vec())]),
        // An anchor of the head 2^60.
        (
            "anchor in a snapshot",
            &[
                replicas(1, 1),
                (b'I', numbers(&[1, 0], &ITEM)),
                (b'T', b"x".to_vec()),
                (b'A', numbers(&[HUGE, 0], &[])),
            ],
        ),
    ];
    for (what, chunks) in invalid {
        let error = refusal(&sealed(chunks));
        let chunks: Vec<_> = chunks.iter().map(|(tag, chunk)| (char::from(*tag), chunk.len())).collect();
        assert_eq!(error, DecodeError::InvalidValue(what), "{chunks:?}");
    }
    // The same, when it is true: what the helpers above write is what a snapshot holds.
    let true_one = sealed(&[replicas(1, 1), (b'I', numbers(&[1, 0], &ITEM)), (b'T', b"x".to_vec())]);
    assert_eq!(Doc::from_snapshot(ReplicaId::new(88), &true_one).map(|doc| doc.text()), Ok("x".to_owned()));
}

/// Deltas and snapshots as the version before wrote them: "hi", typed by replica 1.
#[test]
fn what_an_older_format_wrote_is_refused_by_its_version() {
    let delta = [&[0xd1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2 << 3][..], b"hi"].concat();
    let expected = DecodeError::UnsupportedVersion(1);
    assert_eq!(Doc::new(ReplicaId::new(2)).apply(&delta), Err(ApplyError::Decode(expected)));
    assert_eq!(decode_delta(&delta, &Limits::DEFAULT), Err(expected));
    assert_eq!(refusal(&seal([b"CRDTS\x01", &delta[..]].concat())), expected);
}
