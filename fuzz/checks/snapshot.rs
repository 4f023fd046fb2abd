//! Bytes from outside as a snapshot under a right checksum: refused, or a document like any other.
//!
//! A snapshot can lie about the order of its elements and about what was placed where (decision 0008). So of what
//! opens, texts are compared, reading, editing, saving and decoding its history; only what turns out to
//! be the truth is held to all invariants.

use crdt_core::bytes::crc32c;
use crdt_core::codec::{decode_delta, encode_delta};
use crdt_core::{Anchor, Doc, Op, OpId, OpKind, ReplicaId, Side, TextEdit, VersionVector};

/// In front of the chunks.
pub(crate) const MAGIC: &[u8] = b"CRDTS\x02";

/// Opens the bytes as the chunks of a snapshot, and does with it what can be done.
pub(crate) fn check(chunks: &[u8]) {
    let me = ReplicaId::new(u64::MAX);
    let Ok(doc) = Doc::from_snapshot(me, &sealed(chunks)) else { return };
    assert_readable(&doc);
    let again = reopened(&doc);
    assert_eq!(again.encode_snapshot(), doc.encode_snapshot(), "what was saved has one form");

    let everything = doc.delta_since(&VersionVector::new());
    decode_delta(&everything).expect("a document reads what it wrote");
    // Whoever gets the operations alone may come to another order, or refuse them: then it was a lie.
    let mut told = Doc::new(ReplicaId::new(u64::MAX - 1));
    let is_true = told.apply(&everything).is_ok() && told.encode_snapshot() == doc.encode_snapshot();
    if is_true {
        assert_eq!((told.text(), told.pending()), (doc.text(), doc.pending()));
        again.assert_invariants();
    }

    let mut thawed = doc.clone();
    thawed.decode_history_since(&VersionVector::new());
    assert_same(&thawed, &doc);
    assert_eq!(thawed.delta_since(&VersionVector::new()), everything, "decoded once and for all");
    let mut edited = doc;
    edit(&mut edited, chunks);
    edit(&mut thawed, chunks);
    assert_same(&thawed, &edited);
    assert_same(&reopened(&edited), &edited);
    match edited.apply(&edited.delta_since(&VersionVector::new())) {
        Ok(edits) => assert_eq!(edits, [], "what is known changes nothing"),
        Err(error) => assert!(!is_true, "{error}"),
    }
    assert_same(&thawed, &edited);
}

/// A snapshot of these chunks.
pub(crate) fn sealed(chunks: &[u8]) -> Vec<u8> {
    let mut bytes = [MAGIC, chunks].concat();
    let checksum = crc32c(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

fn reopened(doc: &Doc) -> Doc {
    let opened = Doc::from_snapshot(doc.replica(), &doc.encode_snapshot()).expect("an own snapshot opens");
    assert_same(&opened, doc);
    opened
}

fn assert_same(doc: &Doc, expected: &Doc) {
    assert_eq!(doc.text(), expected.text());
    assert_eq!((doc.version(), doc.pending()), (expected.version(), expected.pending()));
    assert!(doc.elements().eq(expected.elements()), "the same elements in the same order");
}

fn assert_readable(doc: &Doc) {
    let text = doc.text();
    assert_eq!(doc.len(), text.chars().count());
    assert_eq!(doc.len_utf16(), text.encode_utf16().count());
    assert_eq!(doc.slice(0..doc.len()).as_ref(), Ok(&text));
    for position in 0..=doc.len().min(300) {
        let utf16 = doc.position_to_utf16(position).expect("a position of the text");
        assert_eq!(doc.position_from_utf16(utf16), Ok(position));
        for side in [Side::Before, Side::After] {
            let anchor = doc.anchor_at(position, side).expect("a position of the text");
            assert_eq!(doc.resolve(&anchor), Some(position), "{anchor:?}");
        }
    }
    let mut ids: Vec<_> = doc.elements().collect();
    assert_eq!(ids.iter().filter(|(_, visible)| *visible).count(), doc.len());
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup_by_key(|(id, _)| *id);
    assert_eq!(ids.len(), count, "no element stands twice");
}

/// Edits of one's own and of strangers where the last bytes say, each compared with the same on a plain text.
fn edit(doc: &mut Doc, bytes: &[u8]) {
    let mut plain: Vec<char> = doc.text().chars().collect();
    let elements: Vec<OpId> = doc.elements().map(|(id, _)| id).collect();
    let steps = bytes.rchunks_exact(2).take(12).zip(0..);
    for (&[kind, at], step) in steps.map(|(chunk, step)| (<&[u8; 2]>::try_from(chunk).expect("two"), step)) {
        let at = usize::from(at) * (plain.len() + 1) / 256;
        let id = OpId::new(ReplicaId::new(u64::MAX - 2 - step), 0);
        let element = elements.get(usize::from(kind) * elements.len() / 256).copied();
        match (kind % 4, element) {
            (0, _) => {
                let text = ["x", "é😀", "a longer text"][usize::from(kind / 4) % 3];
                if doc.insert(at, text).is_ok() {
                    plain.splice(at..at, text.chars());
                }
            }
            (1, _) => {
                let end = plain.len().min(at + usize::from(kind / 4) % 8);
                if doc.delete(at..end).is_ok() {
                    plain.drain(at..end);
                }
            }
            (2, Some(target)) => {
                let kind = OpKind::Delete { target, len: 1, descending: false };
                apply(doc, Op { id, kind }, &mut plain);
            }
            (_, element) => {
                let side = if step % 2 == 0 { Side::Before } else { Side::After };
                let anchor = element.map_or(Anchor::START, |id| Anchor { element: Some(id), side });
                apply(doc, Op { id, kind: OpKind::Insert { anchor, text: "ü!".into() } }, &mut plain);
            }
        }
        assert!(doc.text().chars().eq(plain.iter().copied()), "as on a plain text");
    }
    assert_readable(doc);
}

fn apply(doc: &mut Doc, op: Op, plain: &mut Vec<char>) {
    let version = doc.version().clone();
    let Ok(edits) = doc.apply(&encode_delta(&[op])) else {
        assert_eq!(*doc.version(), version, "a refused delta changes nothing");
        return;
    };
    for edit in edits {
        match edit {
            TextEdit::Insert { position, text, .. } => drop(plain.splice(position..position, text.chars())),
            TextEdit::Delete { position, len, .. } => drop(plain.drain(position..position + len)),
            TextEdit::Embed { position, .. } => plain.insert(position, '\u{fffc}'),
            _ => {}
        }
    }
}
