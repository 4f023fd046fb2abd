//! The short ways of most edits: they go on where the last one ended, in one or two items of one leaf.

use super::cursor::Gait;
use super::item::{Item, Visible};
use super::{Sequence, Unit};
use crate::ids::Seq;
use crate::op_log::{LocalId, ReplicaIndex};
use crate::tree::{Slot, Summary as _};

impl Sequence {
    /// `replica` has just put in the end of `item`, where the cursor is.
    pub(super) fn go_on_typing(&mut self, replica: ReplicaIndex, item: Item) {
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

    /// As [`Sequence::end_writing`], if it is `replica` that would.
    #[inline]
    pub(crate) fn end_writing_of(&mut self, replica: ReplicaIndex) {
        if self.cursor.writer().is_some_and(|(writer, _)| writer == replica) {
            self.end_writing();
        }
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
    /// [`Sequence::delete_on`] does. Who deleted there before does not go on from it.
    #[inline]
    pub(crate) fn delete_elements_on(&mut self, first: LocalId, count: u32) -> bool {
        let deleted = self.delete_backwards(count, |id| id == first).is_some()
            || self.delete_forwards(count, |id| id == first).is_some();
        if deleted {
            self.end_writing();
        }
        deleted
    }

    /// Whose elements were edited last.
    #[inline(always)]
    pub(crate) fn last_edited(&self) -> Option<ReplicaIndex> {
        let Slot { leaf, index } = self.cursor.slot;
        self.items.items(leaf).get(index).map(|item| item.id().replica)
    }

    /// Expects that `replica` goes on so from what [`Sequence::delete_on`] just deleted, if the element whose deletion its
    /// log takes without an entry comes next; else nobody goes on.
    #[inline]
    pub(crate) fn go_on_deleting(&mut self, replica: ReplicaIndex, expected: Option<LocalId>, down: bool) {
        let tombstone = self.items.get(self.cursor.slot);
        let next = expected.filter(|element| {
            if down {
                element.plus(1) == tombstone.id()
            } else {
                *element == tombstone.id().plus(tombstone.count())
            }
        });
        let gait = if down { Gait::Backspacing } else { Gait::Deleting };
        let nobody = self.cursor.with_nobody();
        self.cursor = if next.is_some() { nobody.with_writer(replica, gait) } else { nobody };
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
}
