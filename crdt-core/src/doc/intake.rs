//! A delta on its way in: what of it is new, and in which order it can be integrated.
//!
//! Its replicas are looked up once; from then on they are indices into its table. Its rows stay where they
//! were decoded to, and the order is a list of ranges of them. What a row refers to is nearly always in the
//! newest row of its replica or near the one asked for before; else a binary search finds it.

use super::apply::Fit;
use super::{Doc, run_of};
use crate::anchor::Anchor;
use crate::error::ApplyError;
use crate::ids::{OpId, ReplicaId, Seq};
use crate::op::{Row, RowKind, Run, Runs};
use crate::op_log::{LocalId, OpLog, ReplicaIndex};
use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::ops::Range;

/// A replica of the delta's table.
pub(super) struct Incoming {
    pub(super) name: ReplicaId,
    /// Its index in the log, [`UNKNOWN`] until it is registered.
    pub(super) local: ReplicaIndex,
    /// How many operations of it are integrated.
    known: Seq,
    /// How many are integrated or scheduled.
    next: Seq,
    /// Its new rows.
    rows: Range<usize>,
    /// The first of them that is not scheduled; it may have lost its scheduled part.
    scheduled: usize,
    /// The one in which an element was last looked up.
    asked: usize,
    /// Who waits for which of its operations.
    waiting: BinaryHeap<Reverse<(Seq, u32)>>,
}

const UNKNOWN: ReplicaIndex = ReplicaIndex::MAX;

pub(super) struct Intake<'a> {
    table: Vec<ReplicaId>,
    replicas: Vec<Incoming>,
    /// New rows by replica, then parts of such rows.
    rows: Vec<Row<'a>>,
    scheduled_text: usize,
}

impl<'a> Intake<'a> {
    pub(super) fn of(doc: &Doc, runs: Runs<'a>) -> Result<Self, ApplyError> {
        let Runs { replicas: table, mut rows } = runs;
        let mut replicas: Vec<Incoming> = table.iter().map(|&name| Incoming::of(doc, name)).collect();
        let (mut kept, mut at) = (0, 0);
        while at < rows.len() {
            let number = rows[at].replica;
            let incoming = &mut replicas[number as usize];
            let first = kept;
            while at < rows.len() && rows[at].replica == number {
                let row = rows[at];
                at += 1;
                if row.other == number {
                    check_own_references(&row.named(&table))?;
                }
                let new = if row.seq < incoming.known || !doc.pending.is_empty() {
                    drop_known(doc, row, &table, incoming)?
                } else {
                    Some(row)
                };
                if let Some(new) = new {
                    rows[kept] = new;
                    kept += 1;
                }
            }
            if first < kept && incoming.name == doc.replica {
                return Err(ApplyError::ReplicaCollision { id: OpId::new(incoming.name, rows[first].seq) });
            }
            (incoming.rows, incoming.scheduled, incoming.asked) = (first..kept, first, first);
        }
        rows.truncate(kept);
        Ok(Self { table, replicas, rows, scheduled_text: 0 })
    }

    /// Puts in order what can be integrated, as ranges of rows.
    ///
    /// A run of deletions whose last targets are missing waits for them. Nothing valid waits for a deletion, so its
    /// first part comes at the very end, once it is clear that there is no more.
    pub(super) fn schedule(&mut self, log: &OpLog) -> Result<Vec<Range<usize>>, ApplyError> {
        let mut order = Vec::with_capacity(self.rows.len().min(64));
        let count = u32::try_from(self.replicas.len()).expect("a table is bounded");
        let mut ready: Vec<u32> = (0..count).rev().collect();
        while !ready.is_empty() {
            while let Some(number) = ready.pop() {
                self.advance(log, number, &mut order, &mut ready)?;
            }
            for number in 0..count {
                self.advance_in_part(log, number, &mut order, &mut ready);
            }
        }
        Ok(order)
    }

    /// Schedules the rows of a replica as far as nothing is missing.
    fn advance(
        &mut self,
        log: &OpLog,
        number: u32,
        order: &mut Vec<Range<usize>>,
        ready: &mut Vec<u32>,
    ) -> Result<(), ApplyError> {
        let Incoming { rows: Range { end, .. }, scheduled: first, .. } = self.replicas[number as usize];
        for at in first..end {
            let row = self.rows[at];
            if row.seq != self.replicas[number as usize].next {
                break;
            }
            let missing = match self.fit(log, &row) {
                Fit::Whole => None,
                Fit::Part(_) => Some(row.other_seq + (row.len - 1)),
                Fit::Blocked(missing) => Some(missing),
                Fit::Invalid => return Err(invalid_reference(log, &row.named(&self.table))),
            };
            if let Some(missing) = missing {
                self.replicas[row.other as usize].waiting.push(Reverse((missing, number)));
                break;
            }
            self.scheduled_text += row.text.len();
            let incoming = &mut self.replicas[number as usize];
            incoming.scheduled = at + 1;
            incoming.next = row.end();
        }
        let scheduled = self.replicas[number as usize].scheduled;
        if scheduled > first {
            order.push(first..scheduled);
            self.replicas[number as usize].wake(ready);
        }
        Ok(())
    }

