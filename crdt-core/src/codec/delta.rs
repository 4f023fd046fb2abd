//! Deltas: runs of operations, row by row, made for one keystroke.
//!
//! ```text
//! delta   = 0xD1  count  replica × count  block *        (up to the end of the bytes)
//! replica = 8 bytes, least significant first; no replica twice
//! block   = head  from  [runs, if head is odd]  run × (runs or 1)
//!           head = 2 × index of the issuing replica, + 1 if `runs` follows
//!           from = seq of the first operation; each run starts where the one before it ended
//! run     = 8 × length + kind, then by kind:
//!   0  insert after the start                           text
//!   1  insert after an own element    distance          text
//!   2  insert before an own element   distance          text
//!   3  insert after any element       replica  seq      text
//!   4  insert before any element      replica  seq      text
//!   5  delete upwards                 replica  seq
//!   6  delete downwards               replica  seq
//! ```
//!
//! Everything that is not said otherwise is a varint. `length` is the bytes of `text` (UTF-8) or
//! the elements deleted, and not 0; `distance` is the seq of the run less that of the element it
//! is placed beside, and not 0; `replica` is an index. Runs of one replica ascend and do not overlap.

use super::limits::MAX_DELTA_REPLICAS;
use crate::anchor::{Anchor, Side};
use crate::bytes::{Reader, write_u64_le, write_varint};
use crate::error::DecodeError;
use crate::ids::{OpId, ReplicaId, Seq};
use crate::op::{Op, Run, RunKind};
use crate::units::Size;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

const FORMAT: u8 = 0xd0;
const VERSION: u8 = 1;

const INSERT_START: u64 = 0;
const INSERT_AFTER_OWN: u64 = 1;
const INSERT_BEFORE_OWN: u64 = 2;
const INSERT_AFTER: u64 = 3;
const INSERT_BEFORE: u64 = 4;
const DELETE_UP: u64 = 5;
const DELETE_DOWN: u64 = 6;

/// Encodes operations as one delta, whether or not any document holds them.
///
/// Runs of one replica must not overlap; they may come in any order. O(*n* log *n*) with *n* the runs,
/// and their bytes. Whether the operations make sense is checked where the delta is applied.
pub fn encode_delta(ops: &[Op]) -> Vec<u8> {
    let mut sorted: Vec<&Op> = ops.iter().collect();
    sorted.sort_by_key(|op| op.id);
    let mut writer = DeltaWriter::default();
    for op in sorted {
        writer.push(op.as_run());
    }
    writer.finish()
}

/// Decodes a delta without a document.
///
/// O(bytes). The operations come grouped by replica, in ascending seq.
///
/// # Errors
/// Whatever is wrong with the bytes.
pub fn decode_delta(bytes: &[u8]) -> Result<Vec<Op>, DecodeError> {
    Ok(decode_runs(bytes)?.into_iter().flatten().map(Run::to_op).collect())
}

/// Writes runs, those of one replica in ascending order and one replica after the other.
#[derive(Default)]
pub(crate) struct DeltaWriter {
    replicas: ReplicaTable,
    /// Finished blocks.
    blocks: Vec<u8>,
    /// The runs of the block that is open.
    runs: Vec<u8>,
    open: Option<Block>,
}

struct Block {
    replica: ReplicaId,
    from: Seq,
    end: Seq,
    runs: u64,
}

impl DeltaWriter {
    pub(crate) fn push(&mut self, run: Run<'_>) {
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
        let own = |element: OpId| element.replica == run.id.replica && element.seq < run.id.seq;
        match run.kind {
            RunKind::Insert { anchor, text } => {
                let before = u64::from(anchor.side == Side::Before);
                let length = (text.len() as u64) << 3;
                match anchor.element {
                    None => write_varint(&mut self.runs, length | INSERT_START),
                    Some(element) if own(element) => {
                        write_varint(&mut self.runs, length | (INSERT_AFTER_OWN + before));
                        write_varint(&mut self.runs, u64::from(run.id.seq - element.seq));
                    }
                    Some(element) => {
                        write_varint(&mut self.runs, length | (INSERT_AFTER + before));
                        self.write_id(element);
                    }
                }
                self.runs.extend_from_slice(text.as_bytes());
            }
            RunKind::Delete { target, descending } => {
                let kind = if descending { DELETE_DOWN } else { DELETE_UP };
                write_varint(&mut self.runs, u64::from(run.len) << 3 | kind);
                self.write_id(target);
            }
        }
    }

    fn write_id(&mut self, id: OpId) {
        let index = self.replicas.index(id.replica);
        write_varint(&mut self.runs, index);
        write_varint(&mut self.runs, u64::from(id.seq));
    }

    fn close(&mut self) {
        let Some(block) = self.open.take() else { return };
        let index = self.replicas.index(block.replica);
        write_varint(&mut self.blocks, index << 1 | u64::from(block.runs != 1));
        write_varint(&mut self.blocks, u64::from(block.from));
        if block.runs != 1 {
            write_varint(&mut self.blocks, block.runs);
        }
        self.blocks.append(&mut self.runs);
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.close();
        let replicas = &self.replicas.list;
        let mut out = Vec::with_capacity(6 + 8 * replicas.len() + self.blocks.len());
        out.push(FORMAT | VERSION);
        write_varint(&mut out, replicas.len() as u64);
        for replica in replicas {
            write_u64_le(&mut out, replica.get());
        }
        out.append(&mut self.blocks);
        out
    }
}

