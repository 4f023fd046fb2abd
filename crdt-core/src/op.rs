//! Operations as values: what replicas say to each other.
//!
//! Bytes are read into these by `codec` and checked against a document by `doc`.

use crate::anchor::{Anchor, Side};
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

/// A run of operations that borrows its text: what is decoded, compared and encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run<'a> {
    pub(crate) id: OpId,
    pub(crate) len: Seq,
    pub(crate) kind: RunKind<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunKind<'a> {
    Insert { anchor: Anchor, text: &'a str },
    Delete { target: OpId, descending: bool },
}

impl<'a> Run<'a> {
    /// The number behind its last.
    pub(crate) fn end(&self) -> Seq {
        self.id.seq.saturating_add(self.len)
    }

    /// Cuts it behind its first `len` operations, 0 < `len` < its length. O(bytes of the first part).
    pub(crate) fn split(self, len: Seq) -> (Self, Self) {
        let OpId { replica, seq } = self.id;
        let (left, right) = match self.kind {
            RunKind::Insert { anchor, text } => {
                let (left, right) = if text.len() == self.len as usize {
                    text.split_at(len as usize)
                } else {
                    text.split_at(crate::units::byte_of(text, len as usize))
                };
                let behind = Anchor { element: Some(OpId::new(replica, seq + len - 1)), side: Side::After };
                (RunKind::Insert { anchor, text: left }, RunKind::Insert { anchor: behind, text: right })
            }
            RunKind::Delete { target, descending } => {
                let next = if descending { target.seq - len } else { target.seq + len };
                let rest = OpId::new(target.replica, next);
                (self.kind, RunKind::Delete { target: rest, descending: descending && self.len - len > 1 })
            }
        };
        (
            Self { id: self.id, len, kind: left }.with_direction(),
            Self { id: OpId::new(replica, seq + len), len: self.len - len, kind: right },
        )
    }

    /// A single deletion has no direction: it counts as ascending, so that equal runs compare equal.
    fn with_direction(mut self) -> Self {
        if let RunKind::Delete { descending, .. } = &mut self.kind
            && self.len == 1
        {
            *descending = false;
        }
        self
    }

    /// The lowest and the highest element that it deletes.
    pub(crate) fn targets(target: OpId, len: Seq, descending: bool) -> (OpId, OpId) {
        let other = if descending { target.seq - (len - 1) } else { target.seq + (len - 1) };
        let other = OpId::new(target.replica, other);
        if descending { (other, target) } else { (target, other) }
    }

    /// The run with text of its own.
    pub(crate) fn to_op(self) -> Op {
        let kind = match self.kind {
            RunKind::Insert { anchor, text } => OpKind::Insert { anchor, text: text.into() },
            RunKind::Delete { target, descending } => OpKind::Delete { target, len: self.len, descending },
        };
        Op { id: self.id, kind }
    }
}

impl Op {
    pub(crate) fn as_run(&self) -> Run<'_> {
        let (len, kind) = (
            self.len(),
            match &self.kind {
                OpKind::Insert { anchor, text } => RunKind::Insert { anchor: *anchor, text },
                OpKind::Delete { target, descending, .. } => {
                    RunKind::Delete { target: *target, descending: *descending }
                }
            },
        );
        Run { id: self.id, len, kind }.with_direction()
    }
}
