//! A history told again from the start, to learn where each operation was felt.
//!
//! What was said is integrated into an empty document, run by run, through the same code as any edit. Each run leaves rows:
//! where it inserted or deleted how much. Text is not kept again, the log has it.

use super::order::{Stint, order_by_time, order_with};
use crate::anchor::Side;
use crate::authors::Authors;
use crate::doc::Doc;
use crate::doc::edits::{At, Edits};
use crate::doc::regions::Region;
use crate::error::HistoryError;
use crate::event::TextEdit;
use crate::ids::Seq;
use crate::json::Json;
use crate::mark::Marks;
use crate::marks::{Edge, Stretch};
use crate::op_log::{LocalId, OpLog, Placement, ReplicaIndex, Said};
use crate::sorted::sort_by_key;
use crate::units::{Size, byte_of};
use crate::value::{CARRIER, Mark, Value};
use alloc::vec;
use alloc::vec::Vec;

/// What some operations of one replica, in a row, did at one place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) replica: ReplicaIndex,
    pub(super) seq: Seq,
    /// How many operations; 0 for what became of earlier statements through the row before.
    pub(super) len: Seq,
    pub(super) kind: Kind,
    /// The first element inserted, or the lowest deleted.
    pub(super) element: LocalId,
    /// In which text, with which marks: a place in [`Told::extras`], or of [`Kind::Other`] in [`Told::others`].
    pub(super) extra: u32,
    /// Where the lowest element stood or stands.
    position: u32,
    position_utf16: u32,
    /// Whether all of it takes one UTF-16 code unit each.
    pub(super) is_narrow: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Insert,
    /// The lowest first.
    DeleteUp,
    /// The highest first.
    DeleteDown,
    /// Nothing that shows.
    Silent,
    /// A statement.
    Other,
}

impl Row {
    pub(super) fn position(&self) -> Size {
        Size { chars: self.position as usize, utf16: self.position_utf16 as usize }
    }
}

/// What elements have besides their text.
#[derive(Clone, Default)]
pub(super) struct Extra {
    pub(super) region: Option<Region>,
    pub(super) marks: Marks,
    pub(super) embed: Option<Json>,
}

/// What a statement changed.
#[derive(Clone)]
pub(super) struct Other {
    pub(super) forward: Vec<TextEdit>,
    /// `None` if that has to be found out by comparing.
    pub(super) backward: Option<Vec<TextEdit>>,
}

/// A history as rows.
#[derive(Clone)]
pub(super) struct Told {
    /// Everything, without a past that is cold.
    pub(super) doc: Doc,
    pub(super) rows: Vec<Row>,
    /// How many operations are in front of each row.
    pub(super) before: Vec<u64>,
    /// The first row of each run.
    pub(super) steps: Vec<usize>,
    /// Of each row, if times are known.
    pub(super) times: Vec<Option<u64>>,
    /// The first is of the main text, without marks.
    pub(super) extras: Vec<Extra>,
    pub(super) others: Vec<Other>,
}

impl Doc {
    /// Tells everything again.
    pub(super) fn tell(&self, authors: Option<&Authors>) -> Result<Told, HistoryError> {
        let log = self.warm_log();
        let needs = self.needs();
        let in_order = |needs: &_| match authors {
            None => order_with(&log, needs),
            Some(authors) => {
                // What was not recorded goes with what its replica did before.
                let mut last = vec![0; log.replica_count()];
                order_by_time(&log, needs, |id| {
                    let (time, until) = authors.time_from(log.op_id(id));
                    let last = &mut last[id.replica as usize];
                    *last = time.unwrap_or(*last);
                    (*last, until)
                })
            }
        };
        // Nobody has to have seen what a statement names, and somebody may have made that up.
        let order =
            in_order(&needs).or_else(|_| in_order(&Vec::new())).map_err(|_| HistoryError::Circular)?;
        let mut teller = Teller::new(self, &log, authors, self.base(&log, self.replica)?);
        for stint in order {
            teller.say(stint);
        }
        teller.told.doc.limits = self.limits;
        Ok(teller.told)
    }

