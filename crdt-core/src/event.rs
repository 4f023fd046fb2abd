//! What an applied delta changed, as edits of what is visible.

use crate::json::Json;
use crate::mark::Marks;
use crate::value::SequenceKind;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;

/// One change of the visible content.
///
/// Edits come in sequence: the positions of each count in the content that the ones before it left.
/// Positions and lengths are given in Unicode scalar values and, with `_utf16`, in UTF-16 code units. An embed counts
/// one in both.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum TextEdit {
    /// `text` now stands at `position`.
    Insert {
        /// In scalar values.
        position: usize,
        /// In UTF-16 code units.
        position_utf16: usize,
        /// What was inserted; never empty.
        text: String,
        /// The marks that it has there.
        marks: Marks,
    },
    /// An embed now stands at `position`.
    Embed {
        /// In scalar values.
        position: usize,
        /// In UTF-16 code units.
        position_utf16: usize,
        /// What it shows.
        value: Json,
        /// The marks that it has there.
        marks: Marks,
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
    /// `len` scalar values from `position` on have another value of a mark, or have it no longer.
    Mark {
        /// In scalar values.
        position: usize,
        /// In UTF-16 code units.
        position_utf16: usize,
        /// In scalar values; never 0.
        len: usize,
        /// In UTF-16 code units.
        len_utf16: usize,
        /// Which mark.
        name: Arc<str>,
        /// What it is now; `None` if it is gone.
        #[cfg_attr(
            feature = "serde",
            serde(
                default,
                skip_serializing_if = "Option::is_none",
                deserialize_with = "crate::json::present"
            )
        )]
        value: Option<Json>,
    },
    /// A register has another value.
    Register {
        /// Which.
        name: Arc<str>,
        /// What it holds now; `None` if nothing.
        #[cfg_attr(
            feature = "serde",
            serde(
                default,
                skip_serializing_if = "Option::is_none",
                deserialize_with = "crate::json::present"
            )
        )]
        value: Option<Json>,
    },
    /// The embed at `position` shows as another value.
    Replace {
        /// In scalar values.
        position: usize,
        /// In UTF-16 code units.
        position_utf16: usize,
        /// What it shows now.
        value: Json,
        /// The marks that it has there.
        marks: Marks,
    },
    /// An edit of a named sequence: its positions count there. All else is of the main text.
    In {
        /// What the sequence is called.
        name: Arc<str>,
        /// What it holds: a text and a list of one name are different sequences.
        kind: SequenceKind,
        /// The edit; none of this variant.
        edit: Box<TextEdit>,
    },
}
