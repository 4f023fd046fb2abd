//! The frame of a snapshot: header, feature bits, chunks that may be compressed, checksum.
//!
//! `docs/format.md` has the bytes. A chunk is known here by its tag only.

use super::{SnapshotProfile, lz4};
use crate::bytes::{Reader, crc32c, write_u32_le, write_varint};
use crate::codec::Limits;
use crate::codec::inspect::{ChunkCoding, ChunkSize, SnapshotChunks};
use crate::error::DecodeError;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

const MAGIC: &[u8; 5] = b"CRDTS";
const VERSION: u8 = 3;
const CHECKSUM_BYTES: usize = 4;
/// Where the required features stand, which take one byte.
const FEATURES_AT: usize = MAGIC.len() + 1;

/// A chunk is an LZ4 block.
const LZ4: u8 = 1;
/// A chunk is a DEFLATE stream.
const DEFLATE: u8 = 2;
/// Required features: what a reader has to know to read the chunks at all.
const FEATURE_LZ4: u64 = 1;
const FEATURE_DEFLATE: u64 = 1 << 1;
/// Operations in the order of time in place of items.
pub(super) const FEATURE_TIMED: u64 = 1 << 2;
/// Part of the past was dropped.
pub(super) const FEATURE_TRIMMED: u64 = 1 << 3;

const KNOWN: u64 = FEATURE_LZ4 | FEATURE_DEFLATE | FEATURE_TIMED | FEATURE_TRIMMED;
const READABLE: u64 = if cfg!(feature = "compact") { KNOWN } else { KNOWN & !FEATURE_DEFLATE };

/// So many bytes may come out of one of the file, and so many more: what is written denser stays as it is.
const EXPANSION: usize = 64;
const EXPANSION_FREE: usize = 4 << 20;

/// Shorter chunks are not worth compressing.
const SHORT: usize = 64;

/// What a snapshot holds that this version does not know and need not: kept, and written back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unknown {
    /// Optional feature bits.
    features: u64,
    chunks: Vec<UnknownChunk>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct UnknownChunk {
    tag: u8,
    coding: u8,
    bytes: Box<[u8]>,
}

/// A chunk as it stands in the file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chunk<'a> {
    coding: u8,
    bytes: &'a [u8],
}

/// Writes a snapshot, chunk by chunk.
pub(super) struct ChunksWriter<'a> {
    profile: SnapshotProfile,
    out: Vec<u8>,
    features: u64,
    unknown: &'a Unknown,
}

impl<'a> ChunksWriter<'a> {
    /// `bytes` is about what all chunks have.
    pub(super) fn new(profile: SnapshotProfile, unknown: &'a Unknown, bytes: usize) -> Self {
        let mut out = Vec::with_capacity(bytes + 256);
        out.extend_from_slice(MAGIC);
        out.push(VERSION);
        out.push(0);
        write_varint(&mut out, unknown.features);
        Self { profile, out, features: 0, unknown }
    }

    pub(super) fn require(&mut self, feature: u64) {
        self.features |= feature;
    }

    /// Appends a chunk, unless it is empty; compressed if that makes it smaller.
    pub(super) fn text(&mut self, tag: u8, bytes: &[u8]) {
        let worth_it = |(_, packed): &(u8, Vec<u8>)| is_worth_it(bytes.len(), packed.len());
        let compressed = match self.profile {
            SnapshotProfile::Fast => lz4(bytes).filter(worth_it),
            #[cfg(feature = "compact")]
            SnapshotProfile::Compact => {
                deflate(bytes).filter(worth_it).or_else(|| lz4(bytes).filter(worth_it))
            }
        };
        match compressed {
            Some((coding, packed)) => self.push(tag, coding, &packed),
            None => self.push(tag, 0, bytes),
        }
    }

    /// As [`ChunksWriter::text`], of numbers that are packed already: in the fast profile they stay as they are.
    pub(super) fn numbers(&mut self, tag: u8, bytes: &[u8]) {
        match self.profile {
            SnapshotProfile::Fast => self.push(tag, 0, bytes),
            #[cfg(feature = "compact")]
            SnapshotProfile::Compact => self.text(tag, bytes),
        }
    }

