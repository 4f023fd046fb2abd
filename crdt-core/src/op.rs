//! Operations as values: what replicas say to each other.
//!
//! Bytes are read into these by `codec` and checked against a document by `doc`.

use crate::anchor::Anchor;
use crate::ids::{OpId, Seq};
use alloc::string::String;

/// A run of operations of one replica with consecutive numbers from `id` on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// The name of the first operation of the run.
    pub id: OpId,
    /// What they do.
    pub kind: OpKind,
}

/// What a run of operations does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpKind {
    /// Inserts one element per Unicode scalar value of `text`: the first at `anchor`, each other
    /// after the one before it. Takes as many numbers as there are scalar values.
    Insert {
        /// Where the first element was placed.
        anchor: Anchor,
        /// The elements' content; never empty.
        text: String,
    },
    /// Deletes `len` elements with consecutive ids. Takes `len` numbers.
    Delete {
        /// The first element deleted.
        target: OpId,
        /// How many; never 0.
        len: u32,
        /// Whether the ids descend from `target` (backspacing) instead of ascending.
        descending: bool,
    },
}

impl Op {
    /// How many numbers the run takes. O(bytes of its text).
    ///
    /// Counts saturate at [`Seq::MAX`], which no valid run reaches.
    pub fn len(&self) -> Seq {
        match &self.kind {
            OpKind::Insert { text, .. } => Seq::try_from(text.chars().count()).unwrap_or(Seq::MAX),
            OpKind::Delete { len, .. } => *len,
        }
    }

    /// Whether the run holds no operation; no valid run is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
