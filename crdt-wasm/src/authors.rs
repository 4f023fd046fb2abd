//! The class `Authors`.

use crate::error::throw;
use crate::packet;
use crdt_core::codec::Limits;
use crdt_core::{OpId, ReplicaId, Seq};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Who was behind which operations, and when; see [`crdt_core::Authors`].
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Authors {
    pub(crate) inner: crdt_core::Authors,
}

#[wasm_bindgen]
impl Authors {
    /// An empty table.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// The table that `encode` wrote.
    ///
    /// # Errors
    /// As [`crdt_core::Authors::decode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, JsValue> {
        let inner = crdt_core::Authors::decode(bytes, &Limits::DEFAULT).map_err(throw)?;
        Ok(Self { inner })
    }

    /// The table as bytes.
    pub fn encode(&self) -> Vec<u8> {
        self.inner.encode()
    }

    /// Records a user and a time of some operations.
    ///
    /// # Errors
    /// As [`crdt_core::Authors::record`].
    pub fn record(
        &mut self,
        replica: u64,
        from: Seq,
        to: Seq,
        user: &str,
        time_ms: f64,
    ) -> Result<(), JsValue> {
        let time_ms = packet::milliseconds(time_ms);
        self.inner.record(ReplicaId::new(replica), from..to, user, time_ms).map_err(throw)
    }

    /// Takes up what another table holds.
    pub fn merge(&mut self, other: &Self) {
        self.inner.merge(&other.inner);
    }

    /// User and time of an operation, as a packet; `undefined` if that was not recorded.
    pub fn of(&self, replica: u64, seq: Seq) -> Option<Vec<u8>> {
        let (user, time_ms) = self.inner.of(OpId::new(ReplicaId::new(replica), seq))?;
        Some(packet::author(user, time_ms))
    }

    /// Everything that was recorded, as a packet.
    pub fn entries(&self) -> Vec<u8> {
        packet::authors(&self.inner)
    }
}
