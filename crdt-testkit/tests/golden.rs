//! Golden files are read for ever: they are there, unchanged, and hold what stands beside them. The decoder in
//! `js/test/format`, written after `docs/format.md` alone, reads the same files.

use crdt_core::bytes::crc32c;
use crdt_core::codec::{
    Limits, SnapshotProfile, decode_delta, encode_delta, merge_deltas, snapshot_chunks, validate_delta,
};
use crdt_core::log::LogStore;
use crdt_core::{Anchor, Authors, DecodeError, Doc, VersionVector};
use crdt_testkit::golden;
use crdt_testkit::storage::Disk;
use serde_json::{Map, Value as Shape, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/golden"))
}

fn manifest() -> Map<String, Shape> {
    serde_json::from_slice(&fs::read(folder().join("manifest.json")).unwrap()).unwrap()
}

/// Every golden file: its name, bytes, and what stands beside it.
fn files() -> impl Iterator<Item = (String, Vec<u8>, Shape)> {
    manifest().into_iter().map(|(name, _)| {
        let bytes = fs::read(folder().join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let beside = fs::read(folder().join(format!("{name}.json"))).unwrap();
        (name, bytes, serde_json::from_slice(&beside).unwrap())
    })
}

fn format_of(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, format)| format)
}

/// The chunks that a golden snapshot has and nobody knows.
fn unknown(shape: &Shape) -> Vec<(char, Vec<u8>)> {
    let byte = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
    let chunk = |chunk: &Shape| {
        let (tag, hex) = (chunk["tag"].as_str().unwrap(), chunk["hex"].as_str().unwrap());
        (tag.chars().next().unwrap(), hex.as_bytes().chunks(2).map(byte).collect())
    };
    shape["unknown"].as_array().unwrap().iter().map(chunk).collect()
}

#[test]
fn golden_files_are_there_and_as_they_were() {
    let manifest = manifest();
    for (name, crc) in &manifest {
        let bytes = fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name} is gone: {error}"));
        assert_eq!(format!("{:08x}", crc32c(&bytes)), crc.as_str().unwrap(), "{name} has changed");
    }
    let there: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".json"))
        .collect();
    assert_eq!(there, manifest.keys().cloned().collect(), "all that are there are in the manifest");
    // So many there were when they were first written: whoever takes one away has to take it from here, too.
    assert!(manifest.len() >= 39, "{} golden files", manifest.len());
}

#[test]
fn golden_files_hold_what_stands_beside_them() {
    for (name, bytes, shape) in files() {
        let read = match format_of(&name) {
            "delta" => golden::delta(&bytes).unwrap(),
            "snapshot" => {
                let unknown = unknown(&shape);
                let unknown: Vec<_> = unknown.iter().map(|(tag, bytes)| (*tag, bytes.as_slice())).collect();
                golden::snapshot(&bytes, &unknown)
            }
            "log" => golden::log(&bytes).unwrap(),
            "authors" => golden::authors(&Authors::decode(&bytes, &Limits::DEFAULT).unwrap()),
            "version" => {
                let version = VersionVector::decode(&bytes, &Limits::DEFAULT).unwrap();
                json!({ "format": "version", "seen": golden::version(&version) })
            }
            "anchor" => {
                let anchor = Anchor::decode(&bytes).unwrap();
                json!({ "format": "anchor", "anchor": golden::anchor(&anchor) })
            }
            format => panic!("{format} is no format"),
        };
        assert_eq!(read, shape, "{name}");
    }
}

/// Where a format has one form for what it holds, it is written as it was.
#[test]
fn golden_files_are_written_again_as_they_are() {
    for (name, bytes, _) in files() {
        let again = match format_of(&name) {
            "delta" if bytes == [0xc2] => continue,
            "delta" => {
                assert!(validate_delta(&bytes, &Limits::DEFAULT).is_ok(), "{name}");
                let again = encode_delta(&decode_delta(&bytes, &Limits::DEFAULT).unwrap());
                assert_eq!(golden::delta(&again), golden::delta(&bytes), "{name}, taken apart");
                merge_deltas(&[&bytes, &bytes], &Limits::DEFAULT).unwrap()
            }
            "authors" => Authors::decode(&bytes, &Limits::DEFAULT).unwrap().encode(),
            "version" => VersionVector::decode(&bytes, &Limits::DEFAULT).unwrap().encode(),
            "anchor" => Anchor::decode(&bytes).unwrap().encode(),
            _ => continue,
        };
        assert_eq!(again, bytes, "{name}");
    }
}

