//! The class `Doc`.

use crate::error::{throw, thrown};
use crate::packet;
use crdt_core::codec::{Limits, SnapshotProfile};
use crdt_core::{Anchor, Expand, Json, Marks, ReplicaId, Seq, Side, VersionVector};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// One copy of a replicated text; see [`crdt_core::Doc`]. Positions are UTF-16 code units.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Doc {
    pub(crate) inner: crdt_core::Doc,
}

#[wasm_bindgen]
impl Doc {
    /// An empty document. `replica`: 64 random bits.
    #[wasm_bindgen(constructor)]
    pub fn new(replica: u64) -> Self {
        Self { inner: crdt_core::Doc::new(ReplicaId::new(replica)) }
    }

    /// The document that a snapshot holds, for a new replica.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::from_snapshot`].
    #[wasm_bindgen(js_name = fromSnapshot)]
    pub fn from_snapshot(replica: u64, snapshot: &[u8]) -> Result<Self, JsValue> {
        let inner = crdt_core::Doc::from_snapshot(ReplicaId::new(replica), snapshot).map_err(throw)?;
        Ok(Self { inner })
    }

    /// A document that starts with these runs; `content` is what `packet.ts` writes.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::seeded`], and when the content is not what `packet.ts` writes.
    pub fn seeded(replica: u64, content: &[u8], document: &str) -> Result<Self, JsValue> {
        let content =
            packet::read_runs(content).ok_or_else(|| thrown("malformed", "the content is not runs"))?;
        let inner = crdt_core::Doc::seeded(ReplicaId::new(replica), &content, document).map_err(throw)?;
        Ok(Self { inner })
    }

