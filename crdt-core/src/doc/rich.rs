//! What a document has besides plain text: values of elements, and what statements among them come to.
//!
//! A document that has nothing of it keeps one empty pointer. A statement is taken up when its element is integrated; if it
//! names elements that have not arrived, it waits here until they have, and shows nothing till then.

use super::Doc;
use super::edits::Edits;
use super::entries::Entries;
use super::history::is_reserved;
use super::regions::Regions;
use super::registers::Registers;
use crate::anchor::{Anchor, Side};
use crate::codec::{Carried, write_rich};
use crate::error::{ApplyError, EditError};
use crate::ids::{OpId, ReplicaId, Seq, VersionVector};
use crate::limits::MAX_STAMP;
use crate::mark::{Expand, Marks};
use crate::marks::{Edge, LocalMark, MarkTable};
use crate::op::{Op, Runs};
use crate::op_log::{LocalId, MAX_TEXT_BYTES, Placement};
use crate::sequence::Beside;
use crate::sorted::{SortedMap, sort_by_key};
use crate::units::{Counted, Size};
use crate::value::{CARRIER, Mark, Said, Stamp, Value};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

#[derive(Clone, Default)]
pub(super) struct Rich {
    /// Of elements that are integrated or wait.
    pub(super) values: SortedMap<OpId, Value>,
    pub(super) marks: MarkTable,
    pub(super) expands: SortedMap<Arc<str>, Expand>,
    pub(super) registers: Registers,
    pub(super) regions: Regions,
    pub(super) entries: Entries,
    /// The largest stamp of all statements here.
    pub(super) stamp: Stamp,
    /// Statements that name an element that has not arrived, by that.
    pub(super) waiting: SortedMap<OpId, Vec<OpId>>,
    /// The last element that somebody else's edit inserted, and its marks, until marks change.
    last_marks: Option<(LocalId, Marks)>,
    /// The newest own statement since the document was opened: the next is placed behind it.
    last_statement: Option<LocalId>,
}

/// The stamp of a transaction is drawn with its first statement.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Stamping {
    /// Every edit is a transaction.
    #[default]
    Alone,
    Open,
    Drawn(Stamp),
}

/// Why an anchor has no place here.
pub(super) enum NoEdge {
    Missing(OpId),
    /// What it names is no element.
    Invalid,
}

impl Doc {
    /// Starts a transaction without borrowing: for bindings to other languages. Ended by [`Doc::end_transaction`].
    ///
    /// All that is said until then has one Lamport timestamp, as in a [`Transaction`](crate::Transaction).
    pub fn begin_transaction(&mut self) {
        self.transaction = Stamping::Open;
    }

    /// Ends what [`Doc::begin_transaction`] started.
    pub fn end_transaction(&mut self) {
        self.transaction = Stamping::Alone;
    }

    pub(super) fn rich_mut(&mut self) -> &mut Rich {
        self.rich.get_or_insert_default()
    }

    /// The stamp for what is said next.
    pub(super) fn next_stamp(&mut self) -> Stamp {
        if let Stamping::Drawn(stamp) = self.transaction {
            return stamp;
        }
        let seen = self.rich.as_ref().map_or(0, |rich| rich.stamp);
        let stamp = (seen + 1).min(MAX_STAMP);
        if let Stamping::Open = self.transaction {
            self.transaction = Stamping::Drawn(stamp);
        }
        stamp
    }

    /// The marks of an integrated element.
    #[inline]
    pub(super) fn marks_of(&self, element: LocalId) -> Marks {
        match &self.rich {
            Some(rich) if !rich.marks.is_empty() => rich.marks.of_element(element, &self.sequence),
            _ => Marks::NONE,
        }
    }

    /// The marks of `count` elements from `first` on that were just put in by somebody else.
    #[inline]
    pub(super) fn marks_of_new(&mut self, first: LocalId, count: Seq) -> Marks {
        if self.rich.is_none() { Marks::NONE } else { self.find_marks_of_new(first, count) }
    }

