//! Replicas by the order in which they came.

use crate::ids::{ReplicaId, ReplicaMap};
use alloc::vec::Vec;
use core::fmt;

/// A list of different replicas. Finding one is O(log of them).
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct ReplicaTable {
    list: Vec<ReplicaId>,
    /// Kept once the list is too long to look through.
    places: ReplicaMap,
}

const LONG_TABLE: usize = 16;

impl fmt::Debug for ReplicaTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.list.fmt(f)
    }
}

impl ReplicaTable {
    pub(super) fn list(&self) -> &[ReplicaId] {
        &self.list
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    #[inline]
    pub(super) fn find(&self, replica: ReplicaId) -> Option<u32> {
        if self.list.len() <= LONG_TABLE {
            (0..).zip(&self.list).find(|&(_, &other)| other == replica).map(|(place, _)| place)
        } else {
            self.places.get(replica)
        }
    }

    /// Appends a replica that is not in the list. Its place is the length before.
    pub(super) fn add(&mut self, replica: ReplicaId) -> u32 {
        let place = u32::try_from(self.list.len()).expect("limits are below");
        self.list.push(replica);
        if self.list.len() == LONG_TABLE + 1 {
            for (&replica, place) in self.list.iter().zip(0..) {
                self.places.set(replica, place);
            }
        } else if self.list.len() > LONG_TABLE {
            self.places.set(replica, place);
        }
        place
    }

    pub(super) fn find_or_add(&mut self, replica: ReplicaId) -> u32 {
        match self.find(replica) {
            Some(place) => place,
            None => self.add(replica),
        }
    }
}