    /// The elements that statements name, by statement.
    fn needs(&self) -> Vec<(LocalId, LocalId)> {
        let values = self.rich.iter().flat_map(|rich| &rich.values);
        let statements = values.filter_map(|(&id, value)| Some((self.local(id)?, value)));
        let mut needs: Vec<_> = statements
            .flat_map(|(local, value)| {
                let named = value.elements().filter_map(|element| self.local(element));
                named.map(move |element| (local, element)).collect::<Vec<_>>()
            })
            .collect();
        sort_by_key(&mut needs, |&need| need);
        needs
    }
}

struct Teller<'a> {
    source: &'a Doc,
    log: &'a OpLog,
    authors: Option<&'a Authors>,
    told: Told,
    /// Where the last run would go on: its next operation and its time.
    goes_on: Option<(LocalId, Option<u64>)>,
    time: Option<u64>,
}

impl<'a> Teller<'a> {
    /// `doc` is what to start with, with the same indices as `log`.
    fn new(source: &'a Doc, log: &'a OpLog, authors: Option<&'a Authors>, doc: Doc) -> Self {
        let told = Told {
            doc,
            rows: Vec::new(),
            before: Vec::new(),
            steps: Vec::new(),
            times: Vec::new(),
            extras: vec![Extra::default()],
            others: Vec::new(),
        };
        Self { source, log, authors, told, goes_on: None, time: None }
    }

    fn say(&mut self, Stint { replica, from, to }: Stint) {
        let mut at = from;
        while at < to {
            let mut end = to;
            if let Some(authors) = self.authors {
                let (time, until) = authors.time_from(self.log.op_id(LocalId::new(replica, at)));
                (self.time, end) = (time, end.min(until));
            }
            let log = self.log;
            for said in log.said(replica, at, end) {
                match said {
                    Said::Insert { seq, len, placement, text } => {
                        self.insert(LocalId::new(replica, seq), len, placement, text);
                    }
                    Said::Delete { seq, len, target, descending } => {
                        self.delete(LocalId::new(replica, seq), target, len, descending && len > 1);
                    }
                }
            }
            at = end;
        }
    }

    /// A run starts here, unless text is typed on.
    fn start(&mut self, id: LocalId, is_typed_on: bool, len: Seq) {
        if !is_typed_on || self.goes_on != Some((id, self.time)) {
            self.told.steps.push(self.told.rows.len());
        }
        self.goes_on = Some((id.plus(len), self.time));
    }

    fn push(&mut self, row: Row) {
        let before = self.told.rows.last().zip(self.told.before.last());
        self.told.before.push(before.map_or(0, |(last, before)| before + u64::from(last.len)));
        self.told.rows.push(row);
        if self.authors.is_some() {
            self.told.times.push(self.time);
        }
    }

    fn insert(&mut self, id: LocalId, len: Seq, placement: Placement, text: &str) {
        let is_typed_on = id.seq > 0
            && placement == Placement { element: LocalId::new(id.replica, id.seq - 1), side: Side::After };
        self.start(id, is_typed_on, len);
        if !self.source.is_rich() {
            return self.insert_shown(id, len, placement, text, None);
        }
        let (mut id, mut rest, mut text, mut placement) = (id, len, text, placement);
        while rest > 0 {
            let carrier = self.source.next_carrier(self.source_id(id), rest).map(|seq| seq - id.seq);
            let taken = carrier.unwrap_or(rest).max(1);
            let (part, behind) = text.split_at(byte_of(text, taken as usize));
            if carrier == Some(0) {
                self.insert_carrier(id, placement);
            } else {
                self.insert_shown(id, taken, placement, part, None);
            }
            self.settle();
            placement = Placement { element: id.plus(taken - 1), side: Side::After };
            (id, rest, text) = (id.plus(taken), rest - taken, behind);
        }
    }

    /// Logs have the same indices.
    fn source_id(&self, id: LocalId) -> LocalId {
        id
    }

