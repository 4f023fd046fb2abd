//! A document in a log.

use super::record::{BadRecord, LogReader, LogWriter, RecordKind, TornTail};
use super::storage::Storage;
use crate::codec::{Limits, delta_version, merge_deltas};
use crate::doc::Doc;
use crate::error::{ApplyError, DecodeError};
use crate::ids::{ReplicaId, VersionVector};
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;

/// Keeps a document in a log.
///
/// # Examples
/// ```no_run
/// # #[cfg(feature = "std")] {
/// use crdt_core::ReplicaId;
/// use crdt_core::codec::Limits;
/// use crdt_core::log::{Directory, LogStore};
///
/// let replica = ReplicaId::new(0x5eed); // random in earnest, and a new one each time
/// let (mut store, mut doc, report) = LogStore::open(Directory::open("notes")?, replica, Limits::default())?;
/// if let Some(torn) = report.torn_tail {
///     println!("{} bytes at {} were not written to their end", torn.bytes, torn.offset);
/// }
/// let mut transaction = doc.transaction();
/// transaction.insert(0, "Kept. ")?;
/// store.append(&transaction.commit())?;
/// if store.tail_bytes() > store.snapshot_bytes() {
///     store.compact(&doc)?;
/// }
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct LogStore<S> {
    storage: S,
    limits: Limits,
    writer: LogWriter,
    /// Ends of all that is in the log.
    held: VersionVector,
    others: Vec<(RecordKind, Vec<u8>)>,
    /// Features of the log that need not be known: written back.
    optional: u32,
    snapshot_bytes: u64,
    base_bytes: u64,
    /// Something failed: what is in the storage is known to nobody.
    has_failed: bool,
}

/// What was found when a log was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogReport {
    /// Deltas that were applied behind the snapshot.
    pub deltas: usize,
    /// What had not been written to its end and was cut off.
    pub torn_tail: Option<TornTail>,
}

impl<S: Storage> LogStore<S> {
    /// Opens a log as a document for `replica`, a new random id; begins one if there is none.
    ///
    /// A torn tail is cut off and reported. O(bytes) and what applying the deltas costs; the document keeps to `limits` from then on.
    ///
    /// # Errors
    /// [`LogError::Storage`]; [`LogError::Header`]; [`LogError::Record`], with the offset, if one is damaged and has a sound one
    /// behind it, or holds what cannot be applied. Nothing was changed then.
    pub fn open(
        mut storage: S,
        replica: ReplicaId,
        limits: Limits,
    ) -> Result<(Self, Doc, LogReport), LogError<S::Error>> {
        let Some(bytes) = storage.read().map_err(LogError::Storage)? else {
            return Self::begin(storage, replica, limits);
        };
        let mut reader = LogReader::new(&bytes, &limits).map_err(LogError::Header)?;
        let (mut doc, mut report) = (Doc::new(replica), LogReport::default());
        doc.set_limits(limits);
        let (mut others, mut held, mut snapshot_bytes) = (Vec::new(), VersionVector::new(), 0);
        let (mut is_first, mut tail) = (true, None);
        while let Some(record) = reader.read() {
            let record = record.map_err(|(offset, bad)| {
                let too_long = RecordError::Decode(DecodeError::LimitExceeded("bytes of a record"));
                let error = if bad == BadRecord::TooLong { too_long } else { RecordError::Damaged };
                LogError::Record { offset, error }
            })?;
            let wrong = |error| LogError::Record { offset: record.offset, error };
            match record.kind {
                RecordKind::SNAPSHOT if is_first => {
                    doc = Doc::from_snapshot_within(replica, record.payload, &limits)
                        .map_err(|error| wrong(RecordError::Apply(error)))?;
                    snapshot_bytes = record.payload.len() as u64;
                    held = version_held(&doc);
                }
                RecordKind::DELTA => {
                    let version = delta_version(record.payload, &limits);
                    held.merge(&version.map_err(|error| wrong(RecordError::Decode(error)))?.end());
                    doc.apply_silently(record.payload).map_err(|error| wrong(RecordError::Apply(error)))?;
                    report.deltas += 1;
                    tail.get_or_insert(record.offset);
                }
                kind if kind.is_optional() => others.push((kind, record.payload.to_vec())),
                kind => return Err(wrong(RecordError::UnknownKind(kind.letter()))),
            }
            is_first = false;
        }
        report.torn_tail = reader.torn_tail();
        let (optional, writer) = (reader.optional(), reader.into_writer());
        if report.torn_tail.is_some() {
            storage.cut(writer.len_bytes()).map_err(LogError::Storage)?;
        }
        // What is read may not be safe yet, if only the program stopped and not the machine.
        storage.sync().map_err(LogError::Storage)?;
        storage.remove_beside().map_err(LogError::Storage)?;
        let store = Self {
            storage,
            limits,
            writer,
            held,
            others,
            optional,
            snapshot_bytes,
            base_bytes: tail.unwrap_or(writer.len_bytes()),
            has_failed: false,
        };
        Ok((store, doc, report))
    }