    /// The length of the text.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> usize {
        self.inner.len_utf16()
    }

    /// The whole text.
    pub fn text(&self) -> String {
        self.inner.text()
    }

    /// The text of a range.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::slice_utf16`].
    pub fn slice(&self, start: usize, end: usize) -> Result<String, JsValue> {
        self.inner.slice_utf16(start..end).map_err(throw)
    }

    /// Inserts text.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::insert_utf16`].
    pub fn insert(&mut self, position: usize, text: &str) -> Result<(), JsValue> {
        self.inner.insert_utf16(position, text).map_err(throw)
    }

    /// Whether it ever held anything but text.
    #[wasm_bindgen(getter)]
    pub fn rich(&self) -> bool {
        self.inner.is_rich()
    }

    /// What is said until `endTransaction` is said at one time.
    #[wasm_bindgen(js_name = beginTransaction)]
    pub fn begin_transaction(&mut self) {
        self.inner.begin_transaction();
    }

    /// Ends what `beginTransaction` began.
    #[wasm_bindgen(js_name = endTransaction)]
    pub fn end_transaction(&mut self) {
        self.inner.end_transaction();
    }

    /// The runs of a range, as a packet.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::runs_in_utf16`].
    pub fn runs(&self, start: usize, end: usize) -> Result<Vec<u8>, JsValue> {
        Ok(packet::runs(&self.inner.runs_in_utf16(start..end).map_err(throw)?))
    }

    /// Inserts text with exactly these marks, or with those of the place; gives the marks that it has.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::insert_with_utf16`], and when the marks are not what `packet.ts` writes.
    #[wasm_bindgen(js_name = insertMarked)]
    pub fn insert_marked(
        &mut self,
        position: usize,
        text: &str,
        marks: Option<String>,
    ) -> Result<String, JsValue> {
        match marks {
            None => self.inner.insert_utf16(position, text),
            Some(marks) => self.inner.insert_with_utf16(position, text, &read_marks(&marks)?),
        }
        .map_err(throw)?;
        match text.chars().next() {
            Some(first) => self.marks_at(position, first.len_utf16()),
            None => Ok(String::new()),
        }
    }

    /// Inserts an embed with exactly these marks, or with those of the place; gives the marks that it has.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::insert_embed_with_utf16`], and when the value or the marks are not JSON.
    #[wasm_bindgen(js_name = insertEmbed)]
    pub fn insert_embed(
        &mut self,
        position: usize,
        value: &str,
        marks: Option<String>,
    ) -> Result<String, JsValue> {
        let value = read_json(value)?;
        match marks {
            None => self.inner.insert_embed_utf16(position, value),
            Some(marks) => self.inner.insert_embed_with_utf16(position, value, &read_marks(&marks)?),
        }
        .map_err(throw)?;
        self.marks_at(position, 1)
    }

    /// Gives the embed at a position another value; gives the marks that it has.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::replace_embed_utf16`], and when the value is not JSON.
    #[wasm_bindgen(js_name = replaceEmbed)]
    pub fn replace_embed(&mut self, position: usize, value: &str) -> Result<String, JsValue> {
        let value = read_json(value)?;
        self.inner.replace_embed_utf16(position, value).map_err(throw)?;
        self.marks_at(position, 1)
    }

    /// Marks a range.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::mark_utf16`], and when the value is not JSON.
    pub fn mark(&mut self, start: usize, end: usize, name: &str, value: &str) -> Result<(), JsValue> {
        let value = read_json(value)?;
        self.inner.mark_utf16(start..end, name, value).map_err(throw)
    }

    /// Removes a mark from a range.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::unmark_utf16`].
    pub fn unmark(&mut self, start: usize, end: usize, name: &str) -> Result<(), JsValue> {
        self.inner.unmark_utf16(start..end, name).map_err(throw)
    }

    /// Gives a register a value; an empty text empties it.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::set`], and when the value is not JSON.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), JsValue> {
        if value.is_empty() {
            return self.inner.unset(name).map_err(throw);
        }
        let value = read_json(value)?;
        self.inner.set(name, value).map_err(throw)
    }

    /// The registers that hold something, as a packet.
    pub fn registers(&self) -> Vec<u8> {
        packet::registers(self.inner.registers())
    }

    /// Says how marks of this name grow: 0 before, 1 after, 2 both, 3 none.
    #[wasm_bindgen(js_name = setExpand)]
    pub fn set_expand(&mut self, name: &str, expand: u8) {
        let expand = match expand {
            0 => Expand::Before,
            1 => Expand::After,
            2 => Expand::Both,
            _ => Expand::None,
        };
        self.inner.set_expand(name, expand);
    }

    /// Deletes a range.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::delete_utf16`].
    pub fn delete(&mut self, start: usize, end: usize) -> Result<(), JsValue> {
        self.inner.delete_utf16(start..end).map_err(throw)
    }

    /// How many operations this replica has issued: also the number of its next one.
    pub fn issued(&self) -> Seq {
        self.inner.version().get(self.inner.replica())
    }

    /// This replica's operations from number `from` on, and what opened a sequence here since, as one delta.
    #[wasm_bindgen(js_name = issuedSince)]
    pub fn issued_since(&self, from: Seq) -> Vec<u8> {
        self.inner.issued_since(from)
    }

    /// The encoded version vector.
    pub fn version(&self) -> Vec<u8> {
        self.inner.version().encode()
    }

    /// Everything that the encoded version vector lacks, as one delta.
    ///
    /// # Errors
    /// As [`VersionVector::decode`].
    #[wasm_bindgen(js_name = deltaSince)]
    pub fn delta_since(&mut self, version: Option<Box<[u8]>>) -> Result<Vec<u8>, JsValue> {
        let version = match version {
            Some(bytes) => VersionVector::decode(&bytes, &Limits::DEFAULT).map_err(throw)?,
            None => VersionVector::new(),
        };
        self.inner.decode_history_since(&version);
        Ok(self.inner.delta_since(&version))
    }

    /// Applies a delta; gives the edits of the visible text as a packet.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::apply`].
    pub fn apply(&mut self, delta: &[u8]) -> Result<Vec<u8>, JsValue> {
        let edits = self.inner.apply(delta).map_err(throw)?;
        Ok(packet::edits(&edits))
    }

    /// What waits for missing operations, as a packet.
    pub fn pending(&self) -> Vec<u8> {
        packet::pending(&self.inner.pending())
    }

    /// The whole state, in the profile that opens fastest or in the smallest.
    pub fn snapshot(&mut self, compact: bool) -> Vec<u8> {
        // Who stores a document once stores it again.
        self.inner.decode_history_since(&VersionVector::new());
        let profile = if compact { SnapshotProfile::Compact } else { SnapshotProfile::Fast };
        self.inner.encode_snapshot_as(profile)
    }

    /// The encoded anchor at a position: behind the character before it, or before the one behind it.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::position_from_utf16`] and [`crdt_core::Doc::anchor_at`].
    #[wasm_bindgen(js_name = anchorAt)]
    pub fn anchor_at(&self, position: usize, before: bool) -> Result<Vec<u8>, JsValue> {
        let side = if before { Side::Before } else { Side::After };
        let position = self.inner.position_from_utf16(position).map_err(throw)?;
        Ok(self.inner.anchor_at(position, side).map_err(throw)?.encode())
    }

    /// Where an encoded anchor stands now; `undefined` if its character was never seen here.
    ///
    /// # Errors
    /// As [`Anchor::decode`].
    #[wasm_bindgen(js_name = resolveAnchor)]
    pub fn resolve_anchor(&self, anchor: &[u8]) -> Result<Option<usize>, JsValue> {
        let anchor = Anchor::decode(anchor).map_err(throw)?;
        let Some(position) = self.inner.resolve(&anchor) else { return Ok(None) };
        self.inner.position_to_utf16(position).map(Some).map_err(throw)
    }
}

impl Doc {
    /// The marks of an element of this length, as `packet.ts` reads them.
    fn marks_at(&self, position: usize, len: usize) -> Result<String, JsValue> {
        let runs = self.inner.runs_in_utf16(position..position + len).map_err(throw)?;
        Ok(packet::marks_text(&runs))
    }
}

/// Names and values in turn, with a NUL behind each.
pub(crate) fn read_marks(text: &str) -> Result<Marks, JsValue> {
    let mut parts = text.split_terminator('\0');
    let mut marks = Vec::new();
    while let Some(name) = parts.next() {
        marks.push((name, read_json(parts.next().unwrap_or_default())?));
    }
    Ok(marks.into_iter().collect())
}

pub(crate) fn read_json(text: &str) -> Result<Json, JsValue> {
    Json::parse(text).map_err(|error| thrown("malformed", &error.to_string()))
}
