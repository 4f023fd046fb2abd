//! The replicated document: the façade over op log and sequence.

mod apply;
mod editing;
mod edits;
mod entries;
mod going_on;
mod history;
mod intake;
#[cfg(test)]
mod limits_tests;
mod lists;
mod marking;
mod past;
#[cfg(test)]
mod refused_tests;
mod regions;
mod registers;
mod rich;
#[cfg(test)]
mod rich_tests;
mod seeding;
#[cfg(test)]
mod sequence_tests;
mod sequences;
mod snapshot;
#[cfg(test)]
mod tests;
#[cfg_attr(not(feature = "compact"), allow(dead_code, reason = "only the compact profile is written so"))]
mod timed;
mod transaction;
mod trim;
mod undo;

pub use history::{Attribution, DeletedText, History, HistoryStep};
pub use lists::{List, ListMut};
pub use sequences::{Text, TextMut};
pub use transaction::Transaction;
pub use undo::{Selection, UndoManager, UndoOptions, Undone};

use crate::anchor::{Anchor, Side};
use crate::codec::{
    Carried, DeltaWriter, ReplicaNames, TRIMMED, Unknown, check_carried, decode_rich, decode_runs_named,
    decode_single, decode_single_named, read_keystroke, take_rich, write_keystroke, write_single,
};
use crate::error::{ApplyError, EditError};
use crate::event::TextEdit;
use crate::ids::{OpId, ReplicaId, Seq, VersionVector};
use crate::limits::Limits;
use crate::op::{Run, RunKind, Runs};
use crate::op_log::{LocalId, NOT_LISTED, OpLog, Pending, ReplicaIndex, Said};
use crate::sequence::{Place, Sequence, Unit};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;
use edits::Edits;
use regions::Scope;
use rich::{Rich, Stamping};

/// One copy of a replicated text.
///
/// Copies with the same operations hold the same text, in whatever order and however often the
/// operations arrived. Positions count Unicode scalar values, `0 ..= len`; twins whose names end in
/// `_utf16` count UTF-16 code units. In costs, *n* is the number of items: runs of text that were
/// typed in one go, tombstones included.
///
/// # Examples
/// ```
/// use crdt_core::{Doc, ReplicaId, TextEdit};
///
/// let mut alice = Doc::new(ReplicaId::new(1)); // random in earnest
/// let mut bob = Doc::new(ReplicaId::new(2));
///
/// alice.insert(0, "Hello")?;
/// bob.apply(&alice.delta_since(bob.version()))?;
///
/// alice.insert(5, " world")?;
/// bob.delete(0..1)?;
/// bob.insert(0, "J")?;
///
/// bob.apply(&alice.delta_since(bob.version()))?;
/// alice.apply(&bob.delta_since(alice.version()))?;
/// assert_eq!(alice.text(), "Jello world");
/// assert_eq!(alice.text(), bob.text());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Doc {
    replica: ReplicaId,
    /// Its index in the log, once it has issued something; till then [`NOT_LISTED`].
    own: ReplicaIndex,
    version: VersionVector,
    log: OpLog,
    sequence: Sequence,
    pending: Pending,
    /// What is there besides plain text, once anything is.
    rich: Option<Box<Rich>>,
    transaction: Stamping,
    limits: Limits,
    /// What the snapshot held that nothing here knows.
    unknown: Unknown,
}

/// Operations that wait for others, and what they wait for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PendingReport {
    /// How many operations wait.
    pub operations: usize,
    /// The ranges of operations that are missing, in ascending order of replica and seq.
    pub missing: Vec<(ReplicaId, Range<Seq>)>,
}

impl Doc {
    /// Makes an empty document for `replica`.
    ///
    /// Draw a new random id for every document instance that is opened; see [`ReplicaId`].
    pub fn new(replica: ReplicaId) -> Self {
        Self {
            replica,
            own: NOT_LISTED,
            version: VersionVector::new(),
            log: OpLog::default(),
            sequence: Sequence::new(),
            pending: Pending::default(),
            rich: None,
            transaction: Stamping::default(),
            limits: Limits::DEFAULT,
            unknown: Unknown::default(),
        }
    }

