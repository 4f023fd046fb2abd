//! A plain text with marks that follows a document by its change events alone, counted in both units.

use crate::cells::{Cell, Glyph, text, with_mark};
use crate::failure::{Checked, Failure, same};
use crdt_core::{Marks, TextEdit};

/// Text kept twice: as elements with their marks and as UTF-16 code units, each moved by its own numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlainText {
    cells: Vec<Cell>,
    utf16: Vec<u16>,
}

impl PlainText {
    /// Of these elements.
    pub fn new(cells: Vec<Cell>) -> Self {
        let utf16 = text(&cells).encode_utf16().collect();
        Self { cells, utf16 }
    }

    /// Replays one edit on both.
    ///
    /// # Errors
    /// When a position or length lies outside, the units contradict each other, or it changes nothing.
    pub fn replay(&mut self, edit: &TextEdit) -> Checked {
        let fits = match edit {
            TextEdit::Insert { position, position_utf16, text, marks } => {
                let glyphs: Vec<Glyph> = text.chars().map(Glyph::Char).collect();
                !glyphs.is_empty() && self.insert(*position, *position_utf16, glyphs, marks)
            }
            TextEdit::Embed { position, position_utf16, value, marks } => {
                self.insert(*position, *position_utf16, vec![Glyph::Embed(value.clone())], marks)
            }
            TextEdit::Delete { position, position_utf16, len, len_utf16 } => {
                let (end, end_utf16) = (position + len, position_utf16 + len_utf16);
                let fits = *len > 0 && end <= self.cells.len() && end_utf16 <= self.utf16.len();
                if fits {
                    self.cells.drain(*position..end);
                    self.utf16.drain(*position_utf16..end_utf16);
                }
                fits
            }
            TextEdit::Mark { position, position_utf16, len, len_utf16, name, value } => {
                let (end, end_utf16) = (position + len, position_utf16 + len_utf16);
                let fits = *len > 0
                    && self.in_utf16(*position) == Some(*position_utf16)
                    && self.in_utf16(end) == Some(end_utf16);
                if fits {
                    for cell in &mut self.cells[*position..end] {
                        if cell.marks.get(name) == value.as_ref() {
                            return Err(Failure::new(format!("event {edit:?} changes nothing at {cell:?}")));
                        }
                        cell.marks = with_mark(&cell.marks, name, value.as_ref());
                    }
                }
                fits
            }
            // Of something that is not here.
            _ => false,
        };
        if fits {
            return Ok(());
        }
        Err(Failure::new(format!("event {edit:?} does not fit {:?}", text(&self.cells))))
    }

    fn insert(&mut self, position: usize, position_utf16: usize, glyphs: Vec<Glyph>, marks: &Marks) -> bool {
        if position > self.cells.len() || position_utf16 > self.utf16.len() {
            return false;
        }
        let new: Vec<Cell> = glyphs.into_iter().map(|glyph| Cell { glyph, marks: marks.clone() }).collect();
        self.utf16.splice(position_utf16..position_utf16, text(&new).encode_utf16());
        self.cells.splice(position..position, new);
        true
    }

    fn in_utf16(&self, position: usize) -> Option<usize> {
        let before = self.cells.get(..position)?;
        Some(before.iter().map(|cell| cell.glyph.as_char().len_utf16()).sum())
    }

    /// Now holds these elements, after a local edit.
    pub(crate) fn set(&mut self, cells: Vec<Cell>) {
        *self = Self::new(cells);
    }

    /// Fails unless it holds these elements.
    ///
    /// # Errors
    /// When it does not.
    pub fn check(&self, cells: &[Cell]) -> Checked {
        same("elements by events", &self.cells.as_slice(), &cells)?;
        same("text by events, UTF-16", &self.utf16, &text(cells).encode_utf16().collect())
    }

    /// The text.
    pub fn text(&self) -> String {
        text(&self.cells)
    }
}