    fn insert_shown(&mut self, id: LocalId, len: Seq, placement: Placement, text: &str, embed: Option<Json>) {
        let doc = &mut self.told.doc;
        let beside = doc.find_beside(placement);
        doc.integrate_insert(id, placement, beside, text, None);
        let op_id = doc.log.op_id(id);
        doc.version.set(op_id.replica, id.seq + len);
        let (end, size) = (doc.sequence.position_of_last_edit(), Size::of(text));
        let start = Size { chars: end.chars - size.chars, utf16: end.utf16 - size.utf16 };
        let marks = doc.marks_of_new(id, len);
        let at = place_of(doc.event_at(id, start));
        self.row(id, len, Kind::Insert, (id, size), at, marks, embed);
    }

    /// What operations did with elements at a place; nothing that shows if there is none.
    #[expect(clippy::too_many_arguments, reason = "the fields of a row")]
    fn row(
        &mut self,
        id: LocalId,
        len: Seq,
        kind: Kind,
        (element, size): (LocalId, Size),
        at: Option<(Option<Region>, Size)>,
        marks: Marks,
        embed: Option<Json>,
    ) {
        let LocalId { replica, seq } = id;
        let Some((region, position)) = at else { return self.silent(id, len) };
        let extra = self.extra(Extra { region, marks, embed });
        let (position, position_utf16) = (narrow(position.chars), narrow(position.utf16));
        let is_narrow = size.chars == size.utf16;
        self.push(Row { replica, seq, len, kind, element, extra, position, position_utf16, is_narrow });
    }

    fn silent(&mut self, id: LocalId, len: Seq) {
        self.push(Row::nowhere(id, len, Kind::Silent, 0));
    }

    fn extra(&mut self, new: Extra) -> u32 {
        let extras = &mut self.told.extras;
        if new.region.is_none() && new.marks.is_empty() && new.embed.is_none() {
            return 0;
        }
        let is_same = |last: &Extra| {
            let name = |extra: &Extra| extra.region.as_ref().map(|region| (region.name.clone(), region.kind));
            last.marks == new.marks && last.embed == new.embed && name(last) == name(&new)
        };
        if !extras.last().is_some_and(is_same) {
            extras.push(new);
        }
        narrow(extras.len() - 1)
    }

    fn insert_carrier(&mut self, id: LocalId, placement: Placement) {
        let op_id = self.log.op_id(id);
        let Some(value) = self.source.rich.as_ref().and_then(|rich| rich.values.get(&op_id)) else {
            return self.insert_shown(id, 1, placement, CARRIER, None);
        };
        self.told.doc.rich_mut().values.insert(op_id, value.clone());
        if let Value::Embed(json) = value {
            return self.insert_shown(id, 1, placement, CARRIER, Some(json.clone()));
        }
        let doc = &mut self.told.doc;
        let beside = doc.find_beside(placement);
        doc.integrate_hidden(id, placement, beside);
        doc.version.set(op_id.replica, id.seq + 1);
        let before = Before::of(doc, value);
        let mut edits = Edits::default();
        doc.take_up(op_id, Some(&mut edits));
        let forward = edits.into_list();
        if forward.is_empty() {
            return self.silent(id, 1);
        }
        let backward = before.inverse(&forward);
        self.other(id, 1, Other { forward, backward });
    }

    fn other(&mut self, id: LocalId, len: Seq, other: Other) {
        self.told.others.push(other);
        let place = narrow(self.told.others.len() - 1);
        self.push(Row::nowhere(id, len, Kind::Other, place));
    }

    /// What waited for what has just come.
    fn settle(&mut self) {
        if self.told.doc.rich.as_ref().is_none_or(|rich| rich.waiting.is_empty()) {
            return;
        }
        let mut edits = Edits::default();
        self.told.doc.settle_statements(Some(&mut edits));
        let forward = edits.into_list();
        if !forward.is_empty() {
            self.other(LocalId::new(0, 0), 0, Other { forward, backward: None });
        }
    }

