//! Replicas by the order in which they came.

use crate::ids::ReplicaId;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// A list of different replicas. Finding one is O(log of them).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ReplicaTable {
    list: Vec<ReplicaId>,
    /// Kept once the list is too long to look through.
    places: BTreeMap<ReplicaId, u32>,
}

const LONG_TABLE: usize = 16;

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
            self.places.get(&replica).copied()
        }
    }

    /// Appends a replica that is not in the list. Its place is the length before.
    pub(super) fn add(&mut self, replica: ReplicaId) -> u32 {
        let place = u32::try_from(self.list.len()).expect("limits are below");
        self.list.push(replica);
        if self.list.len() == LONG_TABLE + 1 {
            self.places = self.list.iter().copied().zip(0..).collect();
        } else if self.list.len() > LONG_TABLE {
            self.places.insert(replica, place);
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
