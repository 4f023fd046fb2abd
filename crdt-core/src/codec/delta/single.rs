//! The form of a delta that holds one run: no lists, and nothing that a keystroke does not need.

use super::names::{Draft, ReplicaNames};
use super::run::{self, Operand, Parts, Source};
use crate::bytes::Reader;
use crate::error::DecodeError;
use crate::ids::{OpId, ReplicaId, Seq};
use crate::limits::Limits;
use crate::op::{Run, RunKind};
use alloc::vec::Vec;

const FULL: u8 = 0;
const NAMED: u8 = 1;
const GOES_ON: u8 = 2;

/// The least length that stands outside the head.
const LONG: u64 = 8;

/// Appends `run`, which is not empty.
#[inline]
pub(crate) fn write(out: &mut Vec<u8>, run: &Run<'_>) {
    let parts = Parts::of(run);
    let mut scratch = Scratch::new(FULL, &parts);
    scratch.replica(run.id.replica);
    scratch.varint(u64::from(run.id.seq));
    scratch.length(&parts);
    match parts.operand {
        Operand::None => {}
        Operand::Distance(distance) => scratch.varint(u64::from(distance)),
        Operand::Element(element, bit) => {
            scratch.replica(element.replica);
            scratch.varint(u64::from(element.seq) << 1 | u64::from(bit));
        }
    }
    scratch.finish(&parts, out);
}

/// Appends `run`, which is not empty, by names if there is room for them.
#[inline]
pub(super) fn write_named(out: &mut Vec<u8>, run: &Run<'_>, names: &mut ReplicaNames) {
    let parts = Parts::of(run);
    let OpId { replica, seq } = run.id;
    if !names.has_room(2) && !all_known(names, replica, &parts.operand) {
        return write(out, run);
    }
    let (place, mut scratch) = match names.going_on() {
        Some((place, next)) if next == run.id => (place, Scratch::new(GOES_ON, &parts)),
        _ => {
            let mut scratch = Scratch::new(NAMED, &parts);
            let (place, name) = names.place(replica);
            let goes_on = names.next_of(place) == seq;
            scratch.name(name, goes_on, replica);
            if !goes_on {
                scratch.varint(u64::from(seq));
            }
            (place, scratch)
        }
    };
    scratch.length(&parts);
    match parts.operand {
        Operand::None => {}
        Operand::Distance(distance) => scratch.varint(u64::from(distance)),
        Operand::Element(element, bit) => {
            let (_, name) = names.place(element.replica);
            scratch.name(name, bit, element.replica);
            scratch.varint(u64::from(element.seq));
        }
    }
    names.said(place, OpId::new(replica, run.end()));
    scratch.finish(&parts, out);
}

#[cold]
fn all_known(names: &ReplicaNames, replica: ReplicaId, operand: &Operand) -> bool {
    let known = |replica| names.find(replica).is_some();
    known(replica) && if let Operand::Element(element, _) = operand { known(element.replica) } else { true }
}

/// The most bytes in front of the text, by names: head 1, issuer 3 + 8 + 5, length 10, element 3 + 8 + 5; and a
/// word more, because words are written whole.
const SCRATCH: usize = 56;

/// Everything in front of the text, and text of one byte: what is appended in one go. The length stays in a
/// register, and bytes behind it mean nothing.
struct Scratch {
    bytes: [u8; SCRATCH],
    len: usize,
}

impl Scratch {
    #[inline]
    fn new(form: u8, parts: &Parts<'_>) -> Self {
        let mut bytes = [0; SCRATCH];
        let length = if parts.length < LONG { parts.length.to_le_bytes()[0] } else { 0 };
        bytes[0] = form << 6 | parts.kind << 3 | length;
        Self { bytes, len: 1 }
    }

    /// Appends the first `len` bytes of a word.
    #[inline]
    fn word(&mut self, word: u64, len: usize) {
        self.bytes[self.len..self.len + 8].copy_from_slice(&word.to_le_bytes());
        self.len += len;
    }

    #[inline]
    fn replica(&mut self, replica: ReplicaId) {
        self.word(replica.get(), 8);
    }

    #[inline]
    fn name(&mut self, name: u32, bit: bool, replica: ReplicaId) {
        self.varint(u64::from(name) << 1 | u64::from(bit));
        if name == 0 {
            self.replica(replica);
        }
    }

    /// Up to three groups without a branch.
    #[inline]
    fn varint(&mut self, value: u64) {
        if value >= 1 << 21 {
            return self.long_varint(value);
        }
        let groups = value & 0x7f | (value & 0x3f80) << 1 | (value & 0x1f_c000) << 2;
        let (second, third) = (value >= 1 << 7, value >= 1 << 14);
        let more = u64::from(second) << 7 | u64::from(third) << 15;
        self.word(groups | more, 1 + usize::from(second) + usize::from(third));
    }

    #[cold]
    fn long_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.word(value & 0x7f | 0x80, 1);
            value >>= 7;
        }
        self.word(value, 1);
    }

    #[inline]
    fn length(&mut self, parts: &Parts<'_>) {
        if parts.length >= LONG {
            self.varint(parts.length - LONG);
        }
    }

    #[inline]
    fn finish(mut self, parts: &Parts<'_>, out: &mut Vec<u8>) {
        let text = parts.text.as_bytes();
        let short = if let &[byte] = text {
            self.word(u64::from(byte), 1);
            true
        } else {
            text.is_empty()
        };
        // Copying a fixed number of bytes and dropping some is faster than copying some.
        if let (true, Some(bytes)) = (self.len <= 32, self.bytes.first_chunk::<32>()) {
            let end = out.len() + self.len;
            out.extend_from_slice(bytes);
            out.truncate(end);
        } else {
            out.extend_from_slice(&self.bytes[..self.len]);
        }
        if !short {
            out.extend_from_slice(text);
        }
    }
}

