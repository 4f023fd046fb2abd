//! The task of one connection: reads messages, runs its [`Session`], writes what waits in its outbox.
//!
//! Reading and writing are two futures of one task. Reading waits when a room is behind, so a client
//! that sends too fast is slowed down by TCP; writing never makes a room wait.

use crate::limits::{CLOSE_DEADLINE, COME_BACK_WITHIN, CONNECTION_TICK, RETRY_OPEN, WRITE_DEADLINE};
use crate::outbox::{Closing, Outbox, OutboxReader, Outgoing};
use crate::room::{
    JoinRequest, Registry, RoomEvent, RoomRequest, Session, SessionLimits, SessionOutput, Ticket,
};
use crate::shutdown::Shutdown;
use crate::store::DocumentName;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use crdt_core::sync::{CloseCode, Handle, JoinErrorCode, SessionId};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use std::collections::{HashMap, VecDeque};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tungstenite::error::CapacityError;

/// Longest reason that fits a close frame, in bytes.
const CLOSE_REASON_BYTES: usize = 123;

/// What a connection works with.
pub(crate) struct Context {
    pub(crate) registry: Arc<Registry>,
    pub(crate) session: SessionId,
    pub(crate) limits: SessionLimits,
    pub(crate) session_buffer_bytes: usize,
    /// Asked for when everything accepted is stored and it is time to go.
    pub(crate) goodbye: Shutdown,
}

/// Runs a connection to its end.
pub(crate) async fn run(socket: WebSocket, context: Context) {
    let (sink, mut stream) = socket.split();
    let (outbox, outbox_reader) = Outbox::new(context.session_buffer_bytes);
    let (events, event_queue) = mpsc::unbounded_channel();
    let session = context.session;
    tracing::debug!(session, "connected");
    let mut connection = Connection {
        registry: context.registry,
        session: Session::new(session, context.limits, 0),
        started: Instant::now(),
        outbox,
        events,
        tickets: HashMap::new(),
    };
    let tick = CONNECTION_TICK.min(Duration::from_millis(context.limits.hello_deadline_ms.max(10)));
    let closing = {
        let mut writing = pin!(write(sink, outbox_reader));
        tokio::select! {
            closing = &mut writing => closing,
            end = connection.read(&mut stream, event_queue, tick, context.goodbye) => match end {
                End::PeerGone => None,
                End::Closing => writing.await,
            },
        }
    };
    connection.leave_all().await;
    match closing {
        Some(Closing { code, text }) => {
            tracing::info!(session, code = code.0, reason = text, "closed");
            // A socket dropped with unread bytes is reset, and the peer may never see the close code.
            let answer = async { while let Some(Ok(_)) = stream.next().await {} };
            drop(timeout(CLOSE_DEADLINE, answer).await);
        }
        None => tracing::debug!(session, "disconnected"),
    }
}

/// Why reading ended.
enum End {
    /// Nothing more can be read or written.
    PeerGone,
    /// The outbox ends with a close.
    Closing,
}

struct Connection {
    registry: Arc<Registry>,
    session: Session,
    started: Instant,
    outbox: Outbox,
    events: mpsc::UnboundedSender<RoomEvent>,
    tickets: HashMap<Handle, Ticket>,
}

