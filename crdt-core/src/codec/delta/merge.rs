//! Deltas as sets of operations: their union, and what a version lacks of them.

use super::joined::Joined;
use super::rich::decode_rich;
use crate::codec::carried::Carried;
use crate::error::{ApplyError, DecodeError};
use crate::ids::{OpId, VersionVector};
use crate::limits::Limits;
use crate::op::Run;
use crate::sorted::sort_by_key;
use alloc::vec::Vec;

/// Makes one delta of all that some deltas hold, without a document.
///
/// Whoever applies it has applied all of them. What several hold is in it once; what waits for missing operations waits
/// still. It does not matter in which order they come, whether some come twice, or whether some were merged before: the
/// same operations give the same bytes.
///
/// O(*n* log *d*) with *n* the bytes of all *d* deltas, and O(*r* log *r*) with *r* their runs.
///
/// # Errors
/// [`ApplyError::Decode`] if one is no delta (a named one is none here), or if one or the result exceeds `limits`;
/// [`ApplyError::ReplicaCollision`] if two hold the same operation with other content.
///
/// # Examples
/// ```
/// use crdt_core::codec::{Limits, merge_deltas};
/// use crdt_core::{Doc, ReplicaId};
///
/// // A day's keystrokes are stored one by one, and become one delta at night.
/// let mut alice = Doc::new(ReplicaId::new(1));
/// let mut stored = Vec::new();
/// for (position, letter) in ["n", "i", "g", "h", "t"].iter().enumerate() {
///     let mut transaction = alice.transaction();
///     transaction.insert(position, letter)?;
///     stored.push(transaction.commit());
/// }
/// let all: Vec<&[u8]> = stored.iter().map(Vec::as_slice).collect();
/// let night = merge_deltas(&all, &Limits::default())?;
/// assert_eq!((all.concat().len(), night.len()), (55, 15));
///
/// let mut bob = Doc::new(ReplicaId::new(2));
/// bob.apply(&night)?;
/// assert_eq!(bob.text(), "night");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn merge_deltas(deltas: &[&[u8]], limits: &Limits) -> Result<Vec<u8>, ApplyError> {
    // Neighbours are merged, then what came of that, as in a tournament: each operation goes through few rounds.
    let mut round = Vec::with_capacity(deltas.len());
    for delta in deltas {
        round.push(read(delta, limits)?);
    }
    while round.len() > 1 {
        let mut next = Vec::with_capacity(round.len().div_ceil(2));
        let mut left = round.into_iter();
        while let Some(one) = left.next() {
            next.push(match left.next() {
                Some(other) => union(&one, &other)?,
                None => one,
            });
        }
        round = next;
    }
    let all = round.pop().unwrap_or_default();
    all.check(limits)?;
    Ok(all.encode())
}

/// Cuts a delta down to what `version` lacks of it, without a document.
///
/// Applying the result to a document of that version comes to the same as applying all. Where nothing is lacking it is the
/// delta of no operations, three bytes. Operations before those of the delta that the version lacks too are nowhere to be
/// found here: what is left waits for them as it did. O(*r* log *r* + bytes) with *r* the runs.
///
/// # Errors
/// Whatever is wrong with the bytes, or exceeds `limits`.
///
/// # Examples
/// ```
/// use crdt_core::codec::{Limits, diff_delta};
/// use crdt_core::{Doc, ReplicaId, VersionVector};
///
/// let mut alice = Doc::new(ReplicaId::new(1));
/// alice.insert(0, "known, new")?;
/// let all = alice.delta_since(&VersionVector::new());
/// let seen = [(ReplicaId::new(1), 5)].into_iter().collect();
/// assert_eq!(diff_delta(&all, &seen, &Limits::default())?, alice.delta_since(&seen));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn diff_delta(delta: &[u8], version: &VersionVector, limits: &Limits) -> Result<Vec<u8>, DecodeError> {
    let (runs, mut carried) = decode_rich(delta, limits)?;
    carried.retain(|(id, _)| !version.contains(*id));
    Ok(Joined::of(runs, carried, |run| run.since(version.get(run.id.replica))).encode())
}

fn read(delta: &[u8], limits: &Limits) -> Result<Joined, DecodeError> {
    let (runs, carried) = decode_rich(delta, limits)?;
    Ok(Joined::of(runs, carried, Some))
}

/// O(runs and text of both).
fn union(one: &Joined, other: &Joined) -> Result<Joined, ApplyError> {
    let mut all = Joined::default();
    all.carried = values(one, other)?;
    let (mut left, mut right) = (one.iter(), other.iter());
    let (mut mine, mut theirs) = (left.next(), right.next());
    loop {
        match (mine, theirs) {
            (None, None) => return Ok(all),
            (Some(run), None) => {
                all.push(run);
                mine = left.next();
            }
            (None, Some(run)) => {
                all.push(run);
                theirs = right.next();
            }
            (Some(run), Some(rest)) if run.id < rest.id => {
                let (front, behind) = cut(run, rest.id);
                all.push(front);
                mine = behind.or_else(|| left.next());
            }
            (Some(rest), Some(run)) if run.id < rest.id => {
                let (front, behind) = cut(run, rest.id);
                all.push(front);
                theirs = behind.or_else(|| right.next());
            }
            (Some(one), Some(other)) => {
                let both = one.len.min(other.len);
                let same = one.same_as(&other);
                if same < both {
                    let id = OpId { seq: one.id.seq + same, ..one.id };
                    return Err(ApplyError::ReplicaCollision { id });
                }
                let end = OpId { seq: one.id.seq + both, ..one.id };
                let ((front, behind), (_, rest)) = (cut(one, end), cut(other, end));
                all.push(front);
                mine = behind.or_else(|| left.next());
                theirs = rest.or_else(|| right.next());
            }
        }
    }
}

/// The part of `run` in front of `id`, which is not its first operation, and the rest if there is any.
fn cut(run: Run<'_>, id: OpId) -> (Run<'_>, Option<Run<'_>>) {
    if run.id.replica != id.replica || run.end() <= id.seq {
        return (run, None);
    }
    let (front, rest) = run.split(id.seq - run.id.seq);
    (front, Some(rest))
}

/// The values of both. What both hold carries the same in both, or nothing in either. O(*v* log *n*) with *v* the values.
fn values(one: &Joined, other: &Joined) -> Result<Carried, ApplyError> {
    for (mine, theirs) in [(one, other), (other, one)] {
        for (id, value) in &mine.carried {
            if theirs.holds(*id) && theirs.value_of(*id) != Some(value) {
                return Err(ApplyError::ReplicaCollision { id: *id });
            }
        }
    }
    let mut all: Carried = one.carried.iter().chain(&other.carried).cloned().collect();
    sort_by_key(&mut all, |(id, _)| *id);
    all.dedup_by_key(|(id, _)| *id);
    Ok(all)
}
