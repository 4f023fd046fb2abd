//! One document's sessions as a pure function of what arrives: no I/O, no clock.
//!
//! - **Nothing goes out before it is stored.** A batch is checked, applied to the room's document
//!   (which is how it is checked) and handed to the store. Acknowledgement and fan-out come from
//!   [`RoomState::stored`] alone, and what newcomers get is cut back to what is stored.
//! - **No hole forms.** A batch is accepted only if it starts where the room's copy of its replica
//!   ends. What was accepted already is acknowledged (once it is stored) and dropped.
//! - **The log is in causal order.** What refers to operations that are not here is refused, so that
//!   all that is in the log could be checked when it went in.
//! - **What is refused changes nothing.** Neither the document nor the log nor another session.
//! - **A failed store ends the room.** Its memory is then ahead of the disk, so it is thrown away
//!   and read again; clients send what was never acknowledged once more.
//!
//! A batch costs what decoding and applying it costs, and O(sessions) to pass on one shared buffer.

mod intake;

use super::limits::{self, Rate, RoomLimits};
use super::presence::Board;
use super::session::JoinRequest;
use super::stored;
use crate::batch::Batch;
use bytes::Bytes;
use crdt_core::sync::{
    CloseCode, Frame, Handle, JoinErrorCode, JoinMode, NackCode, Permission, SessionId, split,
};
use crdt_core::{Doc, ReplicaId, Seq, VersionVector};
use std::collections::{BTreeMap, VecDeque};

/// A document as it was read from the store.
#[derive(Debug)]
pub struct Opened {
    /// What the store holds, applied. Its own replica issues nothing.
    pub doc: Doc,
    /// Names this history of the document; never 0.
    pub epoch: u64,
    /// The last batch's place in the log; 0 if there is none.
    pub head: u64,
    /// How many bytes the store holds of it.
    pub bytes: u64,
}

/// What has to happen next, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomOutput {
    /// Send this message to a session.
    Send {
        /// To whom.
        session: SessionId,
        /// The message. Copies share one buffer.
        message: Bytes,
    },
    /// Append this batch to the log, after all earlier ones; then call [`RoomState::stored`] or
    /// [`RoomState::store_failed`].
    Store(Batch),
    /// Close the session's connection once everything before was sent. It has left the room already.
    Close {
        /// Whose.
        session: SessionId,
        /// With this code.
        code: CloseCode,
        /// For the close frame and the log.
        text: String,
    },
}

/// A session in the room.
#[derive(Debug)]
struct Member {
    permission: Permission,
    rate: Rate,
}

/// A batch that the store has not committed yet.
#[derive(Debug)]
struct Queued {
    batch: Batch,
    from_session: SessionId,
}

/// One document's live state.
#[derive(Debug)]
pub struct RoomState {
    handle: Handle,
    limits: RoomLimits,
    epoch: u64,
    /// Everything accepted, stored or not.
    doc: Doc,
    accepted: VersionVector,
    accepted_head: u64,
    stored: VersionVector,
    stored_head: u64,
    bytes: u64,
    queue: VecDeque<Queued>,
    /// Batches that came again before they were stored: who waits for which.
    waiting: Vec<(SessionId, ReplicaId, Seq)>,
    members: BTreeMap<SessionId, Member>,
    presence: Board,
    presence_at_ms: u64,
    announced_head: u64,
    announced_at_ms: u64,
    failed: bool,
}

type Outputs = Vec<RoomOutput>;

/// Why a session ends.
struct Violation {
    code: CloseCode,
    text: String,
}

impl RoomState {
    /// Starts without sessions. `handle` is not 0 and names this room on the whole server, so that
    /// one encoded frame serves all its sessions.
    ///
    /// # Panics
    /// If handle or epoch are 0.
    pub fn new(handle: Handle, opened: Opened, limits: RoomLimits) -> Self {
        assert!(handle != 0 && opened.epoch != 0, "0 stands for no handle and no epoch");
        let accepted = opened.doc.version().clone();
        Self {
            handle,
            limits,
            epoch: opened.epoch,
            doc: opened.doc,
            stored: accepted.clone(),
            accepted,
            accepted_head: opened.head,
            stored_head: opened.head,
            bytes: opened.bytes,
            queue: VecDeque::new(),
            waiting: Vec::new(),
            members: BTreeMap::new(),
            presence: Board::default(),
            presence_at_ms: 0,
            announced_head: opened.head,
            announced_at_ms: 0,
            failed: false,
        }
    }

    /// The document with everything that was accepted, stored or not.
    pub const fn doc(&self) -> &Doc {
        &self.doc
    }

    /// The document's epoch.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The room's handle.
    pub const fn handle(&self) -> Handle {
        self.handle
    }

    /// The place in the log of the last accepted batch.
    pub const fn head(&self) -> u64 {
        self.accepted_head
    }

    /// The place in the log of the last stored batch.
    pub const fn stored_head(&self) -> u64 {
        self.stored_head
    }

