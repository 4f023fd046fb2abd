//! Local edits: first the short ways of `going_on`, then these.

use super::regions::Scope;
use super::{Doc, seq_of};
use crate::anchor::Side;
use crate::error::EditError;
use crate::ids::Seq;
use crate::mark::Marks;
use crate::marks::Edge;
use crate::op_log::{LocalId, MAX_TEXT_BYTES, NOT_LISTED, Placement, ReplicaIndex, WIDE_RUN};
use crate::sequence::{Place, Unit};
use crate::units::Counted;
use core::ops::{ControlFlow, Range};

/// Text of so many bytes is worth reading once instead of twice.
#[cfg(not(test))]
const LONG: usize = 1 << 14;
#[cfg(test)]
const LONG: usize = 12;

impl Doc {
    #[inline]
    pub(super) fn insert_unit(&mut self, unit: Unit, position: usize, text: &str) -> Result<(), EditError> {
        // Most of the time, somebody types on.
        if self.type_on(unit, position, text) { Ok(()) } else { self.insert_anywhere(unit, position, text) }
    }

    /// As [`Doc::insert_unit`] does for the main text.
    pub(super) fn insert_in(
        &mut self,
        scope: Scope,
        unit: Unit,
        position: usize,
        text: &str,
    ) -> Result<(), EditError> {
        if scope == Scope::Main {
            return self.insert_unit(unit, position, text);
        }
        let place = self.place_in(scope, unit, position)?;
        if text.is_empty() { Ok(()) } else { self.insert_at_place(self.behind_ends(place), text) }
    }

    #[inline(never)]
    fn insert_anywhere(&mut self, unit: Unit, position: usize, text: &str) -> Result<(), EditError> {
        if self.type_more_on(unit, position, text) {
            return Ok(());
        }
        self.sequence.settle_for(unit, position);
        let mut place = self.place(unit, position)?;
        if text.is_empty() {
            return Ok(());
        }
        if self.rich.is_some() {
            place = self.behind_ends(place);
        }
        self.insert_at_place(place, text)
    }

