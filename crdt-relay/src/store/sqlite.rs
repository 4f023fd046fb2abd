//! One SQLite file in the data folder: one thread writes, one reads.
//!
//! WAL lets the reader see the last commit while the writer writes, so opening a large document holds
//! up nobody's acknowledgement. `synchronous = FULL` makes a commit an fsync.

use super::writer::{self, Change, Request};
use super::{
    DocumentName, Snapshot, Store, StoreError, StoreFuture, StoredAuthors, StoredDocument, authors, schema,
};
use crate::batch::{Authorship, Batch};
use rusqlite::Connection;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;
use tokio::sync::oneshot;

/// The database's name in the data folder.
const DATABASE_FILE: &str = "relay.sqlite";

/// The name of the file that a running relay keeps locked.
const LOCK_FILE: &str = "relay.lock";

/// How long SQLite waits for a lock that somebody else (a backup) holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How many prepared statements each connection keeps.
const STATEMENT_CACHE: usize = 32;

/// What the reading thread is asked.
enum ReadRequest {
    Find(DocumentName, Answer<Option<StoredDocument>>),
    Authors(DocumentName, Answer<Option<StoredAuthors>>),
    Close(Answer<()>),
}

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// Documents in one SQLite file.
///
/// Holds a lock on the data folder until it is dropped, so that two relays never write to one.
#[derive(Debug)]
pub struct SqliteStore {
    writes: mpsc::Sender<Request>,
    reads: mpsc::Sender<ReadRequest>,
    _lock: File,
}

impl SqliteStore {
    /// Opens the store in `folder`, creating what is missing.
    ///
    /// # Errors
    /// If the folder cannot be written, is used by another relay, or holds something else.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let unavailable = |what: &str, path: &Path, error: &dyn std::fmt::Display| StoreError::Unavailable {
            reason: format!("{what} {}: {error}", path.display()),
        };
        fs::create_dir_all(folder).map_err(|error| unavailable("creating", folder, &error))?;
        let lock_path = folder.join(LOCK_FILE);
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(|error| unavailable("opening", &lock_path, &error))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => StoreError::Unavailable {
                reason: format!("another relay uses the folder {}", folder.display()),
            },
            TryLockError::Error(error) => unavailable("locking", &lock_path, &error),
        })?;

        let path = folder.join(DATABASE_FILE);
        let mut writing = connect(&path)?;
        schema::prepare(&mut writing)?;
        let reading = connect(&path)?;

        let (writes, write_queue) = mpsc::channel();
        let (reads, read_queue) = mpsc::channel();
        spawn("store-writer", move || writer::run(writing, &write_queue))?;
        spawn("store-reader", move || read(reading, &read_queue))?;
        Ok(Self { writes, reads, _lock: lock })
    }

    /// Where the database of a data folder is.
    pub fn database_path(folder: &Path) -> PathBuf {
        folder.join(DATABASE_FILE)
    }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("wal") {
        // Network file systems, for example.
        return Err(StoreError::Unavailable { reason: "the file system cannot do write-ahead logs".into() });
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
    let spawned = std::thread::Builder::new().name(name.into()).spawn(run);
    spawned.map(drop).map_err(|error| StoreError::Unavailable { reason: error.to_string() })
}

/// Reads until the queue's last sender is gone or a `Close` comes.
fn read(mut connection: Connection, queue: &mpsc::Receiver<ReadRequest>) {
    while let Ok(request) = queue.recv() {
        match request {
            ReadRequest::Find(name, done) => drop(done.send(schema::read(&mut connection, &name))),
            ReadRequest::Authors(name, done) => drop(done.send(authors::read(&mut connection, &name))),
            ReadRequest::Close(done) => {
                let closed = connection.close().map_err(|(_, error)| StoreError::from(error));
                drop(done.send(closed));
                return;
            }
        }
    }
}

/// Queues a change at once (so that calls are committed in their order) and waits for its commit.
fn write(writes: &mpsc::Sender<Request>, change: Change) -> StoreFuture<()> {
    let (done, committed) = oneshot::channel();
    let queued = writes.send(Request { change, done });
    Box::pin(async move {
        queued.map_err(|_| StoreError::Closed)?;
        committed.await.map_err(|_| StoreError::Closed)?
    })
}

fn find(reads: &mpsc::Sender<ReadRequest>, name: DocumentName) -> StoreFuture<Option<StoredDocument>> {
    ask(reads, |done| ReadRequest::Find(name, done))
}

/// Queues a question and waits for its answer.
fn ask<T: Send + 'static>(
    reads: &mpsc::Sender<ReadRequest>,
    request: impl FnOnce(Answer<T>) -> ReadRequest,
) -> StoreFuture<T> {
    let (done, found) = oneshot::channel();
    let queued = reads.send(request(done));
    Box::pin(async move {
        queued.map_err(|_| StoreError::Closed)?;
        found.await.map_err(|_| StoreError::Closed)?
    })
}

/// A random epoch; 0 is left to mean "never joined".
fn draw_epoch() -> Result<u64, StoreError> {
    let drawn = getrandom::u64().map_err(|error| StoreError::Unavailable { reason: error.to_string() })?;
    Ok(drawn.max(1))
}

impl Store for SqliteStore {
    fn open(&self, name: &DocumentName) -> StoreFuture<StoredDocument> {
        let (name, reads, writes) = (name.clone(), self.reads.clone(), self.writes.clone());
        Box::pin(async move {
            if let Some(document) = find(&reads, name.clone()).await? {
                return Ok(document);
            }
            write(&writes, Change::Create { name: name.clone(), epoch: draw_epoch()? }).await?;
            find(&reads, name.clone())
                .await?
                .ok_or_else(|| StoreError::Corrupt { name, found: "it vanished after it was created".into() })
        })
    }

    fn find(&self, name: &DocumentName) -> StoreFuture<Option<StoredDocument>> {
        find(&self.reads, name.clone())
    }

    fn authors(&self, name: &DocumentName) -> StoreFuture<Option<StoredAuthors>> {
        ask(&self.reads, |done| ReadRequest::Authors(name.clone(), done))
    }

    fn append(
        &self,
        name: &DocumentName,
        epoch: u64,
        batches: Vec<Batch>,
        by: Authorship,
    ) -> StoreFuture<()> {
        write(&self.writes, Change::Append { name: name.clone(), epoch, batches, by })
    }

    fn write_snapshot(&self, name: &DocumentName, epoch: u64, snapshot: Snapshot) -> StoreFuture<()> {
        write(&self.writes, Change::WriteSnapshot { name: name.clone(), epoch, snapshot })
    }

    fn close(&self) -> StoreFuture<()> {
        let (done, reader_closed) = oneshot::channel();
        let queued = self.reads.send(ReadRequest::Close(done));
        let writes = self.writes.clone();
        Box::pin(async move {
            queued.map_err(|_| StoreError::Closed)?;
            reader_closed.await.map_err(|_| StoreError::Closed)??;
            // The last connection to close moves the write-ahead log into the database.
            write(&writes, Change::Close).await
        })
    }
}
