use super::item::Visible;
use super::{Items, Unit};
use crate::op_log::ReplicaIndex;
use crate::tree::{Found, Item as _, Slot, Summary as _};

/// Where the last edit was made: most edits come close to the one before.
///
/// The slot always names an item if there is one. `writer` is the replica, or [`NOBODY`], whose newest operation
/// is the last element of that item, which is ASCII, visible, and ends with an element that nothing was placed
/// after; text that this replica types on there only lengthens the item.
#[derive(Clone, Copy)]
pub(super) struct Cursor {
    pub(super) slot: Slot,
    pub(super) writer: ReplicaIndex,
    /// Whether the two below were found out.
    known: bool,
    /// The visible text up to the end of the item.
    end: Visible,
    /// The visible text in front of the items around it in the same leaf that it knows of, and up to their end.
    around: (Visible, Visible),
}

/// No replica has this index.
pub(super) const NOBODY: ReplicaIndex = ReplicaIndex::MAX;

impl Cursor {
    pub(super) const START: Self = Self {
        slot: Slot { leaf: 0, index: 0 },
        writer: NOBODY,
        known: false,
        end: Visible::ascii(0),
        around: (Visible::ascii(0), Visible::ascii(0)),
    };

    /// At an item whose position nobody needed.
    pub(super) fn somewhere(slot: Slot) -> Self {
        Self { slot, ..Self::START }
    }

    /// At the item at `slot` that ends behind `end` visible text. `around` is as far as the leaf is known.
    pub(super) fn at(slot: Slot, end: Visible, around: (Visible, Visible)) -> Self {
        Self { slot, writer: NOBODY, known: true, end, around }
    }

    /// With a replica that may type on.
    pub(super) fn with_writer(self, writer: ReplicaIndex) -> Self {
        Self { writer, ..self }
    }

    /// The end of its item, if it is known.
    #[inline]
    pub(super) fn end(&self) -> Option<Visible> {
        self.known.then_some(self.end)
    }

    /// What is known of its leaf.
    pub(super) fn around(&self) -> (Visible, Visible) {
        self.around
    }

    /// Whether its item ends at `position`.
    #[inline]
    pub(super) fn ends_at(&self, unit: Unit, position: usize) -> bool {
        self.known && unit.of(self.end) == position
    }

    /// So much is gone from the item in front of its own, or, if not `in_front`, behind.
    #[inline]
    pub(super) fn shrink(&mut self, less: Visible, in_front: bool) {
        if in_front {
            self.end.sub(less);
        }
        self.around.1.sub(less);
    }

    /// Its item has grown.
    #[inline]
    pub(super) fn grow(&mut self, more: Visible) {
        self.end.add(more);
        self.around.1.add(more);
    }

    /// Whether its leaf is known to hold unit `target`.
    #[inline]
    pub(super) fn is_near(&self, unit: Unit, target: usize) -> bool {
        let (front, back) = self.around;
        self.known && unit.of(front) <= target && target < unit.of(back)
    }

    /// The item of its leaf that holds unit `target`, if that is known.
    #[inline]
    pub(super) fn near(&self, items: &Items, unit: Unit, target: usize) -> Option<Found<Visible>> {
        if !self.is_near(unit, target) {
            return None;
        }
        let leaf = items.items(self.slot.leaf);
        let mut index = self.slot.index;
        let mut end = self.end;
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
        Some(Found { slot: Slot { leaf: self.slot.leaf, index }, before, leaf: self.around })
    }
}
