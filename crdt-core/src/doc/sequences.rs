//! Named texts: views of a document that count positions in one of its sequences.

use super::Doc;
use super::regions::Scope;
use crate::anchor::{Anchor, Side};
use crate::error::EditError;
use crate::ids::Seq;
use crate::json::Json;
use crate::mark::{Marks, TextRun};
use crate::sequence::Unit;
use crate::value::SequenceKind;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

/// A named text of a document, to read.
#[derive(Clone, Copy, Debug)]
pub struct Text<'doc> {
    pub(super) doc: &'doc Doc,
    pub(super) scope: Scope,
}

/// A named text of a document, to edit: [`Doc::open_text`].
#[derive(Debug)]
pub struct TextMut<'doc> {
    doc: &'doc mut Doc,
    scope: Scope,
}

impl Doc {
    /// The named text, which is opened here if nobody has yet.
    ///
    /// A document has any number of texts and lists beside its main text, each under a name. They have one version, one
    /// delta and one snapshot together, and touch each other in nothing. Who opens a name that somebody else opens at the
    /// same time opens the same text. A text and a list of one name are different sequences. O(log *n*).
    ///
    /// # Errors
    /// [`EditError::NameTooLong`], [`EditError::Full`], [`EditError::Reserved`]. Nothing has changed then.
    ///
    /// # Examples
    /// ```
    /// use crdt_core::{Doc, ReplicaId};
    ///
    /// let mut alice = Doc::new(ReplicaId::new(1));
    /// let mut bob = Doc::new(ReplicaId::new(2));
    /// alice.insert(0, "The plan")?;
    /// alice.open_text("notes")?.insert(0, "milk")?;
    /// bob.open_text("notes")?.insert(0, "eggs, ")?;
    /// bob.apply(&alice.delta_since(bob.version()))?;
    /// alice.apply(&bob.delta_since(alice.version()))?;
    ///
    /// assert_eq!(alice.text(), "The plan");
    /// let notes = alice.text_named("notes").expect("it was opened").text();
    /// assert_eq!(notes, "eggs, milk");
    /// assert_eq!(bob.text_named("notes").expect("it was opened").text(), notes);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open_text(&mut self, name: &str) -> Result<TextMut<'_>, EditError> {
        let scope = self.open(name, SequenceKind::Text)?;
        Ok(TextMut { doc: self, scope })
    }

    /// The named text, if anybody has opened it. O(log of the sequences).
    pub fn text_named(&self, name: &str) -> Option<Text<'_>> {
        let scope = self.scope_named(name, SequenceKind::Text)?;
        Some(Text { doc: self, scope })
    }

    /// Names and kinds of all texts and lists that anybody has opened, by name.
    pub fn sequences(&self) -> impl Iterator<Item = (&str, SequenceKind)> {
        self.rich.iter().flat_map(|rich| rich.regions.names())
    }

    /// Whether [`Doc::issued_since`] has anything to tell. O(1).
    pub fn has_issued_since(&self, from: Seq) -> bool {
        self.own_seq() > from || self.rich.as_ref().is_some_and(|rich| rich.regions.opened_since(from))
    }

    /// Encodes the own operations from `from` on, and those that opened a sequence here since then.
    ///
    /// Who opens a named sequence says so under an id that stands for the name, which [`Doc::delta_of`] its replica does not
    /// have. What was opened when the next own operation was `from` counts.
    pub fn issued_since(&self, from: Seq) -> Vec<u8> {
        if !self.has_issued_since(from) {
            return self.delta_of(self.replica, from..from);
        }
        let mut out = Vec::new();
        self.newest_into(from, &mut out);
        out
    }
}

