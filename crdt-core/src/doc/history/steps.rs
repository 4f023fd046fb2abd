//! Going through a history, forwards and backwards.

use super::retelling::{Kind, Row, Told};
use crate::authors::Authors;
use crate::doc::Doc;
use crate::doc::edits::{At, Edits};
use crate::error::HistoryError;
use crate::event::TextEdit;
use crate::ids::{ReplicaId, Seq, VersionVector};
use crate::op_log::LocalId;
use crate::units::Size;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

/// One step of a [`History`]: operations of one replica, and what they changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryStep {
    /// Whose.
    pub replica: ReplicaId,
    /// Which of its operations.
    pub seqs: Range<Seq>,
    /// When, in milliseconds since 1970 in UTC, if that was recorded ([`Doc::history_by_time`]).
    pub time_ms: Option<u64>,
    /// What they change, in sequence, in the direction asked for. None, if they delete what others had deleted already.
    pub edits: Vec<TextEdit>,
}

/// How a document became what it is, step by step: for a slider, a replay, a film.
///
/// A copy of its own: the document can be edited meanwhile, and the history stays that of the moment when it was made. It
/// stands between two steps, at first in front of all. A step is a run that was typed or deleted in one go, or
/// ([`History::by_operation`]) a single operation. Nobody knows in which order people who worked at once said things. Here
/// one goes on until what he did next needs something from another; everything stands behind what it refers to, and at every
/// step the text is one that a document could have had.
///
/// # Examples
/// ```
/// use crdt_core::{Doc, ReplicaId};
///
/// let mut doc = Doc::new(ReplicaId::new(1));
/// doc.insert(0, "Hello")?;
/// doc.delete(1..5)?;
/// doc.insert(1, "i")?;
///
/// let mut history = doc.history()?;
/// let texts: Vec<String> = std::iter::from_fn(|| history.next().map(|_| history.text())).collect();
/// assert_eq!(texts, ["Hello", "H", "Hi"]);
/// history.previous();
/// history.previous();
/// assert_eq!(history.text(), "Hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct History {
    told: Told,
    is_by_operation: bool,
    index: usize,
    /// The row that comes next, and how many of its operations are in front.
    row: usize,
    offset: Seq,
    version: VersionVector,
}

impl Doc {
    /// How the document became what it is. What waits for missing operations is not in it.
    ///
    /// It starts with nothing, or with what stood where the past was trimmed ([`Doc::floor`]). O(*n* log *n*): everything is
    /// integrated once more.
    ///
    /// # Errors
    /// [`HistoryError::Circular`] where a made-up snapshot was opened.
    pub fn history(&self) -> Result<History, HistoryError> {
        Ok(History::of(self.tell(None)?))
    }

    /// As [`Doc::history`], in the order of the times in `authors`, as far as everything stays behind what it refers to; what
    /// was not recorded goes with what its replica did before. A run ends where the recorded time changes.
    ///
    /// # Errors
    /// As [`Doc::history`].
    pub fn history_by_time(&self, authors: &Authors) -> Result<History, HistoryError> {
        Ok(History::of(self.tell(Some(authors))?))
    }
}

impl History {
    fn of(told: Told) -> Self {
        Self { is_by_operation: false, index: 0, row: 0, offset: 0, version: told.doc.floor(), told }
    }

    /// The same with a step for every operation: for every character inserted or deleted. Starts in front of all.
    #[must_use]
    pub fn by_operation(self) -> Self {
        Self { is_by_operation: true, ..Self::of(self.told) }
    }

    /// How many steps there are.
    #[expect(clippy::len_without_is_empty, reason = "nobody makes a history of nothing to ask that")]
    pub fn len(&self) -> usize {
        if self.is_by_operation { self.operations() } else { self.told.steps.len() }
    }

    fn operations(&self) -> usize {
        let last = self.told.rows.last().zip(self.told.before.last());
        last.map_or(0, |(row, before)| usize::try_from(before + u64::from(row.len)).unwrap_or(usize::MAX))
    }

    /// How many steps are in front, 0 to [`History::len`].
    pub fn position(&self) -> usize {
        self.index
    }

    /// The version at this point: what [`Doc::text_at`], [`Doc::at`] and [`Doc::restore`] take.
    pub fn version(&self) -> &VersionVector {
        &self.version
    }

