//! Formatting, embeds, and reading both.

use super::Doc;
use super::regions::Scope;
use crate::error::EditError;
use crate::ids::OpId;
use crate::json::Json;
use crate::limits::MAX_NAME_BYTES;
use crate::mark::{Content, Expand, Marks, TextRun};
use crate::marks::Edge;
use crate::op_log::LocalId;
use crate::sequence::Unit;
use crate::sorted::{SortedMap, SortedSet, sort_by_key};
use crate::value::{CARRIER, Mark, Stamp, Value};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

impl Doc {
    /// Gives the content in `range`, in scalar values, a mark: bold, a link, a comment.
    ///
    /// Marks of one name overwrite each other, as far as they overlap; marks of different names do not touch each other.
    /// Of marks set at the same time the one of the later transaction holds, by Lamport timestamp, then by replica. What
    /// others insert inside is marked too; what is typed at the ends is as [`Expand`] says, for this name. Content deleted
    /// since keeps the ends where they were. It is said even if everything in the range has this very value already: somebody
    /// may be changing that at the same time.
    ///
    /// O((1 + *c*) log *n*) with *c* the marks of this name that it covers. Peritext (CSCW 2022).
    ///
    /// # Errors
    /// As [`Doc::delete`], and [`EditError::NameTooLong`].
    ///
    /// # Examples
    /// ```
    /// use crdt_core::{Doc, Json, Marks, ReplicaId, TextRun};
    ///
    /// let mut alice = Doc::new(ReplicaId::new(1));
    /// let mut bob = Doc::new(ReplicaId::new(2));
    /// alice.insert(0, "The fox jumped.")?;
    /// bob.apply(&alice.delta_since(bob.version()))?;
    ///
    /// alice.mark(0..7, "bold", Json::yes())?;
    /// bob.mark(4..14, "bold", Json::yes())?;
    /// alice.apply(&bob.delta_since(alice.version()))?;
    /// bob.apply(&alice.delta_since(bob.version()))?;
    ///
    /// let bold: Marks = [("bold", Json::yes())].into_iter().collect();
    /// assert_eq!(alice.runs(), [TextRun::text("The fox jumped", bold), TextRun::text(".", Marks::NONE)]);
    /// assert_eq!(alice.runs(), bob.runs());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn mark(&mut self, range: Range<usize>, name: &str, value: Json) -> Result<(), EditError> {
        self.mark_in(Scope::Main, Unit::Chars, range, name, Some(value))
    }

    /// Gives the content in `range_utf16`, in UTF-16 code units, a mark; else as [`Doc::mark`].
    ///
    /// # Errors
    /// As [`Doc::mark`], and [`EditError::InsideSurrogatePair`].
    pub fn mark_utf16(
        &mut self,
        range_utf16: Range<usize>,
        name: &str,
        value: Json,
    ) -> Result<(), EditError> {
        self.mark_in(Scope::Main, Unit::Utf16, range_utf16, name, Some(value))
    }

    /// Takes a mark away from the content in `range`, in scalar values; else as [`Doc::mark`].
    ///
    /// # Errors
    /// As [`Doc::mark`].
    pub fn unmark(&mut self, range: Range<usize>, name: &str) -> Result<(), EditError> {
        self.mark_in(Scope::Main, Unit::Chars, range, name, None)
    }

    /// Takes a mark away from the content in `range_utf16`, in UTF-16 code units; else as [`Doc::mark`].
    ///
    /// # Errors
    /// As [`Doc::mark_utf16`].
    pub fn unmark_utf16(&mut self, range_utf16: Range<usize>, name: &str) -> Result<(), EditError> {
        self.mark_in(Scope::Main, Unit::Utf16, range_utf16, name, None)
    }

    /// Inserts `text` at `position`, in scalar values, with exactly these marks, whatever stands around; else as
    /// [`Doc::insert`].
    ///
    /// Says only what the place does not give the text anyway.
    ///
    /// # Errors
    /// As [`Doc::insert`], and [`EditError::NameTooLong`].
    pub fn insert_with(&mut self, position: usize, text: &str, marks: &Marks) -> Result<(), EditError> {
        self.insert_with_in(Scope::Main, Unit::Chars, position, text, marks)
    }

    /// Inserts `text` at `position_utf16`, in UTF-16 code units; else as [`Doc::insert_with`].
    ///
    /// # Errors
    /// As [`Doc::insert_with`], and [`EditError::InsideSurrogatePair`].
    pub fn insert_with_utf16(
        &mut self,
        position_utf16: usize,
        text: &str,
        marks: &Marks,
    ) -> Result<(), EditError> {
        self.insert_with_in(Scope::Main, Unit::Utf16, position_utf16, text, marks)
    }

    /// Inserts an embed at `position`, in scalar values: one element that shows as `value`, and reads as U+FFFC in
    /// [`Doc::text`]. It has the marks that text typed there would have. O(log *n*).
    ///
    /// # Errors
    /// As [`Doc::insert`].
    pub fn insert_embed(&mut self, position: usize, value: Json) -> Result<(), EditError> {
        self.insert_embed_in(Scope::Main, Unit::Chars, position, value, None)
    }

    /// Inserts an embed at `position_utf16`, in UTF-16 code units; else as [`Doc::insert_embed`].
    ///
    /// # Errors
    /// As [`Doc::insert_utf16`].
    pub fn insert_embed_utf16(&mut self, position_utf16: usize, value: Json) -> Result<(), EditError> {
        self.insert_embed_in(Scope::Main, Unit::Utf16, position_utf16, value, None)
    }

    /// Inserts an embed at `position`, in scalar values, with exactly these marks; else as [`Doc::insert_embed`].
    ///
    /// # Errors
    /// As [`Doc::insert_with`].
    pub fn insert_embed_with(
        &mut self,
        position: usize,
        value: Json,
        marks: &Marks,
    ) -> Result<(), EditError> {
        self.insert_embed_in(Scope::Main, Unit::Chars, position, value, Some(marks))
    }

    /// Inserts an embed at `position_utf16`, in UTF-16 code units; else as [`Doc::insert_embed_with`].
    ///
    /// # Errors
    /// As [`Doc::insert_with_utf16`].
    pub fn insert_embed_with_utf16(
        &mut self,
        position_utf16: usize,
        value: Json,
        marks: &Marks,
    ) -> Result<(), EditError> {
        self.insert_embed_in(Scope::Main, Unit::Utf16, position_utf16, value, Some(marks))
    }

    /// Says how marks of this name that are set here from now on grow at their ends.
    ///
    /// `name` is that of a mark, or the part in front of a `:`. What nobody set is as [`Expand::of`] says. Not part of
    /// the content: every replica that sets marks has to say it.
    pub fn set_expand(&mut self, name: &str, expand: Expand) {
        self.rich_mut().expands.insert(name.into(), expand);
    }

    /// Whether anything but plain text was ever said here: marks, embeds. O(1).
    pub fn is_rich(&self) -> bool {
        self.rich.as_ref().is_some_and(|rich| !rich.values.is_empty())
    }

    /// The content as runs of elements with the same marks. One pass, O(*n* + *b* log *n*), with *b* the ends of marks.
    pub fn runs(&self) -> Vec<TextRun> {
        self.runs_between(0..self.len())
    }

    /// The content in `range`, in scalar values, as runs. O(log *n* for each name of a mark, and what the part spans).
    ///
    /// # Errors
    /// As [`Doc::slice`].
    pub fn runs_in(&self, range: Range<usize>) -> Result<Vec<TextRun>, EditError> {
        Ok(self.runs_between(self.chars_range(Unit::Chars, range)?))
    }

    /// The content in `range_utf16`, in UTF-16 code units, as runs; else as [`Doc::runs_in`].
    ///
    /// # Errors
    /// As [`Doc::slice_utf16`].
    pub fn runs_in_utf16(&self, range_utf16: Range<usize>) -> Result<Vec<TextRun>, EditError> {
        Ok(self.runs_between(self.chars_range(Unit::Utf16, range_utf16)?))
    }

    /// The value of the embed at `position`, in scalar values; `None` if there is text. O(log *n*).
    ///
    /// # Errors
    /// [`EditError::OutOfBounds`] also for the end of the text.
    pub fn embed_at(&self, position: usize) -> Result<Option<Json>, EditError> {
        self.check_position(Unit::Chars, position + 1)?;
        Ok(self.embed_of(self.sequence.element_at(position)))
    }

    pub(super) fn embed_of(&self, element: LocalId) -> Option<Json> {
        self.shown_value(self.entry_of(self.log.op_id(element))?).cloned()
    }

    pub(super) fn mark_in(
        &mut self,
        scope: Scope,
        unit: Unit,
        range: Range<usize>,
        name: &str,
        value: Option<Json>,
    ) -> Result<(), EditError> {
        let range = self.chars_range_in(scope, unit, range)?;
        check_name(name)?;
        if range.is_empty() {
            return Ok(());
        }
        self.check_own_room(1)?;
        let stamp = self.next_stamp();
        let expand = self.rich_mut().expand_of(name);
        self.say_mark(&range, &name.into(), value, (stamp, expand))
    }

    /// Says that the content in `range`, which is not empty, has a mark or has it no longer. There has to be room.
    fn say_mark(
        &mut self,
        range: &Range<usize>,
        name: &Arc<str>,
        value: Option<Json>,
        (stamp, expand): (Stamp, Expand),
    ) -> Result<(), EditError> {
        let first = self.sequence.element_at(range.start);
        let scope = self.scope_of(first).unwrap_or(Scope::Main);
        let ((scope_start, scope_end), ends) = (self.bounds(scope), Self::edges(scope));
        let start = if !expand.grows_before() {
            Edge::before(first)
        } else if range.start > scope_start.chars {
            Edge::after(self.sequence.element_at(range.start - 1))
        } else {
            ends.0
        };
        let end = if !expand.grows_after() {
            Edge::after(self.sequence.element_at(range.end - 1))
        } else if range.end < scope_end.chars {
            Edge::before(self.sequence.element_at(range.end))
        } else {
            ends.1
        };
        let (start, end) = (self.anchor_of(start), self.anchor_of(end));
        self.say(Value::Mark(Mark { start, end, name: name.clone(), value, stamp }))?;
        Ok(())
    }

    pub(super) fn insert_with_in(
        &mut self,
        scope: Scope,
        unit: Unit,
        position: usize,
        text: &str,
        marks: &Marks,
    ) -> Result<(), EditError> {
        self.check_marks(marks)?;
        let len = self.sequence.visible().chars();
        self.insert_in(scope, unit, position, text)?;
        self.set_marks(len, marks)
    }

    pub(super) fn insert_embed_in(
        &mut self,
        scope: Scope,
        unit: Unit,
        position: usize,
        value: Json,
        marks: Option<&Marks>,
    ) -> Result<(), EditError> {
        if let Some(marks) = marks {
            self.check_marks(marks)?;
        }
        let (len, seq) = (self.sequence.visible().chars(), self.own_seq());
        self.insert_in(scope, unit, position, CARRIER)?;
        let id = OpId::new(self.replica, seq);
        self.rich_mut().values.insert(id, Value::Embed(value));
        if let Some(marks) = marks { self.set_marks(len, marks) } else { Ok(()) }
    }

    /// Whether names are short and there is room to say each, and to take away what is there.
    fn check_marks(&mut self, marks: &Marks) -> Result<(), EditError> {
        for (name, _) in marks.iter() {
            check_name(name)?;
        }
        let known = self.rich.as_ref().map_or(0, |rich| rich.marks.names().count());
        self.check_own_room(marks.len() + known)
    }

    /// Gives what the last edit, an own insertion, put where `len_before` elements were visible exactly these marks.
    fn set_marks(&mut self, len_before: usize, marks: &Marks) -> Result<(), EditError> {
        let count = self.sequence.visible().chars() - len_before;
        if count == 0 || marks.is_empty() && self.rich.is_none() {
            return Ok(());
        }
        let stamp = self.next_stamp();
        self.set_marks_of_last(count, marks, stamp, None)
    }

    /// Gives the `count` elements that the last edit, an own insertion, ended with exactly these marks.
    ///
    /// `expand` says how the ends of what is said grow, if not as each name has it.
    pub(super) fn set_marks_of_last(
        &mut self,
        count: usize,
        marks: &Marks,
        stamp: Stamp,
        expand: Option<Expand>,
    ) -> Result<(), EditError> {
        let end = self.sequence.position_of_last_edit().chars;
        let range = end - count..end;
        let there = self.marks_of(self.sequence.element_at(range.start));
        if there == *marks {
            return Ok(());
        }
        let names: SortedSet<&str> = there.iter().chain(marks.iter()).map(|(name, _)| name).collect();
        for &name in names.iter() {
            if there.get(name) != marks.get(name) {
                let value = marks.get(name).cloned();
                let expand = expand.unwrap_or_else(|| self.rich_mut().expand_of(name));
                self.say_mark(&range, &name.into(), value, (stamp, expand))?;
            }
        }
        Ok(())
    }

    pub(super) fn runs_between(&self, range: Range<usize>) -> Vec<TextRun> {
        if range.is_empty() {
            return Vec::new();
        }
        let Some(rich) = &self.rich else {
            let text = self.read(range.clone(), range.len());
            return [TextRun::text(text, Marks::NONE)].into();
        };
        let first = self.sequence.element_at(range.start);
        let mut holds: SortedMap<&Arc<str>, &Json> = SortedMap::new();
        // Where a name has another value from which position on.
        let mut turns: Vec<(usize, &Arc<str>, Option<&Json>)> = Vec::new();
        rich.marks.visit_from(first, &self.sequence, |name, edge, value| {
            let position = edge.map_or(range.start, |edge| self.position_of_edge(edge).chars);
            if position >= range.end {
                return false;
            }
            if position > range.start {
                turns.push((position, name, value));
            } else if let Some(value) = value {
                holds.insert(name, value);
            } else {
                holds.remove(name);
            }
            true
        });
        // Stable: of turns at one position the last of a name counts.
        sort_by_key(&mut turns, |&(position, ..)| position);
        let text = self.read(range.clone(), range.len());
        let mut runs = Runs { doc: self, out: Vec::new(), text: &text, position: range.start };
        let mut turns = turns.into_iter().peekable();
        loop {
            let end = turns.peek().map_or(range.end, |&(position, ..)| position);
            let marks = holds.iter().map(|(&name, &value)| (name.clone(), value.clone())).collect();
            runs.push_to(end, &Marks::of_sorted(marks));
            if end == range.end {
                return runs.out;
            }
            while let Some((_, name, value)) = turns.next_if(|&(position, ..)| position == end) {
                match value {
                    Some(value) => drop(holds.insert(name, value)),
                    None => drop(holds.remove(name)),
                }
            }
        }
    }
}

