//! The class `UndoManager`.

use crate::doc::Doc;
use crate::error::throw;
use crate::packet;
use crdt_core::bytes::write_varint;
use crdt_core::{Anchor, EditError, ReplicaId, Selection, Side, UndoOptions, Undone};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Undo and redo for a document; see [`crdt_core::UndoManager`].
#[wasm_bindgen]
#[derive(Debug)]
pub struct UndoManager {
    inner: crdt_core::UndoManager,
}

#[wasm_bindgen]
impl UndoManager {
    /// Empty stacks for what these replicas say from now on; if there are none, for the document's own.
    #[wasm_bindgen(constructor)]
    pub fn new(doc: &Doc, interval_ms: f64, replicas: Vec<u64>) -> Self {
        let replicas = replicas.into_iter().map(ReplicaId::new).collect();
        let options = UndoOptions { interval_ms: whole(interval_ms), replicas };
        Self { inner: crdt_core::UndoManager::new(&doc.inner, options) }
    }

    /// Puts onto the stack what was said since this was last called. Whether there was anything.
    pub fn record(&mut self, doc: &Doc, now_ms: f64) -> bool {
        self.inner.record(&doc.inner, whole(now_ms))
    }

    /// Tells where the selection is; nothing that is outside the text.
    #[wasm_bindgen(js_name = noteSelection)]
    pub fn note_selection(&mut self, doc: &Doc, anchor: usize, head: usize) {
        self.inner.note_selection(selection_at(&doc.inner, anchor, head).ok());
    }

    /// Ends grouping.
    pub fn stop(&mut self) {
        self.inner.stop();
    }

    /// Whether there is anything to undo.
    #[wasm_bindgen(getter, js_name = canUndo)]
    pub fn can_undo(&self) -> bool {
        self.inner.can_undo()
    }

    /// Whether there is anything to redo.
    #[wasm_bindgen(getter, js_name = canRedo)]
    pub fn can_redo(&self) -> bool {
        self.inner.can_redo()
    }

    /// Forgets both stacks.
    pub fn clear(&mut self) {
        self.inner.clear();
    }

    /// Undoes the newest item; gives a packet, `undefined` if there is none.
    ///
    /// # Errors
    /// As [`crdt_core::UndoManager::undo`].
    pub fn undo(&mut self, doc: &mut Doc) -> Result<Option<Vec<u8>>, JsValue> {
        let undone = self.inner.undo(&mut doc.inner).map_err(throw)?;
        Ok(undone.map(|undone| packed(doc, &undone)))
    }

    /// Does again what was undone last; else as `undo`.
    ///
    /// # Errors
    /// As there.
    pub fn redo(&mut self, doc: &mut Doc) -> Result<Option<Vec<u8>>, JsValue> {
        let redone = self.inner.redo(&mut doc.inner).map_err(throw)?;
        Ok(redone.map(|redone| packed(doc, &redone)))
    }
}

/// Whether there is a selection, 1 or 0; then its two positions; then the edits.
fn packed(doc: &Doc, undone: &Undone) -> Vec<u8> {
    let position = |anchor: &Anchor| {
        let position = doc.inner.resolve(anchor)?;
        doc.inner.position_to_utf16(position).ok()
    };
    let selection =
        undone.selection.and_then(|Selection { anchor, head }| Some([position(&anchor)?, position(&head)?]));
    let mut out = vec![u8::from(selection.is_some())];
    for position in selection.into_iter().flatten() {
        write_varint(&mut out, position as u64);
    }
    packet::write_edits(&mut out, &undone.edits);
    out
}

/// The ends hold on to what is selected; a caret to what is behind it.
fn selection_at(doc: &crdt_core::Doc, anchor: usize, head: usize) -> Result<Selection, EditError> {
    let at = |position: usize, is_end: bool| {
        let side = if is_end { Side::After } else { Side::Before };
        doc.anchor_at(doc.position_from_utf16(position)?, side)
    };
    Ok(Selection { anchor: at(anchor, anchor > head)?, head: at(head, head > anchor)? })
}

/// Milliseconds from JavaScript: what is no number is 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "such a cast saturates")]
fn whole(milliseconds: f64) -> u64 {
    milliseconds as u64
}
