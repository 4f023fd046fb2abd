//! A place beside an element: where an element was placed, or a caret that survives edits.
//!
//! What an anchor *is* lives here; how it resolves to a position lives with the sequence.

use crate::ids::OpId;

/// Which side of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Side {
    /// In front of it.
    Before,
    /// Behind it.
    After,
}

/// A place beside an element, or at one end of the sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Anchor {
    /// The element; `None` stands for the end of the sequence that `side` looks away from:
    /// `After` nothing is the very start, `Before` nothing the very end.
    pub element: Option<OpId>,
    /// The side of it.
    pub side: Side,
}

impl Anchor {
    /// The very start of the sequence.
    pub const START: Self = Self { element: None, side: Side::After };
    /// The very end of the sequence. Only carets use it; no element is ever placed there.
    pub const END: Self = Self { element: None, side: Side::Before };

    /// The place behind `element`.
    pub const fn after(element: OpId) -> Self {
        Self { element: Some(element), side: Side::After }
    }

    /// The place in front of `element`.
    pub const fn before(element: OpId) -> Self {
        Self { element: Some(element), side: Side::Before }
    }
}
