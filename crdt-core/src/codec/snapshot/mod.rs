//! Snapshots: everything a document holds, in document order, in one checked file.
//!
//! ```text
//! snapshot = "CRDT"  'S'  0x02  chunk *  checksum
//! chunk    = tag (1 byte)  length  length × byte
//! ```
//!
//! `checksum` is the CRC-32C of all bytes before it, four bytes, least significant first. Numbers are
//! varints where nothing else is said. Chunks come at most once each and in this order; an upper-case tag
//! that is not known is refused, a lower-case one skipped.
//!
//! ```text
//! 'V' version     replicas  (replica (8 bytes, least significant first)  operations) × replicas
//!                 Ascending, no count 0. A replica's place in this list is its index in all that follows.
//! 'I' items       see `items.rs`: runs of elements in document order
//! 'T' text        what is visible, in document order, UTF-8
//! 'X' text        what is deleted, in document order, UTF-8
//! 'A' anchors     see `anchors.rs`: where heads were placed, but for those that can be derived
//! 'D' deletions   see `deletions.rs`: per replica, in ascending seq
//! 'P' pending     a delta of the operations that wait, without their values
//! 'W' values      what elements carry, those that wait too: see `../carried.rs`
//! ```
//!
//! A chunk of nothing is left out. What loading needs is in 'V', 'I', 'T' and 'X'; 'A' and 'D' are history,
//! checked when loading and kept as they are until somebody asks for it.

mod anchors;
mod deletions;
mod items;
mod packed;

pub(crate) use anchors::{Anchors, AnchorsWriter, derived};
pub(crate) use deletions::{Deletion, Deletions, DeletionsWriter};
pub(crate) use items::{Items, ItemsWriter};

use super::carried::{Carried, read_carried};
use crate::bytes::{Reader, crc32c, write_bytes, write_u32_le, write_u64_le, write_varint};
use crate::error::DecodeError;
use crate::ids::{ReplicaId, Seq};
use crate::limits::Limits;
use alloc::vec::Vec;

const MAGIC: &[u8; 5] = b"CRDTS";
const VERSION: u8 = 2;
const CHECKSUM_BYTES: usize = 4;

/// A snapshot, taken apart: each part was read, or reads itself; nothing was checked against another.
#[derive(Clone)]
pub(crate) struct SnapshotParts<'a> {
    /// Ascending.
    pub(crate) version: Vec<(ReplicaId, Seq)>,
    pub(crate) items: Items<'a>,
    pub(crate) visible: &'a str,
    pub(crate) deleted: &'a str,
    pub(crate) anchors: &'a [u8],
    pub(crate) deletions: &'a [u8],
    /// A delta; empty if nothing waits.
    pub(crate) pending: &'a [u8],
    pub(crate) carried: Carried,
}

/// What is written into a snapshot. Replicas go by their place in `version`.
#[derive(Default)]
pub(crate) struct SnapshotWriter {
    /// Ascending, no count 0.
    pub(crate) version: Vec<(ReplicaId, Seq)>,
    pub(crate) items: ItemsWriter,
    pub(crate) anchors: AnchorsWriter,
    pub(crate) deletions: DeletionsWriter,
    pub(crate) pending: Vec<u8>,
    /// As [`write_carried`](crate::codec::carried::write_carried) wrote it.
    pub(crate) carried: Vec<u8>,
}

impl SnapshotWriter {
    pub(crate) fn finish(self) -> Vec<u8> {
        let Self { version, items, anchors, deletions, pending, carried } = self;
        let mut replicas = Vec::with_capacity(2 + 12 * version.len());
        if !version.is_empty() {
            write_varint(&mut replicas, version.len() as u64);
        }
        for (replica, count) in version {
            write_u64_le(&mut replicas, replica.get());
            write_varint(&mut replicas, u64::from(count));
        }
        let (items, visible, deleted) = items.finish();
        let chunks = [
            (b'V', replicas),
            (b'I', items),
            (b'T', visible),
            (b'X', deleted),
            (b'A', anchors.finish()),
            (b'D', deletions.finish()),
            (b'P', pending),
            (b'W', carried),
        ];
        let bytes: usize = chunks.iter().map(|(_, chunk)| chunk.len() + 11).sum();
        let mut out = Vec::with_capacity(MAGIC.len() + 1 + bytes + CHECKSUM_BYTES);
        out.extend_from_slice(MAGIC);
        out.push(VERSION);
        for (tag, chunk) in chunks.iter().filter(|(_, chunk)| !chunk.is_empty()) {
            out.push(*tag);
            write_bytes(&mut out, chunk);
        }
        let checksum = crc32c(&out);
        write_u32_le(&mut out, checksum);
        out
    }
}

/// Checks the checksum and takes a snapshot apart. O(bytes).
pub(crate) fn decode_snapshot(bytes: &[u8]) -> Result<SnapshotParts<'_>, DecodeError> {
    let mut reader = Reader::new(bytes);
    if reader.take(MAGIC.len())? != MAGIC {
        return Err(DecodeError::WrongFormat);
    }
    let version = reader.u8()?;
    if version != VERSION {
        return Err(DecodeError::UnsupportedVersion(version));
    }
    let len = reader.remaining().checked_sub(CHECKSUM_BYTES).ok_or(DecodeError::Truncated)?;
    let chunks = reader.take(len)?;
    if reader.u32_le()? != crc32c(&bytes[..bytes.len() - CHECKSUM_BYTES]) {
        return Err(DecodeError::ChecksumMismatch);
    }
    take_apart(chunks)
}

const TAGS: &[u8; 8] = b"VITXADPW";

fn take_apart(chunks: &[u8]) -> Result<SnapshotParts<'_>, DecodeError> {
    let mut found: [&[u8]; TAGS.len()] = [&[]; TAGS.len()];
    let mut next = 0;
    let mut reader = Reader::new(chunks);
    while !reader.is_empty() {
        let tag = reader.u8()?;
        let chunk = reader.bytes()?;
        match TAGS.iter().position(|&known| known == tag) {
            Some(place) if place >= next && !chunk.is_empty() => {
                found[place] = chunk;
                next = place + 1;
            }
            None if tag.is_ascii_lowercase() => {}
            _ => return Err(DecodeError::InvalidValue("chunk of a snapshot")),
        }
    }
    let [replicas, items, visible, deleted, anchors, deletions, pending, carried] = found;
    let carried = if carried.is_empty() {
        Carried::new()
    } else {
        read_carried(&mut Reader::new(carried), &Limits::DEFAULT)?
    };
    let text = |bytes| core::str::from_utf8(bytes).map_err(|_| DecodeError::InvalidText);
    Ok(SnapshotParts {
        version: read_version(replicas)?,
        items: Items::new(items)?,
        visible: text(visible)?,
        deleted: text(deleted)?,
        anchors,
        deletions,
        pending,
        carried,
    })
}

fn read_version(chunk: &[u8]) -> Result<Vec<(ReplicaId, Seq)>, DecodeError> {
    if chunk.is_empty() {
        return Ok(Vec::new());
    }
    let mut reader = Reader::new(chunk);
    let replicas = reader.count(9)?;
    let mut version: Vec<(ReplicaId, Seq)> = Vec::with_capacity(replicas);
    for _ in 0..replicas {
        let (replica, count) = (ReplicaId::new(reader.u64_le()?), reader.varint_u32()?);
        if count == 0 || version.last().is_some_and(|&(last, _)| last >= replica) {
            return Err(DecodeError::InvalidValue("version of a snapshot"));
        }
        version.push((replica, count));
    }
    reader.finish()?;
    Ok(version)
}
