//! Replays recorded histories on real documents that exchange encoded deltas.

mod concurrent;
mod sequential;

use crate::failure::{Checked, Failure};
use crate::traces::{Patch, Trace};
use crdt_core::{Doc, ReplicaId, Transaction};
use std::time::{Duration, Instant};

/// What came out of a replay.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Patches that were made.
    pub edits: usize,
    /// Replicas that made them.
    pub replicas: usize,
    /// Whether the text is the one that the trace names.
    pub equal_end_content: bool,
    /// Whether the trace promises that text (see `agents_in_tie_order` of concurrent traces).
    pub end_content_is_binding: bool,
    /// Whether all replicas, and a fresh one that was given the deltas in another causal order,
    /// hold the same.
    pub converged: bool,
    /// The text at the end.
    pub text: String,
    /// All deltas together.
    pub delta_bytes: usize,
    /// The snapshot of the fresh replica.
    pub snapshot_bytes: usize,
    /// Time for the edits, their deltas included.
    pub local: Duration,
    /// Time for the fresh replica to apply all deltas one by one.
    pub apply: Duration,
}

impl Replay {
    /// Whether everything came out as it must.
    pub fn is_right(&self) -> bool {
        self.converged && (self.equal_end_content || !self.end_content_is_binding)
    }
}

/// The replica that only listens.
const LISTENER: ReplicaId = ReplicaId::new(1);

/// Replays a trace.
///
/// # Errors
/// When an edit or a delta is refused.
pub fn replay(trace: &Trace) -> Checked<Replay> {
    match trace {
        Trace::Sequential(trace) => sequential::replay(trace),
        Trace::Concurrent(trace) => concurrent::replay(trace),
    }
}

/// Makes the edits of one recorded transaction as one transaction.
fn make_edits(doc: &mut Doc, patches: &[Patch]) -> Checked<Vec<u8>> {
    let mut transaction = doc.transaction();
    for patch in patches {
        make_edit(&mut transaction, patch)
            .map_err(|error| Failure::new(format!("edit {patch:?} refused: {error}")))?;
    }
    Ok(transaction.commit())
}

fn make_edit(transaction: &mut Transaction<'_>, patch: &Patch) -> Result<(), crdt_core::EditError> {
    if patch.delete_len > 0 {
        transaction.delete(patch.position..patch.position + patch.delete_len)?;
    }
    if !patch.text.is_empty() {
        transaction.insert(patch.position, &patch.text)?;
    }
    Ok(())
}

fn apply(doc: &mut Doc, delta: &[u8]) -> Checked {
    match doc.apply(delta) {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::new(format!("delta refused by {}: {error}", doc.replica()))),
    }
}

/// A fresh replica that was given the deltas in this order, and how long it took.
fn listen<'a>(deltas: impl Iterator<Item = &'a [u8]>) -> Checked<(Doc, Duration)> {
    let mut listener = Doc::new(LISTENER);
    let start = Instant::now();
    for delta in deltas {
        apply(&mut listener, delta)?;
    }
    Ok((listener, start.elapsed()))
}

/// Whether two documents have seen the same, hold the same, and wait for nothing.
fn are_equal(one: &Doc, other: &Doc) -> bool {
    one.version() == other.version()
        && one.pending().operations == 0
        && other.pending().operations == 0
        && one.text() == other.text()
}
