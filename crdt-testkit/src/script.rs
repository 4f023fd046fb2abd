//! Scenario scripts: what replicas do, one line a step.
//!
//! The format is described in `scripts/README.md`; other languages read the same files. A script
//! prints as the text it can be read from, so that a random history that fails can be kept.

use crate::failure::{Checked, Failure};
use crate::twin::Edit;
use crdt_core::{ReplicaId, Side};
use std::fmt;

/// Replicas are named by capital letters, so there are at most so many in one script.
pub const MAX_REPLICAS: usize = 26;

/// A whole script.
#[derive(Clone, PartialEq, Eq)]
pub struct Script {
    /// The replica ids; replica A is the first.
    pub replicas: Vec<ReplicaId>,
    /// The steps, each with the number of the line it came from.
    pub steps: Vec<(usize, Step)>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// One replica makes edits as one transaction.
    Edit {
        /// Which replica.
        replica: usize,
        /// What.
        edits: Vec<Edit>,
    },
    /// One replica receives everything that another has and it lacks.
    Sync {
        /// Who has it.
        from: usize,
        /// Who receives it.
        to: usize,
    },
    /// Everybody receives everything.
    SyncAll,
    /// One replica receives only the delta of another's newest transaction.
    Last {
        /// Whose transaction.
        from: usize,
        /// Who receives it.
        to: usize,
    },
    /// A replica keeps an anchor beside an element, as a caret.
    Anchor {
        /// Which replica.
        replica: usize,
        /// A name for it.
        name: String,
        /// In scalar values.
        position: usize,
        /// Beside the element behind the position (`Before`) or in front of it (`After`).
        side: Side,
    },
    /// The text must be this one, at one replica or at all.
    Expect {
        /// Which replica; `None` for all.
        replica: Option<usize>,
        /// The text.
        text: String,
    },
    /// So many operations must be waiting.
    ExpectPending {
        /// Which replica.
        replica: usize,
        /// How many.
        count: usize,
    },
    /// An anchor must stand here.
    ExpectAnchor {
        /// Which replica resolves it.
        replica: usize,
        /// The anchor's name.
        name: String,
        /// In scalar values.
        position: usize,
    },
}

impl Script {
    /// An empty script for so many replicas with the ids 1, 2, 3 and so on.
    pub fn new(replicas: usize) -> Self {
        let replicas = (1..=replicas as u64).map(ReplicaId::new).collect();
        Self { replicas, steps: Vec::new() }
    }

    /// Adds a step on a line of its own.
    pub fn push(&mut self, step: Step) {
        self.steps.push((self.steps.len() + 1, step));
    }

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
                let replica = if who == "*" { None } else { Some(self.replica(who)?) };
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
                if words.rest.trim() != "sync" {
                    return Err(Failure::new("only `sync` is done by all"));
                }
                self.steps.push((number, Step::SyncAll));
            }
            ':' => {
                let replica = self.replica(who)?;
                self.parse_edits(number, replica, words)?;
            }
            _ => {
                let replica = self.replica(who)?;
                match words.word()? {
                    "is" => {
                        let bits = u64::from_str_radix(words.word()?, 16)
                            .map_err(|error| Failure::new(format!("replica id: {error}")))?;
                        self.replicas[replica] = ReplicaId::new(bits);
                    }
                    "pending" => {
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
            match words.word()? {
                "insert" => edits.push(Edit::Insert { position: words.number()?, text: words.string()? }),
                "delete" => edits.push(Edit::Delete { position: words.number()?, len: words.number()? }),
                // The rest are abbreviations for a transaction a key.
                "type" => {
                    let position = words.number()?;
                    for (i, char) in words.string()?.chars().enumerate() {
                        let edit = Edit::Insert { position: position + i, text: char.to_string() };
                        self.steps.push((number, Step::Edit { replica, edits: vec![edit] }));
                    }
                    return words.end();
                }
                "type-backwards" => {
                    let position = words.number()?;
                    for char in words.string()?.chars().rev() {
                        let edit = Edit::Insert { position, text: char.to_string() };
                        self.steps.push((number, Step::Edit { replica, edits: vec![edit] }));
                    }
                    return words.end();
                }
                "backspace" => {
                    let (position, len) = (words.number()?, words.number()?);
                    for i in 1..=len {
                        let position = position
                            .checked_sub(i)
                            .ok_or_else(|| Failure::new("backspace beyond the start"))?;
                        let edits = vec![Edit::Delete { position, len: 1 }];
                        self.steps.push((number, Step::Edit { replica, edits }));
                    }
                    return words.end();
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
                    return words.end();
                }
                other => return Err(Failure::new(format!("unknown edit {other:?}"))),
            }
            if words.rest.trim().is_empty() {
                self.steps.push((number, Step::Edit { replica, edits }));
                return Ok(());
            }
            if words.symbol()? != ';' {
                return Err(Failure::new("expected `;` between the edits of a transaction"));
            }
        }
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

    fn end(&self) -> Checked {
        match self.rest.trim() {
            "" => Ok(()),
            rest => Err(Failure::new(format!("{rest:?} is left over"))),
        }
    }
}

/// The letter of a replica.
fn letter(replica: usize) -> char {
    u8::try_from(replica).map_or('?', |index| char::from(b'A' + index))
}

/// A JSON string.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, replica) in self.replicas.iter().enumerate() {
            writeln!(f, "{} is {replica}", letter(index))?;
        }
        self.steps.iter().try_for_each(|(_, step)| writeln!(f, "{step}"))
    }
}

