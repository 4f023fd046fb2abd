//! Who was behind a replica and when: a side table beside a document, kept by whoever knows, such as a relay.
//!
//! A document knows replicas, numbers that are drawn anew with every opened tab. Which user sat there, and what the clock
//! said, it does not know, and cannot: its operations would have to be believed. The table holds both for ranges of operations.
//!
//! ```text
//! authors = "CRDTA"  version (1 byte: 1)  users  replicas  block *  checksum
//! users   = count  (length in bytes  UTF-8) × count
//! replicas = count  replica × count                    (8 bytes each, least significant first; they ascend)
//! block   = count  row × count                         one for each replica, in their order
//! row     = gap  length  user  time
//! checksum = CRC-32C of all bytes before it            (4 bytes, least significant first)
//! ```
//!
//! Everything that is not said otherwise is a varint. Rows of a replica ascend: `gap` is the first number less the end of the
//! row before, or 0; `length` is how many operations, not 0. `user` is the index of a user; users stand in the order in which
//! rows name them first, each once, and none that no row names. `time` is the time less that of the row before in the block,
//! or 0, as a signed number: 2 × *n*, or -2 × *n* - 1 if it is negative. No block is empty. A row differs from the one before
//! it in user or time, unless there is a gap between. So equal tables have equal bytes, and all others are refused.

use crate::bytes::{Reader, crc32c, write_bytes, write_u32_le, write_u64_le, write_varint};
use crate::error::{DecodeError, EditError};
use crate::ids::{OpId, ReplicaId, Seq};
use crate::limits::{Limits, MAX_NAME_BYTES};
use crate::sorted::SortedMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

const MAGIC: &[u8; 5] = b"CRDTA";
const VERSION: u8 = 1;

/// The latest time, in milliseconds: what a JavaScript number holds exactly.
const MAX_TIME_MS: u64 = 1 << 53;

/// Users and times of ranges of operations.
///
/// # Examples
/// ```
/// use crdt_core::codec::Limits;
/// use crdt_core::{Authors, OpId, ReplicaId};
///
/// let tab = ReplicaId::new(0x5eed);
/// let mut authors = Authors::new();
/// authors.record(tab, 0..12, "alice", 1_700_000_000_000)?;
/// assert_eq!(authors.of(OpId::new(tab, 7)), Some(("alice", 1_700_000_000_000)));
/// assert_eq!(authors.of(OpId::new(tab, 12)), None);
/// assert_eq!(Authors::decode(&authors.encode(), &Limits::DEFAULT)?, authors);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Authors {
    users: Vec<Arc<str>>,
    by_name: SortedMap<Arc<str>, u32>,
    /// None empty.
    rows: SortedMap<ReplicaId, Vec<Row>>,
}

/// Ascending, apart from each other; neighbours that touch differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    from: Seq,
    to: Seq,
    user: u32,
    time: u64,
}

impl Row {
    fn goes_on(self, next: Self) -> bool {
        (self.to, self.user, self.time) == (next.from, next.user, next.time)
    }
}

