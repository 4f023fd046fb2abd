//! What one replica knows of the sequence: items in document order, in a B-tree.
//!
//! Every element was placed after or before another; that tree's in-order traversal, siblings in
//! descending id order, is the sequence (Roh et al., *Replicated abstract data types*, 2011, given
//! left children as in Weidner and Kleppmann, *The Art of the Fugue*, 2025). The tree is never
//! built: elements stand in their final order, and one bit per element says what most insertions
//! need to know, *left taken*: has anything been placed after the element directly left of this
//! one? With it,
//!
//! - a local insertion between *l* and *r* is placed before *r* if *r* says left taken, else after *l*;
//! - an integrated insertion after *a* goes directly behind *a* if the element there does not say left
//!   taken: *a* has no child after it yet;
//! - one before *r* goes directly in front of *r* if *r* says left taken: the last element of
//!   anything placed before *r* would have nothing after it, so nothing was.
//!
//! A history without concurrency never leaves these two cases. Otherwise siblings meet, and
//! `siblings.rs` finds the place.
//!
//! Invariants: ASCII items that could be one are one, within a leaf; an item is a head exactly where the
//! op log starts a run; every integrated element is in exactly one item; the id index, if there is
//! one, names its leaf.
//!
//! Edits come close to the one before: the [`Cursor`] remembers where that was, so that text typed
//! on only lengthens an item, and most other edits are found without going down the tree. The id
//! index is built when ids have been looked up a few times; who only types alone never pays for it.
//!
//! Costs, with *n* items: finding a position, inserting, deleting one run: O(log *n*); text typed on: O(1).

mod build;
mod cursor;
mod heads;
mod id_index;
mod item;
mod siblings;

pub(crate) use build::SequenceBuilder;

use crate::anchor::Side;
use crate::ids::{OpId, Seq};
use crate::op_log::{LocalId, OpLog, Placement, ReplicaIndex};
use crate::tree::{Found, Item as _, LeafId, Slot, Summary as _, Tree};
use crate::units::{Counted, Size};
use alloc::vec::Vec;
use core::hint::select_unpredictable;
use cursor::{Cursor, Gait};
use id_index::IdIndex;
use item::Item;
pub(crate) use item::Visible;
use siblings::Siblings;

#[cfg(not(test))]
type Items = Tree<Item, 64, 32>;
/// Tiny nodes, so that short tests meet every case.
#[cfg(test)]
type Items = Tree<Item, 4, 3>;

/// The elements in order.
#[derive(Clone)]
pub(crate) struct Sequence {
    items: Items,
    cursor: Cursor,
    index: IdIndex,
    /// Built when siblings first meet, kept up from then on.
    siblings: Option<Siblings>,
}

/// Between two elements, named by one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gap {
    /// Directly behind; behind [`LocalId::START`] is in front of everything.
    After(LocalId),
    Before(LocalId),
    End,
}

impl Gap {
    /// Directly beside an element.
    fn beside(Placement { element, side }: Placement) -> Self {
        if side == Side::After { Self::After(element) } else { Self::Before(element) }
    }
}

/// A place in the tree: behind the first `chars` elements of the item at `slot`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spot {
    slot: Slot,
    chars: usize,
}

/// Where the element that something is placed beside was found: valid until the next change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beside(Option<Spot>);

/// Where a position was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Behind a visible element or at the very start.
    spot: Option<Spot>,
    /// The visible text in front.
    at: Visible,
    /// What was found out of the leaf on the way.
    around: (Visible, Visible),
}

/// How positions count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Chars,
    Utf16,
}

impl Unit {
    #[inline]
    pub(crate) fn of(self, visible: Visible) -> usize {
        match self {
            Self::Chars => visible.chars(),
            Self::Utf16 => visible.utf16(),
        }
    }
}

/// A UTF-16 position between the halves of a surrogate pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InsideSurrogatePair;

/// Where an element was placed long ago matters, and the log does not know yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PastNeeded;

impl Sequence {
    pub(crate) fn new() -> Self {
        Self { items: Items::new(), cursor: Cursor::START, index: IdIndex::default(), siblings: None }
    }

    /// What is visible of it all.
    #[inline]
    pub(crate) fn visible(&self) -> Visible {
        self.items.total()
    }

