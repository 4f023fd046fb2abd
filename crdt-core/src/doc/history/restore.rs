//! Going back to a version by saying new things.

use super::then::Then;
use super::versions::is_reserved;
use super::walk::{Cut, Cuts, Piece, Walked};
use crate::doc::Doc;
use crate::doc::edits::Edits;
use crate::error::{EditError, HistoryError};
use crate::event::TextEdit;
use crate::ids::{OpId, Seq, VersionVector};
use crate::json::Json;
use crate::mark::{Expand, Marks};
use crate::marks::{Edge, Ranking, Stretch};
use crate::op_log::LocalId;
use crate::sorted::{SortedMap, SortedSet};
use crate::value::{Mark, Register, Stamp, Value};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

/// What is to be done with some elements.
enum Change {
    Delete(OpId, Seq),
    /// Content comes again, directly behind this element, with these marks.
    Insert {
        last: LocalId,
        text: String,
        embed: Option<Json>,
        marks: Marks,
    },
    /// An entry goes back to where it was put as that.
    Move(OpId, OpId),
    Replace(OpId, Json),
}

/// All that is to be done.
#[derive(Default)]
struct Plan {
    marks: Vec<(Arc<str>, Stretch, Option<Json>)>,
    changes: Vec<Change>,
    registers: Vec<(Arc<str>, Option<Json>)>,
}

impl Doc {
    /// Brings the content back to what it was at an earlier version, by new operations. Tells what that changed.
    ///
    /// Nothing is lost: what was said since stays in the history, what others say at the same time merges as ever, and who
    /// receives this has it as ordinary edits. What showed then and shows now stays, with its ids, so that carets and anchors
    /// in it do; what was inserted since is deleted; what was deleted since is inserted again where it was, with its marks and
    /// embeds. Marks, registers, named texts and lists are as they were, too; names of versions stay. A sequence that was
    /// opened since stays open, and is empty.
    ///
    /// One transaction, which an [`UndoManager`](crate::UndoManager) undoes in one step. O(*n* log *n* + *m* log *m* log *n*)
    /// with *m* the marks.
    ///
    /// # Errors
    /// As [`Doc::text_at`]; [`HistoryError::Edit`] with [`EditError::Full`] where there might not be room for it. Nothing has
    /// changed then.
    ///
    /// # Examples
    /// ```
    /// use crdt_core::{Doc, ReplicaId};
    ///
    /// let mut alice = Doc::new(ReplicaId::new(1));
    /// let mut bob = Doc::new(ReplicaId::new(2));
    /// alice.insert(0, "The plan")?;
    /// let version = alice.version().clone();
    /// alice.delete(4..8)?;
    /// alice.insert(4, "end")?;
    /// bob.apply(&alice.delta_since(bob.version()))?;
    ///
    /// alice.restore(&version)?;
    /// bob.insert(0, "* ")?;
    /// bob.apply(&alice.delta_since(bob.version()))?;
    /// assert_eq!(alice.text(), "The plan");
    /// assert_eq!(bob.text(), "* The plan");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn restore(&mut self, version: &VersionVector) -> Result<Vec<TextEdit>, HistoryError> {
        self.check_version(version)?;
        self.thaw();
        let plan = self.plan(version)?;
        self.check_own_room(self.most_operations(&plan))?;
        let before = self.version.clone();
        self.carry_out(plan)?;
        self.diff(&before, &self.version)
    }

    fn plan(&self, version: &VersionVector) -> Result<Plan, HistoryError> {
        let [now, then] = [Then::of(self, &self.log, &self.version)?, Then::of(self, &self.log, version)?];
        let mut cuts = Cuts::of_regions(self);
        self.add_turns(version, 0, &mut cuts);
        let mut planning = Planning { doc: self, now, then, held: SortedMap::new(), changes: Vec::new() };
        let mut is_content = true;
        self.walk(&cuts, |walked| match walked {
            Walked::Piece(piece) if is_content => planning.compare(piece),
            Walked::Piece(_) => {}
            Walked::Cut(Cut::Turn { name, value: Some(value), .. }) => {
                planning.held.insert(name, value);
            }
            Walked::Cut(Cut::Turn { name, value: None, .. }) => drop(planning.held.remove(name)),
            Walked::Cut(Cut::Enter(_)) => is_content = true,
            Walked::Cut(Cut::Leave) => is_content = false,
        });
        let Planning { now, then, changes, .. } = planning;
        let names: SortedSet<&Arc<str>> = now.register_names().chain(then.register_names()).collect();
        let others =
            names.iter().filter(|name| !is_reserved(name) && now.register(name) != then.register(name));
        let registers = others.map(|name| ((*name).clone(), then.register(name).cloned())).collect();
        Ok(Plan { marks: self.marks_to_say(version), changes, registers })
    }

    /// Where marks hold otherwise than at a version, and what held there.
    fn marks_to_say(&self, version: &VersionVector) -> Vec<(Arc<str>, Stretch, Option<Json>)> {
        let Some(rich) = &self.rich else { return Vec::new() };
        let mut everywhere = vec![Stretch { from: Edge::START, to: Edge::END }];
        everywhere.extend(rich.regions.in_order().iter().map(|region| {
            let (from, to) = Self::edges(region.scope());
            Stretch { from, to }
        }));
        let rank = |said| self.marked_by(version, said).then_some(said);
        let ranking = Ranking { rank: &rank, visit_parts: &|mark, visit| visit(mark.start, mark.end) };
        let mut marks = Vec::new();
        for name in rich.marks.names() {
            let wanted = rich.marks.differing(name, &everywhere, ranking, (&[], ranking), &self.sequence);
            marks.extend(wanted.into_iter().map(|wanted| (name.clone(), wanted.stretch, wanted.value)));
        }
        marks
    }

    /// At least as many operations as a plan takes.
    fn most_operations(&self, Plan { marks, changes, registers }: &Plan) -> usize {
        let names = self.rich.as_ref().map_or(0, |rich| rich.marks.names().count());
        let of_change = |change: &Change| match change {
            Change::Delete(_, len) => *len as usize,
            Change::Insert { text, .. } => text.chars().count().saturating_add(names),
            Change::Move(..) | Change::Replace(..) => 1,
        };
        let statements = marks.len() + registers.len();
        changes.iter().map(of_change).fold(statements, usize::saturating_add)
    }

    /// There has to be room.
    fn carry_out(&mut self, Plan { marks, changes, registers }: Plan) -> Result<(), EditError> {
        let stamp = self.next_stamp();
        let mut edits = Edits::default();
        for (name, Stretch { from, to }, value) in marks {
            let (start, end) = (self.anchor_of(from), self.anchor_of(to));
            self.say(Value::Mark(Mark { start, end, name, value, stamp }))?;
        }
        for change in changes {
            match change {
                Change::Delete(first, len) => {
                    let (mut next, mut rest) = (first, len);
                    while rest > 0 {
                        let count = self.delete_piece(next, rest, &mut edits)?;
                        next.seq += count;
                        rest -= count;
                    }
                }
                Change::Insert { last, text, embed, marks } => {
                    self.insert_again(last, &text, embed, &marks, stamp)?;
                }
                Change::Move(entry, wanted) => self.restate_move(entry, wanted, stamp, &mut edits)?,
                Change::Replace(element, value) => {
                    self.say(Value::Replace { element, value, stamp })?;
                }
            }
        }
        for (name, value) in registers {
            self.say(Value::Register(Register { name, value, stamp }))?;
        }
        Ok(())
    }

    fn insert_again(
        &mut self,
        last: LocalId,
        text: &str,
        embed: Option<Json>,
        marks: &Marks,
        stamp: Stamp,
    ) -> Result<(), EditError> {
        let place = self.sequence.place_behind(&self.log, last);
        let (seq, before) = (self.own_seq(), self.sequence.visible().chars());
        self.insert_at_place(place, text)?;
        if let Some(value) = embed {
            let id = OpId::new(self.replica, seq);
            self.rich_mut().values.insert(id, Value::Embed(value));
        }
        if self.rich.is_none() {
            return Ok(());
        }
        let count = self.sequence.visible().chars() - before;
        self.set_marks_of_last(count, marks, stamp, Some(Expand::None))
    }
}

