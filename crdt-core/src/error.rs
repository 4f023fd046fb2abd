//! Everything that can be refused, and why. Whatever is refused has changed nothing.

use crate::anchor::Anchor;
use crate::ids::{OpId, ReplicaId, Seq};
use core::error::Error;
use core::fmt;

/// Why a local edit or a read at a position was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EditError {
    /// The position or range ends outside the text.
    OutOfBounds {
        /// The position asked for, in the unit of the call.
        position: usize,
        /// The text's length in that unit.
        len: usize,
    },
    /// The range ends before it starts.
    InvertedRange {
        /// Where it starts.
        start: usize,
        /// Where it ends.
        end: usize,
    },
    /// The UTF-16 position falls between the two halves of a surrogate pair.
    InsideSurrogatePair {
        /// In UTF-16 code units.
        position_utf16: usize,
    },
    /// The replica or the document has no room for so many more operations or bytes.
    Full,
    /// A name is longer than 1,024 bytes.
    NameTooLong {
        /// Its length in bytes.
        len_utf8: usize,
    },
    /// The name of a register starts with `crdt:`, as names of versions do.
    ReservedName,
    /// There is no embed at the position.
    NoEmbed {
        /// The position asked for, in the unit of the call.
        position: usize,
    },
    /// The named sequence cannot be opened: somebody used a replica id that stands for it.
    Reserved {
        /// The replica.
        replica: ReplicaId,
    },
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfBounds { position, len } => {
                write!(f, "position {position} is outside the text, whose length is {len}")
            }
            Self::InvertedRange { start, end } => write!(f, "the range {start}..{end} is inverted"),
            Self::InsideSurrogatePair { position_utf16 } => {
                write!(f, "UTF-16 position {position_utf16} is inside a surrogate pair")
            }
            Self::Full => f.write_str("the document has no room for the edit"),
            Self::NameTooLong { len_utf8 } => write!(f, "a name of {len_utf8} bytes is too long"),
            Self::ReservedName => f.write_str("names of registers that start with `crdt:` are taken"),
            Self::NoEmbed { position } => write!(f, "there is no embed at position {position}"),
            Self::Reserved { replica } => {
                write!(f, "replica {replica}, which stands for a named sequence, was used for something else")
            }
        }
    }
}

impl Error for EditError {}

/// Why bytes from outside could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// They end in the middle of something.
    Truncated,
    /// They do not start as the format does.
    WrongFormat,
    /// They are of a version of the format that this library does not know.
    UnsupportedVersion(u8),
    /// Reading them takes features of the format that this library does not have; the bits say which.
    UnsupportedFeatures(u64),
    /// A number was not written in its shortest form, or does not fit its type.
    InvalidNumber,
    /// Text is not UTF-8.
    InvalidText,
    /// A value is outside what the format allows; the name says which.
    InvalidValue(&'static str),
    /// A limit was exceeded; the name says which.
    LimitExceeded(&'static str),
    /// The checksum does not match.
    ChecksumMismatch,
    /// Bytes follow the end.
    TrailingBytes,
    /// The delta says that what it was asked for was trimmed: reload the document from a snapshot.
    Trimmed,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the bytes end too early"),
            Self::WrongFormat => f.write_str("the bytes are of another format"),
            Self::UnsupportedVersion(version) => write!(f, "format version {version} is not known"),
            Self::UnsupportedFeatures(bits) => write!(f, "features {bits:#x} of the format are not known"),
            Self::InvalidNumber => f.write_str("a number is not minimal or too large"),
            Self::InvalidText => f.write_str("text is not UTF-8"),
            Self::InvalidValue(what) => write!(f, "invalid {what}"),
            Self::LimitExceeded(what) => write!(f, "{what} exceeds its limit"),
            Self::ChecksumMismatch => f.write_str("the checksum does not match"),
            Self::TrailingBytes => f.write_str("bytes follow the end"),
            Self::Trimmed => f.write_str("the history asked for was trimmed: reload the document"),
        }
    }
}

impl Error for DecodeError {}

/// Why a delta or snapshot was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApplyError {
    /// The bytes could not be read.
    Decode(DecodeError),
    /// This operation is already known with other content: a replica id was used twice.
    ReplicaCollision {
        /// The operation.
        id: OpId,
    },
    /// The operation `id` is placed beside, or deletes, something that is not an element or that
    /// its replica cannot have seen.
    InvalidReference {
        /// The operation.
        id: OpId,
        /// What it refers to.
        anchor: Anchor,
    },
    /// More operations, or runs of them, would wait for missing ones than the limit allows.
    PendingFull {
        /// The limit, in operations or runs.
        limit: usize,
    },
    /// The document has no room for so many more operations or bytes.
    Full,
    /// What the operations refer to was trimmed, or whoever wrote them has trimmed what is missing here: reload the
    /// document from a snapshot, and make the edits again there.
    Trimmed,
}

impl From<DecodeError> for ApplyError {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Trimmed => Self::Trimmed,
            error => Self::Decode(error),
        }
    }
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode(error) => error.fmt(f),
            Self::ReplicaCollision { id } => {
                write!(f, "operation {id} is already known with other content")
            }
            Self::InvalidReference { id, anchor } => match anchor.element {
                Some(element) => {
                    write!(f, "operation {id} refers to {element}, which is no element it can have seen")
                }
                None => write!(f, "operation {id} is placed where nothing can be"),
            },
            Self::PendingFull { limit } => {
                write!(f, "more than {limit} operations or runs of them would wait for missing ones")
            }
            Self::Full => f.write_str("the document has no room for the delta"),
            Self::Trimmed => f.write_str("the history that this builds on was trimmed: reload the document"),
        }
    }
}

impl Error for ApplyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Decode(error) => Some(error),
            _ => None,
        }
    }
}

/// Why a version could not be shown, or not be gone back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HistoryError {
    /// The version holds more than the document has seen.
    NotReached {
        /// Of whom.
        replica: ReplicaId,
        /// How many operations of it the version holds.
        asked: Seq,
        /// How many were seen here.
        reached: Seq,
    },
    /// The version holds an operation, but not what that was placed beside or deletes: no document was ever there.
    NotAState {
        /// The operation.
        id: OpId,
    },
    /// The version is older than what the document keeps of its history.
    Trimmed,
    /// Operations of this replica are in the version: a document of its own needs an id of its own.
    ReplicaInUse {
        /// The replica.
        replica: ReplicaId,
    },
    /// The operations refer to each other in a circle, so that none can have been said first: the document was made up.
    Circular,
    /// A position is not in the text at that version, or there is no room to go back to it.
    Edit(EditError),
}

impl From<EditError> for HistoryError {
    fn from(error: EditError) -> Self {
        Self::Edit(error)
    }
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotReached { replica, asked, reached } => {
                write!(
                    f,
                    "the version holds {asked} operations of replica {replica}, of which {reached} were seen"
                )
            }
            Self::NotAState { id } => write!(f, "the version holds {id}, but not what that refers to"),
            Self::Trimmed => f.write_str("the history at the version was trimmed away"),
            Self::ReplicaInUse { replica } => {
                write!(f, "the version holds operations of replica {replica}: take a new id")
            }
            Self::Circular => f.write_str("the history goes in a circle"),
            Self::Edit(error) => error.fmt(f),
        }
    }
}

impl Error for HistoryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Edit(error) => Some(error),
            _ => None,
        }
    }
}
