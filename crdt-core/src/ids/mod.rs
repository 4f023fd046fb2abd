//! Names: of a replica, of an operation, and of everything a replica has seen.
//!
//! The lowest layer: it knows no document. A [`VersionVector`] is the one structure here, a sorted list;
//! its operations cost O(log *r*) with *r* the number of replicas in it.

mod replica_map;

pub(crate) use replica_map::{Place, ReplicaMap};

use alloc::vec;
use core::fmt;

/// The name of one copy of a document that issues operations: a random 64-bit number.
///
/// Draw a new one for every opened document instance, never reuse one after a crash, never derive
/// it from a user: two tabs of one user are two replicas. The random bits come from the caller,
/// because this crate has no source of randomness. 0 is taken: it stands for where named sequences begin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaId(u64);

impl ReplicaId {
    /// Wraps 64 random bits.
    pub const fn new(bits: u64) -> Self {
        Self(bits)
    }

    /// The name under which everybody issues the same operations for the same `bytes`; never 0. FNV-1a, mixed as
    /// MurmurHash3 ends.
    pub(crate) fn derived(bytes: impl IntoIterator<Item = u8>) -> Self {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let mut hash = bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, step);
        for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
            hash = (hash ^ (hash >> 33)).wrapping_mul(factor);
        }
        Self((hash ^ (hash >> 33)).max(1))
    }

    /// The 64 bits.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// An operation's number in its replica's own dense count, from 0.
///
/// Inserted and deleted elements all take numbers, so that one number per replica says everything
/// that was seen of it.
pub type Seq = u32;

/// The name of an operation, and of the element that it inserted.
///
/// Ordered as the pair of integers (replica, seq); that order decides between siblings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId {
    /// Who issued it.
    pub replica: ReplicaId,
    /// Its number there.
    pub seq: Seq,
}

impl OpId {
    /// Pairs a replica and a number.
    pub const fn new(replica: ReplicaId, seq: Seq) -> Self {
        Self { replica, seq }
    }
}

impl fmt::Display for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.replica, self.seq)
    }
}

impl fmt::Debug for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}:{}", self.replica, self.seq)
    }
}

/// How many operations of each replica were seen.
///
/// Equal vectors mean equal documents. A replica that is not named stands at 0; 0 is never stored,
/// so that equal vectors compare equal.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct VersionVector {
    seen: ReplicaMap,
}

impl VersionVector {
    /// The vector of a document that has seen nothing.
    pub const fn new() -> Self {
        Self { seen: ReplicaMap::new() }
    }

    /// How many operations of `replica` were seen: also the first seq that was not.
    #[inline]
    pub fn get(&self, replica: ReplicaId) -> Seq {
        self.seen.get(replica).unwrap_or(0)
    }

    /// Sets what was seen of `replica` to its first `count` operations.
    #[inline]
    pub fn set(&mut self, replica: ReplicaId, count: Seq) {
        if count == 0 {
            self.seen.remove(replica);
        } else {
            self.seen.set(replica, count);
        }
    }

    /// The count of `replica` to be raised, if it is the one that was set last.
    #[inline(always)]
    pub(crate) fn last_set(&mut self, replica: ReplicaId) -> Option<&mut Seq> {
        self.seen.last_written(replica)
    }

    /// As [`VersionVector::set`] with a `count` of at least 1, for a replica that probably stands at `guess`.
    #[inline]
    pub(crate) fn set_near(&mut self, guess: Place, replica: ReplicaId, count: Seq) {
        *self.seen.entry_near(guess, replica, count) = count;
    }

    /// Raises what was seen of `replica` to `count`, if it was less.
    pub fn raise(&mut self, replica: ReplicaId, count: Seq) {
        if count > 0 {
            let seen = self.seen.entry(replica, count);
            *seen = count.max(*seen);
        }
    }

    /// Whether the operation `id` was seen.
    pub fn contains(&self, id: OpId) -> bool {
        id.seq < self.get(id.replica)
    }

    /// Whether everything that `other` has seen was seen here too.
    pub fn covers(&self, other: &Self) -> bool {
        other.iter().all(|(replica, count)| self.get(replica) >= count)
    }

    /// Takes the larger count of each replica.
    pub fn merge(&mut self, other: &Self) {
        for (replica, count) in other.iter() {
            self.raise(replica, count);
        }
    }

    /// The number of replicas of which something was seen.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.seen.len() == 0
    }

    /// Replicas and counts, in ascending replica order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ReplicaId, Seq)> + '_ {
        self.seen.iter()
    }
}

impl fmt::Debug for VersionVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl FromIterator<(ReplicaId, Seq)> for VersionVector {
    fn from_iter<I: IntoIterator<Item = (ReplicaId, Seq)>>(pairs: I) -> Self {
        let mut vector = Self::new();
        for (replica, count) in pairs {
            vector.set(replica, count);
        }
        vector
    }
}

impl IntoIterator for VersionVector {
    type Item = (ReplicaId, Seq);
    type IntoIter = vec::IntoIter<(ReplicaId, Seq)>;

    fn into_iter(self) -> Self::IntoIter {
        self.seen.into_list().into_iter()
    }
}
