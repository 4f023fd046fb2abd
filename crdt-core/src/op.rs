//! Operations as values: what replicas say to each other.
//!
//! Bytes are read into these by `codec` and checked against a document by `doc`.

use crate::anchor::{Anchor, Side};
use crate::ids::{OpId, ReplicaId, Seq};
use crate::units::byte_of;
use crate::value::{CARRIER, Value};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// A run of operations of one replica with consecutive numbers from `id` on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Op {
    /// The name of the first operation of the run.
    pub id: OpId,
    /// What they do.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub kind: OpKind,
}

/// What a run of operations does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum OpKind {
    /// Inserts one element per Unicode scalar value of `text`: the first at `anchor`, each other
    /// after the one before it. Takes as many numbers as there are scalar values.
    Insert {
        /// Where the first element was placed.
        anchor: Anchor,
        /// The elements' content; never empty.
        text: String,
    },
    /// Inserts one element that carries a value, and that shows only if the value is [`Value::Embed`]. Takes one
    /// number.
    InsertValue {
        /// Where it was placed.
        anchor: Anchor,
        /// What it carries.
        value: Value,
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
            OpKind::InsertValue { .. } => 1,
            OpKind::Delete { len, .. } => *len,
        }
    }

    /// The value that it carries.
    pub(crate) fn carried(&self) -> Option<(OpId, &Value)> {
        match &self.kind {
            OpKind::InsertValue { value, .. } => Some((self.id, value)),
            _ => None,
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
                    text.split_at(byte_of(text, len as usize))
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

    /// What of it comes from the number `seen` on.
    pub(crate) fn since(self, seen: Seq) -> Option<Self> {
        if seen <= self.id.seq {
            Some(self)
        } else if seen < self.end() {
            Some(self.split(seen - self.id.seq).1)
        } else {
            None
        }
    }

    /// How many operations of two runs that start with the same one are the same, until one of them ends. O(bytes of the
    /// shorter).
    pub(crate) fn same_as(&self, other: &Run<'_>) -> Seq {
        let both = self.len.min(other.len);
        match (self.kind, other.kind) {
            (
                RunKind::Insert { anchor, text },
                RunKind::Insert { anchor: other_anchor, text: other_text },
            ) if anchor == other_anchor => {
                let bytes = text.len().min(other_text.len());
                if text.as_bytes()[..bytes] == other_text.as_bytes()[..bytes] {
                    return both;
                }
                let same = text.chars().zip(other_text.chars()).take_while(|(one, other)| one == other);
                Seq::try_from(same.count()).map_or(both, |same| same.min(both))
            }
            (
                RunKind::Delete { target, descending },
                RunKind::Delete { target: other_target, descending: other_descending },
            ) if target == other_target => {
                if descending == other_descending {
                    both
                } else {
                    1
                }
            }
            _ => 0,
        }
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

/// One operation beside an own element: what nearly every keystroke is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keystroke {
    pub(crate) seq: Seq,
    /// How far below `seq` that element is: 1 to `seq`.
    pub(crate) distance: Seq,
    pub(crate) stroke: Stroke,
}

/// What a keystroke does; inserts one character of ASCII or deletes one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stroke {
    InsertAfter(u8),
    InsertBefore(u8),
    Delete,
}

/// A run as a delta holds it. `R` names replicas: mostly as indices into the delta's table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a, R = u32> {
    pub(crate) replica: R,
    pub(crate) seq: Seq,
    pub(crate) len: Seq,
    pub(crate) kind: RowKind,
    /// The element that it is placed beside, or the first that it deletes; meaningless for
    /// [`RowKind::InsertFirst`].
    pub(crate) other: R,
    pub(crate) other_seq: Seq,
    /// As long in bytes as in elements if it is ASCII, and only then.
    pub(crate) text: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowKind {
    /// After the start.
    InsertFirst,
    InsertAfter,
    InsertBefore,
    DeleteUp,
    DeleteDown,
}

/// The runs of a delta.
pub(crate) struct Runs<'a> {
    /// Its table, which names no replica twice.
    pub(crate) replicas: Vec<ReplicaId>,
    /// Those of one replica together and in ascending seq.
    pub(crate) rows: Vec<Row<'a>>,
}