    /// Whether everything that was accepted is stored.
    pub fn is_stored(&self) -> bool {
        self.queue.is_empty()
    }

    /// How many sessions are in the room.
    pub fn session_count(&self) -> usize {
        self.members.len()
    }

    /// Whether the room can be unloaded: nobody is there and nothing is on its way to the store.
    pub fn is_idle(&self) -> bool {
        self.members.is_empty() && self.queue.is_empty()
    }

    /// Whether [`RoomState::tick`] will have something to do.
    pub fn wants_tick(&self) -> bool {
        !self.members.is_empty() && (self.presence.has_changed() || self.announced_head != self.stored_head)
    }

    /// Lets a session in: `Joined`, then what it lacks of what is stored, then who else is there; or
    /// a `JoinError`.
    pub fn join(&mut self, session: SessionId, join: &JoinRequest, permission: Permission) -> Outputs {
        let mut out = Vec::new();
        let refusal = if self.failed {
            Some((JoinErrorCode::Unavailable, limits::retry_after_ms(NackCode::Rate)))
        } else if self.members.contains_key(&session) {
            Some((JoinErrorCode::AlreadyJoined, 0))
        } else if self.members.len() >= self.limits.sessions {
            Some((JoinErrorCode::RoomFull, limits::ROOM_FULL_RETRY_MS))
        } else {
            None
        };
        if let Some((code, retry_after_ms)) = refusal {
            let frame = Frame::JoinError { request: join.request, code, retry_after_ms };
            out.push(RoomOutput::Send { session, message: frame.encode(0).into() });
            return out;
        }
        let mode = if join.epoch != 0 && join.epoch != self.epoch {
            JoinMode::Reset
        } else if join.last_log_seq > self.stored_head && join.epoch != 0 {
            JoinMode::Heal
        } else {
            JoinMode::Delta
        };
        let joined = Frame::Joined {
            request: join.request,
            permission,
            mode,
            epoch: self.epoch,
            head: self.stored_head,
            version: self.stored.clone(),
        };
        self.send(session, &joined, &mut out);
        if mode == JoinMode::Reset {
            return out;
        }
        let rate = Rate::new(self.limits.batches_per_second, self.limits.batch_burst);
        self.members.insert(session, Member { permission, rate });
        self.sync(session, &join.version, &mut out);
        self.send(session, &self.presence.all(), &mut out);
        out
    }

    /// Takes a whole frame of a session. Frames of sessions that have left are dropped.
    pub fn receive(&mut self, now_ms: u64, session: SessionId, frame: &[u8]) -> Outputs {
        let mut out = Vec::new();
        if self.members.contains_key(&session)
            && let Err(violation) = self.receive_frame(now_ms, session, frame, &mut out)
        {
            self.close(session, violation.code, violation.text, &mut out);
        }
        out
    }

    /// Takes a session out, if it is in.
    pub fn leave(&mut self, session: SessionId) {
        if self.members.remove(&session).is_some() {
            self.presence.set(session, None);
            self.waiting.retain(|(waiting, ..)| *waiting != session);
        }
    }

    /// Changes what a session may do.
    pub fn set_permission(&mut self, session: SessionId, permission: Permission) -> Outputs {
        let mut out = Vec::new();
        if let Some(member) = self.members.get_mut(&session)
            && member.permission != permission
        {
            member.permission = permission;
            self.send(session, &Frame::PermissionChanged { permission }, &mut out);
        }
        out
    }

    /// The store has committed every batch up to this place in the log: acknowledges and passes on.
    pub fn stored(&mut self, up_to_log_seq: u64) -> Outputs {
        let mut out = Vec::new();
        while let Some(queued) = self.queue.pop_front_if(|queued| queued.batch.log_seq <= up_to_log_seq) {
            let Queued { batch: Batch { log_seq, replica, from, to, delta }, from_session } = queued;
            self.stored.raise(replica, to);
            self.stored_head = log_seq;
            let update = Frame::Update { log_seq, replica, from, to, delta: &delta };
            let messages = self.messages(&update);
            for &session in self.members.keys() {
                if session == from_session {
                    self.send(session, &Frame::Ack { replica, up_to: to, log_seq }, &mut out);
                } else {
                    out.extend(messages.iter().cloned().map(|message| RoomOutput::Send { session, message }));
                }
            }
        }
        let waiting = std::mem::take(&mut self.waiting);
        for (session, replica, up_to) in waiting {
            if up_to <= self.stored.get(replica) {
                self.send(session, &Frame::Ack { replica, up_to, log_seq: 0 }, &mut out);
            } else {
                self.waiting.push((session, replica, up_to));
            }
        }
        out
    }

    /// The store has not committed a batch, or may not have: ends all sessions. The state is of no
    /// use any more; open the document again.
    pub fn store_failed(&mut self) -> Outputs {
        self.failed = true;
        self.queue.clear();
        self.waiting.clear();
        self.close_all(
            CloseCode::STORE_FAILED,
            "the store failed; nothing unacknowledged is known to be kept",
        )
    }

