//! Documents to snapshots and back.
//!
//! Loading builds the tree from the items as they come and integrates nothing. History is checked, so that
//! nothing can go wrong later, and stays encoded ([`Cold`]) until somebody asks for it (see `past.rs`).

use super::Doc;
use super::past::placements;
use crate::codec::{
    Anchors, Deletion, Deletions, DeltaWriter, SnapshotParts, SnapshotWriter, check_carried, decode_runs,
    decode_snapshot, derived, write_carried,
};
use crate::error::{ApplyError, DecodeError};
use crate::ids::{ReplicaId, Seq, VersionVector};
use crate::limits::Limits;
use crate::op_log::{
    BLOCK, Cold, Elements, ItemPart, LocalId, MAX_REPLICAS, MAX_TEXT_BYTES, OpLog, Piece, Placement,
    ReplicaIndex, Said, is_tree,
};
use crate::sequence::{Sequence, SequenceBuilder};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::mem;

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
            writer.pending = self.pending_delta();
        }
        let values = self.values_since(&VersionVector::new());
        if !values.is_empty() {
            write_carried(&mut writer.carried, &values);
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
        let mut parts = decode_snapshot(snapshot)?;
        let pending = parts.pending;
        let carried = mem::take(&mut parts.carried);
        let mut doc = Self::load(replica, parts, snapshot.len())?;
        let waiting = doc.load_values(carried).ok_or(DecodeError::InvalidValue("element with a value"))?;
        if !pending.is_empty() {
            let runs = decode_runs(pending, &Limits::DEFAULT)?;
            check_carried(&runs, &waiting)?;
            doc.apply_runs(runs, waiting, None)?;
        } else if !waiting.is_empty() {
            return Err(DecodeError::InvalidValue("element with a value").into());
        }
        Ok(doc)
    }

    /// The operations that wait, without their values.
    fn pending_delta(&self) -> Vec<u8> {
        let mut writer = DeltaWriter::default();
        for run in self.pending.iter() {
            writer.push(run);
        }
        let mut out = Vec::new();
        writer.finish(&mut out);
        out
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
            if !elements.hold(LocalId::new(target.replica, target.seq - below), len) {
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
