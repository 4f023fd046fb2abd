//! One accepted delta and its place in a document's log: what rooms hand to the store and get back.

use bytes::Bytes;
use crdt_core::{ReplicaId, Seq};

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
