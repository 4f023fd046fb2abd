//! The class `SyncClient`.

use crate::doc::Doc;
use crate::error::thrown;
use crate::output_packet;
use crdt_core::sync::{Client, CloseCode, FrameError};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// The client's side of the sync protocol; see [`crdt_core::sync::Client`]. Always gets the same document.
///
/// Every call gives what has to happen next, as a packet.
#[wasm_bindgen]
#[derive(Debug)]
pub struct SyncClient {
    inner: Client,
}

#[wasm_bindgen]
impl SyncClient {
    /// Starts for the document `name`, which was never joined.
    #[wasm_bindgen(constructor)]
    pub fn new(name: &str) -> Self {
        Self { inner: Client::new(name) }
    }

    /// The connection has opened.
    pub fn connected(&mut self, doc: &Doc) -> Vec<u8> {
        output_packet::write(&self.inner.connected(&doc.inner))
    }

    /// The connection is gone, with this close code if there was one.
    pub fn disconnected(&mut self, doc: &Doc, code: Option<u16>) -> Vec<u8> {
        output_packet::write(&self.inner.disconnected(&doc.inner, code.map(CloseCode)))
    }

    /// A message has arrived.
    pub fn receive(&mut self, doc: &mut Doc, message: &[u8]) -> Vec<u8> {
        output_packet::write(&self.inner.receive(&mut doc.inner, message))
    }

    /// The document has changed by anything but `receive`.
    #[wasm_bindgen(js_name = localChange)]
    pub fn local_change(&mut self, doc: &Doc) -> Vec<u8> {
        output_packet::write(&self.inner.local_change(&doc.inner))
    }

    /// Shows the others `state`, or nothing.
    ///
    /// # Errors
    /// As [`Client::set_presence`].
    #[wasm_bindgen(js_name = setPresence)]
    #[allow(clippy::needless_pass_by_value)] // the one form of an optional slice that wasm-bindgen has
    pub fn set_presence(&mut self, state: Option<Box<[u8]>>) -> Result<Vec<u8>, JsValue> {
        let outputs = self.inner.set_presence(state.as_deref()).map_err(|error| {
            let code = match error {
                FrameError::TooLarge { .. } => "limit-exceeded",
                _ => "malformed",
            };
            thrown(code, "the presence state is too large")
        })?;
        Ok(output_packet::write(&outputs))
    }

    /// Time has passed. `now_ms` counts from anywhere and never falls.
    pub fn tick(&mut self, doc: &Doc, now_ms: f64) -> Vec<u8> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
        let now_ms = now_ms as u64;
        output_packet::write(&self.inner.tick(&doc.inner, now_ms))
    }

    /// The number that the server gave this session.
    pub fn session(&self) -> Option<u64> {
        self.inner.session()
    }
}