    /// The text at this point. O(*n* + *e* log *e*), as [`Doc::text_at`]; edits are cheaper.
    pub fn text(&self) -> String {
        self.told.doc.text_at(&self.version).expect("every point is a state")
    }

    /// The document at this point, with everything in it, for `replica`, a new random id. As [`Doc::at`].
    ///
    /// # Errors
    /// As there.
    pub fn doc(&self, replica: ReplicaId) -> Result<Doc, HistoryError> {
        self.told.doc.at(replica, &self.version)
    }

    /// Goes back one step, and tells the edits that undo it: what was deleted comes back, with its marks. `None` at the start.
    pub fn previous(&mut self) -> Option<HistoryStep> {
        let index = self.index.checked_sub(1)?;
        let (row, offset) = self.place(index);
        Some(self.walk(index, row, offset, false))
    }

    /// Goes in front of a step, or to the end, and tells the edits that lead there from here: as few as the difference takes.
    ///
    /// O(rows between) to find the place, and [`Doc::diff`].
    pub fn seek(&mut self, index: usize) -> Vec<TextEdit> {
        let index = index.min(self.len());
        let before = self.version.clone();
        let (row, offset) = self.place(index);
        let is_forwards = index > self.index;
        let (first, last) = if is_forwards { (self.row, row) } else { (row, self.row) };
        let rows = &self.told.rows[first..(last + 1).min(self.told.rows.len())];
        let mut set = |one: &Row, upto: Seq| {
            if one.len > 0 {
                self.version.set(self.told.doc.log.of(one.replica).id(), upto);
            }
        };
        if is_forwards {
            for (at, one) in (first..).zip(rows) {
                if at < row || offset > 0 {
                    set(one, one.seq + if at < row { one.len } else { offset });
                }
            }
        } else {
            for (index, one) in rows.iter().enumerate().rev() {
                set(one, if first + index == row { one.seq + offset } else { one.seq });
            }
        }
        (self.index, self.row, self.offset) = (index, row, offset);
        self.told.doc.diff(&before, &self.version).expect("every point is a state")
    }

    /// Goes in front of the first step that is later than a time, in milliseconds since 1970 in UTC; as [`History::seek`].
    ///
    /// Steps without a recorded time go with the one in front. O(rows).
    pub fn seek_time(&mut self, time_ms: u64) -> Vec<TextEdit> {
        let later = self.told.times.iter().position(|time| time.is_some_and(|time| time > time_ms));
        let index = match later {
            None => self.len(),
            Some(row) if self.is_by_operation => usize::try_from(self.told.before[row]).unwrap_or(usize::MAX),
            Some(row) => self.told.steps.partition_point(|&first| first < row),
        };
        self.seek(index)
    }

    /// The row that follows behind so many steps, and how many of its operations are in front.
    fn place(&self, index: usize) -> (usize, Seq) {
        if index >= self.len() {
            return (self.told.rows.len(), 0);
        }
        if !self.is_by_operation {
            return (self.told.steps[index], 0);
        }
        let operations = index as u64;
        // The last that starts there: what became of statements belongs to the step in front.
        let row = self.told.before.partition_point(|&before| before <= operations) - 1;
        let offset =
            Seq::try_from(operations - self.told.before[row]).expect("a row is a run of one replica");
        (row, offset)
    }

    /// Goes to a neighbouring place.
    fn walk(&mut self, index: usize, row: usize, offset: Seq, is_forwards: bool) -> HistoryStep {
        let (start, end) = ((self.row, self.offset), (row, offset));
        let (from, to) = if is_forwards { (start, end) } else { (end, start) };
        let mut parts = Vec::with_capacity(1);
        for at in from.0..=to.0 {
            let Some(&row) = self.told.rows.get(at) else { break };
            let first = if at == from.0 { from.1 } else { 0 };
            let last = if at == to.0 { to.1 } else { row.len };
            if last > first || row.len == 0 && at < to.0 {
                parts.push((at, row, first, last));
            }
        }
        let mut spoken = parts.iter().filter(|(_, row, ..)| row.len > 0);
        let &(place, said, first, last) = spoken.next().expect("a step has operations");
        let end = spoken.next_back().map_or(said.seq + last, |(_, row, _, last)| row.seq + last);
        let seqs = said.seq + first..end;
        let replica = self.told.doc.log.of(said.replica).id();
        let time_ms = self.told.times.get(place).copied().flatten();
        let is_known = |(_, row, ..): &(usize, Row, Seq, Seq)| {
            row.kind != Kind::Other || self.told.others[row.extra as usize].backward.is_some()
        };
        let edits = if is_forwards || parts.iter().all(is_known) {
            let mut edits = Retold { history: self, edits: Edits::default(), list: Vec::new() };
            if is_forwards {
                parts.iter().for_each(|&(_, row, first, last)| edits.forward(row, first, last));
            } else {
                parts.iter().rev().for_each(|&(_, row, first, last)| edits.backward(row, first, last));
            }
            edits.into_list()
        } else {
            let mut before = self.version.clone();
            before.set(replica, seqs.start);
            self.told.doc.diff(&self.version, &before).expect("every point is a state")
        };
        self.version.set(replica, if is_forwards { seqs.end } else { seqs.start });
        (self.index, self.row, self.offset) = (index, row, offset);
        HistoryStep { replica, seqs, time_ms, edits }
    }

