//! Applying runs from outside: check everything, then change everything.
//!
//! 1. What is known is compared and dropped ([`Intake::of`]): the same name with other content is refused.
//! 2. The rest is put in an order in which everything stands behind what it refers to
//!    ([`Intake::schedule`]), without touching the document; what cannot be is left over.
//! 3. The order is integrated and the rest kept waiting; then whoever waited for any of it follows.
//!
//! Before all that, a long delta of which more would wait than may is refused as it stands ([`Doc::check_waiting`]).
//! Only that and steps 1 and 2 can fail. O(*r* log *r*) for *r* runs, before what integrating them costs.

use super::edits::Edits;
use super::intake::{Intake, check_own_references, elements, invalid_reference};
use super::{Doc, seq_of};
use crate::anchor::{Anchor, Side};
use crate::codec::{Carried, would_wait};
use crate::error::ApplyError;
use crate::ids::{OpId, ReplicaId, Seq};
use crate::limits::Limits;
use crate::op::{Row, RowKind, Run, RunKind, Runs};
use crate::op_log::{LocalId, MAX_REPLICAS, MAX_TEXT_BYTES, OpLog, Placement, ReplicaIndex, WIDE_RUN};
use crate::sequence::Beside;
use crate::units::{Counted, Size};
use alloc::vec::Vec;

impl Doc {
    /// Applies the runs of a delta, and the values of their elements. There may be nothing new of this document's own
    /// replica.
    pub(super) fn apply_runs(
        &mut self,
        runs: Runs<'_>,
        mut carried: Carried,
        mut edits: Option<&mut Edits>,
    ) -> Result<(), ApplyError> {
        if !carried.is_empty() && self.log.is_trimmed() {
            carried.retain(|(id, _)| !self.is_before_floor(*id));
        }
        if let [row] = *runs.rows.as_slice()
            && self.pending.is_empty()
            && carried.is_empty()
            && self.apply_next(row.named(&runs.replicas).into_run(), edits.as_deref_mut())?
        {
            return Ok(());
        }
        self.thaw_for(&runs);
        self.check_values(&runs, &carried)?;
        let mut intake = Intake::of(self, runs)?;
        let order = intake.schedule(&self.log)?;
        let left = intake.left_over(self);
        self.check_room(intake.new_replicas(), intake.scheduled_text(), &left)?;

        self.keep_values(carried);
        for incoming in intake.scheduled_replicas() {
            incoming.local = self.log.register(incoming.name);
        }
        for rows in order {
            for (row, replica, other) in intake.rows(rows) {
                self.integrate_row(row, replica, other, edits.as_deref_mut());
            }
        }
        for incoming in intake.scheduled_replicas() {
            self.version.set(incoming.name, self.log.of(incoming.local).next_seq());
        }
        for run in left {
            self.pending.add(run.to_op());
        }
        if !self.pending.is_empty() {
            let mut changed = intake.into_changed();
            changed.extend(self.opened_meanwhile());
            self.wake(changed, edits.as_deref_mut());
        }
        self.settle_statements(edits);
        Ok(())
    }

    /// The short way for a keystroke: one run, the next of its replica, that refers to what is here. Tells
    /// whether it was that; the same checks as on the long way, without its lists.
    pub(super) fn apply_next(
        &mut self,
        run: Run<'_>,
        mut edits: Option<&mut Edits>,
    ) -> Result<bool, ApplyError> {
        let replica = run.id.replica;
        let Some((index, place)) = self.log.placed_index_of(replica) else { return Ok(false) };
        let next = self.log.next_id(index);
        if replica == self.replica || run.id.seq != next.seq {
            return Ok(false);
        }
        if let RunKind::Insert { anchor: Anchor { element: Some(anchor), side: Side::After }, text } =
            run.kind
            && anchor.replica == replica
            && next.seq.checked_sub(1) == Some(anchor.seq)
            && self.sequence.writes_on(index)
            && self.append_on(index, replica, text)
        {
            if let Some(edits) = edits {
                let (at, marks) = (self.before_last_edit(run.len), self.marks_of_new(next, run.len));
                if let Some(at) = self.event_at(next, at) {
                    edits.insert(at, text, marks);
                }
            }
            return Ok(true);
        }
        if let RunKind::Delete { target, descending } = run.kind
            && let Some(other) =
                (if target.replica == replica { Some(index) } else { self.log.index_of(target.replica) })
            && self.log.has_room(index, run.len)
            && self.delete_next(
                index,
                LocalId::new(other, target.seq),
                run.len,
                descending,
                edits.as_deref_mut(),
            )
        {
            self.version.set_near(place, replica, run.end());
            return Ok(true);
        }
        let row = Row::from(run);
        check_own_references(&row)?;
        let other = if row.other == replica { Some(index) } else { self.log.index_of(row.other) };
        let Some(other) = other else { return Ok(false) };
        if let Some(placement) = placement_of(&row, other) {
            if placement.element != LocalId::START && row.other_seq >= self.log.of(other).next_seq() {
                return Ok(false);
            }
            // Where it is to go says too whether it is an element.
            let beside = self.sequence.find_beside(placement);
            let Some(beside) = beside else { return Err(invalid_reference(&self.log, &row)) };
            self.check_room(0, row.text.len(), &[])?;
            self.integrate_insert(next, placement, beside, row.text, edits);
        } else {
            match fit(&self.log, &row, Some(other)) {
                Fit::Whole => {}
                Fit::Invalid => return Err(invalid_reference(&self.log, &row)),
                Fit::Part(_) | Fit::Blocked(_) => return Ok(false),
            }
            self.integrate_row(&row, index, other, edits);
        }
        self.version.set_near(place, replica, row.end());
        Ok(true)
    }

