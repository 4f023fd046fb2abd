//! A store in memory that commits when it is told to, and remembers through crashes.

use crdt_core::{Doc, ReplicaId, VersionVector};
use crdt_relay::batch::Batch;
use std::collections::VecDeque;

/// A log of batches: what is committed survives, what is being written may.
pub(crate) struct FakeStore {
    pub(crate) epoch: u64,
    pub(crate) committed: Vec<Batch>,
    writing: VecDeque<Batch>,
}

impl FakeStore {
    pub(crate) fn new() -> Self {
        Self { epoch: 1, committed: Vec::new(), writing: VecDeque::new() }
    }

    pub(crate) fn write(&mut self, batch: Batch) {
        self.writing.push_back(batch);
    }

    pub(crate) fn writing(&self) -> usize {
        self.writing.len()
    }

    /// Commits the first `count` batches that are being written; the place of the last one in the log.
    ///
    /// Checks what a real store's keys check: no place twice or left out, no operation twice or left out.
    pub(crate) fn commit(&mut self, count: usize) -> u64 {
        for batch in self.writing.drain(..count) {
            let head = self.committed.last().map_or(0, |last| last.log_seq);
            assert_eq!(batch.log_seq, head + 1, "the log has no gaps");
            let from = version_of(&self.committed).get(batch.replica);
            assert_eq!(batch.from, from, "batches of a replica follow each other");
            self.committed.push(batch);
        }
        self.head()
    }

    /// What was being written and not committed is gone.
    pub(crate) fn crash(&mut self) {
        self.writing.clear();
    }

    pub(crate) fn head(&self) -> u64 {
        self.committed.last().map_or(0, |last| last.log_seq)
    }

    /// Which operations are committed.
    pub(crate) fn version(&self) -> VersionVector {
        version_of(&self.committed)
    }

    /// The document as the committed batches make it.
    pub(crate) fn load(&self) -> Doc {
        let mut doc = Doc::new(ReplicaId::new(u64::MAX));
        for batch in &self.committed {
            doc.apply(&batch.delta).expect("what was stored was checked");
        }
        doc
    }
}

fn version_of(batches: &[Batch]) -> VersionVector {
    let mut version = VersionVector::new();
    for batch in batches {
        version.raise(batch.replica, batch.to);
    }
    version
}
