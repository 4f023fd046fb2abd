//! Items: runs of elements with consecutive ids, in document order.
//!
//! ```text
//! items   = count  switches  count × head  switches × index  number *
//! head    = 0x01 left taken              (something was placed after the element to the left, or the start)
//!           0x02 head of a run           (else its first element was placed after its predecessor in seq)
//!           0x04 deleted                 (the text stands in 'X', else in 'T')
//!           0x18 size of `length`        0, 1, 2, 3: 0, 1, 2, 4 bytes
//!           0x60 size of `seq`           head of a run: 1, 2, 3, 4 bytes
//!                                        else 0: no bytes, goes on from the item two before
//!                                             1: no bytes, goes on from the item before · 2, 3: 2, 4 bytes
//!           0x80 of another replica than the item before (before the first: of replica 0)
//! index   = of that replica, a varint
//! number  = least significant byte first; for each item `length` and then `seq`
//! ```
//!
//! `length` counts the elements behind the first. `seq` is that of the first element: its distance from where the
//! item before of the same replica ended, as 0, -1, 1, -2, … ↦ 0, 1, 2, 3, … The text of an item is the next so many
//! scalar values of its text. Two neighbours that could be one item are one, if they are ASCII.

use super::packed::{self, Packed, Shape};
use crate::bytes::{Reader, write_varint};
use crate::error::DecodeError;
use crate::ids::Seq;
use crate::op_log::{BLOCK, ItemPart, LocalId, WIDE_RUN};
use alloc::vec::Vec;
use core::hint::select_unpredictable;

const FLAGS: u8 = ItemPart::LEFT_TAKEN | ItemPart::HEAD | ItemPart::DELETED;
const HEAD: u8 = ItemPart::HEAD;
const OTHER_REPLICA: u8 = 0x80;

/// The bytes of `length`, by two bits.
const LENGTH_BYTES: [u8; 4] = [0, 1, 2, 4];
/// The bytes of `seq`, by two bits and the bit of a head.
const SEQ_BYTES: [u8; 8] = [0, 0, 2, 4, 1, 2, 3, 4];

/// The bytes of both, by the six bits of a head from that of a head of a run on.
static SHAPES: [Shape; 64] = shapes();

const fn shapes() -> [Shape; 64] {
    let mut shapes = [Shape::of(0, 0); 64];
    let mut bits = 0;
    while bits < 64 {
        shapes[bits] = Shape::of(LENGTH_BYTES[bits >> 2 & 3], SEQ_BYTES[bits >> 4 | (bits & 1) << 2]);
        bits += 1;
    }
    shapes
}

/// The bits of a head of which none is set in an item that goes on from the item two before.
const FROM_BEFORE: u8 = 0x60 | HEAD;

/// The items of a snapshot.
#[derive(Clone)]
pub(crate) struct Items<'a> {
    heads: &'a [u8],
    indices: Reader<'a>,
    numbers: Packed<'a>,
    /// Where the last item of each replica ended; that of the current one and the one before beside it.
    ends: Ends,
    replica: u32,
    end: Seq,
    end_before: Seq,
}

impl<'a> Items<'a> {
    pub(crate) fn new(chunk: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(chunk);
        let (mut count, mut switches) = (0, 0);
        if !chunk.is_empty() {
            count = reader.count(1)?;
            switches = reader.count(1)?;
        }
        let heads = reader.take(count)?;
        let (indices, numbers) = split_indices(reader, switches)?;
        let ends = Ends::default();
        Ok(Self { heads, indices, numbers, ends, replica: 0, end: 0, end_before: 0 })
    }

    /// How many are left: no more than bytes.
    pub(crate) fn len(&self) -> usize {
        self.heads.len()
    }

