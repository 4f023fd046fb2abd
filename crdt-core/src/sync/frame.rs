//! The frames: what one message says. `docs/protocol.md` tells the same byte by byte.

use super::code::{CloseCode, JoinErrorCode, JoinMode, NackCode, Permission};
use super::limits;
use crate::error::DecodeError;
use crate::ids::{ReplicaId, Seq, VersionVector};
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;

/// The version of the protocol that this library speaks.
pub const PROTOCOL_VERSION: u8 = 1;

/// The first bytes of a `Hello`'s body: whoever sends something else speaks something else.
pub const MAGIC: [u8; 4] = *b"CRDT";

/// The number of a document on one server, given by `Joined`. 0 stands for the connection itself.
pub type Handle = u32;

/// The number of a session: one connection that has said hello.
pub type SessionId = u64;

/// What the server allows; told in `Welcome`. Sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest message.
    pub frame_bytes: u32,
    /// Largest delta of one batch.
    pub delta_bytes: u32,
    /// Largest presence state.
    pub presence_bytes: u32,
    /// Batches sent and not answered.
    pub in_flight: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes: saturate(limits::FRAME_BYTES),
            delta_bytes: saturate(limits::DELTA_BYTES),
            presence_bytes: saturate(limits::PRESENCE_BYTES),
            in_flight: saturate(limits::IN_FLIGHT_BATCHES),
        }
    }
}

fn saturate(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

/// What one session shows the others, or `None` when it has left or shows nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresenceEntry<'a> {
    /// Whose, stamped by the server.
    pub session: SessionId,
    /// Opaque to the protocol.
    pub state: Option<&'a [u8]>,
}

