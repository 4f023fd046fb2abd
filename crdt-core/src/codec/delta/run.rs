//! What both forms say of a run in the same way.

use crate::anchor::Side;
use crate::bytes::Reader;
use crate::error::DecodeError;
use crate::ids::{OpId, Seq};
use crate::op::{Row, RowKind, Run, RunKind};

const INSERT_START: u8 = 0;
pub(super) const INSERT_ON: u8 = 1;
pub(super) const INSERT_AFTER_OWN: u8 = 2;
pub(super) const INSERT_BEFORE_OWN: u8 = 3;
const INSERT_BESIDE: u8 = 4;
pub(super) const DELETE_OWN_UP: u8 = 5;
const DELETE_OWN_DOWN: u8 = 6;
const DELETE: u8 = 7;

/// A run as it is written.
pub(super) struct Parts<'a> {
    pub(super) kind: u8,
    /// Bytes of text, or elements deleted.
    pub(super) length: u64,
    pub(super) operand: Operand,
    pub(super) text: &'a str,
}

pub(super) enum Operand {
    None,
    Distance(u32),
    /// An element, and the bit that goes with it.
    Element(OpId, bool),
}

impl<'a> Parts<'a> {
    #[inline]
    pub(super) fn of(run: &Run<'a>) -> Self {
        let OpId { replica, seq } = run.id;
        let own = |element: OpId| element.replica == replica && element.seq < seq;
        match run.kind {
            RunKind::Insert { anchor, text } => {
                let before = anchor.side == Side::Before;
                let (kind, operand) = match anchor.element {
                    None => (INSERT_START, Operand::None),
                    Some(element) if own(element) => match (seq - element.seq, before) {
                        (1, false) => (INSERT_ON, Operand::None),
                        (distance, false) => (INSERT_AFTER_OWN, Operand::Distance(distance - 2)),
                        (distance, true) => (INSERT_BEFORE_OWN, Operand::Distance(distance - 1)),
                    },
                    Some(element) => (INSERT_BESIDE, Operand::Element(element, before)),
                };
                Self { kind, length: text.len() as u64, operand, text }
            }
            RunKind::Delete { target, descending } => {
                let down = descending && run.len > 1;
                let (kind, operand) = if own(target) {
                    let kind = if down { DELETE_OWN_DOWN } else { DELETE_OWN_UP };
                    (kind, Operand::Distance(seq - target.seq - 1))
                } else {
                    (DELETE, Operand::Element(target, down))
                };
                Self { kind, length: u64::from(run.len), operand, text: "" }
            }
        }
    }
}

/// Where a form keeps what the two say differently.
pub(super) trait Source<'a> {
    /// How the form names replicas.
    type Replica: Copy + PartialEq;

    /// Reads an element of any replica, and the bit that goes with it.
    fn element(&mut self, reader: &mut Reader<'a>) -> Result<(Self::Replica, Seq, bool), DecodeError>;

    /// Reads so many bytes of text; tells how many elements they are.
    fn text(&mut self, reader: &mut Reader<'a>, bytes: usize) -> Result<(&'a str, usize), DecodeError>;
}

/// Reads the operand and the text of a run of this kind and length.
#[inline(always)]
pub(super) fn read<'a, S: Source<'a>>(
    reader: &mut Reader<'a>,
    source: &mut S,
    replica: S::Replica,
    seq: Seq,
    kind: u8,
    length: u64,
) -> Result<Row<'a, S::Replica>, DecodeError> {
    let row = if kind < DELETE_OWN_UP {
        let (kind, other, other_seq) = match kind {
            INSERT_START => (RowKind::InsertFirst, replica, 0),
            INSERT_ON => (RowKind::InsertAfter, replica, below(seq, 1)?),
            INSERT_AFTER_OWN => {
                (RowKind::InsertAfter, replica, below(seq, 2 + u64::from(reader.varint_u32()?))?)
            }
            INSERT_BEFORE_OWN => {
                (RowKind::InsertBefore, replica, below(seq, 1 + u64::from(reader.varint_u32()?))?)
            }
            _ => {
                let (other, other_seq, before) = read_other(reader, source, replica, seq)?;
                (if before { RowKind::InsertBefore } else { RowKind::InsertAfter }, other, other_seq)
            }
        };
        let bytes = usize::try_from(length).map_err(|_| DecodeError::Truncated)?;
        let (text, elements) = source.text(reader, bytes)?;
        let len = Seq::try_from(elements).map_err(|_| DecodeError::InvalidValue("length of a run"))?;
        Row { replica, seq, len, kind, other, other_seq, text }
    } else {
        let len = Seq::try_from(length).map_err(|_| DecodeError::InvalidValue("length of a run"))?;
        let (other, other_seq, down) = match kind {
            DELETE => read_other(reader, source, replica, seq)?,
            _ => (replica, below(seq, 1 + u64::from(reader.varint_u32()?))?, kind == DELETE_OWN_DOWN),
        };
        if down && len == 1 {
            return Err(DecodeError::InvalidValue("direction of one deletion"));
        }
        let in_range = if down { other_seq >= len - 1 } else { other_seq <= Seq::MAX - len };
        if !in_range {
            return Err(DecodeError::InvalidValue("range of deleted elements"));
        }
        let kind = if down { RowKind::DeleteDown } else { RowKind::DeleteUp };
        Row { replica, seq, len, kind, other, other_seq, text: "" }
    };
    if seq.checked_add(row.len).is_none() {
        return Err(DecodeError::InvalidValue("seq"));
    }
    Ok(row)
}

/// The number that is so far below `seq`.
#[inline]
fn below(seq: Seq, distance: u64) -> Result<Seq, DecodeError> {
    let below = Seq::try_from(distance).ok().and_then(|distance| seq.checked_sub(distance));
    below.ok_or(DecodeError::InvalidValue("distance"))
}

#[inline]
fn read_other<'a, S: Source<'a>>(
    reader: &mut Reader<'a>,
    source: &mut S,
    replica: S::Replica,
    seq: Seq,
) -> Result<(S::Replica, Seq, bool), DecodeError> {
    let (other, other_seq, bit) = source.element(reader)?;
    // No run can hold that number: the one behind it would not fit.
    if other_seq == Seq::MAX {
        return Err(DecodeError::InvalidValue("seq"));
    }
    if other == replica && other_seq < seq {
        return Err(DecodeError::InvalidValue("own element"));
    }
    Ok((other, other_seq, bit))
}
