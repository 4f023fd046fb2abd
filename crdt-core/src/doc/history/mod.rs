//! What was: the document at an earlier version, and how it became what it is.
//!
//! A version is a version vector: how many operations of each replica it holds. What showed then is found out by what the
//! document still has, every element and every deletion ([`then`]), in one pass in document order ([`walk`]). Nothing is
//! replayed from the start.
//!
//! How it became what it is has no one order where several wrote at once: [`order`] finds one, [`retelling`] integrates
//! everything once more in it and keeps where each operation was felt, and [`History`] goes along that.

mod attribution;
mod base;
mod order;
mod reading;
mod restore;
mod retelling;
mod steps;
mod then;
mod versions;
mod walk;

pub use attribution::{Attribution, DeletedText};
pub(super) use order::{Stint, order};
pub use steps::{History, HistoryStep};
pub(super) use then::join;
pub(super) use versions::{is_reserved, names_version};

use super::Doc;
use crate::error::HistoryError;
use crate::ids::VersionVector;

impl Doc {
    /// Whether this document can show a version. Everything that takes one asks here. O(replicas).
    fn check_version(&self, version: &VersionVector) -> Result<(), HistoryError> {
        self.check_reached(version)?;
        if self.can_tell_since(version) { Ok(()) } else { Err(HistoryError::Trimmed) }
    }
}
