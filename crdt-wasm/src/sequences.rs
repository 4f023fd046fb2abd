//! The named texts and lists of the class `Doc`. Reading one that nobody has opened reads an empty one; editing opens it.

use crate::doc::{Doc, read_json, read_marks};
use crate::error::throw;
use crate::packet;
use crdt_core::{Anchor, EditError, SequenceKind, Side};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
impl Doc {
    /// All that anybody has opened, as a packet.
    pub fn sequences(&self) -> Vec<u8> {
        packet::sequences(self.inner.sequences())
    }

    /// The length of a named text.
    #[wasm_bindgen(js_name = lengthIn)]
    pub fn length_in(&self, name: &str) -> usize {
        self.inner.text_named(name).map_or(0, |text| text.len_utf16())
    }

    /// A named text.
    #[wasm_bindgen(js_name = textIn)]
    pub fn text_in(&self, name: &str) -> String {
        self.inner.text_named(name).map_or_else(String::new, |text| text.text())
    }

    /// A range of a named text.
    ///
    /// # Errors
    /// As [`crdt_core::Text::slice_utf16`].
    #[wasm_bindgen(js_name = sliceIn)]
    pub fn slice_in(&self, name: &str, start: usize, end: usize) -> Result<String, JsValue> {
        match self.inner.text_named(name) {
            Some(text) => text.slice_utf16(start..end).map_err(throw),
            None => nothing(end, String::new()),
        }
    }

    /// The runs of a range of a named text, as a packet.
    ///
    /// # Errors
    /// As [`crdt_core::Text::runs_in_utf16`].
    #[wasm_bindgen(js_name = runsIn)]
    pub fn runs_in(&self, name: &str, start: usize, end: usize) -> Result<Vec<u8>, JsValue> {
        match self.inner.text_named(name) {
            Some(text) => Ok(packet::runs(&text.runs_in_utf16(start..end).map_err(throw)?)),
            None => nothing(end, Vec::new()),
        }
    }

    /// As `insertMarked`, in a named text.
    ///
    /// # Errors
    /// As there, and as [`crdt_core::Doc::open_text`].
    #[wasm_bindgen(js_name = insertIn)]
    pub fn insert_in(
        &mut self,
        name: &str,
        position: usize,
        text: &str,
        marks: Option<String>,
    ) -> Result<String, JsValue> {
        let marks = marks.map(|marks| read_marks(&marks)).transpose()?;
        let mut named = self.inner.open_text(name).map_err(throw)?;
        match marks {
            None => named.insert_utf16(position, text),
            Some(marks) => named.insert_with_utf16(position, text, &marks),
        }
        .map_err(throw)?;
        match text.chars().next() {
            Some(first) => self.marks_in(name, position, first.len_utf16()),
            None => Ok(String::new()),
        }
    }

    /// As `insertEmbed`, in a named text.
    ///
    /// # Errors
    /// As there, and as [`crdt_core::Doc::open_text`].
    #[wasm_bindgen(js_name = insertEmbedIn)]
    pub fn insert_embed_in(
        &mut self,
        name: &str,
        position: usize,
        value: &str,
        marks: Option<String>,
    ) -> Result<String, JsValue> {
        let value = read_json(value)?;
        let marks = marks.map(|marks| read_marks(&marks)).transpose()?;
        let mut named = self.inner.open_text(name).map_err(throw)?;
        named.insert_embed_utf16(position, value, marks.as_ref()).map_err(throw)?;
        self.marks_in(name, position, 1)
    }

    /// As `mark`, in a named text; an empty value removes the mark.
    ///
    /// # Errors
    /// As there, and as [`crdt_core::Doc::open_text`].
    #[wasm_bindgen(js_name = markIn)]
    pub fn mark_in(
        &mut self,
        name: &str,
        start: usize,
        end: usize,
        mark: &str,
        value: &str,
    ) -> Result<(), JsValue> {
        let value = if value.is_empty() { None } else { Some(read_json(value)?) };
        let mut named = self.inner.open_text(name).map_err(throw)?;
        match value {
            Some(value) => named.mark_utf16(start..end, mark, value),
            None => named.unmark_utf16(start..end, mark),
        }
        .map_err(throw)
    }

    /// As `delete`, in a named text.
    ///
    /// # Errors
    /// As there, and as [`crdt_core::Doc::open_text`].
    #[wasm_bindgen(js_name = deleteIn)]
    pub fn delete_in(&mut self, name: &str, start: usize, end: usize) -> Result<(), JsValue> {
        self.inner.open_text(name).map_err(throw)?.delete_utf16(start..end).map_err(throw)
    }

    /// As `anchorAt`, in a named text.
    ///
    /// # Errors
    /// As [`crdt_core::Text::anchor_at`].
    #[wasm_bindgen(js_name = anchorIn)]
    pub fn anchor_in(&self, name: &str, position: usize, before: bool) -> Result<Vec<u8>, JsValue> {
        let side = if before { Side::Before } else { Side::After };
        let Some(text) = self.inner.text_named(name) else {
            return nothing(position, end_of(SequenceKind::Text, name, side).encode());
        };
        let position = text.position_from_utf16(position).map_err(throw)?;
        Ok(text.anchor_at(position, side).map_err(throw)?.encode())
    }