    /// Finds the gap directly behind the visible element that ends at `position`, which is in the text.
    #[inline(always)]
    pub(crate) fn seek(
        &self,
        log: &OpLog,
        unit: Unit,
        position: usize,
    ) -> Result<Place, InsideSurrogatePair> {
        let start = Visible::default();
        let Some(last) = position.checked_sub(1) else {
            return Ok(Place { spot: None, at: start, around: (start, start) });
        };
        let Found { slot, before, leaf } = self.seek_unit(unit, last);
        let item = self.items.get(slot);
        let inside = position - unit.of(before);
        let chars = match unit {
            Unit::Chars => inside,
            Unit::Utf16 => match item.chars_before_utf16(log, inside) {
                (chars, true) => chars,
                (_, false) => return Err(InsideSurrogatePair),
            },
        };
        let mut at = before;
        at.add(item.visible_part(log, chars));
        Ok(Place { spot: Some(Spot { slot, chars }), at, around: leaf })
    }

    /// Prepares an edit at `position`: makes the way there quick, unless it is near.
    #[inline]
    pub(crate) fn settle_for(&mut self, unit: Unit, position: usize) {
        if position > 0 && !self.cursor.is_near(unit, position - 1, self.visible()) {
            self.items.settle();
        }
    }

    /// The item that holds a unit of the text.
    #[inline(always)]
    fn seek_unit(&self, unit: Unit, target: usize) -> Found<Visible> {
        match self.cursor.near(&self.items, unit, target) {
            Some(found) => found,
            None => self.seek_far(unit, target),
        }
    }

    #[inline(never)]
    fn seek_far(&self, unit: Unit, target: usize) -> Found<Visible> {
        // Asked once here, instead of for each item on the way.
        let found = match unit {
            Unit::Chars => self.items.seek(Visible::chars, target),
            Unit::Utf16 => self.items.seek(Visible::utf16, target),
        };
        found.expect("positions are checked by the document")
    }

    /// How much visible text is in front of `place`.
    pub(crate) fn position(&self, place: Place) -> Size {
        place.at.size()
    }

    fn position_of(&self, log: &OpLog, spot: Spot) -> Visible {
        let mut at = self.items.sum_before(spot.slot);
        let item = self.items.get(spot.slot);
        if !item.is_deleted() {
            at.add(item.visible_part(log, spot.chars));
        }
        at
    }

    /// The visible element that ends at `place`, if it is not the start.
    pub(crate) fn element_before(&self, place: Place) -> Option<LocalId> {
        let spot = place.spot?;
        Some(self.items.get(spot.slot).id().plus(seq(spot.chars - 1)))
    }

    /// The visible element that starts at `place`, if it is not the end.
    pub(crate) fn element_behind(&self, place: Place) -> Option<LocalId> {
        let position = place.at.chars();
        if position == self.visible().chars() {
            return None;
        }
        let found = self.seek_unit(Unit::Chars, position);
        Some(self.items.get(found.slot).id().plus(seq(position - found.before.chars())))
    }

    /// Where something typed at `place` is placed.
    #[inline(always)]
    pub(crate) fn placement_at(&self, place: Place) -> Placement {
        let (left, right) = match place.spot {
            None => (LocalId::START, self.items.first_slot().map(|slot| self.items.get(slot))),
            Some(spot) => {
                let item = self.items.get(spot.slot);
                let left = item.id().plus(seq(spot.chars - 1));
                if spot.chars < item.len() {
                    return Placement { element: left.plus(1), side: Side::Before };
                }
                (left, self.items.next(spot.slot).map(|slot| self.items.get(slot)))
            }
        };
        match right {
            Some(right) if right.left_taken() => Placement { element: right.id(), side: Side::Before },
            _ => Placement { element: left, side: Side::After },
        }
    }

    /// Directly behind the last edit, which was an insertion here.
    pub(crate) fn place_of_last_edit(&mut self) -> Place {
        self.position_of_last_edit();
        let slot = self.cursor.slot;
        let spot = Spot { slot, chars: self.items.get(slot).len() };
        let total = self.visible();
        let at = self.cursor.end(total).unwrap_or_default();
        Place { spot: Some(spot), at, around: self.cursor.around(total) }
    }

