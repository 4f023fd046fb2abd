//! Trimming: a document forgets what was deleted before a version, and how it came about.
//!
//! What stays has to place whatever may still arrive. Every element stays that shows, carries a statement or is named by one or by a later deletion;
//! of the deleted others, which lose their text,
//!
//! - that directly behind one that stays so: who types there places the new element before it (one that a mark ends at
//!   counts: what is typed behind a link may be placed behind letters of it that are deleted);
//! - that which one that stays was placed beside, and so on up to the start: then what stays is a tree like any other;
//! - all that were placed on the same side of one element, if one of them stays: then it is clear which of them a
//!   newcomer stands between.
//!
//! The rest is gone, and nothing can be placed wrongly without it: a newcomer beside an element that stays stands, among all that
//! stay, where it would stand anyway; one beside an element that is gone is refused ([`ApplyError::Trimmed`](crate::ApplyError::Trimmed)). Whoever has
//! seen everything before the version, and types where something shows, names nothing that is gone.
//!
//! O(*n* log *n*) for *n* items.

use super::Doc;
use super::history::join;
use super::snapshot::{InDocumentOrder, Listed};
use crate::anchor::Side;
use crate::codec::{Limits, SnapshotProfile};
use crate::error::HistoryError;
use crate::ids::{OpId, ReplicaId, Seq, VersionVector};
use crate::op::{Run, RunKind};
use crate::op_log::{ItemPart, LocalId, NOT_LISTED, OpLog, Placement, Said};
use crate::sorted::{SortedSet, sort_by_key};
use crate::value::Value;
use alloc::vec::Vec;
use core::ops::Range;

