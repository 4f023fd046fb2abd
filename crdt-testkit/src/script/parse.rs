//! Scripts from text.

use super::{Script, Step};
use crate::edit::{Edit, ListEdit, PlacedEdit};
use crate::failure::{Checked, Failure};
use crate::twin::Turn;
use crdt_core::{Content, Expand, Json, Marks, ReplicaId, Side, TextRun};
use std::fmt;

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// Names the first line that is not understood.
    pub fn parse(text: &str) -> Checked<Self> {
        let mut script = Self::new(0);
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                script
                    .parse_line(index + 1, line)
                    .map_err(|failure| failure.at(format!("line {} `{line}`", index + 1)))?;
            }
        }
        Ok(script)
    }

    fn parse_line(&mut self, number: usize, line: &str) -> Checked {
        let mut words = Words { rest: line };
        let who = words.until(&[':', '=', '@', '>', ' '])?;
        match words.symbol()? {
            '>' => {
                let from = self.replica(who)?;
                let to = words.until(&[':'])?;
                let to = self.replica(to)?;
                words.symbol()?;
                let step = match words.rest.trim() {
                    "sync" => Step::Sync { from, to },
                    "last" => Step::Last { from, to },
                    other => return Err(Failure::new(format!("unknown delivery {other:?}"))),
                };
                self.steps.push((number, step));
            }
            '=' => {
                let replica = self.replica_or_all(who)?;
                let text = words.string()?;
                self.steps.push((number, Step::Expect { replica, text }));
                words.end()?;
            }
            '@' => {
                let replica = self.replica(who)?;
                let name = words.until(&['='])?.to_owned();
                words.symbol()?;
                let position = words.number()?;
                self.steps.push((number, Step::ExpectAnchor { replica, name, position }));
                words.end()?;
            }
            ':' if who == "*" => {
                let step = match words.word()? {
                    "sync" => Step::SyncAll,
                    "expand" => words.expand(None)?,
                    _ => return Err(Failure::new("only `sync` and `expand` are done by all")),
                };
                self.steps.push((number, step));
                words.end()?;
            }
            ':' => {
                let replica = self.replica(who)?;
                self.parse_edits(number, replica, words)?;
            }
            _ => {
                match words.word()? {
                    "runs" => {
                        let step =
                            Step::ExpectRuns { replica: self.replica_or_all(who)?, runs: words.runs()? };
                        self.steps.push((number, step));
                    }
                    "registers" => {
                        let replica = self.replica_or_all(who)?;
                        let registers =
                            words.marks()?.ok_or_else(|| Failure::new("expected values by name"))?;
                        self.steps.push((number, Step::ExpectRegisters { replica, registers }));
                    }
                    "text" => {
                        let replica = self.replica_or_all(who)?;
                        let (name, text) = (words.word()?.to_owned(), words.string()?);
                        self.steps.push((number, Step::ExpectText { replica, name, text }));
                    }
                    "list" => {
                        let replica = self.replica_or_all(who)?;
                        let (name, values) = (words.word()?.to_owned(), words.values()?);
                        self.steps.push((number, Step::ExpectList { replica, name, values }));
                    }
                    "is" => {
                        let replica = self.replica(who)?;
                        let bits = u64::from_str_radix(words.word()?, 16)
                            .map_err(|error| Failure::new(format!("replica id: {error}")))?;
                        self.replicas[replica] = ReplicaId::new(bits);
                    }
                    "pending" => {
                        let replica = self.replica(who)?;
                        let count = words.number()?;
                        self.steps.push((number, Step::ExpectPending { replica, count }));
                    }
                    other => return Err(Failure::new(format!("unknown statement {other:?}"))),
                }
                words.end()?;
            }
        }
        Ok(())
    }

    fn parse_edits(&mut self, number: usize, replica: usize, mut words: Words<'_>) -> Checked {
        let mut edits = Vec::new();
        loop {
            let word = words.word()?;
            if edits.is_empty() && self.parse_alone(number, replica, word, &mut words)? {
                return words.end();
            }
            edits.push(words.placed_edit(word)?);
            if words.rest.trim().is_empty() {
                self.steps.push((number, step_of(replica, edits)));
                return Ok(());
            }
            if words.symbol()? != ';' {
                return Err(Failure::new("expected `;` between the edits of a transaction"));
            }
        }
    }

    /// Takes what stands on a line of its own, if `word` begins such; whether it does.
    fn parse_alone(
        &mut self,
        number: usize,
        replica: usize,
        word: &str,
        words: &mut Words<'_>,
    ) -> Checked<bool> {
        let mut edit = |edit: Edit| self.steps.push((number, Step::Edit { replica, edits: vec![edit] }));
        match word {
            "undo" | "redo" => {
                let turn = if word == "undo" { Turn::Undo } else { Turn::Redo };
                self.steps.push((number, Step::Turn { replica, turn }));
            }
            "expand" => {
                self.steps.push((number, words.expand(Some(replica))?));
            }
            // Abbreviations for a transaction a key.
            "type" => {
                let position = words.number()?;
                for (i, char) in words.string()?.chars().enumerate() {
                    edit(Edit::Insert { position: position + i, text: char.to_string() });
                }
            }
            "type-backwards" => {
                let position = words.number()?;
                for char in words.string()?.chars().rev() {
                    edit(Edit::Insert { position, text: char.to_string() });
                }
            }
            "backspace" => {
                let (position, len) = (words.number()?, words.number()?);
                for i in 1..=len {
                    let position =
                        position.checked_sub(i).ok_or_else(|| Failure::new("backspace beyond the start"))?;
                    edit(Edit::Delete { position, len: 1 });
                }
            }
            "anchor" => {
                let name = words.word()?.to_owned();
                let position = words.number()?;
                let side = match words.word()? {
                    "before" => Side::Before,
                    "after" => Side::After,
                    other => return Err(Failure::new(format!("unknown side {other:?}"))),
                };
                self.steps.push((number, Step::Anchor { replica, name, position, side }));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn replica_or_all(&mut self, name: &str) -> Checked<Option<usize>> {
        if name == "*" { Ok(None) } else { self.replica(name).map(Some) }
    }

    /// The index of a replica's letter; replicas up to it exist from now on.
    fn replica(&mut self, name: &str) -> Checked<usize> {
        let index = match name.as_bytes() {
            [letter @ b'A'..=b'Z'] => usize::from(letter - b'A'),
            _ => return Err(Failure::new(format!("{name:?} is no replica"))),
        };
        for number in self.replicas.len()..=index {
            self.replicas.push(ReplicaId::new(number as u64 + 1));
        }
        Ok(index)
    }
}

/// A transaction; of the main text alone if there is nothing else in it.
fn step_of(replica: usize, edits: Vec<PlacedEdit>) -> Step {
    if edits.iter().any(|edit| !matches!(edit, PlacedEdit::Main(_))) {
        return Step::EditPlaced { replica, edits };
    }
    let of_main = |edit| if let PlacedEdit::Main(edit) = edit { Some(edit) } else { None };
    Step::Edit { replica, edits: edits.into_iter().filter_map(of_main).collect() }
}

/// What is left of a line.
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    /// Everything before the first of these symbols.
    fn until(&mut self, symbols: &[char]) -> Checked<&'a str> {
        let end = self
            .rest
            .find(symbols)
            .ok_or_else(|| Failure::new(format!("expected one of {symbols:?} after {:?}", self.rest)))?;
        let (found, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(found.trim())
    }

    /// The next symbol that is no space; a space if a word follows.
    fn symbol(&mut self) -> Checked<char> {
        let trimmed = self.rest.trim_start();
        let symbol = trimmed.chars().next().ok_or_else(|| Failure::new("the line ends too early"))?;
        if symbol.is_ascii_punctuation() && symbol != '"' {
            self.rest = &trimmed[1..];
            Ok(symbol)
        } else {
            Ok(' ')
        }
    }

    fn word(&mut self) -> Checked<&'a str> {
        let trimmed = self.rest.trim_start();
        let end = trimmed.find([' ', ';']).unwrap_or(trimmed.len());
        let (found, rest) = trimmed.split_at(end);
        self.rest = rest;
        if found.is_empty() { Err(Failure::new("the line ends too early")) } else { Ok(found) }
    }

    fn number(&mut self) -> Checked<usize> {
        let word = self.word()?;
        word.parse().map_err(|_| Failure::new(format!("{word:?} is no number")))
    }

    /// An edit that begins with this word.
    fn placed_edit(&mut self, word: &str) -> Checked<PlacedEdit> {
        match word {
            "list" => Ok(PlacedEdit::List { name: self.word()?.to_owned(), edit: self.list_edit()? }),
            "text" => {
                let name = self.word()?.to_owned();
                let word = self.word()?;
                match self.edit(word)? {
                    Edit::Set { .. } => Err(Failure::new("registers are the document's")),
                    edit => Ok(PlacedEdit::Text { name, edit }),
                }
            }
            word => self.edit(word).map(PlacedEdit::Main),
        }
    }

    fn edit(&mut self, word: &str) -> Checked<Edit> {
        Ok(match word {
            "insert" => {
                let (position, text) = (self.number()?, self.string()?);
                match self.with_marks()? {
                    None => Edit::Insert { position, text },
                    Some(marks) => Edit::InsertWith { position, text, marks },
                }
            }
            "embed" => {
                let (position, value) = (self.number()?, self.json()?);
                Edit::Embed { position, value, marks: self.with_marks()? }
            }
            "delete" => Edit::Delete { position: self.number()?, len: self.number()? },
            "mark" => {
                let (position, len) = (self.number()?, self.number()?);
                let (name, value) = (self.word()?.to_owned(), Some(self.json()?));
                Edit::Mark { position, len, name, value }
            }
            "unmark" => {
                let (position, len) = (self.number()?, self.number()?);
                Edit::Mark { position, len, name: self.word()?.to_owned(), value: None }
            }
            "set" => Edit::Set { name: self.word()?.to_owned(), value: Some(self.json()?) },
            "unset" => Edit::Set { name: self.word()?.to_owned(), value: None },
            other => return Err(Failure::new(format!("unknown edit {other:?}"))),
        })
    }

    fn list_edit(&mut self) -> Checked<ListEdit> {
        Ok(match self.word()? {
            "insert" => ListEdit::Insert { index: self.number()?, value: self.json()? },
            "delete" => ListEdit::Delete { index: self.number()?, len: self.number()? },
            "replace" => ListEdit::Replace { index: self.number()?, value: self.json()? },
            "move" => ListEdit::Move { from: self.number()?, to: self.number()? },
            other => return Err(Failure::new(format!("unknown edit of a list {other:?}"))),
        })
    }

    /// A JSON array.
    fn values(&mut self) -> Checked<Vec<Json>> {
        let array: Vec<serde_json::Value> = serde_json::from_str(self.json()?.as_str())
            .map_err(|error| Failure::new(format!("entries: {error}")))?;
        let value = |value: serde_json::Value| Json::parse(&value.to_string());
        let values: Result<_, _> = array.into_iter().map(value).collect();
        values.map_err(|error| Failure::new(format!("entries: {error}")))
    }

    /// A JSON string.
    fn string(&mut self) -> Checked<String> {
        let mut strings = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
        let text = strings
            .next()
            .ok_or_else(|| Failure::new("expected a string"))?
            .map_err(|error| Failure::new(format!("string: {error}")))?;
        self.rest = &self.rest[strings.byte_offset()..];
        Ok(text)
    }

    /// A JSON value.
    fn json(&mut self) -> Checked<Json> {
        let not_json = |error: &dyn fmt::Display| Failure::new(format!("JSON value: {error}"));
        let trimmed = self.rest.trim_start();
        let text = if trimmed.starts_with(['"', '[', '{']) {
            let mut values = serde_json::Deserializer::from_str(trimmed).into_iter::<serde_json::Value>();
            let value = values
                .next()
                .ok_or_else(|| Failure::new("the line ends too early"))?
                .map_err(|error| not_json(&error))?;
            self.rest = &trimmed[values.byte_offset()..];
            value.to_string()
        } else {
            // A number or a name ends where no JSON would go on: at the mark that follows.
            let end = trimmed.find([' ', ';', '{']).unwrap_or(trimmed.len());
            self.rest = &trimmed[end..];
            trimmed[..end].to_owned()
        };
        Json::parse(&text).map_err(|error| not_json(&error))
    }

    /// A JSON object of marks by name, if one follows.
    fn marks(&mut self) -> Checked<Option<Marks>> {
        if !self.rest.trim_start().starts_with('{') {
            return Ok(None);
        }
        let text = self.json()?;
        let fields: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(text.as_str()).map_err(|error| Failure::new(format!("marks: {error}")))?;
        let mark = |(name, value): (String, serde_json::Value)| {
            let value = Json::parse(&value.to_string());
            value.map(|value| (name, value)).map_err(|error| Failure::new(format!("marks: {error}")))
        };
        fields.into_iter().map(mark).collect::<Checked<Marks>>().map(Some)
    }

    /// `with` and marks, if that follows.
    fn with_marks(&mut self) -> Checked<Option<Marks>> {
        let Some(rest) = self.rest.trim_start().strip_prefix("with ") else { return Ok(None) };
        self.rest = rest;
        self.marks()?.map(Some).ok_or_else(|| Failure::new("expected marks after `with`"))
    }

    /// Runs up to the end of the line.
    fn runs(&mut self) -> Checked<Vec<TextRun>> {
        let mut runs = Vec::new();
        while !self.rest.trim().is_empty() {
            let content = if self.rest.trim_start().starts_with('"') {
                Content::Text(self.string()?)
            } else if self.word()? == "embed" {
                Content::Embed(self.json()?)
            } else {
                return Err(Failure::new("expected a string or `embed`"));
            };
            runs.push(TextRun { content, marks: self.marks()?.unwrap_or_default() });
        }
        Ok(runs)
    }

    /// The name of a mark and where it grows.
    fn expand(&mut self, replica: Option<usize>) -> Checked<Step> {
        let name = self.word()?.to_owned();
        let expand = match self.word()? {
            "before" => Expand::Before,
            "after" => Expand::After,
            "both" => Expand::Both,
            "none" => Expand::None,
            other => return Err(Failure::new(format!("a mark cannot grow {other:?}"))),
        };
        Ok(Step::Expand { replica, name, expand })
    }

    fn end(&self) -> Checked {
        match self.rest.trim() {
            "" => Ok(()),
            rest => Err(Failure::new(format!("{rest:?} is left over"))),
        }
    }
}
