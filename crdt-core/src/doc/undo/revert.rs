//! One step of undoing.

use super::ranges::Copies;
use super::{SaidAgain, StackItem, UndoManager};
use crate::anchor::{Anchor, Side};
use crate::doc::Doc;
use crate::doc::edits::Edits;
use crate::error::EditError;
use crate::event::TextEdit;
use crate::ids::{OpId, ReplicaId, Seq};
use crate::mark::{Expand, Marks};
use crate::marks::{Edge, LocalMark, Ranking, Stretch, VisitPart, Wanted};
use crate::op_log::{self, LocalId};
use crate::sequence::Sequence;
use crate::sorted::{SortedMap, SortedSet, sort_by};
use crate::units::Size;
use crate::value::{Mark, Register, Said, Stamp, Value};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::mem;
use core::ops::Range;

impl UndoManager {
    /// Takes up what others than the group have deleted since this was last asked.
    pub(super) fn scan_others(&mut self, doc: &Doc) {
        let Self { group, scanned, deleted_by_others, .. } = self;
        for (replica, index) in doc.log.by_id() {
            let (from, to) = (scanned.get(replica), doc.version.get(replica));
            if from == to || group.iter().any(|(member, _)| *member == replica) {
                continue;
            }
            for said in doc.log.said(index, from, to) {
                if let op_log::Said::Delete { len, target, descending, .. } = said {
                    let lowest = if descending { target.seq - (len - 1) } else { target.seq };
                    let first = doc.log.op_id(LocalId::new(target.replica, lowest));
                    deleted_by_others.add(first, len);
                    for entry in doc.moved_to(first, len) {
                        deleted_by_others.add(entry, 1);
                    }
                }
            }
            scanned.set(replica, to);
        }
    }
}

/// What a run of operations did, with names of its own: the document changes while it is reverted.
enum Did {
    Inserted(OpId, Seq),
    Deleted(OpId, Seq),
}

/// What statements that are no marks are about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Topic {
    Register(Arc<str>),
    /// Where an entry stands, as which it has come back at last.
    Place(OpId),
    /// What it shows as.
    Value(OpId),
}

/// Topics, and what was said last of each.
type Topics = SortedMap<Topic, Option<Said>>;

/// Elements in one piece that have come back.
#[derive(Clone)]
struct Copied {
    element: LocalId,
    copy: LocalId,
    /// What was said of the copies.
    said: Range<Seq>,
}

pub(super) struct Revert<'a> {
    doc: &'a mut Doc,
    manager: &'a mut UndoManager,
    copied: Vec<Copied>,
    edits: Edits,
    stamp: Stamp,
}

impl<'a> Revert<'a> {
    pub(super) fn new(doc: &'a mut Doc, manager: &'a mut UndoManager) -> Self {
        let stamp = doc.next_stamp();
        Self { doc, manager, copied: Vec::new(), edits: Edits::default(), stamp }
    }

    pub(super) fn into_edits(self) -> Vec<TextEdit> {
        self.edits.into_list()
    }

    /// Reverts operations, and lets statements count no longer, or again. There has to be room.
    pub(super) fn run(&mut self, item: &StackItem, statements: &[OpId]) -> Result<(), EditError> {
        let own_insertions = |id: OpId| {
            let holds =
                |(replica, seqs): &(ReplicaId, Range<Seq>)| *replica == id.replica && seqs.contains(&id.seq);
            item.operations.iter().any(holds)
        };
        for (replica, seqs) in item.operations.iter().rev() {
            for did in self.did(*replica, seqs).into_iter().rev() {
                match did {
                    Did::Inserted(first, len) => self.take_away(first, len)?,
                    Did::Deleted(first, len) => self.bring_back(first, len, &own_insertions)?,
                }
            }
        }
        self.note_said_again();
        for &id in statements {
            if !self.manager.out.remove(&id) {
                self.manager.out.insert(id);
            }
        }
        let (mut marks, mut topics) = (SortedMap::<Arc<str>, Vec<Stretch>>::new(), Topics::new());
        for id in statements {
            match self.doc.rich.as_ref().and_then(|rich| rich.values.get(id)) {
                Some(Value::Mark(mark)) => {
                    let stretches = marks.or_insert_with(mark.name.clone(), Vec::new);
                    stretches.extend(self.stretch_of(mark));
                }
                Some(value) => {
                    if let Some(topic) = self.topic_of(value) {
                        topics.insert(topic, None);
                    }
                }
                None => {}
            }
        }
        self.restate(topics)?;
        for (name, stretches) in marks {
            self.restate_marks(&name, stretches)?;
        }
        Ok(())
    }

