//! Snapshots taken apart into their chunks and put together again under a right checksum, so that what is wrong
//! gets past it.

use crdt_core::bytes::{Reader, crc32c, write_bytes};
use crdt_core::{Doc, ReplicaId};
use std::io::Read;

/// Magic and version.
const HEAD_BYTES: usize = 6;
const CHECKSUM_BYTES: usize = 4;

/// What stands between the head and the checksum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// What comes before the chunks.
    pub header: Vec<u8>,
    /// The chunks.
    pub chunks: Vec<Chunk>,
}

/// One chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// What it is.
    pub tag: u8,
    /// How it is written: [`PLAIN`], [`LZ4`] or [`DEFLATE`].
    pub coding: u8,
    /// What it holds, as it is written, without the length that stands in front.
    pub bytes: Vec<u8>,
}

/// A chunk as it is.
pub const PLAIN: u8 = 0;
/// Its length, and an LZ4 block.
pub const LZ4: u8 = 1;
/// Its length, and a DEFLATE stream.
pub const DEFLATE: u8 = 2;

/// Magic and version as documents write them today.
fn head() -> Vec<u8> {
    let mut head = Doc::new(ReplicaId::new(1)).encode_snapshot();
    head.truncate(HEAD_BYTES);
    head
}

/// What stands between the head and the checksum of a snapshot.
///
/// # Panics
/// If there is no room for both.
pub fn body(snapshot: &[u8]) -> &[u8] {
    &snapshot[HEAD_BYTES..snapshot.len() - CHECKSUM_BYTES]
}

/// A snapshot of this body.
pub fn sealed(body: &[u8]) -> Vec<u8> {
    let mut bytes = head();
    bytes.extend_from_slice(body);
    let checksum = crc32c(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

impl Body {
    /// Takes a body apart, if its lengths fit.
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        // Required and optional features.
        reader.varint().ok()?;
        reader.varint().ok()?;
        let header = body[..body.len() - reader.remaining()].to_vec();
        let mut chunks = Vec::new();
        while !reader.is_empty() {
            let (tag, coding) = (reader.u8().ok()?, reader.u8().ok()?);
            chunks.push(Chunk { tag, coding, bytes: reader.bytes().ok()?.to_vec() });
        }
        Some(Self { header, chunks })
    }

    /// Puts it together again.
    pub fn write(&self) -> Vec<u8> {
        let mut out = self.header.clone();
        for Chunk { tag, coding, bytes } in &self.chunks {
            out.extend([*tag, *coding]);
            write_bytes(&mut out, bytes);
        }
        out
    }

    /// The same with nothing compressed, if all that is can be decompressed.
    pub fn plain(&self) -> Option<Self> {
        let chunk = |chunk: &Chunk| Some(Chunk { coding: PLAIN, bytes: chunk.plain()?, ..*chunk });
        let chunks = self.chunks.iter().map(chunk).collect::<Option<_>>()?;
        Some(Self { header: self.header.clone(), chunks })
    }
}

impl Chunk {
    /// What it holds.
    pub fn plain(&self) -> Option<Vec<u8>> {
        if self.coding == PLAIN {
            return Some(self.bytes.clone());
        }
        let mut reader = Reader::new(&self.bytes);
        let len = usize::try_from(reader.varint().ok()?).ok().filter(|&len| len < 1 << 24)?;
        let packed = reader.take_rest();
        let mut out = vec![0; len];
        match self.coding {
            LZ4 => drop(lz4_flex::block::decompress_into(packed, &mut out).ok()?),
            DEFLATE => flate2::read::DeflateDecoder::new(packed).read_exact(&mut out).ok()?,
            _ => return None,
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::{Body, PLAIN, body, sealed};
    use crate::loaded::PROFILES;
    use crdt_core::{Doc, ReplicaId};

    #[test]
    fn a_snapshot_put_together_again_is_the_same() {
        let mut doc = Doc::new(ReplicaId::new(3));
        doc.insert(0, &"some text, and more ".repeat(9)).unwrap();
        doc.delete(2..5).unwrap();
        for profile in PROFILES {
            let snapshot = doc.encode_snapshot_as(profile);
            let taken = Body::read(body(&snapshot)).unwrap();
            assert!(taken.chunks.iter().any(|chunk| chunk.coding != PLAIN), "{taken:?}");
            assert_eq!(sealed(&taken.write()), snapshot);
            let plain = sealed(&taken.plain().unwrap().write());
            assert_eq!(Doc::from_snapshot(ReplicaId::new(4), &plain).unwrap().text(), doc.text());
        }
    }
}
