//! What was said: every integrated operation, per replica and in ascending seq, and the text that
//! insertions brought.
//!
//! - One [`ReplicaLog`] per replica; inside the crate a replica is named by its index here, an
//!   element by a [`LocalId`].
//! - An entry is a run of 16 bytes; its length is the distance to the next entry. A run that goes
//!   on where the one before it ended joins it.
//! - Text is append-only, in order of seq. An entry whose text is not ASCII holds at most
//!   [`WIDE_RUN`] elements, so that finding a character in it costs O(1).
//! - Where an element was placed (its anchor) is kept here and nowhere else.
//!
//! Finding an operation is O(log *e*) with *e* the entries of its replica; appending is O(1).

mod cold;
mod elements;
mod pending;
mod replica_log;
mod text;

pub(crate) use cold::{BLOCK, Cold, ItemPart, Moved, Piece, is_tree};
pub(crate) use elements::Elements;
pub(crate) use pending::Pending;
use replica_log::Finder;
pub(crate) use replica_log::{ReplicaLog, Said};

use crate::anchor::{Anchor, Side};
use crate::ids::{OpId, Place, ReplicaId, ReplicaMap, Seq};
pub(crate) use crate::limits::{MAX_REPLICAS, MAX_TEXT_BYTES};
use crate::op::Keystroke;
use alloc::string::String;
use alloc::vec::Vec;

/// A replica's place in the op log of one document.
pub(crate) type ReplicaIndex = u32;

/// The most elements that a run of text other than ASCII may hold.
pub(crate) const WIDE_RUN: usize = 511;

/// The index of no replica.
pub(crate) const NOT_LISTED: ReplicaIndex = LocalId::START.replica;

/// The name of an element inside one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LocalId {
    pub(crate) replica: ReplicaIndex,
    pub(crate) seq: Seq,
}

impl LocalId {
    /// Stands for the start of the sequence where an element is asked for.
    pub(crate) const START: Self = Self { replica: 0x07ff_ffff, seq: 0 };

    pub(crate) const fn new(replica: ReplicaIndex, seq: Seq) -> Self {
        Self { replica, seq }
    }

    /// The element that took the number `count` later.
    pub(crate) const fn plus(self, count: Seq) -> Self {
        Self { replica: self.replica, seq: self.seq + count }
    }
}

/// Where an element was placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placement {
    /// An element, or [`LocalId::START`] with [`Side::After`].
    pub(crate) element: LocalId,
    pub(crate) side: Side,
}

/// The logs of all replicas.
#[derive(Clone, Default)]
pub(crate) struct OpLog {
    replicas: Vec<ReplicaLog>,
    by_id: ReplicaMap,
    text_bytes: usize,
    cold: Option<Cold>,
}

/// Where elements were placed, of all that a log has entries of.
pub(crate) struct Placements<'a> {
    finders: Vec<Finder<'a>>,
}

impl Placements<'_> {
    /// O(1) as a rule.
    #[inline]
    pub(crate) fn of(&self, element: LocalId) -> Placement {
        self.finders[element.replica as usize].placement(element.replica, element.seq)
    }
}

impl OpLog {
    pub(crate) fn index_of(&self, replica: ReplicaId) -> Option<ReplicaIndex> {
        self.by_id.get(replica)
    }

    /// As [`OpLog::index_of`], and where a version vector of the same replicas has it.
    pub(crate) fn placed_index_of(&self, replica: ReplicaId) -> Option<(ReplicaIndex, Place)> {
        self.by_id.get_placed(replica)
    }

    /// The index of `replica`, which is listed from now on.
    pub(crate) fn register(&mut self, replica: ReplicaId) -> ReplicaIndex {
        let new = u32::try_from(self.replicas.len()).expect("fewer than MAX_REPLICAS");
        let index = *self.by_id.entry(replica, new);
        if index == new {
            self.replicas.push(ReplicaLog::new(replica));
        }
        index
    }