    /// Ends all sessions.
    pub fn close_all(&mut self, code: CloseCode, text: &str) -> Outputs {
        let mut out = Vec::new();
        for session in self.members.keys().copied().collect::<Vec<_>>() {
            self.close(session, code, text.into(), &mut out);
        }
        out
    }

    /// Tells all sessions that another document has taken this one's place, and empties the room.
    pub fn reset(&mut self, epoch: u64) -> Outputs {
        self.end_with(&Frame::Reset { epoch })
    }

    /// Tells all sessions that the document was deleted, and empties the room.
    pub fn deleted(&mut self) -> Outputs {
        self.end_with(&Frame::Deleted)
    }

    /// Lets time pass: sends what presence has changed, and how far the log goes.
    pub fn tick(&mut self, now_ms: u64) -> Outputs {
        let mut out = Vec::new();
        let crowd = self.members.len() > self.limits.presence_crowd;
        let interval_ms =
            if crowd { self.limits.presence_crowd_interval_ms } else { self.limits.presence_interval_ms };
        if self.presence.has_changed() && now_ms.saturating_sub(self.presence_at_ms) >= interval_ms {
            self.presence_at_ms = now_ms;
            let messages = cut(self.handle, &self.presence.take_changes(), &self.limits);
            self.send_to_all(&messages, &mut out);
        }
        if self.announced_head != self.stored_head
            && now_ms.saturating_sub(self.announced_at_ms) >= self.limits.head_interval_ms
        {
            self.announced_at_ms = now_ms;
            self.announced_head = self.stored_head;
            let messages = self.messages(&Frame::Head { log_seq: self.stored_head });
            self.send_to_all(&messages, &mut out);
        }
        out
    }

    fn receive_frame(
        &mut self,
        now_ms: u64,
        session: SessionId,
        frame: &[u8],
        out: &mut Outputs,
    ) -> Result<(), Violation> {
        let protocol = |text: String| Violation { code: CloseCode::PROTOCOL, text };
        let (handle, frame) = Frame::decode(frame).map_err(|error| protocol(error.to_string()))?;
        if handle != self.handle {
            return Err(protocol("a frame for another document".into()));
        }
        match frame {
            Frame::Update { replica, from, to, delta, .. } => {
                return self.update(now_ms, session, (replica, from, to), delta, out);
            }
            Frame::Pull { version } => {
                // Answers cost more than questions; nobody who waits for the answer asks that often.
                if self.take_from_rate(now_ms, session).is_err() {
                    let text = "too many pulls".into();
                    return Err(Violation { code: CloseCode::OVERLOADED, text });
                }
                self.sync(session, &version, out);
            }
            Frame::PresenceSet { state } => self.presence.set(session, state),
            Frame::Leave => self.leave(session),
            frame => {
                return Err(protocol(format!("frame type {:#04x} does not belong here", frame.kind())));
            }
        }
        Ok(())
    }

    fn take_from_rate(&mut self, now_ms: u64, session: SessionId) -> Result<(), u32> {
        self.members.get_mut(&session).map_or(Ok(()), |member| member.rate.take(now_ms))
    }

    fn sync(&mut self, session: SessionId, version: &VersionVector, out: &mut Outputs) {
        let delta = stored::delta_since(&mut self.doc, version, &self.accepted, &self.stored);
        self.send(session, &Frame::Sync { up_to: self.stored_head, delta: &delta }, out);
    }

    fn close(&mut self, session: SessionId, code: CloseCode, text: String, out: &mut Outputs) {
        self.leave(session);
        let message = Frame::Error { code, text: &text }.encode(0).into();
        out.push(RoomOutput::Send { session, message });
        out.push(RoomOutput::Close { session, code, text });
    }

    fn end_with(&mut self, frame: &Frame<'_>) -> Outputs {
        let mut out = Vec::new();
        let messages = self.messages(frame);
        self.send_to_all(&messages, &mut out);
        self.members.clear();
        self.waiting.clear();
        self.presence = Board::default();
        out
    }

    fn messages(&self, frame: &Frame<'_>) -> Vec<Bytes> {
        cut(self.handle, frame, &self.limits)
    }

    fn send(&self, session: SessionId, frame: &Frame<'_>, out: &mut Outputs) {
        let messages = self.messages(frame).into_iter();
        out.extend(messages.map(|message| RoomOutput::Send { session, message }));
    }

    fn send_to_all(&self, messages: &[Bytes], out: &mut Outputs) {
        for &session in self.members.keys() {
            out.extend(messages.iter().cloned().map(|message| RoomOutput::Send { session, message }));
        }
    }
}

fn cut(handle: Handle, frame: &Frame<'_>, limits: &RoomLimits) -> Vec<Bytes> {
    let frame_bytes = usize::try_from(limits.frames.frame_bytes).unwrap_or(usize::MAX);
    split(handle, frame.encode(handle), frame_bytes).into_iter().map(Bytes::from).collect()
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