impl Doc {
    /// Forgets deleted text and history before `version`, which every live replica has passed.
    ///
    /// What shows stays as it is, and so does what came after `version`, deleted or not. Gone are the text of what was deleted
    /// before, most of its tombstones, and the record of who did what: [`Doc::text_at`] and its like show no version older
    /// than that, nothing older can be undone, and a delta for somebody who has not seen all of `version` only says
    /// [`ApplyError::Trimmed`](crate::ApplyError::Trimmed): *reload*, from a snapshot.
    ///
    /// The caller has to know that every replica that is still to be heard of has seen all of `version`, and that all it said
    /// before it did is here. What comes from another, and is placed beside something that is gone, is refused as
    /// `Trimmed`; what can be placed is placed as everywhere, so that nothing is ever merged wrongly. A replica
    /// that undoes what was deleted before `version` may be refused, too.
    ///
    /// Not an operation: other replicas keep what they have. Trimming to an older version than before changes nothing.
    /// O(*n* log *n*) and the bytes of a snapshot.
    ///
    /// # Errors
    /// [`HistoryError::NotReached`], and [`HistoryError::NotAState`] if the version lacks what its own operations refer to.
    /// [`HistoryError::Circular`] only for a document that was made up. Nothing has changed then.
    ///
    /// # Examples
    /// ```
    /// use crdt_core::{ApplyError, Doc, ReplicaId, VersionVector};
    ///
    /// let mut doc = Doc::new(ReplicaId::new(1));
    /// doc.insert(0, "a secret that nobody should keep")?;
    /// doc.delete(1..32)?;
    /// doc.trim(&doc.version().clone())?;
    /// assert_eq!(doc.text(), "a");
    ///
    /// let mut newcomer = Doc::new(ReplicaId::new(2));
    /// let refused = newcomer.apply(&doc.delta_since(&VersionVector::new()));
    /// assert_eq!(refused, Err(ApplyError::Trimmed));
    /// let newcomer = Doc::from_snapshot(ReplicaId::new(2), &doc.encode_snapshot())?;
    /// assert_eq!(newcomer.text(), "a");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn trim(&mut self, version: &VersionVector) -> Result<(), HistoryError> {
        self.check_reached(version)?;
        let log = self.warm_log();
        let listed = Listed::of(&log);
        let floor_of = |index| version.get(log.of(index).id()).max(log.of(index).floor());
        let floors: Vec<Seq> = (0..).take(log.replica_count()).map(floor_of).collect();
        let parts = self.parts_left(&log, &floors)?;
        let values: Vec<(OpId, &Value)> = self
            .values_since(&VersionVector::new())
            .into_iter()
            .filter(|(id, _)| parts.lives(&log, *id))
            .collect();
        let floors = listed.indices.iter().map(|&index| floors[index as usize]).collect();
        let mut past = InDocumentOrder::new(&log, &listed);
        parts.visit_left(|part, text| past.push(part, text.as_bytes()));
        let past = past.finish(floors);
        let bytes = self.finish_snapshot(listed.version, past, &values, SnapshotProfile::Fast);
        // Only what a made-up snapshot brought does not open again.
        let mut trimmed = Self::from_snapshot_within(self.replica, &bytes, &Limits::WIDEST)
            .map_err(|_| HistoryError::Circular)?;
        debug_assert_eq!(trimmed.text(), self.text(), "trimming changes nothing that shows");
        if self.own != NOT_LISTED {
            trimmed.own = trimmed.log.index_of(self.replica).unwrap_or(NOT_LISTED);
        }
        trimmed.limits = self.limits;
        trimmed.transaction = self.transaction;
        if let Some(rich) = &mut self.rich {
            trimmed.rich_mut().expands = core::mem::take(&mut rich.expands);
        }
        *self = trimmed;
        Ok(())
    }

    /// Up to where the past was trimmed: empty if it never was. O(replicas).
    pub fn floor(&self) -> VersionVector {
        self.log
            .by_id()
            .map(|(replica, index)| (replica, self.log.of(index).floor()))
            .filter(|one| one.1 > 0)
            .collect()
    }

    /// Whether a delta can tell all that `version` lacks: not, if some of that was trimmed. O(replicas).
    pub fn can_tell_since(&self, version: &VersionVector) -> bool {
        self.log.by_id().all(|(replica, index)| self.log.of(index).floor() <= version.get(replica))
    }

    /// Whether a delta can tell these operations.
    pub(super) fn can_tell(&self, replica: ReplicaId, seqs: &Range<Seq>) -> bool {
        seqs.is_empty()
            || self.log.index_of(replica).is_none_or(|index| self.log.of(index).floor() <= seqs.start)
    }

    /// Whether an operation, which was seen, may have been an element and is gone.
    pub(super) fn is_gone(&self, id: OpId) -> bool {
        self.log.index_of(id.replica).is_some_and(|index| {
            id.seq < self.log.of(index).floor() && !self.log.are_elements(LocalId::new(index, id.seq), 1)
        })
    }

    /// Whether an operation belongs to what was trimmed.
    pub(super) fn is_before_floor(&self, id: OpId) -> bool {
        self.log.index_of(id.replica).is_some_and(|index| id.seq < self.log.of(index).floor())
    }

    /// Whether all of a version was seen here.
    pub(super) fn check_reached(&self, version: &VersionVector) -> Result<(), HistoryError> {
        for (replica, asked) in version.iter() {
            let reached = self.version.get(replica);
            if asked > reached {
                return Err(HistoryError::NotReached { replica, asked, reached });
            }
        }
        Ok(())
    }

    /// What trimming leaves; `floors` by index of the replica.
    fn parts_left<'a>(&'a self, log: &OpLog, floors: &[Seq]) -> Result<Parts<'a>, HistoryError> {
        let has = |id: LocalId| id == LocalId::START || id.seq < floors[id.replica as usize];
        // What was deleted before the version, and what waits or is said names.
        let mut deleted: Vec<(LocalId, Seq)> = Vec::new();
        // What is named by something else than its children: by deletions after the version, for one.
        let mut named: Vec<(LocalId, Seq)> = Vec::new();
        self.add_named_elements(log, &mut named);
        for (index, &floor) in (0..).zip(floors) {
            for said in log.said(index, floor, Seq::MAX) {
                if let Said::Delete { len, target, descending, .. } = said {
                    named.push((lowest(target, len, descending), len));
                }
            }
            for said in log.said(index, 0, floor) {
                let (seq, last) = match said {
                    Said::Insert { seq, placement, .. } => (seq, placement.element),
                    Said::Delete { seq, len, target, descending } => {
                        let first = lowest(target, len, descending);
                        deleted.push((first, len));
                        (seq, first.plus(len - 1))
                    }
                };
                if !has(last) {
                    return Err(HistoryError::NotAState { id: log.op_id(LocalId::new(index, seq)) });
                }
            }
        }
        join(&mut deleted);
        join(&mut named);
        let protected = self.protected_elements(log);
        let mut parts: Vec<Part<'a>> = Vec::new();
        for (item, text) in self.sequence.runs(&self.log) {
            let mut part = Part::of(item, text);
            if !item.is_deleted() || part.dead {
                parts.push(part);
                continue;
            }
            // Cut where what was deleted before the version begins and ends.
            while part.item.len > 0 {
                let first = part.item.id;
                let (dead, len) = dead_stretch(&deleted, &protected, first, part.item.len);
                let (mut here, rest) = part.split(len);
                if dead {
                    (here.dead, here.text) = (true, "");
                }
                parts.push(here);
                part = rest;
            }
        }
        Ok(Parts::of(log, parts, &named))
    }

    /// Elements that do not die: those that carry statements, and entries that were moved: where those show, statements say.
    fn protected_elements(&self, log: &OpLog) -> SortedSet<LocalId> {
        let mut protected = SortedSet::default();
        let Some(rich) = &self.rich else { return protected };
        for (&id, value) in &rich.values {
            if !matches!(value, Value::Embed(_)) {
                protected.extend(local(log, id));
            }
            if let Value::Move { element, .. } = value {
                protected.extend(local(log, *element));
            }
        }
        protected
    }

    /// Adds elements that statements and waiting operations name.
    fn add_named_elements(&self, log: &OpLog, named: &mut Vec<(LocalId, Seq)>) {
        let values = self.rich.iter().flat_map(|rich| &rich.values);
        let elements = values.flat_map(|(_, value)| value.elements());
        named.extend(elements.filter_map(|element| local(log, element)).map(|element| (element, 1)));
        for run in self.pending.iter() {
            let (first, len) = match run.kind {
                RunKind::Insert { anchor, .. } => (anchor.element, 1),
                RunKind::Delete { target, descending } => {
                    (Some(Run::targets(target, run.len, descending).0), run.len)
                }
            };
            named.extend(first.and_then(|first| local(log, first)).map(|first| (first, len)));
        }
    }
}