    fn delete(&mut self, id: LocalId, target: LocalId, len: Seq, descending: bool) {
        self.start(id, false, len);
        let below = if descending { len - 1 } else { 0 };
        let lowest = LocalId::new(target.replica, target.seq - below);
        let pieces = self.pieces(lowest, len);
        let count = pieces.len();
        for index in 0..count {
            let (first, taken, shows) = pieces[if descending { count - 1 - index } else { index }];
            let skipped =
                if descending { lowest.seq + len - (first.seq + taken) } else { first.seq - lowest.seq };
            self.delete_piece(id.plus(skipped), first, taken, shows, descending);
        }
        let doc = &mut self.told.doc;
        doc.append_delete(id.replica, target, len, descending);
        let replica = doc.log.of(id.replica).id();
        doc.version.set(replica, id.seq + len);
        self.settle();
    }

    /// These elements by items, and where marks or values are between them; and whether they are visible.
    fn pieces(&self, lowest: LocalId, len: Seq) -> Vec<(LocalId, Seq, bool)> {
        let doc = &self.told.doc;
        let (mut next, mut rest) = (lowest, len);
        let mut pieces = Vec::with_capacity(1);
        while rest > 0 {
            let (count, shows) = doc.sequence.piece(next, rest).unwrap_or((rest, false));
            let count = if doc.rich.is_some() { doc.marks_of_piece(next, count).0 } else { count };
            pieces.push((next, count, shows));
            next = next.plus(count);
            rest -= count;
        }
        pieces
    }

    fn delete_piece(&mut self, id: LocalId, first: LocalId, len: Seq, shows: bool, descending: bool) {
        let doc = &mut self.told.doc;
        let kind = if descending { Kind::DeleteDown } else { Kind::DeleteUp };
        let Some(_) = &doc.rich else {
            let (_, gone) = doc.sequence.integrate_delete(&doc.log, first, len as usize);
            return match gone {
                None => self.silent(id, len),
                Some(size) => {
                    let position = doc.sequence.position_of_last_edit();
                    self.row(id, len, kind, (first, size), Some((None, position)), Marks::NONE, None);
                }
            };
        };
        // Where an entry of a list was deleted, it goes from where it shows.
        let op_id = doc.log.op_id(first);
        let entry = doc.entry_of(op_id);
        let slot = entry.and_then(|entry| doc.slot_of(entry)).unwrap_or(first);
        let shows = if slot == first { shows } else { doc.sequence.is_visible(slot) };
        let gone = shows.then(|| {
            let marks = doc.marks_of(slot);
            let embed = entry.and_then(|entry| doc.shown_value(entry)).cloned();
            let [from, to] =
                [Edge::before(slot), Edge::after(slot.plus(len - 1))].map(|edge| doc.position_of_edge(edge));
            let size = Size { chars: to.chars - from.chars, utf16: to.utf16 - from.utf16 };
            (size, place_of(doc.event_at(slot, from)), marks, embed)
        });
        doc.sequence.integrate_delete(&doc.log, first, len as usize);
        if doc.has_slots() {
            doc.kill_among(first, len, None);
        }
        match gone {
            None => self.silent(id, len),
            Some((size, at, marks, embed)) => self.row(id, len, kind, (slot, size), at, marks, embed),
        }
    }
}

impl Row {
    fn nowhere(id: LocalId, len: Seq, kind: Kind, extra: u32) -> Self {
        let LocalId { replica, seq } = id;
        let element = id;
        Self { replica, seq, len, kind, element, extra, position: 0, position_utf16: 0, is_narrow: true }
    }
}

/// What was where a statement will change it.
enum Before {
    Register(Option<Json>),
    Value(Option<Json>),
    Moved(Option<Json>, Marks),
    /// From where on a mark had which value.
    Marked(Vec<(Size, Option<Json>)>),
    Unknown,
}

