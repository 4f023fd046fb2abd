//! Numbers of 0 to 4 bytes whose lengths stand elsewhere: read without a branch.

use crate::error::DecodeError;
use crate::op_log::BLOCK;
use alloc::vec::Vec;

/// A column of pairs of such numbers.
#[derive(Clone, Copy)]
pub(super) struct Packed<'a> {
    bytes: &'a [u8],
}

/// The next [`BLOCK`] pairs of a column, or zeros behind its end: nothing is asked for each of them.
pub(super) struct PackedBlock<'a> {
    bytes: &'a BlockBytes,
    at: usize,
}

const PAIRS: usize = 8 * BLOCK;
/// A number may be read with what is behind it.
pub(super) type BlockBytes = [u8; PAIRS + 8];

/// How many bytes the two numbers of a pair have.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    first: u32,
    second: u32,
    first_bits: u8,
    bytes: u8,
}

impl Shape {
    /// `first` and `second` ≤ 4 bytes.
    pub(super) const fn of(first: u8, second: u8) -> Self {
        const MASKS: [u32; 5] = [0, 0xff, 0xffff, 0xff_ffff, 0xffff_ffff];
        Self {
            first: MASKS[first as usize],
            second: MASKS[second as usize],
            first_bits: 8 * first,
            bytes: first + second,
        }
    }
}

impl<'a> Packed<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// `copy` is for the end of the column, which has nothing behind it.
    #[inline(always)]
    pub(super) fn block<'b>(&self, copy: &'b mut Option<BlockBytes>) -> PackedBlock<'b>
    where
        'a: 'b,
    {
        let bytes = match self.bytes.first_chunk() {
            Some(bytes) => bytes,
            None => {
                let copy = copy.insert([0; PAIRS + 8]);
                copy[..self.bytes.len()].copy_from_slice(self.bytes);
                copy
            }
        };
        PackedBlock { bytes, at: 0 }
    }

    /// Goes on behind what was taken of a block, which was not there if it fails.
    pub(super) fn skip(&mut self, block: &PackedBlock<'_>) -> Result<(), DecodeError> {
        self.bytes = self.bytes.get(block.at..).ok_or(DecodeError::Truncated)?;
        Ok(())
    }

    /// Ends reading.
    pub(super) fn finish(self) -> Result<(), DecodeError> {
        if self.bytes.is_empty() { Ok(()) } else { Err(DecodeError::TrailingBytes) }
    }
}

impl PackedBlock<'_> {
    /// The next two numbers: up to [`BLOCK`] times.
    #[inline(always)]
    pub(super) fn take(&mut self, shape: Shape) -> (u32, u32) {
        let at = self.at % PAIRS;
        let both = self.bytes[at..at + 8].try_into().map_or(0, u64::from_le_bytes);
        self.at += usize::from(shape.bytes);
        let low = |value: u64| (value & 0xffff_ffff) as u32;
        (low(both) & shape.first, low(both >> shape.first_bits) & shape.second)
    }
}

/// The fewest bytes that hold `value`.
pub(super) fn bytes_of(value: u32) -> usize {
    (32 - value.leading_zeros() as usize).div_ceil(8)
}

/// Appends the low bytes of two numbers, so many ≤ 4 of each.
#[inline]
pub(super) fn write_pair(
    out: &mut Vec<u8>,
    (first, first_bytes): (u32, u8),
    (second, second_bytes): (u32, u8),
) {
    let both = u64::from(first) | u64::from(second) << (8 * first_bytes);
    // All eight and back: so many that nobody knows beforehand are a call.
    let end = out.len() + usize::from(first_bytes + second_bytes);
    out.extend_from_slice(&both.to_le_bytes());
    out.truncate(end);
}

/// How far `to` is from `from`, near both ways: 0, -1, 1, -2, … as 0, 1, 2, 3, …
pub(super) fn distance(from: u32, to: u32) -> u32 {
    let far = to.wrapping_sub(from);
    far << 1 ^ 0u32.wrapping_sub(far >> 31)
}

/// What is so far from `from`.
#[inline(always)]
pub(super) fn at_distance(from: u32, distance: u32) -> u32 {
    from.wrapping_add(distance >> 1 ^ 0u32.wrapping_sub(distance & 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_distances_round_trip() {
        let values = [0, 1, 255, 256, 65_535, 65_536, 1 << 24, u32::MAX];
        let mut bytes = Vec::new();
        let sized = |value| (value, u8::try_from(bytes_of(value)).unwrap());
        for pair in values.chunks(2) {
            write_pair(&mut bytes, sized(pair[0]), sized(pair[1]));
        }
        let mut packed = Packed::new(&bytes);
        let mut copy = None;
        let mut block = packed.block(&mut copy);
        let shape = |one, other| {
            let [one, other] = [one, other].map(|value| u8::try_from(bytes_of(value)).unwrap());
            Shape::of(one, other)
        };
        for pair in values.chunks(2) {
            assert_eq!(block.take(shape(pair[0], pair[1])), (pair[0], pair[1]));
        }
        assert_eq!(packed.skip(&block), Ok(()));
        assert_eq!(packed.finish(), Ok(()));
        block.take(Shape::of(0, 1));
        assert_eq!(Packed::new(&bytes).skip(&block), Err(DecodeError::Truncated));
        for from in values {
            for to in values {
                assert_eq!(at_distance(from, distance(from, to)), to);
            }
        }
        assert_eq!((distance(5, 5), distance(5, 4), distance(5, 6)), (0, 1, 2));
    }
}
