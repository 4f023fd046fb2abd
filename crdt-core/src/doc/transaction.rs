use super::{Doc, ListMut, TextMut};
use crate::error::EditError;
use crate::ids::Seq;
use crate::json::Json;
use crate::mark::Marks;
use alloc::vec::Vec;
use core::ops::Range;

/// Local edits that leave as one delta.
///
/// Edits apply at once. An edit that is refused changes nothing, and the ones before it stand. Dropped
/// without [`Transaction::commit`], the transaction leaves its edits in the document, and the next
/// [`Doc::delta_since`] has them.
///
/// # Examples
/// ```
/// use crdt_core::{Doc, ReplicaId};
///
/// let mut alice = Doc::new(ReplicaId::new(1));
/// let mut transaction = alice.transaction();
/// transaction.insert(0, "one two")?;
/// transaction.delete(3..7)?;
/// let delta = transaction.commit();
///
/// let mut bob = Doc::new(ReplicaId::new(2));
/// bob.apply(&delta)?;
/// assert_eq!(bob.text(), "one");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Transaction<'doc> {
    doc: &'doc mut Doc,
    from: Seq,
}

impl<'doc> Transaction<'doc> {
    pub(super) fn new(doc: &'doc mut Doc) -> Self {
        let from = doc.own_seq();
        doc.begin_transaction();
        Self { doc, from }
    }

    /// The document with the edits made so far.
    pub fn doc(&self) -> &Doc {
        self.doc
    }

    /// Inserts as [`Doc::insert`] does.
    ///
    /// # Errors
    /// As there.
    pub fn insert(&mut self, position: usize, text: &str) -> Result<(), EditError> {
        self.doc.insert(position, text)
    }

    /// Inserts as [`Doc::insert_utf16`] does.
    ///
    /// # Errors
    /// As there.
    pub fn insert_utf16(&mut self, position_utf16: usize, text: &str) -> Result<(), EditError> {
        self.doc.insert_utf16(position_utf16, text)
    }

    /// Deletes as [`Doc::delete`] does.
    ///
    /// # Errors
    /// As there.
    pub fn delete(&mut self, range: Range<usize>) -> Result<(), EditError> {
        self.doc.delete(range)
    }

    /// Deletes as [`Doc::delete_utf16`] does.
    ///
    /// # Errors
    /// As there.
    pub fn delete_utf16(&mut self, range_utf16: Range<usize>) -> Result<(), EditError> {
        self.doc.delete_utf16(range_utf16)
    }

    /// Inserts as [`Doc::insert_with`] does.
    ///
    /// # Errors
    /// As there.
    pub fn insert_with(&mut self, position: usize, text: &str, marks: &Marks) -> Result<(), EditError> {
        self.doc.insert_with(position, text, marks)
    }

    /// Inserts as [`Doc::insert_with_utf16`] does.
    ///
    /// # Errors
    /// As there.
    pub fn insert_with_utf16(
        &mut self,
        position_utf16: usize,
        text: &str,
        marks: &Marks,
    ) -> Result<(), EditError> {
        self.doc.insert_with_utf16(position_utf16, text, marks)
    }

    /// Inserts as [`Doc::insert_embed`] does.
    ///
    /// # Errors
    /// As there.
    pub fn insert_embed(&mut self, position: usize, value: Json) -> Result<(), EditError> {
        self.doc.insert_embed(position, value)
    }

    /// Inserts as [`Doc::insert_embed_utf16`] does.
    ///
    /// # Errors
    /// As there.
    pub fn insert_embed_utf16(&mut self, position_utf16: usize, value: Json) -> Result<(), EditError> {
        self.doc.insert_embed_utf16(position_utf16, value)
    }

    /// Inserts as [`Doc::insert_embed_with`] does.
    ///
    /// # Errors
    /// As there.
    pub fn insert_embed_with(
        &mut self,
        position: usize,
        value: Json,
        marks: &Marks,
    ) -> Result<(), EditError> {
        self.doc.insert_embed_with(position, value, marks)
    }

    /// Inserts as [`Doc::insert_embed_with_utf16`] does.
    ///
    /// # Errors
    /// As there.
    pub fn insert_embed_with_utf16(
        &mut self,
        position_utf16: usize,
        value: Json,
        marks: &Marks,
    ) -> Result<(), EditError> {
        self.doc.insert_embed_with_utf16(position_utf16, value, marks)
    }

    /// Marks as [`Doc::mark`] does.
    ///
    /// # Errors
    /// As there.
    pub fn mark(&mut self, range: Range<usize>, name: &str, value: Json) -> Result<(), EditError> {
        self.doc.mark(range, name, value)
    }

    /// Marks as [`Doc::mark_utf16`] does.
    ///
    /// # Errors
    /// As there.
    pub fn mark_utf16(
        &mut self,
        range_utf16: Range<usize>,
        name: &str,
        value: Json,
    ) -> Result<(), EditError> {
        self.doc.mark_utf16(range_utf16, name, value)
    }

    /// Takes a mark away as [`Doc::unmark`] does.
    ///
    /// # Errors
    /// As there.
    pub fn unmark(&mut self, range: Range<usize>, name: &str) -> Result<(), EditError> {
        self.doc.unmark(range, name)
    }

    /// Takes a mark away as [`Doc::unmark_utf16`] does.
    ///
    /// # Errors
    /// As there.
    pub fn unmark_utf16(&mut self, range_utf16: Range<usize>, name: &str) -> Result<(), EditError> {
        self.doc.unmark_utf16(range_utf16, name)
    }

    /// Sets a register as [`Doc::set`] does.
    ///
    /// # Errors
    /// As there.
    pub fn set(&mut self, name: &str, value: Json) -> Result<(), EditError> {
        self.doc.set(name, value)
    }

    /// Empties a register as [`Doc::unset`] does.
    ///
    /// # Errors
    /// As there.
    pub fn unset(&mut self, name: &str) -> Result<(), EditError> {
        self.doc.unset(name)
    }

    /// Opens a named text as [`Doc::open_text`] does.
    ///
    /// # Errors
    /// As there.
    pub fn open_text(&mut self, name: &str) -> Result<TextMut<'_>, EditError> {
        self.doc.open_text(name)
    }

    /// Opens a list as [`Doc::open_list`] does.
    ///
    /// # Errors
    /// As there.
    pub fn open_list(&mut self, name: &str) -> Result<ListMut<'_>, EditError> {
        self.doc.open_list(name)
    }

    /// Ends the transaction: the one delta that holds its edits. No bytes if there were none.
    pub fn commit(self) -> Vec<u8> {
        let mut out = Vec::new();
        self.commit_into(&mut out);
        out
    }

    /// Ends the transaction and appends to `out` what [`Transaction::commit`] returns.
    pub fn commit_into(self, out: &mut Vec<u8>) {
        if self.doc.has_issued_since(self.from) {
            self.doc.newest_into(self.from, out);
        }
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        self.doc.end_transaction();
    }
}
