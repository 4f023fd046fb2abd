//! Who sent what and when, as the relay records it.

use crate::person::Person;
use crate::server::{TestRelay, config, get, get_bytes, stored_text};
use bytes::Bytes;
use crdt_core::bytes::crc32c;
use crdt_core::codec::Limits;
use crdt_core::{Authors, OpId, ReplicaId, Seq};
use crdt_relay::batch::{Authorship, Batch};
use crdt_relay::config::Config;
use crdt_relay::store::{DocumentName, Snapshot, SqliteStore, Store, StoreError};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// The start of a minute.
const NOON_MS: u64 = 1_699_963_200_000;

/// A log that is filled batch by batch.
struct Log {
    store: SqliteStore,
    name: DocumentName,
    epoch: u64,
    head: u64,
}

impl Log {
    async fn open(store: SqliteStore) -> Self {
        let name: DocumentName = "a".into();
        let stored = store.open(&name).await.unwrap();
        Self { store, name, epoch: stored.epoch, head: stored.head }
    }

    async fn append(&mut self, replica: u64, seqs: std::ops::Range<Seq>, user: &str, time_ms: u64) {
        self.head += 1;
        let (log_seq, delta) = (self.head, Bytes::from_static(b"delta"));
        let batch =
            Batch { log_seq, replica: ReplicaId::new(replica), from: seqs.start, to: seqs.end, delta };
        let by = Authorship { user: user.into(), time_ms };
        self.store.append(&self.name, self.epoch, vec![batch], by).await.unwrap();
    }

    /// What was recorded, in the order of replica and number.
    async fn rows(&self) -> Vec<(u64, std::ops::Range<Seq>, String, u64)> {
        let stored = self.store.authors(&self.name).await.unwrap().unwrap();
        assert_eq!((stored.epoch, stored.head), (self.epoch, self.head));
        let rows = stored.rows.into_iter();
        let mut rows: Vec<_> = rows
            .map(|row| (row.replica.get(), row.from..row.to, row.user.to_string(), row.time_ms))
            .collect();
        rows.sort_by_key(|row| (row.0, row.1.start));
        rows
    }
}

fn with_sqlite(folder: &Path, change: &str) {
    let connection = rusqlite::Connection::open(SqliteStore::database_path(folder)).unwrap();
    assert!(connection.execute(change, []).unwrap() > 0, "{change}");
}

#[tokio::test]
async fn who_types_on_within_a_minute_takes_one_row() {
    let folder = TempDir::new().unwrap();
    let mut log = Log::open(SqliteStore::open(folder.path()).unwrap()).await;
    let high = u64::MAX - 7;
    for seq in 0..500 {
        log.append(high, seq..seq + 1, "ann", NOON_MS + u64::from(seq) * 100).await;
    }
    let of_ann = (high, 0..500, "ann".to_owned(), NOON_MS);
    assert_eq!(log.rows().await, std::slice::from_ref(&of_ann));
    // The next minute of the clock, though less than a minute later. Then another user, and a clock that was set back.
    log.append(high, 500..502, "ann", NOON_MS + 60_000).await;
    log.append(high, 502..503, "ben", NOON_MS + 60_001).await;
    log.append(high, 503..504, "ben", NOON_MS - 1).await;
    // Another replica in between does not matter.
    log.append(3, 0..2, "ben", NOON_MS - 1).await;
    log.append(high, 504..509, "ben", NOON_MS - 60_000).await;
    let ben = || "ben".to_owned();
    let expected = [
        (3, 0..2, ben(), NOON_MS - 1),
        of_ann,
        (high, 500..502, "ann".to_owned(), NOON_MS + 60_000),
        (high, 502..503, ben(), NOON_MS + 60_001),
        (high, 503..509, ben(), NOON_MS - 1),
    ];
    assert_eq!(log.rows().await, expected);

    // Neither a snapshot nor a restart touches any of it, and it goes on from there.
    let everything = Snapshot { log_seq: log.head, bytes: Bytes::from_static(b"everything") };
    log.store.write_snapshot(&log.name, log.epoch, everything).await.unwrap();
    assert_eq!(log.store.find(&log.name).await.unwrap().unwrap().tail, []);
    assert_eq!(log.rows().await, expected);
    log.store.close().await.unwrap();
    drop(log);
    let mut log = Log::open(SqliteStore::open(folder.path()).unwrap()).await;
    assert_eq!(log.rows().await, expected);
    log.append(high, 509..510, "ben", NOON_MS - 2).await;
    assert_eq!(log.rows().await.last(), Some(&(high, 503..510, ben(), NOON_MS - 1)));
}

