//! The relay: keeps documents, passes deltas on between sessions, and says *saved* only when the
//! store has committed.
//!
//! Lowest layer first: [`batch`] (one accepted delta and its place in the log) → [`store`] (durable
//! deltas and snapshots; knows bytes, no CRDT) → [`document`] (stored bytes to documents and back) →
//! [`room`] (the protocol as a pure function, and the one task per document that runs it) →
//! `connection` (one WebSocket) → [`http`] (routes) and [`server`] (the whole, and how it stops).
//! Beside them stand plain values: [`config`], [`limits`], [`outbox`], [`shutdown`].

mod connection;

pub mod batch;
pub mod config;
pub mod document;
pub mod http;
pub mod limits;
pub mod outbox;
pub mod room;
pub mod server;
pub mod shutdown;
pub mod store;
