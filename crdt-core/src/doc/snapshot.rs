//! Documents to snapshots and back.
//!
//! Loading builds the tree from the items as they come and integrates nothing. History is checked, so that
//! nothing can go wrong later, and stays encoded ([`Cold`]) until somebody asks for it.

use super::{Doc, run_of};
use crate::codec::{
    Anchors, Deletion, Deletions, SnapshotParts, SnapshotWriter, decode_runs, decode_snapshot, derived,
};
use crate::error::{ApplyError, DecodeError};
use crate::ids::{ReplicaId, Seq, VersionVector};
use crate::op::Runs;
use crate::op_log::{
    BLOCK, Cold, Elements, ItemPart, LocalId, MAX_REPLICAS, MAX_TEXT_BYTES, Moved, OpLog, Piece, Placement,
    ReplicaIndex, Said, is_tree,
};
use crate::sequence::{Sequence, SequenceBuilder};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

impl Doc {
    /// Encodes the whole document: every operation, waiting ones too, with a checksum.
    ///
    /// O(*n* log *n*) and its bytes. Two documents with the same operations may write different bytes, which open as
    /// the same document.
    pub fn encode_snapshot(&self) -> Vec<u8> {
        let log = self.warm_log();
        let mut writer = SnapshotWriter::default();
        // Replicas go by their place in the version.
        let mut places: Vec<ReplicaIndex> = vec![ReplicaIndex::MAX; log.replica_count()];
        let mut indices = Vec::with_capacity(places.len());
        for (replica, index) in log.by_id() {
            let count = log.of(index).next_seq();
            if count > 0 {
                places[index as usize] = ReplicaIndex::try_from(indices.len()).expect("fewer than indices");
                indices.push(index);
                writer.version.push((replica, count));
            }
        }
        let place = |id: LocalId| {
            if id == LocalId::START { id } else { LocalId::new(places[id.replica as usize], id.seq) }
        };
        let mut heads = Vec::new();
        for (part, text) in self.sequence.runs(&self.log) {
            let id = part.id;
            writer.items.push(ItemPart { id: place(id), ..part }, text);
            if part.is_head() {
                let Placement { element, side } = log.of(id.replica).placement(id.replica, id.seq);
                heads.push(Placement { element: place(element), side });
            }
        }
        let runs = self.sequence.runs(&self.log);
        let items = runs.map(|(part, _)| (place(part.id), part.len, part.is_head()));
        for (placement, derived) in heads.into_iter().zip(derived(items)) {
            writer.anchors.push(placement, derived);
        }
        for index in indices {
            for said in log.said(index, 0, Seq::MAX) {
                if let Said::Delete { len, target, descending, .. } = said {
                    writer.deletions.push(Deletion { target: place(target), len, descending });
                }
            }
        }
        if !self.pending.is_empty() {
            writer.pending = self.delta_since(&self.version);
        }
        writer.finish()
    }

    /// Opens a snapshot as a document for `replica`, a new random id.
    ///
    /// O(bytes), and O(*n* log *n*) where several replicas wrote at once. What was typed and deleted in the past stays encoded: reading, editing and applying what
    /// is new need none of it. The first call that does decodes it, in O(*n* log *n*): [`Doc::apply`] keeps it
    /// decoded, where it compares operations that come again or finds insertions that others made at one
    /// place; [`Doc::delta_since`] and [`Doc::delta_of`], where they are asked for operations of the
    /// snapshot, and [`Doc::encode_snapshot`] do it anew each time. [`Doc::decode_history_since`] does it
    /// once for all of them.
    ///
    /// # Errors
    /// As [`Doc::apply`], where [`ApplyError::ReplicaCollision`] means that operations of `replica` wait in it;
    /// and [`DecodeError::ChecksumMismatch`](crate::DecodeError::ChecksumMismatch).
    pub fn from_snapshot(replica: ReplicaId, snapshot: &[u8]) -> Result<Self, ApplyError> {
        let parts = decode_snapshot(snapshot)?;
        let pending = parts.pending;
        let mut doc = Self::load(replica, parts, snapshot.len())?;
        if !pending.is_empty() {
            doc.apply_runs(decode_runs(pending)?, Some(replica), None)?;
        }
        Ok(doc)
    }

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

