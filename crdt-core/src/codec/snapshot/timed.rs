//! The operations of a snapshot in the order of time: edits at positions, column by column.
//!
//! Where history is linear, that is all there is to say: who types at a position leaves no choice where the element is
//! placed. What somebody did beside something that others had deleted meanwhile, or where insertions met, names elements
//! instead. `docs/format.md` has the bytes.

use super::chunks::{Chunk, ChunksWriter, Frame};
use crate::anchor::Side;
use crate::bytes::{Reader, write_varint};
use crate::error::DecodeError;
use crate::ids::Seq;
use crate::op_log::{LocalId, Placement};
use crate::units::byte_of;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

const WHAT: u8 = 0x07;
const INSERT: u8 = 0;
const DELETE_UP: u8 = 1;
const DELETE_DOWN: u8 = 2;
const INSERT_BESIDE: u8 = 3;
const DELETE_NAMED_UP: u8 = 4;
const DELETE_NAMED_DOWN: u8 = 5;
/// What is inserted never shows.
const HIDDEN: u8 = 0x08;
/// The position is not that at which the edit before ended.
const JUMP: u8 = 0x10;
/// The replica is not that of the edit before.
const OTHER_REPLICA: u8 = 0x20;
const KNOWN: u8 = 0x3f;

/// The columns, in the order of their chunks.
#[derive(Default)]
struct Columns<T> {
    kinds: T,
    jumps: T,
    lengths: T,
    replicas: T,
    elements: T,
}

/// The operations of a snapshot, encoded.
pub(crate) struct Timed<'a> {
    columns: Columns<Cow<'a, [u8]>>,
    text: String,
}

/// The next operations of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimedEdit<'a> {
    pub(crate) replica: u32,
    /// Not 0.
    pub(crate) len: Seq,
    pub(crate) kind: TimedKind<'a>,
}

/// What they do. A *jump* is how far the position is from where the edit before ended, in visible scalar values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimedKind<'a> {
    /// Inserts what may never show, as somebody who types there would.
    Insert {
        jump: i64,
        text: &'a str,
        hidden: bool,
    },
    /// Deletes what shows from the position on.
    DeleteUp {
        jump: i64,
    },
    /// Deletes what shows in front of the position, the nearest first.
    DeleteDown {
        jump: i64,
    },
    InsertBeside {
        placement: Placement,
        text: &'a str,
        hidden: bool,
    },
    DeleteNamed {
        target: LocalId,
        descending: bool,
    },
}

impl<'a> Timed<'a> {
    pub(super) fn read(frame: &mut Frame<'a>, chunks: [Chunk<'a>; 6]) -> Result<Self, DecodeError> {
        let [kinds, jumps, lengths, replicas, elements, text] = chunks;
        let columns = Columns {
            kinds: frame.bytes(kinds)?,
            jumps: frame.bytes(jumps)?,
            lengths: frame.bytes(lengths)?,
            replicas: frame.bytes(replicas)?,
            elements: frame.bytes(elements)?,
        };
        let text =
            String::from_utf8(frame.bytes(text)?.into_owned()).map_err(|_| DecodeError::InvalidText)?;
        Ok(Self { columns, text })
    }

    /// All text that was ever inserted.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The edits. Nothing is checked against a document.
    pub(crate) fn edits(&self) -> TimedEdits<'_> {
        let Columns { kinds, jumps, lengths, replicas, elements } = &self.columns;
        let [jumps, lengths, replicas, elements] =
            [jumps, lengths, replicas, elements].map(|bytes| Reader::new(bytes));
        TimedEdits {
            kinds: kinds.iter(),
            jumps,
            lengths,
            replicas,
            elements,
            is_ascii: self.text.is_ascii(),
            text: &self.text,
            replica: 0,
        }
    }
}

/// Reads edits.
pub(crate) struct TimedEdits<'a> {
    kinds: core::slice::Iter<'a, u8>,
    jumps: Reader<'a>,
    lengths: Reader<'a>,
    replicas: Reader<'a>,
    elements: Reader<'a>,
    is_ascii: bool,
    text: &'a str,
    replica: u32,
}

