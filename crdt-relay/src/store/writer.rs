//! The thread that writes: it drains its queue into one transaction, because a commit costs an fsync
//! (about 3 ms) whether it holds one batch or five hundred.

use super::{DocumentName, Snapshot, StoreError, schema};
use crate::batch::{Authorship, Batch};
use rusqlite::Connection;
use std::sync::mpsc::{Receiver, TryRecvError};
use tokio::sync::oneshot;

/// At most so many requests share one transaction: bounds how long the first of them waits.
const MAX_REQUESTS_PER_COMMIT: usize = 512;

/// At most about so many bytes share one transaction.
const MAX_BYTES_PER_COMMIT: usize = 8 << 20;

/// Something to write, and whom to tell when it is committed.
pub(super) struct Request {
    pub(super) change: Change,
    pub(super) done: oneshot::Sender<Result<(), StoreError>>,
}

pub(super) enum Change {
    Create { name: DocumentName, epoch: u64 },
    Append { name: DocumentName, epoch: u64, batches: Vec<Batch>, by: Authorship },
    WriteSnapshot { name: DocumentName, epoch: u64, snapshot: Snapshot },
    Close,
}

impl Change {
    fn bytes(&self) -> usize {
        match self {
            Self::Create { .. } | Self::Close => 0,
            Self::Append { batches, .. } => batches.iter().map(|batch| batch.delta.len()).sum(),
            Self::WriteSnapshot { snapshot, .. } => snapshot.bytes.len(),
        }
    }
}

/// Writes until the queue's last sender is gone or a `Close` comes.
pub(super) fn run(mut connection: Connection, queue: &Receiver<Request>) {
    while let Ok(first) = queue.recv() {
        let mut bytes = first.change.bytes();
        let mut requests = vec![first];
        while requests.len() < MAX_REQUESTS_PER_COMMIT && bytes < MAX_BYTES_PER_COMMIT {
            match queue.try_recv() {
                Ok(request) => {
                    bytes += request.change.bytes();
                    requests.push(request);
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        let close = requests.iter().position(|request| matches!(request.change, Change::Close));
        let closing = close.map(|at| {
            let after = requests.split_off(at);
            let mut after = after.into_iter();
            let close = after.next();
            // Whoever asks after the close is told so.
            after.for_each(|request| drop(request.done.send(Err(StoreError::Closed))));
            close
        });
        commit(&mut connection, requests);
        if let Some(close) = closing.flatten() {
            let closed = connection.close().map_err(|(_, error)| StoreError::from(error));
            drop(close.done.send(closed));
            return;
        }
    }
}

/// Writes the requests in one transaction and answers each. One that is refused leaves no trace and
/// does not concern the others; a failed commit fails all.
fn commit(connection: &mut Connection, requests: Vec<Request>) {
    if requests.is_empty() {
        return;
    }
    match write(connection, &requests) {
        Ok(results) => {
            for (request, result) in requests.into_iter().zip(results) {
                drop(request.done.send(result));
            }
        }
        Err(error) => {
            tracing::error!(%error, requests = requests.len(), "the transaction failed");
            for request in requests {
                drop(request.done.send(Err(error.clone())));
            }
        }
    }
}

fn write(
    connection: &mut Connection,
    requests: &[Request],
) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    let mut transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let mut results = Vec::with_capacity(requests.len());
    for request in requests {
        let savepoint = transaction.savepoint()?;
        let result = match &request.change {
            Change::Create { name, epoch } => schema::create(&savepoint, name, *epoch),
            Change::Append { name, epoch, batches, by } => {
                schema::append(&savepoint, name, *epoch, batches, by)
            }
            Change::WriteSnapshot { name, epoch, snapshot } => {
                schema::write_snapshot(&savepoint, name, *epoch, snapshot)
            }
            Change::Close => Ok(()),
        };
        if result.is_ok() {
            savepoint.commit()?;
        } else {
            savepoint.finish()?;
        }
        results.push(result);
    }
    transaction.commit()?;
    Ok(results)
}
