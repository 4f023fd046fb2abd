//! A store that fails, or waits, on cue.

use crdt_relay::batch::{Authorship, Batch};
use crdt_relay::store::{
    DocumentName, Snapshot, Store, StoreError, StoreFuture, StoredAuthors, StoredDocument,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

/// Passes everything on to another store, unless told to fail or to hold back.
pub struct FailingStore {
    inner: Arc<dyn Store>,
    fail_appends: AtomicBool,
    panic_appends: AtomicBool,
    held: watch::Sender<bool>,
    waiting: watch::Sender<usize>,
}

impl FailingStore {
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            fail_appends: AtomicBool::new(false),
            panic_appends: AtomicBool::new(false),
            held: watch::Sender::new(false),
            waiting: watch::Sender::new(0),
        }
    }

    /// From now on appends fail without reaching the store, or reach it again.
    pub fn fail_appends(&self, fail: bool) {
        self.fail_appends.store(fail, Ordering::SeqCst);
    }

    /// From now on appends panic in the caller, or do not.
    pub fn panic_appends(&self, panic: bool) {
        self.panic_appends.store(panic, Ordering::SeqCst);
    }

    /// From now on appends wait before they reach the store, or go on.
    pub fn hold_appends(&self, hold: bool) {
        self.held.send_replace(hold);
    }

    /// Waits until an append waits.
    pub async fn until_held(&self) {
        self.waiting.subscribe().wait_for(|waiting| *waiting > 0).await.unwrap();
    }
}

impl Store for FailingStore {
    fn open(&self, name: &DocumentName) -> StoreFuture<StoredDocument> {
        self.inner.open(name)
    }

    fn find(&self, name: &DocumentName) -> StoreFuture<Option<StoredDocument>> {
        self.inner.find(name)
    }

    fn authors(&self, name: &DocumentName) -> StoreFuture<Option<StoredAuthors>> {
        self.inner.authors(name)
    }

    fn append(
        &self,
        name: &DocumentName,
        epoch: u64,
        batches: Vec<Batch>,
        by: Authorship,
    ) -> StoreFuture<()> {
        assert!(!self.panic_appends.load(Ordering::SeqCst), "a panic on cue");
        if self.fail_appends.load(Ordering::SeqCst) {
            return Box::pin(async { Err(StoreError::Unavailable { reason: "on cue".into() }) });
        }
        let (inner, name) = (self.inner.clone(), name.clone());
        let (mut held, waiting) = (self.held.subscribe(), self.waiting.clone());
        Box::pin(async move {
            waiting.send_modify(|waiting| *waiting += 1);
            held.wait_for(|held| !held).await.map_err(|_| StoreError::Closed)?;
            waiting.send_modify(|waiting| *waiting -= 1);
            inner.append(&name, epoch, batches, by).await
        })
    }

    fn write_snapshot(&self, name: &DocumentName, epoch: u64, snapshot: Snapshot) -> StoreFuture<()> {
        self.inner.write_snapshot(name, epoch, snapshot)
    }

    fn close(&self) -> StoreFuture<()> {
        self.inner.close()
    }
}