fn local(log: &OpLog, id: OpId) -> Option<LocalId> {
    log.index_of(id.replica).map(|index| LocalId::new(index, id.seq))
}

/// Whether the first of these deleted elements died before the version, and for how many that is so, at least one.
fn dead_stretch(
    deleted: &[(LocalId, Seq)],
    protected: &SortedSet<LocalId>,
    first: LocalId,
    len: Seq,
) -> (bool, Seq) {
    let next_protected = protected.range(first..first.plus(len)).next().copied();
    if next_protected == Some(first) {
        return (false, 1);
    }
    let len = next_protected.map_or(len, |next| next.seq - first.seq);
    let behind = deleted.partition_point(|&(start, _)| start <= first);
    if let Some(&(start, count)) = behind.checked_sub(1).and_then(|place| deleted.get(place))
        && start.replica == first.replica
        && first.seq - start.seq < count
    {
        return (true, len.min(count - (first.seq - start.seq)));
    }
    let next = deleted.get(behind).filter(|(start, _)| start.replica == first.replica);
    (false, next.map_or(len, |(start, _)| len.min(start.seq - first.seq)))
}

/// The lowest element that a deletion names.
fn lowest(target: LocalId, len: Seq, descending: bool) -> LocalId {
    if descending { LocalId::new(target.replica, target.seq - (len - 1)) } else { target }
}

