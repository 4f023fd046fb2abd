//! The form of a delta that holds any number of runs: a table of replicas, all text, then the runs by replica.

use super::names::{Draft, ReplicaNames};
use super::replicas::ReplicaTable;
use super::run::{self, Operand, Parts, Source};
use crate::bytes::{Reader, write_u64_le, write_varint};
use crate::error::DecodeError;
use crate::ids::{OpId, ReplicaId, Seq};
use crate::limits::Limits;
use crate::op::{Row, Run, Runs};
use crate::sorted::sort_by_key;
use crate::units::Size;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

const FULL: u8 = 0xd0;
const NAMED: u8 = 0xe0;
const VERSION: u8 = 2;
/// Stands alone: what was asked for was trimmed.
pub(crate) const TRIMMED: u8 = 0xc2;

/// Room is made for so many runs at most before they are read: a byte may say one, or nothing.
const RESERVED_RUNS: usize = 1 << 12;

/// Writes runs, those of one replica in ascending order and one replica after the other.
#[derive(Default)]
pub(super) struct TableWriter {
    replicas: ReplicaTable,
    text: String,
    /// Finished blocks.
    blocks: Vec<u8>,
    /// The runs of the block that is open.
    runs: Vec<u8>,
    open: Option<Block>,
    /// For each block, its replica's place and its end.
    ends: Vec<(u32, OpId)>,
}

struct Block {
    replica: ReplicaId,
    from: Seq,
    end: Seq,
    runs: u64,
}

impl TableWriter {
    pub(super) fn push(&mut self, run: Run<'_>) {
        match &mut self.open {
            Some(block) if block.replica == run.id.replica && block.end == run.id.seq => {
                block.end = run.end();
                block.runs += 1;
            }
            _ => {
                self.close();
                let OpId { replica, seq } = run.id;
                self.open = Some(Block { replica, from: seq, end: run.end(), runs: 1 });
            }
        }
        let parts = Parts::of(&run);
        write_varint(&mut self.runs, parts.length << 3 | u64::from(parts.kind));
        match parts.operand {
            Operand::None => {}
            Operand::Distance(distance) => write_varint(&mut self.runs, u64::from(distance)),
            Operand::Element(element, bit) => {
                let index = self.replicas.find_or_add(element.replica);
                write_varint(&mut self.runs, u64::from(index) << 1 | u64::from(bit));
                write_varint(&mut self.runs, u64::from(element.seq));
            }
        }
        self.text.push_str(parts.text);
    }

    fn close(&mut self) {
        let Some(block) = self.open.take() else { return };
        let index = self.replicas.find_or_add(block.replica);
        write_varint(&mut self.blocks, u64::from(index) << 1 | u64::from(block.runs != 1));
        write_varint(&mut self.blocks, u64::from(block.from));
        if block.runs != 1 {
            write_varint(&mut self.blocks, block.runs);
        }
        self.blocks.append(&mut self.runs);
        self.ends.push((index, OpId::new(block.replica, block.end)));
    }

    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        self.close();
        let replicas = self.replicas.list();
        out.reserve(12 + 8 * replicas.len() + self.text.len() + self.blocks.len());
        out.push(FULL | VERSION);
        write_varint(out, replicas.len() as u64);
        for replica in replicas {
            write_u64_le(out, replica.get());
        }
        self.write_rest(out);
    }

    /// Appends the table by names, if there is room for them.
    pub(super) fn finish_named(mut self, names: &mut ReplicaNames, out: &mut Vec<u8>) {
        self.close();
        let replicas = self.replicas.list();
        if !names.has_room(replicas.len()) {
            return self.finish(out);
        }
        out.reserve(12 + 9 * replicas.len() + self.text.len() + self.blocks.len());
        out.push(NAMED | VERSION);
        write_varint(out, replicas.len() as u64);
        let mut places = Vec::with_capacity(replicas.len());
        for &replica in replicas {
            let (place, name) = names.place(replica);
            write_varint(out, u64::from(name));
            if name == 0 {
                write_u64_le(out, replica.get());
            }
            places.push(place);
        }
        for &(index, end) in &self.ends {
            names.said(places[index as usize], end);
        }
        self.write_rest(out);
    }

    fn write_rest(&self, out: &mut Vec<u8>) {
        write_varint(out, self.text.len() as u64);
        out.extend_from_slice(self.text.as_bytes());
        out.extend_from_slice(&self.blocks);
    }
}