impl<'a> TimedEdits<'a> {
    pub(crate) fn next(&mut self) -> Result<Option<TimedEdit<'a>>, DecodeError> {
        const INVALID: DecodeError = DecodeError::InvalidValue("edit of a snapshot");
        let Some(&kind) = self.kinds.next() else {
            self.finish()?;
            return Ok(None);
        };
        if kind & OTHER_REPLICA != 0 {
            let replica = self.replicas.varint_u32()?;
            if replica == self.replica {
                return Err(INVALID);
            }
            self.replica = replica;
        }
        let len = self.lengths.varint_u32()?.checked_add(1).ok_or(DecodeError::InvalidNumber)?;
        let has_jump = kind & JUMP != 0;
        let jump = if has_jump { unfold(self.jumps.varint()?) } else { 0 };
        let hidden = kind & HIDDEN != 0;
        let what = kind & WHAT;
        let is_insert = matches!(what, INSERT | INSERT_BESIDE);
        let is_named = matches!(what, INSERT_BESIDE | DELETE_NAMED_UP | DELETE_NAMED_DOWN);
        if kind & !KNOWN != 0 || has_jump && (jump == 0 || is_named) || hidden && !is_insert {
            return Err(INVALID);
        }
        let kind = match what {
            INSERT => TimedKind::Insert { jump, text: self.take_text(len)?, hidden },
            DELETE_UP => TimedKind::DeleteUp { jump },
            DELETE_DOWN => TimedKind::DeleteDown { jump },
            INSERT_BESIDE => {
                let placement = self.placement()?;
                TimedKind::InsertBeside { placement, text: self.take_text(len)?, hidden }
            }
            DELETE_NAMED_UP | DELETE_NAMED_DOWN => {
                let target = LocalId::new(self.elements.varint_u32()?, self.elements.varint_u32()?);
                let descending = what == DELETE_NAMED_DOWN;
                let beyond =
                    if descending { target.seq.checked_sub(len - 1) } else { target.seq.checked_add(len) };
                if beyond.is_none() || descending && len == 1 {
                    return Err(INVALID);
                }
                TimedKind::DeleteNamed { target, descending }
            }
            _ => return Err(INVALID),
        };
        Ok(Some(TimedEdit { replica: self.replica, len, kind }))
    }

    fn placement(&mut self) -> Result<Placement, DecodeError> {
        let Some(place) = self.elements.varint()?.checked_sub(1) else {
            return Ok(Placement { element: LocalId::START, side: Side::After });
        };
        let replica = u32::try_from(place >> 1).map_err(|_| DecodeError::InvalidNumber)?;
        let side = if place & 1 == 0 { Side::After } else { Side::Before };
        Ok(Placement { element: LocalId::new(replica, self.elements.varint_u32()?), side })
    }

    /// The next so many scalar values.
    fn take_text(&mut self, len: Seq) -> Result<&'a str, DecodeError> {
        let len = usize::try_from(len).map_err(|_| DecodeError::InvalidNumber)?;
        let bytes = if self.is_ascii {
            len
        } else {
            if self.text.len() < len {
                return Err(DecodeError::Truncated);
            }
            byte_of(self.text, len)
        };
        let (taken, rest) = self.text.split_at_checked(bytes).ok_or(DecodeError::Truncated)?;
        self.text = rest;
        Ok(taken)
    }

    fn finish(&self) -> Result<(), DecodeError> {
        let columns = [&self.jumps, &self.lengths, &self.replicas, &self.elements];
        let is_done = self.text.is_empty() && columns.iter().all(|column| column.is_empty());
        if is_done { Ok(()) } else { Err(DecodeError::TrailingBytes) }
    }
}

/// Writes edits, and makes one of those that go on from each other.
#[derive(Default)]
pub(crate) struct TimedWriter {
    columns: Columns<Vec<u8>>,
    text: Vec<u8>,
    replica: u32,
    open: Option<Open>,
}

/// An edit whose length may grow.
struct Open {
    replica: u32,
    len: Seq,
    what: u8,
    jump: i64,
    element: Option<Element>,
}

/// What an edit names.
#[derive(Clone, Copy)]
enum Element {
    Beside(Placement),
    Target(LocalId),
}

impl TimedWriter {
    pub(crate) fn push(&mut self, edit: TimedEdit<'_>) {
        let TimedEdit { replica, len, kind } = edit;
        let hide = |hidden: bool| if hidden { HIDDEN } else { 0 };
        let (what, jump, element) = match kind {
            TimedKind::Insert { jump, text, hidden } => {
                self.text.extend_from_slice(text.as_bytes());
                (INSERT | hide(hidden), jump, None)
            }
            TimedKind::DeleteUp { jump } => (DELETE_UP, jump, None),
            TimedKind::DeleteDown { jump } => (DELETE_DOWN, jump, None),
            TimedKind::InsertBeside { placement, text, hidden } => {
                self.text.extend_from_slice(text.as_bytes());
                (INSERT_BESIDE | hide(hidden), 0, Some(Element::Beside(placement)))
            }
            TimedKind::DeleteNamed { target, descending } => {
                let what = if descending { DELETE_NAMED_DOWN } else { DELETE_NAMED_UP };
                (what, 0, Some(Element::Target(target)))
            }
        };
        if let Some(open) = &mut self.open
            && open.replica == replica
            && open.what == what
            && element.is_none()
            && jump == 0
            && what & HIDDEN == 0
        {
            open.len += len;
            return;
        }
        self.close();
        self.open = Some(Open { replica, len, what, jump, element });
    }

    fn close(&mut self) {
        let Some(Open { replica, len, what, jump, element }) = self.open.take() else { return };
        let Columns { kinds, jumps, lengths, replicas, elements } = &mut self.columns;
        let mut kind = what;
        if replica != self.replica {
            kind |= OTHER_REPLICA;
            write_varint(replicas, u64::from(replica));
            self.replica = replica;
        }
        if jump != 0 {
            kind |= JUMP;
            write_varint(jumps, fold(jump));
        }
        write_varint(lengths, u64::from(len - 1));
        match element {
            None => {}
            Some(Element::Beside(Placement { element, .. })) if element == LocalId::START => {
                write_varint(elements, 0);
            }
            Some(Element::Beside(Placement { element, side })) => {
                write_varint(elements, 1 + 2 * u64::from(element.replica) + u64::from(side == Side::Before));
                write_varint(elements, u64::from(element.seq));
            }
            Some(Element::Target(target)) => {
                write_varint(elements, u64::from(target.replica));
                write_varint(elements, u64::from(target.seq));
            }
        }
        kinds.push(kind);
    }

    pub(super) fn finish(mut self, out: &mut ChunksWriter<'_>) {
        self.close();
        let Columns { kinds, jumps, lengths, replicas, elements } = &self.columns;
        let columns = [(b'K', kinds), (b'J', jumps), (b'L', lengths), (b'R', replicas), (b'E', elements)];
        for (tag, column) in columns {
            out.numbers(tag, column);
        }
        out.text(b'S', &self.text);
    }
}

/// 0, -1, 1, -2, … as 0, 1, 2, 3, …
fn fold(jump: i64) -> u64 {
    (jump << 1 ^ jump >> 63).cast_unsigned()
}

fn unfold(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}