/// How many elements of an item, from the first on, reach as far as `ranges`, which are joined, name any.
fn named_up_to(ranges: &[(LocalId, Seq)], item: ItemPart) -> Seq {
    let end = item.id.plus(item.len);
    let behind = ranges.partition_point(|&(start, _)| start < end);
    let last = behind
        .checked_sub(1)
        .map(|place| ranges[place])
        .filter(|(start, _)| start.replica == item.id.replica);
    last.map_or(0, |(start, len)| (start.seq + len).saturating_sub(item.id.seq).min(item.len))
}

/// A run of elements in document order.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    item: ItemPart,
    text: &'a str,
    /// Deleted before the version: its text goes, and it need not stay.
    dead: bool,
    /// How many of its elements stay, from the first on.
    stays: Seq,
}

impl<'a> Part<'a> {
    fn of(item: ItemPart, text: &'a str) -> Self {
        Self { item, text, dead: text.is_empty(), stays: 0 }
    }

    /// Cuts it behind its first `len` elements, at most all.
    fn split(self, len: Seq) -> (Self, Self) {
        let bytes = if self.text.len() == self.item.len as usize {
            len as usize
        } else {
            crate::units::byte_of(self.text, len as usize)
        };
        let (left, right) = self.text.split_at(bytes);
        let rest = ItemPart {
            id: self.item.id.plus(len),
            len: self.item.len - len,
            flags: self.item.flags & !ItemPart::HEAD,
        };
        let item = ItemPart { len, ..self.item };
        (Self { item, text: left, ..self }, Self { item: rest, text: right, ..self })
    }
}

/// All elements, and which of them stay.
pub(super) struct Parts<'a> {
    /// In document order.
    parts: Vec<Part<'a>>,
    /// What the first element of each was placed beside.
    placements: Vec<Placement>,
    /// The places of all parts in ascending order of id.
    by_id: Vec<usize>,
    /// For each part what it was placed beside, whether before that, and its place, in ascending order.
    children: Vec<(LocalId, bool, usize)>,
}

impl<'a> Parts<'a> {
    /// `named` elements stay.
    fn of(log: &OpLog, parts: Vec<Part<'a>>, named: &[(LocalId, Seq)]) -> Self {
        let mut by_id: Vec<usize> = (0..parts.len()).collect();
        sort_by_key(&mut by_id, |&place| parts[place].item.id);
        let placements: Vec<Placement> = parts.iter().map(|part| placement(log, part.item)).collect();
        let mut children: Vec<_> =
            (0..).zip(&placements).map(|(place, at)| (at.element, at.side == Side::Before, place)).collect();
        sort_by_key(&mut children, |&child| child);
        let mut all = Self { parts, placements, by_id, children };
        let mut is_behind_one = true;
        for place in 0..all.parts.len() {
            let Part { dead, item, .. } = all.parts[place];
            // The next element as well: somebody may type in front of it.
            let count = if dead { named_up_to(named, item) } else { item.len };
            let behind_it = count > 0 || is_behind_one;
            if behind_it {
                all.keep(place, item.len.min(count + 1));
            }
            is_behind_one = count == item.len;
        }
        all.keep_siblings();
        all
    }

    /// All of `parts`, which stay.
    pub(super) fn all(log: &OpLog, parts: Vec<Part<'a>>) -> Self {
        Self::of(log, parts, &[])
    }

    /// Appends the first `len` elements of an item, as `shows` says of each stretch whether it does and how long that is so.
    pub(super) fn cut(
        item: ItemPart,
        text: &'a str,
        len: Seq,
        parts: &mut Vec<Part<'a>>,
        shows: impl Fn(LocalId, Seq) -> (bool, Seq),
    ) {
        let part = Part { dead: false, ..Part::of(item, text) };
        let mut rest = if len < item.len { part.split(len).0 } else { part };
        while rest.item.len > 0 {
            let (shows, count) = shows(rest.item.id, rest.item.len);
            let (mut here, behind) = rest.split(count);
            let shows = shows && !here.text.is_empty();
            here.item.flags =
                here.item.flags & !ItemPart::DELETED | if shows { 0 } else { ItemPart::DELETED };
            parts.push(here);
            rest = behind;
        }
    }

