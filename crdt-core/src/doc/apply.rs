//! Applying runs from outside: check everything, then change everything.
//!
//! 1. What is known is compared and dropped ([`Intake::of`]): the same name with other content is refused.
//! 2. The rest is put in an order in which everything stands behind what it refers to
//!    ([`Intake::schedule`]), without touching the document; what cannot be is left over.
//! 3. The order is integrated and the rest kept waiting; then whoever waited for any of it follows.
//!
//! Only steps 1 and 2 can fail. O(*r* log *r*) for *r* runs, before what integrating them costs.

use super::edits::Edits;
use super::{Doc, count_of};
use crate::anchor::{Anchor, Side};
use crate::codec::{MAX_PENDING_OPERATIONS, MAX_PENDING_RUNS};
use crate::error::ApplyError;
use crate::ids::{OpId, ReplicaId, Seq};
use crate::op::{Run, RunKind};
use crate::op_log::{LocalId, MAX_REPLICAS, MAX_TEXT_BYTES, OpLog, Placement, Said, WIDE_RUN};
use crate::units::{Size, runs};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

impl Doc {
    /// Applies runs, one list per replica and ascending. `own` is a replica that may bring nothing new.
    pub(super) fn apply_runs(
        &mut self,
        lists: Vec<Vec<Run<'_>>>,
        own: Option<ReplicaId>,
        mut edits: Option<&mut Edits>,
    ) -> Result<(), ApplyError> {
        if let [list] = lists.as_slice()
            && let [run] = *list.as_slice()
            && self.pending.is_empty()
            && self.apply_next(run, own, edits.as_deref_mut())?
        {
            return Ok(());
        }
        let mut intake = Intake::of(self, lists, own)?;
        let order = intake.schedule(&self.log)?;
        let left = intake.left_over(self)?;
        self.check_room(&order, &left)?;

        let mut changed: BTreeSet<ReplicaId> = BTreeSet::new();
        for run in order {
            changed.insert(run.id.replica);
            self.integrate(run, edits.as_deref_mut());
        }
        for run in left {
            changed.insert(run.id.replica);
            self.pending.add(run.to_op());
        }
        if !self.pending.is_empty() {
            self.wake(changed, edits);
        }
        Ok(())
    }

