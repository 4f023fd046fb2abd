//! Snapshots: everything a document holds, in one checked file.
//!
//! `docs/format.md` describes format 3 byte by byte. A snapshot is a frame of chunks (`chunks.rs`), each of which may be
//! compressed, and holds the operations in one of two ways:
//!
//! - *in document order* (`items.rs`, `anchors.rs`, `deletions.rs`): runs of elements as they stand, text that shows, text
//!   that is deleted, where heads were placed, which elements the deletions name. Loading builds the tree from the bottom
//!   up and integrates nothing; 'A' and 'D' are history, checked when loading and kept as they are until somebody asks
//!   for it. The *fast* profile.
//! - *in the order of time* (`timed.rs`): edits at positions, as somebody would make them. Loading makes them again. The
//!   *compact* profile, unless part of the past was trimmed.
//!
//! Both are followed by what waits ('P', a delta) and what elements carry ('W').

mod anchors;
mod chunks;
mod deletions;
mod items;
mod lz4;
mod packed;
#[cfg_attr(not(feature = "compact"), allow(dead_code, reason = "only the compact profile is written so"))]
mod timed;

pub(crate) use anchors::{Anchors, AnchorsWriter, Derived, derived};
pub(crate) use chunks::{Unknown, chunk_sizes};
pub(crate) use deletions::{Deletion, Deletions, DeletionsWriter};
pub(crate) use items::{Items, ItemsWriter, Textless};
pub(crate) use timed::{Timed, TimedEdit, TimedKind, TimedWriter};

use super::carried::{Carried, read_carried_of};
use crate::bytes::{Reader, write_u64_le, write_varint};
use crate::error::DecodeError;
use crate::ids::{ReplicaId, Seq};
use crate::limits::Limits;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use chunks::{ChunksWriter, FEATURE_TIMED, FEATURE_TRIMMED, Frame};

/// How a snapshot is written. Every version of this library with the feature `compact` reads both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotProfile {
    /// Opens fastest: everything in document order, text as LZ4.
    #[default]
    Fast,
    /// Smallest: operations in the order of time, everything as DEFLATE. Opening makes each edit again.
    #[cfg(feature = "compact")]
    Compact,
}

/// A snapshot, taken apart: each part was read, or reads itself; nothing was checked against another.
pub(crate) struct SnapshotParts<'a> {
    /// Ascending.
    pub(crate) version: Vec<(ReplicaId, Seq)>,
    pub(crate) past: PastParts<'a>,
    /// A delta; empty if nothing waits.
    pub(crate) pending: Cow<'a, [u8]>,
    pub(crate) carried: Carried,
    pub(crate) unknown: Unknown,
}

/// The operations of a snapshot.
pub(crate) enum PastParts<'a> {
    InDocumentOrder {
        items: Cow<'a, [u8]>,
        textless: Cow<'a, [u8]>,
        /// Up to where the past of each replica was trimmed; empty if none was.
        floors: Vec<Seq>,
        /// What shows, `visible` bytes, then what is deleted.
        text: String,
        visible: usize,
        anchors: Cow<'a, [u8]>,
        deletions: Cow<'a, [u8]>,
    },
    InOrderOfTime(Timed<'a>),
}

/// What is written into a snapshot. Replicas go by their place in `version`.
pub(crate) struct SnapshotWriter {
    /// Ascending, no count 0.
    pub(crate) version: Vec<(ReplicaId, Seq)>,
    pub(crate) past: PastWriter,
    pub(crate) pending: Vec<u8>,
    /// As [`write_carried`](crate::codec::carried::write_carried) wrote it.
    pub(crate) carried: Vec<u8>,
}

pub(crate) enum PastWriter {
    InDocumentOrder {
        items: ItemsWriter,
        /// Up to where the past of each replica was trimmed.
        floors: Vec<Seq>,
        anchors: AnchorsWriter,
        deletions: DeletionsWriter,
    },
    InOrderOfTime(TimedWriter),
}

impl PastWriter {
    /// What is read of a snapshot of it, which is in document order.
    pub(crate) fn into_parts(self) -> PastParts<'static> {
        let Self::InDocumentOrder { items, floors, anchors, deletions } = self else {
            unreachable!("asked for what is in document order");
        };
        let [items, textless, mut text, mut deleted] = items.finish();
        let visible = text.len();
        text.append(&mut deleted);
        PastParts::InDocumentOrder {
            items: Cow::Owned(items),
            textless: Cow::Owned(textless),
            floors,
            text: String::from_utf8(text).expect("the text of a document"),
            visible,
            anchors: Cow::Owned(anchors.finish()),
            deletions: Cow::Owned(deletions.finish()),
        }
    }
}

