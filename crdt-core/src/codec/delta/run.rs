//! What both forms say of a run in the same way.

use crate::anchor::{Anchor, Side};
use crate::bytes::Reader;
use crate::error::DecodeError;
use crate::ids::{OpId, Seq};
use crate::op::{Run, RunKind};

const INSERT_START: u8 = 0;
const INSERT_ON: u8 = 1;
const INSERT_AFTER_OWN: u8 = 2;
const INSERT_BEFORE_OWN: u8 = 3;
const INSERT_BESIDE: u8 = 4;
const DELETE_OWN_UP: u8 = 5;
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
    /// Reads an element of any replica, and the bit that goes with it.
    fn element(&mut self, reader: &mut Reader<'a>) -> Result<(OpId, bool), DecodeError>;

    /// Reads so many bytes of text; tells how many elements they are.
    fn text(&mut self, reader: &mut Reader<'a>, bytes: usize) -> Result<(&'a str, usize), DecodeError>;
}

/// Reads the operand and the text of a run of this kind and length.
#[inline]
pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    source: &mut impl Source<'a>,
    id: OpId,
    kind: u8,
    length: u64,
) -> Result<Run<'a>, DecodeError> {
    let run = if kind < DELETE_OWN_UP {
        let anchor = match kind {
            INSERT_START => Anchor::START,
            INSERT_ON => Anchor::after(read_own(id, 1)?),
            INSERT_AFTER_OWN => Anchor::after(read_own(id, 2 + u64::from(reader.varint_u32()?))?),
            INSERT_BEFORE_OWN => Anchor::before(read_own(id, 1 + u64::from(reader.varint_u32()?))?),
            _ => {
                let (element, before) = read_other(reader, source, id)?;
                if before { Anchor::before(element) } else { Anchor::after(element) }
            }
        };
        let bytes = usize::try_from(length).map_err(|_| DecodeError::Truncated)?;
        let (text, elements) = source.text(reader, bytes)?;
        let len = Seq::try_from(elements).map_err(|_| DecodeError::InvalidValue("length of a run"))?;
        Run { id, len, kind: RunKind::Insert { anchor, text } }
    } else {
        let len = Seq::try_from(length).map_err(|_| DecodeError::InvalidValue("length of a run"))?;
        let (target, descending) = match kind {
            DELETE => read_other(reader, source, id)?,
            _ => (read_own(id, 1 + u64::from(reader.varint_u32()?))?, kind == DELETE_OWN_DOWN),
        };
        if descending && len == 1 {
            return Err(DecodeError::InvalidValue("direction of one deletion"));
        }
        let in_range = if descending { target.seq >= len - 1 } else { target.seq <= Seq::MAX - len };
        if !in_range {
            return Err(DecodeError::InvalidValue("range of deleted elements"));
        }
        Run { id, len, kind: RunKind::Delete { target, descending } }
    };
    if id.seq.checked_add(run.len).is_none() {
        return Err(DecodeError::InvalidValue("seq"));
    }
    Ok(run)
}

/// The own element that is so far below `id`.
#[inline]
fn read_own(id: OpId, distance: u64) -> Result<OpId, DecodeError> {
    match Seq::try_from(distance).ok().and_then(|distance| id.seq.checked_sub(distance)) {
        Some(seq) => Ok(OpId::new(id.replica, seq)),
        None => Err(DecodeError::InvalidValue("distance")),
    }
}

#[inline]
fn read_other<'a>(
    reader: &mut Reader<'a>,
    source: &mut impl Source<'a>,
    id: OpId,
) -> Result<(OpId, bool), DecodeError> {
    let (element, bit) = source.element(reader)?;
    if element.replica == id.replica && element.seq < id.seq {
        return Err(DecodeError::InvalidValue("own element"));
    }
    Ok((element, bit))
}