    /// Reads the next into `block`, in order, each with a replica below `replicas`. Fewer than fit are
    /// the last.
    ///
    /// Whether an item ends before seq 2^32, and is not 2^32 long, which reads as 0, is to be checked yet.
    #[inline(never)]
    pub(crate) fn read(
        &mut self,
        replicas: usize,
        block: &mut [ItemPart; BLOCK],
    ) -> Result<usize, DecodeError> {
        let (heads, rest) = self.heads.split_at(self.heads.len().min(BLOCK));
        let Self { mut replica, mut end, mut end_before, .. } = *self;
        let mut copy = None;
        let mut numbers = self.numbers.block(&mut copy);
        if !heads.is_empty() && replica as usize >= replicas {
            return Err(DecodeError::InvalidValue("replica of an item"));
        }
        // The bit of another replica is the one that no ASCII has.
        const { assert!(OTHER_REPLICA == 0x80) };
        let is_of_one = heads.is_ascii();
        let mut parts = &mut block[..heads.len()];
        let mut left = heads;
        while let [first, others @ ..] = left {
            if first & OTHER_REPLICA != 0 {
                let next = self.indices.varint_u32()?;
                if next == replica || next as usize >= replicas {
                    return Err(DecodeError::InvalidValue("replica of an item"));
                }
                end = self.ends.switch(replica, next, end);
                (replica, end_before) = (next, end);
            }
            let next_switch =
                if is_of_one { None } else { others.iter().position(|head| head & OTHER_REPLICA != 0) };
            let same = next_switch.map_or(left.len(), |others| 1 + others);
            let (heads_now, parts_now);
            (heads_now, left) = left.split_at(same);
            (parts_now, parts) = parts.split_at_mut(same);
            for (&head, part) in heads_now.iter().zip(parts_now) {
                let (more, distance) = numbers.take(SHAPES[usize::from(head >> 1 & 0x3f)]);
                let len = more.wrapping_add(1);
                let from = select_unpredictable(head & FROM_BEFORE == 0, end_before, end);
                let seq = packed::at_distance(from, distance);
                (end_before, end) = (end, seq.wrapping_add(len));
                *part = ItemPart { id: LocalId::new(replica, seq), len, flags: head & FLAGS };
            }
        }
        let count = heads.len();
        self.heads = rest;
        self.numbers.skip(&numbers)?;
        (self.replica, self.end, self.end_before) = (replica, end, end_before);
        if count < BLOCK {
            self.indices.clone().finish()?;
            self.numbers.finish()?;
        }
        Ok(count)
    }
}

/// Takes apart a column of so many varints and the numbers behind them.
pub(super) fn split_indices(
    mut reader: Reader<'_>,
    indices: usize,
) -> Result<(Reader<'_>, Packed<'_>), DecodeError> {
    let mut rest = reader.clone();
    for _ in 0..indices {
        rest.varint()?;
    }
    let numbers = rest.take_rest();
    let indices = reader.take(reader.remaining() - numbers.len())?;
    Ok((Reader::new(indices), Packed::new(numbers)))
}

/// Where the last item of each replica ended, by index.
#[derive(Clone, Default)]
struct Ends {
    ends: Vec<Seq>,
}

impl Ends {
    /// Notes the end of one replica and gives that of another. Indices are checked.
    fn switch(&mut self, from: u32, to: u32, end: Seq) -> Seq {
        let (from, to) = (from as usize, to as usize);
        if self.ends.len() <= from.max(to) {
            self.ends.resize(from.max(to) + 1, 0);
        }
        self.ends[from] = end;
        self.ends[to]
    }
}

/// Writes items and their text; joins neighbours.
#[derive(Default)]
pub(crate) struct ItemsWriter {
    last: Option<Open>,
    count: u64,
    heads: Vec<u8>,
    switches: u64,
    indices: Vec<u8>,
    numbers: Vec<u8>,
    visible: Vec<u8>,
    deleted: Vec<u8>,
    textless: TextlessWriter,
    ends: Ends,
    replica: u32,
    end: Seq,
    end_before: Seq,
}

/// The item that the next may still go on from.
#[derive(Clone, Copy)]
struct Open {
    part: ItemPart,
    ascii: bool,
    textless: bool,
}

/// Which deleted elements have lost their text.
///
/// ```text
/// textless = (with  without) *     so many deleted elements that have theirs, then so many that have not
/// ```
#[derive(Default)]
struct TextlessWriter {
    out: Vec<u8>,
    with: u64,
    without: u64,
}

