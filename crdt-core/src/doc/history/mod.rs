//! What was: the document at an earlier version, and how it became what it is.

#[allow(
    dead_code,
    reason = "a snapshot in the order of time, and the replay of history, are about to use it"
)]
pub(super) mod order;
