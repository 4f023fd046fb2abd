//! Frames as bytes.

use super::code::{CloseCode, JoinErrorCode, JoinMode, NackCode, Permission};
use super::frame::{Frame, FrameError, Handle, Limits, MAGIC, PresenceEntry};
use super::limits;
use crate::bytes::{Reader, write_bytes, write_u64_le, write_varint};
use crate::codec;
use crate::error::DecodeError;
use crate::ids::{ReplicaId, Seq, VersionVector};
use alloc::vec::Vec;

/// The frame types.
mod kind {
    pub(super) const HELLO: u8 = 0x01;
    pub(super) const WELCOME: u8 = 0x02;
    pub(super) const AUTH: u8 = 0x03;
    pub(super) const AUTH_OK: u8 = 0x04;
    pub(super) const PING: u8 = 0x05;
    pub(super) const PONG: u8 = 0x06;
    pub(super) const GO_AWAY: u8 = 0x07;
    pub(super) const ERROR: u8 = 0x08;
    pub(super) const FRAGMENT: u8 = 0x09;
    pub(super) const JOIN: u8 = 0x10;
    pub(super) const JOINED: u8 = 0x11;
    pub(super) const JOIN_ERROR: u8 = 0x12;
    pub(super) const LEAVE: u8 = 0x13;
    pub(super) const SYNC: u8 = 0x14;
    pub(super) const UPDATE: u8 = 0x15;
    pub(super) const ACK: u8 = 0x16;
    pub(super) const NACK: u8 = 0x17;
    pub(super) const PULL: u8 = 0x18;
    pub(super) const HEAD: u8 = 0x19;
    // 0x1a is reserved for snapshots.
    pub(super) const PERMISSION_CHANGED: u8 = 0x1b;
    pub(super) const RESET: u8 = 0x1c;
    pub(super) const DELETED: u8 = 0x1d;
    pub(super) const PRESENCE_SET: u8 = 0x20;
    pub(super) const PRESENCE: u8 = 0x21;
    /// Types with this bit are ignored by those who do not know them.
    pub(super) const IGNORABLE: u8 = 0x80;
}