/// One frame. Which side sends it is said by `C` (client), `S` (server) or both.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame<'a> {
    /// C: first frame of a connection.
    Hello {
        /// Lowest protocol version that the client speaks.
        min_version: u8,
        /// Highest one.
        max_version: u8,
        /// A bit for each extension that the client knows.
        capabilities: u64,
    },
    /// S: answer to `Hello`.
    Welcome {
        /// The version spoken from here on.
        version: u8,
        /// Those of the client's capabilities that the server has too.
        capabilities: u64,
        /// The name of this session.
        session: SessionId,
        /// What the client has to keep to.
        limits: Limits,
        /// After how much silence either side asks with a `Ping`.
        heartbeat_ms: u32,
    },
    /// C: who the client is. Reserved: today's server answers `AuthOk` to nobody.
    Auth {
        /// Opaque.
        token: &'a [u8],
    },
    /// S: the token holds. Reserved.
    AuthOk {
        /// For how long; 0 means for ever.
        expires_ms: u64,
    },
    /// Both: asks for a `Pong`.
    Ping {
        /// Comes back in the `Pong`.
        nonce: u64,
    },
    /// Both: answers a `Ping`.
    Pong {
        /// That of the `Ping`.
        nonce: u64,
    },
    /// S: the server will close this connection; come back at some moment within this time.
    GoAway {
        /// In milliseconds.
        after_ms: u32,
    },
    /// Both: what went wrong; the connection is closed next.
    Error {
        /// The code that it will be closed with.
        code: CloseCode,
        /// For a log, in English.
        text: &'a str,
    },
    /// Both: the next piece of a frame larger than the limit.
    Fragment {
        /// Size of the whole frame in bytes.
        total: u32,
        /// Where in it this piece belongs: how much came before.
        start: u32,
        /// Never empty.
        piece: &'a [u8],
    },
    /// C: opens a document.
    Join {
        /// The client's number for this question.
        request: u32,
        /// The document's name.
        name: &'a str,
        /// The epoch of the client's copy; 0 if it was never joined.
        epoch: u64,
        /// The place in the document's log up to which the client's copy holds everything.
        last_log_seq: u64,
        /// What the client's copy has seen.
        version: VersionVector,
    },
    /// S: the document is open; a `Sync` follows unless the mode is `Reset`.
    Joined {
        /// That of the `Join`.
        request: u32,
        /// What the session may do.
        permission: Permission,
        /// How to go on.
        mode: JoinMode,
        /// The document's epoch; never 0.
        epoch: u64,
        /// The last stored batch's place in the document's log.
        head: u64,
        /// What the store holds.
        version: VersionVector,
    },
    /// S: the document was not opened.
    JoinError {
        /// That of the `Join`.
        request: u32,
        /// Why.
        code: JoinErrorCode,
        /// When to ask again; 0 means never.
        retry_after_ms: u32,
    },
    /// C: closes the document on this connection.
    Leave,
    /// S: everything stored that the client's vector lacks.
    Sync {
        /// The last batch's place in the document's log.
        up_to: u64,
        /// One delta of any number of replicas.
        delta: &'a [u8],
    },
    /// Both: one batch, that is consecutive operations of one replica.
    Update {
        /// Its place in the document's log, from 1; 0 from a client.
        log_seq: u64,
        /// Who issued the operations.
        replica: ReplicaId,
        /// Number of the first.
        from: Seq,
        /// One more than the number of the last.
        to: Seq,
        /// Exactly these operations.
        delta: &'a [u8],
    },
    /// S: all operations of `replica` below `up_to` are in the store, for good.
    Ack {
        /// Whose operations.
        replica: ReplicaId,
        /// One more than the number of the last one.
        up_to: Seq,
        /// The batch's place in the document's log; 0 if it was there already.
        log_seq: u64,
    },
    /// S: a batch was not accepted and has changed nothing.
    Nack {
        /// The batch's replica.
        replica: ReplicaId,
        /// The batch's `from`.
        from: Seq,
        /// The batch's `to`.
        to: Seq,
        /// Why.
        code: NackCode,
        /// How long to wait before operations of this replica are sent again.
        retry_after_ms: u32,
        /// The `from` that would be accepted next.
        expected: Seq,
    },
    /// C: asks for a `Sync`, because a place in the log was left out.
    Pull {
        /// What the client's copy has seen.
        version: VersionVector,
    },
    /// S: how far the document's log goes.
    Head {
        /// The last stored batch's place.
        log_seq: u64,
    },
    /// S: the session may do something else from now on.
    PermissionChanged {
        /// What.
        permission: Permission,
    },
    /// S: the document was replaced by another one of the same name.
    Reset {
        /// Its new epoch.
        epoch: u64,
    },
    /// S: the document was deleted.
    Deleted,
    /// C: what this session shows the others from now on.
    PresenceSet {
        /// `None`: nothing.
        state: Option<&'a [u8]>,
    },
    /// S: what sessions show.
    Presence {
        /// Whether sessions that are not named show nothing.
        full: bool,
        /// Changed sessions, or all.
        entries: Vec<PresenceEntry<'a>>,
    },
    /// A type with bit 7 set that this library does not know: to be ignored.
    Ignored {
        /// The type.
        kind: u8,
    },
}

/// Why a message is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// The type is not known and not marked as one to ignore.
    UnknownType(u8),
    /// A frame about the connection names a document, or one about a document does not.
    WrongHandle(u8),
    /// The bytes after type and handle cannot be read.
    Body(DecodeError),
    /// Pieces of a frame do not follow each other, or hold no such frame.
    Fragment(&'static str),
    /// The frame, or the frame that the pieces make up, is larger than this.
    TooLarge {
        /// In bytes.
        limit: usize,
    },
}

impl From<DecodeError> for FrameError {
    fn from(error: DecodeError) -> Self {
        Self::Body(error)
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownType(kind) => write!(f, "frame type {kind:#04x} is not known"),
            Self::WrongHandle(kind) => write!(f, "the handle does not suit frame type {kind:#04x}"),
            Self::Body(error) => write!(f, "frame body: {error}"),
            Self::Fragment(what) => write!(f, "fragment: {what}"),
            Self::TooLarge { limit } => write!(f, "a frame is larger than {limit} bytes"),
        }
    }
}

impl Error for FrameError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Body(error) => Some(error),
            _ => None,
        }
    }
}