    /// Who issues the operations of local edits.
    pub fn replica(&self) -> ReplicaId {
        self.replica
    }

    /// How much [`Doc::apply`] and its likes take from outside.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Sets how much [`Doc::apply`] and its likes take from outside; until then it is [`Limits::DEFAULT`].
    ///
    /// What is here already stays, and what waits does too. A delta of one keystroke (16 bytes at most) always passes.
    ///
    /// # Examples
    /// ```
    /// use crdt_core::codec::Limits;
    /// use crdt_core::{Doc, ReplicaId, VersionVector};
    ///
    /// let mut strangers = Limits::default();
    /// strangers.max_input_bytes = 1 << 20;
    /// let mut doc = Doc::new(ReplicaId::new(1));
    /// doc.set_limits(strangers);
    ///
    /// let mut flood = Doc::new(ReplicaId::new(2));
    /// flood.insert(0, &"x".repeat(2 << 20))?;
    /// assert!(doc.apply(&flood.delta_since(&VersionVector::new())).is_err());
    /// assert!(doc.is_empty() && doc.version().is_empty());
    /// # Ok::<(), crdt_core::EditError>(())
    /// ```
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// The length of the text in scalar values. O(1), and O(log *n*) beside named sequences.
    pub fn len(&self) -> usize {
        self.sequence.main(&self.log).chars
    }

    /// The length of the text in UTF-16 code units. O(1), and O(log *n*) beside named sequences.
    pub fn len_utf16(&self) -> usize {
        self.sequence.main(&self.log).utf16
    }

    /// Whether there is no text. O(1).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text. O(*n* + its bytes).
    pub fn text(&self) -> String {
        if let Some(text) = self.log.text_as_loaded()
            && self.sequence.main_end().is_none()
        {
            return text.into();
        }
        self.read(0..self.len(), self.len_utf16())
    }

    /// A part of the text, in scalar values. O(log *n* + what the part spans).
    ///
    /// # Errors
    /// [`EditError::OutOfBounds`], [`EditError::InvertedRange`].
    pub fn slice(&self, range: Range<usize>) -> Result<String, EditError> {
        self.slice_unit(Unit::Chars, range)
    }

    /// A part of the text, in UTF-16 code units. O(log *n* + what the part spans).
    ///
    /// # Errors
    /// As [`Doc::slice`], and [`EditError::InsideSurrogatePair`].
    pub fn slice_utf16(&self, range_utf16: Range<usize>) -> Result<String, EditError> {
        self.slice_unit(Unit::Utf16, range_utf16)
    }

    fn slice_unit(&self, unit: Unit, range: Range<usize>) -> Result<String, EditError> {
        let range = self.chars_range(unit, range)?;
        Ok(self.read(range.start..range.end, range.len()))
    }

    /// The text in `range`, in scalar values, of about so many bytes.
    fn read(&self, range: Range<usize>, bytes: usize) -> String {
        let mut out = Vec::with_capacity(bytes);
        self.sequence.read(&self.log, range.start, range.end, &mut out);
        String::from_utf8(out).expect("the sequence keeps scalar values whole")
    }

    /// The UTF-16 position of a position in scalar values. O(log *n*).
    ///
    /// # Errors
    /// [`EditError::OutOfBounds`].
    pub fn position_to_utf16(&self, position: usize) -> Result<usize, EditError> {
        let place = self.place(Unit::Chars, position)?;
        Ok(self.sequence.position(place).utf16)
    }

    /// The position in scalar values of a UTF-16 position. O(log *n*).
    ///
    /// # Errors
    /// [`EditError::OutOfBounds`], [`EditError::InsideSurrogatePair`].
    pub fn position_from_utf16(&self, position_utf16: usize) -> Result<usize, EditError> {
        let place = self.place(Unit::Utf16, position_utf16)?;
        Ok(self.sequence.position(place).chars)
    }

