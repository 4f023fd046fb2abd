//! A log as bytes: a header, then records.

use crate::bytes::{Reader, crc32c, crc32c_on, write_u32_le, write_u64_le};
use crate::codec::Limits;
use crate::error::DecodeError;
use alloc::vec::Vec;

const MAGIC: &[u8; 5] = b"CRDTL";
const VERSION: u8 = 1;

/// Features without which a log cannot be read: one bit each. None yet.
const REQUIRED_FEATURES: u32 = 0;

/// Magic, version, features, id, checksum.
const HEADER_BYTES: usize = 5 + 1 + 4 + 4 + 8 + 4;

/// What stands in front of the payload: its length, the kind, and a check of both.
const HEAD_BYTES: usize = 4 + 1 + 2;
const CHECKSUM_BYTES: usize = 4;

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKind(u8);

impl RecordKind {
    /// A snapshot of the document: the first record, or none.
    pub const SNAPSHOT: Self = Self(b'S');
    /// A delta.
    pub const DELTA: Self = Self(b'D');

    /// A kind that readers may skip: a lower-case letter of ASCII. Who does not know it keeps it.
    pub fn optional(letter: u8) -> Option<Self> {
        letter.is_ascii_lowercase().then_some(Self(letter))
    }

    /// Its letter.
    pub fn letter(self) -> u8 {
        self.0
    }

    /// Whether a reader that does not know it may skip it.
    pub fn is_optional(self) -> bool {
        self.0.is_ascii_lowercase()
    }
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRecord<'a> {
    /// Where it starts in the log, in bytes.
    pub offset: u64,
    /// What it holds.
    pub kind: RecordKind,
    /// The bytes of that.
    pub payload: &'a [u8],
}

/// The end of a log that was being written when everything stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// Where it starts in the log, in bytes: as long is the part that is sound.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

/// Writes a log into memory, record by record.
///
/// # Examples
/// ```
/// use crdt_core::codec::Limits;
/// use crdt_core::log::{LogReader, LogWriter, RecordKind};
///
/// let mut log = Vec::new();
/// let mut writer = LogWriter::start(0x5eed, &mut log);
/// writer.append(RecordKind::DELTA, b"first", &mut log);
/// writer.append(RecordKind::DELTA, b"second", &mut log);
///
/// log.truncate(log.len() - 1);
/// let mut reader = LogReader::new(&log, &Limits::default())?;
/// let records: Result<Vec<_>, _> = reader.by_ref().collect();
/// assert_eq!(records.map(|records| records[0].payload), Ok(&b"first"[..]));
/// assert_eq!(reader.torn_tail().map(|torn| torn.bytes), Some(16));
/// # Ok::<(), crdt_core::DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogWriter {
    id: u64,
    len: u64,
}

impl LogWriter {
    /// Appends the header of a new log. `id` is to differ from that of every log that was in the same place before.
    pub fn start(id: u64, out: &mut Vec<u8>) -> Self {
        Self::start_with(id, 0, out)
    }

    /// As [`LogWriter::start`], with optional features: those of a log that is written anew stay.
    pub(super) fn start_with(id: u64, optional: u32, out: &mut Vec<u8>) -> Self {
        let from = out.len();
        out.extend_from_slice(MAGIC);
        out.push(VERSION);
        write_u32_le(out, REQUIRED_FEATURES);
        write_u32_le(out, optional);
        write_u64_le(out, id);
        let checksum = crc32c(&out[from..]);
        write_u32_le(out, checksum);
        Self { id, len: HEADER_BYTES as u64 }
    }

    /// Appends a record to `out`. O(bytes).
    ///
    /// # Panics
    /// If `payload` has 2^32 bytes or more.
    pub fn append(&mut self, kind: RecordKind, payload: &[u8], out: &mut Vec<u8>) {
        let len = u32::try_from(payload.len()).expect("a record holds less than 4 GiB");
        let from = out.len();
        write_u32_le(out, len);
        out.push(kind.0);
        let seed = seed(self.id, self.len);
        let check = head_check(seed, &out[from..]);
        out.extend_from_slice(&check);
        out.extend_from_slice(payload);
        let checksum = crc32c_on(seed, &out[from..]);
        write_u32_le(out, checksum);
        self.len += (HEAD_BYTES + CHECKSUM_BYTES + payload.len()) as u64;
    }

    /// How long the log is, in bytes.
    pub fn len_bytes(&self) -> u64 {
        self.len
    }

    /// The id of the log.
    pub fn id(&self) -> u64 {
        self.id
    }
}

/// What every checksum of a record at this offset starts with.
fn seed(id: u64, offset: u64) -> u32 {
    crc32c_on(crc32c(&id.to_le_bytes()), &offset.to_le_bytes())
}

fn head_check(seed: u32, head: &[u8]) -> [u8; 2] {
    let [low, high, ..] = crc32c_on(seed, head).to_le_bytes();
    [low, high]
}