impl SnapshotWriter {
    pub(crate) fn finish(self, profile: SnapshotProfile, unknown: &Unknown) -> Vec<u8> {
        let Self { version, past, pending, carried } = self;
        let mut replicas = Vec::with_capacity(2 + 12 * version.len());
        if !version.is_empty() {
            write_varint(&mut replicas, version.len() as u64);
        }
        for (replica, count) in version {
            write_u64_le(&mut replicas, replica.get());
            write_varint(&mut replicas, u64::from(count));
        }
        let mut out;
        match past {
            PastWriter::InDocumentOrder { items, floors, anchors, deletions } => {
                let [items, textless, visible, deleted] = items.finish();
                let (anchors, deletions) = (anchors.finish(), deletions.finish());
                let parts = [&replicas, &items, &visible, &deleted, &anchors, &deletions, &pending, &carried];
                out = ChunksWriter::new(profile, unknown, parts.map(Vec::len).iter().sum());
                out.numbers(b'V', &replicas);
                if floors.iter().any(|&floor| floor > 0) {
                    out.require(FEATURE_TRIMMED);
                    let mut chunk = Vec::new();
                    for floor in floors {
                        write_varint(&mut chunk, u64::from(floor));
                    }
                    out.numbers(b'F', &chunk);
                }
                out.numbers(b'I', &items);
                out.numbers(b'G', &textless);
                out.text(b'T', &visible);
                out.text(b'X', &deleted);
                out.numbers(b'A', &anchors);
                out.numbers(b'D', &deletions);
            }
            PastWriter::InOrderOfTime(timed) => {
                out = ChunksWriter::new(profile, unknown, 0);
                out.require(FEATURE_TIMED);
                out.numbers(b'V', &replicas);
                timed.finish(&mut out);
            }
        }
        out.numbers(b'P', &pending);
        out.text(b'W', &carried);
        out.finish()
    }
}

const TAGS: &[u8; 16] = b"VFIGTXADKJLRESPW";

/// Checks the checksum and takes a snapshot apart. O(bytes), of what comes out of compressed chunks too.
pub(crate) fn decode_snapshot<'a>(
    bytes: &'a [u8],
    limits: &Limits,
) -> Result<SnapshotParts<'a>, DecodeError> {
    const INVALID: DecodeError = DecodeError::InvalidValue("chunk of a snapshot");
    let mut frame = Frame::open(bytes, limits)?;
    let (chunks, unknown) = frame.chunks(TAGS)?;
    let is_timed = frame.features & FEATURE_TIMED != 0;
    let [version, floors, items, textless, visible, deleted, anchors, deletions, rest @ ..] = chunks;
    let [timed @ .., pending, carried] = rest;
    let in_order = [floors, items, textless, visible, deleted, anchors, deletions];
    if (if is_timed { &in_order[..] } else { &timed[..] }).iter().any(|chunk| !chunk.is_empty()) {
        return Err(INVALID);
    }
    let is_trimmed = frame.features & FEATURE_TRIMMED != 0;
    if is_trimmed == floors.is_empty() || !is_trimmed && !textless.is_empty() {
        return Err(INVALID);
    }
    let version = read_version(&frame.bytes(version)?, limits)?;
    let past = if is_timed {
        PastParts::InOrderOfTime(Timed::read(&mut frame, timed)?)
    } else {
        let (text, visible) = frame.joined([visible, deleted])?;
        limits.check_text(text.len())?;
        let text = String::from_utf8(text).map_err(|_| DecodeError::InvalidText)?;
        if !text.is_char_boundary(visible) {
            return Err(DecodeError::InvalidText);
        }
        PastParts::InDocumentOrder {
            items: frame.bytes(items)?,
            textless: frame.bytes(textless)?,
            floors: read_floors(&frame.bytes(floors)?, &version)?,
            text,
            visible,
            anchors: frame.bytes(anchors)?,
            deletions: frame.bytes(deletions)?,
        }
    };
    let pending = frame.bytes(pending)?;
    let carried = match frame.bytes(carried)? {
        carried if carried.is_empty() => Carried::new(),
        carried => {
            let text = match &past {
                PastParts::InDocumentOrder { text, .. } => text.as_bytes(),
                PastParts::InOrderOfTime(timed) => timed.text().as_bytes(),
            };
            read_carried_of(&[text, &pending], &mut Reader::new(&carried), limits)?
        }
    };
    Ok(SnapshotParts { version, past, pending, carried, unknown })
}

/// One for each replica, none beyond its operations, and not all 0; nothing if there is no chunk.
fn read_floors(chunk: &[u8], version: &[(ReplicaId, Seq)]) -> Result<Vec<Seq>, DecodeError> {
    let mut floors = Vec::new();
    if chunk.is_empty() {
        return Ok(floors);
    }
    let mut reader = Reader::new(chunk);
    for &(_, count) in version {
        let floor = reader.varint_u32()?;
        if floor > count {
            return Err(DecodeError::InvalidValue("floor of a snapshot"));
        }
        floors.push(floor);
    }
    reader.finish()?;
    if floors.iter().all(|&floor| floor == 0) {
        return Err(DecodeError::InvalidValue("floor of a snapshot"));
    }
    Ok(floors)
}

fn read_version(chunk: &[u8], limits: &Limits) -> Result<Vec<(ReplicaId, Seq)>, DecodeError> {
    if chunk.is_empty() {
        return Ok(Vec::new());
    }
    let mut reader = Reader::new(chunk);
    let replicas = reader.count(9)?;
    limits.check_replicas(replicas)?;
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
