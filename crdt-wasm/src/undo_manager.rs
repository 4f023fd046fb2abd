//! The class `UndoManager`.

use crate::doc::Doc;
use crate::error::throw;
use crate::packet;
use crdt_core::bytes::write_bytes;
use crdt_core::{Anchor, ReplicaId, Selection, UndoOptions, Undone};
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
        let options = UndoOptions { interval_ms: packet::milliseconds(interval_ms), replicas };
        Self { inner: crdt_core::UndoManager::new(&doc.inner, options) }
    }

    /// Puts onto the stack what was said since this was last called. Whether there was anything.
    pub fn record(&mut self, doc: &Doc, now_ms: f64) -> bool {
        self.inner.record(&doc.inner, packet::milliseconds(now_ms))
    }

    /// Tells where the selection is, as encoded anchors.
    ///
    /// # Errors
    /// As [`Anchor::decode`].
    #[wasm_bindgen(js_name = noteSelection)]
    pub fn note_selection(&mut self, anchor: &[u8], head: &[u8]) -> Result<(), JsValue> {
        let (anchor, head) = (Anchor::decode(anchor).map_err(throw)?, Anchor::decode(head).map_err(throw)?);
        self.inner.note_selection(Some(Selection { anchor, head }));
        Ok(())
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
        Ok(undone.as_ref().map(packed))
    }

    /// Does again what was undone last; else as `undo`.
    ///
    /// # Errors
    /// As there.
    pub fn redo(&mut self, doc: &mut Doc) -> Result<Option<Vec<u8>>, JsValue> {
        let redone = self.inner.redo(&mut doc.inner).map_err(throw)?;
        Ok(redone.as_ref().map(packed))
    }
}

/// Whether there is a selection, 1 or 0; then its two encoded anchors; then the edits.
fn packed(undone: &Undone) -> Vec<u8> {
    let mut out = vec![u8::from(undone.selection.is_some())];
    if let Some(Selection { anchor, head }) = undone.selection {
        write_bytes(&mut out, &anchor.encode());
        write_bytes(&mut out, &head.encode());
    }
    packet::write_edits(&mut out, &undone.edits);
    out
}
