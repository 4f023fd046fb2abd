//! Histories made to make siblings meet: many writers at one place.

use crdt_core::{Doc, ReplicaId, VersionVector};

/// How each of many writers puts its characters between the two that all start with.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// One behind the other.
    OneRun,
    /// With a jump after every two or three.
    FortyRuns,
    /// Each in front of the one before.
    Backwards,
}

impl Shape {
    /// Where the writer's character goes that stands behind this many of its own in time.
    pub fn position(self, typed: usize) -> usize {
        match (self, typed % 5) {
            (Self::Backwards, _) | (Self::FortyRuns, 4) => 1,
            (Self::FortyRuns, 2) => 1 + typed / 2,
            (Self::OneRun | Self::FortyRuns, _) => 1 + typed,
        }
    }
}

/// What all writers start with.
pub const START: &str = "xy";

/// The delta of what all writers start with.
///
/// # Panics
/// Never: an empty document takes text.
pub fn common() -> Vec<u8> {
    let mut doc = Doc::new(ReplicaId::new(u64::MAX / 2));
    doc.insert(0, START).expect("the start exists");
    doc.delta_since(&VersionVector::new())
}

/// A writer that has written so many characters.
///
/// # Panics
/// If `common` is no delta that [`common`] gave.
pub fn writer(replica: u64, common: &[u8], shape: Shape, characters: usize) -> Doc {
    let mut doc = Doc::new(ReplicaId::new(replica));
    doc.apply(common).expect("the delta of a document applies");
    for typed in 0..characters {
        doc.insert(shape.position(typed), "q").expect("the position is in what was typed");
    }
    doc
}

/// A replica's id, spread over all, so that neighbours in time are not neighbours in order.
pub fn replica(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1
}
