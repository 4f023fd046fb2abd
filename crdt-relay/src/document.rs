//! Stored bytes to documents and back: loading, and the snapshots that shorten the next loading. And stored rows to tables of
//! authors.
//!
//! Both read what the store has committed, never a room's memory: a snapshot can hold nothing that
//! was not acknowledged, and writing one shows that the log it replaces could be loaded.

use crate::store::{DocumentName, Snapshot, Store, StoreError, StoredAuthors, StoredDocument};
use bytes::Bytes;
use crdt_core::{Authors, Doc, ReplicaId, VersionVector};

/// A document read from the store.
#[derive(Debug)]
pub struct LoadedDocument {
    /// Names this history of the document.
    pub epoch: u64,
    /// The last batch that `doc` holds.
    pub head: u64,
    /// The document. It never issues operations.
    pub doc: Doc,
}

/// Builds a document from its snapshot and the batches after it. O(stored bytes).
///
/// # Errors
/// [`StoreError::Corrupt`] if a part cannot be read or contradicts what comes before it.
pub fn load(name: &DocumentName, stored: &StoredDocument) -> Result<LoadedDocument, StoreError> {
    let corrupt = |found: String| StoreError::Corrupt { name: name.clone(), found };
    let replica = draw_replica()?;
    let mut doc = match &stored.snapshot {
        Some(snapshot) => Doc::from_snapshot(replica, &snapshot.bytes)
            .map_err(|error| corrupt(format!("the snapshot at {}: {error}", snapshot.log_seq)))?,
        None => Doc::new(replica),
    };
    for batch in &stored.tail {
        doc.apply(&batch.delta).map_err(|error| corrupt(format!("batch {}: {error}", batch.log_seq)))?;
    }
    Ok(LoadedDocument { epoch: stored.epoch, head: stored.head, doc })
}

/// [`load`] on the pool for blocking work.
///
/// # Errors
/// As [`load`].
pub async fn load_off_thread(
    name: DocumentName,
    stored: StoredDocument,
) -> Result<LoadedDocument, StoreError> {
    off_thread(move || load(&name, &stored)).await
}

/// Builds a document's table of authors from the rows that were recorded. O(rows · log).
///
/// # Errors
/// [`StoreError::Corrupt`] if a row names a user that is no name.
pub fn authors(name: &DocumentName, stored: &StoredAuthors) -> Result<Authors, StoreError> {
    let mut authors = Authors::new();
    for row in &stored.rows {
        authors.record(row.replica, row.from..row.to, &row.user, row.time_ms).map_err(|error| {
            StoreError::Corrupt { name: name.clone(), found: format!("a user of its authors: {error}") }
        })?;
    }
    Ok(authors)
}

/// [`authors`] on the pool for blocking work, encoded.
///
/// # Errors
/// As [`authors`].
pub async fn encode_authors_off_thread(
    name: DocumentName,
    stored: StoredAuthors,
) -> Result<Vec<u8>, StoreError> {
    off_thread(move || Ok(authors(&name, &stored)?.encode())).await
}

/// Writes a snapshot of everything stored of a document, unless its newest one holds it already.
///
/// The batches that it covers are deleted with the same commit, after the snapshot was loaded and
/// found equal to the document that they make. Appending goes on meanwhile. O(stored bytes).
///
/// # Errors
/// If the document cannot be read or written; the log is then as it was.
pub async fn compact(store: &dyn Store, name: &DocumentName) -> Result<(), StoreError> {
    let Some(stored) = store.find(name).await? else { return Ok(()) };
    if stored.tail.is_empty() {
        return Ok(());
    }
    let epoch = stored.epoch;
    let snapshot = off_thread({
        let name = name.clone();
        move || {
            let mut loaded = load(&name, &stored)?;
            let bytes = verified_snapshot(&name, &mut loaded.doc)?;
            Ok(Snapshot { log_seq: loaded.head, bytes })
        }
    })
    .await?;
    tracing::debug!(document = %name, head = snapshot.log_seq, bytes = snapshot.bytes.len(), "snapshot");
    store.write_snapshot(name, epoch, snapshot).await
}

/// Encodes `doc`, and loads the result to see that it is the same document.
///
/// A snapshot that loads has shown its text and its order only: its history is decoded as well, and compared, because the
/// batches that hold it are about to be deleted.
fn verified_snapshot(name: &DocumentName, doc: &mut Doc) -> Result<Bytes, StoreError> {
    // Both the encoding and the comparison ask for all of it.
    doc.decode_history_since(&VersionVector::new());
    let bytes = doc.encode_snapshot();
    let unequal = |found: String| StoreError::Corrupt {
        name: name.clone(),
        found: format!("its snapshot would not load as the same document: {found}"),
    };
    let again = Doc::from_snapshot(draw_replica()?, &bytes).map_err(|error| unequal(error.to_string()))?;
    if again.version() != doc.version() || again.pending() != doc.pending() {
        return Err(unequal("operations are missing".into()));
    }
    if again.text() != doc.text() {
        return Err(unequal("the text differs".into()));
    }
    if !again.elements().eq(doc.elements()) {
        return Err(unequal("the order differs".into()));
    }
    // A document compares operations that it has with those that come again.
    doc.apply_silently(&again.delta_since(&VersionVector::new()))
        .map_err(|error| unequal(error.to_string()))?;
    Ok(bytes.into())
}

/// A name for a copy that will issue nothing; random so that it is nobody's who does.
pub(crate) fn draw_replica() -> Result<ReplicaId, StoreError> {
    getrandom::u64()
        .map(ReplicaId::new)
        .map_err(|error| StoreError::Unavailable { reason: error.to_string() })
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_cancelled) => Err(StoreError::Closed),
        },
    }
}