impl<'a> Frame<'a> {
    /// The number that says which frame it is.
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Hello { .. } => kind::HELLO,
            Self::Welcome { .. } => kind::WELCOME,
            Self::Auth { .. } => kind::AUTH,
            Self::AuthOk { .. } => kind::AUTH_OK,
            Self::Ping { .. } => kind::PING,
            Self::Pong { .. } => kind::PONG,
            Self::GoAway { .. } => kind::GO_AWAY,
            Self::Error { .. } => kind::ERROR,
            Self::Fragment { .. } => kind::FRAGMENT,
            Self::Join { .. } => kind::JOIN,
            Self::Joined { .. } => kind::JOINED,
            Self::JoinError { .. } => kind::JOIN_ERROR,
            Self::Leave => kind::LEAVE,
            Self::Sync { .. } => kind::SYNC,
            Self::Update { .. } => kind::UPDATE,
            Self::Ack { .. } => kind::ACK,
            Self::Nack { .. } => kind::NACK,
            Self::Pull { .. } => kind::PULL,
            Self::Head { .. } => kind::HEAD,
            Self::PermissionChanged { .. } => kind::PERMISSION_CHANGED,
            Self::Reset { .. } => kind::RESET,
            Self::Deleted => kind::DELETED,
            Self::PresenceSet { .. } => kind::PRESENCE_SET,
            Self::Presence { .. } => kind::PRESENCE,
            Self::Ignored { kind } => *kind,
        }
    }

    /// Encodes the frame for the document `handle`, or for the connection with 0.
    ///
    /// O(bytes). The result may exceed the frame limit; [`split`](super::split) cuts it then.
    pub fn encode(&self, handle: Handle) -> Vec<u8> {
        let mut out = Vec::with_capacity(32 + self.payload_len());
        out.push(self.kind());
        write_varint(&mut out, u64::from(handle));
        self.encode_body(&mut out);
        out
    }

    fn payload_len(&self) -> usize {
        match self {
            Self::Fragment { piece: bytes, .. }
            | Self::Sync { delta: bytes, .. }
            | Self::Update { delta: bytes, .. } => bytes.len(),
            _ => 0,
        }
    }

    fn encode_body(&self, out: &mut Vec<u8>) {
        match self {
            Self::Hello { min_version, max_version, capabilities } => {
                out.extend(MAGIC);
                out.extend([*min_version, *max_version]);
                write_varint(out, *capabilities);
            }
            Self::Welcome { version, capabilities, session, limits, heartbeat_ms } => {
                out.push(*version);
                write_varint(out, *capabilities);
                write_u64_le(out, *session);
                write_varint(out, u64::from(limits.frame_bytes));
                write_varint(out, u64::from(limits.delta_bytes));
                write_varint(out, u64::from(limits.presence_bytes));
                write_varint(out, u64::from(limits.in_flight));
                write_varint(out, u64::from(*heartbeat_ms));
            }
            Self::Auth { token } => out.extend_from_slice(token),
            Self::AuthOk { expires_ms } => write_varint(out, *expires_ms),
            Self::Ping { nonce } | Self::Pong { nonce } => write_varint(out, *nonce),
            Self::GoAway { after_ms } => write_varint(out, u64::from(*after_ms)),
            Self::Error { code, text } => {
                write_varint(out, u64::from(code.0));
                write_bytes(out, text.as_bytes());
            }
            Self::Fragment { total, start, piece } => {
                write_varint(out, u64::from(*total));
                write_varint(out, u64::from(*start));
                out.extend_from_slice(piece);
            }
            Self::Join { request, name, epoch, last_log_seq, version } => {
                write_varint(out, u64::from(*request));
                write_bytes(out, name.as_bytes());
                write_u64_le(out, *epoch);
                write_varint(out, *last_log_seq);
                out.extend(version.encode());
            }
            Self::Joined { request, permission, mode, epoch, head, version } => {
                write_varint(out, u64::from(*request));
                out.extend([permission.number(), mode.number()]);
                write_u64_le(out, *epoch);
                write_varint(out, *head);
                out.extend(version.encode());
            }
            Self::JoinError { request, code, retry_after_ms } => {
                write_varint(out, u64::from(*request));
                out.push(code.number());
                write_varint(out, u64::from(*retry_after_ms));
            }
            Self::Leave | Self::Deleted | Self::Ignored { .. } => {}
            Self::Sync { up_to, delta } => {
                write_varint(out, *up_to);
                out.extend_from_slice(delta);
            }
            Self::Update { log_seq, replica, from, to, delta } => {
                write_varint(out, *log_seq);
                write_range(out, *replica, *from, *to);
                out.extend_from_slice(delta);
            }
            Self::Ack { replica, up_to, log_seq } => {
                write_u64_le(out, replica.get());
                write_varint(out, u64::from(*up_to));
                write_varint(out, *log_seq);
            }
            Self::Nack { replica, from, to, code, retry_after_ms, expected } => {
                write_range(out, *replica, *from, *to);
                out.push(code.number());
                write_varint(out, u64::from(*retry_after_ms));
                write_varint(out, u64::from(*expected));
            }
            Self::Pull { version } => out.extend(version.encode()),
            Self::Head { log_seq } => write_varint(out, *log_seq),
            Self::PermissionChanged { permission } => out.push(permission.number()),
            Self::Reset { epoch } => write_u64_le(out, *epoch),
            Self::PresenceSet { state } => write_state(out, *state),
            Self::Presence { full, entries } => {
                out.push(u8::from(*full));
                write_varint(out, entries.len() as u64);
                for entry in entries {
                    write_u64_le(out, entry.session);
                    write_state(out, entry.state);
                }
            }
        }
    }

    /// Decodes one message: the handle it is about, and the frame.
    ///
    /// Allocates no more than the message's own size; deltas are passed on unread.
    ///
    /// # Errors
    /// Whatever is wrong with the message.
    pub fn decode(message: &'a [u8]) -> Result<(Handle, Self), FrameError> {
        let mut reader = Reader::new(message);
        let kind = reader.u8()?;
        let handle = reader.varint_u32()?;
        let frame = Self::decode_body(kind, &mut reader)?;
        reader.finish()?;
        let suits = match kind {
            kind::FRAGMENT => true,
            kind::JOIN | kind::JOIN_ERROR => handle == 0,
            kind if kind & kind::IGNORABLE != 0 => true,
            kind if kind < kind::JOIN => handle == 0,
            _ => handle != 0,
        };
        if suits { Ok((handle, frame)) } else { Err(FrameError::WrongHandle(kind)) }
    }

    fn decode_body(kind: u8, reader: &mut Reader<'a>) -> Result<Self, FrameError> {
        Ok(match kind {
            kind::HELLO => {
                if reader.take(MAGIC.len())? != MAGIC {
                    return Err(DecodeError::WrongFormat.into());
                }
                Self::Hello {
                    min_version: reader.u8()?,
                    max_version: reader.u8()?,
                    capabilities: reader.varint()?,
                }
            }
            kind::WELCOME => Self::Welcome {
                version: reader.u8()?,
                capabilities: reader.varint()?,
                session: reader.u64_le()?,
                limits: Limits {
                    frame_bytes: reader.varint_u32()?,
                    delta_bytes: reader.varint_u32()?,
                    presence_bytes: reader.varint_u32()?,
                    in_flight: reader.varint_u32()?,
                },
                heartbeat_ms: reader.varint_u32()?,
            },
            kind::AUTH => Self::Auth { token: reader.take_rest() },
            kind::AUTH_OK => Self::AuthOk { expires_ms: reader.varint()? },
            kind::PING => Self::Ping { nonce: reader.varint()? },
            kind::PONG => Self::Pong { nonce: reader.varint()? },
            kind::GO_AWAY => Self::GoAway { after_ms: reader.varint_u32()? },
            kind::ERROR => {
                let code = u16::try_from(reader.varint()?).map_err(|_| DecodeError::InvalidNumber)?;
                let text = reader.str()?;
                if text.len() > limits::ERROR_TEXT_BYTES {
                    return Err(DecodeError::LimitExceeded("error text").into());
                }
                Self::Error { code: CloseCode(code), text }
            }
            kind::FRAGMENT => Self::Fragment {
                total: reader.varint_u32()?,
                start: reader.varint_u32()?,
                piece: non_empty(reader.take_rest())?,
            },
            kind::JOIN => Self::Join {
                request: reader.varint_u32()?,
                name: read_name(reader)?,
                epoch: reader.u64_le()?,
                last_log_seq: reader.varint()?,
                version: VersionVector::decode(reader.take_rest(), &codec::Limits::DEFAULT)?,
            },
            kind::JOINED => Self::Joined {
                request: reader.varint_u32()?,
                permission: Permission::from_number(reader.u8()?)?,
                mode: JoinMode::from_number(reader.u8()?)?,
                epoch: reader.u64_le()?,
                head: reader.varint()?,
                version: VersionVector::decode(reader.take_rest(), &codec::Limits::DEFAULT)?,
            },
            kind::JOIN_ERROR => Self::JoinError {
                request: reader.varint_u32()?,
                code: JoinErrorCode::from_number(reader.u8()?)?,
                retry_after_ms: reader.varint_u32()?,
            },
            kind::LEAVE => Self::Leave,
            kind::SYNC => Self::Sync { up_to: reader.varint()?, delta: reader.take_rest() },
            kind::UPDATE => {
                let log_seq = reader.varint()?;
                let (replica, from, to) = read_range(reader)?;
                Self::Update { log_seq, replica, from, to, delta: non_empty(reader.take_rest())? }
            }
            kind::ACK => Self::Ack {
                replica: ReplicaId::new(reader.u64_le()?),
                up_to: reader.varint_u32()?,
                log_seq: reader.varint()?,
            },
            kind::NACK => {
                let (replica, from, to) = read_range(reader)?;
                Self::Nack {
                    replica,
                    from,
                    to,
                    code: NackCode::from_number(reader.u8()?)?,
                    retry_after_ms: reader.varint_u32()?,
                    expected: reader.varint_u32()?,
                }
            }
            kind::PULL => {
                Self::Pull { version: VersionVector::decode(reader.take_rest(), &codec::Limits::DEFAULT)? }
            }
            kind::HEAD => Self::Head { log_seq: reader.varint()? },
            kind::PERMISSION_CHANGED => {
                Self::PermissionChanged { permission: Permission::from_number(reader.u8()?)? }
            }
            kind::RESET => Self::Reset { epoch: reader.u64_le()? },
            kind::DELETED => Self::Deleted,
            kind::PRESENCE_SET => Self::PresenceSet { state: read_state(reader)? },
            kind::PRESENCE => Self::decode_presence(reader)?,
            kind if kind & kind::IGNORABLE != 0 => {
                reader.take_rest();
                Self::Ignored { kind }
            }
            kind => return Err(FrameError::UnknownType(kind)),
        })
    }

    fn decode_presence(reader: &mut Reader<'a>) -> Result<Self, FrameError> {
        let full = read_flag(reader)?;
        let count = reader.count(9)?;
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            entries.push(PresenceEntry { session: reader.u64_le()?, state: read_state(reader)? });
        }
        Ok(Self::Presence { full, entries })
    }
}

