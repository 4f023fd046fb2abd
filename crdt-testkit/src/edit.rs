//! Local edits as values.

use crdt_core::{EditError, Json, Marks, Transaction};

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