struct Planning<'a> {
    doc: &'a Doc,
    now: Then<'a>,
    then: Then<'a>,
    /// The marks that held here.
    held: SortedMap<&'a Arc<str>, &'a Json>,
    changes: Vec<Change>,
}

impl<'a> Planning<'a> {
    fn compare(&mut self, mut piece: Piece<'a>) {
        while piece.len > 0 {
            let (is, count) = self.now.stretch(piece.first, piece.len);
            let (was, count) = self.then.stretch(piece.first, count);
            let (mut here, rest) = piece.split(count);
            piece = rest;
            while (is || was) && here.len > 0 {
                let (entry, count) = self.doc.entry_among(here.first, here.len);
                let (part, behind) = here.split(count);
                here = behind;
                match entry {
                    Some(entry) => self.change_entry(entry, part, is, was),
                    None if is && !was => {
                        self.changes.push(Change::Delete(self.doc.log.op_id(part.first), part.len));
                    }
                    None if was && !is => self.insert(part, None),
                    None => {}
                }
            }
        }
    }

    fn insert(&mut self, piece: Piece<'a>, embed: Option<Json>) {
        let pairs = self.held.iter().map(|(&name, &value)| (name.clone(), value.clone())).collect();
        self.changes.push(Change::Insert {
            last: piece.first.plus(piece.len - 1),
            text: piece.text.into(),
            embed,
            marks: Marks::of_sorted(pairs),
        });
    }

    /// An embed shows here now, or did then.
    fn change_entry(&mut self, entry: OpId, piece: Piece<'a>, is: bool, was: bool) {
        let id = self.doc.log.op_id(piece.first);
        if !was {
            if !self.then.shows(self.doc, entry) {
                self.changes.push(Change::Delete(id, 1));
            }
            return;
        }
        let value = self.then.value_of(self.doc, entry);
        if !is && !self.now.shows(self.doc, entry) {
            return self.insert(piece, value.cloned());
        }
        if !is {
            self.changes.push(Change::Move(entry, id));
        }
        if let Some(value) = value.filter(|&value| self.now.value_of(self.doc, entry) != Some(value)) {
            self.changes.push(Change::Replace(entry, value.clone()));
        }
    }
}
