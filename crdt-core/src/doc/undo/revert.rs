//! One step of undoing.

use super::ranges::Copies;
use super::{StackItem, UndoManager};
use crate::anchor::{Anchor, Side};
use crate::doc::Doc;
use crate::doc::edits::Edits;
use crate::error::EditError;
use crate::event::TextEdit;
use crate::ids::{OpId, ReplicaId, Seq};
use crate::mark::{Expand, Marks};
use crate::marks::{Edge, Stretch};
use crate::op_log::{LocalId, Said};
use crate::sorted::SortedSet;
use crate::units::Size;
use crate::value::{Mark, Register, Stamp, Value};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
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
                if let Said::Delete { len, target, descending, .. } = said {
                    let lowest = if descending { target.seq - (len - 1) } else { target.seq };
                    deleted_by_others.add(doc.log.op_id(LocalId::new(target.replica, lowest)), len);
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

pub(super) struct Revert<'a> {
    doc: &'a mut Doc,
    manager: &'a mut UndoManager,
    edits: Edits,
    statements: Vec<OpId>,
    stamp: Stamp,
}

impl<'a> Revert<'a> {
    /// Prepares the way, if there is room for all that it can take.
    pub(super) fn new(
        doc: &'a mut Doc,
        manager: &'a mut UndoManager,
        item: &StackItem,
    ) -> Result<Self, EditError> {
        let operations: usize = item.operations.iter().map(|(_, seqs)| seqs.len()).sum();
        let names = doc.rich.as_ref().map_or(0, |rich| 1 + rich.marks.names().count());
        // Each piece can come back with marks to be said, and each statement in pieces.
        let pieces = operations.saturating_mul(2 * names).min(1 << 20);
        doc.check_own_room(operations.saturating_add(pieces))?;
        let stamp = doc.next_stamp();
        Ok(Self { doc, manager, edits: Edits::default(), statements: Vec::new(), stamp })
    }

    pub(super) fn into_parts(self) -> (Vec<TextEdit>, Vec<OpId>) {
        (self.edits.into_list(), self.statements)
    }

    pub(super) fn run(&mut self, item: &StackItem) -> Result<(), EditError> {
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
        let statements = match &item.statements {
            Some(statements) => statements.clone(),
            None => self.statements_of(item),
        };
        self.statements = self.turn(&statements);
        for id in self.statements.clone() {
            self.restate(id)?;
        }
        Ok(())
    }

    /// Takes statements out or lets them in again, and with each those that said it again of copies. Gives all of them.
    fn turn(&mut self, statements: &[OpId]) -> Vec<OpId> {
        let mut turned: Vec<OpId> = Vec::new();
        let mut done = SortedSet::default();
        for &root in statements {
            let is_out = !self.manager.out.contains(&root);
            let mut open = vec![root];
            while let Some(id) = open.pop() {
                if done.insert(id) {
                    if is_out {
                        self.manager.out.insert(id);
                    } else {
                        self.manager.out.remove(&id);
                    }
                    turned.push(id);
                    open.extend(self.manager.said_again.get(&id).into_iter().flatten());
                }
            }
        }
        turned
    }

    fn did(&self, replica: ReplicaId, seqs: &Range<Seq>) -> Vec<Did> {
        let Some(index) = self.doc.log.index_of(replica) else { return Vec::new() };
        let said = self.doc.log.said(index, seqs.start, seqs.end);
        said.map(|said| match said {
            Said::Insert { seq, len, .. } => Did::Inserted(OpId::new(replica, seq), len),
            Said::Delete { len, target, descending, .. } => {
                let lowest = if descending { target.seq - (len - 1) } else { target.seq };
                Did::Deleted(self.doc.log.op_id(LocalId::new(target.replica, lowest)), len)
            }
        })
        .collect()
    }

    /// The statements among the operations of an item that undoing did not say itself, newest first.
    fn statements_of(&self, item: &StackItem) -> Vec<OpId> {
        let Some(rich) = &self.doc.rich else { return Vec::new() };
        let mut found = Vec::new();
        for (replica, seqs) in item.operations.iter().rev() {
            let ids = OpId::new(*replica, seqs.start)..OpId::new(*replica, seqs.end);
            let values = rich.values.range(ids).rev();
            found.extend(values.filter(|(_, value)| value.is_statement()).map(|(&id, _)| id));
        }
        found.retain(|id| !self.manager.out.contains(id));
        found
    }