    /// The short way for a keystroke: one run, the next of its replica, that refers to what is here. Tells
    /// whether it was that; the same checks as on the long way, without its lists.
    pub(super) fn apply_next(
        &mut self,
        run: Run<'_>,
        own: Option<ReplicaId>,
        edits: Option<&mut Edits>,
    ) -> Result<bool, ApplyError> {
        let replica = run.id.replica;
        let Some(index) = self.log.index_of(replica) else { return Ok(false) };
        let next = self.log.next_id(index);
        if own == Some(replica) || run.id.seq != next.seq {
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
                edits.insert(self.before_last_edit(run.len), text);
            }
            return Ok(true);
        }
        check_own_references(&run)?;
        let seen = |replica| self.log.next_seq(replica);
        match fit(&run, &seen, &|id, len| elements(&self.log, id, len)) {
            Fit::Whole => {}
            Fit::Invalid(anchor) => return Err(ApplyError::InvalidReference { id: run.id, anchor }),
            Fit::Part(_) | Fit::Blocked(_) => return Ok(false),
        }
        self.check_room(&[run], &[])?;
        self.integrate(run, edits);
        Ok(true)
    }

    /// The position of the last edit, which inserted so many elements of ASCII.
    fn before_last_edit(&mut self, len: Seq) -> Size {
        let end = self.sequence.position_of_last_edit();
        Size { chars: end.chars - len as usize, utf16: end.utf16 - len as usize }
    }

    fn check_room(&self, order: &[Run<'_>], left: &[Run<'_>]) -> Result<(), ApplyError> {
        let waiting: usize = left.iter().map(|run| run.len as usize).sum();
        if waiting > MAX_PENDING_OPERATIONS - self.pending.operations() {
            return Err(ApplyError::PendingFull { limit: MAX_PENDING_OPERATIONS });
        }
        if left.len() > MAX_PENDING_RUNS - self.pending.run_count() {
            return Err(ApplyError::PendingFull { limit: MAX_PENDING_RUNS });
        }
        let text: usize = order
            .iter()
            .chain(left)
            .map(|run| if let RunKind::Insert { text, .. } = run.kind { text.len() } else { 0 })
            .sum();
        // What waits already must still find room when its time comes.
        let reserved = self.log.text_bytes() + 4 * self.pending.operations();
        if text > MAX_TEXT_BYTES.saturating_sub(reserved) {
            return Err(ApplyError::Full);
        }
        // A replica is named by a run of its own; more names than runs there cannot be.
        if order.len() + left.len() > MAX_REPLICAS - self.log.replica_count() {
            return Err(ApplyError::Full);
        }
        Ok(())
    }

    /// Integrates a run that is the next of its replica and refers to integrated elements only.
    fn integrate(&mut self, run: Run<'_>, edits: Option<&mut Edits>) {
        let replica = self.log.register(run.id.replica);
        let id = LocalId::new(replica, run.id.seq);
        match run.kind {
            RunKind::Insert { anchor, text } => self.integrate_insert(id, anchor, text, edits),
            RunKind::Delete { target, descending } => {
                self.integrate_delete(id, target, run.len, descending, edits);
            }
        }
        self.version.set(run.id.replica, run.end());
    }

    fn integrate_insert(&mut self, mut id: LocalId, anchor: Anchor, text: &str, edits: Option<&mut Edits>) {
        let mut placement = self.log.placement(anchor).expect("scheduled behind what it refers to");
        for run in runs(text, WIDE_RUN) {
            let count = count_of(run);
            self.sequence.integrate_insert(&self.log, id, placement, run);
            self.append_insert(id.replica, placement, run, count);
            placement = Placement { element: id.plus(count - 1), side: Side::After };
            id = id.plus(count);
        }
        if let Some(edits) = edits {
            let (end, size) = (self.sequence.position_of_last_edit(), Size::of(text));
            edits.insert(Size { chars: end.chars - size.chars, utf16: end.utf16 - size.utf16 }, text);
        }
    }

    fn integrate_delete(
        &mut self,
        id: LocalId,
        target: OpId,
        len: Seq,
        descending: bool,
        mut edits: Option<&mut Edits>,
    ) {
        let (lowest, _) = Run::targets(target, len, descending);
        let target = self.log.element(target).expect("scheduled behind what it refers to");
        let mut next = LocalId::new(target.replica, lowest.seq);
        let mut rest = len as usize;
        while rest > 0 {
            let (count, gone) = self.sequence.integrate_delete(&self.log, next, rest);
            if let (Some(edits), Some(size)) = (edits.as_deref_mut(), gone) {
                edits.delete(self.sequence.position_of_last_edit(), size);
            }
            rest -= count;
            next.seq += Seq::try_from(count).expect("no more than the run is long");
        }
        self.log.append_delete(id.replica, target, len, descending);
    }

    /// Integrates what waited for the operations of `changed`, and what waited for that.
    fn wake(&mut self, mut changed: BTreeSet<ReplicaId>, mut edits: Option<&mut Edits>) {
        while let Some(replica) = changed.pop_first() {
            self.follow(replica, edits.as_deref_mut());
            changed.extend(self.pending.wake(replica, self.version.get(replica)));
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
            let fit =
                fit(&run, &|replica| self.log.next_seq(replica), &|id, len| elements(&self.log, id, len));
            if let Fit::Blocked(missing) = fit {
                self.pending.block(missing, replica);
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
                Fit::Invalid(_) | Fit::Blocked(_) => {}
            }
        }
    }
}

/// How much of a run can be integrated.
enum Fit {
    Whole,
    /// Its first so many operations.
    Part(Seq),
    /// Nothing before this operation is there.
    Blocked(OpId),
    /// It refers to this, which is no element.
    Invalid(Anchor),
}

/// How much of `run` can be integrated where `seen` operations of each replica are, and `elements` tells
/// whether so many of them, from one on, are elements.
fn fit(run: &Run<'_>, seen: &impl Fn(ReplicaId) -> Seq, elements: &impl Fn(OpId, Seq) -> bool) -> Fit {
    match run.kind {
        RunKind::Insert { anchor, .. } => match anchor.element {
            None if anchor.side == Side::After => Fit::Whole,
            None => Fit::Invalid(anchor),
            Some(id) if id.seq >= seen(id.replica) => Fit::Blocked(id),
            Some(id) if elements(id, 1) => Fit::Whole,
            Some(_) => Fit::Invalid(anchor),
        },
        RunKind::Delete { target, descending } => {
            let (lowest, highest) = Run::targets(target, run.len, descending);
            let there = seen(target.replica);
            if target.seq >= there {
                return Fit::Blocked(target);
            }
            // Only an ascending run can have its first targets there and its last ones not.
            let len = if highest.seq < there { run.len } else { there - lowest.seq };
            if !elements(lowest, len) {
                Fit::Invalid(Anchor::before(lowest))
            } else if len == run.len {
                Fit::Whole
            } else {
                Fit::Part(len)
            }
        }
    }
}

