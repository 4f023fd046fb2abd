//! What every store promises, tried on SQLite.

use crate::failing::FailingStore;
use bytes::Bytes;
use crdt_core::ReplicaId;
use crdt_relay::batch::{Authorship, Batch};
use crdt_relay::store::{DocumentName, Snapshot, SqliteStore, Store, StoreError};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

fn name(name: &str) -> DocumentName {
    name.into()
}

/// Batch `log_seq` of a replica that issues one operation in each.
fn batch(log_seq: u64) -> Batch {
    let from = u32::try_from(log_seq).unwrap() - 1;
    Batch {
        log_seq,
        replica: ReplicaId::new(u64::MAX - 7),
        from,
        to: from + 1,
        delta: Bytes::from(format!("delta {log_seq}")),
    }
}

fn batches(log_seqs: std::ops::RangeInclusive<u64>) -> Vec<Batch> {
    log_seqs.map(batch).collect()
}

fn somebody() -> Authorship {
    Authorship { user: "ann".into(), time_ms: 1_700_000_000_000 }
}

fn snapshot(log_seq: u64) -> Snapshot {
    Snapshot { log_seq, bytes: Bytes::from(format!("everything up to {log_seq}")) }
}

fn with_sqlite(folder: &Path, change: &str) {
    let connection = rusqlite::Connection::open(SqliteStore::database_path(folder)).unwrap();
    assert!(connection.execute(change, []).unwrap() > 0, "{change}");
}

#[tokio::test]
async fn a_new_document_is_empty_and_keeps_its_epoch_over_a_restart() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let created = store.open(&name("a")).await.unwrap();
    assert_ne!(created.epoch, 0);
    assert_eq!((created.head, &created.snapshot, &created.tail[..]), (0, &None, &[][..]));
    let other = store.open(&name("b")).await.unwrap();
    assert_ne!(created.epoch, other.epoch);
    store.close().await.unwrap();
    drop(store);
    let store = SqliteStore::open(folder.path()).unwrap();
    assert_eq!(store.open(&name("a")).await.unwrap(), created);
}

#[tokio::test]
async fn reading_a_document_that_is_not_there_creates_none() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    assert_eq!(store.find(&name("a")).await.unwrap(), None);
    assert_eq!(store.find(&name("a")).await.unwrap(), None);
}

#[tokio::test]
async fn batches_come_back_in_the_order_of_the_log() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let epoch = store.open(&name("a")).await.unwrap().epoch;
    // Asked for without waiting in between: they share a transaction or not, the order is kept.
    let first = store.append(&name("a"), epoch, batches(1..=2), somebody());
    let second = store.append(&name("a"), epoch, batches(3..=3), somebody());
    let third = store.append(&name("a"), epoch, batches(4..=6), somebody());
    third.await.unwrap();
    first.await.unwrap();
    second.await.unwrap();
    let stored = store.open(&name("a")).await.unwrap();
    assert_eq!((stored.head, stored.tail), (6, batches(1..=6)));
}

#[tokio::test]
async fn batches_that_do_not_follow_the_head_are_refused_whole() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let a = name("a");
    let epoch = store.open(&a).await.unwrap().epoch;
    store.append(&a, epoch, batches(1..=2), somebody()).await.unwrap();
    for refused in [batches(2..=3), batches(4..=4), vec![batch(3), batch(5)]] {
        let error = store.append(&a, epoch, refused, somebody()).await.unwrap_err();
        assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
    }
    let error = store.append(&a, epoch ^ 1, batches(3..=3), somebody()).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
    let stored = store.open(&a).await.unwrap();
    assert_eq!((stored.head, stored.tail), (2, batches(1..=2)));
}

#[tokio::test]
async fn the_same_operations_are_not_stored_twice() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let epoch = store.open(&name("a")).await.unwrap().epoch;
    store.append(&name("a"), epoch, batches(1..=2), somebody()).await.unwrap();
    let again = Batch { log_seq: 3, ..batch(2) };
    store.append(&name("a"), epoch, vec![again], somebody()).await.unwrap_err();
    assert_eq!(store.open(&name("a")).await.unwrap().head, 2);
}

#[tokio::test]
async fn a_refused_append_does_not_concern_others_in_its_transaction() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let (a, b) = (name("a"), name("b"));
    let epoch_a = store.open(&a).await.unwrap().epoch;
    let epoch_b = store.open(&b).await.unwrap().epoch;
    let good = store.append(&a, epoch_a, batches(1..=2), somebody());
    let bad = store.append(&b, epoch_b, batches(7..=7), somebody());
    let good_too = store.append(&b, epoch_b, batches(1..=1), somebody());
    good.await.unwrap();
    bad.await.unwrap_err();
    good_too.await.unwrap();
    assert_eq!(store.open(&a).await.unwrap().head, 2);
    assert_eq!(store.open(&b).await.unwrap().head, 1);
}

