//! Documents to operations in the order of time and back: the compact profile of snapshots.
//!
//! Both sides make the same edits, one to learn at which positions, the other to have them made.

use super::Doc;
use super::history::{Stint, order};
use crate::anchor::Side;
use crate::codec::{Timed, TimedEdit, TimedKind, TimedWriter};
use crate::error::{DecodeError, EditError};
use crate::ids::{ReplicaId, Seq};
use crate::op_log::{
    LocalId, MAX_REPLICAS, MAX_TEXT_BYTES, NOT_LISTED, OpLog, Placement, ReplicaIndex, Said,
};
use crate::sequence::Unit;
use crate::units::Counted;
use crate::value::{CARRIER, Value};
use alloc::vec::Vec;

const INVALID: DecodeError = DecodeError::InvalidValue("edit of a snapshot");

impl Doc {
    /// The operations of `log`, which is this document's without a cold past, in the order of time. `indices` has those of
    /// the replicas with operations, ascending by id.
    ///
    /// `None` where edits do not lead to what shows here: what slots of lists show, their values decide.
    pub(super) fn timed(&self, log: &OpLog, indices: &[ReplicaIndex]) -> Option<TimedWriter> {
        let stints = order(log).ok()?;
        let mut places = alloc::vec![ReplicaIndex::MAX; log.replica_count()];
        let mut doc = Self::new(ReplicaId::new(0));
        for (place, &index) in (0..).zip(indices) {
            places[index as usize] = place;
            doc.log.register(log.of(index).id());
        }
        let mut recorder = Recorder { writer: TimedWriter::default(), position: 0 };
        for Stint { replica, from, to } in stints {
            let place = |id: LocalId| {
                if id == LocalId::START { id } else { LocalId::new(places[id.replica as usize], id.seq) }
            };
            doc.own = places[replica as usize];
            doc.replica = log.of(replica).id();
            for said in log.said(replica, from, to) {
                match said {
                    Said::Insert { seq, len, placement, text } => {
                        let Placement { element, side } = placement;
                        let placement = Placement { element: place(element), side };
                        for (placement, len, text, hidden) in
                            self.parts(LocalId::new(replica, seq), doc.own, placement, len, text)
                        {
                            recorder.insert(&mut doc, placement, len, text, hidden)?;
                        }
                    }
                    Said::Delete { len, target, descending, .. } => {
                        recorder.delete(&mut doc, place(target), len, descending)?;
                    }
                }
            }
        }
        let there = doc.sequence.elements();
        let here = self
            .sequence
            .elements()
            .map(|(id, shows)| (LocalId::new(places[id.replica as usize], id.seq), shows));
        there.eq(here).then_some(recorder.writer)
    }