    /// What is typed on has the marks of what is in front, if no mark starts or ends between.
    #[inline(never)]
    fn find_marks_of_new(&mut self, first: LocalId, count: Seq) -> Marks {
        let Some(rich) = &mut self.rich else { return Marks::NONE };
        if rich.marks.is_empty() {
            return Marks::NONE;
        }
        let marks = match rich.last_marks.take() {
            Some((last, marks))
                if last.replica == first.replica
                    && last.seq + 1 == first.seq
                    && !rich.marks.is_edge_behind(last)
                    && self.log.of(first.replica).placement(first.replica, first.seq)
                        == (Placement { element: last, side: Side::After })
                    && self.sequence.is_directly_behind(last, first) =>
            {
                marks
            }
            _ => rich.marks.of_element(first, &self.sequence),
        };
        rich.last_marks = Some((first.plus(count - 1), marks.clone()));
        marks
    }

    /// Whether there is room for so many more own operations.
    pub(super) fn check_own_room(&mut self, count: usize) -> Result<(), EditError> {
        self.next_id(count)?;
        if count > (MAX_TEXT_BYTES - self.log.text_bytes()) / 4 { Err(EditError::Full) } else { Ok(()) }
    }

    /// Says something as the next own operation. There has to be room.
    pub(super) fn say(&mut self, value: Value) -> Result<OpId, EditError> {
        self.say_and_tell(value, None)
    }

    /// As [`Doc::say`], and tells what that changed.
    pub(super) fn say_and_tell(
        &mut self,
        value: Value,
        edits: Option<&mut Edits>,
    ) -> Result<OpId, EditError> {
        let last = self.rich.as_ref().and_then(|rich| rich.last_statement);
        let placement = match last {
            Some(element) => Placement { element, side: Side::After },
            None => self.sequence.placement_at_start(),
        };
        let id = self.say_at(placement, value, edits)?;
        self.rich_mut().last_statement = self.local(id);
        Ok(id)
    }

    /// As [`Doc::say_and_tell`], at a place of its own.
    pub(super) fn say_at(
        &mut self,
        placement: Placement,
        value: Value,
        edits: Option<&mut Edits>,
    ) -> Result<OpId, EditError> {
        let id = self.next_id(1)?;
        let beside = self.find_beside(placement);
        self.integrate_hidden(id, placement, beside);
        self.version.set(self.replica, id.seq + 1);
        let op_id = self.log.op_id(id);
        self.rich_mut().values.insert(op_id, value);
        self.take_up(op_id, edits);
        Ok(op_id)
    }

    pub(super) fn integrate_hidden(&mut self, id: LocalId, placement: Placement, beside: Beside) {
        let carrier = Counted::of(CARRIER);
        if self.sequence.integrate_hidden(&self.log, id, placement, beside, carrier).is_err() {
            self.thaw();
            let beside = self.find_beside(placement);
            let done = self.sequence.integrate_hidden(&self.log, id, placement, beside, carrier);
            done.expect("the past was just thawed");
        }
        self.append_insert(id.replica, placement, CARRIER, 1);
    }

    /// Whether any of these elements, which are about to be integrated, carries a value.
    #[inline]
    pub(super) fn carries_values(&self, id: LocalId, len: Seq) -> bool {
        self.rich.is_some() && self.next_carrier(id, len).is_some()
    }

    /// The first of some elements that carries a value.
    #[cold]
    pub(super) fn next_carrier(&self, id: LocalId, len: Seq) -> Option<Seq> {
        let OpId { replica, seq } = self.log.op_id(id);
        let ids = OpId::new(replica, seq)..OpId::new(replica, seq + len);
        Some(self.rich.as_ref()?.values.range(ids).next()?.0.seq)
    }

    /// Integrates a run of insertions some of which carry values.
    pub(super) fn integrate_carriers(
        &mut self,
        first: LocalId,
        len: Seq,
        placement: Placement,
        text: &str,
        mut edits: Option<&mut Edits>,
    ) {
        let (mut id, mut rest, mut text, mut placement) = (first, len, text, placement);
        while rest > 0 {
            let carrier = self.next_carrier(id, rest);
            let plain = carrier.map_or(rest, |seq| seq - id.seq);
            let taken = if plain == 0 { 1 } else { plain };
            let (part, behind) = text.split_at(crate::units::byte_of(text, taken as usize));
            let beside = self.find_beside(placement);
            if plain > 0 {
                self.integrate_insert(id, placement, beside, part, edits.as_deref_mut());
            } else {
                self.integrate_carrier(id, placement, beside, edits.as_deref_mut());
            }
            placement = Placement { element: id.plus(taken - 1), side: Side::After };
            (id, rest, text) = (id.plus(taken), rest - taken, behind);
        }
    }