    fn did(&self, replica: ReplicaId, seqs: &Range<Seq>) -> Vec<Did> {
        let Some(index) = self.doc.log.index_of(replica) else { return Vec::new() };
        let said = self.doc.log.said(index, seqs.start, seqs.end);
        said.map(|said| match said {
            op_log::Said::Insert { seq, len, .. } => Did::Inserted(OpId::new(replica, seq), len),
            op_log::Said::Delete { len, target, descending, .. } => {
                let lowest = if descending { target.seq - (len - 1) } else { target.seq };
                Did::Deleted(self.doc.log.op_id(LocalId::new(target.replica, lowest)), len)
            }
        })
        .collect()
    }

    /// Deletes what is left of elements, or of what they came back as.
    fn take_away(&mut self, first: OpId, len: Seq) -> Result<(), EditError> {
        let (mut next, mut rest) = (first, len);
        while rest > 0 {
            let count = match self.doc.statements_from(next, rest) {
                // Where an entry was moved to goes with the move.
                (true, count) => count,
                (false, count) => {
                    let (now, count) = self.manager.copies.follow(next, count);
                    self.doc.delete_piece(now, count, &mut self.edits)?
                }
            };
            next.seq += count;
            rest -= count;
        }
        Ok(())
    }

    /// Brings back elements that nobody else deleted and that are not among those about to be taken away.
    fn bring_back(
        &mut self,
        first: OpId,
        len: Seq,
        is_taken_away: &impl Fn(OpId) -> bool,
    ) -> Result<(), EditError> {
        let (mut next, mut rest) = (first, len);
        while rest > 0 {
            // An entry may have been deleted in another place, and moved at the same time.
            let (id, alike) = self.doc.slot_entry(next).map_or((next, rest), |entry| (entry, 1));
            let (by_others, alike) = self.manager.deleted_by_others.stretch(id, alike);
            let (now, count) = self.manager.copies.follow(id, alike);
            let (by_others_since, count) = self.manager.deleted_by_others.stretch(now, count);
            let taken = if by_others || by_others_since {
                count
            } else if is_taken_away(id) {
                1
            } else {
                self.revive(self.doc.shows_at(now), count)?
            };
            next.seq += taken;
            rest -= taken;
        }
        Ok(())
    }

    /// Inserts a copy of as many of these elements as stand in one piece and have the same marks, unless they are
    /// visible. Tells how many that were.
    fn revive(&mut self, first: OpId, len: Seq) -> Result<Seq, EditError> {
        let Some((element, count, visible)) = self.doc.piece(first, len) else { return Ok(len) };
        // What was trimmed cannot come back.
        if visible || self.doc.sequence.is_textless(element) {
            return Ok(count);
        }
        let (count, marks) = self.doc.marks_of_piece(element, count);
        let copy = OpId::new(self.doc.replica, self.doc.own_seq());
        self.doc.insert_copy(element, count, &marks, self.stamp, &mut self.edits)?;
        match self.doc.slot_entry(first) {
            Some(entry) => self.manager.copies.add_entry(entry, first, copy),
            None => self.manager.copies.add(first, count, copy),
        }
        if let Some(local) = self.doc.local(copy) {
            let said = copy.seq + count..self.doc.own_seq();
            self.copied.push(Copied { element, copy: local, said });
        }
        Ok(count)
    }

