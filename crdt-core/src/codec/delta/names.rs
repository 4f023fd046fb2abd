//! Names for replicas that two ends of a connection agree on.

use super::replicas::ReplicaTable;
use crate::bytes::Reader;
use crate::error::DecodeError;
use crate::ids::{OpId, ReplicaId, Seq};
use crate::limits::MAX_NAMES;
use alloc::vec::Vec;

/// What one end of a connection has said or heard of replicas, so that the next delta need not say it again.
///
/// A delta names every replica by its eight bytes. Where deltas travel in order and none is lost, both
/// ends can remember what went before: a replica is spelled out where it first occurs and has a number from
/// then on, and a delta that goes on where the last one of its replica ended does not say so. A character
/// that is typed on takes two bytes then.
///
/// Keep two for each connection and end: one for what is sent
/// ([`Doc::delta_of_named`](crate::Doc::delta_of_named)), one for what arrives
/// ([`Doc::apply_named`](crate::Doc::apply_named)). Every delta that was written with names must be read, once and
/// in order, at the other end; begin with new ones when a connection does. A delta that cannot be decoded changes no
/// names. Deltas without names can be read in between, and change none either. What is read with other names than it
/// was written with is refused or, undetected, means other operations: names replace no checks of who may
/// say what.
///
/// Two ends that keep the same names compare equal. At most 16,384 replicas get names, some 40 bytes each; deltas of the ones after that spell them out.
///
/// # Examples
/// ```
/// use crdt_core::codec::ReplicaNames;
/// use crdt_core::{Doc, ReplicaId};
///
/// let mut alice = Doc::new(ReplicaId::new(1));
/// let mut bob = Doc::new(ReplicaId::new(2));
/// let (mut sent, mut received) = (ReplicaNames::new(), ReplicaNames::new());
/// let mut lengths = Vec::new();
/// for (position, letter) in ["H", "i", "!"].iter().enumerate() {
///     alice.insert(position, letter)?;
///     let (from, to) = (position as u32, position as u32 + 1);
///     let mut delta = Vec::new();
///     alice.delta_of_named(alice.replica(), from..to, &mut sent, &mut delta);
///     bob.apply_named(&delta, &mut received)?;
///     lengths.push(delta.len());
/// }
/// assert_eq!(bob.text(), "Hi!");
/// assert_eq!(lengths, [11, 2, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplicaNames {
    replicas: ReplicaTable,
    /// For each, where the last named delta of it ended.
    next: Vec<Seq>,
    last: Option<Last>,
}

/// The last named delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Last {
    place: u32,
    /// The operation behind its last.
    next: OpId,
}

impl ReplicaNames {
    /// Names nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many replicas have names.
    pub fn len(&self) -> usize {
        self.replicas.len()
    }

    /// Whether no replica has a name.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the last named delta goes on.
    #[inline]
    pub(super) fn going_on(&self) -> Option<(u32, OpId)> {
        self.last.map(|last| (last.place, last.next))
    }

    /// Where the last named delta of a replica ended.
    #[inline]
    pub(super) fn next_of(&self, place: u32) -> Seq {
        self.next[place as usize]
    }

    pub(super) fn has_room(&self, count: usize) -> bool {
        MAX_NAMES - self.len() >= count
    }

    #[inline]
    pub(super) fn find(&self, replica: ReplicaId) -> Option<u32> {
        self.replicas.find(replica)
    }

    /// Names replicas that have no name yet, for which there is room.
    #[inline]
    pub(super) fn define(&mut self, new: &[ReplicaId]) {
        for &replica in new {
            self.define_one(replica);
        }
    }

    fn define_one(&mut self, replica: ReplicaId) -> u32 {
        self.next.push(0);
        self.replicas.add(replica)
    }

    /// The place of a replica, which has a name from now on and for which there is room; and its name before:
    /// 1 + the place, or 0 for none.
    #[inline]
    pub(super) fn place(&mut self, replica: ReplicaId) -> (u32, u32) {
        match self.find(replica) {
            Some(place) => (place, place + 1),
            None => (self.define_one(replica), 0),
        }
    }

    /// Keeps that a delta of a replica ended here.
    #[inline]
    pub(super) fn said(&mut self, place: u32, next: OpId) {
        self.next[place as usize] = next.seq;
        self.last = Some(Last { place, next });
    }
}

/// Names as they will be if what is being read is sound.
pub(super) struct Draft<'n> {
    names: &'n ReplicaNames,
    new: Vec<ReplicaId>,
}

impl<'n> Draft<'n> {
    #[inline]
    pub(super) fn new(names: &'n ReplicaNames) -> Self {
        Self { names, new: Vec::new() }
    }

    /// The replicas that get names, in order.
    #[inline]
    pub(super) fn into_new(self) -> Vec<ReplicaId> {
        self.new
    }

    /// Where the last named delta of the replica at `place` ended.
    pub(super) fn next_of(&self, place: u32) -> Seq {
        self.names.next.get(place as usize).copied().unwrap_or(0)
    }

    /// Whether the last named delta goes on with `id`.
    pub(super) fn going_on(&self, id: OpId) -> bool {
        self.names.going_on().is_some_and(|(_, next)| next == id)
    }

    /// Reads what follows `name`, if anything; tells the place that it stands for and whose it is.
    #[inline]
    pub(super) fn read(
        &mut self,
        name: u64,
        reader: &mut Reader<'_>,
    ) -> Result<(u32, ReplicaId), DecodeError> {
        let known = u32::try_from(name.wrapping_sub(1))
            .ok()
            .and_then(|place| Some((place, *self.names.replicas.list().get(place as usize)?)));
        match known {
            Some(known) => Ok(known),
            None => self.read_new(name, reader),
        }
    }

    #[cold]
    fn read_new(&mut self, name: u64, reader: &mut Reader<'_>) -> Result<(u32, ReplicaId), DecodeError> {
        const INVALID: DecodeError = DecodeError::InvalidValue("name of a replica");
        let place = usize::try_from(name.wrapping_sub(1)).unwrap_or(usize::MAX);
        let end = self.names.len() + self.new.len();
        if place == usize::MAX {
            let replica = ReplicaId::new(reader.u64_le()?);
            // A table checks by itself that it names none twice; one run has two replicas at most.
            if self.names.find(replica).is_some() || self.new.last() == Some(&replica) {
                return Err(INVALID);
            }
            if end == MAX_NAMES {
                return Err(DecodeError::LimitExceeded("names of replicas"));
            }
            self.new.push(replica);
            return Ok((u32::try_from(end).map_err(|_| INVALID)?, replica));
        }
        let replica = place.checked_sub(self.names.len()).and_then(|new| self.new.get(new));
        Ok((u32::try_from(place).map_err(|_| INVALID)?, *replica.ok_or(INVALID)?))
    }
}