    fn integrate_carrier(
        &mut self,
        id: LocalId,
        placement: Placement,
        beside: Beside,
        edits: Option<&mut Edits>,
    ) {
        let op_id = self.log.op_id(id);
        let value = self.rich.as_ref().and_then(|rich| rich.values.get(&op_id)).expect("it carries a value");
        if value.is_statement() {
            self.integrate_hidden(id, placement, beside);
            self.take_up(op_id, edits);
            return;
        }
        let Value::Embed(json) = value.clone() else { unreachable!("all else are statements") };
        self.integrate_insert(id, placement, beside, CARRIER, None);
        if let Some(edits) = edits {
            let (at, marks) = (self.before_last_edit(1), self.marks_of(id));
            if let Some(at) = self.event_at(id, at) {
                edits.embed(at, json, marks);
            }
        }
    }

    /// Takes up what an integrated element says, or waits for what it names.
    pub(super) fn take_up(&mut self, id: OpId, edits: Option<&mut Edits>) {
        let Some(rich) = &mut self.rich else { return };
        let value = rich.values.get(&id).expect("it carries a value");
        if let Some(stamp) = value.stamp() {
            rich.stamp = rich.stamp.max(stamp);
        }
        match value {
            Value::Embed(_) => {}
            Value::Mark(mark) => {
                let mark = mark.clone();
                self.take_up_mark(id, mark, edits);
            }
            Value::Register(register) => {
                let is_news = rich.registers.take_up(id, register);
                if let (Some(edits), true) = (edits, is_news && !is_reserved(&register.name)) {
                    edits.register(&register.name, register.value.as_ref());
                }
            }
            Value::Roots | Value::Open { .. } | Value::Close => self.take_up_delimiter(id),
            Value::Replace { element, value, stamp } => {
                let (element, value, stamp) = (*element, value.clone(), *stamp);
                self.take_up_replacement(element, value, Said { stamp, id }, edits);
            }
            Value::Move { element, stamp } => {
                let (element, stamp) = (*element, *stamp);
                self.take_up_move(element, Said { stamp, id }, edits);
            }
        }
    }

    fn take_up_mark(&mut self, id: OpId, mark: Mark, edits: Option<&mut Edits>) {
        let edges = self.edge_of(&mark.start).and_then(|start| Ok((start, self.edge_of(&mark.end)?)));
        let (start, end) = match edges {
            Ok(edges) => edges,
            Err(NoEdge::Missing(element)) => {
                self.rich_mut().waiting.or_insert_with(element, Vec::new).push(id);
                return;
            }
            Err(NoEdge::Invalid) => return,
        };
        // Nobody marks what is in one sequence and in another.
        if self.scope_of_edge(start) != self.scope_of_edge(end) {
            return;
        }
        let Mark { name, value, stamp, .. } = mark;
        let mark = LocalMark { said: Said { stamp, id }, start, end, value: value.clone() };
        let rich = self.rich.get_or_insert_default();
        rich.last_marks = None;
        let stretches = rich.marks.add(&name, mark, &self.sequence);
        if let Some(edits) = edits {
            for stretch in stretches {
                let at = |edge: Edge| self.event_at_edge(edge, self.position_of_edge(edge));
                if let (Some(from), Some(to)) = (at(stretch.from), at(stretch.to)) {
                    edits.mark(from, to, &name, value.as_ref());
                }
            }
        }
    }