/// Reads a log from memory, record by record.
///
/// It ends at the end, at a torn tail ([`LogReader::torn_tail`]), or with an error: the offset of a bad record that has a good one behind it.
/// O(bytes) altogether, whatever they are.
#[derive(Clone, Debug)]
pub struct LogReader<'a> {
    bytes: &'a [u8],
    at: usize,
    id: u64,
    optional: u32,
    max_record_bytes: usize,
    max_snapshot_bytes: usize,
    is_done: bool,
    torn: Option<TornTail>,
}

/// Why a log cannot be read on: at this offset stands what was a record once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadRecord {
    Damaged,
    /// Longer than the limits allow.
    TooLong,
}

impl<'a> LogReader<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// What is wrong with it. A log that ends within its header was never one: it is written whole, or not at all.
    pub fn new(bytes: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(DecodeError::WrongFormat);
        }
        let version = reader.u8()?;
        if version != VERSION {
            return Err(DecodeError::UnsupportedVersion(version));
        }
        let (required, optional, id) = (reader.u32_le()?, reader.u32_le()?, reader.u64_le()?);
        if reader.u32_le()? != crc32c(&bytes[..HEADER_BYTES - CHECKSUM_BYTES]) {
            return Err(DecodeError::ChecksumMismatch);
        }
        if required & !REQUIRED_FEATURES != 0 {
            return Err(DecodeError::UnsupportedFeatures(u64::from(required & !REQUIRED_FEATURES)));
        }
        Ok(Self {
            bytes,
            at: HEADER_BYTES,
            id,
            optional,
            max_record_bytes: limits.max_record_bytes,
            max_snapshot_bytes: limits.max_input_bytes,
            is_done: false,
            torn: None,
        })
    }

    /// The id of the log.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Bits of features that need not be known.
    pub(super) fn optional(&self) -> u32 {
        self.optional
    }

    /// What is cut off at the end, once everything in front of it was read.
    pub fn torn_tail(&self) -> Option<TornTail> {
        self.torn
    }

    /// Writes on where the sound part ends, once it was read.
    pub fn into_writer(self) -> LogWriter {
        LogWriter { id: self.id, len: self.at as u64 }
    }

    pub(super) fn read(&mut self) -> Option<Result<LogRecord<'a>, (u64, BadRecord)>> {
        if self.is_done || self.at == self.bytes.len() {
            return None;
        }
        let offset = self.at as u64;
        if let Some(record) = self.record_at(self.at) {
            let most = if record.kind == RecordKind::SNAPSHOT {
                self.max_snapshot_bytes
            } else {
                self.max_record_bytes
            };
            if record.payload.len() > most {
                self.is_done = true;
                return Some(Err((offset, BadRecord::TooLong)));
            }
            self.at += HEAD_BYTES + record.payload.len() + CHECKSUM_BYTES;
            return Some(Ok(record));
        }
        self.is_done = true;
        if self.is_record_behind() {
            return Some(Err((offset, BadRecord::Damaged)));
        }
        self.torn = Some(TornTail { offset, bytes: (self.bytes.len() - self.at) as u64 });
        None
    }

    /// The kind and the length of the payload of what may be a record, by its head.
    fn head_at(&self, at: usize) -> Option<(RecordKind, usize)> {
        let head = self.bytes.get(at..)?.get(..HEAD_BYTES)?;
        let kind = head[4];
        let len = u32::from_le_bytes(*head.first_chunk()?) as usize;
        let room = self.bytes.len() - at - HEAD_BYTES;
        if !kind.is_ascii_alphabetic() || len.checked_add(CHECKSUM_BYTES)? > room {
            return None;
        }
        let check = head_check(seed(self.id, at as u64), &head[..HEAD_BYTES - 2]);
        (check == head[HEAD_BYTES - 2..]).then_some((RecordKind(kind), len))
    }

    /// The sound record that starts here, if there is one.
    fn record_at(&self, at: usize) -> Option<LogRecord<'a>> {
        let (kind, len) = self.head_at(at)?;
        let end = at + HEAD_BYTES + len;
        let checksum = u32::from_le_bytes(*self.bytes[end..].first_chunk()?);
        let sound = crc32c_on(seed(self.id, at as u64), &self.bytes[at..end]) == checksum;
        sound.then(|| LogRecord { offset: at as u64, kind, payload: &self.bytes[at + HEAD_BYTES..end] })
    }

    /// Whether a sound record starts anywhere behind the bad one that is here.
    ///
    /// Of each byte it is looked at whether a head starts there, which takes no longer anywhere; two bytes of it are a
    /// check. What has a sound head is checked whole, as long as that comes to no more than a few times the
    /// bytes there are: who makes more heads than that wants it to take long, and gets an error.
    fn is_record_behind(&self) -> bool {
        let mut allowed = 4 * (self.bytes.len() - self.at);
        for at in self.at + 1..self.bytes.len() {
            let Some((_, len)) = self.head_at(at) else { continue };
            let Some(left) = allowed.checked_sub(HEAD_BYTES + len) else { return true };
            allowed = left;
            if self.record_at(at).is_some() {
                return true;
            }
        }
        false
    }
}

impl<'a> Iterator for LogReader<'a> {
    /// A record, or the offset of one that is damaged or too long.
    type Item = Result<LogRecord<'a>, u64>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().map(|record| record.map_err(|(offset, _)| offset))
    }
}
