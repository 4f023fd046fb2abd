//! Reading what was, and telling what changed between two versions.

use super::then::Then;
use super::versions::is_reserved;
use super::walk::{Cut, Cuts, Piece, Walked};
use crate::anchor::Side;
use crate::doc::edits::{At, Edits};
use crate::doc::regions::{Region, Scope};
use crate::doc::{Doc, Text};
use crate::error::{EditError, HistoryError};
use crate::event::TextEdit;
use crate::ids::{OpId, ReplicaId, Seq, VersionVector};
use crate::json::Json;
use crate::mark::{Marks, TextRun};
use crate::op::{Row, RowKind, Runs};
use crate::op_log::{LocalId, OpLog, Placement, ReplicaLog, Said};
use crate::sequence::Unit;
use crate::sorted::{SortedMap, SortedSet};
use crate::units::{Size, byte_of, chars_before_utf16};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::{ControlFlow, Range};

impl Doc {
    /// The text at an earlier version: of this or any other copy, as long as everything in it was seen here.
    ///
    /// One pass over the document, nothing is replayed: O(*n* + *e* log *e*) with *e* the runs of operations said. What a
    /// snapshot brought is decoded for it each time; [`Doc::decode_history_since`] does it once.
    ///
    /// # Errors
    /// [`HistoryError::NotReached`] for what was not seen here; [`HistoryError::NotAState`] for a version that holds an
    /// operation, but not what that was placed beside or deletes; [`HistoryError::Trimmed`].
    ///
    /// # Examples
    /// ```
    /// use crdt_core::{Doc, ReplicaId};
    ///
    /// let mut doc = Doc::new(ReplicaId::new(1));
    /// doc.insert(0, "draft")?;
    /// let version = doc.version().clone();
    /// doc.delete(0..5)?;
    /// doc.insert(0, "final")?;
    /// assert_eq!(doc.text_at(&version)?, "draft");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn text_at(&self, version: &VersionVector) -> Result<String, HistoryError> {
        self.text_then(Scope::Main, version)
    }

    /// A part of the text at an earlier version, in scalar values of that text. As [`Doc::text_at`].
    ///
    /// # Errors
    /// As there; and [`HistoryError::Edit`] for a range that is not in that text.
    pub fn slice_at(&self, version: &VersionVector, range: Range<usize>) -> Result<String, HistoryError> {
        self.slice_then(Scope::Main, version, Unit::Chars, range)
    }

    /// A part of the text at an earlier version, in UTF-16 code units of that text. As [`Doc::slice_at`].
    ///
    /// # Errors
    /// As there.
    pub fn slice_at_utf16(
        &self,
        version: &VersionVector,
        range_utf16: Range<usize>,
    ) -> Result<String, HistoryError> {
        self.slice_then(Scope::Main, version, Unit::Utf16, range_utf16)
    }

    /// The content at an earlier version, as runs with the same marks. As [`Doc::text_at`]; marks cost O(*m* log *m* log *n*)
    /// with *m* their number.
    ///
    /// # Errors
    /// As there.
    pub fn runs_at(&self, version: &VersionVector) -> Result<Vec<TextRun>, HistoryError> {
        self.check_version(version)?;
        let edits = self.diff_checked(&VersionVector::new(), version)?;
        let run = |edit| match edit {
            TextEdit::Insert { text, marks, .. } => Some(TextRun::text(text, marks)),
            TextEdit::Embed { value, marks, .. } => Some(TextRun::embed(value, marks)),
            _ => None,
        };
        Ok(edits.into_iter().filter_map(run).collect())
    }

    /// What turns the content at `from` into the content at `to`, in sequence; either may be the later one, or neither.
    ///
    /// Only what shows otherwise is told: text that stood in both stays, in whatever order versions are given. Named sequences
    /// and registers are told too. Cost as [`Doc::runs_at`].
    ///
    /// # Errors
    /// As [`Doc::text_at`].
    ///
    /// # Examples
    /// ```
    /// use crdt_core::{Doc, Marks, ReplicaId, TextEdit, VersionVector};
    ///
    /// let mut doc = Doc::new(ReplicaId::new(1));
    /// doc.insert(0, "one two")?;
    /// let version = doc.version().clone();
    /// doc.insert(3, " and a half")?;
    /// let undone = doc.diff(doc.version(), &version)?;
    /// assert_eq!(undone, [TextEdit::Delete { position: 3, position_utf16: 3, len: 11, len_utf16: 11 }]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn diff(&self, from: &VersionVector, to: &VersionVector) -> Result<Vec<TextEdit>, HistoryError> {
        self.check_version(from)?;
        self.check_version(to)?;
        self.diff_checked(from, to)
    }

    /// As [`Doc::diff`], also from nothing where the past was trimmed.
    fn diff_checked(&self, from: &VersionVector, to: &VersionVector) -> Result<Vec<TextEdit>, HistoryError> {
        let log = self.warm_log();
        let then = [Then::of(self, &log, from)?, Then::of(self, &log, to)?];
        let mut cuts = Cuts::of_regions(self);
        self.add_turns(from, 0, &mut cuts);
        self.add_turns(to, 1, &mut cuts);
        let mut telling = Telling::new(self, then);
        self.walk(&cuts, |walked| match walked {
            Walked::Piece(piece) => telling.compare(piece),
            Walked::Cut(Cut::Turn { which, name, value }) => telling.turn(which, name, value),
            Walked::Cut(Cut::Enter(region)) => telling.enter(Some(Some(region))),
            Walked::Cut(Cut::Leave) => telling.enter(None),
        });
        telling.enter(None);
        Ok(telling.finish())
    }

    /// The document as it was at an earlier version, as a document of its own: with marks, embeds, registers and named
    /// sequences, for `replica`, a new random id.
    ///
    /// It holds the operations of that version and no other, and can go on: what both say later merges as ever.
    /// O(*n* log *n*).
    ///
    /// # Errors
    /// As [`Doc::text_at`]; [`HistoryError::ReplicaInUse`] if operations of `replica` are in it.
    ///
    /// # Examples
    /// ```
    /// use crdt_core::{Doc, ReplicaId};
    ///
    /// let mut doc = Doc::new(ReplicaId::new(1));
    /// doc.insert(0, "draft")?;
    /// let version = doc.version().clone();
    /// doc.insert(5, " two")?;
    /// let mut other = doc.at(ReplicaId::new(2), &version)?;
    /// other.insert(0, "another ")?;
    /// doc.apply(&other.delta_since(doc.version()))?;
    /// assert_eq!(doc.text(), "another draft two");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn at(&self, replica: ReplicaId, version: &VersionVector) -> Result<Self, HistoryError> {
        self.check_version(version)?;
        if version.get(replica) > 0 {
            return Err(HistoryError::ReplicaInUse { replica });
        }
        let log = self.warm_log();
        let values = self.rich.iter().flat_map(|rich| &rich.values);
        let is_said = |id: OpId| version.contains(id) && !self.is_before_floor(id);
        let carried = values.filter(|(id, _)| is_said(**id));
        let carried = carried.map(|(id, value)| (*id, value.clone())).collect();
        let mut doc = self.base(&log, replica)?;
        let not_a_state = |doc: &Self| HistoryError::NotAState { id: doc.lacked_by(&log, version) };
        match doc.apply_runs(runs_of(&log, version), carried, None) {
            Ok(()) if doc.version == *version => Ok(doc),
            _ => Err(not_a_state(self)),
        }
    }

    /// The first operation of a version that refers to what the version lacks.
    fn lacked_by(&self, log: &OpLog, version: &VersionVector) -> OpId {
        match Then::of(self, log, version) {
            Err(HistoryError::NotAState { id }) => id,
            // What goes in a circle.
            _ => {
                version.iter().next().map_or(OpId::new(self.replica, 0), |(replica, _)| OpId::new(replica, 0))
            }
        }
    }

    fn text_then(&self, scope: Scope, version: &VersionVector) -> Result<String, HistoryError> {
        self.check_version(version)?;
        let log = self.warm_log();
        let then = Then::of(self, &log, version)?;
        let mut out = String::new();
        self.walk_in(scope, |mut piece| {
            while piece.len > 0 {
                let (shows, count) = then.stretch(piece.first, piece.len);
                let (here, rest) = piece.split(count);
                if shows {
                    out.push_str(here.text);
                }
                piece = rest;
            }
            ControlFlow::Continue(())
        });
        Ok(out)
    }

    fn slice_then(
        &self,
        scope: Scope,
        version: &VersionVector,
        unit: Unit,
        range: Range<usize>,
    ) -> Result<String, HistoryError> {
        let text = self.text_then(scope, version)?;
        let Range { start, end } = range;
        if start > end {
            return Err(EditError::InvertedRange { start, end }.into());
        }
        let len = unit.of_size(Size::of(&text));
        if end > len {
            return Err(EditError::OutOfBounds { position: end, len }.into());
        }
        let byte = |position| match unit {
            Unit::Chars => Ok(byte_of(&text, position)),
            Unit::Utf16 => match chars_before_utf16(&text, position) {
                (chars, true) => Ok(byte_of(&text, chars)),
                (_, false) => Err(EditError::InsideSurrogatePair { position_utf16: position }),
            },
        };
        Ok(text[byte(start)?..byte(end)?].into())
    }
}

