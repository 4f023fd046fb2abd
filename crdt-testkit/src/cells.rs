//! Text with marks, element by element: what runs say, laid out flat.

use crdt_core::{Content, Json, Marks, TextRun};

/// What one element holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Glyph {
    /// One scalar value of text.
    Char(char),
    /// An embed.
    Embed(Json),
}

impl Glyph {
    /// As it stands in plain text.
    pub fn as_char(&self) -> char {
        match self {
            Self::Char(char) => *char,
            Self::Embed(_) => '\u{fffc}',
        }
    }
}

/// One visible element and its marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// What it holds.
    pub glyph: Glyph,
    /// Its marks.
    pub marks: Marks,
}

/// The elements of runs.
pub fn cells(runs: &[TextRun]) -> Vec<Cell> {
    let of_run = |run: &TextRun| -> Vec<Cell> {
        let cell = |glyph| Cell { glyph, marks: run.marks.clone() };
        match &run.content {
            Content::Text(text) => text.chars().map(|char| cell(Glyph::Char(char))).collect(),
            Content::Embed(value) => vec![cell(Glyph::Embed(value.clone()))],
        }
    };
    runs.iter().flat_map(of_run).collect()
}

/// The runs of elements, each as long as it can be; an embed is a run of its own.
pub fn runs(cells: &[Cell]) -> Vec<TextRun> {
    let mut runs: Vec<TextRun> = Vec::new();
    for cell in cells {
        let content = match &cell.glyph {
            Glyph::Embed(value) => Content::Embed(value.clone()),
            Glyph::Char(char) => {
                if let Some(TextRun { content: Content::Text(text), marks }) = runs.last_mut()
                    && *marks == cell.marks
                {
                    text.push(*char);
                    continue;
                }
                Content::Text(char.to_string())
            }
        };
        runs.push(TextRun { content, marks: cell.marks.clone() });
    }
    runs
}

/// The text, embeds standing as U+FFFC.
pub fn text(cells: &[Cell]) -> String {
    cells.iter().map(|cell| cell.glyph.as_char()).collect()
}

/// These marks, and `name` with this value, or without it.
pub fn with_mark(marks: &Marks, name: &str, value: Option<&Json>) -> Marks {
    let others = marks.iter().filter(|(other, _)| *other != name);
    others.chain(value.map(|value| (name, value))).map(|(name, value)| (name, value.clone())).collect()
}
