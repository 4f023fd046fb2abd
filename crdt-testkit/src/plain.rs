//! A plain text that follows a document by its change events alone, counted in both units.

use crate::failure::{Checked, Failure, same};
use crdt_core::TextEdit;
use std::ops::Range;

/// Text kept twice: as scalar values and as UTF-16 code units, each moved by its own numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlainText {
    scalars: Vec<char>,
    utf16: Vec<u16>,
}

impl PlainText {
    /// The same text as `text`.
    pub fn new(text: &str) -> Self {
        Self { scalars: text.chars().collect(), utf16: text.encode_utf16().collect() }
    }

    /// Replays one edit on both.
    ///
    /// # Errors
    /// When a position or length lies outside, or the units of a deletion contradict each other.
    pub fn replay(&mut self, edit: &TextEdit) -> Checked {
        match edit {
            TextEdit::Insert { position, position_utf16, text, .. } => {
                if text.is_empty() || *position > self.scalars.len() || *position_utf16 > self.utf16.len() {
                    return Err(Failure::new(format!("event {edit:?} does not fit {:?}", self.text())));
                }
                self.scalars.splice(position..position, text.chars());
                self.utf16.splice(position_utf16..position_utf16, text.encode_utf16());
            }
            TextEdit::Delete { position, position_utf16, len, len_utf16 } => {
                let (end, end_utf16) = (position + len, position_utf16 + len_utf16);
                if *len == 0 || end > self.scalars.len() || end_utf16 > self.utf16.len() {
                    return Err(Failure::new(format!("event {edit:?} does not fit {:?}", self.text())));
                }
                self.scalars.drain(*position..end);
                self.utf16.drain(*position_utf16..end_utf16);
            }
            TextEdit::Embed { position, position_utf16, .. } => {
                self.scalars.insert(*position, '\u{fffc}');
                self.utf16.insert(*position_utf16, 0xfffc);
            }
            _ => {}
        }
        Ok(())
    }

    /// Types `text` at a position in scalar values, which must exist.
    pub(crate) fn insert(&mut self, position: usize, text: &str) {
        let position_utf16: usize = self.scalars[..position].iter().map(|char| char.len_utf16()).sum();
        self.scalars.splice(position..position, text.chars());
        self.utf16.splice(position_utf16..position_utf16, text.encode_utf16());
    }

    /// Deletes a range in scalar values, which must exist.
    pub(crate) fn delete(&mut self, range: Range<usize>) {
        let start: usize = self.scalars[..range.start].iter().map(|char| char.len_utf16()).sum();
        let len: usize = self.scalars[range.clone()].iter().map(|char| char.len_utf16()).sum();
        self.scalars.drain(range);
        self.utf16.drain(start..start + len);
    }

    /// Fails unless both equal `text`.
    ///
    /// # Errors
    /// When they do not.
    pub fn check(&self, text: &str) -> Checked {
        same("text by events, scalar values", &self.text(), &text.to_owned())?;
        same("text by events, UTF-16", &self.utf16, &text.encode_utf16().collect())
    }

    /// The text in scalar values.
    pub fn text(&self) -> String {
        self.scalars.iter().collect()
    }
}
