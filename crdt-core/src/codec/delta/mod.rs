//! Deltas: runs of operations, made for one keystroke.
//!
//! The first byte tells the form: one run has one of its own (`single.rs`), any other number is a table (`table.rs`), and
//! where elements carry values, those follow (`rich.rs`). Over a connection on which both ends keep [`ReplicaNames`]
//! there are forms by name. `docs/format.md` has the bytes.
//!
//! A single run, and each run of a table, has one form only; any other is refused. Reading a single takes no memory.
//!
//! Deltas are sets of operations: `merge.rs` and `summary.rs` work on them without a document, through runs that are cut
//! in one way (`joined.rs`).

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
mod waiting;

pub(crate) use keystroke::{read as read_keystroke, write as write_keystroke};
pub use merge::{diff_delta, merge_deltas};
pub use names::ReplicaNames;
pub(crate) use rich::{check_carried, decode_rich, take_rich, write_rich};
pub(crate) use single::{decode_single, decode_single_named, write as write_single};
pub use summary::{DeltaSummary, DeltaVersion, delta_version, validate_delta};
pub(crate) use table::TRIMMED;
pub(crate) use waiting::would_wait;

use crate::codec::carried::Carried;
use crate::error::DecodeError;
use crate::ids::OpId;
use crate::limits::Limits;
use crate::op::{Op, OpKind, Run, RunKind, Runs};
use crate::sorted::{SortedMap, sort_by_key};
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
    sort_by_key(&mut carried, |(id, _)| *id);
    let mut out = Vec::new();
    write_rich(&mut out, &delta, &carried);
    out
}

fn writer_of(ops: &[Op]) -> DeltaWriter<'_> {
    let mut sorted: Vec<&Op> = ops.iter().collect();
    sort_by_key(&mut sorted, |op| op.id);
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
