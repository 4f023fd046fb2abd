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
//! op log starts a run; every integrated element is in exactly one item; the id index names its leaf.
//!
//! Costs, with *n* items: finding a position, inserting, deleting one run: O(log *n*).

mod id_index;
mod item;
mod siblings;

use crate::anchor::Side;
use crate::ids::OpId;
use crate::op_log::{LocalId, OpLog, Placement};
use crate::tree::{LeafId, Slot, Tree};
use crate::units::Size;
use alloc::string::String;
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
    index: IdIndex,
    /// Built when siblings first meet, kept up from then on.
    siblings: Option<Siblings>,
}

/// Between two elements, named by one of them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Gap {
    /// Directly behind; behind [`LocalId::START`] is in front of everything.
    After(LocalId),
    Before(LocalId),
    End,
}

/// A place in the tree: behind the first `chars` elements of the item at `slot`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spot {
    slot: Slot,
    chars: usize,
}

/// Where a position was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Behind a visible element or at the very start.
    spot: Option<Spot>,
}

/// A run of elements that a local deletion took away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deleted {
    pub(crate) first: LocalId,
    pub(crate) size: Size,
}

/// How positions count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Chars,
    Utf16,
}

impl Unit {
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

impl Sequence {
    pub(crate) fn new() -> Self {
        Self { items: Items::new(), index: IdIndex::default(), siblings: None }
    }

    /// What is visible of it all.
    pub(crate) fn visible(&self) -> Visible {
        self.items.total()
    }

    /// Finds the gap directly behind the visible element that ends at `position`.
    pub(crate) fn seek(
        &self,
        log: &OpLog,
        unit: Unit,
        position: usize,
    ) -> Result<Place, InsideSurrogatePair> {
        let Some(last) = position.checked_sub(1) else { return Ok(Place { spot: None }) };
        let (slot, chars) = self.seek_element(log, unit, last)?;
        if unit == Unit::Utf16 {
            // The element that holds the unit in front must end there.
            let item = self.items.get(slot);
            let end = self.items.sum_before(slot).utf16() + item.utf16_of(log.of(item.replica()), chars + 1);
            if end != position {
                return Err(InsideSurrogatePair);
            }
        }
        Ok(Place { spot: Some(Spot { slot, chars: chars + 1 }) })
    }

    /// The item that holds unit `unit_index`, and which of its elements does. With the unit in
    /// the middle of an element, that element.
    fn seek_element(
        &self,
        log: &OpLog,
        unit: Unit,
        unit_index: usize,
    ) -> Result<(Slot, usize), InsideSurrogatePair> {
        let measure = |visible| unit.of(visible);
        let (slot, rest) =
            self.items.seek(measure, unit_index).expect("positions are checked by the document");
        let item = self.items.get(slot);
        let chars = match unit {
            Unit::Chars => rest,
            Unit::Utf16 => match item.chars_before_utf16(log.of(item.replica()), rest) {
                (chars, true) => chars,
                (chars, false) => chars - 1,
            },
        };
        Ok((slot, chars))
    }

    /// The position of `place`, in both units.
    pub(crate) fn position(&self, log: &OpLog, place: Place) -> Size {
        place.spot.map_or_else(Size::default, |spot| self.position_of(log, spot))
    }

    fn position_of(&self, log: &OpLog, spot: Spot) -> Size {
        let before = self.items.sum_before(spot.slot);
        let item = self.items.get(spot.slot);
        let mut size = Size { chars: before.chars(), utf16: before.utf16() };
        if !item.is_deleted() {
            size.chars += spot.chars;
            size.utf16 += item.utf16_of(log.of(item.replica()), spot.chars);
        }
        size
    }

    /// The visible element that ends at `place`, if it is not the start.
    pub(crate) fn element_before(&self, place: Place) -> Option<LocalId> {
        let spot = place.spot?;
        let item = self.items.get(spot.slot);
        Some(LocalId::new(item.replica(), item.id().plus(seq(spot.chars - 1)).seq))
    }

    /// The visible element that starts at `place`, if it is not the end.
    pub(crate) fn element_behind(&self, log: &OpLog, place: Place) -> Option<LocalId> {
        let position = self.position(log, place).chars;
        let (slot, chars) = self.items.seek(Visible::chars, position)?;
        Some(self.items.get(slot).id().plus(seq(chars)))
    }

    /// Where something typed at `place` is placed.
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

    /// Puts in a run typed at `place`; `placement` is what [`Sequence::placement_at`] gave there.
    pub(crate) fn insert_at(
        &mut self,
        log: &OpLog,
        place: Place,
        id: LocalId,
        placement: Placement,
        text: &str,
    ) {
        let head = !goes_on(id, placement);
        let item = Item::new(id, text, text_start(log, id), head, true);
        self.put(log, place.spot, item);
        self.note_head(log, id, placement, head);
    }