impl Authors {
    /// An empty table.
    pub const fn new() -> Self {
        Self { users: Vec::new(), by_name: SortedMap::new(), rows: SortedMap::new() }
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many ranges it holds that differ in user or time.
    pub fn len(&self) -> usize {
        self.rows.values().map(Vec::len).sum()
    }

    /// Records that a user was behind these operations of a replica, at a time in milliseconds since 1970 in UTC.
    ///
    /// What was recorded of some of them before stays as it was: nobody changes the past. Times beyond 2^53 count as that.
    /// Who wants fewer rows rounds times. O(log of the replicas and users) where it goes on behind what was recorded of the
    /// replica, else O(its rows).
    ///
    /// # Errors
    /// [`EditError::NameTooLong`] for a user of more than 1,024 bytes; nothing has changed then.
    pub fn record(
        &mut self,
        replica: ReplicaId,
        seqs: Range<Seq>,
        user: &str,
        time_ms: u64,
    ) -> Result<(), EditError> {
        if user.len() > MAX_NAME_BYTES {
            return Err(EditError::NameTooLong { len_utf8: user.len() });
        }
        if seqs.is_empty() {
            return Ok(());
        }
        let Self { users, by_name, rows } = self;
        let user = match by_name.get(user) {
            Some(&index) => index,
            None => {
                let index = u32::try_from(users.len()).map_err(|_| EditError::Full)?;
                let name: Arc<str> = user.into();
                users.push(name.clone());
                by_name.insert(name, index);
                index
            }
        };
        let time = time_ms.min(MAX_TIME_MS);
        let rows = rows.or_insert_with(replica, Vec::new);
        let mut at = rows.partition_point(|row| row.to <= seqs.start);
        let mut next = seqs.start;
        // Fills what is free, from left to right.
        while next < seqs.end {
            let free = rows.get(at).map_or(seqs.end, |row| row.from.min(seqs.end));
            if next < free {
                let new = Row { from: next, to: free, user, time };
                at = put(rows, at, new);
            }
            next = rows.get(at).map_or(seqs.end, |row| row.to);
            at += 1;
        }
        Ok(())
    }

    /// Takes up what another table holds of operations of which nothing was recorded here. O((its rows) · log), where replicas
    /// are apart or later.
    pub fn merge(&mut self, other: &Self) {
        for (replica, seqs, user, time_ms) in other.iter() {
            let done = self.record(replica, seqs, user, time_ms);
            debug_assert!(done.is_ok(), "the names of another table were checked");
        }
    }

    /// Who was behind an operation and when, in milliseconds since 1970 in UTC, if that was recorded. O(log of the rows).
    pub fn of(&self, id: OpId) -> Option<(&str, u64)> {
        let row = self.row(id)?;
        Some((&self.users[row.user as usize], row.time))
    }

    /// The time of an operation, and up to which number of its replica that is recorded of all, or of none.
    pub(crate) fn time_from(&self, id: OpId) -> (Option<u64>, Seq) {
        let Some(rows) = self.rows.get(&id.replica) else { return (None, Seq::MAX) };
        match rows.get(rows.partition_point(|row| row.to <= id.seq)) {
            Some(row) if row.from <= id.seq => (Some(row.time), row.to),
            Some(row) => (None, row.from),
            None => (None, Seq::MAX),
        }
    }

    fn row(&self, id: OpId) -> Option<&Row> {
        let rows = self.rows.get(&id.replica)?;
        let row = rows.get(rows.partition_point(|row| row.to <= id.seq))?;
        (row.from <= id.seq).then_some(row)
    }

    /// Everything that was recorded: replica, operations, user and time in milliseconds since 1970 in UTC, in ascending order
    /// of replica and number.
    pub fn iter(&self) -> impl Iterator<Item = (ReplicaId, Range<Seq>, &str, u64)> {
        self.rows.iter().flat_map(move |(&replica, rows)| {
            rows.iter().map(move |row| (replica, row.from..row.to, &*self.users[row.user as usize], row.time))
        })
    }

    /// The table as bytes: see the format in `docs/format.md`. Equal tables have equal bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut places: Vec<Option<u64>> = self.users.iter().map(|_| None).collect();
        let mut users = Vec::new();
        let mut blocks = Vec::new();
        for rows in self.rows.values() {
            write_varint(&mut blocks, rows.len() as u64);
            let (mut end, mut last) = (0, 0);
            for &Row { from, to, user, time } in rows {
                let place = *places[user as usize].get_or_insert_with(|| {
                    users.push(user);
                    users.len() as u64 - 1
                });
                write_varint(&mut blocks, u64::from(from - end));
                write_varint(&mut blocks, u64::from(to - from));
                write_varint(&mut blocks, place);
                let forward = time >= last;
                let by = time.abs_diff(last);
                write_varint(&mut blocks, if forward { 2 * by } else { 2 * by - 1 });
                (end, last) = (to, time);
            }
        }
        let mut out = Vec::with_capacity(blocks.len() + 64);
        out.extend_from_slice(MAGIC);
        out.push(VERSION);
        write_varint(&mut out, users.len() as u64);
        for user in users {
            write_bytes(&mut out, self.users[user as usize].as_bytes());
        }
        write_varint(&mut out, self.rows.len() as u64);
        for replica in self.rows.keys() {
            write_u64_le(&mut out, replica.get());
        }
        out.append(&mut blocks);
        let checksum = crc32c(&out);
        write_u32_le(&mut out, checksum);
        out
    }

