//! Finding places and elements, and reading what is there.

use super::item::{Item, Visible};
use super::{InsideSurrogatePair, Place, Sequence, Spot, Unit, seq};
use crate::anchor::Side;
use crate::op_log::{LocalId, OpLog, Placement};
use crate::tree::{Found, Item as _, Slot, Summary as _};
use crate::units::Size;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::hint::select_unpredictable;
use core::ops::ControlFlow;

impl Sequence {
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
    pub(super) fn seek_unit(&self, unit: Unit, target: usize) -> Found<Visible> {
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

    pub(super) fn position_of(&self, log: &OpLog, spot: Spot) -> Visible {
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
            Ok(near) => self.find_in(near?, id)?,
            // Nobody asked often enough for an index.
            Err(_) => {
                let first = Some(self.items.first_leaf());
                let mut leaves = core::iter::successors(first, |&leaf| self.items.next_leaf(leaf));
                leaves.find_map(|leaf| self.find_in(Slot { leaf, index: 0 }, id))?
            }
        };
        Some((slot, self.items.get(slot).place_of(id)))
    }

    /// Looks through the leaf of `near`, from there on first: what stands somewhere only ever moves on.
    #[inline]
    fn find_in(&self, near: Slot, id: LocalId) -> Option<Slot> {
        let Slot { leaf, index } = near;
        let items = self.items.items(leaf);
        let (front, back) = items.split_at_checked(index).unwrap_or((items, &[]));
        let holds = |item: &Item| item.holds(id);
        let index = match back.iter().position(holds) {
            Some(place) => index + place,
            None => front.iter().position(holds)?,
        };
        Some(Slot { leaf, index })
    }

    /// How much visible text is in front of the place beside an element, which exists. O(log *n*).
    pub(crate) fn position_beside(&self, log: &OpLog, Placement { element, side }: Placement) -> Size {
        self.index.note_use();
        let (slot, at) = self.find(element).expect("it is an element");
        self.position_of(log, Spot { slot, chars: at + usize::from(side == Side::After) }).size()
    }

    /// Which of two elements, which exist, comes first. O(log *n*).
    pub(crate) fn order(&self, one: LocalId, other: LocalId) -> Ordering {
        self.order_of_spots(self.spot_of(one), self.spot_of(other))
    }

    /// Where an element, which exists, is until the next edit. O(log *n*).
    pub(crate) fn spot_of(&self, element: LocalId) -> Spot {
        self.index.note_use();
        let (slot, at) = self.find(element).expect("it is an element");
        Spot { slot, chars: at }
    }

    /// Which of two comes first. O(log *n*).
    pub(crate) fn order_of_spots(&self, one: Spot, other: Spot) -> Ordering {
        let leaves = self.items.order(one.slot.leaf, other.slot.leaf);
        leaves.then(one.slot.index.cmp(&other.slot.index)).then(one.chars.cmp(&other.chars))
    }

    /// How many of `len` elements from one on stand in one item, and whether they are visible; `None` if the first is no
    /// element.
    pub(crate) fn piece(&self, first: LocalId, len: u32) -> Option<(u32, bool)> {
        self.index.note_use();
        let (slot, at) = self.find(first)?;
        let item = self.items.get(slot);
        Some((len.min(seq(item.len() - at)), !item.is_deleted()))
    }

    /// Whether an element has lost its text.
    pub(crate) fn is_textless(&self, element: LocalId) -> bool {
        self.find(element).is_some_and(|(slot, _)| self.items.get(slot).is_textless())
    }

    /// Whether one element stands directly behind another in the item of the last edit.
    pub(crate) fn is_directly_behind(&self, left: LocalId, right: LocalId) -> bool {
        let item = self.items.get(self.cursor.slot);
        item.holds(left) && item.holds(right) && item.place_of(left) + 1 == item.place_of(right)
    }

    /// The text of elements in one item, visible or not.
    pub(crate) fn text_of_piece<'a>(&self, log: &'a OpLog, first: LocalId, len: u32) -> &'a str {
        let (slot, at) = self.find(first).expect("it is an element");
        crate::units::chars(self.items.get(slot).text(log), at, len as usize)
    }

    /// Whether an element, which exists, is visible.
    pub(crate) fn is_visible(&self, element: LocalId) -> bool {
        self.index.note_use();
        let (slot, _) = self.find(element).expect("it is an element");
        !self.items.get(slot).is_deleted()
    }

    /// The place directly behind an element.
    pub(crate) fn place_behind(&self, log: &OpLog, element: LocalId) -> Place {
        let (slot, at) = self.find(element).expect("it is an element");
        let spot = Spot { slot, chars: at + 1 };
        let at = self.position_of(log, spot);
        Place { spot: Some(spot), at, around: (at, at) }
    }

    /// The visible element that `position`, which is in the text, counts.
    pub(crate) fn element_at(&self, position: usize) -> LocalId {
        let found = self.seek_unit(Unit::Chars, position);
        self.items.get(found.slot).id().plus(seq(position - found.before.chars()))
    }

    /// `place`, or behind the last of the tombstones right of it that `last_of` finds: of a run of so many elements from
    /// one on it tells the last seq that counts, or that this is far enough.
    pub(crate) fn behind_tombstones(
        &self,
        place: Place,
        mut last_of: impl FnMut(LocalId, u32) -> ControlFlow<(), Option<u32>>,
    ) -> Option<Place> {
        let mut spot = None;
        let mut next = match place.spot {
            None => self.items.first_slot(),
            Some(Spot { slot, chars }) if chars == self.items.get(slot).len() => self.items.next(slot),
            Some(_) => None,
        };
        while let Some(slot) = next {
            let item = self.items.get(slot);
            if !item.is_deleted() {
                break;
            }
            match last_of(item.id(), item.count()) {
                ControlFlow::Break(()) => break,
                ControlFlow::Continue(None) => {}
                ControlFlow::Continue(Some(last)) => {
                    let chars = item.place_of(LocalId::new(item.replica(), last)) + 1;
                    spot = Some(Spot { slot, chars });
                }
            }
            next = self.items.next(slot);
        }
        spot.map(|spot| Place { spot: Some(spot), at: place.at, around: (place.at, place.at) })
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
}