    /// The parts of a run of which all elements show, or none does: those that carry statements.
    fn parts<'a>(
        &self,
        first: LocalId,
        own: ReplicaIndex,
        placement: Placement,
        len: Seq,
        text: &'a str,
    ) -> Vec<(Placement, Seq, &'a str, bool)> {
        let is_hidden = |seq: Seq| {
            let id = self.log.op_id(LocalId::new(first.replica, seq));
            let value = self.rich.as_ref().and_then(|rich| rich.values.get(&id));
            value.is_some_and(|value| !matches!(value, Value::Embed(_)))
        };
        let mut parts: Vec<(Placement, Seq, &str, bool)> = Vec::new();
        if !self.carries_values(first, len) {
            parts.push((placement, len, text, false));
            return parts;
        }
        let mut rest = text;
        for seq in first.seq..first.seq + len {
            let hidden = is_hidden(seq);
            let bytes = rest.chars().next().map_or(0, char::len_utf8);
            let (one, more) = rest.split_at(bytes);
            match parts.last_mut() {
                Some((_, len, part, was_hidden)) if *was_hidden == hidden => {
                    let end = text.len() - more.len();
                    let start = text.len() - rest.len() - part.len();
                    (*len, *part) = (*len + 1, &text[start..end]);
                }
                _ => {
                    let at = if seq == first.seq {
                        placement
                    } else {
                        Placement { element: LocalId::new(own, seq - 1), side: Side::After }
                    };
                    parts.push((at, 1, one, hidden));
                }
            }
            rest = more;
        }
        parts
    }

    /// A document for `replica` in which the edits of a snapshot were made.
    pub(super) fn make_timed(
        replica: ReplicaId,
        version: &[(ReplicaId, Seq)],
        timed: &Timed<'_>,
    ) -> Result<Self, DecodeError> {
        if timed.text().len() as u64 > MAX_TEXT_BYTES as u64 {
            return Err(DecodeError::LimitExceeded("text of a snapshot"));
        }
        if version.len() > MAX_REPLICAS {
            return Err(DecodeError::LimitExceeded("replicas of a snapshot"));
        }
        let mut doc = Self::new(replica);
        for &(replica, _) in version {
            doc.log.register(replica);
        }
        let mut position = 0;
        let mut edits = timed.edits();
        while let Some(edit) = edits.next()? {
            let &(name, count) = version.get(edit.replica as usize).ok_or(INVALID)?;
            (doc.own, doc.replica) = (edit.replica, name);
            if edit.len > count - doc.log.of(edit.replica).next_seq() {
                return Err(INVALID);
            }
            position = doc.make(&edit, position)?;
        }
        if (0..).zip(version).any(|(index, &(_, count))| doc.log.of(index).next_seq() != count) {
            return Err(INVALID);
        }
        doc.sequence.end_writing();
        doc.version = version.iter().copied().collect();
        (doc.own, doc.replica) = (doc.log.index_of(replica).unwrap_or(NOT_LISTED), replica);
        Ok(doc)
    }

    /// Makes an edit; `position` is where the one before ended. Tells where this one does.
    fn make(&mut self, edit: &TimedEdit<'_>, position: usize) -> Result<usize, DecodeError> {
        let &TimedEdit { len, kind, .. } = edit;
        let visible = self.sequence.visible().chars();
        let jumped = |jump: i64| {
            let position = i64::try_from(position).ok()?.checked_add(jump)?;
            usize::try_from(position).ok().filter(|&position| position <= visible)
        };
        let count = len as usize;
        match kind {
            TimedKind::Insert { jump, text, hidden } => {
                self.insert_timed(jumped(jump).ok_or(INVALID)?, len, text, hidden)
            }
            TimedKind::DeleteUp { jump } => {
                let position = jumped(jump).filter(|position| count <= visible - position).ok_or(INVALID)?;
                self.sequence.delete_at(&mut self.log, self.own, position, count);
                Ok(position)
            }
            TimedKind::DeleteDown { jump } => {
                let position = jumped(jump).filter(|&position| count <= position).ok_or(INVALID)?;
                self.sequence.delete_in_front(&mut self.log, self.own, position, count);
                Ok(position - count)
            }
            TimedKind::InsertBeside { placement, text, hidden } => {
                self.insert_beside(placement, position, len, text, hidden)
            }
            TimedKind::DeleteNamed { target, descending } => {
                let lowest = if descending { target.seq - (len - 1) } else { target.seq };
                if target.replica as usize >= self.log.replica_count()
                    || lowest + (len - 1) >= self.log.of(target.replica).next_seq()
                    || !self.log.are_elements(LocalId::new(target.replica, lowest), len)
                {
                    return Err(INVALID);
                }
                let id = self.log.next_id(self.own);
                self.integrate_delete(id, target, len, descending, None);
                Ok(position)
            }
        }
    }

    /// Inserts as somebody does who types. Tells the position behind.
    fn insert_timed(
        &mut self,
        position: usize,
        len: Seq,
        text: &str,
        hidden: bool,
    ) -> Result<usize, DecodeError> {
        if Counted::of(text).size.chars != len as usize {
            return Err(INVALID);
        }
        self.sequence.settle_for(Unit::Chars, position);
        let place = self.sequence.seek(&self.log, Unit::Chars, position).map_err(|_| INVALID)?;
        if hidden {
            let placement = self.sequence.placement_at(place);
            return self.insert_beside(placement, position, len, text, true);
        }
        match self.put_at_place(place, text) {
            Ok(()) => Ok(position + len as usize),
            Err(EditError::Full) => Err(DecodeError::LimitExceeded("text of a snapshot")),
            Err(_) => Err(INVALID),
        }
    }

    /// Inserts what is placed beside a named element. Tells the position behind, or the one given if nothing shows.
    fn insert_beside(
        &mut self,
        placement: Placement,
        position: usize,
        len: Seq,
        text: &str,
        hidden: bool,
    ) -> Result<usize, DecodeError> {
        let Placement { element, .. } = placement;
        if element != LocalId::START
            && (element.replica as usize >= self.log.replica_count()
                || element.seq >= self.log.of(element.replica).next_seq())
        {
            return Err(INVALID);
        }
        let id = self.log.next_id(self.own);
        let beside = self.sequence.find_beside(placement).ok_or(INVALID)?;
        if !hidden {
            if Counted::of(text).size.chars != len as usize {
                return Err(INVALID);
            }
            self.integrate_insert(id, placement, beside, text, None);
            return Ok(self.sequence.position_of_last_edit().chars);
        }
        if text.len() != CARRIER.len() * len as usize || text.split(CARRIER).any(|other| !other.is_empty()) {
            return Err(INVALID);
        }
        let mut placement = placement;
        for seq in id.seq..id.seq + len {
            let beside = self.sequence.find_beside(placement).ok_or(INVALID)?;
            self.integrate_hidden(LocalId { seq, ..id }, placement, beside);
            placement = Placement { element: LocalId { seq, ..id }, side: Side::After };
        }
        Ok(position)
    }
}