impl Text<'_> {
    /// Its length in scalar values. O(log *n*).
    pub fn len(&self) -> usize {
        let (start, end) = self.doc.bounds(self.scope);
        end.chars - start.chars
    }

    /// Its length in UTF-16 code units. O(log *n*).
    pub fn len_utf16(&self) -> usize {
        let (start, end) = self.doc.bounds(self.scope);
        end.utf16 - start.utf16
    }

    /// Whether there is no text. O(log *n*).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As [`Doc::text`].
    pub fn text(&self) -> String {
        let (start, end) = self.doc.bounds(self.scope);
        self.doc.read(start.chars..end.chars, end.utf16 - start.utf16)
    }

    /// As [`Doc::slice`].
    ///
    /// # Errors
    /// As there.
    pub fn slice(&self, range: Range<usize>) -> Result<String, EditError> {
        self.slice_unit(Unit::Chars, range)
    }

    /// As [`Doc::slice_utf16`].
    ///
    /// # Errors
    /// As there.
    pub fn slice_utf16(&self, range_utf16: Range<usize>) -> Result<String, EditError> {
        self.slice_unit(Unit::Utf16, range_utf16)
    }

    fn slice_unit(&self, unit: Unit, range: Range<usize>) -> Result<String, EditError> {
        let range = self.doc.chars_range_in(self.scope, unit, range)?;
        let len = range.len();
        Ok(self.doc.read(range, len))
    }

    /// As [`Doc::runs`].
    pub fn runs(&self) -> Vec<TextRun> {
        let (start, end) = self.doc.bounds(self.scope);
        self.doc.runs_between(start.chars..end.chars)
    }

    /// As [`Doc::runs_in`].
    ///
    /// # Errors
    /// As there.
    pub fn runs_in(&self, range: Range<usize>) -> Result<Vec<TextRun>, EditError> {
        Ok(self.doc.runs_between(self.doc.chars_range_in(self.scope, Unit::Chars, range)?))
    }

    /// As [`Doc::runs_in_utf16`].
    ///
    /// # Errors
    /// As there.
    pub fn runs_in_utf16(&self, range_utf16: Range<usize>) -> Result<Vec<TextRun>, EditError> {
        Ok(self.doc.runs_between(self.doc.chars_range_in(self.scope, Unit::Utf16, range_utf16)?))
    }

    /// As [`Doc::position_to_utf16`].
    ///
    /// # Errors
    /// As there.
    pub fn position_to_utf16(&self, position: usize) -> Result<usize, EditError> {
        let place = self.doc.place_in(self.scope, Unit::Chars, position)?;
        Ok(self.doc.sequence.position(place).utf16 - self.doc.bounds(self.scope).0.utf16)
    }

    /// As [`Doc::position_from_utf16`].
    ///
    /// # Errors
    /// As there.
    pub fn position_from_utf16(&self, position_utf16: usize) -> Result<usize, EditError> {
        let place = self.doc.place_in(self.scope, Unit::Utf16, position_utf16)?;
        Ok(self.doc.sequence.position(place).chars - self.doc.bounds(self.scope).0.chars)
    }

    /// As [`Doc::anchor_at`]. The ends of a named sequence are elements too.
    ///
    /// # Errors
    /// As there.
    pub fn anchor_at(&self, position: usize, side: Side) -> Result<Anchor, EditError> {
        self.doc.anchor_in(self.scope, position, side)
    }

    /// As [`Doc::resolve`]; `None` also for what is elsewhere in the document.
    pub fn resolve(&self, anchor: &Anchor) -> Option<usize> {
        self.doc.resolve_in(self.scope, anchor)
    }
}

