//! Logs: a document in one file that only grows, until it is compacted.
//!
//! A log starts with a snapshot, if it was ever compacted, and goes on with the deltas since. Whatever
//! [`LogStore::append`] has said is stored is found again, whenever the power fails:
//!
//! - Each record has a checksum over what it holds, where it stands and which file it stands in. So records cannot change,
//!   swap places, repeat or come from a file that was there before without being noticed.
//! - One record is written at a time, and on its way until the storage has said that it is safe. So after a crash only the
//!   last one can be torn; it is cut off and reported. A bad record in front of a good one was stored once and is damaged now: that is
//!   an error, with its offset, and nothing is cut.
//! - Compaction writes a whole new log beside the old one, reads it back, opens it, compares it with the document, and only then swaps
//!   the two, which is atomic. Before, the old one holds everything; behind, the new one.
//!
//! The bytes are described in `docs/format.md`. [`LogReader`] and [`LogWriter`] are pure; [`LogStore`] works on any [`Storage`]; with
//! the feature `std`, `Directory` is one of files. Reading is O(bytes), also of bytes that were made to be hard to read.

#[cfg(feature = "std")]
mod files;
mod record;
mod storage;
mod store;
#[cfg(test)]
mod tests;

#[cfg(feature = "std")]
pub use files::Directory;
pub use record::{LogReader, LogRecord, LogWriter, RecordKind, TornTail};
pub use storage::Storage;
pub use store::{LogError, LogReport, LogStore, RecordError};