    /// Reads what [`Authors::encode`] wrote. O(bytes · log of the users).
    ///
    /// # Errors
    /// Whatever is wrong with the bytes.
    pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        const INVALID: DecodeError = DecodeError::InvalidValue("row of authors");
        limits.check_input(bytes)?;
        let Some((inner, &checksum)) = bytes.split_last_chunk::<4>() else {
            return Err(DecodeError::Truncated);
        };
        let mut reader = Reader::new(inner);
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(DecodeError::WrongFormat);
        }
        match reader.u8()? {
            VERSION => {}
            other => return Err(DecodeError::UnsupportedVersion(other)),
        }
        if crc32c(inner) != u32::from_le_bytes(checksum) {
            return Err(DecodeError::ChecksumMismatch);
        }
        let mut authors = Self::new();
        for index in 0..u32::try_from(reader.count(1)?).map_err(|_| DecodeError::InvalidNumber)? {
            let name = reader.str()?;
            if name.len() > limits.max_name_bytes.min(MAX_NAME_BYTES) {
                return Err(DecodeError::LimitExceeded("bytes of a name"));
            }
            let name: Arc<str> = name.into();
            if authors.by_name.insert(name.clone(), index).is_some() {
                return Err(DecodeError::InvalidValue("user of authors"));
            }
            authors.users.push(name);
        }
        let count = reader.count(8)?;
        limits.check_replicas(count)?;
        let mut replicas: Vec<ReplicaId> = Vec::with_capacity(count);
        for _ in 0..count {
            let replica = ReplicaId::new(reader.u64_le()?);
            if replicas.last().is_some_and(|&last| last >= replica) {
                return Err(DecodeError::InvalidValue("replica of authors"));
            }
            replicas.push(replica);
        }
        let mut named = 0;
        for replica in replicas {
            let count = reader.count(4)?;
            let mut rows: Vec<Row> = Vec::with_capacity(count);
            for _ in 0..count {
                let (end, last) = rows.last().map_or((0, 0), |row| (row.to, row.time));
                let from = end.checked_add(reader.varint_u32()?).ok_or(INVALID)?;
                let to = from.checked_add(reader.varint_u32()?).filter(|&to| to > from).ok_or(INVALID)?;
                let user = reader.varint_u32()?;
                if user > named || user as usize >= authors.users.len() {
                    return Err(INVALID);
                }
                named = named.max(user + 1);
                let by = reader.varint()?;
                let distance = by / 2 + by % 2;
                let time = if by % 2 == 0 { last.checked_add(distance) } else { last.checked_sub(distance) };
                let time = time.filter(|&time| time <= MAX_TIME_MS).ok_or(INVALID)?;
                let row = Row { from, to, user, time };
                if rows.last().is_some_and(|last| last.goes_on(row)) {
                    return Err(INVALID);
                }
                rows.push(row);
            }
            if rows.is_empty() {
                return Err(INVALID);
            }
            authors.rows.insert(replica, rows);
        }
        if named as usize != authors.users.len() {
            return Err(DecodeError::InvalidValue("user of authors"));
        }
        reader.finish()?;
        Ok(authors)
    }
}

/// Puts in a row at its place, joined to its neighbours if it goes on from one. Gives the place of what stands behind it.
fn put(rows: &mut Vec<Row>, at: usize, new: Row) -> usize {
    let joins_left = at > 0 && rows[at - 1].goes_on(new);
    let joins_right = rows.get(at).is_some_and(|&right| new.goes_on(right));
    match (joins_left, joins_right) {
        (false, false) => rows.insert(at, new),
        (true, false) => {
            rows[at - 1].to = new.to;
            return at;
        }
        (false, true) => {
            rows[at].from = new.from;
            return at;
        }
        (true, true) => {
            rows[at - 1].to = rows[at].to;
            rows.remove(at);
            return at - 1;
        }
    }
    at + 1
}

impl PartialEq for Authors {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Authors {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use alloc::format;
    use alloc::vec;

    const LIMITS: Limits = Limits::DEFAULT;

