//! The tables of the SQLite store, their version, and reading and writing their rows.
//!
//! 64-bit replica ids and epochs are stored as the signed integer with the same bits. Every row with
//! bytes carries a CRC-32C over its numbers and bytes, because SQLite checks none of its pages.

use super::{DocumentName, Snapshot, StoreError, StoredDocument, authors};
use crate::batch::{Authorship, Batch};
use bytes::Bytes;
use crdt_core::ReplicaId;
use crdt_core::bytes::crc32c;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// "CRDT" in ASCII: tells our files from others (`PRAGMA application_id`).
const APPLICATION_ID: i32 = 0x4352_4454;

/// The version of the tables and of the formats of the bytes in them (`PRAGMA user_version`). The first held deltas and
/// snapshots of format 1, which nothing reads any more.
const SCHEMA_VERSION: i32 = 3;

/// The version without [`authors::TABLE`]. Files of it get that table, empty: nobody knows who sent what they hold.
const VERSION_WITHOUT_AUTHORS: i32 = 2;

/// What snapshots of format 2 start with, which nothing reads any more. Files of version 2 may hold them.
const SNAPSHOT_FORMAT_2: &[u8; 6] = b"CRDTS\x02";

const TABLES: &str = "
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
    ) STRICT;";

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unavailable { reason: error.to_string() }
    }
}

/// Creates the tables in an empty file, and those that an older file lacks; refuses files that are not ours or of a version
/// that is not known.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let pragma =
        |name: &str| transaction.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i32>(0));
    let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (pragma("application_id")?, pragma("user_version")?) {
        (APPLICATION_ID, SCHEMA_VERSION) => {}
        (0, 0) if tables == 0 => {
            transaction.execute_batch(TABLES)?;
            transaction.execute_batch(authors::TABLE)?;
            transaction.execute_batch(&format!(
                "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION}"
            ))?;
        }
        (APPLICATION_ID, VERSION_WITHOUT_AUTHORS) => {
            let unreadable: i64 = transaction.query_row(
                "SELECT count(*) FROM snapshots WHERE substr(bytes, 1, 6) = ?1",
                [&SNAPSHOT_FORMAT_2[..]],
                |row| row.get(0),
            )?;
            if unreadable > 0 {
                // Refused before anything has changed, so that the relay that wrote it can go on with it.
                return Err(StoreError::WrongSchema {
                    found: format!(
                        "it is of version {VERSION_WITHOUT_AUTHORS} and holds snapshots of format 2 ({unreadable}), this relay reads 3"
                    ),
                });
            }
            transaction.execute_batch(authors::TABLE)?;
            transaction.execute_batch(&format!("PRAGMA user_version = {SCHEMA_VERSION}"))?;
            tracing::info!(
                from = VERSION_WITHOUT_AUTHORS,
                to = SCHEMA_VERSION,
                "changed the store's version"
            );
        }
        (APPLICATION_ID, version) => {
            return Err(StoreError::WrongSchema {
                found: format!("it is of version {version}, this relay knows {SCHEMA_VERSION}"),
            });
        }
        _ => return Err(StoreError::WrongSchema { found: "the file is another program's database".into() }),
    }
    transaction.commit()?;
    Ok(())
}

/// Adds a document without batches, unless there is one of that name.
pub(super) fn create(connection: &Connection, name: &str, epoch: u64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO documents (name, epoch, head) VALUES (?1, ?2, 0) ON CONFLICT (name) DO NOTHING",
        )?
        .execute(params![name, epoch.cast_signed()])?;
    Ok(())
}

/// Appends batches and records whose they are, all or none; the caller holds a savepoint.
pub(super) fn append(
    connection: &Connection,
    name: &DocumentName,
    epoch: u64,
    batches: &[Batch],
    by: &Authorship,
) -> Result<(), StoreError> {
    let (Some(first), Some(last)) = (batches.first(), batches.last()) else { return Ok(()) };
    let expected_head = first.log_seq.wrapping_sub(1);
    let conflict = || StoreError::Conflict { name: name.clone(), expected_head };
    let consecutive = batches.windows(2).all(|pair| pair[0].log_seq.checked_add(1) == Some(pair[1].log_seq));
    if !consecutive {
        return Err(conflict());
    }
    let document: Option<i64> = connection
        .prepare_cached(
            "UPDATE documents SET head = ?4 WHERE name = ?1 AND epoch = ?2 AND head = ?3 RETURNING id",
        )?
        .query_row(
            params![&**name, epoch.cast_signed(), expected_head.cast_signed(), last.log_seq.cast_signed()],
            |row| row.get(0),
        )
        .optional()?;
    let document = document.ok_or_else(conflict)?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO deltas (document, log_seq, replica, op_from, op_to, crc, delta)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for batch in batches {
        insert.execute(params![
            document,
            batch.log_seq.cast_signed(),
            batch.replica.get().cast_signed(),
            batch.from,
            batch.to,
            batch_crc(batch),
            &*batch.delta,
        ])?;
        authors::record(connection, document, batch, by)?;
    }
    Ok(())
}

