//! The process as a whole: what its parts share, how it starts, and the order in which it stops.

use crate::config::Config;
use crate::connection::{self, Context};
use crate::limits::{WEBSOCKET_READ_BUFFER_BYTES, WEBSOCKET_WRITE_BUFFER_BYTES};
use crate::room::{Progress, Registry, RoomLimits, RoomSettings, SessionLimits};
use crate::shutdown::{Finished, Running, Shutdown, ShutdownTrigger};
use crate::store::{Store, StoreError};
use crate::{document, http};
use axum::extract::ws::WebSocketUpgrade;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::{error, fmt, io};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

/// What requests and connections share.
pub struct Relay {
    config: Config,
    store: Arc<dyn Store>,
    registry: Arc<Registry>,
    stopping: Shutdown,
    goodbye: Shutdown,
    connections: Arc<Semaphore>,
    /// Held by every connection; `None` once there shall be no new one.
    connected: Mutex<Option<Running>>,
}

impl Relay {
    /// The options.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where documents are kept.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// Whether a stop was asked for.
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_requested()
    }

    /// Turns a request into a connection of the sync protocol.
    pub(crate) fn accept(&self, upgrade: WebSocketUpgrade) -> Response {
        let unavailable = |why: &'static str| (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
        let running = self.connected.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(running) = running else { return unavailable("the relay stops\n") };
        let Ok(permit) = self.connections.clone().try_acquire_owned() else {
            tracing::warn!(limit = self.config.max_connections, "refused a connection: there are too many");
            return unavailable("there are too many connections\n");
        };
        // Random, so that the name stays one session's on many relays and over restarts.
        let session = match document::draw_replica() {
            Ok(drawn) => drawn.get(),
            Err(error) => {
                tracing::error!(%error, "refused a connection");
                return unavailable("no random number\n");
            }
        };
        let limits = self.session_limits();
        // A message somewhat over the limit is read whole, so that the session can say why it ends: a
        // socket closed with unread bytes is reset, and the close code may be lost on the way.
        let message_bytes =
            usize::try_from(limits.frames.frame_bytes).unwrap_or(usize::MAX).saturating_mul(2);
        let context = Context {
            registry: self.registry.clone(),
            session,
            limits,
            session_buffer_bytes: self.config.session_buffer_bytes,
            goodbye: self.goodbye.clone(),
        };
        upgrade
            .read_buffer_size(WEBSOCKET_READ_BUFFER_BYTES)
            .write_buffer_size(WEBSOCKET_WRITE_BUFFER_BYTES)
            .max_frame_size(message_bytes)
            .max_message_size(message_bytes)
            .on_upgrade(async move |socket| {
                connection::run(socket, context).await;
                drop((running, permit));
            })
    }

    fn session_limits(&self) -> SessionLimits {
        let hello_deadline_ms = u64::try_from(self.config.hello_deadline.as_millis()).unwrap_or(u64::MAX);
        SessionLimits { hello_deadline_ms, ..SessionLimits::default() }
    }
}

/// A relay that listens.
pub struct Server {
    relay: Arc<Relay>,
    listener: TcpListener,
    address: SocketAddr,
    stop: ShutdownTrigger,
    say_goodbye: ShutdownTrigger,
    rooms_stored: Finished,
    rooms_ended: Finished,
    connections_ended: Finished,
}