impl Text<'_> {
    /// As [`Doc::text_at`]; empty where nobody had opened it yet.
    ///
    /// # Errors
    /// As there.
    pub fn text_at(&self, version: &VersionVector) -> Result<String, HistoryError> {
        self.doc.text_then(self.scope, version)
    }

    /// As [`Doc::slice_at`].
    ///
    /// # Errors
    /// As there.
    pub fn slice_at(&self, version: &VersionVector, range: Range<usize>) -> Result<String, HistoryError> {
        self.doc.slice_then(self.scope, version, Unit::Chars, range)
    }

    /// As [`Doc::slice_at_utf16`].
    ///
    /// # Errors
    /// As there.
    pub fn slice_at_utf16(
        &self,
        version: &VersionVector,
        range_utf16: Range<usize>,
    ) -> Result<String, HistoryError> {
        self.doc.slice_then(self.scope, version, Unit::Utf16, range_utf16)
    }
}

/// The operations of a version, as a delta holds them.
fn runs_of<'a>(log: &'a OpLog, version: &VersionVector) -> Runs<'a> {
    let replicas = log.replicas().iter().map(ReplicaLog::id).collect();
    let mut rows = Vec::new();
    for (replica, index) in log.by_id() {
        rows.extend(log.said(index, 0, version.get(replica)).map(|said| row_of(index, said)));
    }
    Runs { replicas, rows }
}

