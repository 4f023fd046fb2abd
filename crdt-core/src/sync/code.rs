//! Numbers that say why: close codes, refusals of a batch, refusals of a join, permissions.

/// Why a connection ends: a WebSocket close code.
///
/// 44xx: stop for ever, the same would happen again. 45xx: come back later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// The other side does not keep to the protocol.
    pub const PROTOCOL: Self = Self(4400);
    /// The access token is missing or wrong. Reserved.
    pub const UNAUTHENTICATED: Self = Self(4401);
    /// The document may not be opened. Reserved.
    pub const FORBIDDEN: Self = Self(4403);
    /// The document was deleted, or may not be named so.
    pub const NO_SUCH_DOCUMENT: Self = Self(4404);
    /// An operation is already known with other content: a replica id was used twice.
    pub const REPLICA_COLLISION: Self = Self(4409);
    /// The document has another epoch: what the client holds must not be merged into it.
    pub const RESET: Self = Self(4410);
    /// Operations build on history that the other side has trimmed: the client has to load the document anew.
    pub const TRIMMED: Self = Self(4411);
    /// A message is larger than the limit.
    pub const TOO_LARGE: Self = Self(4413);
    /// A delta cannot be read, does not match its header, or contradicts the document.
    pub const INVALID_DELTA: Self = Self(4422);
    /// No version of the protocol is known to both sides.
    pub const UNSUPPORTED_VERSION: Self = Self(4426);
    /// The store failed; nothing that was not acknowledged is known to be kept.
    pub const STORE_FAILED: Self = Self(4500);
    /// The server shuts down or sheds load.
    pub const GOING_AWAY: Self = Self(4503);
    /// Nothing was heard for too long.
    pub const SILENT: Self = Self(4508);
    /// The session reads more slowly than the document changes.
    pub const SLOW_READER: Self = Self(4509);
    /// Too many frames or sessions.
    pub const OVERLOADED: Self = Self(4529);

    /// Whether the client must not come back by itself.
    pub const fn is_final(self) -> bool {
        self.0 >= 4400 && self.0 < 4500
    }
}

/// Declares a closed set of numbers of one byte.
macro_rules! numbers {
    ($(#[$outer:meta])* $name:ident, $what:literal { $($(#[$inner:meta])* $variant:ident = $number:literal,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$inner])* $variant = $number,)* }

        impl $name {
            /// The number on the wire.
            pub const fn number(self) -> u8 {
                self as u8
            }

            pub(super) const fn from_number(number: u8) -> Result<Self, crate::DecodeError> {
                match number {
                    $($number => Ok(Self::$variant),)*
                    _ => Err(crate::DecodeError::InvalidValue($what)),
                }
            }
        }
    };
}

numbers! {
    /// Why a batch was not accepted. The session goes on.
    NackCode, "nack code" {
        /// `from` is not the number that the server expects next of this replica; cut again from there.
        Conflict = 1,
        /// The delta is larger than the limit; cut smaller.
        TooLarge = 2,
        /// Too many batches a second; wait.
        Rate = 3,
        /// The session may only read.
        Permission = 4,
        /// The document has reached its largest size.
        DocumentFull = 5,
        /// It refers to operations that the server does not have; send those first.
        CauseMissing = 6,
    }
}

numbers! {
    /// Why a document was not opened. Whether to ask again is said by the delay beside it.
    JoinErrorCode, "join error code" {
        /// The name is empty, too long or not allowed.
        InvalidName = 1,
        /// The session may not open it.
        Forbidden = 2,
        /// As many sessions as allowed have it open.
        RoomFull = 3,
        /// It cannot be read from the store now.
        Unavailable = 4,
        /// This connection has it open already.
        AlreadyJoined = 5,
        /// This connection has as many documents open as allowed.
        TooManyDocuments = 6,
    }
}

numbers! {
    /// What a session may do with a document.
    Permission, "permission" {
        /// Receive.
        Read = 1,
        /// Receive and send.
        Write = 2,
    }
}

numbers! {
    /// How client and server go on together after a join.
    JoinMode, "join mode" {
        /// Each sends what the other lacks.
        Delta = 0,
        /// The document has another epoch than the client's copy: nothing is exchanged.
        Reset = 1,
        /// As `Delta`; the server has lost changes that it had confirmed, clients give them back.
        Heal = 2,
    }
}