impl TextMut<'_> {
    /// The text as it is now.
    pub fn view(&self) -> Text<'_> {
        Text { doc: self.doc, scope: self.scope }
    }

    /// As [`Doc::insert`].
    ///
    /// # Errors
    /// As there.
    pub fn insert(&mut self, position: usize, text: &str) -> Result<(), EditError> {
        self.doc.insert_in(self.scope, Unit::Chars, position, text)
    }

    /// As [`Doc::insert_utf16`].
    ///
    /// # Errors
    /// As there.
    pub fn insert_utf16(&mut self, position_utf16: usize, text: &str) -> Result<(), EditError> {
        self.doc.insert_in(self.scope, Unit::Utf16, position_utf16, text)
    }

    /// As [`Doc::insert_with`].
    ///
    /// # Errors
    /// As there.
    pub fn insert_with(&mut self, position: usize, text: &str, marks: &Marks) -> Result<(), EditError> {
        self.doc.insert_with_in(self.scope, Unit::Chars, position, text, marks)
    }

    /// As [`Doc::insert_with_utf16`].
    ///
    /// # Errors
    /// As there.
    pub fn insert_with_utf16(
        &mut self,
        position_utf16: usize,
        text: &str,
        marks: &Marks,
    ) -> Result<(), EditError> {
        self.doc.insert_with_in(self.scope, Unit::Utf16, position_utf16, text, marks)
    }

    /// As [`Doc::insert_embed`], and as [`Doc::insert_embed_with`] if there are marks.
    ///
    /// # Errors
    /// As there.
    pub fn insert_embed(
        &mut self,
        position: usize,
        value: Json,
        marks: Option<&Marks>,
    ) -> Result<(), EditError> {
        self.doc.insert_embed_in(self.scope, Unit::Chars, position, value, marks)
    }

    /// As [`TextMut::insert_embed`], in UTF-16 code units.
    ///
    /// # Errors
    /// As there.
    pub fn insert_embed_utf16(
        &mut self,
        position_utf16: usize,
        value: Json,
        marks: Option<&Marks>,
    ) -> Result<(), EditError> {
        self.doc.insert_embed_in(self.scope, Unit::Utf16, position_utf16, value, marks)
    }

    /// As [`Doc::delete`].
    ///
    /// # Errors
    /// As there.
    pub fn delete(&mut self, range: Range<usize>) -> Result<(), EditError> {
        self.delete_unit(Unit::Chars, range)
    }

    /// As [`Doc::delete_utf16`].
    ///
    /// # Errors
    /// As there.
    pub fn delete_utf16(&mut self, range_utf16: Range<usize>) -> Result<(), EditError> {
        self.delete_unit(Unit::Utf16, range_utf16)
    }

    fn delete_unit(&mut self, unit: Unit, range: Range<usize>) -> Result<(), EditError> {
        let range = self.doc.chars_range_in(self.scope, unit, range)?;
        self.doc.delete_chars(range)
    }

    /// As [`Doc::mark`].
    ///
    /// # Errors
    /// As there.
    pub fn mark(&mut self, range: Range<usize>, name: &str, value: Json) -> Result<(), EditError> {
        self.doc.mark_in(self.scope, Unit::Chars, range, name, Some(value))
    }

    /// As [`Doc::mark_utf16`].
    ///
    /// # Errors
    /// As there.
    pub fn mark_utf16(
        &mut self,
        range_utf16: Range<usize>,
        name: &str,
        value: Json,
    ) -> Result<(), EditError> {
        self.doc.mark_in(self.scope, Unit::Utf16, range_utf16, name, Some(value))
    }

    /// As [`Doc::unmark`].
    ///
    /// # Errors
    /// As there.
    pub fn unmark(&mut self, range: Range<usize>, name: &str) -> Result<(), EditError> {
        self.doc.mark_in(self.scope, Unit::Chars, range, name, None)
    }

    /// As [`Doc::unmark_utf16`].
    ///
    /// # Errors
    /// As there.
    pub fn unmark_utf16(&mut self, range_utf16: Range<usize>, name: &str) -> Result<(), EditError> {
        self.doc.mark_in(self.scope, Unit::Utf16, range_utf16, name, None)
    }

    /// As [`Doc::replace_embed`].
    ///
    /// # Errors
    /// As there.
    pub fn replace_embed(&mut self, position: usize, value: Json) -> Result<(), EditError> {
        self.doc.replace_embed_in(self.scope, Unit::Chars, position, value)
    }

    /// As [`Doc::replace_embed_utf16`].
    ///
    /// # Errors
    /// As there.
    pub fn replace_embed_utf16(&mut self, position_utf16: usize, value: Json) -> Result<(), EditError> {
        self.doc.replace_embed_in(self.scope, Unit::Utf16, position_utf16, value)
    }
}