impl Server {
    /// Listens; connections wait until [`Server::run`].
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub async fn bind(config: Config, store: Arc<dyn Store>) -> Result<Self, ServerError> {
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(|error| ServerError::Listen { address: config.listen, error })?;
        let address = listener.local_addr().map_err(ServerError::Serve)?;
        let (stop, stopping) = ShutdownTrigger::new();
        let (say_goodbye, goodbye) = ShutdownTrigger::new();
        let (storing, rooms_stored) = Running::new();
        let (running, rooms_ended) = Running::new();
        let (connected, connections_ended) = Running::new();
        let settings = RoomSettings {
            limits: RoomLimits {
                sessions: config.max_document_sessions,
                document_bytes: config.max_document_bytes,
                batches_per_second: config.max_batches_per_second,
                batch_burst: config.max_batches_per_second.saturating_mul(2),
                ..RoomLimits::default()
            },
            snapshot_every_operations: config.snapshot_every_operations,
            idle_unload: config.idle_unload,
        };
        let progress = Progress { storing, running };
        let relay = Relay {
            registry: Registry::new(store.clone(), settings, stopping.clone(), progress),
            connections: Arc::new(Semaphore::new(config.max_connections.min(Semaphore::MAX_PERMITS))),
            config,
            store,
            stopping,
            goodbye,
            connected: Mutex::new(Some(connected)),
        };
        Ok(Self {
            relay: Arc::new(relay),
            listener,
            address,
            stop,
            say_goodbye,
            rooms_stored,
            rooms_ended,
            connections_ended,
        })
    }

    /// The address that it listens on, with the port that the system has chosen.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// How many documents are in memory, and every change of that.
    pub fn open_documents(&self) -> watch::Receiver<usize> {
        self.relay.registry.open_rooms()
    }

    /// Serves until `stop_asked_for` resolves, then stops in this order: nothing new is accepted ·
    /// rooms store and acknowledge what they have accepted · connections are told to come back later ·
    /// rooms write their snapshots · the store is closed.
    ///
    /// # Errors
    /// If serving or closing the store failed, or the stop took longer than its deadline.
    pub async fn run(self, stop_asked_for: impl Future<Output = ()>) -> Result<(), ServerError> {
        let Self { relay, listener, stop, say_goodbye, rooms_stored, rooms_ended, connections_ended, .. } =
            self;
        let listener = listener.tap_io(|stream| {
            // A keystroke must not wait for the acknowledgement of the one before. An error means that
            // the connection is gone, which reading it will tell.
            drop(stream.set_nodelay(true));
        });
        let mut stopping = relay.stopping.clone();
        let serve = axum::serve(listener, http::router(&relay))
            .with_graceful_shutdown(async move { stopping.requested().await });
        let mut serving = tokio::spawn(serve.into_future());
        tracing::info!(address = %self.address, data = %relay.config.data.display(), "serving");
        tokio::select! {
            ended = &mut serving => return Err(ServerError::Serve(flatten(ended).err().unwrap_or_else(||
                io::Error::other("serving ended by itself")))),
            () = stop_asked_for => {}
        }
        stop.pull();
        relay.registry.close();
        relay.connected.lock().unwrap_or_else(PoisonError::into_inner).take();
        let deadline = relay.config.shutdown_deadline;
        let stopped = timeout(deadline, async {
            rooms_stored.finished().await;
            say_goodbye.pull();
            connections_ended.finished().await;
            rooms_ended.finished().await;
            relay.store.close().await.map_err(ServerError::Store)?;
            flatten((&mut serving).await).map_err(ServerError::Serve)
        });
        match stopped.await {
            Ok(result) => result.inspect(|()| tracing::info!("stopped, everything is stored")),
            Err(_elapsed) => Err(ServerError::Deadline),
        }
    }
}

fn flatten(ended: Result<io::Result<()>, tokio::task::JoinError>) -> io::Result<()> {
    ended.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// Why a relay could not run, or not stop well.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerError {
    /// The address cannot be listened on.
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// Serving failed.
    Serve(io::Error),
    /// The store could not be closed.
    Store(StoreError),
    /// Stopping took too long and was cut off. What was acknowledged is stored all the same.
    Deadline,
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { address, error } => write!(f, "cannot listen on {address}: {error}"),
            Self::Serve(error) => write!(f, "serving failed: {error}"),
            Self::Store(error) => error.fmt(f),
            Self::Deadline => f.write_str("stopping took longer than its deadline and was cut off"),
        }
    }
}

impl error::Error for ServerError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Listen { error, .. } | Self::Serve(error) => Some(error),
            Self::Store(error) => Some(error),
            Self::Deadline => None,
        }
    }
}