    /// Takes up what was said of copies: as much as what holds at their elements. All at once: once is what the marks cost.
    fn note_said_again(&mut self) {
        let Some(rich) = &self.doc.rich else { return };
        let mut said_of: SortedMap<&Arc<str>, Vec<(Said, Copied)>> = SortedMap::new();
        for copied in mem::take(&mut self.copied) {
            let at = |seq| OpId::new(self.doc.replica, seq);
            for (&id, value) in rich.values.range(at(copied.said.start)..at(copied.said.end)) {
                let Value::Mark(Mark { name, stamp, .. }) = value else { continue };
                let said = Said { stamp: *stamp, id };
                said_of.or_insert_with(name, Vec::new).push((said, copied.clone()));
                self.manager.out.insert(id);
            }
        }
        for (name, said) in said_of {
            let (manager, sequence) = (&*self.manager, &self.doc.sequence);
            let at_copies = Ranking {
                rank: &|said| manager.rank_at_copies(said),
                visit_parts: &|mark, visit| self.doc.visit_parts(&manager.copies, mark, visit),
            };
            let elements = said.iter().map(|(_, copied)| Edge::before(copied.element));
            let firsts = rich.marks.winners_by(name, elements, at_copies, sequence);
            let new: SortedSet<OpId> = said.iter().map(|(said, _)| said.id).collect();
            let rank = |said: Said| if new.contains(&said.id) { None } else { manager.rank(said) };
            let around = Ranking { rank: &rank, visit_parts: &|mark, visit| visit(mark.start, mark.end) };
            let copies = said.iter().map(|(_, copied)| Edge::before(copied.copy));
            let held = rich.marks.winners_by(name, copies, around, sequence);
            let said_again = said.iter().zip(firsts).zip(held).map(|(((said, _), first), held)| {
                let held = held.map(|held| manager.as_said(held).rank);
                let again = match first {
                    Some(first) => {
                        SaidAgain { first: Some(first.id), rank: held.map_or(first, |held| held.max(first)) }
                    }
                    None => SaidAgain { first: None, rank: held.unwrap_or(*said) },
                };
                (said.id, again)
            });
            let said_again: Vec<_> = said_again.collect();
            for (id, again) in said_again {
                self.manager.said_again.insert(id, again);
            }
        }
    }

    /// Never counts what was said from `from` on: it says what the others come to.
    fn leave_out(&mut self, from: Seq) {
        let ids = OpId::new(self.doc.replica, from)..OpId::new(self.doc.replica, self.doc.own_seq());
        if let Some(rich) = &self.doc.rich {
            self.manager.out.extend(rich.values.range(ids).map(|(&id, _)| id));
        }
    }

    /// What a statement is about, unless it is a mark.
    fn topic_of(&self, value: &Value) -> Option<Topic> {
        let now = |entry| self.manager.copies.follow(entry, 1).0;
        match value {
            Value::Register(register) => Some(Topic::Register(register.name.clone())),
            Value::Move { element, .. } => Some(Topic::Place(now(*element))),
            Value::Replace { element, .. } => Some(Topic::Value(now(*element))),
            _ => None,
        }
    }

    /// Says what holds of some topics without all that is out, where something else holds. One pass over all values. Marks
    /// go by name: [`Revert::restate_marks`].
    fn restate(&mut self, mut topics: Topics) -> Result<(), EditError> {
        let Some(rich) = self.doc.rich.as_ref().filter(|_| !topics.is_empty()) else { return Ok(()) };
        for (&id, value) in &rich.values {
            if let (Some(topic), Some(stamp)) = (self.topic_of(value), value.stamp())
                && let Some(last) = topics.get_mut(&topic)
                && !self.manager.out.contains(&id)
                && self.doc.version.contains(id)
            {
                *last = (*last).max(Some(Said { stamp, id }));
            }
        }
        let from = self.doc.own_seq();
        for (topic, last) in topics {
            let id = |entry| last.map_or_else(|| self.manager.copies.first_entry(entry), |said| said.id);
            match topic {
                Topic::Register(name) => self.restate_register(&name, last)?,
                Topic::Place(entry) => {
                    self.doc.restate_move(entry, id(entry), self.stamp, &mut self.edits)?;
                }
                Topic::Value(entry) => {
                    self.doc.restate_replacement(entry, id(entry), self.stamp, &mut self.edits)?;
                }
            }
        }
        self.leave_out(from);
        Ok(())
    }

