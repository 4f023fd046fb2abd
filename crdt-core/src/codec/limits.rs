//! Every limit on what comes from outside, in one place.

/// The most operations (elements, not runs) that a document keeps waiting for missing ones.
pub(crate) const MAX_PENDING_OPERATIONS: usize = 1 << 22;

/// The most runs of operations that a document keeps waiting: each takes some 150 bytes and its text.
pub(crate) const MAX_PENDING_RUNS: usize = 1 << 18;

/// The most replicas one delta may name.
pub(crate) const MAX_DELTA_REPLICAS: usize = 1 << 20;

/// The most replicas that get names on one connection: each takes some 40 bytes.
pub(crate) const MAX_NAMES: usize = 1 << 14;

/// The most bytes of a mark's or register's name.
pub(crate) const MAX_NAME_BYTES: usize = 1 << 10;

/// The largest stamp: whoever says so much has to lie, and all that comes later is equally late.
pub(crate) const MAX_STAMP: u64 = 1 << 53;
