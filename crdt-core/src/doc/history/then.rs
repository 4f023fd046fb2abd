//! What showed at a version.
//!
//! An element showed if its id is in the version and no deletion in the version names it. Of an entry that was moved the place
//! said last shows, by what the version holds; of marks those hold that it holds. Elements never change their order, so the
//! order of now is that of then.

use super::walk::Cuts;
use crate::doc::Doc;
use crate::error::HistoryError;
use crate::ids::{OpId, Seq, VersionVector};
use crate::json::Json;
use crate::marks::Ranking;
use crate::op_log::{LocalId, OpLog, Said as LogSaid};
use crate::sorted::{SortedMap, SortedSet};
use crate::value::{Said, Value};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

/// What showed at a version.
pub(super) struct Then<'a> {
    /// By index of the replica.
    seen: Vec<Seq>,
    /// What of that did not show, in ascending order; no two touch.
    hidden: Vec<(LocalId, Seq)>,
    /// Where entries were put last that were moved.
    slots: SortedMap<OpId, LocalId>,
    /// What embeds showed as that were given another value.
    replaced: SortedMap<OpId, (Said, &'a Json)>,
    /// What registers held, if anything.
    registers: SortedMap<&'a Arc<str>, (Said, Option<&'a Json>)>,
}

impl<'a> Then<'a> {
    /// O(*e* log *e*) for *e* entries of the log, which is not cold, and values.
    ///
    /// Fails if the version has an operation without what that refers to.
    pub(super) fn of(doc: &'a Doc, log: &OpLog, version: &VersionVector) -> Result<Self, HistoryError> {
        let mut seen = vec![0; log.replica_count()];
        for (id, index) in log.by_id() {
            seen[index as usize] = version.get(id);
        }
        let mut hidden = Vec::new();
        for (index, &count) in (0..).zip(&seen) {
            let has = |id: LocalId| id == LocalId::START || id.seq < seen[id.replica as usize];
            for said in log.said(index, 0, count) {
                let (seq, last) = match said {
                    LogSaid::Insert { seq, placement, .. } => (seq, placement.element),
                    LogSaid::Delete { seq, len, target, descending: false } => (seq, target.plus(len - 1)),
                    LogSaid::Delete { seq, target, .. } => (seq, target),
                };
                if !has(last) {
                    return Err(HistoryError::NotAState { id: log.op_id(LocalId::new(index, seq)) });
                }
                if let LogSaid::Delete { len, target, descending, .. } = said {
                    let below = if descending { len - 1 } else { 0 };
                    hidden.push((LocalId::new(target.replica, target.seq - below), len));
                }
            }
        }
        if log.is_trimmed() {
            doc.hide_what_was_gone(log, &mut hidden);
        }
        join(&mut hidden);
        let mut then = Self {
            seen,
            hidden,
            slots: SortedMap::new(),
            replaced: SortedMap::new(),
            registers: SortedMap::new(),
        };
        if doc.is_rich() {
            then.take_up_values(doc, version);
        }
        Ok(then)
    }

    fn take_up_values(&mut self, doc: &'a Doc, version: &VersionVector) {
        let values = doc.rich.iter().flat_map(|rich| &rich.values);
        let is_entry = |id: OpId| version.contains(id) && doc.entry_of(id) == Some(id);
        let mut statements = Vec::new();
        // Entries that were moved: who said last where to, and whether any of their places was deleted.
        let mut moved: SortedMap<OpId, (Option<Said>, LocalId, bool)> = SortedMap::new();
        for (&id, value) in values.filter(|(id, _)| version.contains(**id)) {
            let Some(local) = doc.local(id).filter(|_| value.is_statement()) else { continue };
            statements.push((local, 1));
            match value {
                Value::Move { element, stamp } if is_entry(*element) => {
                    let Some(own) = doc.local(*element) else { continue };
                    let last = moved.or_insert_with(*element, || {
                        statements.push((own, 1));
                        (None, own, !self.stretch(own, 1).0)
                    });
                    last.2 |= !self.stretch(local, 1).0;
                    let said = Some(Said { stamp: *stamp, id });
                    if last.0 < said {
                        (last.0, last.1) = (said, local);
                    }
                }
                Value::Replace { element, value, stamp } if is_entry(*element) => {
                    let said = Said { stamp: *stamp, id };
                    let last = self.replaced.or_insert_with(*element, || (said, value));
                    if last.0 < said {
                        *last = (said, value);
                    }
                }
                Value::Register(register) => {
                    let said = Said { stamp: register.stamp, id };
                    let held = register.value.as_ref();
                    let last = self.registers.or_insert_with(&register.name, || (said, held));
                    if last.0 < said {
                        *last = (said, held);
                    }
                }
                _ => {}
            }
        }
        self.slots = moved.iter().map(|(&entry, &(_, slot, _))| (entry, slot)).collect();
        let shows: SortedSet<LocalId> =
            moved.values().filter(|(.., is_dead)| !is_dead).map(|&(_, slot, _)| slot).collect();
        statements.retain(|(id, _)| !shows.contains(id));
        self.hidden.extend(statements);
        join(&mut self.hidden);
    }