    /// Deletes a run of elements as the next operations of a replica, if they stand in one item.
    #[inline]
    fn delete_next(
        &mut self,
        replica: ReplicaIndex,
        target: LocalId,
        len: Seq,
        descending: bool,
        edits: Option<&mut Edits>,
    ) -> bool {
        let lowest = if descending { target.seq - (len - 1) } else { target.seq };
        let first = LocalId::new(target.replica, lowest);
        let gone = if self.sequence.delete_elements_on(first, len) {
            Some(Size { chars: len as usize, utf16: len as usize })
        } else {
            let Some(gone) = self.sequence.delete_in_one_item(&self.log, first, len as usize) else {
                return false;
            };
            gone
        };
        let mut edits = edits;
        self.tell_deleted(first, gone, edits.as_deref_mut());
        self.append_delete(replica, target, len, descending);
        if self.has_slots() {
            self.kill_among(first, len, edits);
        }
        true
    }

    /// The position of the last edit, which inserted so many elements of ASCII.
    pub(super) fn before_last_edit(&mut self, len: Seq) -> Size {
        let end = self.sequence.position_of_last_edit();
        Size { chars: end.chars - len as usize, utf16: end.utf16 - len as usize }
    }

    /// Refuses a long delta of which more would wait than may, before its runs take room.
    pub(super) fn check_waiting(&self, delta: &[u8]) -> Result<(), ApplyError> {
        let limit = self.limits.max_pending_runs;
        // What waits already may come again.
        let most = limit.saturating_add(self.pending.run_count());
        if would_wait(delta, most, &self.version, &self.limits)? {
            return Err(ApplyError::PendingFull { limit });
        }
        Ok(())
    }

