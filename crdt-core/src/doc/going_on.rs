//! The short ways of nearly every edit: text typed on, and deleted on, where the last edit ended.
//!
//! `inline(always)`, because these are a hundred instructions a keystroke, of which calls would be a third.

use super::{Doc, seq_of};
use crate::ids::{ReplicaId, Seq};
use crate::op_log::{LocalId, ReplicaIndex};
use crate::sequence::Unit;
use core::ops::Range;

impl Doc {
    /// Inserts `text` if it goes on where the last edit, an own insertion, ended, and is short ASCII for which there is
    /// room.
    #[inline(always)]
    pub(super) fn type_on(&mut self, unit: Unit, position: usize, text: &str) -> bool {
        if !self.sequence.types_on(self.own, unit, position) {
            return false;
        }
        match *text.as_bytes() {
            [byte] if byte.is_ascii() => self.append_byte(self.own, self.replica, byte),
            _ => self.append_on(self.own, self.replica, text),
        }
    }

    /// Appends `text` to the item of the last edit, which ends with the newest operation of `replica`. Tells
    /// whether it was short ASCII and there was room.
    pub(super) fn append_on(&mut self, index: ReplicaIndex, replica: ReplicaId, text: &str) -> bool {
        match *text.as_bytes() {
            [byte] if byte.is_ascii() => self.append_byte(index, replica, byte),
            // Anything longer than what is typed by hand is worth a closer look.
            [_, _, ..] if text.len() <= 64 && text.is_ascii() => {
                let appended = self.log.append_on(index, seq_of(text.len()), |all| all.push_str(text));
                self.lengthen(replica, appended)
            }
            _ => false,
        }
    }

    #[inline(always)]
    fn append_byte(&mut self, index: ReplicaIndex, replica: ReplicaId, byte: u8) -> bool {
        let appended = self.log.append_on(index, 1, |text| text.push(char::from(byte)));
        self.lengthen(replica, appended)
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

    /// Deletes `range` if it goes on where the last edit deleted, in the middle of a run of ASCII, and there is room.
    #[inline(always)]
    pub(super) fn delete_on(&mut self, unit: Unit, range: &Range<usize>) -> bool {
        let count = range.end.wrapping_sub(range.start);
        let Ok(count) = Seq::try_from(count) else { return false };
        if count == 0 || !self.log.has_room(self.own, count) {
            return false;
        }
        let Some(first) = self.sequence.delete_on(unit, range.start, count) else { return false };
        let next = self.log.append_delete(self.own, first, count, false);
        self.version.set(self.replica, next);
        true
    }
}