    /// Whether the first of these elements showed, and for how many that is so, at least one.
    pub(super) fn stretch(&self, first: LocalId, len: Seq) -> (bool, Seq) {
        let Some(left) = self.seen[first.replica as usize].checked_sub(first.seq).filter(|&left| left > 0)
        else {
            return (false, len);
        };
        let behind = self.hidden.partition_point(|&(id, _)| id <= first);
        if let Some(&(id, count)) = behind.checked_sub(1).map(|place| &self.hidden[place])
            && id.replica == first.replica
            && first.seq - id.seq < count
        {
            return (false, len.min(count - (first.seq - id.seq)));
        }
        let next = self.hidden.get(behind).filter(|(id, _)| id.replica == first.replica);
        let next = next.map_or(left, |(id, _)| id.seq - first.seq);
        (true, len.min(left).min(next))
    }

    /// Whether an embed showed anywhere.
    pub(super) fn shows(&self, doc: &Doc, entry: OpId) -> bool {
        let slot = self.slots.get(&entry).copied().or_else(|| doc.local(entry));
        slot.is_some_and(|slot| self.stretch(slot, 1).0)
    }

    /// What an embed showed as.
    pub(super) fn value_of(&self, doc: &'a Doc, entry: OpId) -> Option<&'a Json> {
        if let Some((_, json)) = self.replaced.get(&entry) {
            return Some(json);
        }
        match doc.rich.as_ref()?.values.get(&entry)? {
            Value::Embed(json) => Some(json),
            _ => None,
        }
    }

    /// What a register held.
    pub(super) fn register(&self, name: &Arc<str>) -> Option<&'a Json> {
        self.registers.get(name).and_then(|(_, value)| *value)
    }

    /// The registers that anything was said of.
    pub(super) fn register_names(&self) -> impl Iterator<Item = &'a Arc<str>> + '_ {
        self.registers.keys().copied()
    }
}

impl Doc {
    /// Whether a mark was said by then, and both its ends were there.
    pub(super) fn marked_by(&self, version: &VersionVector, said: Said) -> bool {
        let Some(Value::Mark(mark)) = self.rich.as_ref().and_then(|rich| rich.values.get(&said.id)) else {
            return false;
        };
        let ends = [mark.start.element, mark.end.element].into_iter().flatten();
        [said.id].into_iter().chain(ends).all(|id| version.contains(id))
    }

    /// Adds where marks began and ended to hold at a version. O(*m* log *m* log *n*) for *m* marks.
    pub(super) fn add_turns<'a>(&'a self, version: &VersionVector, which: usize, cuts: &mut Cuts<'a>) {
        let Some(rich) = &self.rich else { return };
        let rank = |said| self.marked_by(version, said).then_some(said);
        let ranking = Ranking { rank: &rank, visit_parts: &|mark, visit| visit(mark.start, mark.end) };
        rich.marks.visit_by(ranking, &self.sequence, |name, edge, value| {
            cuts.turn(edge, which, name, value);
        });
    }
}

/// Puts runs in order, and those together that touch or overlap.
impl Doc {
    /// Adds what was deleted before the past was trimmed, and is left: no deletion names it any more.
    fn hide_what_was_gone(&self, log: &OpLog, hidden: &mut Vec<(LocalId, Seq)>) {
        let mut named = Vec::new();
        for (index, replica) in (0..).zip(log.replicas()) {
            for said in log.said(index, replica.floor(), Seq::MAX) {
                if let LogSaid::Delete { len, target, descending, .. } = said {
                    let below = if descending { len - 1 } else { 0 };
                    named.push((LocalId::new(target.replica, target.seq - below), len));
                }
            }
        }
        join(&mut named);
        // Where an entry that shows elsewhere stood was not deleted.
        let stands_elsewhere = |id: LocalId| {
            let entry = self.entry_of(log.op_id(id));
            let slot = entry.and_then(|entry| self.slot_of(entry));
            slot.is_some_and(|slot| self.sequence.is_visible(slot))
        };
        for (part, _) in self.sequence.runs(&self.log).filter(|(part, _)| part.is_deleted()) {
            let end = part.id.plus(part.len).seq.min(log.of(part.id.replica).floor());
            let mut next = part.id;
            while next.seq < end {
                let behind = named.partition_point(|&(start, _)| start <= next);
                let until =
                    |start: LocalId| if start.replica == next.replica { start.seq.min(end) } else { end };
                let last = behind.checked_sub(1).map(|place| named[place]);
                let named_to = last
                    .filter(|(start, len)| start.replica == next.replica && next.seq - start.seq < *len)
                    .map(|(start, len)| start.seq + len);
                if let Some(to) = named_to {
                    next.seq = to.min(end);
                    continue;
                }
                let to = named.get(behind).map_or(end, |&(start, _)| until(start));
                if !self.has_slots() {
                    hidden.push((next, to - next.seq));
                } else {
                    let each = (next.seq..to).map(|seq| LocalId { seq, ..next });
                    hidden.extend(each.filter(|&id| !stands_elsewhere(id)).map(|id| (id, 1)));
                }
                next.seq = to;
            }
        }
    }
}

pub(in crate::doc) fn join(runs: &mut Vec<(LocalId, Seq)>) {
    runs.sort_unstable();
    runs.dedup_by(|(next, count), (last, last_count)| {
        let joins = next.replica == last.replica && next.seq - last.seq <= *last_count;
        if joins {
            *last_count = (*last_count).max(next.seq - last.seq + *count);
        }
        joins
    });
}