    /// Where a mark is: in fact from its start; without anything undone, to what its end has become.
    fn stretch_of(&self, mark: &Mark) -> Option<Stretch> {
        let (from, to) = (self.doc.known_edge(&mark.start)?, self.doc.known_edge(&mark.end)?);
        Some(Stretch { from, to: self.doc.followed(&self.manager.copies, to) })
    }

    /// As [`Revert::restate`], for the marks of a name in some stretches. All are said at once: once is what the marks cost.
    fn restate_marks(&mut self, name: &Arc<str>, mut stretches: Vec<Stretch>) -> Result<(), EditError> {
        let Some(rich) = &self.doc.rich else { return Ok(()) };
        join(&mut stretches, &self.doc.sequence);
        let (manager, from) = (&*self.manager, self.doc.own_seq());
        let around = Ranking {
            rank: &|said| manager.rank(said),
            visit_parts: &|mark, visit| visit(mark.start, mark.end),
        };
        let at_copies = Ranking {
            rank: &|said| manager.rank_at_copies(said),
            visit_parts: &|mark, visit| self.doc.visit_parts(&manager.copies, mark, visit),
        };
        let copies = self.doc.stretches_of(&manager.copies);
        let wanted = rich.marks.differing(name, &stretches, around, (&copies, at_copies), &self.doc.sequence);
        for Wanted { stretch, value, by, over } in wanted {
            // Also where nothing is visible: what comes back there later asks what holds.
            let (start, end) = (self.doc.anchor_of(stretch.from), self.doc.anchor_of(stretch.to));
            let mark = Mark { start, end, name: name.clone(), value, stamp: self.stamp };
            let id = self.doc.say_and_tell(Value::Mark(mark), Some(&mut self.edits))?;
            // What is typed among copies goes by what is said of them, so that counts there more than what it is said over.
            let [by, over] = [by, over].map(|said| said.map(|said| self.manager.as_said(said)));
            let rank = [by, over].into_iter().flatten().map(|again| again.rank).max();
            if let (Some(SaidAgain { first, .. }), Some(rank)) = (by.or(over), rank) {
                self.manager.said_again.insert(id, SaidAgain { first, rank });
            }
        }
        self.leave_out(from);
        Ok(())
    }

    /// Gives a register the value that it got last, or none, if it has another.
    fn restate_register(&mut self, name: &Arc<str>, last: Option<Said>) -> Result<(), EditError> {
        let value = match last.and_then(|said| self.doc.rich.as_ref()?.values.get(&said.id)) {
            Some(Value::Register(register)) => register.value.clone(),
            _ => None,
        };
        if self.doc.get(name) != value.as_ref() {
            let register = Register { name: name.clone(), value, stamp: self.stamp };
            self.doc.say_and_tell(Value::Register(register), Some(&mut self.edits))?;
        }
        Ok(())
    }
}

impl Doc {
    /// The first of these elements here, how many of them stand in one item, and whether they are visible. `None` if they
    /// never arrived.
    fn piece(&self, first: OpId, len: Seq) -> Option<(LocalId, Seq, bool)> {
        let element = LocalId::new(self.log.index_of(first.replica)?, first.seq);
        let (count, visible) = self.sequence.piece(element, len)?;
        Some((element, count, visible))
    }

