//! What a snapshot is made of, without opening it.

use super::snapshot::chunk_sizes;
use crate::error::DecodeError;
use crate::limits::Limits;
use alloc::vec::Vec;

/// The parts of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SnapshotChunks {
    /// The bits of what a reader has to know.
    pub required_features: u64,
    /// The bits of what it need not.
    pub optional_features: u64,
    /// The chunks, as they stand.
    pub chunks: Vec<ChunkSize>,
}

/// The size of one chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ChunkSize {
    /// What it is, a letter in `docs/format.md`; one in lower case may be skipped.
    pub tag: char,
    /// How it is written.
    pub coding: ChunkCoding,
    /// In bytes, as it stands in the file.
    pub stored_bytes: u64,
    /// In bytes, as it says itself, once it is decompressed.
    pub plain_bytes: u64,
}

/// How a chunk is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum ChunkCoding {
    /// As it is.
    Plain,
    /// As an LZ4 block.
    Lz4,
    /// As a DEFLATE stream.
    Deflate,
    /// In a way that this version does not know.
    Unknown(u8),
}

/// Says what a snapshot is made of. Checks its checksum and takes nothing apart. O(bytes).
///
/// # Errors
/// Whatever is wrong with the frame; what is inside the chunks is not looked at.
///
/// # Examples
/// ```
/// use crdt_core::codec::{Limits, snapshot_chunks};
/// use crdt_core::{Doc, ReplicaId};
///
/// let mut doc = Doc::new(ReplicaId::new(1));
/// doc.insert(0, "text")?;
/// let parts = snapshot_chunks(&doc.encode_snapshot(), &Limits::DEFAULT)?;
/// let text = parts.chunks.iter().find(|chunk| chunk.tag == 'T').expect("there is text");
/// assert_eq!(text.plain_bytes, 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn snapshot_chunks(snapshot: &[u8], limits: &Limits) -> Result<SnapshotChunks, DecodeError> {
    chunk_sizes(snapshot, limits)
}
