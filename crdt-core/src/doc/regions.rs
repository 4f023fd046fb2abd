//! Where the main text and the named sequences are in the one sequence.
//!
//! ```text
//! main text  ROOTS  Open  content  Close  Open  content  Close ...
//! ```
//!
//! The delimiters never show. They are operations of replicas that stand for a name ([`SequenceKind::replica_of`]), and are
//! the same whoever opens it: so all who open a name at once open one sequence, and all of it goes the way of every other
//! operation. What is put into a sequence is placed beside its elements, and into an empty one in front of `Close`; so it
//! stays between them. Documents that have no named sequences have none of this and pay nothing.

use super::edits::At;
use super::marking::check_name;
use super::{Doc, write_log};
use crate::anchor::{Anchor, Side};
use crate::codec::DeltaWriter;
use crate::error::{ApplyError, EditError};
use crate::ids::{OpId, ReplicaId, Seq};
use crate::marks::Edge;
use crate::op::{RowKind, Runs};
use crate::op_log::{LocalId, MAX_REPLICAS, Placement, ReplicaIndex};
use crate::sequence::{Place, Unit};
use crate::sorted::{SortedMap, SortedSet};
use crate::units::Size;
use crate::value::{ROOTS, SequenceKind, Value};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::mem;
use core::ops::Range;

/// A named sequence.
#[derive(Clone, Debug)]
pub(super) struct Region {
    pub(super) name: Arc<str>,
    pub(super) kind: SequenceKind,
    open: LocalId,
    close: LocalId,
}

/// The named sequences.
#[derive(Clone, Default)]
pub(super) struct Regions {
    /// In document order.
    list: Vec<Region>,
    by_name: SortedMap<(Arc<str>, SequenceKind), Scope>,
    /// Whose elements delimit.
    delimiters: SortedSet<ReplicaIndex>,
    /// The delimiters said here, and the number of the next own operation at that time.
    opened: Vec<(Seq, OpId)>,
    /// Of whom something was said here while operations waited for something.
    meanwhile: Vec<ReplicaId>,
}

/// The main text, or the named sequence between two delimiters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Main,
    Named { open: LocalId, close: LocalId },
}

impl Region {
    pub(super) fn scope(&self) -> Scope {
        Scope::Named { open: self.open, close: self.close }
    }
}

impl Regions {
    /// All of them, in document order.
    pub(super) fn in_order(&self) -> &[Region] {
        &self.list
    }

    pub(super) fn is_delimiter(&self, element: LocalId) -> bool {
        self.delimiters.contains(&element.replica)
    }

    /// Whether delimiters were said here since the next own operation was `from`.
    pub(super) fn opened_since(&self, from: Seq) -> bool {
        self.opened.last().is_some_and(|(seq, _)| *seq >= from)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = (&str, SequenceKind)> {
        self.by_name.keys().map(|(name, kind)| (&**name, *kind))
    }
}

impl Doc {
    /// The named sequence, if it is here.
    pub(super) fn scope_named(&self, name: &str, kind: SequenceKind) -> Option<Scope> {
        self.rich.as_ref()?.regions.by_name.get(&(name.into(), kind)).copied()
    }

    /// The named sequence, which is opened if it is not here yet.
    pub(super) fn open(&mut self, name: &str, kind: SequenceKind) -> Result<Scope, EditError> {
        if let Some(scope) = self.scope_named(name, kind) {
            return Ok(scope);
        }
        check_name(name)?;
        let replica = kind.replica_of(name);
        let (open, close) = (OpId::new(replica, 0), OpId::new(replica, 1));
        let wanted = [
            (ROOTS, None, Value::Roots),
            (open, Some(ROOTS), Value::Open { name: name.into(), kind }),
            (close, Some(open), Value::Close),
        ];
        let mut missing = Vec::new();
        for (id, behind, value) in wanted {
            if self.lacks(id, &value)? {
                missing.push((id, behind, value));
            }
        }
        self.check_own_room(missing.len())?;
        if self.log.replica_count() + 2 > MAX_REPLICAS {
            return Err(EditError::Full);
        }
        for (id, behind, value) in missing {
            self.say_delimiter(id, behind, value);
        }
        self.settle_statements(None);
        Ok(self.scope_named(name, kind).expect("its delimiters are here"))
    }

