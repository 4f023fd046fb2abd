//! The past of a document that was loaded: decoded when somebody asks for it, for once or for good.

use super::{Doc, run_of};
use crate::codec::{Anchors, Deletion, Deletions, derived};
use crate::error::DecodeError;
use crate::ids::{ReplicaId, Seq, VersionVector};
use crate::op::Runs;
use crate::op_log::{LocalId, Moved, OpLog, Piece, Placement};
use crate::sequence::Sequence;
use alloc::borrow::Cow;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

impl Doc {
    /// Decodes what a snapshot brought, for good, if telling what `version` lacks takes any of that.
    ///
    /// [`Doc::delta_since`], [`Doc::delta_of`] and [`Doc::encode_snapshot`] decode it for themselves each
    /// time. Whoever is about to call them more than once calls this before; nothing else of the document
    /// changes. An empty version asks for everything, as a snapshot does. O(*n* log *n*) the first time, and
    /// O(replicas) until then, if nothing is asked for that the snapshot brought; O(1) from then on, and where there
    /// never was a snapshot.
    ///
    /// # Examples
    /// ```
    /// use crdt_core::{Doc, ReplicaId, VersionVector};
    ///
    /// let mut written = Doc::new(ReplicaId::new(1));
    /// written.insert(0, "kept for long")?;
    /// let mut opened = Doc::from_snapshot(ReplicaId::new(2), &written.encode_snapshot())?;
    ///
    /// let newcomers = [VersionVector::new(), VersionVector::new(), written.version().clone()];
    /// for version in &newcomers {
    ///     opened.decode_history_since(version);
    ///     let delta = opened.delta_since(version);
    ///     assert_eq!(delta, written.delta_since(version));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decode_history_since(&mut self, version: &VersionVector) {
        if self.lacks_past(version) {
            self.thaw();
        }
    }

    /// Decodes the past for good, if it is not yet.
    pub(super) fn thaw(&mut self) {
        if let Some((log, moved)) = thawed(&self.log, &self.sequence) {
            self.log = log;
            self.sequence.follow_text(&moved);
        }
    }

    /// Thaws if any of these runs is, in part, of the past.
    pub(super) fn thaw_for(&mut self, runs: &Runs<'_>) {
        if !self.log.is_cold() {
            return;
        }
        // A row of each replica: they ascend, and the first is the oldest.
        let mut oldest = vec![Seq::MAX; runs.replicas.len()];
        for row in &runs.rows {
            let seq = &mut oldest[row.replica as usize];
            *seq = row.seq.min(*seq);
        }
        let is_past = |(&replica, seq)| {
            let index = self.log.index_of(replica);
            index.is_some_and(|index| self.log.is_past(LocalId::new(index, seq)))
        };
        if runs.replicas.iter().zip(oldest).any(is_past) {
            self.thaw();
        }
    }

    /// The log with its past, decoded for this once if need be.
    pub(super) fn warm_log(&self) -> Cow<'_, OpLog> {
        match thawed(&self.log, &self.sequence) {
            Some((log, _)) => Cow::Owned(log),
            None => Cow::Borrowed(&self.log),
        }
    }

    /// The log with as much of its past as telling what `version` lacks takes.
    pub(super) fn log_since(&self, version: &VersionVector) -> Cow<'_, OpLog> {
        if self.lacks_past(version) { self.warm_log() } else { Cow::Borrowed(&self.log) }
    }

    /// Whether `version` lacks any of the past that is not thawed.
    fn lacks_past(&self, version: &VersionVector) -> bool {
        let log = &self.log;
        let lacks = |(replica, index)| log.is_past(LocalId::new(index, version.get(replica)));
        log.is_cold() && log.by_id().any(lacks)
    }

    /// The log with as much of its past as telling of these operations takes.
    pub(super) fn log_of(&self, replica: ReplicaId, seqs: &Range<Seq>) -> Cow<'_, OpLog> {
        let index = self.log.index_of(replica);
        let is_past = |index| !seqs.is_empty() && self.log.is_past(LocalId::new(index, seqs.start));
        if index.is_some_and(is_past) { self.warm_log() } else { Cow::Borrowed(&self.log) }
    }

    pub(super) fn assert_past_is_sound(&self) {
        if self.log.is_cold() {
            let mut warm = self.clone();
            warm.thaw();
            warm.assert_invariants();
            let runs = |doc: &Self| -> Vec<_> {
                let log = doc.warm_log();
                let said = log
                    .by_id()
                    .flat_map(|(_, index)| log.said(index, 0, Seq::MAX).map(move |said| (index, said)));
                said.map(|(index, said)| run_of(&log, index, said).to_op()).collect()
            };
            assert_eq!(runs(self), runs(&warm), "thawing changes nothing");
            assert!(self.sequence.elements().eq(warm.sequence.elements()), "thawing changes nothing");
            assert_eq!(self.text(), warm.text(), "thawing changes nothing");
        }
    }
}

/// The log without a cold past, and where the text of its items went; `None` if it has none.
fn thawed(log: &OpLog, sequence: &Sequence) -> Option<(OpLog, Moved)> {
    const CHECKED: &str = "history was checked when it was loaded";
    let cold = log.cold()?;
    let pieces: Vec<Piece> = sequence.loaded_pieces().collect();
    let placements = placements(&cold.anchors, &pieces).expect(CHECKED);
    let mut deletions =
        Deletions::new(&cold.deletions).and_then(Deletions::read_all).expect(CHECKED).into_iter();
    Some(log.thawed(&pieces, &placements, || {
        let Deletion { target, len, descending } = deletions.next().expect(CHECKED);
        (target, len, descending)
    }))
}

/// Where each head was placed, in document order.
pub(super) fn placements(anchors: &[u8], pieces: &[Piece]) -> Result<Vec<Placement>, DecodeError> {
    let mut placements = derived(pieces.iter().map(|piece| (piece.id, piece.len, piece.head)));
    let mut anchors = Anchors::new(anchors);
    while let Some((head, placement)) = anchors.next()? {
        *placements.get_mut(head).ok_or(DecodeError::InvalidValue("anchor in a snapshot"))? = placement;
    }
    Ok(placements)
}
