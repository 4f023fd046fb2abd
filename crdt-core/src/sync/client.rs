//! The client's side: one document over one connection after the other.

use super::code::{CloseCode, JoinMode, NackCode, Permission};
use super::fragment::{Reassembly, split};
use super::frame::{Frame, FrameError, Handle, PROTOCOL_VERSION, PresenceEntry, SessionId};
use super::limits;
use super::liveness::{Heard, Liveness};
use super::outgoing::Outgoing;
use super::output::{Output, ResumePoint, Status, StopReason};
use super::presence::Peers;
use crate::doc::Doc;
use crate::ids::VersionVector;
use alloc::string::String;
use alloc::vec::Vec;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Offline,
    Greeting,
    Joining,
    Joined,
}

/// Keeps one [`Doc`] and a server's copy equal.
///
/// It owns neither the document nor a connection: each call gets the document, and says what has to
/// be sent. Call [`connected`](Self::connected) and [`disconnected`](Self::disconnected) when the
/// transport does, [`receive`](Self::receive) for each binary message,
/// [`local_change`](Self::local_change) after each change of the document from elsewhere, and
/// [`tick`](Self::tick) every second or so.
///
/// It always gets the same document. Anything that the document holds and the server lacks is sent,
/// whoever issued it: so a server that lost its last changes gets them back from its clients.
#[derive(Clone, Debug)]
pub struct Client {
    name: String,
    resume: ResumePoint,
    status: Status,
    phase: Phase,
    /// Counts joins, so that a late answer is not taken for another one's.
    request: u32,
    handle: Handle,
    permission: Permission,
    frame_bytes: usize,
    presence_bytes: usize,
    outgoing: Outgoing,
    synced: bool,
    pulling: bool,
    reassembly: Reassembly,
    presence: Option<Vec<u8>>,
    peers: Peers,
    liveness: Liveness,
}

type Outputs = Vec<Output>;

impl Client {
    /// Starts for the document `name`, whose copy was never joined.
    pub fn new(name: &str) -> Self {
        Self::resume(name, ResumePoint::default())
    }

    /// Starts for the document `name`, whose copy was kept together with `point`.
    pub fn resume(name: &str, point: ResumePoint) -> Self {
        Self {
            name: name.into(),
            resume: point,
            status: Status::Offline { unsaved: false },
            phase: Phase::Offline,
            request: 0,
            handle: 0,
            permission: Permission::Read,
            frame_bytes: limits::FRAME_BYTES,
            presence_bytes: limits::PRESENCE_BYTES,
            outgoing: Outgoing::default(),
            synced: false,
            pulling: false,
            reassembly: Reassembly::new(),
            presence: None,
            peers: Peers::default(),
            liveness: Liveness::default(),
        }
    }

    /// Whether what was typed is safe, as of the last call.
    pub const fn status(&self) -> &Status {
        &self.status
    }

    /// Where the document stands in the server's log.
    pub const fn resume_point(&self) -> ResumePoint {
        self.resume
    }

    /// What this session may do; [`Permission::Read`] until the server has said more.
    pub const fn permission(&self) -> Permission {
        self.permission
    }

    /// The number that the server gave this session; `None` while there is none.
    pub fn session(&self) -> Option<SessionId> {
        matches!(self.phase, Phase::Joining | Phase::Joined).then_some(self.peers.own_session)
    }

    /// What the server is known to hold.
    pub const fn acknowledged(&self) -> &VersionVector {
        &self.outgoing.acked
    }

    /// Says hello on a connection that has just opened.
    pub fn connected(&mut self, doc: &Doc) -> Outputs {
        let mut out = Vec::new();
        if self.is_stopped() {
            return out;
        }
        self.forget_connection(&mut out);
        self.phase = Phase::Greeting;
        let hello =
            Frame::Hello { min_version: PROTOCOL_VERSION, max_version: PROTOCOL_VERSION, capabilities: 0 };
        self.send(0, &hello, &mut out);
        self.refresh(doc, &mut out);
        out
    }

    /// Takes note that the connection is gone, with the close code if there was one.
    ///
    /// Unless the [`Status`] is `Stopped` afterwards, the caller connects again in its own time.
    pub fn disconnected(&mut self, doc: &Doc, code: Option<CloseCode>) -> Outputs {
        let mut out = Vec::new();
        self.forget_connection(&mut out);
        match code {
            Some(CloseCode::TRIMMED) => self.stop(StopReason::Trimmed, &mut out),
            Some(code) if code.is_final() => {
                self.stop(StopReason::Closed { code, text: String::new() }, &mut out);
            }
            _ => {}
        }
        self.refresh(doc, &mut out);
        out
    }