    /// Whether an operation of a replica that stands for a name has not been integrated. Fails if it is not the one that
    /// says `value`.
    fn lacks(&self, id: OpId, value: &Value) -> Result<bool, EditError> {
        let is_here = self.version.contains(id);
        let mut waiting = self.pending.overlapping(id.replica, id.seq..id.seq + 1);
        let known = self.rich.as_ref().and_then(|rich| rich.values.get(&id));
        let is_other = if is_here || waiting.next().is_some() { known != Some(value) } else { false };
        if is_other || id.replica == self.replica {
            return Err(EditError::Reserved { replica: id.replica });
        }
        Ok(!is_here)
    }

    fn say_delimiter(&mut self, id: OpId, behind: Option<OpId>, value: Value) {
        let local = LocalId::new(self.log.register(id.replica), id.seq);
        let element = behind.map_or(LocalId::START, |id| self.local(id).expect("it was said before"));
        let placement = Placement { element, side: Side::After };
        let beside = self.find_beside(placement);
        self.integrate_hidden(local, placement, beside);
        self.version.set(id.replica, id.seq + 1);
        let (own_seq, is_awaited) = (self.own_seq(), !self.pending.is_empty());
        let rich = self.rich_mut();
        rich.values.insert(id, value);
        rich.regions.opened.push((own_seq, id));
        if is_awaited {
            rich.regions.meanwhile.push(id.replica);
            self.forget_waiting(id.replica);
        }
        self.take_up(id, None);
    }

    /// What waits of a replica is integrated up to here: forgets that.
    fn forget_waiting(&mut self, replica: ReplicaId) {
        let seen = self.version.get(replica);
        while self.pending.first(replica).is_some_and(|op| op.id.seq < seen) {
            let op = self.pending.take_first(replica).expect("it was just looked at");
            if op.as_run().end() > seen {
                self.pending.add(op.as_run().split(seen - op.id.seq).1.to_op());
            }
        }
    }

    /// Of whom something was said here that others may have waited for: who applies next wakes them, and tells.
    pub(super) fn opened_meanwhile(&mut self) -> Vec<ReplicaId> {
        self.rich.as_mut().map(|rich| mem::take(&mut rich.regions.meanwhile)).unwrap_or_default()
    }

    /// The name that an integrated operation has here.
    pub(super) fn local(&self, id: OpId) -> Option<LocalId> {
        let index = self.log.index_of(id.replica)?;
        (id.seq < self.log.of(index).next_seq()).then_some(LocalId::new(index, id.seq))
    }

    /// Takes up a delimiter: with its last one a sequence is here.
    pub(super) fn take_up_delimiter(&mut self, id: OpId) {
        if id == ROOTS {
            let roots = self.local(ROOTS).expect("it was just integrated");
            self.sequence.end_main(roots);
            self.rich_mut().regions.delimiters.insert(roots.replica);
        } else if let Some(region) = self.region_opened_by(id.replica) {
            let scope = Scope::Named { open: region.open, close: region.close };
            let Some(rich) = &mut self.rich else { return };
            let regions = &mut rich.regions;
            let is_before = |other: &Region| self.sequence.order(other.open, region.open) == Ordering::Less;
            let at = regions.list.partition_point(is_before);
            regions.delimiters.insert(region.open.replica);
            regions.by_name.insert((region.name.clone(), region.kind), scope);
            regions.list.insert(at, region);
        }
    }

    /// The sequence whose delimiters are of this replica, if they are all here and stand as they should.
    fn region_opened_by(&self, replica: ReplicaId) -> Option<Region> {
        let values = &self.rich.as_ref()?.values;
        let Value::Open { name, kind } = values.get(&OpId::new(replica, 0))? else { return None };
        let close = self.local(OpId::new(replica, 1))?;
        let is_known = self.rich.as_ref()?.regions.delimiters.contains(&close.replica);
        if values.get(&OpId::new(replica, 1)) != Some(&Value::Close) || is_known {
            return None;
        }
        let (open, roots) = (LocalId { seq: 0, ..close }, self.sequence.main_end()?);
        let is_in_order = |one, other| self.sequence.order(one, other) == Ordering::Less;
        (kind.replica_of(name) == replica && is_in_order(roots, open) && is_in_order(open, close))
            .then(|| Region { name: name.clone(), kind: *kind, open, close })
    }