    /// Schedules the first part of a run of deletions whose last targets are missing.
    fn advance_in_part(
        &mut self,
        log: &OpLog,
        number: u32,
        order: &mut Vec<Range<usize>>,
        ready: &mut Vec<u32>,
    ) {
        let Incoming { rows: Range { end, .. }, scheduled: at, next, .. } = self.replicas[number as usize];
        if at == end || self.rows[at].seq != next {
            return;
        }
        let row = self.rows[at];
        if let Fit::Part(len) = self.fit(log, &row) {
            order.push(self.rows.len()..self.rows.len() + 1);
            self.rows.push(Row { len, ..row });
            self.rows[at] = row.cut(len);
            self.replicas[number as usize].next += len;
            self.replicas[number as usize].wake(ready);
        }
    }

    fn fit(&mut self, log: &OpLog, row: &Row<'_>) -> Fit {
        let there = self.replicas[row.other as usize].next;
        Fit::of(row, there, |first, len| self.elements(log, row.other, first, len))
    }

    /// Whether the `len` operations from `first` on, all integrated or scheduled, inserted elements.
    #[inline]
    fn elements(&mut self, log: &OpLog, replica: u32, first: Seq, len: Seq) -> bool {
        let incoming = &mut self.replicas[replica as usize];
        let (mut seq, end) = (first, first + len);
        if seq < incoming.known {
            if !elements(log, incoming.local, seq, len.min(incoming.known - seq)) {
                return false;
            }
            seq = incoming.known;
        }
        if seq >= end {
            return true;
        }
        let mut at = incoming.row_of(&self.rows, seq);
        incoming.asked = at;
        while seq < end {
            // What a row has lost were deletions.
            let row = &self.rows[at];
            if row.seq > seq || !row.is_insert() {
                return false;
            }
            seq = row.end();
            at += 1;
        }
        true
    }

    /// What has to wait, without what waits already.
    pub(super) fn left_over(&self, doc: &Doc) -> Vec<Run<'a>> {
        let mut left = Vec::new();
        for incoming in &self.replicas {
            for row in &self.rows[incoming.scheduled..incoming.rows.end] {
                keep_unknown(doc, row.named(&self.table).into_run(), &mut left);
            }
        }
        left
    }

    /// How many replicas the log does not list yet.
    pub(super) fn new_replicas(&self) -> usize {
        self.replicas.iter().filter(|incoming| incoming.local == UNKNOWN && !incoming.rows.is_empty()).count()
    }

    /// The bytes of text in what is scheduled.
    pub(super) fn scheduled_text(&self) -> usize {
        self.scheduled_text
    }

    /// The replicas of which something is scheduled.
    pub(super) fn scheduled_replicas(&mut self) -> impl Iterator<Item = &mut Incoming> {
        self.replicas.iter_mut().filter(|incoming| incoming.next > incoming.known)
    }

    /// Rows, each with the index of its replica and of the one that it refers to; both are registered.
    pub(super) fn rows(
        &self,
        range: Range<usize>,
    ) -> impl Iterator<Item = (&Row<'a>, ReplicaIndex, ReplicaIndex)> {
        let local = |replica| self.replicas[replica as usize].local;
        self.rows[range].iter().map(move |row| (row, local(row.replica), local(row.other)))
    }

    /// The replicas of which something is new.
    pub(super) fn into_changed(self) -> Vec<ReplicaId> {
        self.replicas.iter().filter(|one| !one.rows.is_empty()).map(|one| one.name).collect()
    }
}

impl Incoming {
    fn of(doc: &Doc, name: ReplicaId) -> Self {
        let local = doc.log.index_of(name);
        let known = local.map_or(0, |local| doc.log.of(local).next_seq());
        Self {
            name,
            local: local.unwrap_or(UNKNOWN),
            known,
            next: known,
            rows: 0..0,
            scheduled: 0,
            asked: 0,
            waiting: BinaryHeap::new(),
        }
    }

