//! Edits at positions, as a history in the order of time has them.

use super::cursor::Cursor;
use super::item::Item;
use super::{Beside, Sequence, Spot, Unit, seq};
use crate::anchor::Side;
use crate::ids::Seq;
use crate::op_log::{LocalId, OpLog, Placement, ReplicaIndex};
use crate::tree::Found;

impl Sequence {
    /// The position at which what is typed is placed so, if there is one: in scalar values.
    pub(crate) fn position_of_typing(&mut self, log: &OpLog, placement: Placement) -> Option<usize> {
        let Beside(spot) = self.find_beside(placement)?;
        let left_taken = self.right_of(spot).is_some_and(Item::left_taken);
        if left_taken != (placement.side == Side::Before) {
            return None;
        }
        match spot {
            None => Some(0),
            Some(spot) if self.items.get(spot.slot).is_deleted() => None,
            Some(spot) => Some(self.position_of(log, spot).chars()),
        }
    }

    /// How many of the `len` elements from `target` on, up or down, stand in one item with it, and the position of the
    /// lowest of those, in scalar values, if they show.
    pub(crate) fn stretch(
        &mut self,
        log: &OpLog,
        target: LocalId,
        len: Seq,
        down: bool,
    ) -> (Seq, Option<usize>) {
        self.index.want(&self.items);
        let (slot, at) = self.locate(target);
        let item = self.items.get(slot);
        let count = len.min(seq(if down { at + 1 } else { item.len() - at }));
        let lowest = if down { at + 1 - count as usize } else { at };
        let shows = !item.is_deleted();
        (count, shows.then(|| self.position_of(log, Spot { slot, chars: lowest }).chars()))
    }

    /// Deletes the `len` visible elements in front of `position`, the nearest first, as the next operations of `replica`,
    /// in the log too. There are so many.
    pub(crate) fn delete_in_front(
        &mut self,
        log: &mut OpLog,
        replica: ReplicaIndex,
        mut position: usize,
        mut len: usize,
    ) {
        self.index.relax(&self.items);
        while len > 0 {
            self.settle_for(Unit::Chars, position);
            let Found { slot, before, .. } = self.seek_unit(Unit::Chars, position - 1);
            let item = self.items.get(slot);
            let to = position - before.chars();
            let from = to - to.min(len);
            let (slot, _) = self.bury(log, slot, from, to);
            self.cursor = Cursor::somewhere(slot);
            log.append_delete(replica, item.id().plus(seq(to - 1)), seq(to - from), to - from > 1);
            position -= to - from;
            len -= to - from;
        }
    }
}
