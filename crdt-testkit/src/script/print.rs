//! Scripts as text.

use super::{Script, Step};
use crate::edit::{Edit, ListEdit, PlacedEdit};
use crate::twin::Turn;
use crdt_core::{Content, Expand, Marks, Side, TextRun};
use std::fmt;

/// The letter of a replica.
fn letter(replica: usize) -> char {
    u8::try_from(replica).map_or('?', |index| char::from(b'A' + index))
}

/// The letter of a replica, or the sign for all.
fn letter_or_all(replica: Option<usize>) -> char {
    replica.map_or('*', letter)
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
                    print_edit(f, edit)?;
                }
                Ok(())
            }
            Self::EditPlaced { replica, edits } => {
                write!(f, "{}:", letter(*replica))?;
                for (i, edit) in edits.iter().enumerate() {
                    f.write_str(if i == 0 { " " } else { "; " })?;
                    print_placed(f, edit)?;
                }
                Ok(())
            }
            Self::Turn { replica, turn: Turn::Undo } => write!(f, "{}: undo", letter(*replica)),
            Self::Turn { replica, turn: Turn::Redo } => write!(f, "{}: redo", letter(*replica)),
            Self::Sync { from, to } => write!(f, "{}>{}: sync", letter(*from), letter(*to)),
            Self::SyncAll => f.write_str("*: sync"),
            Self::Last { from, to } => write!(f, "{}>{}: last", letter(*from), letter(*to)),
            Self::Expand { replica, name, expand } => {
                let expand = match expand {
                    Expand::Before => "before",
                    Expand::After => "after",
                    Expand::Both => "both",
                    Expand::None => "none",
                };
                write!(f, "{}: expand {name} {expand}", letter_or_all(*replica))
            }
            Self::Anchor { replica, name, position, side } => {
                let side = if *side == Side::Before { "before" } else { "after" };
                write!(f, "{}: anchor {name} {position} {side}", letter(*replica))
            }
            Self::Expect { replica, text } => write!(f, "{} = {}", letter_or_all(*replica), json(text)),
            Self::ExpectRuns { replica, runs } => {
                write!(f, "{} runs", letter_or_all(*replica))?;
                runs.iter().try_for_each(|run| print_run(f, run))
            }
            Self::ExpectRegisters { replica, registers } => {
                write!(f, "{} registers ", letter_or_all(*replica))?;
                print_marks(f, registers)
            }
            Self::ExpectText { replica, name, text } => {
                write!(f, "{} text {name} {}", letter_or_all(*replica), json(text))
            }
            Self::ExpectList { replica, name, values } => {
                write!(f, "{} list {name} [", letter_or_all(*replica))?;
                for (i, value) in values.iter().enumerate() {
                    let comma = if i == 0 { "" } else { "," };
                    write!(f, "{comma}{}", value.as_str())?;
                }
                f.write_str("]")
            }
            Self::ExpectPending { replica, count } => write!(f, "{} pending {count}", letter(*replica)),
            Self::ExpectAnchor { replica, name, position } => {
                write!(f, "{}@{name} = {position}", letter(*replica))
            }
        }
    }
}

fn print_placed(f: &mut fmt::Formatter<'_>, edit: &PlacedEdit) -> fmt::Result {
    match edit {
        PlacedEdit::Main(edit) => print_edit(f, edit),
        PlacedEdit::Text { name, edit } => {
            write!(f, "text {name} ")?;
            print_edit(f, edit)
        }
        PlacedEdit::List { name, edit } => {
            write!(f, "list {name} ")?;
            match edit {
                ListEdit::Insert { index, value } => write!(f, "insert {index} {}", value.as_str()),
                ListEdit::Delete { index, len } => write!(f, "delete {index} {len}"),
                ListEdit::Replace { index, value } => write!(f, "replace {index} {}", value.as_str()),
                ListEdit::Move { from, to } => write!(f, "move {from} {to}"),
            }
        }
    }
}

fn print_edit(f: &mut fmt::Formatter<'_>, edit: &Edit) -> fmt::Result {
    match edit {
        Edit::Insert { position, text } => write!(f, "insert {position} {}", json(text)),
        Edit::InsertWith { position, text, marks } => {
            write!(f, "insert {position} {} with ", json(text))?;
            print_marks(f, marks)
        }
        Edit::Embed { position, value, marks } => {
            write!(f, "embed {position} {}", value.as_str())?;
            marks.as_ref().map_or(Ok(()), |marks| {
                f.write_str(" with ")?;
                print_marks(f, marks)
            })
        }
        Edit::Delete { position, len } => write!(f, "delete {position} {len}"),
        Edit::Mark { position, len, name, value: Some(value) } => {
            write!(f, "mark {position} {len} {name} {}", value.as_str())
        }
        Edit::Set { name, value: Some(value) } => write!(f, "set {name} {}", value.as_str()),
        Edit::Set { name, value: None } => write!(f, "unset {name}"),
        Edit::Mark { position, len, name, value: None } => write!(f, "unmark {position} {len} {name}"),
    }
}

fn print_run(f: &mut fmt::Formatter<'_>, run: &TextRun) -> fmt::Result {
    match &run.content {
        Content::Text(text) => write!(f, " {}", json(text))?,
        Content::Embed(value) => write!(f, " embed {}", value.as_str())?,
    }
    if run.marks.is_empty() { Ok(()) } else { print_marks(f, &run.marks) }
}

fn print_marks(f: &mut fmt::Formatter<'_>, marks: &Marks) -> fmt::Result {
    f.write_str("{")?;
    for (i, (name, value)) in marks.iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        write!(f, "{comma}{}:{}", json(name), value.as_str())?;
    }
    f.write_str("}")
}