#[tokio::test]
async fn what_is_not_stored_is_not_recorded_and_documents_are_apart() {
    let folder = TempDir::new().unwrap();
    let mut log = Log::open(SqliteStore::open(folder.path()).unwrap()).await;
    log.append(1, 0..2, "ann", NOON_MS).await;
    let other: DocumentName = "b".into();
    log.store.open(&other).await.unwrap();
    assert_eq!(log.store.authors(&other).await.unwrap().unwrap().rows, []);
    assert_eq!(log.store.authors(&"never opened".into()).await.unwrap(), None);
    let (replica, delta) = (ReplicaId::new(1), Bytes::from_static(b"delta"));
    let good = Batch { log_seq: 2, replica, from: 2, to: 3, delta };
    let by = Authorship { user: "ann".into(), time_ms: NOON_MS };
    // The second one does not follow, or is there already: the first must leave no trace either.
    for second in [Batch { log_seq: 4, from: 3, to: 4, ..good.clone() }, Batch { log_seq: 3, ..good.clone() }]
    {
        let batches = vec![good.clone(), second];
        log.store.append(&log.name, log.epoch, batches, by.clone()).await.unwrap_err();
    }
    assert_eq!(log.rows().await, [(1, 0..2, "ann".to_owned(), NOON_MS)]);
}

#[tokio::test]
async fn damaged_rows_are_found_and_hinder_nobody_from_typing() {
    let damages = [
        "UPDATE authors SET user = 'ben'",
        "UPDATE authors SET op_to = op_to + 1",
        "UPDATE authors SET op_from = op_to",
        "UPDATE authors SET time_ms = time_ms + 1",
        "UPDATE authors SET crc = -1",
    ];
    for damage in damages {
        let folder = TempDir::new().unwrap();
        let mut log = Log::open(SqliteStore::open(folder.path()).unwrap()).await;
        log.append(1, 0..2, "ann", NOON_MS).await;
        with_sqlite(folder.path(), damage);
        for seq in 2..5 {
            log.append(1, seq..seq + 1, "ann", NOON_MS).await;
        }
        let error = log.store.authors(&log.name).await.unwrap_err();
        assert!(matches!(&error, StoreError::Corrupt { name, .. } if *name == log.name), "{damage}: {error}");
        assert_eq!(log.store.find(&log.name).await.unwrap().unwrap().tail.len(), 4, "{damage}");
    }
}

/// The tables of version 2, as relays before authors were recorded made them.
const VERSION_2: &str = "
    CREATE TABLE documents (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        epoch INTEGER NOT NULL,
        head INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE deltas (
        document INTEGER NOT NULL REFERENCES documents (id),
        log_seq INTEGER NOT NULL,
        replica INTEGER NOT NULL,
        op_from INTEGER NOT NULL,
        op_to INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        delta BLOB NOT NULL,
        PRIMARY KEY (document, log_seq),
        UNIQUE (document, replica, op_from)
    ) STRICT;
    CREATE TABLE snapshots (
        document INTEGER PRIMARY KEY REFERENCES documents (id),
        log_seq INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        bytes BLOB NOT NULL
    ) STRICT;
    INSERT INTO documents (name, epoch, head) VALUES ('a', 77, 1);
    PRAGMA application_id = 1129464916;
    PRAGMA user_version = 2;";

fn schema(folder: &Path) -> (i32, Vec<Option<String>>) {
    let connection = rusqlite::Connection::open(SqliteStore::database_path(folder)).unwrap();
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    let mut select = connection.prepare("SELECT sql FROM sqlite_schema ORDER BY name").unwrap();
    let tables = select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    (version, tables)
}

#[tokio::test]
async fn a_file_of_version_2_gets_the_table_and_keeps_what_it_holds() {
    let folder = TempDir::new().unwrap();
    let connection = rusqlite::Connection::open(SqliteStore::database_path(folder.path())).unwrap();
    connection.execute_batch(VERSION_2).unwrap();
    let delta = b"delta".to_vec();
    let covered =
        [&1_u64.to_le_bytes()[..], &9_u64.to_le_bytes(), &0_u32.to_le_bytes(), &3_u32.to_le_bytes(), &delta]
            .concat();
    connection
        .execute(
            "INSERT INTO deltas VALUES (1, 1, 9, 0, 3, ?1, ?2)",
            rusqlite::params![crc32c(&covered), delta],
        )
        .unwrap();
    drop(connection);

    for opening in 0..2 {
        let mut log = Log::open(SqliteStore::open(folder.path()).unwrap()).await;
        assert_eq!(log.epoch, 77);
        assert_eq!(log.store.find(&log.name).await.unwrap().unwrap().tail[0].delta, delta);
        if opening == 0 {
            assert_eq!(log.rows().await, [], "nobody knows who sent what is there");
            log.append(9, 3..5, "ann", NOON_MS).await;
        }
        assert_eq!(log.rows().await, [(9, 3..5, "ann".to_owned(), NOON_MS)]);
        log.store.close().await.unwrap();
    }
    let fresh = TempDir::new().unwrap();
    SqliteStore::open(fresh.path()).unwrap().close().await.unwrap();
    assert_eq!(schema(folder.path()), schema(fresh.path()));
    assert_eq!(schema(folder.path()).0, 3);
}

#[tokio::test]
async fn a_file_of_version_2_with_snapshots_that_nobody_reads_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let connection = rusqlite::Connection::open(SqliteStore::database_path(folder.path())).unwrap();
    connection.execute_batch(VERSION_2).unwrap();
    connection.execute("INSERT INTO snapshots VALUES (1, 1, 0, ?1)", [&b"CRDTS\x02and so on"[..]]).unwrap();
    let before = schema(folder.path());
    let refused = SqliteStore::open(folder.path()).unwrap_err();
    assert!(matches!(refused, StoreError::WrongSchema { .. }), "{refused}");
    assert!(refused.to_string().contains("version 2 and holds snapshots of format 2 (1)"), "{refused}");
    assert_eq!(schema(folder.path()), before);
    // One of today's does not hinder it.
    connection.execute("UPDATE snapshots SET bytes = ?1", [&b"CRDTS\x03and so on"[..]]).unwrap();
    SqliteStore::open(folder.path()).unwrap();
    assert_eq!(schema(folder.path()).0, 3);
}

