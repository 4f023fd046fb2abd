//! Version vectors and anchors as bytes.
//! `docs/format.md` has the bytes.

use crate::anchor::{Anchor, Side};
use crate::bytes::{Reader, write_u64_le, write_varint};
use crate::error::DecodeError;
use crate::ids::{OpId, ReplicaId, VersionVector};
use crate::limits::Limits;
use alloc::vec;
use alloc::vec::Vec;

impl VersionVector {
    /// Encodes the vector: 9 to 13 bytes a replica.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(2 + 12 * self.len());
        write_varint(&mut out, self.len() as u64);
        for (replica, count) in self.iter() {
            write_u64_le(&mut out, replica.get());
            write_varint(&mut out, u64::from(count));
        }
        out
    }

    /// Decodes what [`VersionVector::encode`] wrote.
    ///
    /// O(bytes), whatever counts it claims: they are numbers, and nothing that takes a vector does anything in proportion
    /// to them.
    ///
    /// # Errors
    /// Whatever is wrong with the bytes; [`DecodeError::LimitExceeded`] if they name more replicas than `limits` allow.
    pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        limits.check_input(bytes)?;
        let mut reader = Reader::new(bytes);
        let mut last = None;
        let mut vector = Self::new();
        let count = reader.count(9)?;
        limits.check_replicas(count)?;
        for _ in 0..count {
            let replica = ReplicaId::new(reader.u64_le()?);
            let count = reader.varint_u32()?;
            if count == 0 || last.is_some_and(|last| last >= replica) {
                return Err(DecodeError::InvalidValue("version vector"));
            }
            vector.set(replica, count);
            last = Some(replica);
        }
        reader.finish()?;
        Ok(vector)
    }
}

impl Anchor {
    /// Encodes the anchor in 1 or in 10 to 14 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let after = self.side == Side::After;
        let Some(id) = self.element else { return vec![u8::from(!after)] };
        let mut out = vec![if after { 2 } else { 3 }];
        write_u64_le(&mut out, id.replica.get());
        write_varint(&mut out, u64::from(id.seq));
        out
    }

    /// Decodes what [`Anchor::encode`] wrote.
    ///
    /// # Errors
    /// Whatever is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let kind = reader.u8()?;
        let anchor = match kind {
            0 => Self::START,
            1 => Self::END,
            2 | 3 => {
                let id = OpId::new(ReplicaId::new(reader.u64_le()?), reader.varint_u32()?);
                if kind == 2 { Self::after(id) } else { Self::before(id) }
            }
            _ => return Err(DecodeError::InvalidValue("kind of an anchor")),
        };
        reader.finish()?;
        Ok(anchor)
    }
}