    /// Inserts `text` at `position`, in scalar values.
    ///
    /// Text that others insert there at the same time comes to stand in front or behind, never
    /// inside. Empty text inserts nothing. O(log *n*) and the bytes of `text`.
    ///
    /// # Errors
    /// [`EditError::OutOfBounds`]; [`EditError::Full`] once 2^32 - 1 operations of this replica or
    /// bytes of text were inserted, deleted ones included. Nothing has changed then.
    pub fn insert(&mut self, position: usize, text: &str) -> Result<(), EditError> {
        self.insert_unit(Unit::Chars, position, text)
    }

    /// Inserts `text` at `position_utf16`, in UTF-16 code units; else as [`Doc::insert`].
    ///
    /// # Errors
    /// As [`Doc::insert`], and [`EditError::InsideSurrogatePair`].
    pub fn insert_utf16(&mut self, position_utf16: usize, text: &str) -> Result<(), EditError> {
        self.insert_unit(Unit::Utf16, position_utf16, text)
    }

    /// Deletes the text in `range`, in scalar values.
    ///
    /// Text that others insert inside the range at the same time stays. What others delete too is
    /// deleted once. O(*k* log *n*) with *k* the items in the range.
    ///
    /// # Errors
    /// [`EditError::OutOfBounds`], [`EditError::InvertedRange`]; [`EditError::Full`] as for
    /// [`Doc::insert`]. Nothing has changed then.
    pub fn delete(&mut self, range: Range<usize>) -> Result<(), EditError> {
        self.delete_unit(Unit::Chars, range)
    }

    /// Deletes the text in `range_utf16`, in UTF-16 code units; else as [`Doc::delete`].
    ///
    /// # Errors
    /// As [`Doc::delete`], and [`EditError::InsideSurrogatePair`].
    pub fn delete_utf16(&mut self, range_utf16: Range<usize>) -> Result<(), EditError> {
        self.delete_unit(Unit::Utf16, range_utf16)
    }

