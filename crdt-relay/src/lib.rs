//! The relay: keeps documents, passes deltas on between sessions, and says *saved* only when the
//! store has committed.
//!
//! Lowest layer first: [`batch`] (one accepted delta and its place in the log) → [`store`] (durable
//! deltas and snapshots; knows bytes, no CRDT) and `room` (the protocol as a pure function, and the
//! one task per document that runs it).

pub mod batch;
pub mod config;
pub mod document;
pub mod limits;
pub mod room;
pub mod store;