impl Before {
    /// `value` is that of a statement that was integrated and not yet taken up.
    fn of(doc: &Doc, value: &Value) -> Self {
        match value {
            Value::Register(register) => Self::Register(doc.get(&register.name).cloned()),
            Value::Replace { element, .. } => Self::Value(doc.shown_value(*element).cloned()),
            Value::Move { element, .. } => {
                let marks = doc.slot_of(*element).map_or(Marks::NONE, |slot| doc.marks_of(slot));
                Self::Moved(doc.shown_value(*element).cloned(), marks)
            }
            Value::Mark(mark) => Self::of_mark(doc, mark).unwrap_or(Self::Unknown),
            _ => Self::Unknown,
        }
    }

    fn of_mark(doc: &Doc, mark: &Mark) -> Option<Self> {
        let (from, to) = (doc.edge_of(&mark.start).ok()?, doc.edge_of(&mark.end).ok()?);
        let mut turns = Vec::new();
        doc.rich.as_ref()?.marks.visit_between(
            &mark.name,
            Stretch { from, to },
            &doc.sequence,
            |edge, value| {
                if let Some((_, position)) = place_of(doc.event_at_edge(edge, doc.position_of_edge(edge))) {
                    turns.push((position, value.cloned()));
                }
            },
        );
        Some(Self::Marked(turns))
    }

    /// What undoes some edits.
    fn inverse(&self, forward: &[TextEdit]) -> Option<Vec<TextEdit>> {
        let mut backward = Vec::new();
        for edit in forward.iter().rev() {
            match edit {
                TextEdit::In { name, kind, edit } => {
                    let inner = self.inverse_of(edit)?;
                    backward.extend(inner.into_iter().map(|edit| TextEdit::In {
                        name: name.clone(),
                        kind: *kind,
                        edit: edit.into(),
                    }));
                }
                edit => backward.extend(self.inverse_of(edit)?),
            }
        }
        Some(backward)
    }

    fn inverse_of(&self, edit: &TextEdit) -> Option<Vec<TextEdit>> {
        let edit = match (self, edit) {
            (Self::Register(held), TextEdit::Register { name, .. }) => {
                TextEdit::Register { name: name.clone(), value: held.clone() }
            }
            (Self::Value(Some(shown)), TextEdit::Replace { position, position_utf16, marks, .. }) => {
                let (position, position_utf16, marks) = (*position, *position_utf16, marks.clone());
                TextEdit::Replace { position, position_utf16, value: shown.clone(), marks }
            }
            (Self::Moved(..), TextEdit::Embed { position, position_utf16, .. }) => {
                let (position, position_utf16) = (*position, *position_utf16);
                TextEdit::Delete { position, position_utf16, len: 1, len_utf16: 1 }
            }
            (Self::Moved(Some(value), marks), TextEdit::Delete { position, position_utf16, len: 1, .. }) => {
                let (position, position_utf16) = (*position, *position_utf16);
                TextEdit::Embed { position, position_utf16, value: value.clone(), marks: marks.clone() }
            }
            (Self::Marked(turns), TextEdit::Mark { position, position_utf16, len, len_utf16, name, .. }) => {
                let from = Size { chars: *position, utf16: *position_utf16 };
                let to = Size { chars: position + len, utf16: position_utf16 + len_utf16 };
                let mut edits = Edits::default();
                for (index, (start, value)) in turns.iter().enumerate() {
                    let start = if start.chars < from.chars { from } else { *start };
                    let end = turns.get(index + 1).map_or(to, |(end, _)| *end);
                    let end = if end.chars > to.chars { to } else { end };
                    let at = |position| At { region: None, position };
                    edits.mark(at(start), at(end), name, value.as_ref());
                }
                return Some(edits.into_list());
            }
            _ => return None,
        };
        Some(vec![edit])
    }
}

fn place_of(at: Option<At<'_>>) -> Option<(Option<Region>, Size)> {
    at.map(|At { region, position }| (region.cloned(), position))
}

/// Positions, and places in lists of what operations did, fit 32 bits.
fn narrow(count: usize) -> u32 {
    u32::try_from(count).expect("there are fewer than 2^32 bytes of text")
}
