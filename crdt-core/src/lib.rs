//! A text CRDT to embed: every replica edits at once and alone, and all that have seen the same
//! operations hold the same text.
//!
//! It is an RGA tree with left and right children (see [`Doc`] for what concurrent edits do): each character
//! has an id that never changes, deleted ones stay as tombstones, and concurrent insertions at one place
//! are ordered by id. Runs of characters are kept as one item in an order-statistic B-tree, so that
//! every edit, local or remote, costs O(log *n*).
//!
//! The crate is `no_std` with `alloc`, has no `unsafe` code, depends on LZ4 and DEFLATE for snapshots and on nothing else,
//! and is deterministic: it has no clock, no I/O, no threads and no randomness of its own. Draw a [`ReplicaId`] where you open a document.
//!
//! ```
//! use crdt_core::{Doc, ReplicaId};
//!
//! let mut alice = Doc::new(ReplicaId::new(0x5eed_a11c));
//! let mut bob = Doc::new(ReplicaId::new(0x5eed_0b0b));
//! alice.insert(0, "Hi")?;
//! bob.insert(0, "you")?;
//!
//! // What the other lacks, as bytes; in any order, any number of times.
//! alice.apply(&bob.delta_since(alice.version()))?;
//! bob.apply(&alice.delta_since(bob.version()))?;
//! assert_eq!(alice.text(), bob.text());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where to go: [`Doc`] edits, reads and exchanges deltas; [`Transaction`] makes several edits one
//! delta; [`codec`] reads and writes deltas without a document; [`log`] keeps a document in a file; [`sync`] is the protocol between a
//! document and a relay, as a state machine without I/O.
#![no_std]

extern crate alloc;

pub mod bytes;
pub mod codec;
pub mod log;
#[cfg(feature = "serde")]
pub mod readable;
pub mod sync;

mod anchor;
mod authors;
mod doc;
mod error;
mod event;
mod ids;
mod json;
mod limits;
mod mark;
mod marks;
mod op;
mod op_log;
mod sequence;
mod sorted;
mod tree;
mod units;
mod value;

pub use anchor::{Anchor, Side};
pub use authors::Authors;
pub use doc::{
    Attribution, DeletedText, Doc, History, HistoryStep, List, ListMut, PendingReport, Selection, Text,
    TextMut, Transaction, UndoManager, UndoOptions, Undone,
};
pub use error::{ApplyError, DecodeError, EditError, HistoryError};
pub use event::TextEdit;
pub use ids::{OpId, ReplicaId, Seq, VersionVector};
pub use json::{Json, JsonError};
pub use mark::{Content, Expand, Marks, TextRun};
pub use op::{Op, OpKind};
pub use value::{Mark, Register, SequenceKind, Stamp, Value};

#[cfg(test)]
mod dice;