    /// Integrates a run that is the next of its replica and not yet in the log. The log holds what
    /// `placement` names. `text` is ASCII or short (`WIDE_RUN`).
    pub(crate) fn integrate_insert(&mut self, log: &OpLog, id: LocalId, placement: Placement, text: &str) {
        let (spot, left_taken) = self.spot_for(log, id, placement);
        let head = !goes_on(id, placement);
        let item = Item::new(id, text, text_start(log, id), head, left_taken);
        self.put(log, spot, item);
        self.note_head(log, id, placement, head);
    }

    fn note_head(&mut self, log: &OpLog, id: LocalId, placement: Placement, head: bool) {
        if head && let Some(siblings) = &mut self.siblings {
            siblings.add(log, id, placement);
        }
    }

    /// Where `id`, placed at `placement`, belongs, and whether the element left of there has had
    /// anything placed after it once `id` has.
    fn spot_for(&mut self, log: &OpLog, id: LocalId, placement: Placement) -> (Option<Spot>, bool) {
        let direct = match placement.side {
            Side::After => {
                let spot = self.spot_of_gap(Gap::After(placement.element));
                (!self.right_of(spot).is_some_and(Item::left_taken)).then_some(spot)
            }
            Side::Before => {
                let spot = self.spot_of_gap(Gap::Before(placement.element));
                self.right_of(spot).is_some_and(Item::left_taken).then_some(spot)
            }
        };
        if let Some(spot) = direct {
            return (spot, true);
        }
        let siblings = self.siblings.get_or_insert_with(|| Siblings::of(log));
        let id = OpId::new(log.of(id.replica).id(), id.seq);
        let gap = siblings::gap_among(siblings, log, id, placement);
        let spot = self.spot_of_gap(gap);
        (spot, self.right_of(spot).is_some_and(Item::left_taken))
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
                let (slot, at) = self.find(element);
                Some(Spot { slot, chars: at + 1 })
            }
            Gap::Before(element) => {
                let (slot, at) = self.find(element);
                if at > 0 { Some(Spot { slot, chars: at }) } else { self.end_of(self.items.previous(slot)) }
            }
            Gap::End => self.end_of(self.items.last_slot()),
        }
    }

    fn end_of(&self, slot: Option<Slot>) -> Option<Spot> {
        slot.map(|slot| Spot { slot, chars: self.items.get(slot).len() })
    }

    /// The item that holds the integrated element `id`, and which of its elements it is.
    fn find(&self, id: LocalId) -> (Slot, usize) {
        let leaf = self.index.leaf(id);
        let index = self.items.items(leaf).iter().position(|item| item.holds(id));
        let index = index.expect("the id index names the leaf of every element");
        let slot = Slot { leaf, index };
        (slot, (id.seq - self.items.get(slot).seq()) as usize)
    }

    /// Puts `item` at `spot`. What stands right of it has a left neighbour then that has had nothing
    /// placed after it.
    fn put(&mut self, log: &OpLog, spot: Option<Spot>, item: Item) {
        let Some(Spot { slot, chars }) = spot else {
            let leaf = self.items.first_leaf();
            match self.items.first_slot() {
                None => self.splice(leaf, 0, 0, &[item], item),
                Some(first) => {
                    let right = self.items.get(first).with_left_taken(false);
                    self.splice(leaf, 0, 1, &[item, right], item);
                }
            }
            return;
        };
        let here = self.items.get(slot);
        if chars < here.len() {
            let (left, right) = here.split(log.of(here.replica()), chars);
            self.splice(slot.leaf, slot.index, 1, &[left, item, right.with_left_taken(false)], item);
            return;
        }
        if let Some(next) = self.items.next(slot) {
            let right = self.items.get(next);
            if right.left_taken() {
                self.items.replace(next, right.with_left_taken(false));
            }
        }
        if let Some(joined) = here.joined(item) {
            self.index.set(item.id(), item.len(), slot.leaf);
            self.items.replace(slot, joined);
        } else {
            self.splice(slot.leaf, slot.index + 1, 0, &[item], item);
        }
    }

    /// Splices `new` in and keeps the id index; `added` is the one of them that it does not know.
    fn splice(&mut self, leaf: LeafId, index: usize, replaced: usize, new: &[Item], added: Item) {
        self.index.set(added.id(), added.len(), leaf);
        let ids = &mut self.index;
        self.items.splice(leaf, index, replaced, new, |item, leaf| ids.set(item.id(), item.len(), leaf));
    }

    /// Deletes the visible elements at the start of `len` units from `position` on that stand in one
    /// run, and tells which. The whole range is in the text.
    pub(crate) fn delete_at(&mut self, log: &OpLog, position: usize, len: usize) -> Deleted {
        let found = self.items.seek(Visible::chars, position);
        let (slot, from) = found.expect("positions are checked by the document");
        let item = self.items.get(slot);
        let to = item.len().min(from + len);
        let size = self.bury(log, slot, from, to);
        Deleted { first: item.id().plus(seq(from)), size }
    }

    /// Deletes as many of the `len` elements from `first` on as stand in one item. Returns how many
    /// that were, and where they stood and how much text they were if they were visible.
    pub(crate) fn integrate_delete(
        &mut self,
        log: &OpLog,
        first: LocalId,
        len: usize,
    ) -> (usize, Option<(Size, Size)>) {
        let (slot, from) = self.find(first);
        let item = self.items.get(slot);
        let to = item.len().min(from + len);
        if item.is_deleted() {
            return (to - from, None);
        }
        let position = self.position_of(log, Spot { slot, chars: from });
        let size = self.bury(log, slot, from, to);
        (to - from, Some((position, size)))
    }

    /// Makes tombstones of elements `from..to` of the visible item at `slot`.
    fn bury(&mut self, log: &OpLog, slot: Slot, from: usize, to: usize) -> Size {
        let item = self.items.get(slot);
        let replica = log.of(item.replica());
        let leaf = self.items.items(slot.leaf);
        let mut pieces = Pieces { items: [item; 3], len: 0 };
        let (mut start, mut end) = (slot.index, slot.index + 1);
        let mut middle = item;
        if to < item.len() {
            middle = item.split(replica, to).0;
        }
        if from > 0 {
            let (left, rest) = middle.split(replica, from);
            pieces.push(left);
            middle = rest;
        } else if start > 0 {
            start -= 1;
            pieces.push(leaf[start]);
        }
        pieces.push(middle.deleted());
        if to < item.len() {
            pieces.push(item.split(replica, to).1);
        } else if let Some(&next) = leaf.get(end) {
            end += 1;
            pieces.push(next);
        }
        let pieces = &pieces.items[..pieces.len];
        let ids = &mut self.index;
        self.items.splice(slot.leaf, start, end - start, pieces, |item, leaf| {
            ids.set(item.id(), item.len(), leaf);
        });
        middle.size()
    }

    /// How much visible text stands in front of `element`, and whether it is visible itself.
    pub(crate) fn position_of_element(&self, log: &OpLog, element: LocalId) -> (Size, bool) {
        let (slot, chars) = self.find(element);
        (self.position_of(log, Spot { slot, chars }), !self.items.get(slot).is_deleted())
    }

    /// Every element in order, and whether it is visible.
    pub(crate) fn elements(&self) -> impl Iterator<Item = (LocalId, bool)> + '_ {
        let slots = core::iter::successors(self.items.first_slot(), |&slot| self.items.next(slot));
        slots
            .map(|slot| self.items.get(slot))
            .flat_map(|item| (0..seq(item.len())).map(move |at| (item.id().plus(at), !item.is_deleted())))
    }

    /// Appends the visible text of `from..to`, in scalar values, to `out`.
    pub(crate) fn read(&self, log: &OpLog, from: usize, to: usize, out: &mut String) {
        if from >= to {
            return;
        }
        let Some((slot, mut skip)) = self.items.seek(Visible::chars, from) else { return };
        let (mut next, mut rest) = (Some(slot), to - from);
        while let Some(slot) = next
            && rest > 0
        {
            let item = self.items.get(slot);
            if !item.is_deleted() {
                let text = item.text(log.of(item.replica()));
                let len = (item.len() - skip).min(rest);
                if len == item.len() {
                    out.push_str(text);
                } else if text.len() == item.len() {
                    out.push_str(&text[skip..skip + len]);
                } else {
                    out.push_str(crate::units::chars(text, skip, len));
                }
                rest -= len;
                skip = 0;
            }
            next = self.items.next(slot);
        }
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
                assert_eq!(self.find(id), (here, at), "the id index names the leaf");
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
                && replica.text().is_ascii()
            {
                assert!(left.joined(item).is_none(), "items that could be one are one");
            }
            left = Some(item);
            slot = self.items.next(here);
        }
        let inserted: usize = log.replicas().iter().map(|replica| Size::of(replica.text()).chars).sum();
        assert_eq!(elements, inserted, "every element is in exactly one item");
    }
}

/// Up to three neighbouring items, joined where they can be.
struct Pieces {
    items: [Item; 3],
    len: usize,
}

impl Pieces {
    fn push(&mut self, item: Item) {
        if let Some(last) = self.len.checked_sub(1)
            && let Some(joined) = self.items[last].joined(item)
        {
            self.items[last] = joined;
        } else {
            self.items[self.len] = item;
            self.len += 1;
        }
    }
}

/// Whether `id` was placed after its predecessor in seq.
fn goes_on(id: LocalId, placement: Placement) -> bool {
    id.seq > 0 && placement == Placement { element: LocalId::new(id.replica, id.seq - 1), side: Side::After }
}

/// Where the text of the next insertion of a replica starts in its log.
fn text_start(log: &OpLog, id: LocalId) -> u32 {
    u32::try_from(log.of(id.replica).text().len()).expect("text was checked against its limit")
}

fn seq(count: usize) -> u32 {
    u32::try_from(count).expect("a run is shorter than the count of its replica")
}
