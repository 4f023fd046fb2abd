//! Deltas: runs of operations, made for one keystroke.
//!
//! The first byte tells the form. One run has a form of its own, and only that; any other number of runs is a
//! table.
//!
//! ```text
//! delta   = single | table | rich             (rich: see `rich.rs`)
//!
//! single  = head  issuer  [length - 8, if the head does not hold it]  operand  text
//! head    = 1 byte: form (2 bits)  kind (3 bits)  length, if it is 1 to 7, else 0 (3 bits)
//! issuer  = form 0   replica  seq
//!           form 1   2 × name, + 1 if it goes on  [replica, if the name is 0]  [seq, if it does not]
//!           form 2   nothing: it goes on from the named delta before
//!
//! table   = 0xD2  count  replica × count  bytes of text  text  block *      (to the end of the bytes)
//!         | 0xE2  count  (name  [replica, if the name is 0]) × count  bytes of text  text  block *
//! block   = head  from  [runs, if head is odd]  run × (runs or 1)
//!           head = 2 × index of the issuing replica, + 1 if `runs` follows
//!           from = seq of the first operation; each run starts where the one before it ended
//! run     = 8 × length + kind  operand                  (its text is the next of the table's text)
//!
//! kind      what it does                                 operand
//!   0       insert after the start
//!   1       insert after the replica's own last number   (typing on)
//!   2       insert after an own element                  distance - 2
//!   3       insert before an own element                 distance - 1
//!   4       insert beside any other element              element, + 1 if before
//!   5       delete own elements upwards                  distance - 1
//!   6       delete own elements downwards                distance - 1
//!   7       delete any other elements                    element, + 1 if downwards
//! element = single, form 0   replica  2 × seq (+ 1)
//!           single, others   2 × name (+ 1)  [replica, if the name is 0]  seq
//!           table            2 × index (+ 1)  seq
//! ```
//!
//! Everything that is not said otherwise is a varint; `replica` is 8 bytes, least significant first. `length` is
//! the bytes of text (UTF-8) or the elements deleted, and not 0; `distance` is the seq of the run less that of
//! the element; an own element has a lower seq than the run. `index` counts in the table, which names no
//! replica twice. Runs of one replica ascend and do not overlap.
//!
//! Forms 1 and 2 and 0xE2 are *named*: both ends of a connection keep [`ReplicaNames`], where a `name` is 1 + the
//! place of a replica, and 0 gives the replica that follows the next place. A run goes on if it starts where the
//! last named delta of its replica ended.
//!
//! A single run, and each run of a table, has one form only; any other is refused. Reading a single takes no memory.

mod joined;
mod keystroke;
mod merge;
#[cfg(test)]
mod merge_tests;
mod names;
mod replicas;
mod rich;
mod run;
mod single;
mod summary;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use keystroke::{read as read_keystroke, write as write_keystroke};
pub use merge::{diff_delta, merge_deltas};
pub use names::ReplicaNames;
pub(crate) use rich::{check_carried, decode_rich, take_rich, write_rich};
pub(crate) use single::{decode_single, decode_single_named, write as write_single};
pub use summary::{DeltaSummary, DeltaVersion, delta_version, validate_delta};

use crate::codec::carried::Carried;
use crate::error::DecodeError;
use crate::ids::OpId;
use crate::limits::Limits;
use crate::op::{Op, OpKind, Run, RunKind, Runs};
use crate::sorted::SortedMap;
use crate::value::Value;
use alloc::vec::Vec;
use table::TableWriter;

/// Encodes operations as one delta, whether or not any document holds them.
///
/// Runs of one replica must not overlap; they may come in any order. O(*n* log *n*) with *n* the runs,
/// and their bytes. Whether the operations make sense is checked where the delta is applied.
pub fn encode_delta(ops: &[Op]) -> Vec<u8> {
    let mut delta = Vec::new();
    writer_of(ops).finish(&mut delta);
    let mut carried: Vec<(OpId, &Value)> = ops.iter().filter_map(Op::carried).collect();
    if carried.is_empty() {
        return delta;
    }
    carried.sort_by_key(|(id, _)| *id);
    let mut out = Vec::new();
    write_rich(&mut out, &delta, &carried);
    out
}

