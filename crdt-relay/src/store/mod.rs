//! Durable deltas and snapshots, one log per document. Knows bytes and numbers, no CRDT.
//!
//! Invariants, whatever the back end:
//!
//! - A document's log is gapless: batch *n* is committed only if *n − 1* was. Its head is the number
//!   of the last committed batch, and the head alone decides what is stored.
//! - A future that resolves to `Ok` means committed and on disk; nothing that happens to the process
//!   afterwards takes it back. One that resolves to `Err` promises nothing either way: read again.
//! - A snapshot replaces exactly the batches it covers, in one transaction.
//! - Who sent a batch and when is committed with it, and outlives it: a snapshot replaces none of that.
//! - The epoch is drawn when a document is created and names this history of it. A folder that was
//!   lost or restored from nothing has other epochs, so no client merges two histories by accident.
//!
//! Back ends are asynchronous so that one over a network fits beside [`SqliteStore`], which hides a
//! thread. A message bus between relay processes, when there is one, only ever carries hints that a
//! head has moved; what is true is read here.

mod authors;
mod schema;
mod sqlite;
mod writer;

pub use sqlite::SqliteStore;

use crate::batch::{Authorship, Batch};
use bytes::Bytes;
use crdt_core::{ReplicaId, Seq};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::{error, fmt};

/// The name of a document, shared by everything that mentions it.
pub type DocumentName = Arc<str>;

/// What a [`Store`]'s methods return.
pub type StoreFuture<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// A snapshot of a document, and how much of the log it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last batch that is in it.
    pub log_seq: u64,
    /// The encoded snapshot.
    pub bytes: Bytes,
}

/// A document as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDocument {
    /// Drawn when the document was created; never 0.
    pub epoch: u64,
    /// The number of the last committed batch; 0 if there is none.
    pub head: u64,
    /// The newest snapshot, if one was written.
    pub snapshot: Option<Snapshot>,
    /// The batches that the snapshot does not cover, in the order of the log, up to the head.
    pub tail: Vec<Batch>,
}

/// Who was behind some operations of a replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorRow {
    /// Whose operations.
    pub replica: ReplicaId,
    /// The first operation's number.
    pub from: Seq,
    /// One more than the last operation's number.
    pub to: Seq,
    /// As in [`Authorship`].
    pub user: Arc<str>,
    /// When the first of them arrived; the last of them did in the same minute of the clock. In milliseconds since 1970 in
    /// UTC.
    pub time_ms: u64,
}

/// What was recorded of the authors of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAuthors {
    /// That of the document.
    pub epoch: u64,
    /// The number of the last committed batch; 0 if there is none.
    pub head: u64,
    /// Those of a replica stand together, ascend and do not overlap. Operations that were stored before authors were recorded
    /// are in none.
    pub rows: Vec<AuthorRow>,
}

/// Where documents are kept.
pub trait Store: Send + Sync + 'static {
    /// Reads a document, creating it if there is none. Creation is committed before this resolves.
    fn open(&self, name: &DocumentName) -> StoreFuture<StoredDocument>;

    /// Reads a document, if there is one.
    fn find(&self, name: &DocumentName) -> StoreFuture<Option<StoredDocument>>;

    /// Reads who sent the operations of a document and when, if there is that document.
    fn authors(&self, name: &DocumentName) -> StoreFuture<Option<StoredAuthors>>;

    /// Appends batches with consecutive numbers, the first right after the head, and records whose they are: all of it or
    /// nothing.
    ///
    /// A batch that goes on directly behind the last row of its replica, with the same user and within the same minute of the
    /// clock (that of the row's first operation: 60,000 ms that start at a multiple of it), lengthens that row. So a row says
    /// of its operations when the first arrived; the others did up to a minute later. Calls are committed in the order in
    /// which they were made.
    fn append(&self, name: &DocumentName, epoch: u64, batches: Vec<Batch>, by: Authorship)
    -> StoreFuture<()>;

    /// Replaces the batches that `snapshot` covers by it. One that is not newer than the stored one
    /// changes nothing.
    ///
    /// The caller has loaded `snapshot` and found it equal to what it replaces.
    fn write_snapshot(&self, name: &DocumentName, epoch: u64, snapshot: Snapshot) -> StoreFuture<()>;

    /// Resolves when everything asked for before has been committed or refused, and closes the store.
    fn close(&self) -> StoreFuture<()>;
}

/// Why the store could not do something.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// The back end failed: disk full, I/O error, file in use. Trying later may help.
    Unavailable {
        /// What it said.
        reason: String,
    },
    /// What is stored of this document cannot be right. Other documents are not concerned, and
    /// nothing of this one was or will be overwritten.
    Corrupt {
        /// The document.
        name: DocumentName,
        /// What was found.
        found: String,
    },
    /// The log does not end where the caller thinks: somebody else has written to it.
    Conflict {
        /// The document.
        name: DocumentName,
        /// The head that the batches were to follow.
        expected_head: u64,
    },
    /// The files are not this relay's, or of a version that it does not know.
    WrongSchema {
        /// What was found.
        found: String,
    },
    /// The store was closed.
    Closed,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable { reason } => write!(f, "the store is unavailable: {reason}"),
            Self::Corrupt { name, found } => write!(f, "stored document {name:?} is damaged: {found}"),
            Self::Conflict { name, expected_head } => {
                write!(f, "the log of document {name:?} does not end at {expected_head}")
            }
            Self::WrongSchema { found } => write!(f, "the store cannot be used: {found}"),
            Self::Closed => f.write_str("the store is closed"),
        }
    }
}

impl error::Error for StoreError {}