/// Runs as they are read: neighbours with the same marks are one.
struct Runs<'a> {
    doc: &'a Doc,
    out: Vec<TextRun>,
    /// What is left to read.
    text: &'a str,
    /// In scalar values.
    position: usize,
}

impl Runs<'_> {
    fn push_to(&mut self, end: usize, marks: &Marks) {
        let (mut part, rest) = self.text.split_at(crate::units::byte_of(self.text, end - self.position));
        self.text = rest;
        while let Some(at) = part.find(CARRIER) {
            let (text, behind) = part.split_at(at);
            self.push_text(text, marks);
            self.position += crate::units::Size::of(text).chars;
            match self.doc.embed_of(self.doc.sequence.element_at(self.position)) {
                Some(value) => self.out.push(TextRun::embed(value, marks.clone())),
                None => self.push_text(CARRIER, marks),
            }
            self.position += 1;
            part = &behind[CARRIER.len()..];
        }
        self.push_text(part, marks);
        self.position = end;
    }

    fn push_text(&mut self, text: &str, marks: &Marks) {
        if text.is_empty() {
            return;
        }
        match self.out.last_mut() {
            Some(TextRun { content: Content::Text(last), marks: last_marks }) if last_marks == marks => {
                last.push_str(text);
            }
            _ => self.out.push(TextRun { content: Content::Text(String::from(text)), marks: marks.clone() }),
        }
    }
}

pub(super) fn check_name(name: &str) -> Result<(), EditError> {
    let len_utf8 = name.len();
    if len_utf8 > MAX_NAME_BYTES { Err(EditError::NameTooLong { len_utf8 }) } else { Ok(()) }
}