fn writer_of(ops: &[Op]) -> DeltaWriter<'_> {
    let mut sorted: Vec<&Op> = ops.iter().collect();
    sorted.sort_by_key(|op| op.id);
    let mut writer = DeltaWriter::default();
    for op in sorted {
        writer.push(op.as_run());
    }
    writer
}

/// Decodes a delta without a document.
///
/// O(bytes). The operations come grouped by replica, in ascending seq.
///
/// # Errors
/// Whatever is wrong with the bytes; [`DecodeError::LimitExceeded`] if they hold more than `limits` allow; [`DecodeError::WrongFormat`] also for a named delta, which only
/// [`Doc::apply_named`](crate::Doc::apply_named) takes.
pub fn decode_delta(bytes: &[u8], limits: &Limits) -> Result<Vec<Op>, DecodeError> {
    let (runs, carried) = decode_rich(bytes, limits)?;
    Ok(ops_of(runs, carried))
}

/// Elements with values are operations of their own.
fn ops_of(Runs { replicas, rows }: Runs<'_>, carried: Carried) -> Vec<Op> {
    let mut ops = Vec::with_capacity(rows.len() + carried.len());
    let mut carried: SortedMap<OpId, Value> = carried.into_iter().collect();
    for row in rows {
        let mut rest = Some(row.named(&replicas).into_run());
        while let Some(run) = rest.take() {
            let RunKind::Insert { anchor, .. } = run.kind else {
                ops.push(run.to_op());
                break;
            };
            let ids = run.id..OpId { seq: run.end(), ..run.id };
            let first = if carried.is_empty() { None } else { carried.range(ids).next().map(|(&id, _)| id) };
            let Some(id) = first else {
                ops.push(run.to_op());
                break;
            };
            if id.seq > run.id.seq {
                let (plain, more) = run.split(id.seq - run.id.seq);
                ops.push(plain.to_op());
                rest = Some(more);
                continue;
            }
            let value = carried.remove(&id).expect("just found");
            ops.push(Op { id, kind: OpKind::InsertValue { anchor, value } });
            rest = (run.len > 1).then(|| run.split(1).1);
        }
    }
    ops
}

/// Decodes the runs of a delta.
pub(crate) fn decode_runs<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Runs<'a>, DecodeError> {
    match decode_single(bytes, limits)? {
        Some(run) => Ok(Runs::of(run)),
        None => table::decode(bytes, None, limits),
    }
}

/// As [`decode_runs`], for what came over a connection with names. An error leaves the names as they were.
pub(crate) fn decode_runs_named<'a>(
    bytes: &'a [u8],
    names: &mut ReplicaNames,
    limits: &Limits,
) -> Result<Runs<'a>, DecodeError> {
    match decode_single_named(bytes, names, limits)? {
        Some(run) => Ok(Runs::of(run)),
        None => table::decode(bytes, Some(names), limits),
    }
}

/// Writes runs, those of one replica in ascending order and one replica after the other.
#[derive(Default)]
pub(crate) struct DeltaWriter<'a> {
    /// The only run so far.
    first: Option<Run<'a>>,
    table: Option<TableWriter>,
}

impl<'a> DeltaWriter<'a> {
    #[inline]
    pub(crate) fn push(&mut self, run: Run<'a>) {
        match (&mut self.table, self.first) {
            (None, None) => self.first = Some(run),
            _ => self.push_more(run),
        }
    }

    #[cold]
    fn push_more(&mut self, run: Run<'a>) {
        let table = self.table.get_or_insert_default();
        if let Some(first) = self.first.take() {
            table.push(first);
        }
        table.push(run);
    }

    /// Appends the delta.
    #[inline]
    pub(crate) fn finish(self, out: &mut Vec<u8>) {
        match self.first {
            Some(run) if run.len > 0 => single::write(out, &run),
            _ => self.into_table().finish(out),
        }
    }

    /// Appends the delta for a connection with names.
    #[inline]
    pub(crate) fn finish_named(self, names: &mut ReplicaNames, out: &mut Vec<u8>) {
        match self.first {
            Some(run) if run.len > 0 => single::write_named(out, &run, names),
            _ => self.into_table().finish_named(names, out),
        }
    }

    fn into_table(self) -> TableWriter {
        let mut table = self.table.unwrap_or_default();
        // Nothing but an empty run, which has no other form and is refused where it arrives.
        if let Some(run) = self.first {
            table.push(run);
        }
        table
    }
}