/// Whether the `len` operations from `first` on, all integrated, inserted elements.
fn elements(log: &OpLog, first: OpId, len: Seq) -> bool {
    let Some(replica) = log.index_of(first.replica) else { return false };
    log.said(replica, first.seq, first.seq + len).all(|said| matches!(said, Said::Insert { .. }))
}

/// The new runs of one replica.
struct Queue<'a> {
    replica: ReplicaId,
    runs: Vec<Run<'a>>,
    /// How many of them are scheduled; the first of the others may have lost its scheduled part.
    scheduled: usize,
    /// How many operations of the replica are integrated or scheduled.
    next: Seq,
    /// The runs as they came: what `runs` loses when it is cut is still here.
    kinds: Vec<(Seq, Seq, bool)>,
}

/// A delta on its way in.
struct Intake<'a> {
    queues: Vec<Queue<'a>>,
    by_replica: BTreeMap<ReplicaId, usize>,
}

impl<'a> Intake<'a> {
    fn of(doc: &Doc, lists: Vec<Vec<Run<'a>>>, own: Option<ReplicaId>) -> Result<Self, ApplyError> {
        let mut intake = Self { queues: Vec::with_capacity(lists.len()), by_replica: BTreeMap::new() };
        for list in lists {
            let Some(first) = list.first() else { continue };
            let replica = first.id.replica;
            let next = doc.log.next_seq(replica);
            let mut new = Vec::with_capacity(list.len());
            for run in list {
                check_own_references(&run)?;
                if let Some(run) = drop_known(doc, run, next)? {
                    new.push(run);
                }
            }
            if new.is_empty() {
                continue;
            }
            if own == Some(replica) {
                return Err(ApplyError::ReplicaCollision { id: new[0].id });
            }
            let is_insert = |run: &Run<'_>| matches!(run.kind, RunKind::Insert { .. });
            let kinds = new.iter().map(|run| (run.id.seq, run.end(), is_insert(run))).collect();
            intake.by_replica.insert(replica, intake.queues.len());
            intake.queues.push(Queue { replica, runs: new, scheduled: 0, next, kinds });
        }
        Ok(intake)
    }

    /// Puts in order what can be integrated.
    fn schedule(&mut self, log: &OpLog) -> Result<Vec<Run<'a>>, ApplyError> {
        let mut order = Vec::with_capacity(self.queues.iter().map(|queue| queue.runs.len()).sum());
        let mut ready: Vec<usize> = (0..self.queues.len()).rev().collect();
        let mut blocked: BTreeSet<(OpId, usize)> = BTreeSet::new();
        while let Some(number) = ready.pop() {
            let before = self.queues[number].next;
            while let Some(&run) = self.queues[number].runs.get(self.queues[number].scheduled) {
                if run.id.seq != self.queues[number].next {
                    break;
                }
                let seen = |replica| self.seen(log, replica);
                let fit = fit(&run, &seen, &|first, len| self.elements(log, first, len));
                let queue = &mut self.queues[number];
                match fit {
                    Fit::Whole => {
                        queue.scheduled += 1;
                        queue.next = run.end();
                        order.push(run);
                    }
                    Fit::Part(len) => {
                        let (part, rest) = run.split(len);
                        queue.runs[queue.scheduled] = rest;
                        queue.next = part.end();
                        order.push(part);
                    }
                    Fit::Blocked(missing) => {
                        blocked.insert((missing, number));
                        break;
                    }
                    Fit::Invalid(anchor) => return Err(ApplyError::InvalidReference { id: run.id, anchor }),
                }
            }
            let Queue { replica, next, .. } = self.queues[number];
            if next > before {
                let from = (OpId::new(replica, 0), 0);
                let woken: Vec<_> = blocked.range(from..(OpId::new(replica, next), 0)).copied().collect();
                for entry in woken {
                    blocked.remove(&entry);
                    ready.push(entry.1);
                }
            }
        }
        Ok(order)
    }

    fn seen(&self, log: &OpLog, replica: ReplicaId) -> Seq {
        match self.by_replica.get(&replica) {
            Some(&number) => self.queues[number].next,
            None => log.next_seq(replica),
        }
    }

    /// As [`elements`], for operations that are integrated or scheduled.
    fn elements(&self, log: &OpLog, first: OpId, len: Seq) -> bool {
        let end = first.seq + len;
        let known = log.next_seq(first.replica);
        if first.seq < known && !elements(log, first, len.min(known - first.seq)) {
            return false;
        }
        if end <= known {
            return true;
        }
        let Some(&number) = self.by_replica.get(&first.replica) else { return false };
        let kinds = &self.queues[number].kinds;
        let from = kinds.partition_point(|&(_, run_end, _)| run_end <= first.seq);
        kinds[from..].iter().take_while(|&&(seq, ..)| seq < end).all(|&(_, _, is_insert)| is_insert)
    }

    /// What has to wait, without what waits already.
    fn left_over(self, doc: &Doc) -> Result<Vec<Run<'a>>, ApplyError> {
        let mut left = Vec::new();
        for queue in self.queues {
            for run in queue.runs.into_iter().skip(queue.scheduled) {
                keep_unknown(doc, run, &mut left);
            }
        }
        Ok(left)
    }
}