/// Decodes a table. An error leaves the names as they were.
pub(super) fn decode<'a>(
    bytes: &'a [u8],
    names: Option<&mut ReplicaNames>,
    limits: &Limits,
) -> Result<Runs<'a>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let format = reader.u8()?;
    if bytes == [TRIMMED] {
        return Err(DecodeError::Trimmed);
    }
    let named = match (format & 0xf0, names) {
        (FULL, _) => None,
        (NAMED, Some(names)) => Some(names),
        _ => return Err(DecodeError::WrongFormat),
    };
    if format & 0x0f != VERSION {
        return Err(DecodeError::UnsupportedVersion(format & 0x0f));
    }
    let Some(names) = named else {
        let replicas = read_replicas(&mut reader, limits)?;
        return Ok(read_blocks(reader, check(replicas)?, limits)?.0);
    };
    let count = read_count(&mut reader, 1, limits)?;
    let mut draft = Draft::new(names);
    let mut places = Vec::with_capacity(count);
    let mut replicas = Vec::with_capacity(count);
    for _ in 0..count {
        let name = reader.varint()?;
        let (place, replica) = draft.read(name, &mut reader)?;
        places.push(place);
        replicas.push(replica);
    }
    let (runs, ends) = read_blocks(reader, check(replicas)?, limits)?;
    let new = draft.into_new();
    names.define(&new);
    for (index, end) in ends {
        names.said(places[index], end);
    }
    Ok(runs)
}

/// The replicas of a table without names, its text, and its blocks.
pub(super) fn open<'a>(
    bytes: &'a [u8],
    limits: &Limits,
) -> Result<Option<(Vec<ReplicaId>, Table<'a>, Reader<'a>)>, DecodeError> {
    let Some(bytes) = bytes.strip_prefix(&[FULL | VERSION]) else { return Ok(None) };
    let mut reader = Reader::new(bytes);
    let replicas = read_replicas(&mut reader, limits)?;
    let source = Table::read(&mut reader, replicas.len(), limits)?;
    Ok(Some((replicas, source, reader)))
}

fn read_replicas(reader: &mut Reader<'_>, limits: &Limits) -> Result<Vec<ReplicaId>, DecodeError> {
    let count = read_count(reader, 8, limits)?;
    (0..count).map(|_| reader.u64_le().map(ReplicaId::new)).collect()
}

fn read_count(reader: &mut Reader<'_>, min_bytes: usize, limits: &Limits) -> Result<usize, DecodeError> {
    let count = reader.count(min_bytes)?;
    limits.check_replicas(count)?;
    Ok(count)
}

/// Refuses a table that names a replica twice.
fn check(replicas: Vec<ReplicaId>) -> Result<Vec<ReplicaId>, DecodeError> {
    if replicas.len() > 1 {
        let mut sorted = replicas.clone();
        sort_by_key(&mut sorted, |&replica| replica);
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(DecodeError::InvalidValue("replica table"));
        }
    }
    Ok(replicas)
}

/// The runs, and for each block the index of its replica and its end.
type Blocks<'a> = (Runs<'a>, Vec<(usize, OpId)>);

fn read_blocks<'a>(
    mut reader: Reader<'a>,
    replicas: Vec<ReplicaId>,
    limits: &Limits,
) -> Result<Blocks<'a>, DecodeError> {
    let mut source = Table::read(&mut reader, replicas.len(), limits)?;
    let mut order = BlockOrder::new(replicas.len());
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut ends = Vec::new();
    let mut operations: u64 = 0;
    while !reader.is_empty() {
        let BlockHead { replica, from, runs } = BlockHead::read(&mut reader, &source)?;
        order.check(replica, from)?;
        limits.check_runs(rows.len().saturating_add(runs))?;
        rows.reserve(runs.min(RESERVED_RUNS));
        let mut seq = from;
        for _ in 0..runs {
            let row = source.row(&mut reader, replica, seq)?;
            seq = row.end();
            rows.push(row);
        }
        order.end(replica, seq);
        operations += u64::from(seq - from);
        limits.check_operations(operations)?;
        ends.push((replica as usize, OpId::new(replicas[replica as usize], seq)));
    }
    if !source.text.is_empty() {
        return Err(DecodeError::InvalidValue("length of the text"));
    }
    if rows.len() == 1 {
        return Err(DecodeError::InvalidValue("count of runs"));
    }
    Ok((Runs { replicas, rows }, ends))
}

/// The blocks of one replica stand together and ascend, with operations left out between them.
pub(super) struct BlockOrder {
    last: u32,
    /// By replica; no block ends at 0.
    ends: Vec<Seq>,
}

impl BlockOrder {
    pub(super) fn new(replicas: usize) -> Self {
        Self { last: 0, ends: vec![0; replicas] }
    }

    /// Checks where the next block begins.
    pub(super) fn check(&self, replica: u32, from: Seq) -> Result<(), DecodeError> {
        let end = self.ends[replica as usize];
        if end > 0 && (self.last != replica || from <= end) {
            return Err(DecodeError::InvalidValue("order of runs"));
        }
        Ok(())
    }

    /// Notes where it ends.
    pub(super) fn end(&mut self, replica: u32, end: Seq) {
        self.last = replica;
        self.ends[replica as usize] = end;
    }
}

