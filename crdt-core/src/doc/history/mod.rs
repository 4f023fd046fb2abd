//! What was: the document at an earlier version, and how it became what it is.
//!
//! A version is a version vector: how many operations of each replica it holds. What showed then is found out by what the
//! document still has, every element and every deletion ([`then`]), in one pass in document order ([`walk`]). Nothing is
//! replayed from the start.

#[allow(
    dead_code,
    reason = "a snapshot in the order of time, and the replay of history, are about to use it"
)]
mod order;
mod reading;
mod then;
mod walk;

pub(super) use order::{Stint, order};

use super::Doc;
use crate::error::HistoryError;
use crate::ids::VersionVector;

impl Doc {
    /// Whether this document can show a version. Everything that takes one asks here. O(replicas).
    fn check_version(&self, version: &VersionVector) -> Result<(), HistoryError> {
        for (replica, asked) in version.iter() {
            let reached = self.version.get(replica);
            if asked > reached {
                return Err(HistoryError::NotReached { replica, asked, reached });
            }
        }
        Ok(())
    }
}