/// A row of which replicas are named by their index in the log.
fn row_of(replica: u32, said: Said<'_>) -> Row<'_> {
    match said {
        Said::Insert { seq, len, placement: Placement { element, side }, text } => {
            let is_first = element == LocalId::START;
            let kind = match side {
                _ if is_first => RowKind::InsertFirst,
                Side::After => RowKind::InsertAfter,
                Side::Before => RowKind::InsertBefore,
            };
            let (other, other_seq) = if is_first { (replica, seq) } else { (element.replica, element.seq) };
            Row { replica, seq, len, kind, other, other_seq, text }
        }
        Said::Delete { seq, len, target, descending } => {
            let kind = if descending && len > 1 { RowKind::DeleteDown } else { RowKind::DeleteUp };
            Row { replica, seq, len, kind, other: target.replica, other_seq: target.seq, text: "" }
        }
    }
}

type Held<'a> = SortedMap<&'a Arc<str>, &'a Json>;

/// A stretch of a text, and what it has from now on.
type Marked<'a> = (Size, Size, Option<&'a Json>);

struct MarksHere<'a> {
    /// What is inserted has these.
    inserted: Marks,
    /// What stays gets these.
    changed: Vec<(&'a Arc<str>, Option<&'a Json>)>,
}

/// Tells what shows otherwise in two versions, while everything comes by.
struct Telling<'a> {
    doc: &'a Doc,
    then: [Then<'a>; 2],
    /// Marks that hold here, in each.
    held: [Held<'a>; 2],
    /// What those come to, unless that has to be found out anew.
    marks: Option<MarksHere<'a>>,
    edits: Edits,
    /// `None` if this is in no sequence, and else whether in a named one.
    region: Option<Option<&'a Region>>,
    /// How much of the second is in front.
    position: Size,
    marked: SortedMap<&'a Arc<str>, Vec<Marked<'a>>>,
    replaced: Vec<(Size, &'a Json, Marks)>,
}

impl<'a> Telling<'a> {
    fn new(doc: &'a Doc, then: [Then<'a>; 2]) -> Self {
        Self {
            doc,
            then,
            held: [Held::new(), Held::new()],
            marks: None,
            edits: Edits::default(),
            region: Some(None),
            position: Size::default(),
            marked: SortedMap::new(),
            replaced: Vec::new(),
        }
    }

    fn turn(&mut self, which: usize, name: &'a Arc<str>, value: Option<&'a Json>) {
        match value {
            Some(value) => drop(self.held[which].insert(name, value)),
            None => drop(self.held[which].remove(name)),
        }
        self.marks = None;
    }

    /// What comes next is elsewhere.
    fn enter(&mut self, region: Option<Option<&'a Region>>) {
        if let Some(here) = self.region {
            let at = |position| At { region: here, position };
            for (name, marked) in core::mem::take(&mut self.marked) {
                for (from, to, value) in marked {
                    self.edits.mark(at(from), at(to), name, value);
                }
            }
            for (position, value, marks) in core::mem::take(&mut self.replaced) {
                self.edits.replace(at(position), value.clone(), marks);
            }
        }
        self.region = region;
        self.position = Size::default();
    }

    fn compare(&mut self, mut piece: Piece<'a>) {
        let Some(region) = self.region else { return };
        while piece.len > 0 {
            let (was, count) = self.then[0].stretch(piece.first, piece.len);
            let (is, count) = self.then[1].stretch(piece.first, count);
            let (mut here, rest) = piece.split(count);
            piece = rest;
            if was && !is {
                let at = At { region, position: self.position };
                self.edits.delete(at, Size::of(here.text));
            }
            while is && here.len > 0 {
                let (entry, count) = self.doc.entry_among(here.first, here.len);
                let (part, behind) = here.split(count);
                here = behind;
                if was { self.keep(part, entry) } else { self.insert(part, entry) }
            }
        }
    }

    /// What inserted content has, and what kept content gets.
    fn marks(&mut self) -> &MarksHere<'a> {
        let [was, is] = &self.held;
        self.marks.get_or_insert_with(|| {
            let names: SortedSet<&'a Arc<str>> = was.keys().chain(is.keys()).copied().collect();
            let other = names.iter().filter(|name| was.get(*name) != is.get(*name));
            let other = other.map(|name| (*name, is.get(name).copied())).collect();
            let pairs = is.iter().map(|(&name, &value)| (name.clone(), value.clone())).collect();
            MarksHere { inserted: Marks::of_sorted(pairs), changed: other }
        })
    }

    fn insert(&mut self, piece: Piece<'a>, entry: Option<OpId>) {
        let marks = self.marks().inserted.clone();
        let Some(region) = self.region else { return };
        let at = At { region, position: self.position };
        let embed = entry.and_then(|entry| self.then[1].value_of(self.doc, entry));
        match embed {
            Some(value) => self.edits.embed(at, value.clone(), marks),
            None => self.edits.insert(at, piece.text, marks),
        }
        self.pass(piece);
    }

    fn keep(&mut self, piece: Piece<'a>, entry: Option<OpId>) {
        let from = self.position;
        self.pass(piece);
        let to = self.position;
        self.marks();
        let Some(MarksHere { inserted, changed }) = &self.marks else { return };
        for &(name, value) in changed {
            let marked = self.marked.or_insert_with(name, Vec::new);
            match marked.last_mut() {
                Some((_, end, last)) if *end == from && *last == value => *end = to,
                _ => marked.push((from, to, value)),
            }
        }
        if let Some(entry) = entry {
            let [was, is] = [0, 1].map(|which: usize| self.then[which].value_of(self.doc, entry));
            if let Some(value) = is.filter(|_| was != is) {
                self.replaced.push((from, value, inserted.clone()));
            }
        }
    }

    fn pass(&mut self, piece: Piece<'a>) {
        let size = Size::of(piece.text);
        self.position.chars += size.chars;
        self.position.utf16 += size.utf16;
    }

    fn finish(mut self) -> Vec<TextEdit> {
        let [was, is] = &self.then;
        let names: SortedSet<&Arc<str>> = was.register_names().chain(is.register_names()).collect();
        for name in names.iter() {
            if !is_reserved(name) && was.register(name) != is.register(name) {
                self.edits.register(name, is.register(name));
            }
        }
        self.edits.into_list()
    }
}

impl Doc {
    /// The embed that the first of these elements shows, if it is one, and for how many elements that is told: one with an
    /// embed.
    pub(super) fn entry_among(&self, first: LocalId, len: Seq) -> (Option<OpId>, Seq) {
        if !self.is_rich() {
            return (None, len);
        }
        match self.next_carrier(first, len) {
            None => (None, len),
            Some(seq) if seq > first.seq => (None, seq - first.seq),
            Some(_) => (self.entry_of(self.log.op_id(first)), 1),
        }
    }
}