    #[test]
    fn agrees_with_a_plain_list() {
        let mut dice = Dice(4);
        for _ in 0..300 {
            let mut authors = Authors::new();
            let mut plain = vec![vec![None; 40]; 3];
            for _ in 0..dice.below(30) {
                let (replica, user, time) = (dice.below(3), dice.below(3), dice.below(3) as u64);
                let from = dice.below(40);
                let to = from + dice.below(40 - from);
                let name = format!("user {user}");
                let seqs = Seq::try_from(from).unwrap()..Seq::try_from(to).unwrap();
                authors.record(ReplicaId::new(replica as u64), seqs, &name, time).unwrap();
                for cell in &mut plain[replica][from..to] {
                    cell.get_or_insert((name.clone(), time));
                }
            }
            for (replica, cells) in (0..).map(ReplicaId::new).zip(&plain) {
                for (seq, cell) in (0..).zip(cells) {
                    let id = OpId::new(replica, seq);
                    assert_eq!(authors.of(id), cell.as_ref().map(|(name, time)| (&**name, *time)));
                    let (time, until) = authors.time_from(id);
                    assert!(until > seq);
                    let alike = cells.iter().take(until as usize).skip(seq as usize);
                    assert!(alike.into_iter().all(|cell| cell.as_ref().map(|(_, time)| *time) == time));
                }
            }
            let rows: Vec<_> = authors.iter().collect();
            let touch = |pair: &[(ReplicaId, Range<Seq>, &str, u64)]| {
                (pair[0].0, pair[0].1.end, pair[0].2, pair[0].3)
                    == (pair[1].0, pair[1].1.start, pair[1].2, pair[1].3)
            };
            assert!(!rows.windows(2).any(touch), "neighbours are joined");
            assert_eq!(authors.len(), rows.len());
            let bytes = authors.encode();
            let again = Authors::decode(&bytes, &LIMITS).unwrap();
            assert_eq!(again, authors);
            assert_eq!(again.encode(), bytes);
            let mut merged = Authors::new();
            merged.merge(&again);
            assert_eq!(merged, authors);
        }
    }

    #[test]
    fn the_bytes_are_as_documented() {
        let mut authors = Authors::new();
        authors.record(ReplicaId::new(0x0102), 3..300, "bo", 1000).unwrap();
        authors.record(ReplicaId::new(0x0102), 300..301, "al", 998).unwrap();
        let mut expected = b"CRDTA\x01\x02\x02bo\x02al\x01\x02\x01\0\0\0\0\0\0".to_vec();
        expected.extend(b"\x02\x03\xa9\x02\0\xd0\x0f\0\x01\x01\x03");
        let checksum = crc32c(&expected);
        write_u32_le(&mut expected, checksum);
        assert_eq!(authors.encode(), expected);
    }

    #[test]
    fn whatever_is_changed_is_refused() {
        let mut authors = Authors::new();
        for (replica, seqs, user, time) in
            [(7, 0..5, "ann", 30), (7, 5..6, "ben", 20), (7, 9..20, "ben", 20), (9, 1..2, "ann", 5)]
        {
            authors.record(ReplicaId::new(replica), seqs, user, time).unwrap();
        }
        let bytes = authors.encode();
        for len in 0..bytes.len() {
            assert!(Authors::decode(&bytes[..len], &LIMITS).is_err());
        }
        // With the checksum repaired: what is read is written the same way.
        let (mut good, mut bad) = (0, 0);
        for at in 0..bytes.len() - 4 {
            for flip in 1..=255 {
                let mut other = bytes[..bytes.len() - 4].to_vec();
                other[at] ^= flip;
                let checksum = crc32c(&other);
                write_u32_le(&mut other, checksum);
                match Authors::decode(&other, &LIMITS) {
                    Ok(read) => {
                        assert_eq!(read.encode(), other);
                        good += 1;
                    }
                    Err(_) => bad += 1,
                }
            }
        }
        assert!(good > 0 && bad > 0);
        let mut other = bytes.clone();
        other[20] ^= 1;
        assert_eq!(Authors::decode(&other, &LIMITS), Err(DecodeError::ChecksumMismatch));
        assert!(authors.record(ReplicaId::new(1), 0..1, &"x".repeat(1025), 0).is_err());
    }
}
