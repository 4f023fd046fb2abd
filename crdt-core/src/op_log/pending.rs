use crate::ids::{OpId, ReplicaId, Seq};
use crate::op::{Op, Run};
use crate::sorted::{SortedMap, SortedSet};
use alloc::vec::Vec;
use core::ops::Range;

/// Operations that arrived before what they refer to.
///
/// Per replica, in ascending seq; runs of one replica never overlap. The first run of a replica may
/// be noted as blocked by an operation of another; all others wait for the one before them. Finding
/// whom a new operation wakes is O(log *p*) with *p* the waiting runs.
#[derive(Clone, Default)]
pub(crate) struct Pending {
    runs: SortedMap<ReplicaId, SortedMap<Seq, Op>>,
    /// The operation that is missing, and the replica whose first run it blocks.
    blocked: SortedSet<(OpId, ReplicaId)>,
    operations: usize,
    run_count: usize,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// How many operations wait.
    pub(crate) fn operations(&self) -> usize {
        self.operations
    }

    /// How many runs they make.
    pub(crate) fn run_count(&self) -> usize {
        self.run_count
    }

    /// Adds a run that overlaps none.
    pub(crate) fn add(&mut self, op: Op) {
        self.operations += op.len() as usize;
        self.run_count += 1;
        self.runs.or_insert_with(op.id.replica, SortedMap::new).insert(op.id.seq, op);
    }

    /// The first run of `replica`.
    pub(crate) fn first(&self, replica: ReplicaId) -> Option<&Op> {
        Some(self.runs.get(&replica)?.first_key_value()?.1)
    }

    /// Takes out the first run of `replica`.
    pub(crate) fn take_first(&mut self, replica: ReplicaId) -> Option<Op> {
        let runs = self.runs.get_mut(&replica)?;
        let (_, op) = runs.pop_first()?;
        if runs.is_empty() {
            self.runs.remove(&replica);
        }
        self.operations -= op.len() as usize;
        self.run_count -= 1;
        Some(op)
    }

    /// Notes that `missing` blocks the first run of `replica`.
    pub(crate) fn block(&mut self, missing: OpId, replica: ReplicaId) {
        self.blocked.insert((missing, replica));
    }

    /// Moves the replicas that waited for operations of `replica` below `seen` to `woken`.
    pub(crate) fn wake(&mut self, replica: ReplicaId, seen: Seq, woken: &mut Vec<ReplicaId>) {
        let from = (OpId::new(replica, 0), ReplicaId::new(0));
        let to = (OpId::new(replica, seen), ReplicaId::new(0));
        while let Some(&entry) = self.blocked.range(from..to).next() {
            self.blocked.remove(&entry);
            woken.push(entry.1);
        }
    }

    /// The runs of `replica` that share a seq with `seqs`.
    pub(crate) fn overlapping(&self, replica: ReplicaId, seqs: Range<Seq>) -> impl Iterator<Item = &Op> {
        self.runs.get(&replica).into_iter().flat_map(move |runs| {
            let before = runs.range(..seqs.start).next_back();
            let before = before.filter(|(_, op)| op.as_run().end() > seqs.start);
            before.into_iter().chain(runs.range(seqs.clone())).map(|(_, op)| op)
        })
    }

    /// All waiting runs, by replica and seq.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Run<'_>> {
        self.runs.values().flat_map(|runs| runs.values().map(Op::as_run))
    }
}
