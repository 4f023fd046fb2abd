//! The form of a delta that holds any number of runs: a table of replicas, all text, then the runs by replica.

use super::names::{Draft, ReplicaNames};
use super::replicas::ReplicaTable;
use super::run::{self, Operand, Parts, Source};
use crate::bytes::{Reader, write_u64_le, write_varint};
use crate::error::DecodeError;
use crate::ids::{OpId, ReplicaId, Seq};
use crate::limits::Limits;
use crate::op::{Row, Run, Runs};
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
        let count = read_count(&mut reader, 8, limits)?;
        let replicas = (0..count).map(|_| reader.u64_le().map(ReplicaId::new)).collect::<Result<_, _>>()?;
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

fn read_count(reader: &mut Reader<'_>, min_bytes: usize, limits: &Limits) -> Result<usize, DecodeError> {
    let count = reader.count(min_bytes)?;
    limits.check_replicas(count)?;
    Ok(count)
}

/// Refuses a table that names a replica twice.
fn check(replicas: Vec<ReplicaId>) -> Result<Vec<ReplicaId>, DecodeError> {
    if replicas.len() > 1 {
        let mut sorted = replicas.clone();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(DecodeError::InvalidValue("replica table"));
        }
    }
    Ok(replicas)
}

/// The runs, and for each block the index of its replica and its end.
type Blocks<'a> = (Runs<'a>, Vec<(usize, OpId)>);

/// What was read of one replica.
#[derive(Clone, Copy)]
struct Part {
    rows: usize,
    end: Seq,
}

fn read_blocks<'a>(
    mut reader: Reader<'a>,
    replicas: Vec<ReplicaId>,
    limits: &Limits,
) -> Result<Blocks<'a>, DecodeError> {
    let text = reader.bytes()?;
    limits.check_text(text.len())?;
    let text = core::str::from_utf8(text).map_err(|_| DecodeError::InvalidText)?;
    let mut source = Table { is_ascii: text.is_ascii(), text, replicas: replicas.len() };
    let mut parts = vec![Part { rows: 0, end: 0 }; replicas.len()];
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut ends = Vec::new();
    let mut in_groups = true;
    let mut operations: u64 = 0;
    while !reader.is_empty() {
        let head = reader.varint()?;
        let replica = source.replica(head >> 1)?;
        let mut seq = reader.varint_u32()?;
        let runs = if head & 1 == 0 { 1 } else { reader.count(1)? };
        if runs == 0 || runs == 1 && head & 1 == 1 {
            return Err(DecodeError::InvalidValue("run count"));
        }
        let part = &mut parts[replica as usize];
        if seq < part.end {
            return Err(DecodeError::InvalidValue("order of runs"));
        }
        in_groups &= part.rows == 0 || rows.last().is_some_and(|row| row.replica == replica);
        limits.check_runs(rows.len().saturating_add(runs))?;
        rows.reserve(runs.min(RESERVED_RUNS));
        let from = seq;
        for _ in 0..runs {
            let head = reader.varint()?;
            if head >> 3 == 0 {
                return Err(DecodeError::InvalidValue("length of a run"));
            }
            let kind = head.to_le_bytes()[0] & 7;
            let row = run::read(&mut reader, &mut source, replica, seq, kind, head >> 3)?;
            seq = row.end();
            rows.push(row);
        }
        operations += u64::from(seq - from);
        limits.check_operations(operations)?;
        part.rows += runs;
        part.end = seq;
        ends.push((replica as usize, OpId::new(replicas[replica as usize], seq)));
    }
    if !source.text.is_empty() {
        return Err(DecodeError::InvalidValue("length of the text"));
    }
    if rows.len() == 1 {
        return Err(DecodeError::InvalidValue("count of runs"));
    }
    if !in_groups {
        rows = grouped(&rows, &parts);
    }
    Ok((Runs { replicas, rows }, ends))
}

/// The rows of each replica together, in the order they had.
fn grouped<'a>(rows: &[Row<'a>], parts: &[Part]) -> Vec<Row<'a>> {
    let mut out = rows.to_vec();
    let mut next = Vec::with_capacity(parts.len());
    let mut before = 0;
    for part in parts {
        next.push(before);
        before += part.rows;
    }
    for &row in rows {
        let place = &mut next[row.replica as usize];
        out[*place] = row;
        *place += 1;
    }
    out
}

/// Replicas by their index in the table; text from where all of it stands.
struct Table<'a> {
    replicas: usize,
    text: &'a str,
    is_ascii: bool,
}

impl Table<'_> {
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
    use crate::op::RowKind;

    #[test]
    fn blocks_that_take_turns_come_out_by_replica() {
        let mut bytes = vec![FULL | VERSION];
        write_varint(&mut bytes, 2);
        for replica in [7, 5] {
            write_u64_le(&mut bytes, replica);
        }
        write_varint(&mut bytes, 4);
        bytes.extend_from_slice(b"abcd");
        // Replica 5, 7, 5, 7, with numbers left out between; each inserts one element after the start.
        for (index, from) in [(1, 0), (0, 0), (1, 3), (0, 9)] {
            bytes.extend_from_slice(&[index << 1, from, 1 << 3]);
        }
        let runs = decode(&bytes, None, &Limits::DEFAULT).unwrap();
        let rows: Vec<_> = runs.rows.iter().map(|row| (row.replica, row.seq, row.text)).collect();
        assert_eq!(rows, [(0, 0, "b"), (0, 9, "d"), (1, 0, "a"), (1, 3, "c")]);
        assert!(runs.rows.iter().all(|row| row.kind == RowKind::InsertFirst));
        assert_eq!(runs.replicas, [7, 5].map(ReplicaId::new));
    }
}
