//! What a client says: what has to happen next, and whether what a person has typed is safe.

use super::code::{CloseCode, JoinErrorCode, NackCode, Permission};
use super::frame::FrameError;
use super::presence::PresenceChange;
use crate::error::ApplyError;
use crate::event::TextEdit;
use alloc::string::String;
use alloc::vec::Vec;

/// What has to happen next, in this order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Output {
    /// Send this message.
    Send(Vec<u8>),
    /// The document's text was changed by others.
    Edits(Vec<TextEdit>),
    /// Others show something else now, or have left.
    Presence(Vec<PresenceChange>),
    /// The status is another one now.
    Status(Status),
    /// Everything that the server had at the time of the join is in the document.
    Synced,
    /// What this session may do is known, or has changed.
    Permission(Permission),
    /// The server did not accept a batch. The client tries again by itself as far as that can help;
    /// for [`NackCode::Permission`] and [`NackCode::DocumentFull`] a person should know.
    Refused(NackCode),
    /// Close the connection. Unless the [`Status`] is `Stopped`, come back: after the delay, or when
    /// there is none after one of the caller's own, in any case with some randomness added.
    Close {
        /// The close code to send.
        code: CloseCode,
        /// Earliest time to come back, in milliseconds from now.
        retry_after_ms: Option<u32>,
    },
}

/// Whether what a person has typed is safe.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    /// No connection.
    Offline {
        /// Whether the document holds operations that the server has not acknowledged.
        unsaved: bool,
    },
    /// Connected; some operations were not acknowledged yet.
    Saving,
    /// Connected; the server's store holds every operation of the document.
    Saved,
    /// Never again by itself: the document is left as it is.
    Stopped(StopReason),
}

/// Why a client stopped.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StopReason {
    /// The server has another document of this name: this copy must not be merged into it.
    Reset,
    /// The document was deleted.
    Deleted,
    /// The document was refused.
    JoinRefused(JoinErrorCode),
    /// The server closed the connection for good.
    Closed {
        /// With this code.
        code: CloseCode,
        /// And this explanation, maybe empty.
        text: String,
    },
    /// The server speaks no version of the protocol that this library does.
    UnsupportedVersion(u8),
    /// The server sent what is no frame, or none that belongs there.
    Protocol(Option<FrameError>),
    /// The server sent operations that contradict this copy.
    Apply(ApplyError),
    /// One side lacks history that the other has trimmed, or says what builds on it. The document has to be loaded anew, and
    /// edits that are in nobody's store made again there.
    Trimmed,
}

/// Where a copy of a document stands in the server's log: to be kept together with the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResumePoint {
    /// The document's epoch; 0 if the copy was never joined.
    pub epoch: u64,
    /// The place in the log up to which the copy holds everything.
    pub log_seq: u64,
}

impl From<FrameError> for StopReason {
    fn from(error: FrameError) -> Self {
        Self::Protocol(Some(error))
    }
}

impl From<ApplyError> for StopReason {
    fn from(error: ApplyError) -> Self {
        if error == ApplyError::Trimmed { Self::Trimmed } else { Self::Apply(error) }
    }
}

impl StopReason {
    /// What the connection is closed with.
    pub(super) fn close_code(&self) -> CloseCode {
        match self {
            Self::Reset => CloseCode::RESET,
            Self::Deleted | Self::JoinRefused(_) => CloseCode::NO_SUCH_DOCUMENT,
            Self::Closed { code, .. } => *code,
            Self::UnsupportedVersion(_) => CloseCode::UNSUPPORTED_VERSION,
            Self::Protocol(_) => CloseCode::PROTOCOL,
            Self::Trimmed => CloseCode::TRIMMED,
            Self::Apply(ApplyError::ReplicaCollision { .. }) => CloseCode::REPLICA_COLLISION,
            Self::Apply(_) => CloseCode::INVALID_DELTA,
        }
    }
}