impl TextlessWriter {
    /// So many deleted elements have their text; 0 says nothing.
    #[inline]
    fn have(&mut self, len: Seq) {
        if self.without > 0 && len > 0 {
            self.close();
        }
        self.with += u64::from(len);
    }

    /// So many have not.
    fn have_not(&mut self, len: Seq) {
        self.without += u64::from(len);
    }

    fn close(&mut self) {
        if self.without > 0 {
            write_varint(&mut self.out, core::mem::take(&mut self.with));
            write_varint(&mut self.out, core::mem::take(&mut self.without));
        }
    }
}

/// Reads what [`TextlessWriter`] wrote.
pub(crate) struct Textless<'a> {
    reader: Reader<'a>,
    with: u64,
    without: u64,
}

impl<'a> Textless<'a> {
    pub(crate) fn new(chunk: &'a [u8]) -> Self {
        Self { reader: Reader::new(chunk), with: 0, without: 0 }
    }

    /// Whether the next deleted item has lost its text.
    pub(crate) fn next(&mut self, len: Seq) -> Result<bool, DecodeError> {
        const INVALID: DecodeError = DecodeError::InvalidValue("elements without text");
        if self.with == 0 && self.without == 0 {
            if self.reader.is_empty() {
                return Ok(false);
            }
            (self.with, self.without) = (self.reader.varint()?, self.reader.varint()?);
            if self.without == 0 {
                return Err(INVALID);
            }
        }
        let textless = self.with == 0;
        let left = if textless { &mut self.without } else { &mut self.with };
        *left = left.checked_sub(u64::from(len)).ok_or(INVALID)?;
        Ok(textless)
    }

    /// Ends reading.
    pub(crate) fn finish(&self) -> Result<(), DecodeError> {
        let is_done = self.reader.is_empty() && self.with == 0 && self.without == 0;
        if is_done { Ok(()) } else { Err(DecodeError::TrailingBytes) }
    }
}

impl ItemsWriter {
    /// With room for so many items and so many bytes of text, about.
    pub(crate) fn with_room(items: usize, bytes: usize) -> Self {
        Self {
            heads: Vec::with_capacity(items),
            numbers: Vec::with_capacity(2 * items),
            visible: Vec::with_capacity(bytes),
            deleted: Vec::with_capacity(bytes / 2),
            ..Self::default()
        }
    }

    /// Appends an item with its text in UTF-8; a deleted one may have lost it.
    #[inline]
    pub(crate) fn push(&mut self, part: ItemPart, utf8: &[u8]) {
        if part.is_deleted() { &mut self.deleted } else { &mut self.visible }.extend_from_slice(utf8);
        let textless = utf8.is_empty();
        if textless {
            self.textless.have_not(part.len);
        } else {
            // Which items are deleted follows no pattern: a branch for each would be guessed wrong half the time.
            self.textless.have(select_unpredictable(part.is_deleted(), part.len, 0));
        }
        let ascii = textless || utf8.len() == part.len as usize;
        if let Some(Open { part: last, ascii: last_ascii, textless: last_textless }) = &mut self.last
            && !part.is_head()
            && part.is_deleted() == last.is_deleted()
            && textless == *last_textless
            && part.id == last.id.plus(last.len)
            && (ascii && *last_ascii || (last.len + part.len) as usize <= WIDE_RUN)
        {
            last.len += part.len;
            *last_ascii &= ascii;
            return;
        }
        self.close();
        self.last = Some(Open { part, ascii, textless });
    }

    fn close(&mut self) {
        let Some(Open { part, .. }) = self.last.take() else { return };
        let mut head = part.flags;
        if part.id.replica != self.replica {
            head |= OTHER_REPLICA;
            write_varint(&mut self.indices, u64::from(part.id.replica));
            self.switches += 1;
            self.end = self.ends.switch(self.replica, part.id.replica, self.end);
            (self.replica, self.end_before) = (part.id.replica, self.end);
        }
        let more = part.len - 1;
        let length = packed::bytes_of(more).min(3);
        let distance = packed::distance(self.end, part.id.seq);
        let kind = if part.is_head() {
            packed::bytes_of(distance).saturating_sub(1) + 4
        } else if part.id.seq == self.end_before {
            0
        } else {
            match packed::bytes_of(distance) {
                0 => 1,
                1 | 2 => 2,
                _ => 3,
            }
        };
        packed::write_pair(&mut self.numbers, (more, LENGTH_BYTES[length]), (distance, SEQ_BYTES[kind]));
        let bits = |size: usize, shift: u32| size.to_le_bytes()[0] << shift;
        self.heads.push(head | bits(length, 3) | bits(kind & 3, 5));
        (self.end_before, self.end) = (self.end, part.id.seq + part.len);
        self.count += 1;
    }

