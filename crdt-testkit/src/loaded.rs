//! Documents saved and opened again, in every profile.

use crate::failure::{Checked, Failure};
use crdt_core::codec::SnapshotProfile;
use crdt_core::{Doc, ReplicaId};

/// The ways to write a snapshot.
pub const PROFILES: [SnapshotProfile; 2] = [SnapshotProfile::Fast, SnapshotProfile::Compact];

/// What `doc` is once saved and opened again by `replica`, in each profile.
///
/// # Errors
/// When a snapshot is refused.
pub fn loaded(doc: &Doc, replica: ReplicaId) -> Checked<[Doc; 2]> {
    let open = |profile| {
        Doc::from_snapshot(replica, &doc.encode_snapshot_as(profile)).map_err(|error| {
            Failure::new(format!("own snapshot refused: {error}")).at(format!("{profile:?}"))
        })
    };
    let [fast, compact] = PROFILES.map(open);
    Ok([fast?, compact?])
}
