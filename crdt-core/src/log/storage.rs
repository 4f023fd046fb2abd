use alloc::vec::Vec;

/// Where a log is kept: two files of which one is *the log* and the other stands beside it while it is being written.
///
/// What is asked of it is what file systems give. After a crash (the power fails at any moment, in the middle of any call),
/// - what was synced is there;
/// - of what was appended since, there may be all, nothing, or any part, with anything between;
/// - [`Storage::swap`] has happened or has not.
///
/// `crdt_testkit::storage::Disk` is one that fails on cue; `crdt-testkit/tests/log.rs` tries every moment.
pub trait Storage {
    /// What can go wrong.
    type Error;

    /// The whole log; `None` if there is none yet.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&mut self) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Appends bytes to the log. They are not safe before [`Storage::sync`].
    ///
    /// # Errors
    /// When it cannot be written; any part may have been.
    fn append(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;

    /// Cuts the log to its first `len` bytes. That is not safe before [`Storage::sync`].
    ///
    /// # Errors
    /// When it cannot be cut.
    fn cut(&mut self, len: u64) -> Result<(), Self::Error>;

    /// Returns when everything in the log is safe.
    ///
    /// # Errors
    /// When it may not be.
    fn sync(&mut self) -> Result<(), Self::Error>;

    /// Writes the file beside the log, in place of any that is there, and returns when it is safe.
    ///
    /// # Errors
    /// When it cannot be written; any part of it may be there.
    fn write_beside(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;

    /// The file beside the log, as the storage would give it back tomorrow; `None` if there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read_beside(&mut self) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Makes the file beside the log the log, at once and for good; returns when that is safe.
    ///
    /// # Errors
    /// When it may not have happened.
    fn swap(&mut self) -> Result<(), Self::Error>;

    /// Removes the file beside the log, if there is one.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn remove_beside(&mut self) -> Result<(), Self::Error>;
}