    /// The scheduled row that holds `seq`, or the first one behind it.
    fn row_of(&self, rows: &[Row<'_>], seq: Seq) -> usize {
        // The one being scheduled counts, for what it has lost.
        let newest = self.scheduled.min(self.rows.end - 1);
        let holds = |at: usize| rows[at].seq <= seq && seq < rows[at].end();
        let near = [newest.saturating_sub(1), self.asked, self.asked + 1];
        if let Some(&at) = near.iter().find(|&&at| self.rows.contains(&at) && holds(at)) {
            return at;
        }
        self.rows.start + rows[self.rows.clone()].partition_point(|row| row.end() <= seq)
    }

    /// Makes ready who waited for what is scheduled now.
    fn wake(&mut self, ready: &mut Vec<u32>) {
        while let Some(&Reverse((missing, number))) = self.waiting.peek()
            && missing < self.next
        {
            self.waiting.pop();
            ready.push(number);
        }
    }
}

/// Whether the `len` operations of a replica from `first` on, all integrated, inserted elements.
pub(super) fn elements(log: &OpLog, replica: ReplicaIndex, first: Seq, len: Seq) -> bool {
    log.are_elements(LocalId::new(replica, first), len)
}

/// Refuses a run that refers to itself or to what its own replica did later.
pub(super) fn check_own_references(row: &Row<'_, ReplicaId>) -> Result<(), ApplyError> {
    let needed = match row.kind {
        RowKind::InsertFirst => return Ok(()),
        RowKind::DeleteUp => row.other_seq + (row.len - 1),
        _ => row.other_seq,
    };
    if row.other == row.replica && needed >= row.seq {
        let anchor = Anchor::before(OpId::new(row.other, needed));
        return Err(ApplyError::InvalidReference { id: OpId::new(row.replica, row.seq), anchor });
    }
    Ok(())
}

/// That `row` refers to what is no element, or is none any more.
#[cold]
pub(super) fn invalid_reference(log: &OpLog, row: &Row<'_, ReplicaId>) -> ApplyError {
    let lowest = if row.is_insert() { row.other_seq } else { row.lowest_target() };
    if log.index_of(row.other).is_some_and(|index| lowest < log.of(index).floor()) {
        return ApplyError::Trimmed;
    }
    let anchor = match row.kind {
        RowKind::InsertAfter => Anchor::after(OpId::new(row.other, row.other_seq)),
        RowKind::DeleteDown => Anchor::before(OpId::new(row.other, row.lowest_target())),
        _ => Anchor::before(OpId::new(row.other, row.other_seq)),
    };
    ApplyError::InvalidReference { id: OpId::new(row.replica, row.seq), anchor }
}

/// The part of `row` that is not integrated, after comparing the rest with the log, and all of it with
/// what waits.
#[cold]
fn drop_known<'a>(
    doc: &Doc,
    row: Row<'a>,
    table: &[ReplicaId],
    incoming: &Incoming,
) -> Result<Option<Row<'a>>, ApplyError> {
    let run = row.named(table).into_run();
    let mut rest = Some(run);
    for op in doc.pending.overlapping(run.id.replica, run.id.seq..run.end()) {
        let Some(mut mine) = rest else { break };
        let mut waiting = op.as_run();
        if waiting.id.seq < mine.id.seq {
            waiting = waiting.split(mine.id.seq - waiting.id.seq).1;
        } else if waiting.id.seq > mine.id.seq {
            mine = mine.split(waiting.id.seq - mine.id.seq).1;
        }
        rest = compare(mine, waiting)?;
    }
    if row.seq >= incoming.known {
        return Ok(Some(row));
    }
    // Nothing is known of what was trimmed: it counts as the same.
    let floor = doc.log.of(incoming.local).floor();
    let row = match floor.checked_sub(row.seq) {
        Some(trimmed) if trimmed >= row.len => return Ok(None),
        Some(trimmed) if trimmed > 0 => row.cut(trimmed),
        _ => row,
    };
    if row.seq >= incoming.known {
        return Ok(Some(row));
    }
    let run = row.named(table).into_run();
    let mut rest = run;
    for said in doc.log.said(incoming.local, run.id.seq, run.end()) {
        match compare(rest, run_of(&doc.log, incoming.local, said))? {
            Some(more) => rest = more,
            None => return Ok(None),
        }
    }
    Ok(Some(row.cut(incoming.known - row.seq)))
}

/// Compares two runs that start with the same operation, and returns what `run` has more.
fn compare<'a>(run: Run<'a>, known: Run<'_>) -> Result<Option<Run<'a>>, ApplyError> {
    let same = run.same_as(&known);
    if same < run.len.min(known.len) {
        return Err(ApplyError::ReplicaCollision { id: OpId::new(run.id.replica, run.id.seq + same) });
    }
    Ok((run.len > known.len).then(|| run.split(known.len).1))
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