fn write_range(out: &mut Vec<u8>, replica: ReplicaId, from: Seq, to: Seq) {
    write_u64_le(out, replica.get());
    write_varint(out, u64::from(from));
    write_varint(out, u64::from(to));
}

fn read_range(reader: &mut Reader<'_>) -> Result<(ReplicaId, Seq, Seq), DecodeError> {
    let replica = ReplicaId::new(reader.u64_le()?);
    let from = reader.varint_u32()?;
    let to = reader.varint_u32()?;
    if from < to { Ok((replica, from, to)) } else { Err(DecodeError::InvalidValue("range of operations")) }
}

fn write_state(out: &mut Vec<u8>, state: Option<&[u8]>) {
    out.push(u8::from(state.is_some()));
    if let Some(state) = state {
        write_bytes(out, state);
    }
}

fn read_state<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>, DecodeError> {
    if !read_flag(reader)? {
        return Ok(None);
    }
    let state = reader.bytes()?;
    if state.len() > limits::PRESENCE_BYTES {
        return Err(DecodeError::LimitExceeded("presence state"));
    }
    Ok(Some(state))
}

fn read_flag(reader: &mut Reader<'_>) -> Result<bool, DecodeError> {
    match reader.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::InvalidValue("flag")),
    }
}

fn read_name<'a>(reader: &mut Reader<'a>) -> Result<&'a str, DecodeError> {
    let name = reader.str()?;
    match name.len() {
        0 => Err(DecodeError::InvalidValue("document name")),
        len if len > limits::NAME_BYTES => Err(DecodeError::LimitExceeded("document name")),
        _ => Ok(name),
    }
}

fn non_empty(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    if bytes.is_empty() { Err(DecodeError::Truncated) } else { Ok(bytes) }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
