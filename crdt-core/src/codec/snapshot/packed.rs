//! Numbers of 0 to 4 bytes whose lengths stand elsewhere: read without a branch.

use crate::error::DecodeError;
use alloc::vec::Vec;

/// Reads pairs of such numbers off a column.
#[derive(Clone, Copy)]
pub(super) struct Packed<'a> {
    bytes: &'a [u8],
    at: usize,
}

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
        Self { bytes, at: 0 }
    }

    /// The next two numbers; `None` if the column ends before.
    #[inline(always)]
    pub(super) fn take(&mut self, shape: Shape) -> Option<(u32, u32)> {
        let bytes = usize::from(shape.bytes);
        let both = match self.bytes.get(self.at..self.at + 8) {
            Some(eight) => u64::from_le_bytes(eight.try_into().ok()?),
            None => self.near_the_end(bytes)?,
        };
        self.at += bytes;
        let low = |value: u64| (value & 0xffff_ffff) as u32;
        Some((low(both) & shape.first, low(both >> shape.first_bits) & shape.second))
    }

    #[cold]
    #[inline(never)]
    fn near_the_end(&self, len: usize) -> Option<u64> {
        let rest = self.bytes.get(self.at..self.at + len)?;
        let mut eight = [0; 8];
        eight[..len].copy_from_slice(rest);
        Some(u64::from_le_bytes(eight))
    }

    /// Ends reading.
    pub(super) fn finish(self) -> Result<(), DecodeError> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(DecodeError::TrailingBytes) }
    }
}

/// The fewest bytes that hold `value`.
pub(super) fn bytes_of(value: u32) -> usize {
    (32 - value.leading_zeros() as usize).div_ceil(8)
}

/// Appends the `len` ≤ 4 low bytes of `value`.
pub(super) fn write(out: &mut Vec<u8>, value: u32, len: u8) {
    out.extend_from_slice(&value.to_le_bytes()[..usize::from(len)]);
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
        for value in values {
            write(&mut bytes, value, u8::try_from(bytes_of(value)).unwrap());
        }
        let mut packed = Packed::new(&bytes);
        let shape = |one, other| {
            let [one, other] = [one, other].map(|value| u8::try_from(bytes_of(value)).unwrap());
            Shape::of(one, other)
        };
        for pair in values.chunks(2) {
            assert_eq!(packed.take(shape(pair[0], pair[1])), Some((pair[0], pair[1])));
        }
        for from in values {
            for to in values {
                assert_eq!(at_distance(from, distance(from, to)), to);
            }
        }
        assert_eq!(packed.take(Shape::of(0, 1)), None);
        assert_eq!(packed.finish(), Ok(()));
        assert_eq!((distance(5, 5), distance(5, 4), distance(5, 6)), (0, 1, 2));
    }
}
