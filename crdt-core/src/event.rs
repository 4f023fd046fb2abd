//! What an applied delta changed, as edits of the visible text.

use alloc::string::String;

/// One change of the visible text.
///
/// Edits come in sequence: the positions of each count in the text that the ones before it left.
/// Positions and lengths are given in Unicode scalar values and, with `_utf16`, in UTF-16 code units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextEdit {
    /// `text` now stands at `position`.
    Insert {
        /// In scalar values.
        position: usize,
        /// In UTF-16 code units.
        position_utf16: usize,
        /// What was inserted; never empty.
        text: String,
    },
    /// `len` scalar values from `position` on are gone.
    Delete {
        /// In scalar values.
        position: usize,
        /// In UTF-16 code units.
        position_utf16: usize,
        /// In scalar values; never 0.
        len: usize,
        /// In UTF-16 code units.
        len_utf16: usize,
    },
}
