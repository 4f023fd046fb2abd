//! Snapshots taken apart into their chunks and put together again under a right checksum, so that what is wrong
//! gets past it.

use crdt_core::bytes::{Reader, crc32c, write_bytes};
use crdt_core::{Doc, ReplicaId};

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
    /// What it is, and what its bytes are if the format says that.
    pub head: Vec<u8>,
    /// What it holds, without the length that stands in front.
    pub bytes: Vec<u8>,
}

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
        let version = head()[HEAD_BYTES - 1];
        let mut reader = Reader::new(body);
        if version > 2 {
            // Required and optional features.
            reader.varint().ok()?;
            reader.varint().ok()?;
        }
        let header = body[..body.len() - reader.remaining()].to_vec();
        let mut chunks = Vec::new();
        while !reader.is_empty() {
            let head = reader.take(if version > 2 { 2 } else { 1 }).ok()?.to_vec();
            chunks.push(Chunk { head, bytes: reader.bytes().ok()?.to_vec() });
        }
        Some(Self { header, chunks })
    }

    /// Puts it together again.
    pub fn write(&self) -> Vec<u8> {
        let mut out = self.header.clone();
        for Chunk { head, bytes } in &self.chunks {
            out.extend_from_slice(head);
            write_bytes(&mut out, bytes);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::{Body, body, sealed};
    use crdt_core::{Doc, ReplicaId};

    #[test]
    fn a_snapshot_put_together_again_is_the_same() {
        let mut doc = Doc::new(ReplicaId::new(3));
        doc.insert(0, "some text, and more").unwrap();
        doc.delete(2..5).unwrap();
        let snapshot = doc.encode_snapshot();
        let taken = Body::read(body(&snapshot)).unwrap();
        assert!(taken.chunks.len() > 3, "{taken:?}");
        assert_eq!(sealed(&taken.write()), snapshot);
    }
}
