//! What the frame of a snapshot promises: features, chunks that are not known, compression.

use crdt_core::bytes::crc32c;
use crdt_core::codec::{Limits, SnapshotProfile};
use crdt_core::{ApplyError, DecodeError, Doc, Json, ReplicaId};

const PROFILES: [SnapshotProfile; 2] = [SnapshotProfile::Fast, SnapshotProfile::Compact];
/// Where the chunks start: behind magic, version, and two bytes of features.
const CHUNKS: usize = 8;

fn open(bytes: &[u8]) -> Result<Doc, ApplyError> {
    Doc::from_snapshot(ReplicaId::new(99), bytes)
}

fn refusal(bytes: &[u8]) -> DecodeError {
    match open(bytes) {
        Err(ApplyError::Decode(error)) => error,
        other => panic!("not refused as bytes: {other:?}"),
    }
}

/// Replaces the checksum by a right one.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - 4);
    let checksum = crc32c(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

/// Text that is worth compressing, with marks, an embed, tombstones and a register.
fn rich_document() -> Doc {
    let mut doc = Doc::new(ReplicaId::new(7));
    let words = "the quick brown fox jumps over the lazy dog, and then the quick brown dog sleeps. ";
    doc.insert(0, &words.repeat(8)).unwrap();
    doc.delete(40..140).unwrap();
    doc.insert(40, "né 漢字 😀").unwrap();
    doc.mark(3..9, "bold", Json::yes()).unwrap();
    doc.insert_embed(10, Json::parse(r#"{"image":"a.png"}"#).unwrap()).unwrap();
    doc.set("title", Json::string("Foxes")).unwrap();
    doc
}

#[test]
fn both_profiles_open_as_the_same_document_and_compress() {
    let doc = rich_document();
    for profile in PROFILES {
        let bytes = doc.encode_snapshot_as(profile);
        assert!(bytes.len() < doc.text().len(), "{profile:?}: {} bytes", bytes.len());
        let opened = open(&bytes).unwrap();
        assert_eq!(opened.text(), doc.text());
        assert_eq!(opened.runs(), doc.runs());
        assert_eq!(opened.version(), doc.version());
        assert!(opened.encode_snapshot() == doc.encode_snapshot(), "{profile:?}");
        assert!(opened.encode_snapshot_as(profile) == bytes, "{profile:?}");
        opened.assert_invariants();
    }
}

#[test]
fn the_compact_profile_is_in_the_order_of_time_with_marks_and_embeds_too() {
    let bytes = rich_document().encode_snapshot_as(SnapshotProfile::Compact);
    assert_eq!(bytes[6] & 0b110, 0b110, "DEFLATE, in the order of time");
    assert_eq!(rich_document().encode_snapshot()[6], 0b001, "LZ4");
}

#[test]
fn an_optional_chunk_that_is_not_known_is_kept_and_written_back() {
    for profile in PROFILES {
        let mut bytes = rich_document().encode_snapshot_as(profile);
        // An optional feature, and a chunk 'q' of coding 9 behind the others.
        bytes[7] = 0x40;
        let end = bytes.len() - 4;
        bytes.splice(end..end, [b'q', 9, 3, 1, 2, 3]);
        let bytes = sealed(bytes);
        let opened = open(&bytes).unwrap();
        assert_eq!(opened.text(), rich_document().text());
        assert!(opened.encode_snapshot_as(profile) == bytes, "{profile:?}");
        assert!(opened.clone().encode_snapshot_as(profile) == bytes, "{profile:?}");
    }
}

#[test]
fn what_has_to_be_known_is_refused_unless_it_is() {
    let bytes = rich_document().encode_snapshot();
    let mut needs_more = bytes.clone();
    needs_more[6] |= 0x40;
    assert_eq!(refusal(&sealed(needs_more)), DecodeError::UnsupportedFeatures(0x40));
    let mut chunk = bytes.clone();
    chunk.splice(CHUNKS..CHUNKS, [b'Q', 0, 1, 1]);
    assert_eq!(refusal(&sealed(chunk)), DecodeError::InvalidValue("chunk of a snapshot"));
    let mut version = bytes.clone();
    version[5] = 4;
    assert_eq!(refusal(&sealed(version)), DecodeError::UnsupportedVersion(4));
    let mut undeclared = bytes.clone();
    undeclared[6] = 0;
    assert_eq!(refusal(&sealed(undeclared)), DecodeError::InvalidValue("chunk of a snapshot"));
    let mut flipped = bytes;
    flipped[20] ^= 1;
    assert_eq!(refusal(&flipped), DecodeError::ChecksumMismatch);
}

#[test]
fn what_comes_out_of_compressed_chunks_is_limited() {
    let doc = rich_document();
    for profile in PROFILES {
        let bytes = doc.encode_snapshot_as(profile);
        let mut limits = Limits::default();
        limits.max_decompressed_bytes = 100;
        let refused = Doc::from_snapshot_within(ReplicaId::new(1), &bytes, &limits);
        let expected = DecodeError::LimitExceeded("decompressed bytes");
        assert_eq!(refused.err(), Some(ApplyError::Decode(expected)), "{profile:?}");
    }
}

/// What would be denser than anybody believes stays as it is, so that it opens again.
#[test]
fn text_of_one_letter_opens_again() {
    let mut doc = Doc::new(ReplicaId::new(1));
    doc.insert(0, &"a".repeat(6 << 20)).unwrap();
    for profile in PROFILES {
        let opened = open(&doc.encode_snapshot_as(profile)).unwrap();
        assert_eq!(opened.len(), doc.len());
    }
}