    /// Puts in a run typed at `place`; `placement` is what [`Sequence::placement_at`] gave there.
    #[inline(always)]
    pub(crate) fn insert_at(
        &mut self,
        log: &OpLog,
        place: Place,
        id: LocalId,
        placement: Placement,
        run: Counted<'_>,
    ) {
        self.index.relax();
        let head = !goes_on(id, placement);
        let item = Item::new(id, run, text_start(log, id), head, true);
        let leaves = self.items.leaf_count();
        let (slot, whole) = self.put(log, place.spot, item);
        let (mut end, mut around) = (place.at, place.around);
        end.add(item.summary());
        if self.items.leaf_count() == leaves && place.spot.is_some() {
            around.1.add(item.summary());
        } else {
            around = (place.at, end);
        }
        self.cursor = Cursor::at(slot, end, around, self.visible());
        self.go_on_typing(id.replica, whole);
        self.note_head(log, id, placement, head);
    }

    /// Where `placement` names a place directly beside an element; `None` if that is no element of the log.
    #[inline]
    pub(crate) fn find_beside(&mut self, placement: Placement) -> Option<Beside> {
        self.index.want(&self.items);
        let Placement { element, side } = placement;
        if element == LocalId::START {
            return Some(Beside(None));
        }
        let (slot, at) = self.find(element)?;
        Some(Beside(self.spot_beside(slot, at, side)))
    }

    /// Integrates a run that is the next of its replica and not yet in the log. `beside` is where `placement`
    /// was found. `run` is ASCII or short (`WIDE_RUN`).
    ///
    /// Where siblings meet and the past of the log is cold, nothing is done: thaw it and come again.
    pub(crate) fn integrate_insert(
        &mut self,
        log: &OpLog,
        id: LocalId,
        placement: Placement,
        beside: Beside,
        run: Counted<'_>,
    ) -> Result<(), PastNeeded> {
        let (spot, left_taken) = self.spot_for(log, id, placement, beside)?;
        let head = !goes_on(id, placement);
        let item = Item::new(id, run, text_start(log, id), head, left_taken);
        let (slot, whole) = self.put(log, spot, item);
        self.cursor = Cursor::somewhere(slot);
        self.go_on_typing(id.replica, whole);
        self.note_head(log, id, placement, head);
        Ok(())
    }

    /// `replica` has just put in the end of `item`, where the cursor is.
    fn go_on_typing(&mut self, replica: ReplicaIndex, item: Item) {
        if item.is_ascii() {
            self.cursor = self.cursor.with_writer(replica, Gait::Typing);
        }
    }

    /// Whether what `replica` types at `position` goes on where the last edit ended, so that, as long as it is
    /// ASCII, it can be put in with [`Sequence::lengthen`].
    #[inline(always)]
    pub(crate) fn types_on(&self, replica: ReplicaIndex, unit: Unit, position: usize) -> bool {
        self.writes_on(replica) && self.cursor.ends_at(unit, position, self.visible())
    }

    /// As [`Sequence::types_on`], for what is placed after the newest operation of `replica`.
    #[inline(always)]
    pub(crate) fn writes_on(&self, replica: ReplicaIndex) -> bool {
        self.cursor.is_written_by(replica, Gait::Typing)
    }

    /// Nobody goes on where the last edit ended.
    pub(crate) fn end_writing(&mut self) {
        self.cursor = self.cursor.with_nobody();
    }

    /// Puts in the `len` operations from `id` on, which go on where the last edit ended.
    #[inline(always)]
    pub(crate) fn lengthen(&mut self, id: LocalId, len: u32) {
        let slot = self.cursor.slot;
        self.items.get_mut(slot).lengthen(len);
        self.items.adjust(slot.leaf, Visible::ascii(len));
        self.index.grow(id, len, slot.leaf);
    }

    /// Whether the operation `seq` needs no note of its place where it goes on like that.
    #[inline(always)]
    pub(crate) fn lengthens_alone(&self, seq: Seq) -> bool {
        self.index.grows_alone(seq)
    }

    /// As [`Sequence::lengthen`] of the newest of the first `count` operations of `replica`, which
    /// [`Sequence::lengthens_alone`].
    #[inline(always)]
    pub(crate) fn lengthen_alone(&mut self, replica: ReplicaIndex, count: Seq) {
        let slot = self.cursor.slot;
        self.items.get_mut(slot).lengthen(1);
        self.items.adjust_open(slot.leaf, Visible::ascii(1));
        self.index.grow_alone(replica, count, 1);
    }

