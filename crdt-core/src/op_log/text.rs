use alloc::vec::Vec;
use core::ops::Range;

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

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes `range`, which cut no scalar value. O(range).
    pub(crate) fn slice(&self, range: Range<usize>) -> &str {
        core::str::from_utf8(&self.0[range]).expect("text is cut between scalar values")
    }
}