/// Decodes a delta of one run; `None` if it is a table. Takes no memory.
#[inline(always)]
pub(crate) fn decode_single<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Option<Run<'a>>, DecodeError> {
    limits.check_input(bytes)?;
    let mut reader = Reader::new(bytes);
    let head = reader.u8()?;
    match head >> 6 {
        FULL => {}
        NAMED | GOES_ON => return Err(DecodeError::WrongFormat),
        _ => return Ok(None),
    }
    let replica = ReplicaId::new(reader.u64_le()?);
    let id = OpId::new(replica, reader.varint_u32()?);
    let run = read(&mut reader, &mut InFull, id, head)?;
    reader.finish()?;
    check(&run, limits)?;
    Ok(Some(run))
}

/// As [`decode_single`], for what came over a connection with names. An error leaves the names as they were.
#[inline]
pub(crate) fn decode_single_named<'a>(
    bytes: &'a [u8],
    names: &mut ReplicaNames,
    limits: &Limits,
) -> Result<Option<Run<'a>>, DecodeError> {
    limits.check_input(bytes)?;
    let mut reader = Reader::new(bytes);
    let head = reader.u8()?;
    let mut source = Named(Draft::new(names));
    let (place, id) = match head >> 6 {
        GOES_ON => names.going_on().ok_or(DecodeError::InvalidValue("name of a replica"))?,
        NAMED => source.read_issuer(&mut reader)?,
        _ => return decode_single(bytes, limits),
    };
    let run = read(&mut reader, &mut source, id, head)?;
    reader.finish()?;
    check(&run, limits)?;
    let new = source.0.into_new();
    names.define(&new);
    names.said(place, OpId::new(id.replica, run.end()));
    Ok(Some(run))
}

#[inline]
fn check(run: &Run<'_>, limits: &Limits) -> Result<(), DecodeError> {
    let text = if let RunKind::Insert { text, .. } = run.kind { text.len() } else { 0 };
    limits.check_text(text)?;
    limits.check_operations(u64::from(run.len))
}

#[inline(always)]
fn read<'a>(
    reader: &mut Reader<'a>,
    source: &mut impl Source<'a, Replica = ReplicaId>,
    id: OpId,
    head: u8,
) -> Result<Run<'a>, DecodeError> {
    let length = match u64::from(head & 7) {
        0 => reader.varint()?.checked_add(LONG).ok_or(DecodeError::InvalidNumber)?,
        length => length,
    };
    Ok(run::read(reader, source, id.replica, id.seq, head >> 3 & 7, length)?.into_run())
}

/// Replicas as they are.
struct InFull;

impl<'a> Source<'a> for InFull {
    type Replica = ReplicaId;

    #[inline]
    fn element(&mut self, reader: &mut Reader<'a>) -> Result<(ReplicaId, Seq, bool), DecodeError> {
        let replica = ReplicaId::new(reader.u64_le()?);
        let number = reader.varint()?;
        let seq = Seq::try_from(number >> 1).map_err(|_| DecodeError::InvalidNumber)?;
        Ok((replica, seq, number & 1 == 1))
    }

    #[inline]
    fn text(&mut self, reader: &mut Reader<'a>, bytes: usize) -> Result<(&'a str, usize), DecodeError> {
        text(reader.take(bytes)?)
    }
}

/// Replicas by name.
struct Named<'n>(Draft<'n>);

impl Named<'_> {
    /// Reads whose the run is and where it starts.
    fn read_issuer(&mut self, reader: &mut Reader<'_>) -> Result<(u32, OpId), DecodeError> {
        let number = reader.varint()?;
        let (place, replica) = self.0.read(number >> 1, reader)?;
        let next = self.0.next_of(place);
        let id = if number & 1 == 1 {
            OpId::new(replica, next)
        } else {
            let seq = reader.varint_u32()?;
            if seq == next {
                return Err(DecodeError::InvalidValue("seq"));
            }
            OpId::new(replica, seq)
        };
        if self.0.going_on(id) {
            return Err(DecodeError::InvalidValue("name of a replica"));
        }
        Ok((place, id))
    }
}

impl<'a> Source<'a> for Named<'_> {
    type Replica = ReplicaId;

    #[inline]
    fn element(&mut self, reader: &mut Reader<'a>) -> Result<(ReplicaId, Seq, bool), DecodeError> {
        let number = reader.varint()?;
        let (_, replica) = self.0.read(number >> 1, reader)?;
        Ok((replica, reader.varint_u32()?, number & 1 == 1))
    }

    #[inline]
    fn text(&mut self, reader: &mut Reader<'a>, bytes: usize) -> Result<(&'a str, usize), DecodeError> {
        text(reader.take(bytes)?)
    }
}

/// Every ASCII character, to borrow one of without checking that it is UTF-8.
const ASCII: &str = "\
\0\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\
\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\
\x20!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~\x7f";

/// The text, and how many elements it is.
#[inline]
fn text(bytes: &[u8]) -> Result<(&str, usize), DecodeError> {
    if let &[byte] = bytes
        && let Some(text) = ASCII.get(usize::from(byte)..usize::from(byte) + 1)
    {
        return Ok((text, 1));
    }
    long_text(bytes)
}

fn long_text(bytes: &[u8]) -> Result<(&str, usize), DecodeError> {
    let text = core::str::from_utf8(bytes).map_err(|_| DecodeError::InvalidText)?;
    Ok((text, if text.is_ascii() { text.len() } else { text.chars().count() }))
}
