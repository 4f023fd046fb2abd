//! The sync protocol, without I/O: frames, and the client's side of one document.
//!
//! The server's side is in `crdt-relay`; `docs/protocol.md` is normative for both. What this layer
//! keeps:
//!
//! - **Saved means committed.** An operation counts as saved when the server has said that its
//!   store holds it, and not before.
//! - **Version vectors instead of an outbox.** Operations never change and a [`Doc`](crate::Doc)
//!   can always encode them again, so a client remembers two vectors: what was acknowledged and
//!   what was sent. After a disconnect nothing has to be found out: the server says what it holds
//!   and the rest is cut and sent.
//! - **Wrong bytes change nothing.** A message is decoded whole before anything is done with it,
//!   and never allocates more than its own size. Pieces of a large frame take memory as they
//!   arrive and up to a limit.
//! - **Deterministic.** No I/O, no clock, no randomness: time comes in with
//!   [`Client::tick`], what has to happen comes out as [`Output`]s.
//!
//! Decoding and encoding are O(bytes). [`Client`] costs O(replicas) a call beside what the
//! document costs.
//!
//! The shape follows ShareDB (acknowledge after the commit) and the version-vector exchange that
//! state-based CRDT libraries share; decision 0006 argues for the differences.

mod causal;
mod client;
mod code;
mod fragment;
mod frame;
pub mod limits;
mod liveness;
mod outgoing;
mod output;
mod presence;
mod wire;

pub use causal::known_prefix;
pub use client::Client;
pub use code::{CloseCode, JoinErrorCode, JoinMode, NackCode, Permission};
pub use fragment::{Reassembly, split};
pub use frame::{Frame, FrameError, Handle, Limits, MAGIC, PROTOCOL_VERSION, PresenceEntry, SessionId};
pub use output::{Output, ResumePoint, Status, StopReason};
pub use presence::PresenceChange;