    /// Refuses delimiters that are not where they belong: nobody says such.
    pub(super) fn check_delimiters(runs: &Runs<'_>, carried: &[(OpId, Value)]) -> Result<(), ApplyError> {
        let delimiters: SortedMap<OpId, &Value> = carried
            .iter()
            .filter(|(_, value)| value.is_delimiter())
            .map(|(id, value)| (*id, value))
            .collect();
        if delimiters.is_empty() {
            return Ok(());
        }
        let replica = |index: u32| runs.replicas[index as usize];
        for row in runs.rows.iter().filter(|row| row.is_insert()) {
            let name = replica(row.replica);
            for (&id, &value) in delimiters.range(OpId::new(name, row.seq)..OpId::new(name, row.end())) {
                let (right_id, behind) = match value {
                    Value::Open { name, kind } => (OpId::new(kind.replica_of(name), 0), Some(ROOTS)),
                    Value::Close => (OpId::new(name, 1), Some(OpId::new(name, 0))),
                    _ => (ROOTS, None),
                };
                let is_placed = match (row.kind, behind) {
                    // What is not the first of its run is placed behind the one before it.
                    _ if row.seq < id.seq => *value == Value::Close,
                    (RowKind::InsertFirst, None) => true,
                    (RowKind::InsertAfter, Some(behind)) => {
                        OpId::new(replica(row.other), row.other_seq) == behind
                    }
                    _ => false,
                };
                if id != right_id || !is_placed {
                    let anchor = Anchor { element: behind, side: Side::After };
                    return Err(ApplyError::InvalidReference { id, anchor });
                }
            }
        }
        Ok(())
    }

    /// Where an element is; `None` if it is behind the main text and in no sequence.
    pub(super) fn scope_of(&self, element: LocalId) -> Option<Scope> {
        self.scope_of_edge(Edge::before(element))
    }

    pub(super) fn scope_of_edge(&self, edge: Edge) -> Option<Scope> {
        if self.sequence.main_end().is_none() || edge.order(Edge::END, &self.sequence) != Ordering::Greater {
            return Some(Scope::Main);
        }
        self.region_of(edge).map(|region| Scope::Named { open: region.open, close: region.close })
    }

    /// The named sequence in which an edge is.
    fn region_of(&self, edge: Edge) -> Option<&Region> {
        let list = &self.rich.as_ref()?.regions.list;
        let order = |one: Edge, other: Edge| one.order(other, &self.sequence);
        let at = list.partition_point(|region| order(Edge::after(region.open), edge) != Ordering::Greater);
        let region = list.get(at.checked_sub(1)?)?;
        (order(edge, Edge::before(region.close)) != Ordering::Greater).then_some(region)
    }

    /// Where an edit of `element`, which starts behind so much of all that is visible, counts.
    #[inline]
    pub(super) fn event_at(&self, element: LocalId, start: Size) -> Option<At<'_>> {
        if self.sequence.main_end().is_none() {
            return Some(At { region: None, position: start });
        }
        self.event_at_edge(Edge::before(element), start)
    }