    fn begin(
        mut storage: S,
        replica: ReplicaId,
        limits: Limits,
    ) -> Result<(Self, Doc, LogReport), LogError<S::Error>> {
        let mut bytes = Vec::new();
        let writer = LogWriter::start(next_id(0, replica), &mut bytes);
        storage.write_beside(&bytes).map_err(LogError::Storage)?;
        storage.swap().map_err(LogError::Storage)?;
        let mut doc = Doc::new(replica);
        doc.set_limits(limits);
        let store = Self {
            storage,
            limits,
            writer,
            held: VersionVector::new(),
            others: Vec::new(),
            optional: 0,
            snapshot_bytes: 0,
            base_bytes: writer.len_bytes(),
            has_failed: false,
        };
        Ok((store, doc, LogReport::default()))
    }

    /// Appends a delta, and returns when it is safe: it will be found whatever happens from then on.
    ///
    /// It is to be one that the document has taken or made. Nothing is written for a delta of no bytes, which is what an empty
    /// transaction leaves. O(bytes), and one [`Storage::sync`]; [`LogStore::append_all`] shares that among many.
    ///
    /// # Errors
    /// [`LogError::Delta`] if it is none, or exceeds the limits: nothing was written. [`LogError::Storage`]: whether it is there
    /// is known when the log is opened again, and nothing more is written until then ([`LogError::Failed`]).
    pub fn append(&mut self, delta: &[u8]) -> Result<(), LogError<S::Error>> {
        if delta.is_empty() {
            return Ok(());
        }
        let version = delta_version(delta, &self.limits).map_err(|error| LogError::Delta(error.into()))?;
        self.write(RecordKind::DELTA, delta)?;
        self.held.merge(&version.end());
        Ok(())
    }

    /// Appends deltas as one record, merged: all of them are found again, or none. Else as [`LogStore::append`].
    ///
    /// # Errors
    /// As [`LogStore::append`], and if two hold the same operation with other content.
    pub fn append_all(&mut self, deltas: &[&[u8]]) -> Result<(), LogError<S::Error>> {
        let some: Vec<&[u8]> = deltas.iter().copied().filter(|delta| !delta.is_empty()).collect();
        match some.as_slice() {
            [] => Ok(()),
            [one] => self.append(one),
            many => {
                let merged = merge_deltas(many, &self.limits).map_err(LogError::Delta)?;
                self.append(&merged)
            }
        }
    }

    /// Appends a record of an optional kind, which this library keeps and does not read.
    ///
    /// # Errors
    /// As [`LogStore::append`]; [`LogError::Delta`] if the kind is not optional.
    pub fn append_other(&mut self, kind: RecordKind, payload: &[u8]) -> Result<(), LogError<S::Error>> {
        if !kind.is_optional() {
            return Err(LogError::Delta(DecodeError::InvalidValue("kind of a record").into()));
        }
        self.write(kind, payload)?;
        self.others.push((kind, payload.to_vec()));
        Ok(())
    }

