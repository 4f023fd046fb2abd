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
mod going_on;
mod heads;
mod id_index;
mod integrating;
mod invariants;
mod item;
mod reading;
mod replaying;
mod siblings;

pub(crate) use build::SequenceBuilder;

use crate::anchor::Side;
use crate::op_log::{LocalId, OpLog, Placement, ReplicaIndex};
use crate::tree::{Found, Item as _, LeafId, Slot, Summary as _, Tree};
use crate::units::{Counted, Size};
use cursor::Cursor;
use id_index::{IdIndex, Moves};
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
    /// The element in front of which the main text ends, if named sequences stand behind it.
    main_end: Option<LocalId>,
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
pub(crate) struct Spot {
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

    pub(crate) fn of_size(self, size: Size) -> usize {
        match self {
            Self::Chars => size.chars,
            Self::Utf16 => size.utf16,
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
        Self {
            items: Items::new(),
            cursor: Cursor::START,
            index: IdIndex::default(),
            siblings: None,
            main_end: None,
        }
    }

    /// What is visible of it all: of the main text and the named sequences behind it.
    #[inline]
    pub(crate) fn visible(&self) -> Visible {
        self.items.total()
    }

    /// What is visible of the main text. O(1) where there is nothing else.
    #[inline]
    pub(crate) fn main(&self, log: &OpLog) -> Size {
        match self.main_end {
            None => self.visible().size(),
            Some(element) => self.position_beside(log, Placement { element, side: Side::Before }),
        }
    }

    /// The element in front of which the main text ends; `None` if it ends with everything.
    #[inline]
    pub(crate) fn main_end(&self) -> Option<LocalId> {
        self.main_end
    }

    /// From now on the main text ends in front of this element.
    pub(crate) fn end_main(&mut self, element: LocalId) {
        self.main_end = Some(element);
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

    /// Puts in a run typed at `place`; `placement` is what [`Sequence::placement_at`] gave there. Its text is in the log
    /// of its replica from byte `start` on, or will be.
    #[inline(always)]
    pub(crate) fn insert_at(
        &mut self,
        log: &OpLog,
        place: Place,
        id: LocalId,
        placement: Placement,
        run: Counted<'_>,
        start: u32,
    ) {
        self.index.relax(&self.items);
        let head = !goes_on(id, placement);
        let item = Item::new(id, run, start, head, true);
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
        let mut moves = Moves::new(&mut self.index);
        let moved = |item: &Item, leaf| moves.note(item.id(), item.count(), leaf);
        let slot = self.items.splice(leaf, index, replaced, new, moved);
        moves.flush();
        self.index.set_placed(added.id(), added.count(), slot);
        slot
    }

    /// Deletes the `len` visible elements from `position` on, at least one, as the next operations of `replica`, in the log
    /// too. The whole range is in the text.
    pub(crate) fn delete_at(&mut self, log: &mut OpLog, replica: ReplicaIndex, position: usize, len: usize) {
        self.index.relax(&self.items);
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
        let mut moves = Moves::new(&mut self.index);
        let moved = |item: &Item, leaf| moves.note(item.id(), item.count(), leaf);
        let (items, replaced) = (&mut self.items, end - start);
        let Slot { leaf, index } = match (left, right) {
            (None, None) => items.splice(slot.leaf, start, replaced, [middle], moved),
            (Some(left), None) => items.splice(slot.leaf, start, replaced, [left, middle], moved),
            (None, Some(right)) => items.splice(slot.leaf, start, replaced, [middle, right], moved),
            (Some(left), Some(right)) => {
                items.splice(slot.leaf, start, replaced, [left, middle, right], moved)
            }
        };
        moves.flush();
        (Slot { leaf, index: index + usize::from(left.is_some()) }, size)
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

#[inline]
fn seq(count: usize) -> u32 {
    u32::try_from(count).expect("a run is shorter than the count of its replica")
}
