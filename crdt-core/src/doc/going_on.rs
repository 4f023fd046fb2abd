//! The short ways of nearly every edit: text typed on, and deleted on, where the last edit ended.
//!
//! The shortest are `inline(always)` and call nothing: a call would be a third of what they cost.

use super::edits::Edits;
use super::{Doc, seq_of};
use crate::ids::{ReplicaId, Seq};
use crate::op::{Keystroke, Stroke};
use crate::op_log::{LocalId, ReplicaIndex};
use crate::sequence::Unit;
use crate::units::Size;
use core::ops::Range;

impl Doc {
    /// Inserts `text` if it is one byte of ASCII that goes on where the last edit, an own insertion, ended, and there is
    /// room.
    #[inline(always)]
    pub(super) fn type_on(&mut self, unit: Unit, position: usize, text: &str) -> bool {
        let &[byte] = text.as_bytes() else { return false };
        self.sequence.types_on(self.own, unit, position) && self.append_one(self.own, self.replica, byte)
    }

    /// As [`Doc::type_on`], for a few more.
    pub(super) fn type_more_on(&mut self, unit: Unit, position: usize, text: &str) -> bool {
        self.sequence.types_on(self.own, unit, position) && self.append_on(self.own, self.replica, text)
    }

    /// Applies the next operation of the replica that was the last to do anything, if it goes on where the last edit
    /// ended, and there is room. Such an operation waits for nothing, and nothing waits for it that did not come yet.
    #[inline(always)]
    pub(super) fn apply_keystroke(
        &mut self,
        replica: ReplicaId,
        keystroke: Keystroke,
        edits: Option<&mut Edits>,
    ) -> bool {
        let Keystroke { seq, distance, stroke } = keystroke;
        // Who it is of is compared with whose elements are there, which costs less than to look it up.
        let Some(index) = self.sequence.last_edited() else { return false };
        let log = self.log.of(index);
        if log.id() != replica || log.next_seq() != seq || replica == self.replica || !self.pending.is_empty()
        {
            return false;
        }
        match stroke {
            Stroke::InsertAfter(byte) if distance == 1 => {
                if !self.sequence.writes_on(index) || !self.append_one(index, replica, byte) {
                    return false;
                }
                if let Some(edits) = edits {
                    let text = [byte];
                    let text = core::str::from_utf8(&text).expect("what is typed on is ASCII");
                    let id = LocalId::new(index, seq);
                    let (at, marks) = (self.before_last_edit(1), self.marks_of_new(id, 1));
                    if let Some(at) = self.event_at(id, at) {
                        edits.insert(at, text, marks);
                    }
                }
            }
            Stroke::Delete => {
                let target = LocalId::new(index, seq - distance);
                let Some(seen) = self.version.last_set(replica) else { return false };
                if !self.sequence.delete_elements_on(target, 1) {
                    return false;
                }
                *seen = self.log.append_delete(index, target, 1, false);
                self.tell_deleted(target, Some(Size { chars: 1, utf16: 1 }), edits);
            }
            Stroke::InsertAfter(_) | Stroke::InsertBefore(_) => return false,
        }
        true
    }

    /// Appends `text` to the item of the last edit, which ends with the newest operation of `replica`. Tells
    /// whether it was short ASCII and there was room.
    pub(super) fn append_on(&mut self, index: ReplicaIndex, replica: ReplicaId, text: &str) -> bool {
        match *text.as_bytes() {
            [byte] if self.append_one(index, replica, byte) => true,
            // Anything longer than what is typed by hand is worth a closer look.
            [_, ..] if text.len() <= 64 && text.is_ascii() => {
                let appended = self.log.append_on(index, seq_of(text.len()), text);
                self.lengthen(replica, appended)
            }
            _ => false,
        }
    }

    #[inline(always)]
    fn append_one(&mut self, index: ReplicaIndex, replica: ReplicaId, byte: u8) -> bool {
        let Some(seen) = self.version.last_set(replica) else { return false };
        if !self.sequence.lengthens_alone(*seen) || !self.log.append_byte(index, byte) {
            return false;
        }
        *seen += 1;
        self.sequence.lengthen_alone(index, *seen);
        true
    }

    /// Takes up in the sequence and the version what the log has taken up.
    #[inline(always)]
    fn lengthen(&mut self, replica: ReplicaId, appended: Option<(LocalId, Seq)>) -> bool {
        if let Some((id, len)) = appended {
            self.sequence.lengthen(id, len);
            self.version.set(replica, id.seq + len);
        }
        appended.is_some()
    }

    /// Deletes `range` if it is one unit of ASCII and goes on where the last edit, an own deletion, ended, and there is
    /// room.
    #[inline(always)]
    pub(super) fn delete_one_on(&mut self, unit: Unit, range: &Range<usize>) -> bool {
        let Some(seen) = self.version.last_set(self.replica) else { return false };
        if range.end.wrapping_sub(range.start) != 1
            || *seen == Seq::MAX
            || !self.sequence.delete_one_on(self.own, unit, range.start)
        {
            return false;
        }
        *seen = self.log.delete_one_on(self.own);
        true
    }

    /// Deletes `range` if it goes on where the last edit deleted, in the middle of a run of ASCII, and there is room.
    pub(super) fn delete_on(&mut self, unit: Unit, range: &Range<usize>) -> bool {
        let count = range.end.wrapping_sub(range.start);
        let Ok(count) = Seq::try_from(count) else { return false };
        if count == 0 || !self.log.has_room(self.own, count) {
            return false;
        }
        let Some((first, down)) = self.sequence.delete_on(unit, range.start, count) else { return false };
        let next = self.log.append_delete(self.own, first, count, false);
        let expected = self.log.deletes_on(self.own, down);
        self.sequence.go_on_deleting(self.own, expected, down);
        self.version.set(self.replica, next);
        true
    }
}