/// Makes edits in a document and writes down what they are.
struct Recorder {
    writer: TimedWriter,
    /// Where the last edit ended.
    position: usize,
}

impl Recorder {
    fn jump(&self, position: usize) -> Option<i64> {
        i64::try_from(position).ok()?.checked_sub(i64::try_from(self.position).ok()?)
    }

    fn push(&mut self, doc: &mut Doc, len: Seq, kind: TimedKind<'_>) -> Option<()> {
        let edit = TimedEdit { replica: doc.own, len, kind };
        self.writer.push(edit);
        self.position = doc.make(&edit, self.position).ok()?;
        Some(())
    }

    fn insert(
        &mut self,
        doc: &mut Doc,
        placement: Placement,
        len: Seq,
        text: &str,
        hidden: bool,
    ) -> Option<()> {
        let kind = match doc.sequence.position_of_typing(&doc.log, placement) {
            Some(position) => TimedKind::Insert { jump: self.jump(position)?, text, hidden },
            None => TimedKind::InsertBeside { placement, text, hidden },
        };
        self.push(doc, len, kind)
    }

    fn delete(&mut self, doc: &mut Doc, target: LocalId, len: Seq, descending: bool) -> Option<()> {
        let (mut next, mut rest) = (target, len);
        while rest > 0 {
            let (count, position) = doc.sequence.stretch(&doc.log, next, rest, descending);
            let kind = match position {
                None => TimedKind::DeleteNamed { target: next, descending: descending && count > 1 },
                Some(start) => {
                    let end = start + count as usize;
                    // A single one goes either way.
                    let down = if len == 1 { self.position == end } else { descending };
                    if down {
                        TimedKind::DeleteDown { jump: self.jump(end)? }
                    } else {
                        TimedKind::DeleteUp { jump: self.jump(start)? }
                    }
                }
            };
            self.push(doc, count, kind)?;
            rest -= count;
            if rest > 0 {
                next.seq = if descending { next.seq - count } else { next.seq + count };
            }
        }
        Some(())
    }
}
