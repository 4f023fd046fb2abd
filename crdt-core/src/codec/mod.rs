//! Ways in and out: bytes from and to operations, version vectors, anchors and snapshots.
//!
//! Bytes do not know the document: decoding yields plain [`Op`]s, the `Doc` validates and builds.

use crate::anchor::Anchor;
use crate::error::DecodeError;
use crate::ids::VersionVector;
use crate::op::Op;
use alloc::vec::Vec;

/// Encodes operations as one delta. Runs of one replica must come in ascending order of seq.
pub fn encode_delta(ops: &[Op]) -> Vec<u8> {
    let _ = ops;
    todo!()
}

/// Decodes a delta without a document.
///
/// # Errors
/// Whatever is wrong with the bytes.
pub fn decode_delta(bytes: &[u8]) -> Result<Vec<Op>, DecodeError> {
    let _ = bytes;
    todo!()
}

impl VersionVector {
    /// Encodes the vector.
    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }
    /// Decodes what [`VersionVector::encode`] wrote.
    ///
    /// # Errors
    /// Whatever is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let _ = bytes;
        todo!()
    }
}

impl Anchor {
    /// Encodes the anchor in 2 to 14 bytes.
    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }
    /// Decodes what [`Anchor::encode`] wrote.
    ///
    /// # Errors
    /// Whatever is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let _ = bytes;
        todo!()
    }
}
