//! What crdt-core is tested with; never published.
//!
//! Lowest layer first, and a module uses only modules above it in this list:
//!
//! * [`random`]: a seeded source of numbers, so that every run can be repeated;
//! * [`chunks`]: snapshots taken apart and put together again;
//! * [`edit`]: local edits as values;
//! * [`cells`]: text with marks, element by element;
//! * [`model`]: the naive twin of the fast structure, a direct reading of the specification;
//! * [`plain`]: text with marks that change events are replayed on;
//! * [`twin`]: a real [`crdt_core::Doc`] and its model, compared after every step;
//! * [`network`]: a simulated network that delays, reorders, duplicates and loses deltas;
//! * [`cluster`]: twins that talk over it;
//! * [`script`]: scenario scripts, as text and as values;
//! * [`bombs`]: small inputs that ask for much;
//! * [`told`]: scripts that any bytes tell, for fuzzers;
//! * [`played`]: a script played on documents alone, where models would take too long;
//! * `sequences`: asserts everything for scripts of named texts and lists, of which the model knows nothing;
//! * [`check()`]: the one helper that asserts everything for every script;
//! * [`loaded`]: documents saved and opened again, in every profile;
//! * [`histories`]: generators of random scripts for proptest;
//! * [`peritext`], [`vectors`] and [`traces`]: readers of the shared test data;
//! * [`golden`]: what documents, deltas, logs and the like hold, as JSON;
//! * [`storage`]: a disk in memory that fails on cue, for logs;
//! * [`replay`]: recorded histories on real documents that exchange encoded deltas.
//!
//! Whatever is found wrong comes back as a [`Failure`], which says where.

pub mod bombs;
pub mod cells;
pub mod chunks;
pub mod cluster;
pub mod edit;
pub mod golden;
#[cfg(feature = "proptest")]
pub mod histories;
pub mod loaded;
pub mod model;
pub mod network;
pub mod peritext;
pub mod plain;
pub mod played;
pub mod random;
pub mod replay;
pub mod script;
pub mod storage;
pub mod told;
pub mod traces;
pub mod twin;
pub mod vectors;

mod check;
mod failure;
mod sequences;

pub use check::check;
pub use failure::{Checked, Failure, same};

/// The Rust of `docs/comparison.md` runs.
#[cfg(doctest)]
#[doc = include_str!("../../docs/comparison.md")]
struct ComparisonPage;