/// Replaces the batches that `snapshot` covers by it; the caller holds a savepoint.
pub(super) fn write_snapshot(
    connection: &Connection,
    name: &DocumentName,
    epoch: u64,
    snapshot: &Snapshot,
) -> Result<(), StoreError> {
    let log_seq = snapshot.log_seq.cast_signed();
    let document: Option<i64> = connection
        .prepare_cached("SELECT id FROM documents WHERE name = ?1 AND epoch = ?2 AND head >= ?3")?
        .query_row(params![&**name, epoch.cast_signed(), log_seq], |row| row.get(0))
        .optional()?;
    let Some(document) = document else {
        return Err(StoreError::Conflict { name: name.clone(), expected_head: snapshot.log_seq });
    };
    let written = connection
        .prepare_cached(
            "INSERT INTO snapshots (document, log_seq, crc, bytes) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (document) DO UPDATE SET log_seq = ?2, crc = ?3, bytes = ?4 WHERE log_seq < ?2",
        )?
        .execute(params![document, log_seq, snapshot_crc(snapshot), &*snapshot.bytes])?;
    if written == 1 {
        connection
            .prepare_cached("DELETE FROM deltas WHERE document = ?1 AND log_seq <= ?2")?
            .execute(params![document, log_seq])?;
    }
    Ok(())
}

/// Reads a document and checks what can be checked without knowing what a delta is.
pub(super) fn read(
    connection: &mut Connection,
    name: &DocumentName,
) -> Result<Option<StoredDocument>, StoreError> {
    let corrupt = |found: String| StoreError::Corrupt { name: name.clone(), found };
    // One read transaction, so that the three tables are of one moment.
    let transaction = connection.transaction()?;
    let document = transaction
        .prepare_cached("SELECT id, epoch, head FROM documents WHERE name = ?1")?
        .query_row([&**name], |row| Ok((row.get::<_, i64>(0)?, unsigned(row, 1)?, unsigned(row, 2)?)))
        .optional()?;
    let Some((id, epoch, head)) = document else { return Ok(None) };
    let snapshot = transaction
        .prepare_cached("SELECT log_seq, crc, bytes FROM snapshots WHERE document = ?1")?
        .query_row([id], |row| {
            let snapshot = Snapshot { log_seq: unsigned(row, 0)?, bytes: blob(row, 2)? };
            Ok((snapshot, row.get::<_, u32>(1)?))
        })
        .optional()?;
    if let Some((snapshot, crc)) = &snapshot
        && snapshot_crc(snapshot) != *crc
    {
        return Err(corrupt(format!("the snapshot at {} fails its checksum", snapshot.log_seq)));
    }
    let snapshot = snapshot.map(|(snapshot, _)| snapshot);

    let mut expected = snapshot.as_ref().map_or(0, |snapshot| snapshot.log_seq);
    let mut tail = Vec::new();
    let mut select = transaction.prepare_cached(
        "SELECT log_seq, replica, op_from, op_to, crc, delta FROM deltas WHERE document = ?1 ORDER BY log_seq",
    )?;
    let mut rows = select.query([id])?;
    while let Some(row) = rows.next()? {
        let log_seq = unsigned(row, 0)?;
        expected += 1;
        if log_seq != expected {
            return Err(corrupt(format!("batch {expected} is missing from the log, {log_seq} follows")));
        }
        let numbers = || -> rusqlite::Result<(Batch, u32)> {
            let batch = Batch {
                log_seq,
                replica: ReplicaId::new(unsigned(row, 1)?),
                from: row.get(2)?,
                to: row.get(3)?,
                delta: blob(row, 5)?,
            };
            Ok((batch, row.get(4)?))
        };
        let (batch, crc) = numbers().map_err(|error| corrupt(format!("batch {log_seq}: {error}")))?;
        if batch_crc(&batch) != crc {
            return Err(corrupt(format!("batch {log_seq} fails its checksum")));
        }
        tail.push(batch);
    }
    if expected != head {
        return Err(corrupt(format!("the log ends at {expected}, not at its head {head}")));
    }
    Ok(Some(StoredDocument { epoch, head, snapshot, tail }))
}

pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}

fn blob(row: &Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    row.get::<_, Vec<u8>>(column).map(Bytes::from)
}

fn batch_crc(batch: &Batch) -> u32 {
    let mut covered = Vec::with_capacity(28 + batch.delta.len());
    covered.extend_from_slice(&batch.log_seq.to_le_bytes());
    covered.extend_from_slice(&batch.replica.get().to_le_bytes());
    covered.extend_from_slice(&batch.from.to_le_bytes());
    covered.extend_from_slice(&batch.to.to_le_bytes());
    covered.extend_from_slice(&batch.delta);
    crc32c(&covered)
}

fn snapshot_crc(snapshot: &Snapshot) -> u32 {
    let mut covered = Vec::with_capacity(8 + snapshot.bytes.len());
    covered.extend_from_slice(&snapshot.log_seq.to_le_bytes());
    covered.extend_from_slice(&snapshot.bytes);
    crc32c(&covered)
}