    /// As `resolveAnchor`, in a named text.
    ///
    /// # Errors
    /// As [`Anchor::decode`].
    #[wasm_bindgen(js_name = resolveIn)]
    pub fn resolve_in(&self, name: &str, anchor: &[u8]) -> Result<Option<usize>, JsValue> {
        let anchor = Anchor::decode(anchor).map_err(throw)?;
        let Some(text) = self.inner.text_named(name) else {
            return Ok(resolve_unopened(SequenceKind::Text, name, &anchor));
        };
        let Some(position) = text.resolve(&anchor) else { return Ok(None) };
        text.position_to_utf16(position).map(Some).map_err(throw)
    }

    /// As `replaceEmbed`, in a named text.
    ///
    /// # Errors
    /// As there, and as [`crdt_core::Doc::open_text`].
    #[wasm_bindgen(js_name = replaceEmbedIn)]
    pub fn replace_embed_in(&mut self, name: &str, position: usize, value: &str) -> Result<String, JsValue> {
        let value = read_json(value)?;
        let mut named = self.inner.open_text(name).map_err(throw)?;
        named.replace_embed_utf16(position, value).map_err(throw)?;
        self.marks_in(name, position, 1)
    }

    /// The number of a list's entries.
    #[wasm_bindgen(js_name = listLength)]
    pub fn list_length(&self, name: &str) -> usize {
        self.inner.list(name).map_or(0, |list| list.len())
    }

    /// The entry at `index` of a list; `undefined` if there is none.
    #[wasm_bindgen(js_name = listGet)]
    pub fn list_get(&self, name: &str, index: usize) -> Option<String> {
        Some(self.inner.list(name)?.get(index)?.as_str().into())
    }

    /// The entries of a list, as a packet.
    #[wasm_bindgen(js_name = listValues)]
    pub fn list_values(&self, name: &str) -> Vec<u8> {
        packet::values(&self.inner.list(name).map_or_else(Vec::new, |list| list.values()))
    }

    /// Puts an entry into a list.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::open_list`] and [`crdt_core::ListMut::insert`], and when the value is not JSON.
    #[wasm_bindgen(js_name = listInsert)]
    pub fn list_insert(&mut self, name: &str, index: usize, value: &str) -> Result<(), JsValue> {
        let value = read_json(value)?;
        self.inner.open_list(name).map_err(throw)?.insert(index, value).map_err(throw)
    }

    /// Deletes entries of a list.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::open_list`] and [`crdt_core::ListMut::delete`].
    #[wasm_bindgen(js_name = listDelete)]
    pub fn list_delete(&mut self, name: &str, start: usize, end: usize) -> Result<(), JsValue> {
        self.inner.open_list(name).map_err(throw)?.delete(start..end).map_err(throw)
    }

    /// Replaces an entry of a list.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::open_list`] and [`crdt_core::ListMut::replace`], and when the value is not JSON.
    #[wasm_bindgen(js_name = listReplace)]
    pub fn list_replace(&mut self, name: &str, index: usize, value: &str) -> Result<(), JsValue> {
        let value = read_json(value)?;
        self.inner.open_list(name).map_err(throw)?.replace(index, value).map_err(throw)
    }

    /// Moves an entry of a list, which is at `to` then.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::open_list`] and [`crdt_core::ListMut::move_to`].
    #[wasm_bindgen(js_name = listMove)]
    pub fn list_move(&mut self, name: &str, from: usize, to: usize) -> Result<(), JsValue> {
        self.inner.open_list(name).map_err(throw)?.move_to(from, to).map_err(throw)
    }

    /// As `anchorAt`, in a list.
    ///
    /// # Errors
    /// As [`crdt_core::List::anchor_at`].
    #[wasm_bindgen(js_name = listAnchor)]
    pub fn list_anchor(&self, name: &str, position: usize, before: bool) -> Result<Vec<u8>, JsValue> {
        let side = if before { Side::Before } else { Side::After };
        match self.inner.list(name) {
            Some(list) => Ok(list.anchor_at(position, side).map_err(throw)?.encode()),
            None => nothing(position, end_of(SequenceKind::List, name, side).encode()),
        }
    }

    /// As `resolveAnchor`, in a list.
    ///
    /// # Errors
    /// As [`Anchor::decode`].
    #[wasm_bindgen(js_name = listResolve)]
    pub fn list_resolve(&self, name: &str, anchor: &[u8]) -> Result<Option<usize>, JsValue> {
        let anchor = Anchor::decode(anchor).map_err(throw)?;
        Ok(match self.inner.list(name) {
            Some(list) => list.resolve(&anchor),
            None => resolve_unopened(SequenceKind::List, name, &anchor),
        })
    }
}

impl Doc {
    /// The marks of an element of this length in a named text, as `packet.ts` reads them.
    fn marks_in(&self, name: &str, position: usize, len: usize) -> Result<String, JsValue> {
        let Some(text) = self.inner.text_named(name) else { return Ok(String::new()) };
        Ok(packet::marks_text(&text.runs_in_utf16(position..position + len).map_err(throw)?))
    }
}

/// The end of a sequence that `side` looks away from.
fn end_of(kind: SequenceKind, name: &str, side: Side) -> Anchor {
    let [start, end] = kind.ends_of(name);
    if side == Side::After { start } else { end }
}

/// Where an anchor stands in a sequence that nobody has opened.
fn resolve_unopened(kind: SequenceKind, name: &str, anchor: &Anchor) -> Option<usize> {
    kind.ends_of(name).contains(anchor).then_some(0)
}

/// What is read of an empty text up to `end`.
pub(crate) fn nothing<T>(end: usize, empty: T) -> Result<T, JsValue> {
    if end == 0 { Ok(empty) } else { Err(throw(EditError::OutOfBounds { position: end, len: 0 })) }
}