    pub(super) fn edge_of(&self, anchor: &Anchor) -> Result<Edge, NoEdge> {
        let Some(id) = anchor.element else {
            return Ok(Edge { element: LocalId::START, side: anchor.side });
        };
        if !self.version.contains(id) {
            return Err(NoEdge::Missing(id));
        }
        let replica = self.log.index_of(id.replica).expect("it was seen");
        let element = LocalId::new(replica, id.seq);
        if !self.log.are_elements(element, 1) {
            return Err(NoEdge::Invalid);
        }
        Ok(Edge { element, side: anchor.side })
    }

    /// How an edge is called in every document.
    pub(super) fn anchor_of(&self, edge: Edge) -> Anchor {
        self.log.anchor(Placement { element: edge.element, side: edge.side })
    }

    /// The visible text in front of an edge. O(log *n*).
    pub(super) fn position_of_edge(&self, edge: Edge) -> Size {
        match edge {
            Edge::START => Size::default(),
            Edge::END => self.sequence.main(&self.log),
            Edge { element, side } => self.sequence.position_beside(&self.log, Placement { element, side }),
        }
    }

    /// Takes up what waited for elements that have arrived.
    #[cold]
    pub(super) fn settle_statements(&mut self, mut edits: Option<&mut Edits>) {
        while let Some(statements) = self.next_settled() {
            for id in statements {
                self.take_up(id, edits.as_deref_mut());
            }
        }
    }

    /// The statements that wait for an element that is here. O(replicas waited for · log of them).
    fn next_settled(&mut self) -> Option<Vec<OpId>> {
        let waiting = &mut self.rich.as_mut()?.waiting;
        let mut from = OpId::new(ReplicaId::new(0), 0);
        loop {
            let element = *waiting.range(from..).next()?.0;
            if self.version.contains(element) {
                let mut statements = waiting.remove(&element)?;
                // Opened documents have them by id, others as they came: edits are to be the same.
                sort_by_key(&mut statements, |&id| id);
                return Some(statements);
            }
            from = OpId::new(ReplicaId::new(element.replica.get().checked_add(1)?), 0);
        }
    }

    /// Refuses values that differ from those which the same elements are known to carry.
    pub(super) fn check_values(&self, runs: &Runs<'_>, carried: &Carried) -> Result<(), ApplyError> {
        let nothing = SortedMap::new();
        let known = self.rich.as_ref().map_or(&nothing, |rich| &rich.values);
        let was_seen = |id: OpId| {
            self.version.contains(id)
                || self.pending.overlapping(id.replica, id.seq..id.seq + 1).next().is_some()
        };
        Self::check_delimiters(runs, carried)?;
        if self.log.is_trimmed()
            && carried.iter().any(|(_, value)| value.elements().any(|element| self.is_gone(element)))
        {
            return Err(ApplyError::Trimmed);
        }
        for (id, value) in carried {
            let is_other = match known.get(id) {
                Some(mine) => mine != value,
                None => was_seen(*id),
            };
            if is_other {
                return Err(ApplyError::ReplicaCollision { id: *id });
            }
        }
        if known.is_empty() {
            return Ok(());
        }
        for row in runs.rows.iter().filter(|row| row.is_insert()) {
            let replica = runs.replicas[row.replica as usize];
            for (id, _) in known.range(OpId::new(replica, row.seq)..OpId::new(replica, row.end())) {
                if carried.binary_search_by_key(id, |(id, _)| *id).is_err() && !self.is_before_floor(*id) {
                    return Err(ApplyError::ReplicaCollision { id: *id });
                }
            }
        }
        Ok(())
    }

    /// Keeps the values of elements that are about to be integrated or to wait.
    pub(super) fn keep_values(&mut self, carried: Carried) {
        if !carried.is_empty() {
            let values = &mut self.rich_mut().values;
            for (id, value) in carried {
                values.or_insert_with(id, || value);
            }
        }
    }

    /// Forgets the values of what can never be integrated.
    pub(super) fn forget_values(&mut self, op: &Op) {
        if let Some(rich) = &mut self.rich {
            let ids = op.id..OpId::new(op.id.replica, op.as_run().end());
            while let Some((&id, _)) = rich.values.range(ids.clone()).next() {
                rich.values.remove(&id);
            }
        }
    }

