//! Documents to snapshots and back.
//!
//! Loading builds the tree from the items as they come and integrates nothing. History is checked, so that
//! nothing can go wrong later, and stays encoded ([`Cold`]) until somebody asks for it (see `past.rs`).

use super::Doc;
use super::past::placements;
use crate::codec::{
    Anchors, AnchorsWriter, Deletion, Deletions, DeletionsWriter, DeltaWriter, Derived, Items, ItemsWriter,
    Limits, PastParts, PastWriter, SnapshotParts, SnapshotProfile, SnapshotWriter, Textless, check_carried,
    decode_runs, decode_snapshot, write_carried,
};
use crate::error::{ApplyError, DecodeError};
use crate::ids::{OpId, ReplicaId, Seq, VersionVector};
use crate::op_log::{
    BLOCK, Cold, Elements, ItemPart, LocalId, MAX_REPLICAS, MAX_TEXT_BYTES, OpLog, Piece, Placement,
    Placements, ReplicaIndex, Said, is_tree,
};
use crate::sequence::{Sequence, SequenceBuilder};
use crate::value::Value;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::hint::select_unpredictable;

/// Snapshots that are not worth writing twice.
const SMALL: usize = 1 << 12;

/// What a snapshot in document order says.
pub(super) struct Past<'a> {
    pub(super) items: Items<'a>,
    pub(super) textless: Textless<'a>,
    /// By place of the replica; empty if nothing was trimmed.
    pub(super) floors: &'a [Seq],
    /// What shows, `visible` bytes, then what is deleted.
    pub(super) text: String,
    pub(super) visible: usize,
    pub(super) anchors: &'a [u8],
    pub(super) deletions: &'a [u8],
}

impl Doc {
    /// Encodes the whole document: every operation, waiting ones too, with a checksum.
    ///
    /// O(*n* log *n*) and its bytes. Two documents with the same operations may write different bytes, which open as
    /// the same document.
    pub fn encode_snapshot(&self) -> Vec<u8> {
        self.encode_snapshot_as(SnapshotProfile::default())
    }

    /// As [`Doc::encode_snapshot`], in a profile of one's choice.
    ///
    /// [`SnapshotProfile::Compact`] takes some ten times as long to write, as it makes all edits again.
    pub fn encode_snapshot_as(&self, profile: SnapshotProfile) -> Vec<u8> {
        let log = self.warm_log();
        let listed = Listed::of(&log);
        let timed = match profile {
            SnapshotProfile::Fast => None,
            #[cfg(feature = "compact")]
            SnapshotProfile::Compact if !log.is_trimmed() => self.timed(&log, &listed.indices),
            #[cfg(feature = "compact")]
            SnapshotProfile::Compact => None,
        };
        let values = self.values_since(&VersionVector::new());
        let in_document_order = || {
            let floors: Vec<Seq> = listed.indices.iter().map(|&index| log.of(index).floor()).collect();
            let mut past = InDocumentOrder::new(&log, &listed);
            self.sequence.for_each_run(&self.log, |part, utf8| past.push(part, utf8));
            self.finish_snapshot(listed.version.clone(), past.finish(floors), &values, profile)
        };
        let Some(timed) = timed else { return in_document_order() };
        let timed = PastWriter::InOrderOfTime(timed);
        let bytes = self.finish_snapshot(listed.version.clone(), timed, &values, profile);
        if bytes.len() <= log.text_bytes().max(SMALL) {
            return bytes;
        }
        // Text that says the same again and again is denser than a reader believes in the order of time, and stood there as it
        // is; not so where something stands between.
        let other = in_document_order();
        if other.len() < bytes.len() { other } else { bytes }
    }

    pub(super) fn finish_snapshot(
        &self,
        version: Vec<(ReplicaId, Seq)>,
        past: PastWriter,
        values: &[(OpId, &Value)],
        profile: SnapshotProfile,
    ) -> Vec<u8> {
        let pending = if self.pending.is_empty() { Vec::new() } else { self.pending_delta() };
        let mut carried = Vec::new();
        if !values.is_empty() {
            write_carried(&mut carried, values);
        }
        SnapshotWriter { version, past, pending, carried }.finish(profile, &self.unknown)
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
        Self::from_snapshot_within(replica, snapshot, &Limits::DEFAULT)
    }

