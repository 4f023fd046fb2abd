//! One connection: its hello, its limits, and which documents its frames are for.
//!
//! A pure function of what arrives and the time. What concerns a document is passed on whole and
//! in order to its [`RoomState`](super::RoomState).

use super::limits::SessionLimits;
use bytes::Bytes;
use crdt_core::VersionVector;
use crdt_core::sync::limits::{CLIENT_FRAME_BYTES, HELLO_BYTES};
use crdt_core::sync::{
    CloseCode, Frame, FrameError, Handle, JoinErrorCode, PROTOCOL_VERSION, Reassembly, SessionId,
};
use std::collections::BTreeMap;

/// What a client says of its copy when it opens a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRequest {
    /// The client's number for the question.
    pub request: u32,
    /// The epoch of its copy; 0 if it was never joined.
    pub epoch: u64,
    /// The place in the log up to which it holds everything.
    pub last_log_seq: u64,
    /// What it has seen.
    pub version: VersionVector,
}

/// What has to happen next, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionOutput {
    /// Send this message.
    Send(Bytes),
    /// Open the document's room; then call [`Session::opened`] and pass `join` on to the room, or
    /// call [`Session::refused`].
    Open {
        /// The document.
        name: String,
        /// For the room.
        join: JoinRequest,
    },
    /// Pass this whole frame on to the room.
    Frame {
        /// Which room.
        handle: Handle,
        /// The frame.
        frame: Bytes,
    },
    /// The session has left this room.
    Leave {
        /// Which room.
        handle: Handle,
    },
    /// Close the connection once everything before was sent. Nothing more comes from this session.
    Close {
        /// With this code.
        code: CloseCode,
        /// For the close frame and the log.
        text: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Greeting,
    Open,
    Closed,
}

/// One connection.
#[derive(Debug)]
pub struct Session {
    id: SessionId,
    limits: SessionLimits,
    phase: Phase,
    /// Joins that wait for their room.
    opening: usize,
    /// Pieces of frames, for each document; 0 is the connection itself.
    joined: BTreeMap<Handle, Reassembly>,
    heard_at_ms: u64,
    pinged_at_ms: u64,
}

type Outputs = Vec<SessionOutput>;

/// Why a session ends.
struct Violation {
    code: CloseCode,
    text: String,
}

impl From<FrameError> for Violation {
    fn from(error: FrameError) -> Self {
        let code = match error {
            FrameError::TooLarge { .. } => CloseCode::TOO_LARGE,
            _ => CloseCode::PROTOCOL,
        };
        Self { code, text: error.to_string() }
    }
}

impl Session {
    /// Starts for a connection that has just been accepted. `id` is told to other clients: it should
    /// be unique and need not be secret.
    pub fn new(id: SessionId, limits: SessionLimits, now_ms: u64) -> Self {
        Self {
            id,
            limits,
            phase: Phase::Greeting,
            opening: 0,
            joined: BTreeMap::from([(0, Reassembly::new())]),
            heard_at_ms: now_ms,
            pinged_at_ms: now_ms,
        }
    }