    /// Deletes as many of these elements as stand in one item, if they are visible. Tells how many that were.
    pub(in crate::doc) fn delete_piece(
        &mut self,
        first: OpId,
        len: Seq,
        edits: &mut Edits,
    ) -> Result<Seq, EditError> {
        let (first, len) = match self.shown_in(first, len) {
            Some((Some(slot), count)) => (slot, count),
            Some((None, count)) => return Ok(count),
            None => (first, len),
        };
        let Some((element, count, visible)) = self.piece(first, len) else { return Ok(len) };
        if visible {
            let own = self.next_id(count as usize)?;
            let position = self.position_of_edge(Edge::before(element));
            let end = self.position_of_edge(Edge::after(element.plus(count - 1)));
            self.sequence.delete_at(&mut self.log, own.replica, position.chars, count as usize);
            self.version.set(self.replica, own.seq + count);
            let size = Size { chars: count as usize, utf16: end.utf16 - position.utf16 };
            if let Some(at) = self.event_at(element, position) {
                edits.delete(at, size);
            }
            if self.has_slots() {
                self.kill_deleted_since(own.seq);
            }
        }
        Ok(count)
    }

    /// Whether the first of these elements is a statement, and for how many it is so.
    fn statements_from(&self, first: OpId, len: Seq) -> (bool, Seq) {
        let Some(rich) = &self.rich else { return (false, len) };
        let ids = first..OpId::new(first.replica, first.seq + len);
        match rich.values.range(ids).find(|(_, value)| value.is_statement()) {
            Some((id, _)) if *id == first => (true, 1),
            Some((id, _)) => (false, id.seq - first.seq),
            None => (false, len),
        }
    }