    /// Deletes the unit at `position` if `replica` goes on deleting there.
    #[inline(always)]
    pub(crate) fn delete_one_on(&mut self, replica: ReplicaIndex, unit: Unit, position: usize) -> bool {
        let total = self.visible();
        let Slot { leaf, index } = self.cursor.slot;
        let one = Visible::ascii(1);
        let buried = if self.cursor.is_written_by(replica, Gait::Backspacing) {
            let pair = self.items.items_mut(leaf).get_mut(index.wrapping_sub(1)..=index);
            let Some([left, tombstone]) = pair else { return false };
            self.cursor.ends_at(unit, position + 1, total) && left.bury_one_more(tombstone)
        } else if self.cursor.is_written_by(replica, Gait::Deleting) {
            let pair = self.items.items_mut(leaf).get_mut(index..index + 2);
            let Some([tombstone, right]) = pair else { return false };
            let buried = self.cursor.ends_at(unit, position, total) && right.bury_first_one_more(tombstone);
            if buried {
                self.cursor.shrink_behind(one);
            }
            buried
        } else {
            return false;
        };
        if buried {
            let mut more = Visible::default();
            more.sub(one);
            self.items.adjust_open(leaf, more);
        }
        buried
    }

    /// Deletes `count` units from `start` on, if that goes on from where the last edit deleted, backwards or
    /// forwards, in one run of ASCII that has more; tells the first element then, and whether it was backwards.
    #[inline]
    pub(crate) fn delete_on(&mut self, unit: Unit, start: usize, count: u32) -> Option<(LocalId, bool)> {
        let total = self.visible();
        if self.cursor.ends_at(unit, start + count as usize, total) {
            Some((self.delete_backwards(count, |_| true)?, true))
        } else if self.cursor.ends_at(unit, start, total) {
            Some((self.delete_forwards(count, |_| true)?, false))
        } else {
            None
        }
    }

    /// Deletes `count` elements from `first` on, if that goes on from where the last edit deleted, as
    /// [`Sequence::delete_on`] does.
    #[inline]
    pub(crate) fn delete_elements_on(&mut self, first: LocalId, count: u32) -> bool {
        self.delete_backwards(count, |id| id == first).is_some()
            || self.delete_forwards(count, |id| id == first).is_some()
    }

    /// Expects that `replica` goes on so from what [`Sequence::delete_on`] just deleted, if `element`, whose deletion its log
    /// takes without an entry, comes next.
    #[inline]
    pub(crate) fn go_on_deleting(&mut self, replica: ReplicaIndex, element: LocalId, down: bool) {
        let tombstone = self.items.get(self.cursor.slot);
        let (next, gait) = if down {
            (element.plus(1) == tombstone.id(), Gait::Backspacing)
        } else {
            (element == tombstone.id().plus(tombstone.count()), Gait::Deleting)
        };
        if next {
            self.cursor = self.cursor.with_writer(replica, gait);
        }
    }

    #[inline(always)]
    fn delete_backwards(&mut self, count: u32, is_right: impl FnOnce(LocalId) -> bool) -> Option<LocalId> {
        let Slot { leaf, index } = self.cursor.slot;
        let pair = self.items.items_mut(leaf).get_mut(index.wrapping_sub(1)..=index)?;
        let [left, tombstone] = pair else { return None };
        let LocalId { replica, seq } = tombstone.id();
        let first = LocalId::new(replica, seq.wrapping_sub(count));
        let buried = is_right(first) && left.bury_last(tombstone, count);
        if buried {
            self.shrink(count);
        }
        buried.then_some(first)
    }

    #[inline(always)]
    fn delete_forwards(&mut self, count: u32, is_right: impl FnOnce(LocalId) -> bool) -> Option<LocalId> {
        let Slot { leaf, index } = self.cursor.slot;
        let pair = self.items.items_mut(leaf).get_mut(index..index + 2)?;
        let [tombstone, right] = pair else { return None };
        let first = right.id();
        let buried = is_right(first) && right.bury_first(tombstone, count);
        if buried {
            self.shrink(count);
            self.cursor.shrink_behind(Visible::ascii(count));
        }
        buried.then_some(first)
    }

    #[inline(always)]
    fn shrink(&mut self, count: u32) {
        let mut more = Visible::default();
        more.sub(Visible::ascii(count));
        self.items.adjust(self.cursor.slot.leaf, more);
    }

