//! Which rooms are open. Opening one, entering one and closing one are one atomic step each.
//!
//! Whoever wants to be in a room holds a [`Ticket`]. Tickets are given out, and a room without any is
//! removed, under one lock that is never held across an await; so nobody can enter a room that is
//! about to go, and no document ever has two rooms.

use super::session::JoinRequest;
use super::task::{self, RoomSettings};
use crate::limits::ROOM_QUEUE;
use crate::outbox::Outbox;
use crate::shutdown::{Running, Shutdown};
use crate::store::{DocumentName, Store};
use bytes::Bytes;
use crdt_core::sync::{Handle, JoinErrorCode, SessionId};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc, watch};

/// What a connection asks of a room.
#[derive(Debug)]
pub enum RoomRequest {
    /// Lets a session in.
    Join {
        /// Who.
        session: SessionId,
        /// What it says of its copy.
        join: JoinRequest,
        /// Where its frames go.
        outbox: Outbox,
        /// Where it learns what is not a frame.
        events: mpsc::UnboundedSender<RoomEvent>,
    },
    /// A frame of a session.
    Frame {
        /// Whose.
        session: SessionId,
        /// The whole frame.
        frame: Bytes,
    },
    /// A session has left.
    Leave {
        /// Who.
        session: SessionId,
    },
}

/// What a room tells a connection besides frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomEvent {
    /// The document could not be opened, so the session is not in.
    Refused {
        /// The room.
        handle: Handle,
        /// The client's question.
        request: u32,
        /// Why.
        code: JoinErrorCode,
        /// When to ask again.
        retry_after_ms: u32,
    },
    /// The session is out of the room.
    Closed {
        /// The room.
        handle: Handle,
    },
}

/// The right to be in a room: as long as it is held, the room stays open, unless its store fails.
#[derive(Debug)]
pub struct Ticket {
    /// The room's number on the wire.
    pub handle: Handle,
    requests: mpsc::Sender<RoomRequest>,
    visitors: Arc<Visitors>,
}

impl Ticket {
    /// Asks something of the room; waits while its queue is full. `false` if the room is gone.
    pub async fn ask(&self, request: RoomRequest) -> bool {
        self.requests.send(request).await.is_ok()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.visitors.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.visitors.gone.notify_one();
        }
    }
}

/// How many tickets of a room are out.
#[derive(Debug, Default)]
pub(super) struct Visitors {
    count: AtomicUsize,
    gone: Notify,
}

impl Visitors {
    pub(super) fn any(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0
    }

    /// Resolves when the last ticket was given back, possibly some time ago: look again then.
    pub(super) async fn gone(&self) {
        self.gone.notified().await;
    }
}

#[derive(Debug)]
struct Entry {
    handle: Handle,
    requests: mpsc::Sender<RoomRequest>,
    visitors: Arc<Visitors>,
}

/// The open rooms of this process.
pub struct Registry {
    store: Arc<dyn Store>,
    settings: RoomSettings,
    shutdown: Shutdown,
    rooms: Mutex<Rooms>,
    open: watch::Sender<usize>,
}

struct Rooms {
    by_name: HashMap<DocumentName, Entry>,
    last_handle: Handle,
    /// What new rooms hold; `None` once there shall be none.
    progress: Option<Progress>,
}

/// What each room holds, so that a shutdown knows how far all of them are.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Until a room that was asked to stop has stored all that it accepted.
    pub storing: Running,
    /// Until a room has ended.
    pub running: Running,
}

impl Registry {
    /// A registry without rooms.
    pub fn new(
        store: Arc<dyn Store>,
        settings: RoomSettings,
        shutdown: Shutdown,
        progress: Progress,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            settings,
            shutdown,
            rooms: Mutex::new(Rooms { by_name: HashMap::new(), last_handle: 0, progress: Some(progress) }),
            open: watch::Sender::new(0),
        })
    }

    /// Enters the room of a document, opening it if there is none. `None` after [`Registry::close`].
    ///
    /// The document is read by the room's own task: requests wait in its queue meanwhile.
    pub fn enter(self: &Arc<Self>, name: &DocumentName) -> Option<Ticket> {
        let mut rooms = self.lock();
        let rooms = &mut *rooms;
        let progress = rooms.progress.clone()?;
        let entry = rooms.by_name.entry(name.clone()).or_insert_with(|| {
            rooms.last_handle = rooms.last_handle.checked_add(1).unwrap_or(1);
            let (requests, queue) = mpsc::channel(ROOM_QUEUE);
            let entry = Entry { handle: rooms.last_handle, requests, visitors: Arc::default() };
            let place = Place { registry: self.clone(), name: name.clone(), handle: entry.handle };
            tokio::spawn(task::run(task::Start {
                place,
                store: self.store.clone(),
                settings: self.settings.clone(),
                shutdown: self.shutdown.clone(),
                progress,
                queue,
                visitors: entry.visitors.clone(),
            }));
            entry
        });
        entry.visitors.count.fetch_add(1, Ordering::AcqRel);
        let ticket = Ticket {
            handle: entry.handle,
            requests: entry.requests.clone(),
            visitors: entry.visitors.clone(),
        };
        self.open.send_replace(rooms.by_name.len());
        Some(ticket)
    }

    /// Lets nobody in from now on. The rooms end when the shutdown is asked for.
    pub fn close(&self) {
        self.lock().progress = None;
    }

    /// How many rooms are open, and every change of that.
    pub fn open_rooms(&self) -> watch::Receiver<usize> {
        self.open.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Rooms> {
        // Nothing that panics runs under the lock, so a poisoned map is still a right one.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A room's place in the registry; given up when dropped, also when the room's task panics.
pub(super) struct Place {
    registry: Arc<Registry>,
    pub(super) name: DocumentName,
    pub(super) handle: Handle,
}

impl Place {
    /// Gives the place up if no ticket is out. Afterwards nothing can come in the room's queue any more.
    pub(super) fn give_up_if_unvisited(&self) -> bool {
        let mut rooms = self.registry.lock();
        let unvisited = rooms.by_name.get(&self.name).is_some_and(|entry| !entry.visitors.any());
        if unvisited {
            self.remove(&mut rooms);
        }
        unvisited
    }

    /// Gives the place up whoever holds tickets: what they ask from now on fails.
    pub(super) fn give_up(&self) {
        self.remove(&mut self.registry.lock());
    }

    fn remove(&self, rooms: &mut Rooms) {
        // By the handle, because another room may have taken the place meanwhile.
        if rooms.by_name.get(&self.name).is_some_and(|entry| entry.handle == self.handle) {
            rooms.by_name.remove(&self.name);
            self.registry.open.send_replace(rooms.by_name.len());
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.give_up();
    }
}
