//! Deletions: which elements they name. Their own seqs are those that no element has.
//!
//! ```text
//! deletions = count  switches  count × head  switches × index  number *
//! head      = 0x03 size of `length`     0, 1, 2, 3: 0, 1, 2, 4 bytes
//!             0x0c size of `target`     1, 2, 3, 4 bytes
//!             0x10 descending
//!             0x20 targets of another replica than the deletion before (before the first: of replica 0)
//! index     = of that replica, a varint
//! number    = least significant byte first; for each deletion `length` and then `target`
//! ```
//!
//! `length` counts the elements behind the first; a single one is not descending. `target` is the first element
//! deleted: its distance from that of the deletion before (from 0), as 0, -1, 1, -2, … ↦ 0, 1, 2, 3, … The
//! deletions of replica 0 come first, then those of replica 1, each in ascending seq and taking as many of its
//! seqs as it is long, in order; together they take all that no element has. Where an element
//! has the next seq, a deletion goes on behind it.

use super::items::split_indices;
use super::packed::{self, Packed, Shape};
use crate::bytes::{Reader, write_varint};
use crate::error::DecodeError;
use crate::ids::Seq;
use crate::op_log::{BLOCK, LocalId};
use alloc::vec::Vec;

const DESCENDING: u8 = 0x10;
const OTHER_REPLICA: u8 = 0x20;
const KNOWN: u8 = 0x3f;

const LENGTH_BYTES: [u8; 4] = [0, 1, 2, 4];
const TARGET_BYTES: [u8; 4] = [1, 2, 3, 4];

/// The bytes of both, by their bits.
static SHAPES: [Shape; 16] = shapes();

const fn shapes() -> [Shape; 16] {
    let mut shapes = [Shape::of(0, 0); 16];
    let mut bits = 0;
    while bits < 16 {
        shapes[bits] = Shape::of(LENGTH_BYTES[bits & 3], TARGET_BYTES[bits >> 2]);
        bits += 1;
    }
    shapes
}

/// A run of deletions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deletion {
    /// The first element deleted.
    pub(crate) target: LocalId,
    /// How many elements; not 0.
    pub(crate) len: Seq,
    pub(crate) descending: bool,
}

impl Deletion {
    /// What room for such is filled with.
    pub(crate) const NONE: Self = Self { target: LocalId::START, len: 0, descending: false };
}

/// The deletions of a snapshot.
#[derive(Clone)]
pub(crate) struct Deletions<'a> {
    heads: &'a [u8],
    indices: Reader<'a>,
    numbers: Packed<'a>,
    target: LocalId,
}

impl<'a> Deletions<'a> {
    pub(crate) fn new(chunk: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(chunk);
        let (mut count, mut switches) = (0, 0);
        if !chunk.is_empty() {
            count = reader.count(1)?;
            switches = reader.count(1)?;
        }
        let heads = reader.take(count)?;
        let (indices, numbers) = split_indices(reader, switches)?;
        Ok(Self { heads, indices, numbers, target: LocalId::new(0, 0) })
    }

    /// Reads the next into `block`, in order. Fewer than fit are the last. Nothing is checked against what is in
    /// the document.
    #[inline(never)]
    pub(crate) fn read(&mut self, block: &mut [Deletion; BLOCK]) -> Result<usize, DecodeError> {
        let (heads, rest) = self.heads.split_at(self.heads.len().min(BLOCK));
        let mut target = self.target;
        let mut copy = None;
        let mut numbers = self.numbers.block(&mut copy);
        let mut is_wrong = heads.iter().fold(0, |all, head| all | head) & !KNOWN;
        for (deletion, &head) in block.iter_mut().zip(heads) {
            if head & OTHER_REPLICA != 0 {
                let replica = self.indices.varint_u32()?;
                if replica == target.replica {
                    return Err(DecodeError::InvalidValue("replica of a deletion"));
                }
                target.replica = replica;
            }
            let (more, distance) = numbers.take(SHAPES[usize::from(head & 0xf)]);
            target.seq = packed::at_distance(target.seq, distance);
            let len = more.wrapping_add(1);
            let descending = head & DESCENDING != 0;
            is_wrong |= u8::from(len <= Seq::from(descending));
            *deletion = Deletion { target, len, descending };
        }
        if is_wrong != 0 {
            return Err(DecodeError::InvalidValue("deletion"));
        }
        (self.heads, self.target) = (rest, target);
        self.numbers.skip(&numbers)?;
        if heads.len() < BLOCK {
            self.indices.clone().finish()?;
            self.numbers.finish()?;
        }
        Ok(heads.len())
    }

    /// Reads all. Nothing is checked against what is in the document.
    pub(crate) fn read_all(mut self) -> Result<Vec<Deletion>, DecodeError> {
        let mut all = Vec::with_capacity(self.heads.len());
        let mut block = [Deletion::NONE; BLOCK];
        loop {
            let count = self.read(&mut block)?;
            all.extend_from_slice(&block[..count]);
            if count < BLOCK {
                return Ok(all);
            }
        }
    }
}

/// Writes them.
#[derive(Default)]
pub(crate) struct DeletionsWriter {
    count: u64,
    switches: u64,
    heads: Vec<u8>,
    indices: Vec<u8>,
    numbers: Vec<u8>,
    replica: u32,
    seq: Seq,
}

impl DeletionsWriter {
    pub(crate) fn push(&mut self, deletion: Deletion) {
        let Deletion { target, len, descending } = deletion;
        let mut head = if descending && len > 1 { DESCENDING } else { 0 };
        if target.replica != self.replica {
            head |= OTHER_REPLICA;
            write_varint(&mut self.indices, u64::from(target.replica));
            self.switches += 1;
            self.replica = target.replica;
        }
        let length = packed::bytes_of(len - 1).min(3);
        let distance = packed::distance(self.seq, target.seq);
        let size = packed::bytes_of(distance).max(1);
        packed::write_pair(
            &mut self.numbers,
            (len - 1, LENGTH_BYTES[length]),
            (distance, TARGET_BYTES[size - 1]),
        );
        self.seq = target.seq;
        self.heads.push(head | length.to_le_bytes()[0] | (size - 1).to_le_bytes()[0] << 2);
        self.count += 1;
    }

    pub(super) fn finish(self) -> Vec<u8> {
        let Self { count, switches, mut heads, mut indices, mut numbers, .. } = self;
        if count == 0 {
            return Vec::new();
        }
        let mut out = Vec::with_capacity(10 + heads.len() + indices.len() + numbers.len());
        write_varint(&mut out, count);
        write_varint(&mut out, switches);
        out.append(&mut heads);
        out.append(&mut indices);
        out.append(&mut numbers);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deletions_round_trip() {
        let deletions = [
            (0, 7, 1, false),
            (0, 6, 1, false),
            (2, 500, 300, true),
            (2, 70_000, 70_000, false),
            (0, u32::MAX - 1, 2, true),
        ]
        .map(|(replica, seq, len, descending)| Deletion {
            target: LocalId::new(replica, seq),
            len,
            descending,
        });
        let mut writer = DeletionsWriter::default();
        for deletion in deletions {
            writer.push(deletion);
        }
        let chunk = writer.finish();
        let read_all = |chunk| Deletions::new(chunk).and_then(Deletions::read_all);
        assert_eq!(read_all(&chunk), Ok(deletions.to_vec()));
        assert_eq!(read_all(&[]), Ok(Vec::new()));
        for cut in 1..chunk.len() {
            assert!(read_all(&chunk[..cut]).is_err(), "cut at {cut}");
        }
    }
}