    /// The records of optional kinds, oldest first. Compaction writes them back.
    pub fn others(&self) -> &[(RecordKind, Vec<u8>)] {
        &self.others
    }

    /// Drops records of optional kinds that are not worth keeping: they are gone with the next compaction.
    pub fn retain_others(&mut self, keep: impl FnMut(&(RecordKind, Vec<u8>)) -> bool) {
        self.others.retain(keep);
    }

    fn write(&mut self, kind: RecordKind, payload: &[u8]) -> Result<(), LogError<S::Error>> {
        if self.has_failed {
            return Err(LogError::Failed);
        }
        if payload.len() > self.limits.max_record_bytes.min(u32::MAX as usize) {
            return Err(LogError::Delta(DecodeError::LimitExceeded("bytes of a record").into()));
        }
        let mut bytes = Vec::new();
        let mut writer = self.writer;
        writer.append(kind, payload, &mut bytes);
        // Until it is safe, nothing may be written behind it.
        self.has_failed = true;
        self.storage.append(&bytes).map_err(LogError::Storage)?;
        self.storage.sync().map_err(LogError::Storage)?;
        self.has_failed = false;
        self.writer = writer;
        Ok(())
    }

    /// Replaces the log by one that starts with a snapshot of `doc`, the document that the log holds.
    ///
    /// The new one is written beside the old one, read back, opened and compared with `doc` before it takes the place of the old one,
    /// at once. Whenever the power fails, one of the two is there, and both hold everything. O(bytes of the
    /// document), and twice its memory.
    ///
    /// # Errors
    /// [`LogError::Lacking`] if `doc` lacks operations that the log holds; [`LogError::Unverified`] if what was read back does not open as the
    /// same document. The old log goes on then. [`LogError::Storage`], [`LogError::Failed`]: as for [`LogStore::append`].
    pub fn compact(&mut self, doc: &Doc) -> Result<(), LogError<S::Error>> {
        if self.has_failed {
            return Err(LogError::Failed);
        }
        if !version_held(doc).covers(&self.held) {
            return Err(LogError::Lacking);
        }
        let snapshot = doc.encode_snapshot();
        if snapshot.len() > self.limits.max_input_bytes.min(u32::MAX as usize) {
            return Err(LogError::Delta(DecodeError::LimitExceeded("bytes of a record").into()));
        }
        let mut bytes = Vec::with_capacity(snapshot.len() + 64);
        let mut writer =
            LogWriter::start_with(next_id(self.writer.id(), doc.replica()), self.optional, &mut bytes);
        writer.append(RecordKind::SNAPSHOT, &snapshot, &mut bytes);
        for (kind, payload) in &self.others {
            writer.append(*kind, payload, &mut bytes);
        }
        self.storage.write_beside(&bytes).map_err(LogError::Storage)?;
        let back = self.storage.read_beside().map_err(LogError::Storage)?;
        if back.is_none_or(|back| back != bytes) || !opens_as(&snapshot, doc, &self.limits) {
            return Err(LogError::Unverified);
        }
        drop(bytes);
        // Until it is known which of the two is the log, nothing may be written.
        self.has_failed = true;
        self.storage.swap().map_err(LogError::Storage)?;
        self.has_failed = false;
        self.writer = writer;
        self.snapshot_bytes = snapshot.len() as u64;
        self.base_bytes = writer.len_bytes();
        self.held = version_held(doc);
        Ok(())
    }

    /// How many bytes the log has.
    pub fn len_bytes(&self) -> u64 {
        self.writer.len_bytes()
    }

    /// How many bytes of it are the snapshot.
    pub fn snapshot_bytes(&self) -> u64 {
        self.snapshot_bytes
    }