    /// The text of elements.
    fn text_of(&self, first: LocalId, count: Seq) -> String {
        self.told.doc.log.text_of(first, count)
    }
}

impl Iterator for History {
    type Item = HistoryStep;

    /// Goes on one step, and tells the edits that it made. `None` at the end.
    fn next(&mut self) -> Option<HistoryStep> {
        if self.index >= self.len() {
            return None;
        }
        let (row, offset) = self.place(self.index + 1);
        Some(self.walk(self.index + 1, row, offset, true))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.len() - self.index;
        (left, Some(left))
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History")
            .field("position", &self.index)
            .field("len", &self.len())
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// The edits of a step, while they are collected.
struct Retold<'a> {
    history: &'a History,
    edits: Edits,
    list: Vec<TextEdit>,
}

impl Retold<'_> {
    fn into_list(mut self) -> Vec<TextEdit> {
        if self.list.is_empty() {
            return self.edits.into_list();
        }
        self.list.extend(self.edits.into_list());
        self.list
    }

    fn tell(&mut self, told: Vec<TextEdit>) {
        self.list.extend(core::mem::take(&mut self.edits).into_list());
        self.list.extend(told);
    }

    /// The text of some operations of a row, and where it stands.
    fn content(&self, row: &Row, first: Seq, last: Seq) -> (String, Size) {
        let skipped = if row.kind == Kind::DeleteDown { row.len - last } else { first };
        let text = self.history.text_of(row.element.plus(skipped), last - first);
        let mut at = row.position();
        // Deleted upwards, each stood where the one before it did.
        if row.kind != Kind::DeleteUp {
            let utf16 = if row.is_narrow || skipped == 0 {
                skipped as usize
            } else {
                Size::of(&self.history.text_of(row.element, skipped)).utf16
            };
            at = Size { chars: at.chars + skipped as usize, utf16: at.utf16 + utf16 };
        }
        (text, at)
    }

    fn forward(&mut self, row: Row, first: Seq, last: Seq) {
        match row.kind {
            Kind::Insert => self.insert(&row, first, last),
            Kind::DeleteUp | Kind::DeleteDown => self.delete(&row, first, last),
            Kind::Silent => {}
            Kind::Other => self.tell(self.history.told.others[row.extra as usize].forward.clone()),
        }
    }

    fn backward(&mut self, row: Row, first: Seq, last: Seq) {
        match row.kind {
            Kind::Insert => self.delete(&row, first, last),
            Kind::DeleteUp | Kind::DeleteDown => self.insert(&row, first, last),
            Kind::Silent => {}
            Kind::Other => {
                let told = self.history.told.others[row.extra as usize].backward.clone();
                self.tell(told.unwrap_or_default());
            }
        }
    }

    fn insert(&mut self, row: &Row, first: Seq, last: Seq) {
        let (text, position) = self.content(row, first, last);
        let extra = &self.history.told.extras[row.extra as usize];
        let at = At { region: extra.region.as_ref(), position };
        match &extra.embed {
            Some(value) => self.edits.embed(at, value.clone(), extra.marks.clone()),
            None => self.edits.insert(at, &text, extra.marks.clone()),
        }
    }

    fn delete(&mut self, row: &Row, first: Seq, last: Seq) {
        let (text, position) = self.content(row, first, last);
        let extra = &self.history.told.extras[row.extra as usize];
        self.edits.delete(At { region: extra.region.as_ref(), position }, Size::of(&text));
    }
}