/// Shows the text too: what somebody wants to see of a script that failed.
impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edit { replica, edits } => {
                write!(f, "{}:", letter(*replica))?;
                for (i, edit) in edits.iter().enumerate() {
                    f.write_str(if i == 0 { " " } else { "; " })?;
                    match edit {
                        Edit::Insert { position, text } => write!(f, "insert {position} {}", json(text))?,
                        Edit::Delete { position, len } => write!(f, "delete {position} {len}")?,
                    }
                }
                Ok(())
            }
            Self::Sync { from, to } => write!(f, "{}>{}: sync", letter(*from), letter(*to)),
            Self::SyncAll => f.write_str("*: sync"),
            Self::Last { from, to } => write!(f, "{}>{}: last", letter(*from), letter(*to)),
            Self::Anchor { replica, name, position, side } => {
                let side = if *side == Side::Before { "before" } else { "after" };
                write!(f, "{}: anchor {name} {position} {side}", letter(*replica))
            }
            Self::Expect { replica: None, text } => write!(f, "* = {}", json(text)),
            Self::Expect { replica: Some(replica), text } => {
                write!(f, "{} = {}", letter(*replica), json(text))
            }
            Self::ExpectPending { replica, count } => write!(f, "{} pending {count}", letter(*replica)),
            Self::ExpectAnchor { replica, name, position } => {
                write!(f, "{}@{name} = {position}", letter(*replica))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_prints_as_the_text_it_is_read_from() {
        let text = "A is 0000000000000001\nB is ffffffffffffffff\nA: insert 0 \"x\\n😀\"; delete 0 1\n\
                    A>B: sync\nA>B: last\n*: sync\nA: anchor caret 1 before\n\
                    A = \"😀\"\n* = \"😀\"\nB pending 0\nB@caret = 1\n";
        let script = Script::parse(text).unwrap();
        assert_eq!(script.to_string(), text);
    }

    #[test]
    fn keys_are_transactions_of_their_own() {
        let script = Script::parse("A: type 3 \"ab\"\nA: type-backwards 0 \"cd\"\nA: backspace 2 2").unwrap();
        let printed: Vec<_> = script.steps.iter().map(|(_, step)| step.to_string()).collect();
        assert_eq!(
            printed,
            [
                "A: insert 3 \"a\"",
                "A: insert 4 \"b\"",
                "A: insert 0 \"d\"",
                "A: insert 0 \"c\"",
                "A: delete 1 1",
                "A: delete 0 1"
            ]
        );
    }

    #[test]
    fn a_line_that_is_not_understood_is_named() {
        for line in ["A insert 0", "a: insert 0 \"\"", "A: insert \"x\"", "A: delete 0", "*: last", "A = x"] {
            let failure = Script::parse(&format!("# fine\n{line}")).unwrap_err();
            assert!(failure.to_string().starts_with("line 2"), "{failure}");
        }
    }
}