#[tokio::test]
async fn a_snapshot_replaces_exactly_what_it_covers() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let a = name("a");
    let epoch = store.open(&a).await.unwrap().epoch;
    store.append(&a, epoch, batches(1..=5), somebody()).await.unwrap();
    store.write_snapshot(&a, epoch, snapshot(3)).await.unwrap();
    let stored = store.open(&a).await.unwrap();
    assert_eq!((stored.head, &stored.snapshot, &stored.tail), (5, &Some(snapshot(3)), &batches(4..=5)));

    store.write_snapshot(&a, epoch, snapshot(2)).await.unwrap();
    assert_eq!(store.open(&a).await.unwrap(), stored, "an older snapshot changed something");
    store.write_snapshot(&a, epoch, snapshot(6)).await.unwrap_err();
    assert_eq!(store.open(&a).await.unwrap(), stored, "a snapshot beyond the head changed something");

    store.append(&a, epoch, batches(6..=6), somebody()).await.unwrap();
    store.write_snapshot(&a, epoch, snapshot(6)).await.unwrap();
    let stored = store.open(&a).await.unwrap();
    assert_eq!((stored.head, stored.snapshot, stored.tail), (6, Some(snapshot(6)), vec![]));
}

#[tokio::test]
async fn a_damaged_row_is_an_error_of_its_document_and_is_not_overwritten() {
    let damages = [
        "UPDATE deltas SET delta = x'00' WHERE log_seq = 4 AND document = 1",
        "UPDATE deltas SET op_to = op_to + 1 WHERE log_seq = 5 AND document = 1",
        "DELETE FROM deltas WHERE log_seq = 4 AND document = 1",
        "DELETE FROM deltas WHERE log_seq = 5 AND document = 1",
        "UPDATE snapshots SET bytes = x'00' WHERE document = 1",
        "UPDATE snapshots SET log_seq = 2 WHERE document = 1",
        "DELETE FROM snapshots WHERE document = 1",
        "UPDATE documents SET head = 4 WHERE id = 1",
    ];
    for damage in damages {
        let folder = TempDir::new().unwrap();
        let store = SqliteStore::open(folder.path()).unwrap();
        let epoch = store.open(&name("a")).await.unwrap().epoch;
        store.open(&name("b")).await.unwrap();
        store.append(&name("a"), epoch, batches(1..=5), somebody()).await.unwrap();
        store.write_snapshot(&name("a"), epoch, snapshot(3)).await.unwrap();
        with_sqlite(folder.path(), damage);
        for _ in 0..2 {
            let error = store.open(&name("a")).await.unwrap_err();
            assert!(
                matches!(&error, StoreError::Corrupt { name, .. } if &**name == "a"),
                "{damage}: {error}"
            );
        }
        assert_eq!(store.open(&name("b")).await.unwrap().head, 0);
    }
}

#[tokio::test]
async fn one_folder_serves_one_relay() {
    let folder = TempDir::new().unwrap();
    let first = SqliteStore::open(folder.path()).unwrap();
    let refused = SqliteStore::open(folder.path()).unwrap_err();
    assert!(refused.to_string().contains("another relay"), "{refused}");
    drop(first);
    SqliteStore::open(folder.path()).unwrap();
}

#[tokio::test]
async fn files_of_others_and_of_other_versions_are_refused() {
    let folder = TempDir::new().unwrap();
    let path = SqliteStore::database_path(folder.path());
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let refused = SqliteStore::open(folder.path()).unwrap_err();
    assert!(matches!(refused, StoreError::WrongSchema { .. }), "{refused}");

    let folder = TempDir::new().unwrap();
    drop(SqliteStore::open(folder.path()).unwrap());
    let path = SqliteStore::database_path(folder.path());
    // 1 is what held deltas and snapshots of format 1.
    for version in [1, 99] {
        let pragma = format!("PRAGMA user_version = {version}");
        rusqlite::Connection::open(&path).unwrap().execute_batch(&pragma).unwrap();
        let refused = SqliteStore::open(folder.path()).unwrap_err();
        assert!(matches!(refused, StoreError::WrongSchema { .. }), "{refused}");
        assert!(refused.to_string().contains(&format!("version {version},")), "{refused}");
    }
}

#[tokio::test]
async fn after_closing_everything_is_refused() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let epoch = store.open(&name("a")).await.unwrap().epoch;
    let before = store.append(&name("a"), epoch, batches(1..=1), somebody());
    store.close().await.unwrap();
    before.await.unwrap();
    let after = store.append(&name("a"), epoch, batches(2..=2), somebody()).await;
    assert_eq!(after, Err(StoreError::Closed));
    assert_eq!(store.find(&name("a")).await, Err(StoreError::Closed));
    let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["relay.lock", "relay.sqlite"], "the write-ahead log was not moved into the database");
}

#[tokio::test]
async fn the_failing_store_fails_on_cue_and_stores_nothing_then() {
    let folder = TempDir::new().unwrap();
    let store = FailingStore::new(Arc::new(SqliteStore::open(folder.path()).unwrap()));
    let epoch = store.open(&name("a")).await.unwrap().epoch;
    store.fail_appends(true);
    store.append(&name("a"), epoch, batches(1..=1), somebody()).await.unwrap_err();
    store.fail_appends(false);
    store.append(&name("a"), epoch, batches(1..=1), somebody()).await.unwrap();
    assert_eq!(store.open(&name("a")).await.unwrap().head, 1);
}