    /// Takes a message from the server.
    ///
    /// A message that is no frame, or whose operations contradict the document, changes nothing and
    /// stops the client.
    pub fn receive(&mut self, doc: &mut Doc, message: &[u8]) -> Outputs {
        let mut out = Vec::new();
        if self.phase == Phase::Offline {
            return out;
        }
        self.liveness.hear();
        if let Err(reason) = self.receive_message(doc, message, &mut out) {
            self.stop(reason, &mut out);
        }
        self.cut(doc, &mut out);
        self.refresh(doc, &mut out);
        out
    }

    /// Sends what the document has gained by anything but [`receive`](Self::receive).
    pub fn local_change(&mut self, doc: &Doc) -> Outputs {
        let mut out = Vec::new();
        self.cut(doc, &mut out);
        self.refresh(doc, &mut out);
        out
    }

    /// Sets what this session shows the others, now and after each reconnect; `None` shows nothing.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`]; nothing has changed then.
    pub fn set_presence(&mut self, state: Option<&[u8]>) -> Result<Outputs, FrameError> {
        if state.is_some_and(|state| state.len() > self.presence_bytes) {
            return Err(FrameError::TooLarge { limit: self.presence_bytes });
        }
        let mut out = Vec::new();
        let unchanged = self.presence.as_deref() == state;
        self.presence = state.map(Into::into);
        if self.phase == Phase::Joined && !unchanged {
            self.send(self.handle, &Frame::PresenceSet { state }, &mut out);
        }
        Ok(out)
    }

