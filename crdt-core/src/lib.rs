//! A sequence CRDT for text.
#![no_std]

extern crate alloc;

pub mod bytes;
pub mod codec;
pub mod sync;

mod anchor;
mod doc;
mod error;
mod event;
mod ids;
mod op;
mod op_log;
mod sequence;
mod text;
mod tree;

pub use anchor::{Anchor, Side};
pub use doc::{Doc, PendingReport, Transaction};
pub use error::{ApplyError, DecodeError, EditError};
pub use event::TextEdit;
pub use ids::{OpId, ReplicaId, Seq, VersionVector};
pub use op::{Op, OpKind};
