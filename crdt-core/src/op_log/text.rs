use alloc::vec::Vec;
use core::ops::Range;

/// Much less than a cache holds.
#[cfg(not(test))]
const PIECE: usize = 1 << 14;
#[cfg(test)]
const PIECE: usize = 5;

/// Text that grows at its end.
///
/// Whole scalar values in UTF-8, as bytes: appending one to a `String` is a call, and typing does little else. Who reads
/// it as text pays for the check again, which for ASCII costs about as much as copying it.
#[derive(Clone, Default)]
pub(crate) struct Text(Vec<u8>);

impl Text {
    /// In bytes.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether another byte takes no memory.
    #[inline(always)]
    pub(super) fn has_memory(&self) -> bool {
        self.0.len() < self.0.capacity()
    }

    /// Appends one byte of ASCII.
    #[inline(always)]
    pub(super) fn push(&mut self, byte: u8) {
        debug_assert!(byte.is_ascii(), "whole scalar values are appended");
        self.0.push(byte);
    }

    pub(super) fn push_str(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// Appends `text` if it is ASCII, and tells whether. It is looked at and copied a piece at a time, so that it comes
    /// from memory once.
    pub(super) fn push_ascii(&mut self, text: &str) -> bool {
        let before = self.0.len();
        self.0.reserve(text.len());
        for piece in text.as_bytes().chunks(PIECE) {
            if !piece.is_ascii() {
                self.0.truncate(before);
                return false;
            }
            self.0.extend_from_slice(piece);
        }
        true
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes `range`, which cut no scalar value. O(range).
    pub(crate) fn slice(&self, range: Range<usize>) -> &str {
        core::str::from_utf8(&self.0[range]).expect("text is cut between scalar values")
    }
}