    /// How many bytes were appended since it was compacted: what a compaction would save, and must be applied when it is opened.
    pub fn tail_bytes(&self) -> u64 {
        self.writer.len_bytes() - self.base_bytes
    }

    /// Gives the storage back.
    pub fn into_storage(self) -> S {
        self.storage
    }
}

/// An id that the log before, in the same place, did not have: blocks of that may come up again where a crash left the new one torn.
fn next_id(before: u64, replica: ReplicaId) -> u64 {
    ReplicaId::derived(before.to_le_bytes().into_iter().chain(replica.get().to_le_bytes())).get()
}

/// How far the operations reach that a document has, waiting ones too.
fn version_held(doc: &Doc) -> VersionVector {
    let mut held = doc.version().clone();
    let waiting = doc.delta_since(doc.version());
    if let Ok(version) = delta_version(&waiting, &Limits::WIDEST) {
        held.merge(&version.end());
    }
    held
}

/// Whether a snapshot opens as what `doc` is: the same elements in the same order, the same history, the same values.
fn opens_as(snapshot: &[u8], doc: &Doc, limits: &Limits) -> bool {
    let Ok(opened) = Doc::from_snapshot_within(doc.replica(), snapshot, limits) else { return false };
    let everything = |doc: &Doc| {
        let delta = doc.delta_since(&doc.floor());
        // One way to cut it into runs.
        merge_deltas(&[&delta], &Limits::WIDEST)
    };
    opened.version() == doc.version()
        && opened.floor() == doc.floor()
        && opened.pending() == doc.pending()
        && opened.elements().eq(doc.elements())
        && opened.runs() == doc.runs()
        && everything(&opened) == everything(doc)
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordError {
    /// It is not as it was written, and has a sound one behind it.
    Damaged,
    /// It holds what cannot be read.
    Decode(DecodeError),
    /// It holds what the document refuses.
    Apply(ApplyError),
    /// It is of a kind that must be known and is not, or is no longer allowed where it stands.
    UnknownKind(u8),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged => f.write_str("it is damaged, and sound ones follow"),
            Self::Decode(error) => error.fmt(f),
            Self::Apply(error) => error.fmt(f),
            Self::UnknownKind(letter) => write!(f, "its kind {:?} is not known there", char::from(*letter)),
        }
    }
}

/// Why a log cannot be opened or written; `E` is what goes wrong in the storage.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogError<E> {
    /// The storage failed.
    Storage(E),
    /// The header cannot be read.
    Header(DecodeError),
    /// A record cannot be read.
    Record {
        /// Where it starts, in bytes.
        offset: u64,
        /// Why.
        error: RecordError,
    },
    /// What was to be appended cannot be: nothing was written.
    Delta(ApplyError),
    /// The document lacks operations that the log holds: compacting would lose them.
    Lacking,
    /// The compacted log does not open as the document; the old one was kept.
    Unverified,
    /// The storage failed before: what the log holds is known when it is opened again.
    Failed,
}

impl<E: fmt::Display> fmt::Display for LogError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Storage(error) => error.fmt(f),
            Self::Header(error) => write!(f, "the log cannot be read: {error}"),
            Self::Record { offset, error } => {
                write!(f, "the record at byte {offset} cannot be read: {error}")
            }
            Self::Delta(error) => write!(f, "nothing was appended: {error}"),
            Self::Lacking => f.write_str("the document lacks operations that the log holds"),
            Self::Unverified => {
                f.write_str("the compacted log does not open as the document; the old one was kept")
            }
            Self::Failed => f.write_str("the log failed before and has to be opened again"),
        }
    }
}

impl<E: Error + 'static> Error for LogError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Storage(error) => Some(error),
            Self::Header(error) => Some(error),
            Self::Delta(error) => Some(error),
            _ => None,
        }
    }
}