impl<'a> Runs<'a> {
    /// One only.
    pub(crate) fn of(run: Run<'a>) -> Self {
        let row = Row::from(run);
        let mut replicas = vec![row.replica];
        if row.other != row.replica {
            replicas.push(row.other);
        }
        let other = u32::from(row.other != row.replica);
        let Row { seq, len, kind, other_seq, text, .. } = row;
        Self { replicas, rows: vec![Row { replica: 0, seq, len, kind, other, other_seq, text }] }
    }
}

impl<R> Row<'_, R> {
    /// The number behind its last.
    #[inline]
    pub(crate) fn end(&self) -> Seq {
        self.seq.saturating_add(self.len)
    }

    #[inline]
    pub(crate) fn is_insert(&self) -> bool {
        matches!(self.kind, RowKind::InsertFirst | RowKind::InsertAfter | RowKind::InsertBefore)
    }

    /// The lowest element that it deletes.
    pub(crate) fn lowest_target(&self) -> Seq {
        if self.kind == RowKind::DeleteDown { self.other_seq - (self.len - 1) } else { self.other_seq }
    }
}

impl<'a> Row<'a> {
    /// The same with the names that `replicas` gives.
    #[inline]
    pub(crate) fn named(self, replicas: &[ReplicaId]) -> Row<'a, ReplicaId> {
        let Self { replica, seq, len, kind, other, other_seq, text } = self;
        let (replica, other) = (replicas[replica as usize], replicas[other as usize]);
        Row { replica, seq, len, kind, other, other_seq, text }
    }

    /// Drops its first `len` operations, 0 < `len` < its length.
    pub(crate) fn cut(mut self, len: Seq) -> Self {
        match self.kind {
            RowKind::DeleteUp => self.other_seq += len,
            RowKind::DeleteDown => self.other_seq -= len,
            _ => {
                self.kind = RowKind::InsertAfter;
                (self.other, self.other_seq) = (self.replica, self.seq + len - 1);
                let is_ascii = self.text.len() == self.len as usize;
                let bytes = if is_ascii { len as usize } else { byte_of(self.text, len as usize) };
                self.text = &self.text[bytes..];
            }
        }
        self.seq += len;
        self.len -= len;
        self
    }
}

impl<'a> Row<'a, ReplicaId> {
    #[inline]
    pub(crate) fn into_run(self) -> Run<'a> {
        let other = OpId::new(self.other, self.other_seq);
        let kind = match self.kind {
            RowKind::InsertFirst => RunKind::Insert { anchor: Anchor::START, text: self.text },
            RowKind::InsertAfter => RunKind::Insert { anchor: Anchor::after(other), text: self.text },
            RowKind::InsertBefore => RunKind::Insert { anchor: Anchor::before(other), text: self.text },
            RowKind::DeleteUp => RunKind::Delete { target: other, descending: false },
            RowKind::DeleteDown => RunKind::Delete { target: other, descending: self.len > 1 },
        };
        Run { id: OpId::new(self.replica, self.seq), len: self.len, kind }
    }
}

impl<'a> From<Run<'a>> for Row<'a, ReplicaId> {
    fn from(run: Run<'a>) -> Self {
        let Run { id: OpId { replica, seq }, len, kind } = run;
        let (kind, element, text) = match kind {
            RunKind::Insert { anchor: Anchor { element, side }, text } => match element {
                None => (RowKind::InsertFirst, run.id, text),
                Some(element) if side == Side::After => (RowKind::InsertAfter, element, text),
                Some(element) => (RowKind::InsertBefore, element, text),
            },
            RunKind::Delete { target, descending: false } => (RowKind::DeleteUp, target, ""),
            RunKind::Delete { target, descending: true } => (RowKind::DeleteDown, target, ""),
        };
        Row { replica, seq, len, kind, other: element.replica, other_seq: element.seq, text }
    }
}

impl Op {
    pub(crate) fn as_run(&self) -> Run<'_> {
        let (len, kind) = (
            self.len(),
            match &self.kind {
                OpKind::Insert { anchor, text } => RunKind::Insert { anchor: *anchor, text },
                OpKind::InsertValue { anchor, .. } => RunKind::Insert { anchor: *anchor, text: CARRIER },
                OpKind::Delete { target, descending, .. } => {
                    RunKind::Delete { target: *target, descending: *descending }
                }
            },
        );
        Run { id: self.id, len, kind }.with_direction()
    }
}