    /// Starts a transaction: local edits that leave as one delta.
    pub fn transaction(&mut self) -> Transaction<'_> {
        Transaction::new(self)
    }

    /// Everything this document has integrated.
    pub fn version(&self) -> &VersionVector {
        &self.version
    }

    /// Encodes every operation that this document holds and `version` lacks, waiting ones too, as one delta.
    ///
    /// Where nothing is lacking it is a delta of no operations, three bytes, which changes nothing. O(replicas + log of the entries + what it returns). What a snapshot brought is decoded for it if any of
    /// that is asked for, each time: see [`Doc::decode_history_since`].
    pub fn delta_since(&self, version: &VersionVector) -> Vec<u8> {
        if !self.can_tell_since(version) {
            return vec![TRIMMED];
        }
        let log = self.log_since(version);
        let mut writer = DeltaWriter::default();
        let mut waiting =
            self.pending.iter().filter_map(|run| run.since(version.get(run.id.replica))).peekable();
        for (replica, index) in log.by_id() {
            while let Some(run) = waiting.next_if(|run| run.id.replica < replica) {
                writer.push(run);
            }
            write_log(&mut writer, &log, index, version.get(replica), Seq::MAX);
            while let Some(run) = waiting.next_if(|run| run.id.replica == replica) {
                writer.push(run);
            }
        }
        waiting.for_each(|run| writer.push(run));
        let mut out = Vec::new();
        self.with_values(&mut out, &self.values_since(version), |out| writer.finish(out));
        out
    }

    /// Encodes the operations of one replica that have these numbers, as far as this document has
    /// integrated them. O(log of the entries + what it returns); else as [`Doc::delta_since`].
    pub fn delta_of(&self, replica: ReplicaId, seqs: Range<Seq>) -> Vec<u8> {
        let mut out = Vec::new();
        self.delta_of_into(replica, seqs, &mut out);
        out
    }

    /// Appends to `out` what [`Doc::delta_of`] returns: for many small deltas this saves a vector each.
    pub fn delta_of_into(&self, replica: ReplicaId, seqs: Range<Seq>, out: &mut Vec<u8>) {
        // Most of the time, that is what was just typed.
        if replica != self.replica || seqs.end <= seqs.start || !self.keystroke_into(seqs.start, out) {
            self.runs_into(replica, seqs, out);
        }
    }

    /// Appends the delta of the newest own operation, if that is `seq` and a keystroke that takes few bytes.
    #[inline(always)]
    fn keystroke_into(&self, seq: Seq, out: &mut Vec<u8>) -> bool {
        let keystroke = self.log.newest_keystroke(self.own, seq);
        keystroke.is_some_and(|keystroke| write_keystroke(out, self.replica, keystroke))
    }

    #[inline(never)]
    fn runs_into(&self, replica: ReplicaId, seqs: Range<Seq>, out: &mut Vec<u8>) {
        if !self.can_tell(replica, &seqs) {
            return out.push(TRIMMED);
        }
        let log = self.log_of(replica, &seqs);
        self.with_values(out, &self.values_of(replica, &seqs), |out| {
            writer_of(&log, replica, seqs).finish(out);
        });
    }

    /// Appends to `out` what [`Doc::delta_of`] returns, for a connection on which both ends keep names of replicas;
    /// see [`ReplicaNames`]. Only [`Doc::apply_named`] takes it, and it must get there.
    pub fn delta_of_named(
        &self,
        replica: ReplicaId,
        seqs: Range<Seq>,
        names: &mut ReplicaNames,
        out: &mut Vec<u8>,
    ) {
        if !self.can_tell(replica, &seqs) {
            return out.push(TRIMMED);
        }
        let log = self.log_of(replica, &seqs);
        let values = self.values_of(replica, &seqs);
        self.with_values(out, &values, |out| writer_of(&log, replica, seqs).finish_named(names, out));
    }

    /// Appends the delta of the own operations from `from` on.
    #[inline]
    fn newest_into(&self, from: Seq, out: &mut Vec<u8>) {
        if let Some(rich) = &self.rich
            && rich.regions.opened_since(from)
        {
            return self.issued_into(from, out);
        }
        if self.keystroke_into(from, out) {
            return;
        }
        match self.log.newest(self.own, from) {
            Some(said) if self.rich.is_none() => write_single(out, &run_of(&self.log, self.own, said)),
            _ => self.delta_of_into(self.replica, from..Seq::MAX, out),
        }
    }

    /// Applies a delta from another replica and tells what it changed in the visible text.
    ///
    /// Deltas may come in any order and any number of times: what is known already changes
    /// nothing, what refers to something missing waits for it (see [`Doc::pending`]). The edits come in
    /// sequence, each counted in the text that the ones before it left.
    ///
    /// O(1) for a run that goes on where the last one of its writer ended, else O(log *n*) per run of
    /// operations; and their bytes. Elements are found in O(*n*) until a few have been asked for, which builds an
    /// index in O(*n* log *n*); a history written to make siblings meet adds a logarithm. What was opened
    /// from a snapshot may decode its history, once: see [`Doc::from_snapshot`].
    ///
    /// # Errors
    /// Whatever is wrong with the bytes ([`ApplyError::Decode`]) or with what they say; nothing has
    /// changed then.
    pub fn apply(&mut self, delta: &[u8]) -> Result<Vec<TextEdit>, ApplyError> {
        let mut edits = Edits::default();
        self.apply_delta(delta, Some(&mut edits))?;
        Ok(edits.into_list())
    }

    /// Applies a delta as [`Doc::apply`] does, and does not tell what it changed: cheaper by that.
    ///
    /// # Errors
    /// As [`Doc::apply`].
    pub fn apply_silently(&mut self, delta: &[u8]) -> Result<(), ApplyError> {
        self.apply_delta(delta, None)
    }

    /// Applies a delta as [`Doc::apply`] does, one that came over a connection on which both ends keep names of
    /// replicas; see [`ReplicaNames`].
    ///
    /// The names follow whenever the delta can be decoded, so that they stay those of the other end, also if
    /// the document then refuses it.
    ///
    /// # Errors
    /// As [`Doc::apply`].
    pub fn apply_named(
        &mut self,
        delta: &[u8],
        names: &mut ReplicaNames,
    ) -> Result<Vec<TextEdit>, ApplyError> {
        let mut edits = Edits::default();
        if let Some((inner, carried)) = take_rich(delta, &self.limits)? {
            let runs = decode_runs_named(inner, names, &self.limits)?;
            check_carried(&runs, &carried)?;
            self.apply_runs(runs, carried, Some(&mut edits))?;
            return Ok(edits.into_list());
        }
        match decode_single_named(delta, names, &self.limits)? {
            Some(run) => self.apply_run(run, Some(&mut edits))?,
            None => {
                let runs = decode_runs_named(delta, names, &self.limits)?;
                self.apply_runs(runs, Carried::new(), Some(&mut edits))?;
            }
        }
        Ok(edits.into_list())
    }

    #[inline(always)]
    fn apply_delta(&mut self, delta: &[u8], mut edits: Option<&mut Edits>) -> Result<(), ApplyError> {
        // Most of the time, somebody types or deletes on.
        if let Some((replica, keystroke)) = read_keystroke(delta)
            && self.apply_keystroke(replica, keystroke, edits.as_deref_mut())
        {
            if self.rich.is_some() {
                self.settle_statements(edits);
            }
            return Ok(());
        }
        self.apply_any_delta(delta, edits)
    }

    #[inline(never)]
    fn apply_any_delta(&mut self, delta: &[u8], edits: Option<&mut Edits>) -> Result<(), ApplyError> {
        match decode_single(delta, &self.limits)? {
            Some(run) => self.apply_run(run, edits),
            None => {
                self.check_waiting(delta)?;
                let (runs, carried) = decode_rich(delta, &self.limits)?;
                self.apply_runs(runs, carried, edits)
            }
        }
    }

    /// Applies one run, which is the next of its replica nearly always.
    #[inline]
    fn apply_run(&mut self, run: Run<'_>, mut edits: Option<&mut Edits>) -> Result<(), ApplyError> {
        if self.pending.is_empty() && self.apply_next(run, edits.as_deref_mut())? {
            if self.rich.is_some() {
                self.settle_statements(edits);
            }
            return Ok(());
        }
        self.apply_runs(Runs::of(run), Carried::new(), edits)
    }

    /// What waits, and for what. O(waiting runs).
    pub fn pending(&self) -> PendingReport {
        let mut wanted = VersionVector::new();
        for run in self.pending.iter() {
            wanted.raise(run.id.replica, run.id.seq);
            if let Some(needed) = run.needs() {
                wanted.raise(needed.replica, needed.seq + 1);
            }
        }
        let mut missing = Vec::new();
        for (replica, end) in wanted.iter() {
            let mut next = self.version.get(replica);
            for op in self.pending.overlapping(replica, next..end) {
                if op.id.seq > next {
                    missing.push((replica, next..op.id.seq));
                }
                next = op.as_run().end();
            }
            if end > next {
                missing.push((replica, next..end));
            }
        }
        PendingReport { operations: self.pending.operations(), missing }
    }

    /// The place beside the element in front of (`Side::After`) or behind (`Side::Before`) `position`,
    /// in scalar values.
    ///
    /// An anchor after an element stays behind it, so that text inserted at the position comes behind the
    /// anchor; one before an element stays in front of that. At an end of the text without such
    /// an element it is the end itself. O(log *n*).
    ///
    /// # Errors
    /// [`EditError::OutOfBounds`].
    pub fn anchor_at(&self, position: usize, side: Side) -> Result<Anchor, EditError> {
        self.anchor_in(Scope::Main, position, side)
    }

    /// Where `anchor` stands now, in scalar values; the place of a deleted element is where it was.
    ///
    /// `None` if the element was never seen here, or is of a named sequence. O(log *n*).
    pub fn resolve(&self, anchor: &Anchor) -> Option<usize> {
        self.resolve_in(Scope::Main, anchor)
    }

    /// Every element in document order, tombstones included, and whether it is visible. O(elements).
    pub fn elements(&self) -> impl Iterator<Item = (OpId, bool)> + '_ {
        self.sequence.elements().map(|(id, visible)| (self.log.op_id(id), visible))
    }

    /// Stops at once if an invariant of the document does not hold. Slow; for tests.
    #[doc(hidden)]
    pub fn assert_invariants(&self) {
        if !self.log.is_cold() {
            self.sequence.assert_invariants(&self.log);
        }
        self.assert_past_is_sound();
        self.assert_rich_is_sound();
        for replica in self.log.replicas() {
            assert_eq!(self.version.get(replica.id()), replica.next_seq(), "the version is that of the log");
        }
        for run in self.pending.iter() {
            assert!(run.id.seq >= self.version.get(run.id.replica), "nothing that is integrated waits");
        }
    }

    fn check_position(&self, unit: Unit, position: usize) -> Result<(), EditError> {
        let len = unit.of_size(self.sequence.main(&self.log));
        if position > len { Err(EditError::OutOfBounds { position, len }) } else { Ok(()) }
    }

    #[inline(always)]
    fn place(&self, unit: Unit, position: usize) -> Result<Place, EditError> {
        self.check_position(unit, position)?;
        let place = self.sequence.seek(&self.log, unit, position);
        place.map_err(|_| EditError::InsideSurrogatePair { position_utf16: position })
    }

    fn chars_range(&self, unit: Unit, range: Range<usize>) -> Result<Range<usize>, EditError> {
        let Range { start, end } = range;
        if start > end {
            return Err(EditError::InvertedRange { start, end });
        }
        self.check_position(unit, end)?;
        if unit == Unit::Chars {
            return Ok(start..end);
        }
        Ok(self.position_from_utf16(start)?..self.position_from_utf16(end)?)
    }

    /// The number of the next local operation.
    #[inline]
    fn own_seq(&self) -> Seq {
        if self.own == NOT_LISTED { self.version.get(self.replica) } else { self.log.of(self.own).next_seq() }
    }
}

