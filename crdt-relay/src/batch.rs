//! One accepted delta and its place in a document's log: what rooms hand to the store and get back. And who sent it when.

use bytes::Bytes;
use crdt_core::{ReplicaId, Seq};
use std::sync::Arc;

/// A delta of one replica that was validated, with its place in the document's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its place in the log: 1 for the first batch of a document, then without gaps.
    pub log_seq: u64,
    /// The replica whose operations it holds.
    pub replica: ReplicaId,
    /// The first operation's number.
    pub from: Seq,
    /// One more than the last operation's number.
    pub to: Seq,
    /// The encoded delta, exactly as it arrived.
    pub delta: Bytes,
}

/// Who sent batches, and when they arrived: what a document's table of authors is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorship {
    /// The account of the session that sent them, at most 1,024 bytes; empty where there are no accounts.
    pub user: Arc<str>,
    /// What the relay's clock said, in milliseconds since 1970 in UTC.
    pub time_ms: u64,
}
