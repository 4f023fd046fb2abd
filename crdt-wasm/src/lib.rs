//! [`crdt_core`] for JavaScript: conversion only, one file a class, no state and no decisions.
//!
//! - Positions and lengths are UTF-16 code units, as in JavaScript strings.
//! - What is more than a number, a string or bytes leaves as one packet of bytes (`packet`, `output_packet`),
//!   which `js/src/packet.ts` and `sync.ts` read: one crossing a call, and no object with a handle of its own.
//! - Nothing here calls into JavaScript, except to build the `Error` that is thrown (`error`).
//!   Random bits come from JavaScript.

mod authors;
mod delta;
mod doc;
mod error;
mod history;
mod log;
mod output_packet;
mod packet;
mod sequences;
mod sync_client;
mod undo_manager;
mod versions;

pub use authors::Authors;
pub use delta::{delta_version, diff_delta, merge_deltas, validate_delta};
pub use doc::Doc;
pub use history::History;
pub use log::Log;
pub use sync_client::SyncClient;
pub use undo_manager::UndoManager;