/// Snapshots may be written otherwise one day, but hold the same; so do those that are written now of what was opened.
#[test]
fn golden_snapshots_are_saved_and_opened_again() {
    for (name, bytes, shape) in files().filter(|(name, ..)| name.ends_with(".snapshot")) {
        let doc = Doc::from_snapshot(golden::READER, &bytes).unwrap();
        doc.assert_invariants();
        for profile in [SnapshotProfile::Fast, SnapshotProfile::Compact] {
            let saved = doc.encode_snapshot_as(profile);
            let again = Doc::from_snapshot(golden::READER, &saved).unwrap();
            again.assert_invariants();
            for (key, held) in golden::document(&again) {
                assert_eq!(held, shape[&key], "{name} as {profile:?}: {key}");
            }
            let chunks = |bytes| snapshot_chunks(bytes, &Limits::DEFAULT).unwrap();
            assert_eq!(chunks(&saved).optional_features, chunks(&bytes).optional_features, "{name}");
            for (tag, held) in unknown(&shape) {
                assert!(chunks(&saved).chunks.iter().any(|chunk| chunk.tag == tag), "{name}: {tag}");
                assert!(saved.windows(held.len()).any(|window| window == held), "{name}: {tag}");
            }
        }
        if shape["floors"].as_object().unwrap().is_empty() {
            let mut told = Doc::new(golden::READER);
            told.apply(&doc.delta_since(&VersionVector::new())).unwrap();
            for (key, held) in golden::document(&told) {
                assert_eq!(held, shape[&key], "{name} as a delta: {key}");
            }
        }
    }
}

/// `refused.json` is written by `js/test/unit/format.test.ts`: golden files broken in one way each.
#[test]
fn what_is_broken_is_refused() {
    let list: Vec<Shape> = serde_json::from_slice(&fs::read(folder().join("refused.json")).unwrap()).unwrap();
    let mut taken = Vec::new();
    for one in &list {
        let text = |key: &str| one[key].as_str().unwrap();
        let digits = text("hex").as_bytes().chunks(2);
        let bytes: Vec<u8> =
            digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect();
        let refused = match text("format") {
            "delta" => Doc::new(golden::READER).apply(&bytes).is_err(),
            "snapshot" => Doc::from_snapshot(golden::READER, &bytes).is_err(),
            "log" => is_refused_log(&bytes),
            "authors" => Authors::decode(&bytes, &Limits::DEFAULT).is_err(),
            "version" => VersionVector::decode(&bytes, &Limits::DEFAULT).is_err(),
            "anchor" => Anchor::decode(&bytes).is_err(),
            format => panic!("{format} is no format"),
        };
        if !refused {
            taken.push(format!("{}: {}", text("format"), text("rule")));
        }
    }
    assert!(list.len() > 150, "{} in the list", list.len());
    assert_eq!(taken, Vec::<String>::new());
}

/// Whether the bytes are refused as a log by what opens it, which knows the kinds of records.
fn is_refused_log(bytes: &[u8]) -> bool {
    let disk = Disk::new(0);
    disk.set_log(bytes.to_vec());
    LogStore::open(disk, golden::READER, Limits::DEFAULT).is_err()
}

#[test]
fn what_has_to_be_known_and_is_not_is_named() {
    let bytes = Doc::new(golden::READER).encode_snapshot();
    let mut bytes = bytes[..bytes.len() - 4].to_vec();
    bytes[6] |= 0x20;
    bytes.extend_from_slice(&crc32c(&bytes.clone()).to_le_bytes());
    let refused = Doc::from_snapshot(golden::READER, &bytes).map(|_| ());
    assert_eq!(refused, Err(DecodeError::UnsupportedFeatures(0x20).into()));
}