    /// Whether there is room for what integrates at most so many new replicas and this much text, and for what has
    /// to wait.
    fn check_room(&self, new_replicas: usize, text: usize, left: &[Run<'_>]) -> Result<(), ApplyError> {
        let waiting = left.iter().fold(0_usize, |sum, run| sum.saturating_add(run.len as usize));
        let Limits { max_pending_operations, max_pending_runs, .. } = self.limits;
        let is_more = |new: usize, here: usize, limit: usize| new > 0 && new > limit.saturating_sub(here);
        if is_more(waiting, self.pending.operations(), max_pending_operations) {
            return Err(ApplyError::PendingFull { limit: max_pending_operations });
        }
        if is_more(left.len(), self.pending.run_count(), max_pending_runs) {
            return Err(ApplyError::PendingFull { limit: max_pending_runs });
        }
        let text_of =
            |run: &Run<'_>| if let RunKind::Insert { text, .. } = run.kind { text.len() } else { 0 };
        let text = text + left.iter().map(text_of).sum::<usize>();
        // What waits already must still find room when its time comes.
        let reserved = self.log.text_bytes() + 4 * self.pending.operations();
        if text > MAX_TEXT_BYTES.saturating_sub(reserved) {
            return Err(ApplyError::Full);
        }
        if new_replicas > MAX_REPLICAS - self.log.replica_count() {
            return Err(ApplyError::Full);
        }
        Ok(())
    }

    /// Integrates a run that is the next of its replica and refers to integrated elements only.
    fn integrate(&mut self, run: Run<'_>, edits: Option<&mut Edits>) {
        let row = Row::from(run);
        let replica = self.log.register(row.replica);
        let other = self.log.index_of(row.other).expect("scheduled behind what it refers to");
        self.integrate_row(&row, replica, other, edits);
        self.version.set(row.replica, row.end());
    }

    /// As [`Doc::integrate`], of the replica with this index, where the element it refers to is of that with the
    /// other; leaves the version as it was.
    fn integrate_row<R>(
        &mut self,
        row: &Row<'_, R>,
        replica: ReplicaIndex,
        other: ReplicaIndex,
        edits: Option<&mut Edits>,
    ) {
        let id = LocalId::new(replica, row.seq);
        if let Some(placement) = placement_of(row, other) {
            if self.carries_values(id, row.len) {
                return self.integrate_carriers(id, row.len, placement, row.text, edits);
            }
            let beside = self.find_beside(placement);
            self.integrate_insert(id, placement, beside, row.text, edits);
        } else {
            let target = LocalId::new(other, row.other_seq);
            self.integrate_delete(id, target, row.len, row.kind == RowKind::DeleteDown, edits);
        }
    }

    /// Where a place beside an integrated element is.
    pub(super) fn find_beside(&mut self, placement: Placement) -> Beside {
        self.sequence.find_beside(placement).expect("scheduled behind what it refers to")
    }

    pub(super) fn integrate_insert(
        &mut self,
        id: LocalId,
        placement: Placement,
        beside: Beside,
        text: &str,
        edits: Option<&mut Edits>,
    ) {
        let first = id;
        let text = Counted::of(text);
        if text.is_one_run(WIDE_RUN) {
            self.integrate_run(id, placement, beside, text);
        } else {
            self.integrate_runs(id, placement, beside, text);
        }
        if let Some(edits) = edits {
            let (end, size) = (self.sequence.position_of_last_edit(), text.size);
            let start = Size { chars: end.chars - size.chars, utf16: end.utf16 - size.utf16 };
            let marks = self.marks_of_new(first, seq_of(text.size.chars));
            if let Some(at) = self.event_at(first, start) {
                edits.insert(at, text.text, marks);
            }
        }
    }

    #[cold]
    fn integrate_runs(
        &mut self,
        mut id: LocalId,
        mut placement: Placement,
        beside: Beside,
        text: Counted<'_>,
    ) {
        let mut first = Some(beside);
        for run in text.runs(WIDE_RUN) {
            let count = seq_of(run.size.chars);
            let beside = first.take().unwrap_or_else(|| self.find_beside(placement));
            self.integrate_run(id, placement, beside, run);
            placement = Placement { element: id.plus(count - 1), side: Side::After };
            id = id.plus(count);
        }
    }

    #[inline]
    fn integrate_run(&mut self, id: LocalId, placement: Placement, beside: Beside, run: Counted<'_>) {
        if self.sequence.integrate_insert(&self.log, id, placement, beside, run).is_err() {
            self.thaw();
            let beside = self.find_beside(placement);
            let done = self.sequence.integrate_insert(&self.log, id, placement, beside, run);
            done.expect("the past was just thawed");
        }
        self.append_insert(id.replica, placement, run.text, seq_of(run.size.chars));
    }

    pub(super) fn integrate_delete(
        &mut self,
        id: LocalId,
        target: LocalId,
        len: Seq,
        descending: bool,
        mut edits: Option<&mut Edits>,
    ) {
        let lowest = if descending { target.seq - (len - 1) } else { target.seq };
        let mut next = LocalId::new(target.replica, lowest);
        let mut rest = len as usize;
        while rest > 0 {
            let (count, gone) = self.sequence.integrate_delete(&self.log, next, rest);
            self.tell_deleted(next, gone, edits.as_deref_mut());
            rest -= count;
            next.seq += Seq::try_from(count).expect("no more than the run is long");
        }
        self.append_delete(id.replica, target, len, descending);
        if self.has_slots() {
            self.kill_among(LocalId::new(target.replica, lowest), len, edits);
        }
    }

    /// Tells that the last edit deleted `element`, and more beside it, if that was visible.
    #[inline]
    pub(super) fn tell_deleted(&mut self, element: LocalId, gone: Option<Size>, edits: Option<&mut Edits>) {
        if let (Some(edits), Some(size)) = (edits, gone) {
            let position = self.sequence.position_of_last_edit();
            if let Some(at) = self.event_at(element, position) {
                edits.delete(at, size);
            }
        }
    }

    /// Takes up in the log what the sequence has taken up, or had already: its replica does not go on from an older edit.
    pub(super) fn append_delete(
        &mut self,
        replica: ReplicaIndex,
        target: LocalId,
        len: Seq,
        descending: bool,
    ) {
        self.sequence.end_writing_of(replica);
        self.log.append_delete(replica, target, len, descending);
    }

    /// Integrates what waited for the operations of `changed`, and what waited for that.
    fn wake(&mut self, mut changed: Vec<ReplicaId>, mut edits: Option<&mut Edits>) {
        while let Some(replica) = changed.pop() {
            self.follow(replica, edits.as_deref_mut());
            self.pending.wake(replica, self.version.get(replica), &mut changed);
        }
    }

    /// Integrates what waits of one replica, as far as nothing is missing.
    fn follow(&mut self, replica: ReplicaId, mut edits: Option<&mut Edits>) {
        while let Some(first) = self.pending.first(replica) {
            let next = self.version.get(replica);
            let run = first.as_run();
            if run.id.seq > next {
                return;
            }
            if run.id.seq < next {
                // Some of it has come again meanwhile, and was integrated.
                let op = self.pending.take_first(replica).expect("it was just looked at");
                if op.as_run().end() > next {
                    self.pending.add(op.as_run().split(next - op.id.seq).1.to_op());
                }
                continue;
            }
            let row = Row::from(run);
            let fit = fit(&self.log, &row, self.log.index_of(row.other));
            if let Fit::Blocked(seq) = fit {
                self.pending.block(OpId::new(row.other, seq), replica);
                return;
            }
            let op = self.pending.take_first(replica).expect("it was just looked at");
            match fit {
                Fit::Whole => self.integrate(op.as_run(), edits.as_deref_mut()),
                Fit::Part(len) => {
                    let (part, rest) = op.as_run().split(len);
                    self.integrate(part, edits.as_deref_mut());
                    self.pending.add(rest.to_op());
                }
                // What it refers to turned out to be no element: it can never be integrated.
                Fit::Invalid | Fit::Blocked(_) => self.forget_values(&op),
            }
        }
    }
}

/// Where `row`, which refers to the replica with the index `other`, inserts, if it does.
fn placement_of<R>(row: &Row<'_, R>, other: ReplicaIndex) -> Option<Placement> {
    let (element, side) = match row.kind {
        RowKind::InsertFirst => (LocalId::START, Side::After),
        RowKind::InsertAfter => (LocalId::new(other, row.other_seq), Side::After),
        RowKind::InsertBefore => (LocalId::new(other, row.other_seq), Side::Before),
        RowKind::DeleteUp | RowKind::DeleteDown => return None,
    };
    Some(Placement { element, side })
}

/// How much of a run can be integrated.
pub(super) enum Fit {
    Whole,
    /// Its first so many operations.
    Part(Seq),
    /// Nothing before the operation with this number, of the replica that it refers to, is there.
    Blocked(Seq),
    /// It refers to what is no element.
    Invalid,
}

/// How much of `row`, which refers to the replica with the index `other`, can be integrated into what the log
/// holds.
fn fit(log: &OpLog, row: &Row<'_, ReplicaId>, other: Option<ReplicaIndex>) -> Fit {
    let there = other.map_or(0, |other| log.of(other).next_seq());
    Fit::of(row, there, |first, len| other.is_some_and(|other| elements(log, other, first, len)))
}

impl Fit {
    /// How much of `row` can be integrated where `there` operations are of the replica that it refers to, and
    /// `elements` tells whether so many of them, from one on, are elements.
    #[inline]
    pub(super) fn of<R>(row: &Row<'_, R>, there: Seq, elements: impl FnOnce(Seq, Seq) -> bool) -> Self {
        if row.kind == RowKind::InsertFirst {
            return Self::Whole;
        }
        if row.other_seq >= there {
            return Self::Blocked(row.other_seq);
        }
        let (lowest, len) = if row.is_insert() {
            (row.other_seq, 1)
        } else {
            // Only an ascending run can have its first targets there and its last ones not.
            (row.lowest_target(), row.len.min(there - row.lowest_target()))
        };
        if !elements(lowest, len) {
            Self::Invalid
        } else if row.is_insert() || len == row.len {
            Self::Whole
        } else {
            Self::Part(len)
        }
    }
}
