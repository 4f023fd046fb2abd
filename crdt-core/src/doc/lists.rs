//! Lists: named sequences of JSON values that can be moved and replaced.

use super::Doc;
use super::regions::Scope;
use crate::anchor::{Anchor, Side};
use crate::error::EditError;
use crate::json::Json;
use crate::sequence::Unit;
use crate::value::{CARRIER, SequenceKind, Value};
use alloc::vec::Vec;
use core::ops::Range;

/// A list of a document, to read.
#[derive(Clone, Copy, Debug)]
pub struct List<'doc> {
    doc: &'doc Doc,
    scope: Scope,
}

/// A list of a document, to edit: [`Doc::open_list`].
#[derive(Debug)]
pub struct ListMut<'doc> {
    doc: &'doc mut Doc,
    scope: Scope,
}

impl Doc {
    /// The list of this name, which is opened here if nobody has yet: as [`Doc::open_text`], with JSON values for characters.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Examples
    /// ```
    /// use crdt_core::{Doc, Json, ReplicaId};
    ///
    /// let mut alice = Doc::new(ReplicaId::new(1));
    /// let mut bob = Doc::new(ReplicaId::new(2));
    /// let mut todo = alice.open_list("todo")?;
    /// for entry in ["write", "test", "publish"] {
    ///     todo.push(Json::string(entry))?;
    /// }
    /// bob.apply(&alice.delta_since(bob.version()))?;
    ///
    /// // Both move one entry, and one of them changes it.
    /// alice.open_list("todo")?.move_to(1, 0)?;
    /// bob.open_list("todo")?.move_to(1, 2)?;
    /// bob.open_list("todo")?.replace(2, Json::string("test well"))?;
    /// bob.apply(&alice.delta_since(bob.version()))?;
    /// alice.apply(&bob.delta_since(alice.version()))?;
    ///
    /// let entries = alice.list("todo").expect("it was opened").values();
    /// assert_eq!(entries, ["write", "publish", "test well"].map(Json::string));
    /// assert_eq!(bob.list("todo").expect("it was opened").values(), entries);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open_list(&mut self, name: &str) -> Result<ListMut<'_>, EditError> {
        let scope = self.open(name, SequenceKind::List)?;
        Ok(ListMut { doc: self, scope })
    }

    /// The list of this name, if anybody has opened it. O(log of the sequences).
    pub fn list(&self, name: &str) -> Option<List<'_>> {
        let scope = self.scope_named(name, SequenceKind::List)?;
        Some(List { doc: self, scope })
    }

    /// What a visible element of a list holds. Only who writes lists without this library puts text there: its characters
    /// count as strings.
    fn entry_value(&self, at: usize) -> Json {
        let embed = self.embed_of(self.sequence.element_at(at));
        embed.unwrap_or_else(|| Json::string(&self.read(at..at + 1, CARRIER.len())))
    }
}

impl List<'_> {
    /// How many entries. O(log *n*).
    pub fn len(&self) -> usize {
        let (start, end) = self.doc.bounds(self.scope);
        end.chars - start.chars
    }

    /// Whether there is no entry. O(log *n*).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entry at `index`, if there is one. O(log *n*).
    pub fn get(&self, index: usize) -> Option<Json> {
        (index < self.len()).then(|| self.doc.entry_value(self.doc.bounds(self.scope).0.chars + index))
    }

    /// All entries. O(log *n*) an entry.
    pub fn values(&self) -> Vec<Json> {
        let (start, end) = self.doc.bounds(self.scope);
        (start.chars..end.chars).map(|at| self.doc.entry_value(at)).collect()
    }

    /// The place beside the entry in front of (`Side::After`) or behind (`Side::Before`) a position, or beside an end of
    /// the list: as [`Doc::anchor_at`]. When that entry is moved, the anchor stays where it was.
    ///
    /// # Errors
    /// As there.
    pub fn anchor_at(&self, position: usize, side: Side) -> Result<Anchor, EditError> {
        self.doc.anchor_in(self.scope, position, side)
    }

    /// Where `anchor` stands now; `None` if its element was never seen here or is not of this list. O(log *n*).
    pub fn resolve(&self, anchor: &Anchor) -> Option<usize> {
        self.doc.resolve_in(self.scope, anchor)
    }
}

impl ListMut<'_> {
    /// The list as it is now.
    pub fn view(&self) -> List<'_> {
        List { doc: self.doc, scope: self.scope }
    }

    /// Puts an entry in front of the one at `index`, or at the end. O(log *n*).
    ///
    /// # Errors
    /// [`EditError::OutOfBounds`], [`EditError::Full`]. Nothing has changed then.
    pub fn insert(&mut self, index: usize, value: Json) -> Result<(), EditError> {
        self.doc.insert_embed_in(self.scope, Unit::Chars, index, value, None)
    }

    /// Puts an entry at the end. O(log *n*).
    ///
    /// # Errors
    /// [`EditError::Full`].
    pub fn push(&mut self, value: Json) -> Result<(), EditError> {
        self.insert(self.view().len(), value)
    }

    /// Deletes entries. Who moves one of them at the same time does not keep it. O(*k* log *n*) with *k* the entries.
    ///
    /// # Errors
    /// As [`Doc::delete`].
    pub fn delete(&mut self, range: Range<usize>) -> Result<(), EditError> {
        let range = self.doc.chars_range_in(self.scope, Unit::Chars, range)?;
        self.doc.delete_chars(range)
    }

    /// Gives the entry at `index` another value; it stays the same entry. As [`Doc::replace_embed`].
    ///
    /// # Errors
    /// As there.
    pub fn replace(&mut self, index: usize, value: Json) -> Result<(), EditError> {
        self.doc.replace_embed_in(self.scope, Unit::Chars, index, value)
    }

    /// Moves the entry at `from`, which is at `to` then. It stays the same entry.
    ///
    /// Of concurrent moves of one entry that of the later transaction holds, by Lamport timestamp, then by replica; so it is
    /// never there twice. O(log *n*).
    ///
    /// # Errors
    /// [`EditError::OutOfBounds`] also for the end of the list; [`EditError::NoEmbed`] for what is no entry;
    /// [`EditError::Full`]. Nothing has changed then.
    pub fn move_to(&mut self, from: usize, to: usize) -> Result<(), EditError> {
        let doc = &mut *self.doc;
        doc.chars_range_in(self.scope, Unit::Chars, to..to.saturating_add(1))?;
        let at = doc.chars_range_in(self.scope, Unit::Chars, from..from.saturating_add(1))?.start;
        let element = doc.entry_at(at).ok_or(EditError::NoEmbed { position: from })?;
        if from == to {
            return Ok(());
        }
        doc.check_own_room(1)?;
        let stamp = doc.next_stamp();
        let place = doc.place_in(self.scope, Unit::Chars, if to > from { to + 1 } else { to })?;
        let placement = doc.sequence.placement_at(place);
        doc.say_at(placement, Value::Move { element, stamp }, None)?;
        Ok(())
    }
}