    fn push(&mut self, tag: u8, coding: u8, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.features |= feature_of(coding);
        self.out.extend([tag, coding]);
        write_varint(&mut self.out, bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        for UnknownChunk { tag, coding, bytes } in &self.unknown.chunks {
            self.push(*tag, *coding, bytes);
        }
        debug_assert!(self.features < 0x80, "the features take one byte");
        self.out[FEATURES_AT] = (self.features & 0x7f) as u8;
        let checksum = crc32c(&self.out);
        write_u32_le(&mut self.out, checksum);
        self.out
    }
}

fn feature_of(coding: u8) -> u64 {
    match coding {
        LZ4 => FEATURE_LZ4,
        DEFLATE => FEATURE_DEFLATE,
        _ => 0,
    }
}

fn is_worth_it(bytes: usize, packed: usize) -> bool {
    packed < bytes && bytes / EXPANSION <= packed
}

/// The size of what comes out, and the block.
fn lz4(bytes: &[u8]) -> Option<(u8, Vec<u8>)> {
    if bytes.len() < SHORT {
        return None;
    }
    let mut out = Vec::with_capacity(64 + bytes.len() / 2);
    write_varint(&mut out, bytes.len() as u64);
    lz4::compress(bytes, &mut out);
    Some((LZ4, out))
}

/// The size of what comes out, and the stream.
#[cfg(feature = "compact")]
fn deflate(bytes: &[u8]) -> Option<(u8, Vec<u8>)> {
    /// The level that searches longest.
    const LEVEL: u8 = 10;
    if bytes.len() < SHORT {
        return None;
    }
    let mut out = Vec::new();
    write_varint(&mut out, bytes.len() as u64);
    out.append(&mut miniz_oxide::deflate::compress_to_vec(bytes, LEVEL));
    Some((DEFLATE, out))
}

/// How many bytes came out, if the stream ends with the bytes and there was room for them.
#[cfg(feature = "compact")]
fn inflate(packed: &[u8], out: &mut [u8]) -> Option<usize> {
    use miniz_oxide::inflate::TINFLStatus;
    use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};
    let flags = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let (status, read, written) = decompress(&mut DecompressorOxide::new(), packed, out, 0, flags);
    (status == TINFLStatus::Done && read == packed.len()).then_some(written)
}

/// What is read of a snapshot before its chunks are.
pub(super) struct Frame<'a> {
    pub(super) features: u64,
    optional: u64,
    rest: Reader<'a>,
    /// How many bytes may yet come out of compressed chunks.
    room: usize,
}

