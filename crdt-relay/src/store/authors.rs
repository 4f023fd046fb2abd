//! The table of who sent which operations and when, beside the log: compaction does not touch it.
//!
//! It must not get in the way of what people type: whatever stands in it, batches can be stored. What cannot be right in it
//! is found when it is read, and concerns nothing else of the document.

use super::schema::unsigned;
use super::{AuthorRow, DocumentName, StoreError, StoredAuthors};
use crate::batch::{Authorship, Batch};
use crdt_core::ReplicaId;
use crdt_core::bytes::crc32c;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Came with version 3 of the tables.
pub(super) const TABLE: &str = "
    CREATE TABLE authors (
        document INTEGER NOT NULL REFERENCES documents (id),
        replica INTEGER NOT NULL,
        op_from INTEGER NOT NULL,
        op_to INTEGER NOT NULL,
        user TEXT NOT NULL,
        time_ms INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        PRIMARY KEY (document, replica, op_from)
    ) STRICT, WITHOUT ROWID;";

/// A row that goes on within the same minute of the clock is lengthened, so that there are not as many as keystrokes.
const LENGTHEN_WITHIN_MS: u64 = 60_000;

/// Records who sent a batch and when; the caller holds a savepoint. O(log of the rows).
pub(super) fn record(
    connection: &Connection,
    document: i64,
    batch: &Batch,
    by: &Authorship,
) -> Result<(), StoreError> {
    let replica = batch.replica.get().cast_signed();
    let last = connection
        .prepare_cached(
            "SELECT replica, op_from, op_to, user, time_ms, crc FROM authors
             WHERE document = ?1 AND replica = ?2 ORDER BY op_from DESC LIMIT 1",
        )?
        .query_row([document, replica], |row| Ok(numbers(row)))
        .optional()?;
    // A row that is damaged is left as it is: lengthened, it would look right.
    let last = last.and_then(Result::ok).filter(|(row, crc)| row_crc(row) == *crc);
    if let Some((row, _)) = last
        && goes_on(&row, batch, by)
    {
        let row = AuthorRow { to: batch.to, ..row };
        connection
            .prepare_cached(
                "UPDATE authors SET op_to = ?4, crc = ?5 WHERE document = ?1 AND replica = ?2 AND op_from = ?3",
            )?
            .execute(params![document, replica, row.from, row.to, row_crc(&row)])?;
        return Ok(());
    }
    let row = AuthorRow {
        replica: batch.replica,
        from: batch.from,
        to: batch.to,
        user: by.user.clone(),
        time_ms: by.time_ms,
    };
    // What is recorded of an operation stays: nobody changes the past.
    connection
        .prepare_cached(
            "INSERT INTO authors (document, replica, op_from, op_to, user, time_ms, crc)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            document,
            replica,
            row.from,
            row.to,
            &*row.user,
            row.time_ms.cast_signed(),
            row_crc(&row)
        ])?;
    Ok(())
}

fn goes_on(row: &AuthorRow, batch: &Batch, by: &Authorship) -> bool {
    let minute = |time_ms| time_ms / LENGTHEN_WITHIN_MS;
    row.to == batch.from && row.user == by.user && minute(row.time_ms) == minute(by.time_ms)
}

/// Reads all rows of a document.
pub(super) fn read(
    connection: &mut Connection,
    name: &DocumentName,
) -> Result<Option<StoredAuthors>, StoreError> {
    let corrupt = |found: String| StoreError::Corrupt { name: name.clone(), found };
    // One read transaction, so that the head is that of the rows.
    let transaction = connection.transaction()?;
    let document = transaction
        .prepare_cached("SELECT id, epoch, head FROM documents WHERE name = ?1")?
        .query_row([&**name], |row| Ok((row.get::<_, i64>(0)?, unsigned(row, 1)?, unsigned(row, 2)?)))
        .optional()?;
    let Some((id, epoch, head)) = document else { return Ok(None) };
    let mut select = transaction.prepare_cached(
        "SELECT replica, op_from, op_to, user, time_ms, crc FROM authors
         WHERE document = ?1 ORDER BY replica, op_from",
    )?;
    let mut found = select.query([id])?;
    let mut rows: Vec<AuthorRow> = Vec::new();
    while let Some(row) = found.next()? {
        let (row, crc) = numbers(row).map_err(|error| corrupt(format!("a row of its authors: {error}")))?;
        let follows = rows.last().is_none_or(|last| last.replica != row.replica || last.to <= row.from);
        if row_crc(&row) != crc || row.from >= row.to || !follows {
            let AuthorRow { replica, from, .. } = row;
            return Err(corrupt(format!("the row of its authors for {replica}:{from} cannot be right")));
        }
        rows.push(row);
    }
    Ok(Some(StoredAuthors { epoch, head, rows }))
}

fn numbers(row: &Row<'_>) -> rusqlite::Result<(AuthorRow, u32)> {
    let found = AuthorRow {
        replica: ReplicaId::new(unsigned(row, 0)?),
        from: row.get(1)?,
        to: row.get(2)?,
        user: row.get::<_, String>(3)?.into(),
        time_ms: unsigned(row, 4)?,
    };
    Ok((found, row.get(5)?))
}

fn row_crc(row: &AuthorRow) -> u32 {
    let mut covered = Vec::with_capacity(24 + row.user.len());
    covered.extend_from_slice(&row.replica.get().to_le_bytes());
    covered.extend_from_slice(&row.from.to_le_bytes());
    covered.extend_from_slice(&row.to.to_le_bytes());
    covered.extend_from_slice(&row.time_ms.to_le_bytes());
    covered.extend_from_slice(row.user.as_bytes());
    crc32c(&covered)
}