    /// The items, which of them have lost their text, the visible text, the deleted text.
    pub(super) fn finish(mut self) -> [Vec<u8>; 4] {
        self.close();
        self.textless.close();
        let textless = self.textless.out;
        if self.count == 0 {
            return [Vec::new(), textless, self.visible, self.deleted];
        }
        let Self { count, mut heads, switches, mut indices, mut numbers, .. } = self;
        let mut out = Vec::with_capacity(10 + heads.len() + indices.len() + numbers.len());
        write_varint(&mut out, count);
        write_varint(&mut out, switches);
        out.append(&mut heads);
        out.append(&mut indices);
        out.append(&mut numbers);
        [out, textless, self.visible, self.deleted]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(replica: u32, seq: Seq, len: Seq, flags: u8) -> ItemPart {
        ItemPart { id: LocalId::new(replica, seq), len, flags }
    }

    const LEFT_TAKEN: u8 = ItemPart::LEFT_TAKEN;
    const DELETED: u8 = ItemPart::DELETED;

    #[test]
    fn items_round_trip() {
        let parts = [
            part(0, 0, 5, HEAD | LEFT_TAKEN),
            part(0, 300, 1, HEAD),
            part(0, 5, 70_000, 0),
            part(2, 9, 1, HEAD | DELETED),
            part(0, 70_005, 3, DELETED),
            part(2, 10, 300, LEFT_TAKEN),
            part(0, 1_000_000, 2, HEAD),
            part(0, 70_008, 2, 0),
            part(0, 80_008, 2, 0),
            part(1, 4_000_000_000, 2, HEAD),
        ];
        let mut writer = ItemsWriter::default();
        for part in parts {
            writer.push(part, "x".repeat(part.len as usize).as_bytes());
        }
        let [chunk, textless, visible, deleted] = writer.finish();
        assert_eq!(textless, [0; 0]);
        assert_eq!((visible.len(), deleted.len()), (70_314, 4));
        assert_eq!(read_all(&chunk, 3), Ok(parts.to_vec()));
        assert!(read_all(&chunk, 2).is_err(), "a replica that is not listed");
        assert!(read_all(&chunk, 0).is_err(), "a replica that is not listed");
        for cut in 1..chunk.len() {
            assert!(read_all(&chunk[..cut], 3).is_err(), "cut at {cut}");
        }
    }

    fn read_all(chunk: &[u8], replicas: usize) -> Result<Vec<ItemPart>, DecodeError> {
        let mut items = Items::new(chunk)?;
        let mut block = [ItemPart::NONE; BLOCK];
        let mut all = Vec::new();
        loop {
            let count = items.read(replicas, &mut block)?;
            all.extend_from_slice(&block[..count]);
            if count < BLOCK {
                return Ok(all);
            }
        }
    }

    #[test]
    fn neighbours_that_could_be_one_become_one() {
        let mut writer = ItemsWriter::default();
        writer.push(part(0, 0, 2, HEAD), "ab".as_bytes());
        writer.push(part(0, 2, 1, LEFT_TAKEN), "c".as_bytes());
        writer.push(part(0, 3, 1, LEFT_TAKEN), "é".as_bytes());
        writer.push(part(0, 4, 1, HEAD), "x".as_bytes());
        let [chunk, ..] = writer.finish();
        let read: Vec<_> = read_all(&chunk, 1).unwrap().iter().map(|part| (part.id.seq, part.len)).collect();
        assert_eq!(read, [(0, 4), (4, 1)]);
    }
}