impl Connection {
    async fn read(
        &mut self,
        stream: &mut (impl Stream<Item = Result<Message, axum::Error>> + Unpin),
        mut events: mpsc::UnboundedReceiver<RoomEvent>,
        tick: Duration,
        mut goodbye: Shutdown,
    ) -> End {
        let mut ticks = interval(tick);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let outputs = tokio::select! {
                message = stream.next() => match message {
                    Some(Ok(Message::Binary(message))) => self.session.receive(self.now_ms(), &message),
                    Some(Ok(Message::Text(_))) => self.session.receive_text(),
                    // Answered below us; after a close the stream ends.
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_))) => Vec::new(),
                    Some(Err(error)) if is_too_large(&error) => {
                        self.session.close(CloseCode::TOO_LARGE, "the message is larger than the limit".into())
                    }
                    Some(Err(_)) | None => return End::PeerGone,
                },
                Some(event) = events.recv() => self.room_event(event),
                _ = ticks.tick() => self.session.tick(self.now_ms()),
                () = goodbye.requested() => {
                    let mut outputs = self.session.going_away(millis(COME_BACK_WITHIN));
                    outputs.extend(self.session.close(CloseCode::GOING_AWAY, "the relay stops".into()));
                    outputs
                }
            };
            if let Some(end) = self.perform(outputs).await {
                return end;
            }
        }
    }

    fn room_event(&mut self, event: RoomEvent) -> Vec<SessionOutput> {
        match event {
            RoomEvent::Refused { handle, request, code, retry_after_ms } => {
                self.tickets.remove(&handle);
                self.session.room_closed(handle);
                self.session.refused(request, code, retry_after_ms)
            }
            RoomEvent::Closed { handle } => {
                self.tickets.remove(&handle);
                self.session.room_closed(handle);
                Vec::new()
            }
        }
    }

    async fn perform(&mut self, outputs: Vec<SessionOutput>) -> Option<End> {
        let mut outputs = VecDeque::from(outputs);
        while let Some(output) = outputs.pop_front() {
            match output {
                SessionOutput::Send(message) => self.outbox.send(message),
                SessionOutput::Open { name, join } => {
                    for answer in self.open(name.into(), join).await.into_iter().rev() {
                        outputs.push_front(answer);
                    }
                }
                // A room that is gone has said so, by an event or by closing the connection.
                SessionOutput::Frame { handle, frame } => {
                    if let Some(ticket) = self.tickets.get(&handle) {
                        ticket.ask(RoomRequest::Frame { session: self.session.id(), frame }).await;
                    }
                }
                SessionOutput::Leave { handle } => self.leave(handle).await,
                SessionOutput::Close { code, text } => {
                    self.outbox.close(Closing { code, text });
                    return Some(End::Closing);
                }
            }
        }
        None
    }

    async fn open(&mut self, name: DocumentName, join: JoinRequest) -> Vec<SessionOutput> {
        let request = join.request;
        if let Some(ticket) = self.registry.enter(&name) {
            let handle = ticket.handle;
            let (session, outbox, events) = (self.session.id(), self.outbox.clone(), self.events.clone());
            let asked = ticket.ask(RoomRequest::Join { session, join, outbox, events }).await;
            if asked {
                tracing::debug!(session, document = %name, handle, "joins");
                self.session.opened(handle);
                self.tickets.insert(handle, ticket);
                return Vec::new();
            }
        }
        self.session.refused(request, JoinErrorCode::Unavailable, millis(RETRY_OPEN))
    }

    async fn leave(&mut self, handle: Handle) {
        if let Some(ticket) = self.tickets.remove(&handle) {
            ticket.ask(RoomRequest::Leave { session: self.session.id() }).await;
        }
    }

    async fn leave_all(&mut self) {
        for handle in self.tickets.keys().copied().collect::<Vec<_>>() {
            self.leave(handle).await;
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Writes until a close was written or the peer is gone; gives the close.
async fn write(
    mut sink: impl Sink<Message, Error = axum::Error> + Unpin,
    mut outbox: OutboxReader,
) -> Option<Closing> {
    let mut urgent = pin!(outbox.urgent());
    let closing = loop {
        let message = match outbox.next().await? {
            Outgoing::Frame(message) => message,
            Outgoing::Close(closing) => break closing,
        };
        tokio::select! {
            sent = timeout(WRITE_DEADLINE, sink.send(Message::Binary(message.clone()))) => match sent {
                Ok(Ok(())) => outbox.written(&message),
                Ok(Err(_peer_gone)) => return None,
                Err(_elapsed) => break Closing::new(CloseCode::SLOW_READER, "a message was not read in time"),
            },
            closing = &mut urgent => break closing,
        }
    };
    let reason = Utf8Bytes::from(&closing.text[..closing.text.floor_char_boundary(CLOSE_REASON_BYTES)]);
    let frame = Message::Close(Some(CloseFrame { code: closing.code.0, reason }));
    match timeout(WRITE_DEADLINE, sink.send(frame)).await {
        Ok(Ok(())) => Some(closing),
        Ok(Err(_)) | Err(_) => None,
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref());
    matches!(source, Some(tungstenite::Error::Capacity(CapacityError::MessageTooLong { .. })))
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