    /// The values of what `version` lacks.
    pub(super) fn values_since(&self, version: &VersionVector) -> Vec<(OpId, &Value)> {
        let Some(rich) = &self.rich else { return Vec::new() };
        let mut found = Vec::new();
        let mut from = OpId::new(ReplicaId::new(0), 0);
        while let Some((&id, value)) = rich.values.range(from..).next() {
            let seen = version.get(id.replica);
            if id.seq < seen {
                from = OpId::new(id.replica, seen);
            } else {
                found.push((id, value));
                from = OpId::new(id.replica, id.seq.saturating_add(1));
            }
        }
        found
    }

    /// The values of these operations, as far as they are integrated.
    pub(super) fn values_of(&self, replica: ReplicaId, seqs: &Range<Seq>) -> Vec<(OpId, &Value)> {
        let Some(rich) = &self.rich else { return Vec::new() };
        let end = seqs.end.min(self.version.get(replica));
        if end <= seqs.start {
            return Vec::new();
        }
        let ids = OpId::new(replica, seqs.start)..OpId::new(replica, end);
        rich.values.range(ids).map(|(&id, value)| (id, value)).collect()
    }

    /// Appends what `write` writes as a delta, with these values of its elements.
    pub(super) fn with_values(
        &self,
        out: &mut Vec<u8>,
        values: &[(OpId, &Value)],
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        if values.is_empty() {
            return write(out);
        }
        let mut delta = Vec::new();
        write(&mut delta);
        write_rich(out, &delta, values);
    }

    /// Takes up the values of a snapshot, of which everything that its version holds is integrated. Gives back those of
    /// what waits.
    pub(super) fn load_values(&mut self, carried: Carried) -> Option<Carried> {
        let (here, waiting): (Carried, Carried) =
            carried.into_iter().partition(|(id, _)| self.version.contains(*id));
        let (mut delimiters, mut ids) = (Vec::new(), Vec::with_capacity(here.len()));
        for (id, value) in &here {
            let replica = self.log.index_of(id.replica)?;
            if !self.log.are_elements(LocalId::new(replica, id.seq), 1) {
                return None;
            }
            if value.is_delimiter() { delimiters.push(*id) } else { ids.push(*id) }
        }
        if !here.is_empty() && !self.have_no_character(&here) {
            return None;
        }
        self.keep_values(here);
        // What is said in a named sequence is taken up when that is known.
        for id in delimiters.into_iter().chain(ids) {
            self.take_up_loaded(id);
        }
        self.settle_loaded_entries();
        (self.regions_are_sound() && self.entries_are_sound()).then_some(waiting)
    }

    /// Whether all these elements, which ascend by id, have the character that deltas want of elements with values. O(items + bytes of text).
    fn have_no_character(&self, carried: &[(OpId, Value)]) -> bool {
        let mut found = 0;
        for (part, text) in self.sequence.runs(&self.log).filter(|(_, text)| text.contains(CARRIER)) {
            for (element, ch) in (0..).zip(text.chars()) {
                if CARRIER.contains(ch) {
                    let id = self.log.op_id(part.id.plus(element));
                    found += usize::from(carried.binary_search_by_key(&id, |(id, _)| *id).is_ok());
                }
            }
        }
        found == carried.len()
    }

    pub(super) fn assert_rich_is_sound(&self) {
        let Some(rich) = &self.rich else { return };
        rich.marks.assert_invariants(&self.sequence);
        assert!(self.regions_are_sound(), "sequences stand side by side behind the main text");
        assert!(self.entries_are_sound(), "an entry shows in one slot unless it was deleted");
        for element in rich.waiting.keys() {
            assert!(!self.version.contains(*element), "nothing waits for what is here");
        }
    }
}

impl Rich {
    /// The next statement is of another replica.
    pub(super) fn end_statements(&mut self) {
        self.last_statement = None;
    }

    /// How ends of a mark grow.
    pub(super) fn expand_of(&self, name: &str) -> Expand {
        let kind = crate::mark::kind_of(name);
        let set = self.expands.get(name).or_else(|| self.expands.get(kind));
        set.copied().unwrap_or_else(|| Expand::of(name))
    }
}
