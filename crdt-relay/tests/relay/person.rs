//! Somebody with a document open: the library's own client state machine over a real socket.

use crdt_core::sync::{Client, CloseCode, Frame, Output, Status};
use crdt_core::{Doc, ReplicaId};
use futures_util::{SinkExt as _, StreamExt as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// A test that waits longer than this has failed. Nothing is asserted about how long things take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How often a client looks at the time.
const TICK: Duration = Duration::from_millis(50);

pub type Socket = WebSocketStream<TcpStream>;

/// Opens a WebSocket; with a receive buffer of so many bytes, if given.
pub async fn open_socket(address: SocketAddr, receive_buffer: Option<u32>) -> Option<Socket> {
    let socket = TcpSocket::new_v4().unwrap();
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes).unwrap();
    }
    let stream = socket.connect(address).await.ok()?;
    let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
    let opened = client_async_with_config(format!("ws://{address}/v1/sync"), stream, Some(config)).await;
    Some(opened.ok()?.0)
}

pub struct Person {
    pub doc: Doc,
    pub client: Client,
    pub socket: Option<Socket>,
    /// Size of the socket's receive buffer, if not the system's default.
    pub receive_buffer: Option<u32>,
    /// How often a `Sync`, or another frame in pieces, has begun.
    pub catch_ups: usize,
    /// The code that the last connection was closed with.
    pub closed_with: Option<u16>,
    /// Whether all that the relay had when this connection joined is in the document.
    pub synced: bool,
    /// Every status so far.
    pub statuses: Vec<Status>,
    started: Instant,
}

impl Person {
    /// Somebody whose replica has this number, not connected yet.
    pub fn new(replica: u64, document: &str) -> Self {
        Self {
            doc: Doc::new(ReplicaId::new(replica)),
            client: Client::new(document),
            socket: None,
            receive_buffer: None,
            catch_ups: 0,
            closed_with: None,
            synced: false,
            statuses: Vec::new(),
            started: Instant::now(),
        }
    }

    /// Connects and waits until the document is up to date.
    pub async fn join(address: SocketAddr, replica: u64, document: &str) -> Self {
        let mut person = Self::new(replica, document);
        assert!(person.connect(address).await, "nobody listens on {address}");
        person.until("up to date", |person| person.synced).await;
        person
    }

    /// Connects; `false` if nobody listens.
    pub async fn connect(&mut self, address: SocketAddr) -> bool {
        self.socket = open_socket(address, self.receive_buffer).await;
        self.closed_with = None;
        self.synced = false;
        if self.socket.is_none() {
            return false;
        }
        let outputs = self.client.connected(&self.doc);
        self.perform(outputs).await;
        self.socket.is_some()
    }

    pub async fn insert(&mut self, position: usize, text: &str) {
        self.doc.insert(position, text).unwrap();
        let outputs = self.client.local_change(&self.doc);
        self.perform(outputs).await;
    }

    pub async fn delete(&mut self, range: std::ops::Range<usize>) {
        self.doc.delete(range).unwrap();
        let outputs = self.client.local_change(&self.doc);
        self.perform(outputs).await;
    }

    pub async fn show(&mut self, state: &[u8]) {
        let outputs = self.client.set_presence(Some(state)).unwrap();
        self.perform(outputs).await;
    }

    /// Takes what comes until `reached`, or for ever if the connection is lost before.
    pub async fn until(&mut self, what: &str, reached: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !reached(self) {
                self.step().await;
            }
        };
        if timeout(PATIENCE, waiting).await.is_err() {
            panic!("not {what}: {:?}, closed with {:?}", self.client.status(), self.closed_with);
        }
    }

    pub async fn until_saved(&mut self) {
        self.until("saved", |person| *person.client.status() == Status::Saved).await;
    }

    pub async fn until_text(&mut self, text: &str) {
        self.until(text, |person| person.doc.text() == text).await;
    }

    /// Takes what comes until the connection is closed; the code.
    pub async fn until_closed(&mut self) -> Option<u16> {
        self.until("closed", |person| person.socket.is_none()).await;
        self.closed_with
    }

    /// Takes one message, or lets a little time pass.
    pub async fn step(&mut self) {
        let Some(socket) = &mut self.socket else { return std::future::pending().await };
        match timeout(TICK, socket.next()).await {
            Err(_elapsed) => {
                let now_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap();
                let outputs = self.client.tick(&self.doc, now_ms);
                self.perform(outputs).await;
            }
            Ok(Some(Ok(Message::Binary(message)))) => {
                self.catch_ups += usize::from(matches!(
                    Frame::decode(&message),
                    Ok((_, Frame::Sync { .. } | Frame::Fragment { start: 0, .. }))
                ));
                let outputs = self.client.receive(&mut self.doc, &message);
                self.perform(outputs).await;
            }
            Ok(Some(Ok(Message::Close(frame)))) => {
                self.closed_with = self.closed_with.or(frame.map(|frame| frame.code.into()));
            }
            Ok(Some(Ok(_))) => {}
            Ok(Some(Err(_)) | None) => self.disconnect(),
        }
    }

    /// Drops the connection without a word.
    pub fn disconnect(&mut self) {
        self.socket = None;
        let outputs = self.client.disconnected(&self.doc, self.closed_with.map(CloseCode));
        self.note(&outputs);
    }

    fn note(&mut self, outputs: &[Output]) {
        self.synced |= outputs.contains(&Output::Synced);
        self.statuses.extend(outputs.iter().filter_map(|output| match output {
            Output::Status(status) => Some(status.clone()),
            _ => None,
        }));
    }

    async fn perform(&mut self, outputs: Vec<Output>) {
        self.note(&outputs);
        for output in outputs {
            let Some(socket) = &mut self.socket else { return };
            match output {
                // A connection that is gone is noticed by reading it to its end.
                Output::Send(message) => drop(socket.send(Message::binary(message)).await),
                Output::Close { code, .. } => {
                    // What the server has said last counts: read on until it has closed.
                    self.closed_with = Some(code.0);
                    drop(socket.close(None).await);
                }
                _ => {}
            }
        }
    }
}
