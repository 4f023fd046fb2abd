use super::item::Visible;
use super::{Items, Unit};
use crate::op_log::ReplicaIndex;
use crate::tree::{Found, Item as _, Slot, Summary as _};

/// Where the last edit was made: most edits come close to the one before.
///
/// The slot always names an item if there is one. What is behind a place does not change while somebody types or
/// deletes in front of it: ends are kept as the visible text behind them, so that going on writes nothing here.
#[derive(Clone, Copy)]
pub(super) struct Cursor {
    pub(super) slot: Slot,
    /// Who can go on from here, or [`NOBODY`], and how.
    writer: ReplicaIndex,
    gait: Gait,
    /// Whether the three below were found out.
    known: bool,
    /// The visible text behind the item.
    behind: Visible,
    /// The visible text in front of the items around it in the same leaf that it knows of.
    front: Visible,
    /// The visible text behind those.
    leaf_behind: Visible,
}

/// What the next edit of the writer would go on with. All of it is in ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gait {
    /// Its newest operation is the last element of the item, which is visible, and nothing was placed after that
    /// element: text typed there only lengthens the item.
    Typing,
    /// Its newest operations deleted the start of the item, one by one down, and the item in front is visible and the rest
    /// of one run with it.
    Backspacing,
    /// Its newest operations deleted the end of the item, one by one up, and the item behind is visible and the rest of one
    /// run with it.
    Deleting,
}

/// No replica has this index.
const NOBODY: ReplicaIndex = ReplicaIndex::MAX;

impl Cursor {
    pub(super) const START: Self = Self {
        slot: Slot { leaf: 0, index: 0 },
        writer: NOBODY,
        gait: Gait::Typing,
        known: false,
        behind: Visible::ascii(0),
        front: Visible::ascii(0),
        leaf_behind: Visible::ascii(0),
    };

    /// At an item whose position nobody needed.
    pub(super) fn somewhere(slot: Slot) -> Self {
        Self { slot, ..Self::START }
    }

    /// At the item at `slot` that ends behind `end` of the `total` visible text. `around` is as far as the leaf is known.
    pub(super) fn at(slot: Slot, end: Visible, around: (Visible, Visible), total: Visible) -> Self {
        let behind = |end| {
            let mut behind = total;
            behind.sub(end);
            behind
        };
        let (front, back) = around;
        Self { slot, known: true, behind: behind(end), front, leaf_behind: behind(back), ..Self::START }
    }

    /// With a replica that may go on so.
    pub(super) fn with_writer(self, writer: ReplicaIndex, gait: Gait) -> Self {
        Self { writer, gait, ..self }
    }

    /// With nobody who goes on.
    pub(super) fn with_nobody(self) -> Self {
        self.with_writer(NOBODY, Gait::Typing)
    }

    /// Who goes on from here, and how.
    pub(super) fn writer(&self) -> Option<(ReplicaIndex, Gait)> {
        (self.writer != NOBODY).then_some((self.writer, self.gait))
    }

    /// Whether `replica` goes on so.
    #[inline(always)]
    pub(super) fn is_written_by(&self, replica: ReplicaIndex, gait: Gait) -> bool {
        self.writer == replica && self.gait == gait
    }

    /// The end of its item, if it is known, in `total` visible text.
    #[inline]
    pub(super) fn end(&self, total: Visible) -> Option<Visible> {
        self.known.then(|| in_front(total, self.behind))
    }

    /// As [`Cursor::end`], for text whose position nobody needed yet.
    pub(super) fn learn(&mut self, end: Visible, around: (Visible, Visible), total: Visible) {
        *self = Self::at(self.slot, end, around, total).with_writer(self.writer, self.gait);
    }

    /// What is known of its leaf.
    pub(super) fn around(&self, total: Visible) -> (Visible, Visible) {
        (self.front, in_front(total, self.leaf_behind))
    }

    /// Whether its item ends at `position`.
    #[inline(always)]
    pub(super) fn ends_at(&self, unit: Unit, position: usize, total: Visible) -> bool {
        self.known && unit.of(in_front(total, self.behind)) == position
    }

    /// So much is gone from the item behind, which may be in another leaf.
    #[inline]
    pub(super) fn shrink_behind(&mut self, less: Visible) {
        self.behind.sub(less);
        if self.leaf_behind.chars() > self.behind.chars() {
            self.leaf_behind = self.behind;
        }
    }

    /// Whether its leaf is known to hold unit `target`.
    #[inline]
    pub(super) fn is_near(&self, unit: Unit, target: usize, total: Visible) -> bool {
        let (front, back) = self.around(total);
        self.known && unit.of(front) <= target && target < unit.of(back)
    }

    /// The item of its leaf that holds unit `target`, if that is known.
    #[inline(always)]
    pub(super) fn near(&self, items: &Items, unit: Unit, target: usize) -> Option<Found<Visible>> {
        let total = items.total();
        if !self.is_near(unit, target, total) {
            return None;
        }
        let leaf = items.items(self.slot.leaf);
        let mut index = self.slot.index;
        let mut end = in_front(total, self.behind);
        let before = if target < unit.of(end) {
            loop {
                let mut before = end;
                before.sub(leaf[index].summary());
                if target >= unit.of(before) {
                    break before;
                }
                end = before;
                index -= 1;
            }
        } else {
            loop {
                index += 1;
                let before = end;
                end.add(leaf[index].summary());
                if target < unit.of(end) {
                    break before;
                }
            }
        };
        Some(Found { slot: Slot { leaf: self.slot.leaf, index }, before, leaf: self.around(total) })
    }
}

/// The visible text in front of a place that has so much behind it.
#[inline(always)]
fn in_front(mut total: Visible, behind: Visible) -> Visible {
    total.sub(behind);
    total
}