    /// As [`Doc::from_snapshot`], with limits of one's own, which stay those of the document.
    ///
    /// # Errors
    /// As [`Doc::from_snapshot`].
    pub fn from_snapshot_within(
        replica: ReplicaId,
        snapshot: &[u8],
        limits: &Limits,
    ) -> Result<Self, ApplyError> {
        let SnapshotParts { version, past, pending, carried, unknown } = decode_snapshot(snapshot, limits)?;
        let mut doc = match past {
            PastParts::InDocumentOrder { items, textless, floors, text, visible, anchors, deletions } => {
                let (items, textless) = (Items::new(&items)?, Textless::new(&textless));
                let (anchors, deletions) = (&anchors, &deletions);
                let past = Past { items, textless, floors: &floors, text, visible, anchors, deletions };
                Self::load(replica, &version, past, snapshot.len(), limits)?
            }
            PastParts::InOrderOfTime(timed) => Self::make_timed(replica, &version, &timed)?,
        };
        doc.unknown = unknown;
        doc.set_limits(*limits);
        let waiting = doc.load_values(carried).ok_or(DecodeError::InvalidValue("element with a value"))?;
        if !pending.is_empty() {
            doc.check_waiting(&pending)?;
            let runs = decode_runs(&pending, limits)?;
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

    /// Replicas have the indices of their places in `version`.
    pub(super) fn load(
        replica: ReplicaId,
        version: &[(ReplicaId, Seq)],
        past: Past<'_>,
        bytes: usize,
        limits: &Limits,
    ) -> Result<Self, DecodeError> {
        let Past { mut items, mut textless, floors, text, visible, anchors, deletions } = past;
        if version.len() > MAX_REPLICAS {
            return Err(DecodeError::LimitExceeded("replicas of a snapshot"));
        }
        if text.len() as u64 > MAX_TEXT_BYTES as u64 {
            return Err(DecodeError::LimitExceeded("text of a snapshot"));
        }
        if items.len() > limits.max_items {
            return Err(DecodeError::LimitExceeded("items of a snapshot"));
        }
        let counts = version.iter().map(|&(_, count)| count).collect();
        let mut elements = Elements::none(counts, bytes);
        let mut builder = SequenceBuilder::new(items.len(), &text, visible);
        let mut block = [ItemPart::NONE; BLOCK];
        loop {
            let count = items.read(version.len(), &mut block)?;
            let parts = &block[..count];
            let claimed = elements.claim(parts);
            let pushed = if floors.is_empty() {
                builder.push(parts)
            } else {
                push_trimmed(&mut builder, parts, &mut textless, floors)?
            };
            if !claimed || !pushed {
                return Err(DecodeError::InvalidValue("item"));
            }
            if count < BLOCK {
                break;
            }
        }
        textless.finish()?;
        let sequence = builder.finish().ok_or(DecodeError::InvalidValue("text of a snapshot"))?;
        if !elements.finish() {
            return Err(DecodeError::InvalidValue("item"));
        }
        check_deletions(deletions, &elements, floors)?;
        if !anchors.is_empty() {
            check_anchors(anchors, &sequence, version.len())?;
        }
        let cold = Cold { visible, text, anchors: anchors.into(), deletions: deletions.into(), elements };
        let names = version.iter().map(|&(replica, _)| replica);
        Ok(Self {
            log: OpLog::loaded(names, floors, cold),
            sequence,
            version: version.iter().copied().collect(),
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

/// The replicas of a snapshot: those with operations, ascending.
pub(super) struct Listed {
    /// The place of each by its index in the log.
    places: Vec<ReplicaIndex>,
    /// The index of each by its place.
    pub(super) indices: Vec<ReplicaIndex>,
    pub(super) version: Vec<(ReplicaId, Seq)>,
}

impl Listed {
    pub(super) fn of(log: &OpLog) -> Self {
        let mut places: Vec<ReplicaIndex> = vec![ReplicaIndex::MAX; log.replica_count()];
        let mut indices = Vec::with_capacity(places.len());
        let mut version = Vec::with_capacity(places.len());
        for (replica, index) in log.by_id() {
            let count = log.of(index).next_seq();
            if count > 0 {
                places[index as usize] = ReplicaIndex::try_from(indices.len()).expect("fewer than indices");
                indices.push(index);
                version.push((replica, count));
            }
        }
        Self { places, indices, version }
    }

    /// All replicas of a log in the order of their indices, with what is before their floors.
    pub(super) fn all_of(log: &OpLog) -> Self {
        let indices: Vec<ReplicaIndex> = (0..).take(log.replica_count()).collect();
        let version = log.replicas().iter().map(|one| (one.id(), one.floor())).collect();
        Self { places: indices.clone(), indices, version }
    }

    /// An element by the place of its replica.
    fn place(&self, id: LocalId) -> LocalId {
        if id == LocalId::START { id } else { LocalId::new(self.places[id.replica as usize], id.seq) }
    }
}

/// The operations of a log without a cold past, as items in document order.
pub(super) struct InDocumentOrder<'a> {
    log: &'a OpLog,
    listed: &'a Listed,
    placements: Placements<'a>,
    items: ItemsWriter,
    heads: Vec<Placement>,
    derived: Derived,
}

impl<'a> InDocumentOrder<'a> {
    pub(super) fn new(log: &'a OpLog, listed: &'a Listed) -> Self {
        // Heads are entries of the log, and there are about twice as many items as heads.
        let entries = log.entry_count();
        let items = ItemsWriter::with_room(entries, log.text_bytes());
        let (heads, derived) = (Vec::with_capacity(entries), Derived::with_room(entries));
        Self { log, listed, placements: log.placements(), items, heads, derived }
    }

    /// Appends the next item, with its text in UTF-8.
    #[inline]
    pub(super) fn push(&mut self, part: ItemPart, utf8: &[u8]) {
        let id = self.listed.place(part.id);
        self.items.push(ItemPart { id, ..part }, utf8);
        self.derived.push(id, part.len, part.is_head());
        if part.is_head() {
            let Placement { element, side } = self.placements.of(part.id);
            self.heads.push(Placement { element: self.listed.place(element), side });
        }
    }

    /// With no deletions: nothing was said since.
    pub(super) fn finish_at_floor(self, floors: Vec<Seq>) -> PastWriter {
        let mut anchors = AnchorsWriter::default();
        for (placement, derived) in self.heads.into_iter().zip(self.derived.finish()) {
            anchors.push(placement, derived);
        }
        PastWriter::InDocumentOrder {
            items: self.items,
            floors,
            anchors,
            deletions: DeletionsWriter::default(),
        }
    }

    /// Of each replica those deletions are told that do not come before its place in `floors`.
    pub(super) fn finish(self, floors: Vec<Seq>) -> PastWriter {
        let (mut anchors, mut deletions) = (AnchorsWriter::default(), DeletionsWriter::default());
        for (placement, derived) in self.heads.into_iter().zip(self.derived.finish()) {
            anchors.push(placement, derived);
        }
        let (log, listed) = (self.log, self.listed);
        let mut delete = |target: LocalId, len: Seq, descending: bool| {
            deletions.push(Deletion { target: listed.place(target), len, descending });
        };
        for (&index, &floor) in listed.indices.iter().zip(&floors) {
            if floor == 0 {
                log.deletions(index).for_each(|(target, len, descending)| delete(target, len, descending));
                continue;
            }
            for said in log.said(index, floor, Seq::MAX) {
                if let Said::Delete { len, target, descending, .. } = said {
                    delete(target, len, descending);
                }
            }
        }
        PastWriter::InDocumentOrder { items: self.items, floors, anchors, deletions }
    }
}

/// Appends items of which some have lost their text. False as for [`SequenceBuilder::push`].
fn push_trimmed(
    builder: &mut SequenceBuilder<'_>,
    parts: &[ItemPart],
    textless: &mut Textless<'_>,
    floors: &[Seq],
) -> Result<bool, DecodeError> {
    for part in parts {
        if !part.is_deleted() || !textless.next(part.len)? {
            if !builder.push(core::slice::from_ref(part)) {
                return Ok(false);
            }
            continue;
        }
        let floor = floors[part.id.replica as usize];
        if part.id.seq > floor || part.len > floor - part.id.seq {
            return Err(DecodeError::InvalidValue("elements without text"));
        }
        builder.push_textless(*part);
    }
    Ok(true)
}

/// They take exactly the seqs that no element has, but for those trimmed, and delete elements.
fn check_deletions(deletions: &[u8], elements: &Elements, floors: &[Seq]) -> Result<(), DecodeError> {
    let told =
        |replica: usize| Cold::deletions_from(elements, replica, floors.get(replica).copied().unwrap_or(0));
    const INVALID: DecodeError = DecodeError::InvalidValue("deletion");
    let mut deletions = Deletions::new(deletions)?;
    let mut block = [Deletion::NONE; BLOCK];
    let mut replicas = 0..elements.counts().len();
    let mut rest = 0;
    loop {
        let count = deletions.read(&mut block)?;
        let deletions = &block[..count];
        let mut sum = 0;
        // One that descends below 0 starts so high then that it goes beyond all.
        let targets = deletions.iter().map(|&Deletion { target, len, descending }| {
            sum += u64::from(len);
            let below = select_unpredictable(descending, len - 1, 0);
            (LocalId::new(target.replica, target.seq.wrapping_sub(below)), len)
        });
        if !elements.hold_all(targets) {
            return Err(INVALID);
        }
        if let Some(left) = u64::from(rest).checked_sub(sum) {
            // Nearly always, all are of one replica.
            rest = Seq::try_from(left).map_err(|_| INVALID)?;
        } else {
            for &Deletion { len, .. } in deletions {
                while rest == 0 {
                    rest = told(replicas.next().ok_or(INVALID)?);
                }
                rest = rest.checked_sub(len).ok_or(INVALID)?;
            }
        }
        if count < BLOCK {
            break;
        }
    }
    let is_done = rest == 0 && replicas.all(|replica| told(replica) == 0);
    if is_done { Ok(()) } else { Err(INVALID) }
}