    /// The part that holds an element, and which of its elements it is.
    fn find(&self, id: LocalId) -> Option<(usize, Seq)> {
        let behind = self.by_id.partition_point(|&place| self.parts[place].item.id <= id);
        let place = self.by_id[behind.checked_sub(1)?];
        let ItemPart { id: first, len, .. } = self.parts[place].item;
        let at = id.seq.wrapping_sub(first.seq);
        (first.replica == id.replica && at < len).then_some((place, at))
    }

    /// The first `count` elements of a part stay, and all that they hang on.
    fn keep(&mut self, mut place: usize, mut count: Seq) {
        loop {
            let part = &mut self.parts[place];
            let was_kept = part.stays > 0;
            part.stays = part.stays.max(count);
            if was_kept {
                return;
            }
            let Some((above, at)) = self.find(self.placements[place].element) else { return };
            (place, count) = (above, at + 1);
        }
    }

    /// If one of those placed on one side of an element stays, all do.
    fn keep_siblings(&mut self) {
        let mut at = 0;
        while at < self.children.len() {
            let (element, is_before, _) = self.children[at];
            let is_sibling = |child: &&(LocalId, bool, usize)| (child.0, child.1) == (element, is_before);
            let end = at + self.children[at..].iter().take_while(is_sibling).count();
            let within = if is_before { None } else { self.goes_on_within(element) };
            let stays = within.is_some_and(|(place, count)| self.parts[place].stays >= count)
                || self.children[at..end].iter().any(|&(.., place)| self.parts[place].stays > 0);
            if stays {
                for &(.., place) in &self.children[at..end] {
                    self.parts[place].stays = self.parts[place].stays.max(1);
                }
                if let Some((place, count)) = within {
                    self.parts[place].stays = self.parts[place].stays.max(count);
                }
            }
            at = end;
        }
    }

    /// The part in which another element goes on from this one, and how many of its elements that makes.
    fn goes_on_within(&self, element: LocalId) -> Option<(usize, Seq)> {
        let (place, at) = self.find(element)?;
        (at + 1 < self.parts[place].item.len).then_some((place, at + 2))
    }

    /// Whether anything that stays was placed after an element.
    fn is_taken(&self, element: LocalId) -> bool {
        let from =
            self.children.partition_point(|&(other, is_before, _)| (other, is_before) < (element, false));
        let children =
            self.children[from..].iter().take_while(|child| (child.0, child.1) == (element, false));
        self.goes_on_within(element).is_some_and(|(place, count)| self.parts[place].stays >= count)
            || children.into_iter().any(|&(.., place)| self.parts[place].stays > 0)
    }

    /// Visits what stays, in document order.
    pub(super) fn visit_left(&self, mut visit: impl FnMut(ItemPart, &'a str)) {
        let mut last = LocalId::START;
        for part in self.parts.iter().filter(|part| part.stays > 0) {
            let taken = if self.is_taken(last) { ItemPart::LEFT_TAKEN } else { 0 };
            let flags = part.item.flags & !ItemPart::LEFT_TAKEN | taken;
            visit(ItemPart { len: part.stays, flags, ..part.item }, part.text);
            last = part.item.id.plus(part.stays - 1);
        }
    }

    /// Whether an element did not die: or is not here at all.
    fn lives(&self, log: &OpLog, id: OpId) -> bool {
        let place = log.index_of(id.replica).and_then(|index| self.find(LocalId::new(index, id.seq)));
        place.is_none_or(|(place, _)| !self.parts[place].dead)
    }
}

/// Where the first element of an item was placed.
fn placement(log: &OpLog, item: ItemPart) -> Placement {
    let LocalId { replica, seq } = item.id;
    match seq.checked_sub(1) {
        Some(before) if !item.is_head() => {
            Placement { element: LocalId::new(replica, before), side: Side::After }
        }
        _ => log.of(replica).placement(replica, seq),
    }
}