    fn load(replica: ReplicaId, parts: SnapshotParts<'_>, bytes: usize) -> Result<Self, DecodeError> {
        let SnapshotParts { version, mut items, visible, deleted, anchors, deletions, .. } = parts;
        if version.len() > MAX_REPLICAS {
            return Err(DecodeError::LimitExceeded("replicas of a snapshot"));
        }
        if MAX_TEXT_BYTES.checked_sub(deleted.len()).is_none_or(|room| visible.len() > room) {
            return Err(DecodeError::LimitExceeded("text of a snapshot"));
        }
        let mut text = String::with_capacity(visible.len() + deleted.len());
        text.push_str(visible);
        text.push_str(deleted);

        let counts = version.iter().map(|&(_, count)| count).collect();
        let mut elements = Elements::none(counts, bytes);
        let mut builder = SequenceBuilder::new(items.len(), &text, visible.len());
        let mut block = [ItemPart::NONE; BLOCK];
        loop {
            let count = items.read(version.len(), &mut block)?;
            if !elements.claim(&block[..count]) || !builder.push(&block[..count]) {
                return Err(DecodeError::InvalidValue("item"));
            }
            if count < BLOCK {
                break;
            }
        }
        let sequence = builder.finish().ok_or(DecodeError::InvalidValue("text of a snapshot"))?;
        if !elements.finish() {
            return Err(DecodeError::InvalidValue("item"));
        }
        check_deletions(deletions, &elements)?;
        if !anchors.is_empty() {
            check_anchors(anchors, &sequence, version.len())?;
        }
        let cold = Cold {
            visible: visible.len(),
            text,
            anchors: anchors.into(),
            deletions: deletions.into(),
            elements,
        };
        let names = version.iter().map(|&(replica, _)| replica);
        Ok(Self {
            log: OpLog::loaded(names, cold),
            sequence,
            version: version.into_iter().collect(),
            ..Self::new(replica)
        })
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
fn placements(anchors: &[u8], pieces: &[Piece]) -> Result<Vec<Placement>, DecodeError> {
    let mut placements = derived(pieces.iter().map(|piece| (piece.id, piece.len, piece.head)));
    let mut anchors = Anchors::new(anchors);
    while let Some((head, placement)) = anchors.next()? {
        *placements.get_mut(head).ok_or(DecodeError::InvalidValue("anchor in a snapshot"))? = placement;
    }
    Ok(placements)
}

/// Derived anchors cannot be wrong: each is beside an older element.
fn check_anchors(anchors: &[u8], sequence: &Sequence, replicas: usize) -> Result<(), DecodeError> {
    const INVALID: DecodeError = DecodeError::InvalidValue("anchor in a snapshot");
    let mut read = Anchors::new(anchors);
    while let Some((_, Placement { element, .. })) = read.next()? {
        if element != LocalId::START && element.replica as usize >= replicas {
            return Err(INVALID);
        }
    }
    let pieces: Vec<Piece> = sequence.loaded_pieces().collect();
    if is_tree(&pieces, &placements(anchors, &pieces)?) { Ok(()) } else { Err(INVALID) }
}

/// They take exactly the seqs that no element has, and delete elements.
fn check_deletions(deletions: &[u8], elements: &Elements) -> Result<(), DecodeError> {
    const INVALID: DecodeError = DecodeError::InvalidValue("deletion");
    let mut deletions = Deletions::new(deletions)?;
    let mut block = [Deletion::NONE; BLOCK];
    let mut replicas = 0..elements.counts().len();
    let mut rest = 0;
    loop {
        let count = deletions.read(&mut block)?;
        for &Deletion { target, len, descending } in &block[..count] {
            while rest == 0 {
                let replica = replicas.next().ok_or(INVALID)?;
                rest = elements.counts()[replica] - elements.count(replica);
            }
            let below = if descending { len - 1 } else { 0 };
            if len > rest || below > target.seq {
                return Err(INVALID);
            }
            rest -= len;
            let lowest = LocalId::new(target.replica, target.seq - below);
            let there = elements.counts().get(target.replica as usize).copied().unwrap_or(0);
            if lowest.seq >= there || len > there - lowest.seq || !elements.hold(lowest, len) {
                return Err(INVALID);
            }
        }
        if count < BLOCK {
            break;
        }
    }
    let is_done = rest == 0 && replicas.all(|replica| elements.counts()[replica] == elements.count(replica));
    if is_done { Ok(()) } else { Err(INVALID) }
}
