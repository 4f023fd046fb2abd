//! A plain text with marks, and registers, that follow a document by its change events alone, counted in both units.

use crate::cells::{Cell, Glyph, cells, text, with_mark};
use crate::failure::{Checked, Failure, same};
use crdt_core::{Doc, Json, Marks, TextEdit};
use std::collections::BTreeMap;

/// Text kept twice: as elements with their marks and as UTF-16 code units, each moved by its own numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlainText {
    cells: Vec<Cell>,
    utf16: Vec<u16>,
    registers: BTreeMap<String, Json>,
}

impl PlainText {
    /// What a document shows.
    pub fn of(doc: &Doc) -> Self {
        let registers = doc.registers().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        Self { registers, ..Self::of_cells(cells(&doc.runs())) }
    }

    /// These elements, and no registers.
    pub fn of_cells(cells: Vec<Cell>) -> Self {
        let utf16 = text(&cells).encode_utf16().collect();
        Self { cells, utf16, registers: BTreeMap::new() }
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
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
            TextEdit::Register { name, value } => match value {
                Some(value) => self.registers.insert(name.to_string(), value.clone()).as_ref() != Some(value),
                None => self.registers.remove(&**name).is_some(),
            },
            TextEdit::Replace { position, position_utf16, value, marks } => {
                let cell = Cell { glyph: Glyph::Embed(value.clone()), marks: marks.clone() };
                let fits = self.in_utf16(*position) == Some(*position_utf16)
                    && self
                        .cells
                        .get(*position)
                        .is_some_and(|there| there.marks == cell.marks && *there != cell);
                if fits {
                    self.cells[*position] = cell;
                }
                fits
            }
            // Of a named text or a list: nothing here changes.
            TextEdit::In { .. } => true,
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

    /// Fails unless it shows what the document shows.
    ///
    /// # Errors
    /// When it does not.
    pub fn check(&self, doc: &Doc) -> Checked {
        let Self { cells, utf16, registers } = Self::of(doc);
        same("elements by events", &self.cells, &cells)?;
        same("text by events, UTF-16", &self.utf16, &utf16)?;
        same("registers by events", &self.registers, &registers)
    }

    /// The text.
    pub fn text(&self) -> String {
        text(&self.cells)
    }
}