    pub(super) fn event_at_edge(&self, edge: Edge, start: Size) -> Option<At<'_>> {
        let scope = self.scope_of_edge(edge)?;
        if scope == Scope::Main {
            return Some(At { region: None, position: start });
        }
        let base = self.bounds(scope).0;
        let position = Size { chars: start.chars - base.chars, utf16: start.utf16 - base.utf16 };
        Some(At { region: self.region_of(edge), position })
    }

    /// How much of all that is visible is in front of it, and up to its end. O(log *n*).
    pub(super) fn bounds(&self, scope: Scope) -> (Size, Size) {
        match scope {
            Scope::Main => (Size::default(), self.sequence.main(&self.log)),
            Scope::Named { open, close } => {
                let start = Placement { element: open, side: Side::After };
                let end = Placement { element: close, side: Side::Before };
                (
                    self.sequence.position_beside(&self.log, start),
                    self.sequence.position_beside(&self.log, end),
                )
            }
        }
    }

    /// Its two ends, as ends of marks.
    pub(super) fn edges(scope: Scope) -> (Edge, Edge) {
        match scope {
            Scope::Main => (Edge::START, Edge::END),
            Scope::Named { open, close } => (Edge::after(open), Edge::before(close)),
        }
    }

    /// As [`Doc::place`] does for the main text.
    pub(super) fn place_in(&self, scope: Scope, unit: Unit, position: usize) -> Result<Place, EditError> {
        let Scope::Named { open, .. } = scope else { return self.place(unit, position) };
        let base = self.check_position_in(scope, unit, position)?;
        if position == 0 {
            // Where one sequence is empty, the next one starts at the same position.
            return Ok(self.sequence.place_behind(&self.log, open));
        }
        let place = self.sequence.seek(&self.log, unit, base + position);
        place.map_err(|_| EditError::InsideSurrogatePair { position_utf16: position })
    }

    /// Checks that a position is in a named sequence, and tells where that starts.
    fn check_position_in(&self, scope: Scope, unit: Unit, position: usize) -> Result<usize, EditError> {
        let (start, end) = self.bounds(scope);
        let (base, len) = (unit.of_size(start), unit.of_size(end) - unit.of_size(start));
        if position > len { Err(EditError::OutOfBounds { position, len }) } else { Ok(base) }
    }

    /// A range of positions as one of all that is visible, in scalar values.
    pub(super) fn chars_range_in(
        &self,
        scope: Scope,
        unit: Unit,
        range: Range<usize>,
    ) -> Result<Range<usize>, EditError> {
        let Range { start, end } = range;
        if scope == Scope::Main {
            return self.chars_range(unit, range);
        }
        if start > end {
            return Err(EditError::InvertedRange { start, end });
        }
        let base = self.check_position_in(scope, unit, end)?;
        if unit == Unit::Chars {
            return Ok(base + start..base + end);
        }
        let chars = |position| Ok(self.sequence.position(self.place_in(scope, unit, position)?).chars);
        Ok(chars(start)?..chars(end)?)
    }

    pub(super) fn anchor_in(&self, scope: Scope, position: usize, side: Side) -> Result<Anchor, EditError> {
        let place = self.place_in(scope, Unit::Chars, position)?;
        let (start, end) = self.bounds(scope);
        let at = start.chars + position;
        let edge = match side {
            Side::After if position == 0 => Self::edges(scope).0,
            Side::Before if at == end.chars => Self::edges(scope).1,
            Side::After => {
                Edge { element: self.sequence.element_before(place).expect("not the start"), side }
            }
            Side::Before => Edge { element: self.sequence.element_at(at), side },
        };
        Ok(self.anchor_of(edge))
    }

    pub(super) fn resolve_in(&self, scope: Scope, anchor: &Anchor) -> Option<usize> {
        let edge = match anchor.element {
            None => Edge { element: LocalId::START, side: anchor.side },
            Some(id) => Edge { element: self.element(id)?, side: anchor.side },
        };
        if self.scope_of_edge(edge)? != scope {
            return None;
        }
        Some(self.position_of_edge(edge).chars - self.bounds(scope).0.chars)
    }

    /// The element that was integrated under this id.
    fn element(&self, id: OpId) -> Option<LocalId> {
        self.local(id).filter(|&local| self.log.are_elements(local, 1))
    }

    /// Appends the delta of the own operations from `from` on, and of the delimiters said here since.
    #[cold]
    pub(super) fn issued_into(&self, from: Seq, out: &mut Vec<u8>) {
        let mut ranges: SortedMap<ReplicaId, Range<Seq>> = SortedMap::new();
        let regions = self.rich.iter().map(|rich| &rich.regions);
        for (_, id) in regions.flat_map(|regions| &regions.opened).filter(|(seq, _)| *seq >= from) {
            let range = ranges.or_insert_with(id.replica, || id.seq..id.seq + 1);
            range.end = id.seq + 1;
        }
        if from < self.own_seq() {
            ranges.insert(self.replica, from..Seq::MAX);
        }
        let (mut writer, mut values) = (DeltaWriter::default(), Vec::new());
        for (replica, seqs) in ranges {
            let index = self.log.index_of(replica).expect("it has said something");
            write_log(&mut writer, &self.log, index, seqs.start, seqs.end);
            values.extend(self.values_of(replica, &seqs));
        }
        self.with_values(out, &values, |out| writer.finish(out));
    }

    /// Whether the sequences stand side by side behind the main text. O(*s* log *n*) with *s* the sequences.
    pub(super) fn regions_are_sound(&self) -> bool {
        let Some(rich) = &self.rich else { return true };
        let delimiters = rich.regions.list.iter().flat_map(|region| [region.open, region.close]);
        let mut in_front = self.sequence.main_end();
        delimiters.into_iter().all(|delimiter| {
            let last = in_front.replace(delimiter);
            last.is_some_and(|last| self.sequence.order(last, delimiter) == Ordering::Less)
        })
    }
}
