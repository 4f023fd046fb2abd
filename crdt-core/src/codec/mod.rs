//! Ways in and out: bytes from and to operations, version vectors, anchors and snapshots.
//!
//! Bytes do not know the document: decoding yields plain runs of operations, the `Doc` validates
//! and builds. Every decoder is all or nothing, allocates no more than the bytes left can justify,
//! and accepts one form of each number only.
//!
//! `docs/format.md` describes all formats byte by byte.

mod carried;
mod delta;
mod inspect;
mod snapshot;
mod values;

pub use crate::limits::Limits;
pub(crate) use carried::{Carried, write_carried};
pub use delta::{
    DeltaSummary, DeltaVersion, ReplicaNames, decode_delta, delta_version, diff_delta, encode_delta,
    merge_deltas, validate_delta,
};
pub(crate) use delta::{
    DeltaWriter, TRIMMED, check_carried, decode_rich, decode_runs, decode_runs_named, decode_single,
    decode_single_named, read_keystroke, take_rich, would_wait, write_keystroke, write_rich, write_single,
};
pub use inspect::{ChunkCoding, ChunkSize, SnapshotChunks, snapshot_chunks};
pub use snapshot::SnapshotProfile;
pub(crate) use snapshot::{
    Anchors, AnchorsWriter, Deletion, Deletions, DeletionsWriter, Derived, Items, ItemsWriter, PastParts,
    PastWriter, SnapshotParts, SnapshotWriter, Textless, Timed, TimedEdit, TimedKind, TimedWriter, Unknown,
    decode_snapshot, derived,
};