    /// The visible text up to where the last edit ended. O(log *n*) at most.
    pub(crate) fn position_of_last_edit(&mut self) -> Size {
        let total = self.visible();
        let end = self.cursor.end(total).unwrap_or_else(|| {
            let slot = self.cursor.slot;
            let before = self.items.sum_before(slot);
            let mut end = before;
            end.add(self.items.get(slot).summary());
            self.cursor.learn(end, (before, end), total);
            end
        });
        end.size()
    }

    fn note_head(&mut self, log: &OpLog, id: LocalId, placement: Placement, head: bool) {
        if head && let Some(siblings) = &mut self.siblings {
            siblings.add(log, id, placement);
        }
    }

    /// Where `id`, placed at `placement`, which was found at `beside`, belongs, and whether the element left of
    /// there has had anything placed after it once `id` has.
    fn spot_for(
        &mut self,
        log: &OpLog,
        id: LocalId,
        placement: Placement,
        Beside(beside): Beside,
    ) -> Result<(Option<Spot>, bool), PastNeeded> {
        let left_taken = self.right_of(beside).is_some_and(Item::left_taken);
        if left_taken == (placement.side == Side::Before) {
            return Ok((beside, true));
        }
        if log.is_cold() {
            return Err(PastNeeded);
        }
        let siblings = self.siblings.get_or_insert_with(|| Siblings::of(log));
        let id = OpId::new(log.of(id.replica).id(), id.seq);
        let gap = siblings::gap_among(siblings, log, id, placement);
        if gap == Gap::beside(placement) {
            return Ok((beside, left_taken));
        }
        let spot = self.spot_of_gap(gap);
        Ok((spot, self.right_of(spot).is_some_and(Item::left_taken)))
    }

    /// The run that starts directly right of a spot, as if it were cut there.
    fn right_of(&self, spot: Option<Spot>) -> Option<Item> {
        let slot = match spot {
            None => self.items.first_slot()?,
            Some(spot) => {
                let item = self.items.get(spot.slot);
                if spot.chars < item.len() {
                    // Inside a run the element left of any has its successor placed after it.
                    return Some(item.with_left_taken(true));
                }
                self.items.next(spot.slot)?
            }
        };
        Some(self.items.get(slot))
    }

    /// The spot behind the element left of a gap; `None` is the start.
    fn spot_of_gap(&self, gap: Gap) -> Option<Spot> {
        match gap {
            Gap::After(element) if element == LocalId::START => None,
            Gap::After(element) => {
                let (slot, at) = self.locate(element);
                self.spot_beside(slot, at, Side::After)
            }
            Gap::Before(element) => {
                let (slot, at) = self.locate(element);
                self.spot_beside(slot, at, Side::Before)
            }
            Gap::End => self.end_of(self.items.last_slot()),
        }
    }

    /// The spot directly beside element `at` of the item at `slot`.
    #[inline]
    fn spot_beside(&self, slot: Slot, at: usize, side: Side) -> Option<Spot> {
        match side {
            Side::After => Some(Spot { slot, chars: at + 1 }),
            Side::Before if at > 0 => Some(Spot { slot, chars: at }),
            Side::Before => self.end_of(self.items.previous(slot)),
        }
    }

    fn end_of(&self, slot: Option<Slot>) -> Option<Spot> {
        slot.map(|slot| Spot { slot, chars: self.items.get(slot).len() })
    }

    /// The item that holds the integrated element `id`, and which of its elements it is.
    fn locate(&self, id: LocalId) -> (Slot, usize) {
        self.find(id).expect("every element of the log is in the sequence")
    }

    /// The item that holds the operation `id`, if that is an element, and which of its elements it is.
    pub(crate) fn find(&self, id: LocalId) -> Option<(Slot, usize)> {
        let Slot { leaf, index } = self.cursor.slot;
        let near = self.items.items(leaf);
        let first = index.saturating_sub(1);
        for (index, item) in near.iter().enumerate().skip(first).take(3) {
            if item.holds(id) {
                return Some((Slot { leaf, index }, item.place_of(id)));
            }
        }
        let slot = match self.index.leaf(id) {
            Ok(leaf) => self.find_in(leaf?, id)?,
            // Nobody asked often enough for an index.
            Err(_) => {
                let first = Some(self.items.first_leaf());
                let mut leaves = core::iter::successors(first, |&leaf| self.items.next_leaf(leaf));
                leaves.find_map(|leaf| self.find_in(leaf, id))?
            }
        };
        Some((slot, self.items.get(slot).place_of(id)))
    }