    /// Whether any of the past was trimmed.
    pub(crate) fn is_trimmed(&self) -> bool {
        self.replicas.iter().any(|log| log.floor() > 0)
    }

    /// How many replicas are listed.
    pub(crate) fn replica_count(&self) -> usize {
        self.replicas.len()
    }

    /// How many bytes of text were ever inserted.
    pub(crate) fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    /// The logs, by index.
    pub(crate) fn replicas(&self) -> &[ReplicaLog] {
        &self.replicas
    }

    /// All replicas in ascending id order, with their index.
    pub(crate) fn by_id(&self) -> impl Iterator<Item = (ReplicaId, ReplicaIndex)> + '_ {
        self.by_id.iter()
    }

    #[inline]
    pub(crate) fn of(&self, replica: ReplicaIndex) -> &ReplicaLog {
        &self.replicas[replica as usize]
    }

    /// The name of the next operation of a listed replica.
    #[inline]
    pub(crate) fn next_id(&self, replica: ReplicaIndex) -> LocalId {
        LocalId::new(replica, self.of(replica).next_seq())
    }

    /// Whether so many more operations of `replica` can be kept. Not, if it is not listed.
    #[inline]
    pub(crate) fn has_room(&self, replica: ReplicaIndex, count: Seq) -> bool {
        self.replicas.get(replica as usize).is_some_and(|log| count <= Seq::MAX - log.next_seq())
    }

    /// The name that `id` has in every document.
    pub(crate) fn op_id(&self, id: LocalId) -> OpId {
        OpId::new(self.of(id.replica).id(), id.seq)
    }

    /// Whether all of `len` operations from `first` on, which are integrated, are elements.
    pub(crate) fn are_elements(&self, first: LocalId, len: Seq) -> bool {
        let log = self.of(first.replica);
        let end = first.seq + len;
        let past = log.first_seq().clamp(first.seq, end);
        if let Some(cold) = &self.cold
            && past > first.seq
            && !cold.elements.hold(first, past - first.seq)
        {
            return false;
        }
        if end - past == 1 {
            return log.is_element(past);
        }
        log.are_elements(past, end)
    }

    /// The placement as every document names it.
    pub(crate) fn anchor(&self, placement: Placement) -> Anchor {
        let element = (placement.element != LocalId::START).then(|| self.op_id(placement.element));
        Anchor { element, side: placement.side }
    }

    /// Appends an insertion of `count` elements. Tells whether ASCII may go on from there
    /// ([`OpLog::append_on`]).
    ///
    /// `text` is ASCII or holds at most [`WIDE_RUN`] elements.
    #[inline(always)]
    pub(crate) fn append_insert(
        &mut self,
        replica: ReplicaIndex,
        placement: Placement,
        text: &str,
        count: Seq,
    ) -> bool {
        self.text_bytes += text.len();
        let log = &mut self.replicas[replica as usize];
        log.append_insert(replica, placement, text, count);
        log.ends_in_ascii()
    }

    /// Appends the text of an insertion to come, if it is ASCII, and tells where it starts.
    pub(crate) fn append_ascii(&mut self, replica: ReplicaIndex, text: &str) -> Option<u32> {
        let log = &mut self.replicas[replica as usize];
        let start = log.text_end();
        log.append_ascii(text).then(|| {
            self.text_bytes += text.len();
            start
        })
    }

    /// As [`OpLog::append_insert`], of elements whose text [`OpLog::append_ascii`] has just appended.
    pub(crate) fn append_elements(
        &mut self,
        replica: ReplicaIndex,
        placement: Placement,
        start: u32,
        count: Seq,
    ) -> bool {
        let log = &mut self.replicas[replica as usize];
        log.append_elements(replica, placement, start, count);
        log.ends_in_ascii()
    }

    /// Appends one element, if it is ASCII, placed after the newest operation of `replica`, which is ASCII too, if
    /// that takes no memory and there is room.
    #[inline(always)]
    pub(crate) fn append_byte(&mut self, replica: ReplicaIndex, byte: u8) -> bool {
        let room = self.text_bytes < MAX_TEXT_BYTES;
        let appended =
            room && self.replicas.get_mut(replica as usize).is_some_and(|log| log.append_byte(byte));
        self.text_bytes += usize::from(appended);
        appended
    }

    /// Appends `text`, so many elements of ASCII, placed after the newest operation of `replica`, which is ASCII too, if
    /// there is room. Tells their name and number.
    pub(crate) fn append_on(
        &mut self,
        replica: ReplicaIndex,
        count: Seq,
        text: &str,
    ) -> Option<(LocalId, Seq)> {
        let log = &mut self.replicas[replica as usize];
        if count as usize > MAX_TEXT_BYTES - self.text_bytes || count > Seq::MAX - log.next_seq() {
            return None;
        }
        self.text_bytes += count as usize;
        Some((LocalId::new(replica, log.append_on(count, text)), count))
    }

    /// Appends a deletion of `len` elements from `target` on. Tells the number of the next operation.
    #[inline]
    pub(crate) fn append_delete(
        &mut self,
        replica: ReplicaIndex,
        target: LocalId,
        len: Seq,
        descending: bool,
    ) -> Seq {
        self.replicas[replica as usize].append_delete(target, len, descending)
    }

    /// Appends a deletion of the element that [`OpLog::deletes_on`] tells. Tells the number of the next operation. There
    /// has to be room.
    #[inline(always)]
    pub(crate) fn delete_one_on(&mut self, replica: ReplicaIndex) -> Seq {
        self.replicas[replica as usize].delete_one_on()
    }

    /// The element whose deletion would lengthen the newest entry of `replica` downwards, or else upwards.
    pub(crate) fn deletes_on(&self, replica: ReplicaIndex, down: bool) -> Option<LocalId> {
        self.of(replica).deletes_on(down)
    }

    /// The operations of a listed replica from `from`, which exists, up to its newest, if they are in one entry.
    #[inline]
    pub(crate) fn newest(&self, replica: ReplicaIndex, from: Seq) -> Option<Said<'_>> {
        self.replicas.get(replica as usize)?.newest(replica, from)
    }

    /// The newest operation of a listed replica, if that is `seq` and a keystroke beside an own element.
    #[inline(always)]
    pub(crate) fn newest_keystroke(&self, replica: ReplicaIndex, seq: Seq) -> Option<Keystroke> {
        self.replicas.get(replica as usize)?.newest_keystroke(replica, seq)
    }

    /// How many entries there are.
    pub(crate) fn entry_count(&self) -> usize {
        self.replicas.iter().map(ReplicaLog::entry_count).sum()
    }

    /// Tells where elements were placed, for whoever asks for most of them. Takes O(entries) to make.
    pub(crate) fn placements(&self) -> Placements<'_> {
        Placements { finders: self.replicas.iter().map(Finder::new).collect() }
    }

    /// The text of elements, also of those before the floor; nothing of operations that are no elements.
    pub(crate) fn text_of(&self, first: LocalId, len: Seq) -> String {
        self.of(first.replica).text_of(first.replica, first.seq, first.seq + len)
    }

    /// The deletions of one replica, as far as there are entries: the first target, how many, whether they descend.
    pub(crate) fn deletions(&self, replica: ReplicaIndex) -> impl Iterator<Item = (LocalId, Seq, bool)> {
        self.of(replica).deletions()
    }

    /// The entries of one replica from `from` up to `to`, the first and last cut to fit.
    pub(crate) fn said(&self, replica: ReplicaIndex, from: Seq, to: Seq) -> impl Iterator<Item = Said<'_>> {
        self.of(replica).said(replica, from, to)
    }
}
