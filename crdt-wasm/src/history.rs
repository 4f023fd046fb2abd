//! The class `History`.

use crate::authors::Authors;
use crate::doc::Doc;
use crate::error::throw;
use crate::packet;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// How a document became what it is; see [`crdt_core::History`].
#[wasm_bindgen]
#[derive(Debug)]
pub struct History {
    inner: crdt_core::History,
}

#[wasm_bindgen]
impl Doc {
    /// By runs or by single operations.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::history`].
    pub fn history(&self, by_operation: bool) -> Result<History, JsValue> {
        Ok(History::of(self.inner.history().map_err(throw)?, by_operation))
    }

    /// In the order of recorded times.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::history_by_time`].
    #[wasm_bindgen(js_name = historyByTime)]
    pub fn history_by_time(&self, authors: &Authors, by_operation: bool) -> Result<History, JsValue> {
        Ok(History::of(self.inner.history_by_time(&authors.inner).map_err(throw)?, by_operation))
    }
}

impl History {
    fn of(history: crdt_core::History, by_operation: bool) -> Self {
        Self { inner: if by_operation { history.by_operation() } else { history } }
    }
}

#[wasm_bindgen]
impl History {
    /// How many steps there are.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> usize {
        self.inner.len()
    }

    /// How many steps are in front.
    #[wasm_bindgen(getter)]
    pub fn position(&self) -> usize {
        self.inner.position()
    }

    /// The encoded version vector at this point.
    pub fn version(&self) -> Vec<u8> {
        self.inner.version().encode()
    }

    /// The text at this point.
    pub fn text(&self) -> String {
        self.inner.text()
    }

    /// Goes on one step, which comes as a packet; `undefined` at the end.
    #[wasm_bindgen(js_name = next)]
    pub fn step_on(&mut self) -> Option<Vec<u8>> {
        self.inner.next().map(|step| packet::step(&step))
    }

    /// Goes back one step, which comes as a packet; `undefined` at the start.
    pub fn previous(&mut self) -> Option<Vec<u8>> {
        self.inner.previous().map(|step| packet::step(&step))
    }

    /// Goes in front of a step, or to the end; gives the edits as a packet.
    pub fn seek(&mut self, index: usize) -> Vec<u8> {
        packet::edits(&self.inner.seek(index))
    }

    /// Goes in front of the first step that is later; gives the edits as a packet.
    #[wasm_bindgen(js_name = seekTime)]
    pub fn seek_time(&mut self, time_ms: f64) -> Vec<u8> {
        packet::edits(&self.inner.seek_time(packet::milliseconds(time_ms)))
    }
}