impl<'a> Frame<'a> {
    /// Checks header and checksum. O(bytes).
    pub(super) fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(DecodeError::WrongFormat);
        }
        let version = reader.u8()?;
        if version != VERSION {
            return Err(DecodeError::UnsupportedVersion(version));
        }
        if bytes.len() > limits.max_input_bytes {
            return Err(DecodeError::LimitExceeded("bytes of a snapshot"));
        }
        let len = reader.remaining().checked_sub(CHECKSUM_BYTES).ok_or(DecodeError::Truncated)?;
        let mut rest = Reader::new(reader.take(len)?);
        if reader.u32_le()? != crc32c(&bytes[..bytes.len() - CHECKSUM_BYTES]) {
            return Err(DecodeError::ChecksumMismatch);
        }
        let features = rest.varint()?;
        if features & !READABLE != 0 {
            return Err(DecodeError::UnsupportedFeatures(features & !READABLE));
        }
        let optional = rest.varint()?;
        let room = bytes.len().saturating_mul(EXPANSION).saturating_add(EXPANSION_FREE);
        Ok(Self { features, optional, rest, room: room.min(limits.max_decompressed_bytes) })
    }

    /// The chunks whose tags are `known`, which stand in that order, and all others if they may be skipped.
    pub(super) fn chunks<const N: usize>(
        &mut self,
        known: &[u8; N],
    ) -> Result<([Chunk<'a>; N], Unknown), DecodeError> {
        const INVALID: DecodeError = DecodeError::InvalidValue("chunk of a snapshot");
        let mut found = [Chunk::default(); N];
        let mut unknown = Unknown { features: self.optional, chunks: Vec::new() };
        let mut next = 0;
        while !self.rest.is_empty() {
            let (tag, coding) = (self.rest.u8()?, self.rest.u8()?);
            let bytes = self.rest.bytes()?;
            let is_coded = feature_of(coding) & !self.features == 0;
            match known.iter().position(|&known| known == tag) {
                Some(place) if place >= next && !bytes.is_empty() && coding <= DEFLATE && is_coded => {
                    found[place] = Chunk { coding, bytes };
                    next = place + 1;
                }
                // Each at most once, so there are few.
                None if tag.is_ascii_lowercase()
                    && !bytes.is_empty()
                    && unknown.chunks.iter().all(|chunk| chunk.tag != tag) =>
                {
                    unknown.chunks.push(UnknownChunk { tag, coding, bytes: bytes.into() });
                }
                _ => return Err(INVALID),
            }
        }
        Ok((found, unknown))
    }

    /// The bytes of a chunk. O(bytes).
    pub(super) fn bytes(&mut self, chunk: Chunk<'a>) -> Result<Cow<'a, [u8]>, DecodeError> {
        if chunk.coding == 0 {
            return Ok(Cow::Borrowed(chunk.bytes));
        }
        let mut out = vec![0; self.room_for(chunk)?];
        chunk.unpack(&mut out)?;
        Ok(Cow::Owned(out))
    }

    /// The bytes of two chunks, one behind the other, and where the second starts.
    pub(super) fn joined(&mut self, chunks: [Chunk<'a>; 2]) -> Result<(Vec<u8>, usize), DecodeError> {
        let [first, second] = chunks;
        let middle = self.room_for(first)?;
        let end = self.room_for(second)?.checked_add(middle).ok_or(DecodeError::InvalidNumber)?;
        let mut out = vec![0; end];
        let (front, back) = out.split_at_mut(middle);
        first.unpack(front)?;
        second.unpack(back)?;
        Ok((out, middle))
    }

    /// How many bytes come out of a chunk, taken from the room for that.
    fn room_for(&mut self, chunk: Chunk<'_>) -> Result<usize, DecodeError> {
        if chunk.coding == 0 {
            return Ok(chunk.bytes.len());
        }
        let bytes = usize::try_from(Reader::new(chunk.bytes).varint()?).unwrap_or(usize::MAX);
        self.room = self.room.checked_sub(bytes).ok_or(DecodeError::LimitExceeded("decompressed bytes"))?;
        Ok(bytes)
    }
}

impl Chunk<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Fills `out`, which is as long as what comes out.
    fn unpack(&self, out: &mut [u8]) -> Result<(), DecodeError> {
        const INVALID: DecodeError = DecodeError::InvalidValue("compressed chunk");
        let mut reader = Reader::new(self.bytes);
        if self.coding == 0 {
            out.copy_from_slice(self.bytes);
            return Ok(());
        }
        reader.varint()?;
        let packed = reader.take_rest();
        let filled = match self.coding {
            LZ4 => lz4_flex::block::decompress_into(packed, out).ok(),
            #[cfg(feature = "compact")]
            DEFLATE => inflate(packed, out),
            _ => None,
        };
        if filled == Some(out.len()) { Ok(()) } else { Err(INVALID) }
    }
}

/// What stands in a snapshot.
pub(crate) fn chunk_sizes(snapshot: &[u8], limits: &Limits) -> Result<SnapshotChunks, DecodeError> {
    let Frame { features, optional, mut rest, .. } = Frame::open(snapshot, limits)?;
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        let (tag, coding, bytes) = (rest.u8()?, rest.u8()?, rest.bytes()?);
        let (coding, is_packed) = match coding {
            0 => (ChunkCoding::Plain, false),
            LZ4 => (ChunkCoding::Lz4, true),
            DEFLATE => (ChunkCoding::Deflate, true),
            unknown => (ChunkCoding::Unknown(unknown), false),
        };
        let stored_bytes = bytes.len() as u64;
        let plain_bytes = if is_packed { Reader::new(bytes).varint()? } else { stored_bytes };
        chunks.push(ChunkSize { tag: char::from(tag), coding, stored_bytes, plain_bytes });
    }
    Ok(SnapshotChunks { required_features: features, optional_features: optional, chunks })
}
