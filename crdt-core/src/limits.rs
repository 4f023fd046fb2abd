//! Every maximum of the core, in one place: what may come from outside ([`Limits`], which an application can change)
//! and what the formats and structures themselves bear (constants).
//!
//! Limits of the sync protocol stand in `sync/limits.rs`.

use crate::error::DecodeError;

/// The most bytes of the name of a mark, a register or a sequence.
pub(crate) const MAX_NAME_BYTES: usize = 1 << 10;

/// The most bytes of one JSON value.
pub(crate) const MAX_JSON_BYTES: usize = 1 << 24;

/// The most arrays and objects that a JSON value stands in.
pub(crate) const MAX_JSON_DEPTH: usize = 128;

/// The largest stamp: whoever says so much has to lie, and all that comes later is equally late.
pub(crate) const MAX_STAMP: u64 = 1 << 53;

/// The most replicas that get names on one connection: each takes some 40 bytes. Both ends have to agree on it.
pub(crate) const MAX_NAMES: usize = 1 << 14;

/// The most replicas of one document: their index shares 32 bits with flags.
pub(crate) const MAX_REPLICAS: usize = (1 << 27) - 1;

/// The most bytes of text of one document, deleted text included.
pub(crate) const MAX_TEXT_BYTES: usize = u32::MAX as usize;

/// What is said where there are more values than [`Limits::max_values`].
pub(crate) const VALUES: &str = "values";

/// The most that bytes from outside may hold, whoever they come from.
///
/// What exceeds one of them is refused as [`DecodeError::LimitExceeded`](crate::DecodeError::LimitExceeded), or, where
/// it is about what waits, as [`ApplyError::PendingFull`](crate::ApplyError::PendingFull); nothing has changed then.
///
/// Reading never allocates more than the bytes that are there can justify, whatever numbers they declare: a run of
/// operations takes one byte at least and some 50 bytes decoded, a replica 8 and some 100, an element's value 2 and some
/// 150. So the factor between the bytes of an input and the memory for reading it is 75 at worst, and some 4 for what
/// people type. A delta of which more would wait than may is refused before its runs take any. The limits here bound it
/// absolutely.
///
/// The default is wide: it is meant to keep one input from taking a machine down, not to ration users. A server that
/// accepts strangers sets narrower ones with [`Doc::set_limits`](crate::Doc::set_limits).
///
/// # Examples
/// ```
/// use crdt_core::codec::{Limits, decode_delta};
/// use crdt_core::{DecodeError, Doc, ReplicaId, VersionVector};
///
/// let mut doc = Doc::new(ReplicaId::new(1));
/// doc.insert(0, "a whole book")?;
/// let delta = doc.delta_since(&VersionVector::new());
///
/// let mut limits = Limits::default();
/// limits.max_text_bytes = 5;
/// assert_eq!(decode_delta(&delta, &limits), Err(DecodeError::LimitExceeded("bytes of text")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one input: a delta, a snapshot, a version vector. 1 GiB.
    pub max_input_bytes: usize,
    /// Bytes that the compressed parts of one input become, all together. 1 GiB.
    pub max_decompressed_bytes: usize,
    /// Replicas that one delta, snapshot or version vector names. 2^20; a delta of one run may always name two.
    pub max_replicas: usize,
    /// Operations in one delta or snapshot: elements inserted and deleted, not runs of them. 2^32.
    pub max_operations: u64,
    /// Runs of operations in one delta. 2^24.
    pub max_runs: usize,
    /// Items in one snapshot: runs of elements as they stand. 2^26.
    pub max_items: usize,
    /// Bytes of text in one delta or snapshot, in UTF-8, deleted text included. 1 GiB.
    pub max_text_bytes: usize,
    /// Elements with values in one delta or snapshot. 2^22.
    pub max_values: usize,
    /// Bytes of one name, of a mark, a register or a sequence. 1,024, and never more.
    pub max_name_bytes: usize,
    /// Bytes of one JSON value. 16 MiB, and never more.
    pub max_json_bytes: usize,
    /// Arrays and objects that a JSON value stands in. 128, and never more.
    pub max_json_depth: usize,
    /// Operations that one document keeps waiting for missing ones. 2^22.
    pub max_pending_operations: usize,
    /// Runs of operations that one document keeps waiting: each takes some 150 bytes and its text. 2^16.
    pub max_pending_runs: usize,
    /// Bytes that one record of a log holds. 256 MiB.
    pub max_record_bytes: usize,
}

impl Limits {
    /// What [`Limits::default`] gives.
    pub const DEFAULT: Self = Self {
        max_input_bytes: 1 << 30,
        max_decompressed_bytes: 1 << 30,
        max_replicas: 1 << 20,
        max_operations: 1 << 32,
        max_runs: 1 << 24,
        max_items: 1 << 26,
        max_text_bytes: 1 << 30,
        max_values: 1 << 22,
        max_name_bytes: MAX_NAME_BYTES,
        max_json_bytes: MAX_JSON_BYTES,
        max_json_depth: MAX_JSON_DEPTH,
        max_pending_operations: 1 << 22,
        max_pending_runs: 1 << 16,
        max_record_bytes: 1 << 28,
    };

    /// What the formats themselves allow: for bytes that were written here and came from nowhere else.
    pub const WIDEST: Self = Self {
        max_input_bytes: usize::MAX,
        max_decompressed_bytes: usize::MAX,
        max_replicas: MAX_REPLICAS,
        max_operations: u64::MAX,
        max_runs: usize::MAX,
        max_items: usize::MAX,
        max_text_bytes: MAX_TEXT_BYTES,
        max_values: usize::MAX,
        max_name_bytes: MAX_NAME_BYTES,
        max_json_bytes: MAX_JSON_BYTES,
        max_json_depth: MAX_JSON_DEPTH,
        max_pending_operations: usize::MAX,
        max_pending_runs: usize::MAX,
        max_record_bytes: u32::MAX as usize,
    };
}

impl Limits {
    #[inline]
    pub(crate) fn check_input(&self, bytes: &[u8]) -> Result<(), DecodeError> {
        check("bytes of the input", bytes.len() <= self.max_input_bytes)
    }

    pub(crate) fn check_replicas(&self, count: usize) -> Result<(), DecodeError> {
        check("replicas", count <= self.max_replicas)
    }

    #[inline]
    pub(crate) fn check_text(&self, bytes: usize) -> Result<(), DecodeError> {
        check("bytes of text", bytes <= self.max_text_bytes)
    }

    #[inline]
    pub(crate) fn check_operations(&self, count: u64) -> Result<(), DecodeError> {
        check("operations", count <= self.max_operations)
    }

    pub(crate) fn check_runs(&self, count: usize) -> Result<(), DecodeError> {
        check("runs", count <= self.max_runs)
    }

    pub(crate) fn check_values(&self, count: usize) -> Result<(), DecodeError> {
        check(VALUES, count <= self.max_values)
    }
}

#[inline]
fn check(what: &'static str, is_within: bool) -> Result<(), DecodeError> {
    if is_within { Ok(()) } else { Err(DecodeError::LimitExceeded(what)) }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