    fn find_in(&self, leaf: LeafId, id: LocalId) -> Option<Slot> {
        let index = self.items.items(leaf).iter().position(|item| item.holds(id))?;
        Some(Slot { leaf, index })
    }

    /// Puts `item` at `spot`. What stands right of it has a left neighbour then that has had nothing
    /// placed after it.
    /// Tells where it is now, and what item it became or was joined to.
    #[inline(always)]
    fn put(&mut self, log: &OpLog, spot: Option<Spot>, item: Item) -> (Slot, Item) {
        let Some(Spot { slot, chars }) = spot else {
            let leaf = self.items.first_leaf();
            let slot = match self.items.first_slot() {
                None => self.splice(leaf, 0, 0, [item], item),
                Some(first) => {
                    let right = self.items.get(first).with_left_taken(false);
                    self.splice(leaf, 0, 1, [item, right], item)
                }
            };
            return (slot, item);
        };
        let here = self.items.get(slot);
        if chars < here.len() {
            let (left, right) = here.split(log, chars);
            let new = [left, item, right.with_left_taken(false)];
            let Slot { leaf, index } = self.splice(slot.leaf, slot.index, 1, new, item);
            return (Slot { leaf, index: index + 1 }, item);
        }
        if let Some(next) = self.items.next(slot) {
            let right = self.items.get(next);
            if right.left_taken() {
                self.items.replace(next, right.with_left_taken(false));
            }
        }
        if let Some(joined) = here.joined(item) {
            self.index.set(item.id(), item.count(), slot.leaf);
            self.items.replace(slot, joined);
            (slot, joined)
        } else {
            (self.splice(slot.leaf, slot.index + 1, 0, [item], item), item)
        }
    }

    /// Splices `new` in and keeps the id index; `added` is the one of them that it does not know.
    #[inline]
    fn splice<const NEW: usize>(
        &mut self,
        leaf: LeafId,
        index: usize,
        replaced: usize,
        new: [Item; NEW],
        added: Item,
    ) -> Slot {
        let ids = &mut self.index;
        let moved = |item: &Item, leaf| ids.set(item.id(), item.count(), leaf);
        let slot = self.items.splice(leaf, index, replaced, new, moved);
        self.index.set(added.id(), added.count(), slot.leaf);
        slot
    }

    /// Deletes the `len` visible elements from `position` on, at least one, as the next operations of `replica`, in the log
    /// too. The whole range is in the text.
    pub(crate) fn delete_at(&mut self, log: &mut OpLog, replica: ReplicaIndex, position: usize, len: usize) {
        self.index.relax();
        self.settle_for(Unit::Chars, position + 1);
        let Found { mut slot, before, leaf: (front, mut back) } = self.seek_unit(Unit::Chars, position);
        let mut from = position - before.chars();
        let mut end = before;
        end.add(self.items.get(slot).visible_part(log, from));
        let (leaf, leaves, known) = (slot.leaf, self.items.leaf_count(), back.chars());
        let mut rest = len;
        loop {
            let item = self.items.get(slot);
            let to = item.len().min(from + rest);
            let (buried, size) = self.bury(log, slot, from, to);
            slot = buried;
            back.sub(Visible::of(size));
            log.append_delete(replica, item.id().plus(seq(from)), seq(size.chars), false);
            rest -= size.chars;
            if rest == 0 {
                break;
            }
            from = 0;
            slot = self.next_visible(slot).expect("the range is in the text");
        }
        // What is known of the leaf holds as long as nothing left it and no more went than is known of.
        let still_known =
            slot.leaf == leaf && self.items.leaf_count() == leaves && end.chars() + len <= known;
        let around = if still_known { (front, back) } else { (end, end) };
        self.cursor = Cursor::at(slot, end, around, self.visible());
    }

    /// The next item that is no tombstone.
    fn next_visible(&self, slot: Slot) -> Option<Slot> {
        let behind = core::iter::successors(self.items.next(slot), |&slot| self.items.next(slot));
        behind.into_iter().find(|&slot| !self.items.get(slot).is_deleted())
    }