    /// The entries that were moved to these elements.
    fn moved_to(&self, first: OpId, len: Seq) -> impl Iterator<Item = OpId> + '_ {
        let rich = self.rich.as_ref().filter(|_| self.has_slots());
        let ids = first..OpId::new(first.replica, first.seq + len);
        let values = rich.into_iter().flat_map(move |rich| rich.values.range(ids.clone()));
        values.filter_map(|(_, value)| match value {
            Value::Move { element, .. } => Some(*element),
            _ => None,
        })
    }

    /// The entry that an element shows, or would, if it is an embed or the place of one.
    fn slot_entry(&self, id: OpId) -> Option<OpId> {
        if self.rich.is_some() { self.entry_of(id) } else { None }
    }

    /// Where what was put in as `id` shows, or showed last.
    fn shows_at(&self, id: OpId) -> OpId {
        let slot = if self.has_slots() { self.slot_of(id) } else { None };
        slot.map_or(id, |slot| self.log.op_id(slot))
    }

    /// Where an entry of a list shows that was put in as the first of these elements, or how many of them are none; `None` for
    /// all of them.
    fn shown_in(&self, first: OpId, len: Seq) -> Option<(Option<OpId>, Seq)> {
        let rich = self.rich.as_ref().filter(|_| self.has_slots())?;
        let ids = first..OpId::new(first.replica, first.seq + len);
        let (&id, _) = rich.values.range(ids).next()?;
        if id != first {
            return Some((Some(first), id.seq - first.seq));
        }
        Some((self.slot_of(id).map(|slot| self.log.op_id(slot)), 1))
    }

    /// How many of `count` elements in one item come back together with the first, and its marks.
    pub(in crate::doc) fn marks_of_piece(&self, first: LocalId, count: Seq) -> (Seq, Marks) {
        let Some(rich) = &self.rich else { return (count, Marks::NONE) };
        // An element with a value comes back alone.
        let op_id = self.log.op_id(first);
        let behind = OpId::new(op_id.replica, op_id.seq + count);
        let carrier = rich.values.range(op_id..behind).next().map(|(id, _)| id.seq - op_id.seq);
        let count = match carrier {
            Some(0) => 1,
            Some(plain) => plain,
            None => count,
        };
        let marks = self.marks_of(first);
        // Copies stand behind the last of their elements: on the same side of all ends of marks, if none is between.
        (rich.marks.uncut(first, count), marks)
    }

    /// Where a mark's end is, if its element is here.
    fn known_edge(&self, anchor: &Anchor) -> Option<Edge> {
        self.edge_of(anchor).ok()
    }

    /// The edge with the copies of its element on the side where that is: they stand directly behind it.
    fn followed(&self, copies: &Copies, edge: Edge) -> Edge {
        if edge.element == LocalId::START || edge.side == Side::Before {
            return edge;
        }
        let now = copies.follow(self.log.op_id(edge.element), 1).0;
        match self.log.index_of(now.replica) {
            Some(replica) => Edge { element: LocalId::new(replica, now.seq), ..edge },
            None => edge,
        }
    }

    /// Where a mark is if copies have what their elements have: on those of the element that it ends behind, too, and not on those
    /// of the one that it starts behind.
    fn visit_parts(&self, copies: &Copies, mark: &LocalMark, visit: VisitPart<'_>) {
        let mut from = mark.start;
        self.visit_copies_behind(copies, mark.start, &mut |first, last| {
            visit(from, Edge::before(first));
            from = Edge::after(last);
        });
        visit(from, mark.end);
        self.visit_copies_behind(copies, mark.end, &mut |first, last| {
            visit(Edge::before(first), Edge::after(last));
        });
    }

    /// The copies, and theirs, that stand behind the element that an edge is behind: the first in one piece, and that element's.
    fn visit_copies_behind(&self, copies: &Copies, edge: Edge, visit: &mut dyn FnMut(LocalId, LocalId)) {
        if edge.element == LocalId::START || edge.side == Side::Before {
            return;
        }
        let mut id = self.log.op_id(edge.element);
        while let Some(copy) = copies.copy_of(id) {
            let (Some(first), Some(last)) = (self.local(copy.first), self.local(copy.at)) else { return };
            visit(first, last);
            id = copy.at;
        }
    }

    /// Where copies stand, in document order.
    fn stretches_of(&self, copies: &Copies) -> Vec<Stretch> {
        let mut found = Vec::new();
        for (mut next, mut rest) in copies.iter() {
            while rest > 0
                && let Some((element, count, _)) = self.piece(next, rest)
            {
                let to = Edge::after(element.plus(count - 1));
                found.push(Stretch { from: Edge::before(element), to });
                next.seq += count;
                rest -= count;
            }
        }
        join(&mut found, &self.sequence);
        found
    }

    /// Inserts the content of `count` elements in one item again, directly behind them, with exactly these marks.
    fn insert_copy(
        &mut self,
        first: LocalId,
        count: Seq,
        marks: &Marks,
        stamp: Stamp,
        edits: &mut Edits,
    ) -> Result<(), EditError> {
        let text = String::from(self.sequence.text_of_piece(&self.log, first, count));
        let place = self.sequence.place_behind(&self.log, first.plus(count - 1));
        let embed = self.embed_of(first);
        let seq = self.own_seq();
        self.insert_at_place(place, &text)?;
        if let Some(value) = &embed {
            let id = OpId::new(self.replica, seq);
            self.rich_mut().values.insert(id, Value::Embed(value.clone()));
        }
        let at = self.before_last_edit_of(&text);
        // Directly behind its elements other marks hold only if some start or end between.
        let last = first.plus(count - 1);
        if self.rich.as_ref().is_some_and(|rich| rich.marks.is_edge_behind(last)) {
            // What comes back has no say about its neighbours, which may come back, too.
            self.set_marks_of_last(count as usize, marks, stamp, Some(Expand::None))?;
        }
        let Some(at) = self.event_at(first, at) else { return Ok(()) };
        match embed {
            Some(value) => edits.embed(at, value, marks.clone()),
            None => edits.insert(at, &text, marks.clone()),
        }
        Ok(())
    }

    fn before_last_edit_of(&mut self, text: &str) -> Size {
        let (end, size) = (self.sequence.position_of_last_edit(), Size::of(text));
        Size { chars: end.chars - size.chars, utf16: end.utf16 - size.utf16 }
    }
}

/// Puts stretches into document order, and those together that touch.
fn join(stretches: &mut Vec<Stretch>, sequence: &Sequence) {
    sort_by(stretches, |one, other| one.from.order(other.from, sequence));
    stretches.dedup_by(|next, last| {
        let touches = next.from.order(last.to, sequence) != Ordering::Greater;
        if touches && last.to.order(next.to, sequence) == Ordering::Less {
            last.to = next.to;
        }
        touches
    });
}