    /// The session's number.
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// The rooms that the session is in.
    pub fn handles(&self) -> impl Iterator<Item = Handle> + '_ {
        self.joined.keys().copied().filter(|&handle| handle != 0)
    }

    /// Takes a binary message.
    pub fn receive(&mut self, now_ms: u64, message: &Bytes) -> Outputs {
        if self.phase == Phase::Closed {
            return Vec::new();
        }
        self.heard_at_ms = now_ms;
        match self.receive_message(message) {
            Ok(outputs) => outputs,
            Err(Violation { code, text }) => self.close(code, text),
        }
    }

    /// A text message is none of this protocol.
    pub fn receive_text(&mut self) -> Outputs {
        self.close(CloseCode::PROTOCOL, "messages are binary".into())
    }

    /// The room of a [`SessionOutput::Open`] was opened under this handle.
    pub fn opened(&mut self, handle: Handle) {
        self.opening = self.opening.saturating_sub(1);
        self.joined.entry(handle).or_default();
    }

    /// The room of a [`SessionOutput::Open`] could not be opened. A `retry_after_ms` of 0 means never.
    pub fn refused(&mut self, request: u32, code: JoinErrorCode, retry_after_ms: u32) -> Outputs {
        self.opening = self.opening.saturating_sub(1);
        vec![send(&Frame::JoinError { request, code, retry_after_ms })]
    }

    /// The room is gone for this session; frames for it that are still on their way are dropped.
    pub fn room_closed(&mut self, handle: Handle) {
        if handle != 0 {
            self.joined.remove(&handle);
        }
    }

    /// The server will close all connections: clients come back at random moments within this time.
    pub fn going_away(&mut self, after_ms: u32) -> Outputs {
        vec![send(&Frame::GoAway { after_ms })]
    }

    /// Ends the session for a reason of the server's.
    pub fn close(&mut self, code: CloseCode, text: String) -> Outputs {
        if self.phase == Phase::Closed {
            return Vec::new();
        }
        self.phase = Phase::Closed;
        let mut outputs: Outputs = self.handles().map(|handle| SessionOutput::Leave { handle }).collect();
        self.joined.clear();
        outputs.push(send(&Frame::Error { code, text: &text }));
        outputs.push(SessionOutput::Close { code, text });
        outputs
    }

    /// Lets time pass: asks a silent client for a sign of life, gives up one that stays silent.
    pub fn tick(&mut self, now_ms: u64) -> Outputs {
        let silent_ms = now_ms.saturating_sub(self.heard_at_ms);
        match self.phase {
            Phase::Closed => Vec::new(),
            Phase::Greeting if silent_ms >= self.limits.hello_deadline_ms => {
                self.close(CloseCode::SILENT, "no hello came in time".into())
            }
            Phase::Open if silent_ms >= self.limits.silence_ms => {
                self.close(CloseCode::SILENT, "nothing was heard for too long".into())
            }
            Phase::Open => {
                let asked_ms = now_ms.saturating_sub(self.pinged_at_ms.max(self.heard_at_ms));
                if asked_ms < u64::from(self.limits.heartbeat_ms) {
                    return Vec::new();
                }
                self.pinged_at_ms = now_ms;
                vec![send(&Frame::Ping { nonce: now_ms })]
            }
            Phase::Greeting => Vec::new(),
        }
    }

    fn receive_message(&mut self, message: &Bytes) -> Result<Outputs, Violation> {
        let limit = match self.phase {
            Phase::Greeting => HELLO_BYTES,
            _ => usize::try_from(self.limits.frames.frame_bytes).unwrap_or(usize::MAX),
        };
        if message.len() > limit {
            return Err(FrameError::TooLarge { limit }.into());
        }
        let (handle, frame) = Frame::decode(message)?;
        if self.phase == Phase::Greeting {
            return self.greet(&frame);
        }
        let Frame::Fragment { total, start, piece } = frame else {
            return self.receive_frame(handle, &frame, message);
        };
        let Some(reassembly) = self.joined.get_mut(&handle) else { return Ok(Vec::new()) };
        let Some(whole) = reassembly.add(total, start, piece, CLIENT_FRAME_BYTES)? else {
            let waiting: usize = self.joined.values().map(Reassembly::waiting_bytes).sum();
            let limit = self.limits.fragment_bytes;
            return if waiting > limit { Err(FrameError::TooLarge { limit }.into()) } else { Ok(Vec::new()) };
        };
        let whole = Bytes::from(whole);
        let (inner_handle, frame) = Frame::decode(&whole)?;
        if matches!(frame, Frame::Fragment { .. }) || inner_handle != handle {
            let what = "the pieces hold another frame than was announced";
            return Err(FrameError::Fragment(what).into());
        }
        self.receive_frame(handle, &frame, &whole)
    }

    fn greet(&mut self, frame: &Frame<'_>) -> Result<Outputs, Violation> {
        let Frame::Hello { min_version, max_version, .. } = *frame else {
            return Err(unexpected(frame));
        };
        if !(min_version..=max_version).contains(&PROTOCOL_VERSION) {
            return Err(Violation {
                code: CloseCode::UNSUPPORTED_VERSION,
                text: format!("this server speaks version {PROTOCOL_VERSION}"),
            });
        }
        self.phase = Phase::Open;
        Ok(vec![send(&Frame::Welcome {
            version: PROTOCOL_VERSION,
            capabilities: 0,
            session: self.id,
            limits: self.limits.frames,
            heartbeat_ms: self.limits.heartbeat_ms,
        })])
    }

    fn receive_frame(
        &mut self,
        handle: Handle,
        frame: &Frame<'_>,
        bytes: &Bytes,
    ) -> Result<Outputs, Violation> {
        Ok(match frame {
            Frame::Ping { nonce } => vec![send(&Frame::Pong { nonce: *nonce })],
            // Tokens are not looked at yet; what an `Error` says comes with the close code too.
            Frame::Pong { .. } | Frame::Ignored { .. } | Frame::Auth { .. } | Frame::Error { .. } => {
                Vec::new()
            }
            Frame::Join { request, name, epoch, last_log_seq, version } => {
                if self.opening + self.joined.len() > self.limits.documents {
                    let code = JoinErrorCode::TooManyDocuments;
                    return Ok(vec![send(&Frame::JoinError { request: *request, code, retry_after_ms: 0 })]);
                }
                self.opening += 1;
                vec![SessionOutput::Open {
                    name: (*name).into(),
                    join: JoinRequest {
                        request: *request,
                        epoch: *epoch,
                        last_log_seq: *last_log_seq,
                        version: version.clone(),
                    },
                }]
            }
            Frame::Leave => match self.joined.remove(&handle) {
                Some(_) => vec![SessionOutput::Leave { handle }],
                None => Vec::new(),
            },
            Frame::Update { .. } | Frame::Pull { .. } | Frame::PresenceSet { .. } => {
                if self.joined.contains_key(&handle) {
                    vec![SessionOutput::Frame { handle, frame: bytes.clone() }]
                } else {
                    Vec::new()
                }
            }
            _ => return Err(unexpected(frame)),
        })
    }
}

fn unexpected(frame: &Frame<'_>) -> Violation {
    Violation {
        code: CloseCode::PROTOCOL,
        text: format!("frame type {:#04x} does not belong here", frame.kind()),
    }
}

fn send(frame: &Frame<'_>) -> SessionOutput {
    SessionOutput::Send(frame.encode(0).into())
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