    /// Deletes what is left of elements, or of what they came back as.
    fn take_away(&mut self, first: OpId, len: Seq) -> Result<(), EditError> {
        let (mut next, mut rest) = (first, len);
        while rest > 0 {
            let (now, count) = self.manager.copies.follow(next, rest);
            let count = self.doc.delete_piece(now, count, &mut self.edits)?;
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
            let (by_others, alike) = self.manager.deleted_by_others.stretch(next, rest);
            let (now, count) = self.manager.copies.follow(next, alike);
            let (by_others_since, count) = self.manager.deleted_by_others.stretch(now, count);
            let taken = if by_others || by_others_since {
                count
            } else if is_taken_away(next) {
                1
            } else {
                self.revive(now, count)?
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
        if visible {
            return Ok(count);
        }
        let (count, marks) = self.doc.marks_of_piece(element, count);
        let copy = OpId::new(self.doc.replica, self.doc.own_seq());
        self.doc.insert_copy(element, count, &marks, self.stamp, &mut self.edits)?;
        self.manager.copies.add(first, count, copy);
        // What was said of the copies stands and falls with what was said of their elements.
        if let Some(rich) = &self.doc.rich {
            let UndoManager { out, copies, said_again, .. } = &mut *self.manager;
            let ids = OpId::new(copy.replica, copy.seq + count)..OpId::new(copy.replica, self.doc.own_seq());
            for (&id, value) in rich.values.range(ids) {
                let Value::Mark(Mark { name, .. }) = value else { continue };
                let follow = |edge| self.doc.followed(copies, edge);
                let is_out = |mark| mark == id || out.contains(&mark);
                let root = rich.marks.winner_without(name, element, &is_out, &follow, &self.doc.sequence);
                if let Some(root) = root {
                    said_again.or_insert_with(root, Vec::new).push(id);
                }
            }
        }
        Ok(count)
    }

    /// Says what holds without all that is out, where something else holds.
    fn restate(&mut self, id: OpId) -> Result<(), EditError> {
        let value = self.doc.rich.as_ref().and_then(|rich| rich.values.get(&id)).cloned();
        let from = self.doc.own_seq();
        match value {
            Some(Value::Mark(mark)) => self.restate_mark(&mark)?,
            Some(Value::Register(register)) => self.restate_register(&register.name)?,
            Some(Value::Move { element, .. }) => {
                let out = &self.manager.out;
                self.doc.restate_move(element, &|id| out.contains(&id), self.stamp, &mut self.edits)?;
            }
            Some(Value::Replace { element, .. }) => {
                let out = &self.manager.out;
                self.doc.restate_replacement(
                    element,
                    &|id| out.contains(&id),
                    self.stamp,
                    &mut self.edits,
                )?;
            }
            _ => {}
        }
        // These never count: they say what the others come to.
        let ids = OpId::new(self.doc.replica, from)..OpId::new(self.doc.replica, self.doc.own_seq());
        if let Some(rich) = &self.doc.rich {
            self.manager.out.extend(rich.values.range(ids).map(|(&id, _)| id));
        }
        Ok(())
    }

    fn restate_mark(&mut self, mark: &Mark) -> Result<(), EditError> {
        let (Some(start), Some(end)) = (self.doc.known_edge(&mark.start), self.doc.known_edge(&mark.end))
        else {
            return Ok(());
        };
        // In fact it holds from its start; without anything undone, to what its end has become.
        let end = self.doc.followed(&self.manager.copies, end);
        self.restate_between((start, end), &mark.name)
    }

    fn restate_between(&mut self, edges: (Edge, Edge), name: &Arc<str>) -> Result<(), EditError> {
        let Some(rich) = &self.doc.rich else { return Ok(()) };
        let UndoManager { out, copies, .. } = &*self.manager;
        let follow = |edge| self.doc.followed(copies, edge);
        let wanted = rich.marks.without(name, edges, &|id| out.contains(&id), &follow, &self.doc.sequence);
        for (Stretch { from, to }, value) in wanted {
            // Also where nothing is visible: what comes back there later asks what holds.
            let (start, end) = (self.doc.anchor_of(from), self.doc.anchor_of(to));
            let mark = Mark { start, end, name: name.clone(), value, stamp: self.stamp };
            self.doc.say_and_tell(Value::Mark(mark), Some(&mut self.edits))?;
        }
        Ok(())
    }

    fn restate_register(&mut self, name: &Arc<str>) -> Result<(), EditError> {
        let Some(rich) = &self.doc.rich else { return Ok(()) };
        let mut last: Option<(Stamp, OpId, &Register)> = None;
        for (&id, value) in &rich.values {
            if let Value::Register(register) = value
                && register.name == *name
                && !self.manager.out.contains(&id)
                && self.doc.version.contains(id)
                && last.is_none_or(|(stamp, other, _)| (stamp, other) < (register.stamp, id))
            {
                last = Some((register.stamp, id, register));
            }
        }
        let value = last.and_then(|(.., register)| register.value.clone());
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
    fn delete_piece(&mut self, first: OpId, len: Seq, edits: &mut Edits) -> Result<Seq, EditError> {
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

    /// Where an entry of a list shows that was put in as the first of these elements, or how many of them are none. The
    /// place that a move said goes with the move. `None` if nothing was ever moved.
    fn shown_in(&self, first: OpId, len: Seq) -> Option<(Option<OpId>, Seq)> {
        let rich = self.rich.as_ref().filter(|_| self.has_slots())?;
        let ids = first..OpId::new(first.replica, first.seq + len);
        let (id, value) = match rich.values.range(ids).next() {
            Some((id, value)) if *id == first => (id, value),
            Some((id, _)) => return Some((Some(first), id.seq - first.seq)),
            None => return None,
        };
        let slot = if value.is_statement() { None } else { self.slot_of(*id) };
        Some((slot.map(|slot| self.log.op_id(slot)), 1))
    }

    /// How many of `count` elements in one item come back together with the first, and its marks.
    fn marks_of_piece(&self, first: LocalId, count: Seq) -> (Seq, Marks) {
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
        // What comes back has no say about its neighbours, which may come back, too.
        self.set_marks_of_last(count as usize, marks, stamp, |_| Expand::None)?;
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