/// Replicas by first use.
#[derive(Default)]
struct ReplicaTable {
    list: Vec<ReplicaId>,
    /// Kept once the list is too long to look through.
    map: BTreeMap<ReplicaId, u64>,
}

const LONG_TABLE: usize = 16;

impl ReplicaTable {
    fn index(&mut self, replica: ReplicaId) -> u64 {
        let found = if self.list.len() <= LONG_TABLE {
            self.list.iter().position(|&other| other == replica).map(|index| index as u64)
        } else {
            self.map.get(&replica).copied()
        };
        if let Some(index) = found {
            return index;
        }
        let index = self.list.len() as u64;
        self.list.push(replica);
        if self.list.len() == LONG_TABLE + 1 {
            self.map = self.list.iter().copied().zip(0..).collect();
        } else if self.list.len() > LONG_TABLE {
            self.map.insert(replica, index);
        }
        index
    }
}

/// Decodes the runs of a delta: one list per replica that issued any, in ascending seq.
pub(crate) fn decode_runs(bytes: &[u8]) -> Result<Vec<Vec<Run<'_>>>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let format = reader.u8()?;
    if format & 0xf0 != FORMAT {
        return Err(DecodeError::WrongFormat);
    }
    if format != FORMAT | VERSION {
        return Err(DecodeError::UnsupportedVersion(format & 0x0f));
    }
    let replicas = read_replicas(&mut reader)?;
    // For each replica, its list and the end of its last run.
    let mut places: Vec<Option<(usize, Seq)>> = vec![None; replicas.len()];
    let mut lists: Vec<Vec<Run<'_>>> = Vec::new();
    while !reader.is_empty() {
        let head = reader.varint()?;
        let index = usize::try_from(head >> 1).map_err(|_| DecodeError::InvalidNumber)?;
        let &replica = replicas.get(index).ok_or(DecodeError::InvalidValue("replica index"))?;
        let mut seq = reader.varint_u32()?;
        let runs = if head & 1 == 0 { 1 } else { reader.count(2)? };
        if runs == 0 {
            return Err(DecodeError::InvalidValue("run count"));
        }
        let (list, end) = *places[index].get_or_insert_with(|| {
            lists.push(Vec::new());
            (lists.len() - 1, 0)
        });
        if seq < end {
            return Err(DecodeError::InvalidValue("order of runs"));
        }
        for _ in 0..runs {
            let run = read_run(&mut reader, &replicas, OpId::new(replica, seq))?;
            seq = run.end();
            lists[list].push(run);
        }
        places[index] = Some((list, seq));
    }
    Ok(lists)
}

fn read_replicas(reader: &mut Reader<'_>) -> Result<Vec<ReplicaId>, DecodeError> {
    let count = reader.count(8)?;
    if count > MAX_DELTA_REPLICAS {
        return Err(DecodeError::LimitExceeded("replicas of a delta"));
    }
    let replicas: Vec<ReplicaId> =
        (0..count).map(|_| reader.u64_le().map(ReplicaId::new)).collect::<Result<_, _>>()?;
    if count > 1 {
        let mut sorted = replicas.clone();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(DecodeError::InvalidValue("replica table"));
        }
    }
    Ok(replicas)
}

fn read_run<'a>(reader: &mut Reader<'a>, replicas: &[ReplicaId], id: OpId) -> Result<Run<'a>, DecodeError> {
    let head = reader.varint()?;
    let (length, kind) = (head >> 3, head & 7);
    if length == 0 {
        return Err(DecodeError::InvalidValue("length of a run"));
    }
    let side = if matches!(kind, INSERT_BEFORE_OWN | INSERT_BEFORE) { Side::Before } else { Side::After };
    let element = match kind {
        INSERT_START => None,
        INSERT_AFTER_OWN | INSERT_BEFORE_OWN => {
            let distance = reader.varint_u32()?;
            let seq = id.seq.checked_sub(distance).filter(|_| distance > 0);
            Some(OpId::new(id.replica, seq.ok_or(DecodeError::InvalidValue("distance"))?))
        }
        INSERT_AFTER | INSERT_BEFORE | DELETE_UP | DELETE_DOWN => {
            let index = reader.varint()?;
            let replica = usize::try_from(index).ok().and_then(|index| replicas.get(index));
            let &replica = replica.ok_or(DecodeError::InvalidValue("replica index"))?;
            Some(OpId::new(replica, reader.varint_u32()?))
        }
        _ => return Err(DecodeError::InvalidValue("kind of a run")),
    };
    let (len, kind) = match element {
        Some(target) if kind >= DELETE_UP => {
            let len = Seq::try_from(length).map_err(|_| DecodeError::InvalidValue("length of a run"))?;
            let descending = kind == DELETE_DOWN && len > 1;
            let in_range = if descending { target.seq >= len - 1 } else { target.seq <= Seq::MAX - len };
            if !in_range {
                return Err(DecodeError::InvalidValue("range of deleted elements"));
            }
            (len, RunKind::Delete { target, descending })
        }
        element => {
            let bytes = usize::try_from(length).map_err(|_| DecodeError::Truncated)?;
            let text = core::str::from_utf8(reader.take(bytes)?).map_err(|_| DecodeError::InvalidText)?;
            let len = Seq::try_from(Size::of(text).chars)
                .map_err(|_| DecodeError::InvalidValue("length of a run"))?;
            (len, RunKind::Insert { anchor: Anchor { element, side }, text })
        }
    };
    if id.seq.checked_add(len).is_none() {
        return Err(DecodeError::InvalidValue("seq"));
    }
    Ok(Run { id, len, kind })
}