    /// Typed at the end of a link whose last letters are deleted: behind those, as the link ends there. Not so in the
    /// middle of what looks like one link, where one ends among the tombstones and another of the same value starts.
    pub(super) fn behind_ends(&self, place: Place) -> Place {
        let Some(rich) = self.rich.as_ref().filter(|rich| rich.marks.has_behind()) else { return place };
        let mut is_last = false;
        let behind = self.sequence.behind_tombstones(place, |first, count| {
            // What delimits named sequences is deleted too, and nothing goes past it.
            if rich.regions.is_delimiter(first) {
                is_last = true;
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(rich.marks.last_behind(first, count))
        });
        let Some(behind) = behind else { return place };
        let marks_at = |place| {
            let edge = self.sequence.element_before(place).map_or(Edge::START, Edge::after);
            rich.marks.behind(edge, &self.sequence)
        };
        let (here, there) = (marks_at(place), marks_at(behind));
        let position = self.sequence.position(place).chars;
        let next = if is_last || position == self.sequence.visible().chars() {
            Marks::NONE
        } else {
            self.marks_of(self.sequence.element_at(position))
        };
        let ends_between = |(name, value)| next.get(name) != Some(value) && there.get(name) != Some(value);
        if here.iter().any(ends_between) { behind } else { place }
    }

    /// Inserts text, which is not empty, at a place.
    #[inline]
    pub(super) fn insert_at_place(&mut self, place: Place, text: &str) -> Result<(), EditError> {
        self.put_at_place(place, text)?;
        if self.sequence.main_end().is_some()
            && self.sequence.position_of_last_edit().chars > self.sequence.main(&self.log).chars
        {
            // Who types on is not asked whether that is in the main text.
            self.sequence.end_writing();
        }
        Ok(())
    }

    #[inline]
    pub(super) fn put_at_place(&mut self, place: Place, text: &str) -> Result<(), EditError> {
        if text.len() > MAX_TEXT_BYTES - self.log.text_bytes() {
            return Err(EditError::Full);
        }
        if text.len() >= LONG && self.paste(place, text) {
            return Ok(());
        }
        let text = Counted::of(text);
        let id = self.next_id(text.size.chars)?;
        let placement = self.sequence.placement_at(place);
        if text.is_one_run(WIDE_RUN) {
            self.insert_run(place, id, placement, text);
        } else {
            self.insert_runs(place, id, placement, text);
        }
        self.version.set(self.replica, id.seq + seq_of(text.size.chars));
        Ok(())
    }

    #[inline(always)]
    fn insert_run(&mut self, place: Place, id: LocalId, placement: Placement, run: Counted<'_>) {
        let start = self.log.of(id.replica).text_end();
        self.sequence.insert_at(&self.log, place, id, placement, run, start);
        self.append_insert(id.replica, placement, run.text, seq_of(run.size.chars));
    }

    /// Inserts `text` if it is ASCII and there are seqs for it, and tells whether. It is read once.
    #[inline(never)]
    fn paste(&mut self, place: Place, text: &str) -> bool {
        let Ok(id) = self.next_id(text.len()) else { return false };
        let Some(start) = self.log.append_ascii(id.replica, text) else { return false };
        let placement = self.sequence.placement_at(place);
        let count = seq_of(text.len());
        self.sequence.insert_at(&self.log, place, id, placement, Counted::ascii(text), start);
        if !self.log.append_elements(id.replica, placement, start, count) {
            self.sequence.end_writing();
        }
        self.version.set(self.replica, id.seq + count);
        true
    }

    #[cold]
    fn insert_runs(&mut self, place: Place, mut id: LocalId, mut placement: Placement, text: Counted<'_>) {
        let mut first = Some(place);
        for run in text.runs(WIDE_RUN) {
            let place = first.take().unwrap_or_else(|| self.sequence.place_of_last_edit());
            self.insert_run(place, id, placement, run);
            let count = seq_of(run.size.chars);
            placement = Placement { element: id.plus(count - 1), side: Side::After };
            id = id.plus(count);
        }
    }

    /// Takes up in the log what the sequence has just taken up.
    #[inline(always)]
    pub(super) fn append_insert(
        &mut self,
        replica: ReplicaIndex,
        placement: Placement,
        text: &str,
        count: Seq,
    ) {
        let goes_on = self.log.append_insert(replica, placement, text, count);
        if !goes_on {
            self.sequence.end_writing();
        }
    }

    #[inline]
    pub(super) fn delete_unit(&mut self, unit: Unit, range: Range<usize>) -> Result<(), EditError> {
        // Most of the time, somebody deletes on.
        if self.delete_one_on(unit, &range) { Ok(()) } else { self.delete_anywhere(unit, range) }
    }

    #[inline(never)]
    fn delete_anywhere(&mut self, unit: Unit, range: Range<usize>) -> Result<(), EditError> {
        // Who deletes on is not asked whether that is in the main text.
        let is_in_main = self.sequence.main_end().is_none() || self.check_position(unit, range.end).is_ok();
        if is_in_main && self.delete_on(unit, &range) {
            return Ok(());
        }
        let range = self.chars_range(unit, range)?;
        self.delete_chars(range)
    }

    /// Deletes what stands at these places of all that is visible.
    pub(super) fn delete_chars(&mut self, range: Range<usize>) -> Result<(), EditError> {
        if range.is_empty() {
            return Ok(());
        }
        let LocalId { replica, seq } = self.next_id(range.len())?;
        self.sequence.delete_at(&mut self.log, replica, range.start, range.len());
        self.version.set(self.replica, seq + seq_of(range.len()));
        if self.has_slots() {
            self.kill_deleted_since(seq);
        }
        Ok(())
    }

    /// The name of the next local operation, if there is room for `count` of them.
    pub(super) fn next_id(&mut self, count: usize) -> Result<LocalId, EditError> {
        if self.own == NOT_LISTED {
            self.own = self.log.register(self.replica);
        }
        let room = Seq::try_from(count).is_ok_and(|count| self.log.has_room(self.own, count));
        if room { Ok(self.log.next_id(self.own)) } else { Err(EditError::Full) }
    }
}
