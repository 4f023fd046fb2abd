//! The replicated document.

use crate::anchor::{Anchor, Side};
use crate::error::{ApplyError, EditError};
use crate::event::TextEdit;
use crate::ids::{ReplicaId, Seq, VersionVector};
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

/// One copy of a replicated text.
#[derive(Clone, Debug)]
pub struct Doc {
    replica: ReplicaId,
    version: VersionVector,
}

/// Operations that wait for others, and what they wait for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PendingReport {
    /// How many operations wait.
    pub operations: usize,
    /// The ranges of operations that are missing, per replica, in ascending order.
    pub missing: Vec<(ReplicaId, Range<Seq>)>,
}

#[allow(missing_docs, clippy::missing_errors_doc, clippy::todo, unused_variables, clippy::missing_panics_doc)]
impl Doc {
    pub fn new(replica: ReplicaId) -> Self {
        todo!()
    }
    pub fn replica(&self) -> ReplicaId {
        self.replica
    }
    pub fn len(&self) -> usize {
        todo!()
    }
    pub fn len_utf16(&self) -> usize {
        todo!()
    }
    pub fn is_empty(&self) -> bool {
        todo!()
    }
    pub fn text(&self) -> String {
        todo!()
    }
    pub fn slice(&self, range: Range<usize>) -> Result<String, EditError> {
        todo!()
    }
    pub fn slice_utf16(&self, range_utf16: Range<usize>) -> Result<String, EditError> {
        todo!()
    }
    pub fn position_to_utf16(&self, position: usize) -> Result<usize, EditError> {
        todo!()
    }
    pub fn position_from_utf16(&self, position_utf16: usize) -> Result<usize, EditError> {
        todo!()
    }
    pub fn insert(&mut self, position: usize, text: &str) -> Result<(), EditError> {
        todo!()
    }
    pub fn insert_utf16(&mut self, position_utf16: usize, text: &str) -> Result<(), EditError> {
        todo!()
    }
    pub fn delete(&mut self, range: Range<usize>) -> Result<(), EditError> {
        todo!()
    }
    pub fn delete_utf16(&mut self, range_utf16: Range<usize>) -> Result<(), EditError> {
        todo!()
    }
    /// Starts a transaction: local edits that leave as one delta. Dropped without commit, its edits stay.
    pub fn transaction(&mut self) -> Transaction<'_> {
        todo!()
    }
    pub fn version(&self) -> &VersionVector {
        &self.version
    }
    pub fn delta_since(&self, version: &VersionVector) -> Vec<u8> {
        todo!()
    }
    /// The operations of one replica with these numbers, as far as they were seen, as one delta.
    pub fn delta_of(&self, replica: ReplicaId, seqs: Range<Seq>) -> Vec<u8> {
        todo!()
    }
    pub fn apply(&mut self, delta: &[u8]) -> Result<Vec<TextEdit>, ApplyError> {
        todo!()
    }
    pub fn pending(&self) -> PendingReport {
        todo!()
    }
    /// The place beside the element before (`Side::After`) or behind (`Side::Before`) `position`.
    pub fn anchor_at(&self, position: usize, side: Side) -> Result<Anchor, EditError> {
        todo!()
    }
    /// Where the anchor stands now, in scalar values; `None` if its element was never seen here.
    pub fn resolve(&self, anchor: &Anchor) -> Option<usize> {
        todo!()
    }
    pub fn encode_snapshot(&self) -> Vec<u8> {
        todo!()
    }
    pub fn from_snapshot(replica: ReplicaId, snapshot: &[u8]) -> Result<Self, ApplyError> {
        todo!()
    }
}

/// Local edits that leave as one delta.
#[derive(Debug)]
pub struct Transaction<'doc> {
    doc: &'doc mut Doc,
}

#[allow(missing_docs, clippy::missing_errors_doc, clippy::todo, unused_variables, clippy::missing_panics_doc)]
impl Transaction<'_> {
    /// The document with the edits made so far.
    pub fn doc(&self) -> &Doc {
        self.doc
    }
    pub fn insert(&mut self, position: usize, text: &str) -> Result<(), EditError> {
        todo!()
    }
    pub fn insert_utf16(&mut self, position_utf16: usize, text: &str) -> Result<(), EditError> {
        todo!()
    }
    pub fn delete(&mut self, range: Range<usize>) -> Result<(), EditError> {
        todo!()
    }
    pub fn delete_utf16(&mut self, range_utf16: Range<usize>) -> Result<(), EditError> {
        todo!()
    }
    /// Ends the transaction: the one delta that holds its edits (empty `Vec` if there were none).
    pub fn commit(self) -> Vec<u8> {
        todo!()
    }
}