/// Refuses a run that refers to itself or to what its own replica did later.
fn check_own_references(run: &Run<'_>) -> Result<(), ApplyError> {
    match run.needs() {
        Some(needed) if needed.replica == run.id.replica && needed.seq >= run.id.seq => {
            Err(ApplyError::InvalidReference { id: run.id, anchor: Anchor::before(needed) })
        }
        _ => Ok(()),
    }
}

/// The part of `run` that is not integrated, after comparing the rest with the log, and all of it with
/// what waits.
fn drop_known<'a>(doc: &Doc, mut run: Run<'a>, next: Seq) -> Result<Option<Run<'a>>, ApplyError> {
    if !doc.pending.is_empty() {
        let mut rest = run;
        for op in doc.pending.overlapping(run.id.replica, run.id.seq..run.end()) {
            let mut waiting = op.as_run();
            if waiting.id.seq < rest.id.seq {
                waiting = waiting.split(rest.id.seq - waiting.id.seq).1;
            } else if waiting.id.seq > rest.id.seq {
                rest = rest.split(waiting.id.seq - rest.id.seq).1;
            }
            rest = match compare(rest, waiting)? {
                Some(rest) => rest,
                None => break,
            };
        }
    }
    let Some(index) = doc.log.index_of(run.id.replica) else { return Ok(Some(run)) };
    if run.id.seq >= next {
        return Ok(Some(run));
    }
    for said in doc.log.said(index, run.id.seq, run.end()) {
        match compare(run, doc.run(index, said))? {
            Some(rest) => run = rest,
            None => return Ok(None),
        }
    }
    Ok(Some(run))
}

/// Compares two runs that start with the same operation, and returns what `run` has more.
fn compare<'a>(run: Run<'a>, known: Run<'_>) -> Result<Option<Run<'a>>, ApplyError> {
    let (same, rest) = if run.len > known.len {
        let (same, rest) = run.split(known.len);
        (same, Some(rest))
    } else {
        (run, None)
    };
    let known = if known.len > same.len { known.split(same.len).0 } else { known };
    if same == known { Ok(rest) } else { Err(ApplyError::ReplicaCollision { id: run.id }) }
}

/// Appends the parts of `run` that do not wait yet.
fn keep_unknown<'a>(doc: &Doc, mut run: Run<'a>, left: &mut Vec<Run<'a>>) {
    for op in doc.pending.overlapping(run.id.replica, run.id.seq..run.end()) {
        let waiting = op.as_run();
        if waiting.id.seq > run.id.seq {
            let (before, rest) = run.split(waiting.id.seq - run.id.seq);
            left.push(before);
            run = rest;
        }
        if waiting.end() >= run.end() {
            return;
        }
        run = run.split(waiting.end() - run.id.seq).1;
    }
    left.push(run);
}
