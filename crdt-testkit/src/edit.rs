//! Local edits as values.

use crdt_core::{EditError, Json, Marks, TextMut, Transaction};

/// One local edit; positions and lengths in elements: scalar values, or embeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Inserts `text` at `position`, with the marks that the place gives it.
    Insert {
        /// Where.
        position: usize,
        /// What.
        text: String,
    },
    /// Inserts `text` at `position` with these marks and no others.
    InsertWith {
        /// Where.
        position: usize,
        /// What.
        text: String,
        /// Its marks.
        marks: Marks,
    },
    /// Inserts an embed at `position`.
    Embed {
        /// Where.
        position: usize,
        /// What.
        value: Json,
        /// Its marks and no others; `None` for those that the place gives it.
        marks: Option<Marks>,
    },
    /// Deletes `len` elements from `position` on.
    Delete {
        /// From where.
        position: usize,
        /// How many.
        len: usize,
    },
    /// Sets or removes a mark on `len` elements from `position` on.
    Mark {
        /// From where.
        position: usize,
        /// How many.
        len: usize,
        /// The mark's name.
        name: String,
        /// Its value; `None` removes it.
        value: Option<Json>,
    },
    /// Sets or empties a register.
    Set {
        /// Its name.
        name: String,
        /// Its value; `None` empties it.
        value: Option<Json>,
    },
}

impl Edit {
    /// Makes the edit.
    ///
    /// # Errors
    /// When the document refuses it.
    pub fn make(&self, transaction: &mut Transaction<'_>) -> Result<(), EditError> {
        match self {
            Self::Insert { position, text } => transaction.insert(*position, text),
            Self::InsertWith { position, text, marks } => transaction.insert_with(*position, text, marks),
            Self::Embed { position, value, marks: None } => {
                transaction.insert_embed(*position, value.clone())
            }
            Self::Embed { position, value, marks: Some(marks) } => {
                transaction.insert_embed_with(*position, value.clone(), marks)
            }
            Self::Delete { position, len } => transaction.delete(*position..position + len),
            Self::Mark { position, len, name, value: Some(value) } => {
                transaction.mark(*position..position + len, name, value.clone())
            }
            Self::Mark { position, len, name, value: None } => {
                transaction.unmark(*position..position + len, name)
            }
            Self::Set { name, value: Some(value) } => transaction.set(name, value.clone()),
            Self::Set { name, value: None } => transaction.unset(name),
        }
    }

    /// How many elements it inserts, and how many it deletes.
    pub fn sizes(&self) -> (usize, usize) {
        match self {
            Self::Insert { text, .. } | Self::InsertWith { text, .. } => (text.chars().count(), 0),
            Self::Embed { .. } => (1, 0),
            Self::Delete { len, .. } => (0, *len),
            Self::Mark { .. } | Self::Set { .. } => (0, 0),
        }
    }

    /// Where it begins; 0 if it is in no place.
    pub fn position(&self) -> usize {
        match self {
            Self::Insert { position, .. }
            | Self::InsertWith { position, .. }
            | Self::Embed { position, .. }
            | Self::Delete { position, .. }
            | Self::Mark { position, .. } => *position,
            Self::Set { .. } => 0,
        }
    }
}

/// One local edit of a list; positions in entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListEdit {
    /// Puts an entry in front of the one at `index`, or at the end.
    Insert {
        /// Where.
        index: usize,
        /// What.
        value: Json,
    },
    /// Deletes `len` entries from `index` on.
    Delete {
        /// From where.
        index: usize,
        /// How many.
        len: usize,
    },
    /// Gives an entry another value.
    Replace {
        /// Which.
        index: usize,
        /// What.
        value: Json,
    },
    /// Moves an entry.
    Move {
        /// Which.
        from: usize,
        /// Where it is then.
        to: usize,
    },
}

/// One local edit of any of a document's sequences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlacedEdit {
    /// In the main text, or of a register.
    Main(Edit),
    /// In a named text.
    Text {
        /// The text's name.
        name: String,
        /// What.
        edit: Edit,
    },
    /// In a list.
    List {
        /// The list's name.
        name: String,
        /// What.
        edit: ListEdit,
    },
}

impl PlacedEdit {
    /// Makes the edit.
    ///
    /// # Errors
    /// When the document refuses it.
    pub fn make(&self, transaction: &mut Transaction<'_>) -> Result<(), EditError> {
        match self {
            Self::Main(edit) => edit.make(transaction),
            Self::Text { name, edit } => make_in(edit, &mut transaction.open_text(name)?),
            Self::List { name, edit } => {
                let mut list = transaction.open_list(name)?;
                match edit {
                    ListEdit::Insert { index, value } => list.insert(*index, value.clone()),
                    ListEdit::Delete { index, len } => list.delete(*index..index + len),
                    ListEdit::Replace { index, value } => list.replace(*index, value.clone()),
                    ListEdit::Move { from, to } => list.move_to(*from, *to),
                }
            }
        }
    }
}

/// Makes an edit in a named text.
fn make_in(edit: &Edit, text: &mut TextMut<'_>) -> Result<(), EditError> {
    match edit {
        Edit::Insert { position, text: inserted } => text.insert(*position, inserted),
        Edit::InsertWith { position, text: inserted, marks } => text.insert_with(*position, inserted, marks),
        Edit::Embed { position, value, marks } => text.insert_embed(*position, value.clone(), marks.as_ref()),
        Edit::Delete { position, len } => text.delete(*position..position + len),
        Edit::Mark { position, len, name, value: Some(value) } => {
            text.mark(*position..position + len, name, value.clone())
        }
        Edit::Mark { position, len, name, value: None } => text.unmark(*position..position + len, name),
        Edit::Set { .. } => unreachable!("registers are the document's"),
    }
}
