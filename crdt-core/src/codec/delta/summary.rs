//! What a delta holds, in numbers.

use super::joined::Joined;
use super::rich::decode_rich;
use crate::error::DecodeError;
use crate::ids::{OpId, ReplicaId, Seq, VersionVector};
use crate::limits::Limits;
use alloc::vec::Vec;
use core::ops::Range;

/// Which operations a delta holds.
///
/// A delta need not start where a replica did, and may have holes: it is not a version, it leads from one to another.
///
/// # Examples
/// ```
/// use crdt_core::codec::{Limits, delta_version};
/// use crdt_core::{Doc, ReplicaId};
///
/// let mut alice = Doc::new(ReplicaId::new(1));
/// alice.insert(0, "seen and")?;
/// let seen = alice.version().clone();
/// alice.insert(8, " unseen")?;
///
/// let version = delta_version(&alice.delta_since(&seen), &Limits::default())?;
/// assert_eq!(version.ranges(), [(ReplicaId::new(1), 8..15)]);
/// assert_eq!(version.start(), seen);
/// assert_eq!(version.end(), *alice.version());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeltaVersion {
    /// By replica and number; those of one replica neither touch nor overlap, and none is empty.
    ranges: Vec<(ReplicaId, Range<Seq>)>,
}

impl DeltaVersion {
    /// The numbers of the operations, in ascending order of replica and number. Ranges of one replica neither touch nor
    /// overlap, and none is empty: two ranges of one replica have a hole between them.
    pub fn ranges(&self) -> &[(ReplicaId, Range<Seq>)] {
        &self.ranges
    }

    /// Whether it holds the operation `id`. O(log of the ranges).
    pub fn contains(&self, id: OpId) -> bool {
        let behind =
            self.ranges.partition_point(|(replica, range)| (*replica, range.start) <= (id.replica, id.seq));
        let found = behind.checked_sub(1).map(|before| &self.ranges[before]);
        found.is_some_and(|(replica, range)| *replica == id.replica && range.contains(&id.seq))
    }

    /// Where it starts: of each replica that it holds something of, how many operations go before that. Others are not
    /// named, nor is what its operations refer to.
    pub fn start(&self) -> VersionVector {
        // The first range of each replica comes last, and holds.
        self.ranges.iter().rev().map(|(replica, range)| (*replica, range.start)).collect()
    }

    /// Where it ends: what somebody has seen of these replicas who had everything that goes before its operations, holes
    /// included, and applied it.
    pub fn end(&self) -> VersionVector {
        self.ranges.iter().map(|(replica, range)| (*replica, range.end)).collect()
    }

    /// Whether somebody at `version` lacks any of it. O(ranges).
    pub fn brings_news_to(&self, version: &VersionVector) -> bool {
        self.ranges.iter().any(|(replica, range)| version.get(*replica) < range.end)
    }

    /// Whether no operation of it waits, in a document of `version`, for one before it of its own replica. O(ranges).
    ///
    /// It may still wait for operations of others that it refers to.
    pub fn follows(&self, version: &VersionVector) -> bool {
        let mut end: Option<(ReplicaId, Seq)> = None;
        self.ranges.iter().all(|(replica, range)| {
            let before = end.filter(|(other, _)| other == replica).map_or(0, |(_, end)| end);
            end = Some((*replica, range.end));
            range.start <= version.get(*replica).max(before)
        })
    }
}

/// Tells which operations a delta holds, without a document. O(*r* log *r* + bytes) with *r* the runs.
///
/// # Errors
/// Whatever is wrong with the bytes, or exceeds `limits`. A named delta has no meaning without its connection:
/// [`DecodeError::WrongFormat`].
pub fn delta_version(delta: &[u8], limits: &Limits) -> Result<DeltaVersion, DecodeError> {
    let (runs, _) = decode_rich(delta, limits)?;
    Ok(DeltaVersion { ranges: Joined::of(runs, Vec::new(), Some).ranges() })
}

/// How much a delta holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeltaSummary {
    /// Operations: elements inserted and deleted.
    pub operations: u64,
    /// Runs of them, as they are written.
    pub runs: usize,
    /// Replicas that issued them.
    pub replicas: usize,
    /// Bytes of text, in UTF-8: three for an element with a value.
    pub text_bytes: usize,
    /// Elements with values.
    pub values: usize,
}

/// Checks all that can be checked of a delta without a document, and tells how much it holds. O(bytes).
///
/// Everything about its form is checked: what passes fails in no document for its bytes. Whether it fits the others of a document
/// (that it names elements, that no id has two contents) is checked where it is applied.
///
/// # Errors
/// Whatever is wrong with the bytes, or exceeds `limits`.
///
/// # Examples
/// ```
/// use crdt_core::codec::{Limits, validate_delta};
/// use crdt_core::{DecodeError, Doc, ReplicaId, VersionVector};
///
/// let mut alice = Doc::new(ReplicaId::new(1));
/// alice.insert(0, "fünf")?;
/// let delta = alice.delta_since(&VersionVector::new());
/// let summary = validate_delta(&delta, &Limits::default())?;
/// assert_eq!((summary.operations, summary.text_bytes, summary.runs), (4, 5, 1));
/// assert_eq!(validate_delta(&delta[..delta.len() - 1], &Limits::default()), Err(DecodeError::Truncated));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn validate_delta(delta: &[u8], limits: &Limits) -> Result<DeltaSummary, DecodeError> {
    let (runs, carried) = decode_rich(delta, limits)?;
    // Rows of one replica are together.
    let replicas = runs.rows.chunk_by(|one, other| one.replica == other.replica).count();
    Ok(DeltaSummary {
        operations: runs.rows.iter().map(|row| u64::from(row.len)).sum(),
        runs: runs.rows.len(),
        replicas,
        text_bytes: runs.rows.iter().map(|row| row.text.len()).sum(),
        values: carried.len(),
    })
}
