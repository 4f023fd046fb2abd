//! What other replicas did: where their elements belong, and which of ours they delete.

use super::cursor::Cursor;
use super::id_index::Moves;
use super::item::Item;
use super::siblings::Siblings;
use super::{Beside, Gap, PastNeeded, Sequence, Spot, goes_on, siblings};
use crate::anchor::Side;
use crate::ids::OpId;
use crate::op_log::{LocalId, OpLog, Placement};
use crate::tree::Slot;
use crate::units::{Counted, Size};

impl Sequence {
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
        let item = Item::new(id, run, log.of(id.replica).text_end(), head, left_taken);
        let (slot, whole) = self.put(log, spot, item);
        self.cursor = Cursor::somewhere(slot);
        self.go_on_typing(id.replica, whole);
        self.note_head(log, id, placement, head);
        Ok(())
    }

    /// Integrates one element that never shows, which is the next of its replica and not yet in the log; else as
    /// [`Sequence::integrate_insert`].
    pub(crate) fn integrate_hidden(
        &mut self,
        log: &OpLog,
        id: LocalId,
        placement: Placement,
        beside: Beside,
        run: Counted<'_>,
    ) -> Result<(), PastNeeded> {
        let (spot, left_taken) = self.spot_for(log, id, placement, beside)?;
        let head = !goes_on(id, placement);
        let item = Item::new(id, run, log.of(id.replica).text_end(), head, left_taken).deleted();
        let (slot, _) = self.put(log, spot, item);
        self.cursor = Cursor::somewhere(slot);
        self.note_head(log, id, placement, head);
        Ok(())
    }

    /// Where something said at the very start is placed.
    pub(crate) fn placement_at_start(&self) -> Placement {
        match self.items.first_slot().map(|slot| self.items.get(slot)) {
            Some(first) if first.left_taken() => Placement { element: first.id(), side: Side::Before },
            _ => Placement { element: LocalId::START, side: Side::After },
        }
    }

    pub(super) fn note_head(&mut self, log: &OpLog, id: LocalId, placement: Placement, head: bool) {
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
    pub(super) fn right_of(&self, spot: Option<Spot>) -> Option<Item> {
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
    pub(super) fn locate(&self, id: LocalId) -> (Slot, usize) {
        self.find(id).expect("every element of the log is in the sequence")
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

    /// Lets an element show that did not, as if it had never been deleted. Tells whether it is one that did not.
    pub(crate) fn show(&mut self, log: &OpLog, id: LocalId) -> bool {
        self.index.want(&self.items);
        let (slot, at) = self.locate(id);
        let item = self.items.get(slot);
        if !item.is_deleted() {
            return false;
        }
        let (left, rest) = if at > 0 {
            let (left, rest) = item.split(log, at);
            (Some(left), rest)
        } else {
            (None, item)
        };
        let (shown, right) = if rest.len() > 1 {
            let (shown, right) = rest.split(log, 1);
            (shown.shown(), Some(right))
        } else {
            (rest.shown(), None)
        };
        let mut moves = Moves::new(&mut self.index);
        let moved = |item: &Item, leaf| moves.note(item.id(), item.count(), leaf);
        let (items, start) = (&mut self.items, slot.index);
        let Slot { leaf, index } = match (left, right) {
            (None, None) => items.splice(slot.leaf, start, 1, [shown], moved),
            (Some(left), None) => items.splice(slot.leaf, start, 1, [left, shown], moved),
            (None, Some(right)) => items.splice(slot.leaf, start, 1, [shown, right], moved),
            (Some(left), Some(right)) => items.splice(slot.leaf, start, 1, [left, shown, right], moved),
        };
        moves.flush();
        self.cursor = Cursor::somewhere(Slot { leaf, index: index + usize::from(left.is_some()) });
        true
    }

    fn bury_if_visible(&mut self, log: &OpLog, slot: Slot, from: usize, to: usize) -> Option<Size> {
        if self.items.get(slot).is_deleted() {
            return None;
        }
        let (slot, size) = self.bury(log, slot, from, to);
        self.cursor = Cursor::somewhere(slot);
        Some(size)
    }
}