    /// Deletes as many of the `len` elements from `first` on as stand in one item. Returns how many
    /// that were, and how much text they were if they were visible.
    pub(crate) fn integrate_delete(
        &mut self,
        log: &OpLog,
        first: LocalId,
        len: usize,
    ) -> (usize, Option<Size>) {
        self.index.want(&self.items);
        let (slot, from) = self.locate(first);
        let to = self.items.get(slot).len().min(from + len);
        (to - from, self.bury_if_visible(log, slot, from, to))
    }

    /// Deletes the `len` elements from `first` on if they are elements and stand in one item. Tells how much text they
    /// were if they were visible.
    pub(crate) fn delete_in_one_item(
        &mut self,
        log: &OpLog,
        first: LocalId,
        len: usize,
    ) -> Option<Option<Size>> {
        self.index.want(&self.items);
        let (slot, from) = self.find(first)?;
        let to = from + len;
        (to <= self.items.get(slot).len()).then(|| self.bury_if_visible(log, slot, from, to))
    }

    fn bury_if_visible(&mut self, log: &OpLog, slot: Slot, from: usize, to: usize) -> Option<Size> {
        if self.items.get(slot).is_deleted() {
            return None;
        }
        let (slot, size) = self.bury(log, slot, from, to);
        self.cursor = Cursor::somewhere(slot);
        Some(size)
    }

    /// Makes tombstones of elements `from..to` of the visible item at `slot`. Tells where they are now, and
    /// how much text they are.
    #[inline(always)]
    fn bury(&mut self, log: &OpLog, slot: Slot, from: usize, to: usize) -> (Slot, Size) {
        let item = self.items.get(slot);
        let (rest, right) = if to < item.len() { cut(item, log, to) } else { (item, None) };
        let (left, middle) = match from {
            0 => (None, rest),
            _ => {
                let (left, middle) = rest.split(log, from);
                (Some(left), middle)
            }
        };
        let size = middle.size();
        let mut middle = middle.deleted();
        let leaf = self.items.items(slot.leaf);
        let (mut start, mut end) = (slot.index, slot.index + 1);
        if left.is_none()
            && start > 0
            && let Some(joined) = leaf[start - 1].joined(middle)
        {
            middle = joined;
            start -= 1;
        }
        if right.is_none()
            && let Some(&next) = leaf.get(end)
            && let Some(joined) = middle.joined(next)
        {
            middle = joined;
            end += 1;
        }
        let ids = &mut self.index;
        let moved = |item: &Item, leaf| ids.set(item.id(), item.count(), leaf);
        let (items, replaced) = (&mut self.items, end - start);
        let Slot { leaf, index } = match (left, right) {
            (None, None) => items.splice(slot.leaf, start, replaced, [middle], moved),
            (Some(left), None) => items.splice(slot.leaf, start, replaced, [left, middle], moved),
            (None, Some(right)) => items.splice(slot.leaf, start, replaced, [middle, right], moved),
            (Some(left), Some(right)) => {
                items.splice(slot.leaf, start, replaced, [left, middle, right], moved)
            }
        };
        (Slot { leaf, index: index + usize::from(left.is_some()) }, size)
    }

    /// How much visible text stands in front of the element `id`, and whether it is visible itself.
    /// `None` if there is no such element.
    pub(crate) fn position_of_element(&self, log: &OpLog, id: LocalId) -> Option<(Size, bool)> {
        let (slot, chars) = self.find(id)?;
        self.index.note_use();
        Some((self.position_of(log, Spot { slot, chars }).size(), !self.items.get(slot).is_deleted()))
    }