/// Replicas by their index in the table; text from where all of it stands.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    replicas: usize,
    /// What no run has taken so far.
    text: &'a str,
    is_ascii: bool,
}

/// What a block starts with.
pub(super) struct BlockHead {
    pub(super) replica: u32,
    /// The number of its first operation.
    pub(super) from: Seq,
    pub(super) runs: usize,
}

impl BlockHead {
    pub(super) fn read(reader: &mut Reader<'_>, source: &Table<'_>) -> Result<Self, DecodeError> {
        let head = reader.varint()?;
        let replica = source.replica(head >> 1)?;
        let from = reader.varint_u32()?;
        let runs = if head & 1 == 0 { 1 } else { reader.count(1)? };
        if runs == 0 || runs == 1 && head & 1 == 1 {
            return Err(DecodeError::InvalidValue("run count"));
        }
        Ok(Self { replica, from, runs })
    }
}

impl<'a> Table<'a> {
    /// Reads the text that stands in front of the blocks.
    pub(super) fn read(
        reader: &mut Reader<'a>,
        replicas: usize,
        limits: &Limits,
    ) -> Result<Self, DecodeError> {
        let text = reader.bytes()?;
        limits.check_text(text.len())?;
        let text = core::str::from_utf8(text).map_err(|_| DecodeError::InvalidText)?;
        Ok(Self { is_ascii: text.is_ascii(), text, replicas })
    }

    /// Reads the next run of a block.
    #[inline(always)]
    pub(super) fn row(
        &mut self,
        reader: &mut Reader<'a>,
        replica: u32,
        seq: Seq,
    ) -> Result<Row<'a>, DecodeError> {
        let head = reader.varint()?;
        if head >> 3 == 0 {
            return Err(DecodeError::InvalidValue("length of a run"));
        }
        run::read(reader, self, replica, seq, head.to_le_bytes()[0] & 7, head >> 3)
    }

    #[inline]
    fn replica(&self, index: u64) -> Result<u32, DecodeError> {
        let index = u32::try_from(index).map_err(|_| DecodeError::InvalidNumber)?;
        if (index as usize) < self.replicas {
            Ok(index)
        } else {
            Err(DecodeError::InvalidValue("replica index"))
        }
    }
}

impl<'a> Source<'a> for Table<'a> {
    type Replica = u32;

    #[inline]
    fn element(&mut self, reader: &mut Reader<'a>) -> Result<(u32, Seq, bool), DecodeError> {
        let number = reader.varint()?;
        Ok((self.replica(number >> 1)?, reader.varint_u32()?, number & 1 == 1))
    }

    #[inline]
    fn text(&mut self, _: &mut Reader<'a>, bytes: usize) -> Result<(&'a str, usize), DecodeError> {
        if bytes > self.text.len() {
            return Err(DecodeError::Truncated);
        }
        let (text, rest) = self.text.split_at_checked(bytes).ok_or(DecodeError::InvalidText)?;
        self.text = rest;
        Ok((text, if self.is_ascii { bytes } else { Size::of(text).chars }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::write_bytes;
    use crate::op::RowKind;

    /// Blocks of one run each, of (replica, from), in a table of two replicas; each inserts one element after the start.
    fn blocks(blocks: &[(u8, u8)]) -> Vec<u8> {
        let mut bytes = vec![FULL | VERSION];
        write_varint(&mut bytes, 2);
        for replica in [7, 5] {
            write_u64_le(&mut bytes, replica);
        }
        write_bytes(&mut bytes, &b"abcd"[..blocks.len()]);
        for &(index, from) in blocks {
            bytes.extend_from_slice(&[index << 1, from, 1 << 3]);
        }
        bytes
    }

    #[test]
    fn blocks_of_one_replica_stand_together_with_something_left_out_between() {
        let bytes = blocks(&[(1, 0), (1, 3), (0, 0), (0, 9)]);
        let runs = decode(&bytes, None, &Limits::DEFAULT).unwrap();
        let rows: Vec<_> = runs.rows.iter().map(|row| (row.replica, row.seq, row.text)).collect();
        assert_eq!(rows, [(1, 0, "a"), (1, 3, "b"), (0, 0, "c"), (0, 9, "d")]);
        assert!(runs.rows.iter().all(|row| row.kind == RowKind::InsertFirst));
        assert_eq!(runs.replicas, [7, 5].map(ReplicaId::new));

        let wrong: [&[_]; 4] =
            [&[(1, 0), (0, 0), (1, 3)], &[(1, 3), (1, 0)], &[(1, 2), (1, 2)], &[(1, 2), (1, 3)]];
        for order in wrong {
            let refused = decode(&blocks(order), None, &Limits::DEFAULT).err();
            assert_eq!(refused, Some(DecodeError::InvalidValue("order of runs")), "{order:?}");
        }
    }
}