impl fmt::Debug for Doc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doc")
            .field("replica", &self.replica)
            .field("len", &self.len())
            .field("version", &self.version)
            .field("pending", &self.pending.operations())
            .finish_non_exhaustive()
    }
}

fn writer_of(log: &OpLog, replica: ReplicaId, seqs: Range<Seq>) -> DeltaWriter<'_> {
    let mut writer = DeltaWriter::default();
    if let Some(index) = log.index_of(replica) {
        write_log(&mut writer, log, index, seqs.start, seqs.end);
    }
    writer
}

fn write_log<'a>(writer: &mut DeltaWriter<'a>, log: &'a OpLog, replica: ReplicaIndex, from: Seq, to: Seq) {
    for said in log.said(replica, from, to) {
        writer.push(run_of(log, replica, said));
    }
}

fn run_of<'a>(log: &OpLog, replica: ReplicaIndex, said: Said<'a>) -> Run<'a> {
    let (seq, len, kind) = match said {
        Said::Insert { seq, len, placement, text } => {
            (seq, len, RunKind::Insert { anchor: log.anchor(placement), text })
        }
        Said::Delete { seq, len, target, descending } => {
            let target = log.op_id(target);
            (seq, len, RunKind::Delete { target, descending: descending && len > 1 })
        }
    };
    Run { id: log.op_id(LocalId::new(replica, seq)), len, kind }
}

impl Run<'_> {
    /// The last operation that must be integrated before any of the run.
    fn needs(&self) -> Option<OpId> {
        match self.kind {
            RunKind::Insert { anchor, .. } => anchor.element,
            RunKind::Delete { target, descending } => Some(Self::targets(target, self.len, descending).1),
        }
    }
}

/// Runs are checked against the count of their replica first.
fn seq_of(count: usize) -> Seq {
    Seq::try_from(count).expect("checked against the count of the replica")
}