    /// Every element in order, and whether it is visible.
    pub(crate) fn elements(&self) -> impl Iterator<Item = (LocalId, bool)> + '_ {
        let slots = core::iter::successors(self.items.first_slot(), |&slot| self.items.next(slot));
        slots
            .map(|slot| self.items.get(slot))
            .flat_map(|item| (0..seq(item.len())).map(move |at| (item.id().plus(at), !item.is_deleted())))
    }

    /// Appends the visible text of `from..to`, in scalar values, to `out`, in UTF-8.
    pub(crate) fn read(&self, log: &OpLog, from: usize, to: usize, out: &mut Vec<u8>) {
        if from >= to {
            return;
        }
        let Found { slot, before, .. } = self.seek_unit(Unit::Chars, from);
        let (mut skip, mut rest) = (from - before.chars(), to - from);
        // Loaded text that was not copied yet: neighbours go in one.
        let mut loaded = 0..0;
        let (mut leaf, mut index) = (Some(slot.leaf), slot.index);
        while let Some(here) = leaf {
            for item in &self.items.items(here)[index..] {
                // Tombstones lie about as chance has it: neither they nor text that goes on take a branch.
                let chars = item.summary().chars();
                let goes_on = (chars == 0) | ((skip == 0) & item.is_loaded_at(loaded.end));
                if goes_on & (chars <= rest) {
                    loaded.end += select_unpredictable(chars == 0, 0, item.bytes());
                    rest -= chars;
                    continue;
                }
                if rest == 0 {
                    break;
                }
                if !loaded.is_empty() {
                    out.extend_from_slice(&log.loaded_text().as_bytes()[loaded.clone()]);
                    loaded = 0..0;
                }
                let len = (chars - skip).min(rest);
                if len == chars
                    && let Some(start) = item.loaded_start()
                {
                    loaded = start..start + item.bytes();
                } else {
                    let utf8 = item.utf8(log);
                    if utf8.len() == chars {
                        out.extend_from_slice(&utf8[skip..skip + len]);
                    } else {
                        out.extend_from_slice(crate::units::chars(item.text(log), skip, len).as_bytes());
                    }
                }
                rest -= len;
                skip = 0;
            }
            index = 0;
            leaf = if rest == 0 { None } else { self.items.next_leaf(here) };
        }
        out.extend_from_slice(&log.loaded_text().as_bytes()[loaded]);
    }

    /// Stops at once if an invariant does not hold. O(*n* log *n*); for tests.
    pub(crate) fn assert_invariants(&self, log: &OpLog) {
        self.items.assert_invariants();
        let mut elements = 0;
        let mut slot = self.items.first_slot();
        let mut left: Option<Item> = None;
        while let Some(here) = slot {
            let item = self.items.get(here);
            let replica = log.of(item.replica());
            elements += item.len();
            for at in 0..item.len() {
                let id = item.id().plus(seq(at));
                assert!(replica.is_element(id.seq), "every item is in the log");
                assert_eq!(self.find(id), Some((here, at)), "the id index names the leaf");
                let continues = replica.continues_at(id.replica, id.seq);
                assert_eq!(continues, at > 0 || !item.is_head(), "heads are where the log starts runs");
            }
            let left_id = left.map_or(LocalId::START, |left| left.id().plus(seq(left.len() - 1)));
            let anchored = |log: &OpLog| {
                log.replicas().iter().zip(0..).any(|(other, index)| {
                    other
                        .heads(index)
                        .any(|(_, placement)| placement == Placement { element: left_id, side: Side::After })
                })
            };
            let continued =
                left.is_some() && log.of(left_id.replica).continues_at(left_id.replica, left_id.seq + 1);
            assert_eq!(item.left_taken(), continued || anchored(log), "left taken tells the truth");
            if let Some(left) = left
                && here.index > 0
                && replica.text().bytes().is_ascii()
            {
                assert!(left.joined(item).is_none(), "items that could be one are one");
            }
            left = Some(item);
            slot = self.items.next(here);
        }
        let inserted: usize = log
            .replicas()
            .iter()
            .map(|replica| Size::of(replica.text().slice(0..replica.text().len())).chars)
            .sum();
        assert_eq!(elements, inserted, "every element is in exactly one item");
    }
}

/// Cuts `item` behind its first `at` elements.
#[inline(always)]
fn cut(item: Item, log: &OpLog, at: usize) -> (Item, Option<Item>) {
    let (left, right) = item.split(log, at);
    (left, Some(right))
}

/// Whether `id` was placed after its predecessor in seq.
fn goes_on(id: LocalId, placement: Placement) -> bool {
    id.seq > 0 && placement == Placement { element: LocalId::new(id.replica, id.seq - 1), side: Side::After }
}

/// Where the text of the next insertion of a replica starts in its log.
fn text_start(log: &OpLog, id: LocalId) -> u32 {
    u32::try_from(log.of(id.replica).text().len()).expect("text was checked against its limit")
}

#[inline]
fn seq(count: usize) -> u32 {
    u32::try_from(count).expect("a run is shorter than the count of its replica")
}
