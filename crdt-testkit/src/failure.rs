//! What went wrong in a check, and where.

use std::error::Error;
use std::fmt;

/// A check that did not hold.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure {
    message: String,
}

/// The outcome of a check.
pub type Checked<T = ()> = Result<T, Failure>;

impl Failure {
    /// Says what did not hold.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }

    /// Puts the place where it happened in front.
    #[must_use]
    pub fn at(self, place: impl fmt::Display) -> Self {
        Self { message: format!("{place}: {}", self.message) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {}

/// Fails unless both are equal, and shows both.
///
/// # Errors
/// When they are not.
pub fn same<T: PartialEq + fmt::Debug>(what: &str, found: &T, expected: &T) -> Checked {
    if found == expected {
        return Ok(());
    }
    Err(Failure::new(format!("{what}: found {found:?}, expected {expected:?}")))
}