fn wall_clock_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

async fn served(address: SocketAddr, document: &str) -> Authors {
    let (head, body) = get_bytes(address, &format!("/v1/documents/{document}/authors"), "").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("content-type: application/octet-stream"), "{head}");
    assert!(head.contains("document-head: ") && head.contains("etag: "), "{head}");
    Authors::decode(&body, &Limits::DEFAULT).unwrap()
}

/// Every operation of the document is recorded, of the empty user, at a time in between.
fn assert_all_recorded(authors: &Authors, person: &Person, since_ms: u64, until_ms: u64) {
    for (replica, count) in person.doc.version().iter() {
        for seq in 0..count {
            let (user, time_ms) = authors.of(OpId::new(replica, seq)).expect("recorded");
            assert_eq!(user, "");
            assert!((since_ms..=until_ms).contains(&time_ms), "{since_ms} <= {time_ms} <= {until_ms}");
        }
    }
    let recorded: u64 = authors.iter().map(|(_, seqs, ..)| u64::from(seqs.end - seqs.start)).sum();
    let all: u64 = person.doc.version().iter().map(|(_, count)| u64::from(count)).sum();
    assert_eq!(recorded, all, "more was recorded than there is");
}

#[tokio::test]
async fn the_table_tells_when_each_of_two_people_typed_also_after_snapshots_and_restarts() {
    let folder = TempDir::new().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path()).unwrap());
    let settings = Config { idle_unload: Duration::ZERO, ..config() };
    let mut relay = TestRelay::start(settings, store.clone()).await;
    let since_ms = wall_clock_ms();
    let mut ann = Person::join(relay.address, 1, "shared").await;
    let mut bob = Person::join(relay.address, 2, "shared").await;
    // What a client says of itself is not taken for a user.
    ann.show(b"{\"name\":\"the president\"}").await;
    for at in 0..20 {
        ann.insert(at, "a").await;
        bob.insert(0, "b").await;
        ann.until_saved().await;
        bob.until_saved().await;
    }
    ann.until("equal", |ann| ann.doc.len() == 40).await;
    ann.delete(3..9).await;
    ann.until_saved().await;
    let until_ms = wall_clock_ms();
    let authors = served(relay.address, "shared").await;
    assert_all_recorded(&authors, &ann, since_ms, until_ms);
    let minutes = usize::try_from(until_ms / 60_000 - since_ms / 60_000).unwrap() + 1;
    assert!(authors.len() <= 2 * minutes, "{} rows for {minutes} minutes", authors.len());
    // The document finds its own operations in it.
    let spans = ann.doc.attribution(0..ann.doc.len()).unwrap();
    assert!(!spans.is_empty() && spans.iter().all(|span| authors.of(span.id).is_some()));

    ann.disconnect();
    bob.disconnect();
    relay.until_open_documents(0).await;
    let stored = store.find(&"shared".into()).await.unwrap().unwrap();
    assert_eq!(stored.tail, [], "no snapshot was written");
    assert_eq!(served(relay.address, "shared").await, authors);
    relay.stop().await;
    drop(store);

    let relay = TestRelay::on(folder.path()).await;
    assert_eq!(served(relay.address, "shared").await, authors);
    let again_ms = wall_clock_ms();
    let mut cid = Person::join(relay.address, 3, "shared").await;
    cid.insert(0, "c").await;
    cid.until_saved().await;
    let more = served(relay.address, "shared").await;
    assert_all_recorded(&more, &cid, since_ms, wall_clock_ms());
    let (_, time_ms) = more.of(OpId::new(cid.doc.replica(), 0)).unwrap();
    assert!(time_ms >= again_ms);
}

#[tokio::test]
async fn a_document_whose_authors_are_damaged_is_still_there() {
    let folder = TempDir::new().unwrap();
    let relay = TestRelay::on(folder.path()).await;
    let mut ann = Person::join(relay.address, 1, "odd").await;
    assert!(served(relay.address, "odd").await.is_empty());
    ann.insert(0, "typed ").await;
    ann.until_saved().await;
    with_sqlite(folder.path(), "UPDATE authors SET time_ms = 5");
    ann.insert(6, "on").await;
    ann.until_saved().await;
    let (head, body) = get(relay.address, "/v1/documents/odd/authors", "").await;
    assert!(head.starts_with("http/1.1 500"), "{head}");
    assert_eq!(body, "the authors of the document cannot be read\n");
    assert_eq!(stored_text(relay.address, "odd").await, "typed on");
}