    /// What the others show.
    pub fn presence(&self) -> impl Iterator<Item = (SessionId, &[u8])> + '_ {
        self.peers.iter()
    }

    /// Lets time pass: asks a silent server for a sign of life, gives up one that stays silent, and
    /// repeats what the server wanted to have later. `now_ms` counts from anywhere and never falls.
    pub fn tick(&mut self, doc: &Doc, now_ms: u64) -> Outputs {
        let mut out = Vec::new();
        self.liveness.now_ms = now_ms;
        self.outgoing.now_ms = now_ms;
        if self.phase != Phase::Offline {
            self.listen(&mut out);
            self.cut(doc, &mut out);
        }
        self.refresh(doc, &mut out);
        out
    }

    fn listen(&mut self, out: &mut Outputs) {
        match self.liveness.listen() {
            // A server that has not answered the hello yet takes no question; it is given up all the same.
            Heard::Nothing { nonce } if self.phase != Phase::Greeting => {
                self.send(0, &Frame::Ping { nonce }, out);
            }
            Heard::NoAnswer => self.close(CloseCode::SILENT, None, out),
            Heard::Nothing { .. } | Heard::Enough => {}
        }
    }

    fn receive_message(
        &mut self,
        doc: &mut Doc,
        message: &[u8],
        out: &mut Outputs,
    ) -> Result<(), StopReason> {
        let (handle, frame) = Frame::decode(message)?;
        let Frame::Fragment { total, start, piece } = frame else {
            return self.receive_frame(doc, handle, frame, out);
        };
        let whole = self.reassembly.add(total, start, piece, limits::SERVER_FRAME_BYTES)?;
        let Some(whole) = whole else { return Ok(()) };
        let (inner_handle, frame) = Frame::decode(&whole)?;
        if matches!(frame, Frame::Fragment { .. }) || inner_handle != handle {
            return Err(FrameError::Fragment("the pieces hold another frame than was announced").into());
        }
        self.receive_frame(doc, handle, frame, out)
    }

    fn receive_frame(
        &mut self,
        doc: &mut Doc,
        handle: Handle,
        frame: Frame<'_>,
        out: &mut Outputs,
    ) -> Result<(), StopReason> {
        match (frame, self.phase) {
            (Frame::Ignored { .. } | Frame::Pong { .. } | Frame::AuthOk { .. }, _) => {}
            (Frame::Ping { nonce }, _) => self.send(0, &Frame::Pong { nonce }, out),
            (Frame::GoAway { after_ms }, _) => self.close(CloseCode::GOING_AWAY, Some(after_ms), out),
            (Frame::Error { code: CloseCode::TRIMMED, .. }, _) => return Err(StopReason::Trimmed),
            (Frame::Error { code, text }, _) if code.is_final() => {
                return Err(StopReason::Closed { code, text: text.into() });
            }
            (Frame::Error { code, .. }, _) => self.close(code, None, out),
            (Frame::Welcome { version, session, limits, heartbeat_ms, .. }, Phase::Greeting) => {
                if version != PROTOCOL_VERSION {
                    return Err(StopReason::UnsupportedVersion(version));
                }
                let size = |bytes: u32| usize::try_from(bytes).unwrap_or(usize::MAX);
                self.frame_bytes =
                    size(limits.frame_bytes).clamp(limits::FRAME_BYTES_MIN, limits::FRAME_BYTES);
                self.presence_bytes = size(limits.presence_bytes).min(limits::PRESENCE_BYTES);
                self.outgoing.delta_bytes = size(limits.delta_bytes);
                self.outgoing.in_flight_max = size(limits.in_flight).clamp(1, limits::IN_FLIGHT_BATCHES);
                self.liveness.heartbeat_ms = u64::from(heartbeat_ms.max(limits::HEARTBEAT_MIN_MS));
                self.peers.own_session = session;
                self.join(doc, out);
            }
            (Frame::Joined { request, permission, mode, epoch, version, .. }, Phase::Joining)
                if request == self.request && epoch != 0 =>
            {
                if mode == JoinMode::Reset {
                    return Err(StopReason::Reset);
                }
                self.phase = Phase::Joined;
                self.handle = handle;
                self.resume.epoch = epoch;
                self.outgoing.joined(version);
                self.set_permission(doc, permission, out);
                if self.presence.is_some() {
                    self.send(self.handle, &Frame::PresenceSet { state: self.presence.as_deref() }, out);
                }
            }
            (Frame::JoinError { request, code, retry_after_ms }, Phase::Joining)
                if request == self.request =>
            {
                if retry_after_ms == 0 {
                    return Err(StopReason::JoinRefused(code));
                }
                self.close(CloseCode::OVERLOADED, Some(retry_after_ms), out);
            }
            (frame, Phase::Joined) if handle != 0 && handle == self.handle => {
                return self.receive_document_frame(doc, frame, out);
            }
            _ => return Err(StopReason::Protocol(None)),
        }
        Ok(())
    }

    fn receive_document_frame(
        &mut self,
        doc: &mut Doc,
        frame: Frame<'_>,
        out: &mut Outputs,
    ) -> Result<(), StopReason> {
        match frame {
            Frame::Sync { up_to, delta } => {
                apply(doc, delta, out)?;
                if self.synced {
                    self.outgoing.stored_delta(delta);
                    self.resume.log_seq = self.resume.log_seq.max(up_to);
                } else {
                    // The vector of `Joined` names all of it already. A server that has lost its
                    // last changes stands below the number kept here.
                    self.synced = true;
                    self.resume.log_seq = up_to;
                    out.push(Output::Synced);
                }
                self.pulling = false;
            }
            Frame::Update { log_seq, replica, from, to, delta } => {
                apply(doc, delta, out)?;
                self.outgoing.stored(replica, from, to);
                self.at_log_seq(doc, log_seq, out);
            }
            Frame::Ack { replica, up_to, log_seq } => {
                self.outgoing.acked(replica, up_to);
                self.at_log_seq(doc, log_seq, out);
            }
            Frame::Nack { replica, from, to, code, retry_after_ms, expected } => {
                let known =
                    self.outgoing.refused(replica, from..to, code, u64::from(retry_after_ms), expected);
                if known && code != NackCode::Conflict {
                    out.push(Output::Refused(code));
                }
            }
            Frame::Head { log_seq } => {
                if log_seq > self.resume.log_seq {
                    self.pull(doc, out);
                }
            }
            Frame::PermissionChanged { permission } => self.set_permission(doc, permission, out),
            Frame::Reset { .. } => return Err(StopReason::Reset),
            Frame::Deleted => return Err(StopReason::Deleted),
            Frame::Presence { full, entries } => self.show(full, &entries, out),
            _ => return Err(StopReason::Protocol(None)),
        }
        Ok(())
    }

    /// Notes the place of what has just come from the log; asks again if one before it is missing.
    fn at_log_seq(&mut self, doc: &Doc, log_seq: u64, out: &mut Outputs) {
        if log_seq == self.resume.log_seq + 1 {
            self.resume.log_seq = log_seq;
        } else if log_seq > self.resume.log_seq {
            self.pull(doc, out);
        }
    }

    fn pull(&mut self, doc: &Doc, out: &mut Outputs) {
        if self.synced && !self.pulling {
            self.pulling = true;
            self.send(self.handle, &Frame::Pull { version: doc.version().clone() }, out);
        }
    }

    fn join(&mut self, doc: &Doc, out: &mut Outputs) {
        self.phase = Phase::Joining;
        self.request = self.request.wrapping_add(1);
        let name = core::mem::take(&mut self.name);
        let join = Frame::Join {
            request: self.request,
            name: &name,
            epoch: self.resume.epoch,
            last_log_seq: self.resume.log_seq,
            version: doc.version().clone(),
        };
        self.send(0, &join, out);
        self.name = name;
    }

    fn set_permission(&mut self, doc: &mut Doc, permission: Permission, out: &mut Outputs) {
        self.permission = permission;
        if permission == Permission::Write {
            // Batches are cut one by one, and what the server lacks now is all that they will hold of the past.
            doc.decode_history_since(&self.outgoing.acked);
        }
        self.outgoing.permission_changed();
        out.push(Output::Permission(permission));
    }

    fn show(&mut self, full: bool, entries: &[PresenceEntry<'_>], out: &mut Outputs) {
        let changes = self.peers.update(full, entries);
        if !changes.is_empty() {
            out.push(Output::Presence(changes));
        }
    }

    fn cut(&mut self, doc: &Doc, out: &mut Outputs) {
        if self.phase != Phase::Joined || self.permission != Permission::Write {
            return;
        }
        match self.outgoing.cut(doc, self.handle) {
            Some(frames) => {
                for frame in frames {
                    self.send_encoded(self.handle, frame, out);
                }
            }
            None => self.stop(StopReason::Trimmed, out),
        }
    }

    fn send(&self, handle: Handle, frame: &Frame<'_>, out: &mut Outputs) {
        self.send_encoded(handle, frame.encode(handle), out);
    }

    fn send_encoded(&self, handle: Handle, frame: Vec<u8>, out: &mut Outputs) {
        out.extend(split(handle, frame, self.frame_bytes).into_iter().map(Output::Send));
    }

    fn close(&mut self, code: CloseCode, retry_after_ms: Option<u32>, out: &mut Outputs) {
        self.forget_connection(out);
        out.push(Output::Close { code, retry_after_ms });
    }

    fn stop(&mut self, reason: StopReason, out: &mut Outputs) {
        if self.is_stopped() {
            return;
        }
        if self.phase != Phase::Offline {
            self.close(reason.close_code(), None, out);
        }
        self.status = Status::Stopped(reason);
        out.push(Output::Status(self.status.clone()));
    }

    const fn is_stopped(&self) -> bool {
        matches!(self.status, Status::Stopped(_))
    }

    /// Everything that was true of the last connection only. What was acknowledged stays so.
    fn forget_connection(&mut self, out: &mut Outputs) {
        self.phase = Phase::Offline;
        self.handle = 0;
        self.permission = Permission::Read;
        self.outgoing.disconnected();
        self.synced = false;
        self.pulling = false;
        self.reassembly = Reassembly::new();
        self.frame_bytes = limits::FRAME_BYTES;
        self.liveness.forget_connection();
        self.show(true, &[], out);
    }

    fn refresh(&mut self, doc: &Doc, out: &mut Outputs) {
        if self.is_stopped() {
            return;
        }
        let saved = self.outgoing.is_saved(doc);
        let status = match (self.phase, saved) {
            (Phase::Joined, true) => Status::Saved,
            (Phase::Joined, false) => Status::Saving,
            (_, saved) => Status::Offline { unsaved: !saved },
        };
        if status != self.status {
            self.status = status.clone();
            out.push(Output::Status(status));
        }
    }
}

fn apply(doc: &mut Doc, delta: &[u8], out: &mut Outputs) -> Result<(), StopReason> {
    if delta.is_empty() {
        return Ok(());
    }
    let edits = doc.apply(delta)?;
    if !edits.is_empty() {
        out.push(Output::Edits(edits));
    }
    Ok(())
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
