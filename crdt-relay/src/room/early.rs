//! Batches that ran ahead of what they refer to. They wait here, outside the document and the log.
//!
//! If they went in, and what they refer to turned out to be no element (only a broken client sends
//! that), every copy that knows better would refuse what the log holds. So the log is kept in causal
//! order: whatever is in it could be checked when it went in. Honest clients run ahead only when they
//! give back what the store has lost, because they send one replica after the other.

use super::limits::RoomLimits;
use crdt_core::{Op, OpKind, ReplicaId, Seq, VersionVector};
use std::ops::Range;

/// One session's waiting batches, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Early {
    batches: Vec<EarlyBatch>,
}

/// A batch of which the first part may have been taken already.
#[derive(Debug)]
pub(super) struct EarlyBatch {
    pub(super) replica: ReplicaId,
    /// As it was sent; an answer names it so.
    pub(super) seqs: Range<Seq>,
    /// What was not taken yet; never empty.
    pub(super) ops: Vec<Op>,
    pub(super) bytes: usize,
}

impl EarlyBatch {
    /// The first operation that was not taken yet.
    pub(super) fn next_seq(&self) -> Seq {
        self.ops.first().map_or(self.seqs.end, |op| op.id.seq)
    }
}

impl Early {
    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Where the next batch of this replica has to start, if some wait.
    pub(super) fn end_of(&self, replica: ReplicaId) -> Option<Seq> {
        self.batches.iter().rev().find(|batch| batch.replica == replica).map(|batch| batch.seqs.end)
    }

    pub(super) fn push(&mut self, batch: EarlyBatch) {
        self.batches.push(batch);
    }

    /// Gives the last batch back if so many may not wait.
    pub(super) fn pop_above(&mut self, limits: &RoomLimits) -> Option<EarlyBatch> {
        let runs: usize = self.batches.iter().map(|batch| batch.ops.len()).sum();
        let bytes: usize = self.batches.iter().map(|batch| batch.bytes).sum();
        let too_many = self.batches.len() > limits.early_batches
            || runs > limits.early_runs
            || bytes > limits.early_bytes;
        if too_many { self.batches.pop() } else { None }
    }

    /// Takes the first batch for which there is something to do: one that can go on, at least in part,
    /// or that was overtaken by the same operations from elsewhere.
    pub(super) fn take_ready(&mut self, accepted: &VersionVector) -> Option<EarlyBatch> {
        let index = self.batches.iter().position(|batch| {
            let (next, expected) = (batch.next_seq(), accepted.get(batch.replica));
            next < expected
                || (next == expected && batch.ops.first().is_some_and(|op| refers_to_known(op, accepted)))
        })?;
        Some(self.batches.remove(index))
    }

    /// Puts back what is left of a batch.
    pub(super) fn put_back(&mut self, batch: EarlyBatch) {
        self.batches.insert(0, batch);
    }

    /// Takes all batches of a replica.
    pub(super) fn take_all_of(&mut self, replica: ReplicaId) -> Vec<EarlyBatch> {
        self.batches.extract_if(.., |batch| batch.replica == replica).collect()
    }
}

/// How many of these runs, from the first on, refer only to what `accepted` or an earlier run holds.
pub(super) fn known_prefix(ops: &[Op], accepted: &VersionVector) -> usize {
    ops.iter().position(|op| !refers_to_known(op, accepted)).unwrap_or(ops.len())
}

fn refers_to_known(op: &Op, accepted: &VersionVector) -> bool {
    let last = match &op.kind {
        OpKind::Insert { anchor, .. } => anchor.element,
        OpKind::Delete { target, descending: true, .. } => Some(*target),
        OpKind::Delete { target, len, descending: false } => {
            let mut last = *target;
            last.seq = last.seq.saturating_add(len.saturating_sub(1));
            Some(last)
        }
    };
    // What refers to its own replica refers back, or is wrong: then applying it says so.
    last.is_none_or(|last| last.replica == op.id.replica || accepted.contains(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crdt_core::{Anchor, OpId};

    #[test]
    fn a_run_is_known_when_all_it_refers_to_is() {
        let (me, other) = (ReplicaId::new(1), ReplicaId::new(2));
        let accepted: VersionVector = [(other, 5)].into_iter().collect();
        let insert = |element| OpKind::Insert { anchor: Anchor { element, ..Anchor::END }, text: "x".into() };
        let delete = |seq, len, descending| OpKind::Delete { target: OpId::new(other, seq), len, descending };
        for (kind, known) in [
            (insert(None), true),
            (insert(Some(OpId::new(other, 4))), true),
            (insert(Some(OpId::new(other, 5))), false),
            (insert(Some(OpId::new(me, 0))), true),
            (insert(Some(OpId::new(ReplicaId::new(3), 0))), false),
            (delete(2, 3, false), true),
            (delete(2, 4, false), false),
            (delete(4, 3, true), true),
            (delete(5, 3, true), false),
            (delete(Seq::MAX, 3, false), false),
        ] {
            let op = Op { id: OpId::new(me, 7), kind };
            assert_eq!(known_prefix(std::slice::from_ref(&op), &accepted), usize::from(known), "{op:?}");
        }
    }
}
