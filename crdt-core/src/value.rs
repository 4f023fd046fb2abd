//! What an element can carry besides its character.
//!
//! Everything that a replica says is an element or a deletion of elements, so that one number per replica says what was
//! seen, and one order, one log and one format serve all. Text is elements alone. An *embed* is an element that shows
//! and has a JSON value. A *statement* is an element that never shows: what it says is its value.

use crate::anchor::Anchor;
use crate::ids::{OpId, ReplicaId};
use crate::json::Json;
use alloc::sync::Arc;

/// Counts transactions that say something besides text: later than all that its replica had seen.
///
/// A Lamport timestamp. Of two statements about one thing the one with the larger (stamp, replica, seq) holds.
pub type Stamp = u64;

/// The character that an element with a value has: OBJECT REPLACEMENT CHARACTER.
pub(crate) const CARRIER: &str = "\u{fffc}";

/// What an element carries.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Value {
    /// The element shows as this: an embed in a text, an entry of a list.
    Embed(Json),
    /// A statement: what stands between two anchors has a mark, or has it no longer.
    Mark(Mark),
    /// A statement: a register has a value, or none.
    Register(Register),
    /// A statement, made by everybody alike: behind this element stand the named sequences, in front of it the main text.
    Roots,
    /// A statement: behind this element a named sequence starts.
    Open {
        /// What it is called.
        name: Arc<str>,
        /// What it holds.
        kind: SequenceKind,
    },
    /// A statement: in front of this element a named sequence ends.
    Close,
    /// A statement: an embed shows as another value from now on.
    Replace {
        /// The embed's element.
        element: OpId,
        /// What it shows as.
        value: Json,
        /// When it was said.
        stamp: Stamp,
    },
    /// A statement until it holds: what `element` shows stands here from now on, and nowhere else.
    ///
    /// Kleppmann, *Moving Elements in List CRDTs*, PaPoC 2020: of the places that an entry was moved to the one said last holds.
    Move {
        /// The embed's element: where the entry was first.
        element: OpId,
        /// When it was said.
        stamp: Stamp,
    },
}

/// What a named sequence holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum SequenceKind {
    /// Text with marks and embeds.
    Text,
    /// Entries, each a JSON value.
    List,
}

/// The element behind which the named sequences of every document stand. Its id is the lowest there is, so it is the last
/// of what was placed at the start, and the main text is in front of it.
pub(crate) const ROOTS: OpId = OpId::new(ReplicaId::new(0), 0);

impl SequenceKind {
    /// Who opens the sequence of this name, in every document: so all who open it say the same. Never that of [`ROOTS`].
    pub(crate) fn replica_of(self, name: &str) -> ReplicaId {
        let kind = match self {
            Self::Text => b't',
            Self::List => b'l',
        };
        ReplicaId::derived(core::iter::once(kind).chain(name.bytes()))
    }

    /// The start and the end of the sequence of this name, in every document, opened or not.
    ///
    /// As [`anchor_at`](crate::Text::anchor_at) tells them of an opened one. O(length of the name).
    ///
    /// # Examples
    /// ```
    /// use crdt_core::{Doc, ReplicaId, SequenceKind, Side};
    ///
    /// let [start, _] = SequenceKind::Text.ends_of("notes");
    /// let mut doc = Doc::new(ReplicaId::new(1));
    /// let notes = doc.open_text("notes")?;
    /// assert_eq!(notes.view().anchor_at(0, Side::After)?, start);
    /// # Ok::<(), crdt_core::EditError>(())
    /// ```
    pub fn ends_of(self, name: &str) -> [Anchor; 2] {
        let replica = self.replica_of(name);
        [Anchor::after(OpId::new(replica, 0)), Anchor::before(OpId::new(replica, 1))]
    }
}

/// That a named register of the document has a value from now on, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Register {
    /// What it is called.
    pub name: Arc<str>,
    /// Its value; `None` empties it.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")
    )]
    pub value: Option<Json>,
    /// When it was said.
    pub stamp: Stamp,
}

/// That what stands from `start` to `end` has a mark from now on, or no longer has it.
///
/// Litt, Lim, Kleppmann, van Hardenberg, *Peritext*, CSCW 2022. An element is covered if it stands between the anchors;
/// tombstones keep their place, so anchors beside them do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Mark {
    /// Where it starts. What comes to stand directly at it is covered if the side is `After`.
    pub start: Anchor,
    /// Where it ends. What comes to stand directly at it is covered if the side is `Before`.
    pub end: Anchor,
    /// What it is called.
    pub name: Arc<str>,
    /// Its value; `None` removes the mark.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::present")
    )]
    pub value: Option<Json>,
    /// When it was said.
    pub stamp: Stamp,
}

/// When something was said, and by whom: decides which of two statements holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Said {
    pub(crate) stamp: Stamp,
    pub(crate) id: OpId,
}

impl Value {
    /// Whether an element with it does not show when it comes.
    pub(crate) fn is_statement(&self) -> bool {
        !matches!(self, Self::Embed(_))
    }

    /// Whether an element with it stands where a named sequence starts or ends.
    pub(crate) fn is_delimiter(&self) -> bool {
        matches!(self, Self::Roots | Self::Open { .. } | Self::Close)
    }

    /// The elements that it names.
    pub(crate) fn elements(&self) -> impl Iterator<Item = OpId> + use<> {
        let named = match self {
            Self::Embed(_) | Self::Register(_) | Self::Roots | Self::Open { .. } | Self::Close => {
                [None, None]
            }
            Self::Replace { element, .. } | Self::Move { element, .. } => [Some(*element), None],
            Self::Mark(mark) => [mark.start.element, mark.end.element],
        };
        named.into_iter().flatten()
    }

    /// When it was said, for what says something.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        match self {
            Self::Embed(_) | Self::Roots | Self::Open { .. } | Self::Close => None,
            Self::Replace { stamp, .. } | Self::Move { stamp, .. } => Some(*stamp),
            Self::Mark(mark) => Some(mark.stamp),
            Self::Register(register) => Some(register.stamp),
        }
    }
}
