//! What deltas and snapshots hold, for people and their tools: JSON, or any other format of serde. With the feature `serde`.
//!
//! These forms are for looking at, in logs, bug reports and tests; nothing is kept or sent in them. The values serialize like this, and
//! come back as they were:
//!
//! ```text
//! ReplicaId      "000000005eeda11c"
//! OpId           "000000005eeda11c:12"
//! VersionVector  {"000000005eeda11c": 13}
//! Anchor         {"element": "000000005eeda11c:12", "side": "after"}            null for the start or end
//! Op             {"id": "…:12", "insert": {"anchor": …, "text": "hi"}}
//!                {"id": "…:12", "insert_value": {"anchor": …, "value": Value}}
//!                {"id": "…:12", "delete": {"target": "…:3", "len": 2, "descending": false}}
//! Value          {"embed": JSON} · {"mark": Mark} · {"register": Register} · "roots" · "close"
//!                {"open": {"name": "notes", "kind": "text"}} · {"replace": …} · {"move": …}
//! Mark           {"start": Anchor, "end": Anchor, "name": "bold", "value": true, "stamp": 3}
//!                without "value": taken away
//! Register       {"name": "title", "value": "x", "stamp": 3}                    without "value": emptied
//! TextRun        {"text": "hi", "marks": {"bold": true}} · {"embed": JSON}
//! TextEdit       {"insert": {"position": 0, "position_utf16": 0, "text": "hi", "marks": {}}} · {"delete": …} · …
//! Json           the value itself
//! ```
//!
//! A number in a [`Json`] that is no whole one of 64 bits goes through a float, so `1e2` comes back as `100.0`, and what no
//! float holds is shown as a string. Strings come back with the escapes that `JSON.stringify` writes; half of a surrogate pair
//! becomes U+FFFD. Keys that repeat are kept where the format does.

mod json;
mod names;

use crate::codec::{Limits, SnapshotChunks, decode_delta, snapshot_chunks};
use crate::doc::Doc;
use crate::error::{ApplyError, DecodeError};
use crate::ids::{ReplicaId, VersionVector};
use crate::json::Json;
use crate::mark::{Marks, TextRun};
use crate::op::Op;
use crate::value::SequenceKind;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What a delta holds.
///
/// # Examples
/// ```
/// use crdt_core::codec::Limits;
/// use crdt_core::readable::ReadableDelta;
/// use crdt_core::{Doc, ReplicaId, VersionVector};
///
/// let mut doc = Doc::new(ReplicaId::new(0x5eed));
/// doc.insert(0, "hi")?;
/// let delta = ReadableDelta::read(&doc.delta_since(&VersionVector::new()), &Limits::DEFAULT)?;
/// assert_eq!(
///     serde_json::to_string(&delta)?,
///     r#"{"version":{"0000000000005eed":2},"operations":[{"id":"0000000000005eed:0","#.to_owned()
///         + r#""insert":{"anchor":{"element":null,"side":"after"},"text":"hi"}}]}"#
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadableDelta {
    /// Of each replica the end of its last operation in it.
    pub version: VersionVector,
    /// The operations, in runs.
    pub operations: Vec<Op>,
}

impl ReadableDelta {
    /// Reads a delta of any form that names its replicas. O(bytes).
    ///
    /// # Errors
    /// As [`decode_delta`].
    pub fn read(delta: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        let operations = decode_delta(delta, limits)?;
        let mut version = VersionVector::new();
        for op in &operations {
            version.raise(op.id.replica, op.id.seq.saturating_add(op.len()));
        }
        Ok(Self { version, operations })
    }
}

/// What a snapshot holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReadableSnapshot {
    /// What it is made of.
    pub frame: SnapshotChunks,
    /// What the document has seen.
    pub version: VersionVector,
    /// The main text.
    pub runs: Vec<TextRun>,
    /// Registers by name.
    pub registers: Marks,
    /// Named sequences.
    pub sequences: Vec<ReadableSequence>,
    /// How many elements there are, tombstones and statements too.
    pub elements: usize,
    /// How many of them show.
    pub visible: usize,
    /// How many operations wait for missing ones.
    pub pending: usize,
    /// Every operation that is still there, those that wait too.
    pub operations: Vec<Op>,
}

/// What a named sequence holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReadableSequence {
    /// What it is called.
    pub name: String,
    /// What it holds.
    pub kind: SequenceKind,
    /// What stands in a text; empty for a list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<TextRun>,
    /// The entries of a list; empty for a text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Json>,
}

impl ReadableSnapshot {
    /// Opens a snapshot and says what is in it. O(*n* log *n*) and its bytes.
    ///
    /// # Errors
    /// As [`Doc::from_snapshot_within`].
    pub fn read(snapshot: &[u8], limits: &Limits) -> Result<Self, ApplyError> {
        let frame = snapshot_chunks(snapshot, limits)?;
        let doc = Doc::from_snapshot_within(ReplicaId::new(0), snapshot, limits)?;
        let registers = doc.registers().map(|(name, value)| (name, value.clone())).collect();
        let sequence = |(name, kind): (&str, SequenceKind)| ReadableSequence {
            name: name.into(),
            kind,
            runs: match kind {
                SequenceKind::Text => doc.text_named(name).map(|text| text.runs()).unwrap_or_default(),
                SequenceKind::List => Vec::new(),
            },
            values: match kind {
                SequenceKind::Text => Vec::new(),
                SequenceKind::List => doc.list(name).map(|list| list.values()).unwrap_or_default(),
            },
        };
        Ok(Self {
            frame,
            version: doc.version().clone(),
            runs: doc.runs(),
            registers,
            sequences: doc.sequences().map(sequence).collect(),
            elements: doc.elements().count(),
            visible: doc.elements().filter(|(_, visible)| *visible).count(),
            pending: doc.pending().operations,
            operations: decode_delta(&doc.delta_since(&VersionVector::new()), &Limits::WIDEST)?,
        })
    }
}
