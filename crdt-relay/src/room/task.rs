//! The task that owns one document's [`RoomState`]: it takes requests off a queue, hands batches to
//! the store, and delivers what the state says. It decides nothing about the protocol.
//!
//! A room's life: read the document · serve · once nobody holds a ticket for a while, write a snapshot
//! and end. A failed store ends it at once, because its memory is then ahead of the disk; whoever comes
//! next reads the document again.

use super::limits::RoomLimits;
use super::registry::{Place, Progress, RoomEvent, RoomRequest, Visitors};
use super::state::{Opened, RoomOutput, RoomState};
use crate::batch::{Authorship, Batch};
use crate::document;
use crate::limits::{RETRY_OPEN, ROOM_TICK, ROOM_UNSTORED_BYTES};
use crate::outbox::{Closing, Outbox};
use crate::shutdown::{Running, Shutdown};
use crate::store::{DocumentName, Store, StoreError};
use crdt_core::sync::{CloseCode, JoinErrorCode, Permission, SessionId};
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

/// How rooms run.
#[derive(Clone, Debug)]
pub struct RoomSettings {
    /// What sessions may do.
    pub limits: RoomLimits,
    /// Operations between snapshots.
    pub snapshot_every_operations: u64,
    /// How long a room stays without a visitor.
    pub idle_unload: Duration,
}

/// What a room starts with.
pub(super) struct Start {
    pub(super) place: Place,
    pub(super) store: Arc<dyn Store>,
    pub(super) settings: RoomSettings,
    pub(super) shutdown: Shutdown,
    pub(super) progress: Progress,
    pub(super) queue: mpsc::Receiver<RoomRequest>,
    pub(super) visitors: Arc<Visitors>,
}

/// Runs a room from its opening to its end.
pub(super) async fn run(start: Start) {
    let Start { place, store, settings, shutdown, progress, mut queue, visitors } = start;
    let _running = progress.running;
    match open(&*store, &place.name).await {
        Ok((opened, tail_operations)) => {
            tracing::debug!(document = %place.name, handle = place.handle, head = opened.head, "opened");
            let room = Room {
                epoch: opened.epoch,
                state: RoomState::new(place.handle, opened, settings.limits),
                place,
                store,
                settings,
                visitors,
                members: HashMap::new(),
                appends: FuturesOrdered::new(),
                unstored_bytes: 0,
                tail_operations,
                snapshot: None,
                unload_wanted: false,
                started: Instant::now(),
            };
            room.serve(queue, shutdown, progress.storing).await;
        }
        Err(error) => {
            tracing::error!(document = %place.name, %error, "the document cannot be opened");
            refuse(&place, &mut queue).await;
        }
    }
}

/// Reads the document; gives also how many operations its newest snapshot does not cover.
async fn open(store: &dyn Store, name: &DocumentName) -> Result<(Opened, u64), StoreError> {
    let stored = store.open(name).await?;
    let lengths = stored.tail.iter().map(|batch| &batch.delta);
    let bytes =
        lengths.chain(stored.snapshot.as_ref().map(|snapshot| &snapshot.bytes)).map(bytes::Bytes::len);
    let bytes = u64::try_from(bytes.sum::<usize>()).unwrap_or(u64::MAX);
    let tail_operations = operations(&stored.tail);
    let loaded = document::load_off_thread(name.clone(), stored).await?;
    Ok((Opened { doc: loaded.doc, epoch: loaded.epoch, head: loaded.head, bytes }, tail_operations))
}

fn operations(batches: &[Batch]) -> u64 {
    batches.iter().map(|batch| u64::from(batch.to.saturating_sub(batch.from))).sum()
}

/// Gives the room's place up, and tells everybody who waits to be let in to come back later.
async fn refuse(place: &Place, queue: &mut mpsc::Receiver<RoomRequest>) {
    place.give_up();
    queue.close();
    while let Some(request) = queue.recv().await {
        if let RoomRequest::Join { join, events, .. } = request {
            // An error means that the connection has ended.
            let _ = events.send(RoomEvent::Refused {
                handle: place.handle,
                request: join.request,
                code: JoinErrorCode::Unavailable,
                retry_after_ms: u32::try_from(RETRY_OPEN.as_millis()).unwrap_or(u32::MAX),
            });
        }
    }
}

/// Where a session is reached.
struct Member {
    outbox: Outbox,
    events: mpsc::UnboundedSender<RoomEvent>,
}

/// Batches that were given to the store together.
struct Appended {
    last_log_seq: u64,
    bytes: usize,
    operations: u64,
    result: Result<(), StoreError>,
}

type Task<T> = Pin<Box<dyn Future<Output = T> + Send>>;

struct Room {
    place: Place,
    store: Arc<dyn Store>,
    settings: RoomSettings,
    visitors: Arc<Visitors>,
    epoch: u64,
    state: RoomState,
    members: HashMap<SessionId, Member>,
    /// Answers come in the order of the log, whatever order the store gives them in.
    appends: FuturesOrdered<Task<Appended>>,
    unstored_bytes: usize,
    /// Operations stored since the last snapshot was begun.
    tail_operations: u64,
    /// A snapshot that is being written.
    snapshot: Option<Task<Result<(), StoreError>>>,
    /// Nobody was here for a while: end as soon as nothing is left to do.
    unload_wanted: bool,
    started: Instant,
}

impl Room {
    async fn serve(
        mut self,
        mut queue: mpsc::Receiver<RoomRequest>,
        mut shutdown: Shutdown,
        storing: Running,
    ) {
        let mut storing = Some(storing);
        let mut idle_at: Option<Instant> = None;
        let mut ticks = interval(ROOM_TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let stopping = storing.is_none() || shutdown.is_requested();
            tokio::select! {
                request = queue.recv(), if !stopping && self.unstored_bytes < ROOM_UNSTORED_BYTES => {
                    let Some(request) = request else { return };
                    if matches!(request, RoomRequest::Join { .. }) {
                        idle_at = None;
                        self.unload_wanted = false;
                    }
                    self.receive(request);
                }
                Some(appended) = self.appends.next(), if !self.appends.is_empty() => {
                    if let Err(error) = self.appended(appended) {
                        return self.fail(&error, &mut queue).await;
                    }
                }
                _ = ticks.tick(), if self.state.wants_tick() => {
                    let outputs = self.state.tick(self.now_ms());
                    self.deliver(outputs);
                }
                result = poll_some(&mut self.snapshot), if self.snapshot.is_some() => {
                    self.snapshot = None;
                    if let Err(error) = result {
                        tracing::error!(document = %self.place.name, %error, "no snapshot was written");
                    }
                }
                () = self.visitors.gone() => {
                    if !self.visitors.any() {
                        idle_at = Some(Instant::now() + self.settings.idle_unload);
                    }
                }
                () = sleep_until(idle_at.unwrap_or(self.started)), if idle_at.is_some() => {
                    idle_at = None;
                    self.unload_wanted = !self.visitors.any();
                }
                () = shutdown.requested(), if !stopping => {}
            }
            if shutdown.is_requested() {
                if self.appends.is_empty() {
                    storing = None;
                }
                if storing.is_none() && self.has_nothing_to_do() {
                    tracing::debug!(document = %self.place.name, "stopped");
                    return;
                }
            } else if self.unload_wanted
                && queue.is_empty()
                && self.state.is_idle()
                && self.has_nothing_to_do()
            {
                if self.place.give_up_if_unvisited() {
                    tracing::debug!(document = %self.place.name, "unloaded");
                    return;
                }
                self.unload_wanted = false;
            } else if self.tail_operations >= self.settings.snapshot_every_operations {
                self.begin_snapshot();
            }
        }
    }

    fn receive(&mut self, request: RoomRequest) {
        let outputs = match request {
            RoomRequest::Join { session, join, outbox, events } => {
                self.members.insert(session, Member { outbox, events });
                self.state.join(session, &join, Permission::Write)
            }
            RoomRequest::Frame { session, frame } => self.state.receive(self.now_ms(), session, &frame),
            RoomRequest::Leave { session } => {
                self.members.remove(&session);
                self.state.leave(session);
                Vec::new()
            }
        };
        self.deliver(outputs);
    }

    fn deliver(&mut self, outputs: Vec<RoomOutput>) {
        let mut batches = Vec::new();
        for output in outputs {
            match output {
                RoomOutput::Send { session, message } => {
                    if let Some(member) = self.members.get(&session) {
                        member.outbox.send(message);
                    }
                }
                RoomOutput::Store(batch) => batches.push(batch),
                RoomOutput::Close { session, code, text } => {
                    if let Some(member) = self.members.remove(&session) {
                        member.outbox.close(Closing::new(code, text));
                        // An error means that the connection has ended.
                        let _ = member.events.send(RoomEvent::Closed { handle: self.place.handle });
                    }
                }
            }
        }
        self.append(batches);
    }

    fn append(&mut self, batches: Vec<Batch>) {
        let Some(last) = batches.last() else { return };
        let last_log_seq = last.log_seq;
        let bytes = batches.iter().map(|batch| batch.delta.len()).sum();
        let operations = operations(&batches);
        // There are no accounts yet. A name that a client shows (presence) is its own word, and is not taken.
        let by = Authorship { user: "".into(), time_ms: wall_clock_ms() };
        // Called here, not in the future: the store commits in the order of the calls.
        let append = self.store.append(&self.place.name, self.epoch, batches, by);
        self.unstored_bytes += bytes;
        self.appends.push_back(Box::pin(async move {
            Appended { last_log_seq, bytes, operations, result: append.await }
        }));
    }

    fn appended(&mut self, appended: Appended) -> Result<(), StoreError> {
        self.unstored_bytes -= appended.bytes;
        appended.result?;
        self.tail_operations += appended.operations;
        let outputs = self.state.stored(appended.last_log_seq);
        self.deliver(outputs);
        Ok(())
    }

    /// Whether the log is stored and covered by a snapshot; begins one if not.
    fn has_nothing_to_do(&mut self) -> bool {
        if self.snapshot.is_none() && self.appends.is_empty() && self.tail_operations > 0 {
            self.begin_snapshot();
        }
        self.snapshot.is_none() && self.appends.is_empty()
    }

    fn begin_snapshot(&mut self) {
        if self.snapshot.is_none() {
            // A failed one is tried again after as many operations, not with each.
            self.tail_operations = 0;
            let (store, name) = (self.store.clone(), self.place.name.clone());
            self.snapshot = Some(Box::pin(async move { document::compact(&*store, &name).await }));
        }
    }

    /// Ends the room because a batch is not known to be stored: nothing of it was acknowledged or
    /// passed on, nor of any after it.
    async fn fail(mut self, error: &StoreError, queue: &mut mpsc::Receiver<RoomRequest>) {
        tracing::error!(document = %self.place.name, %error, "closing the room: a batch was not stored");
        let outputs = self.state.store_failed();
        self.deliver(outputs);
        // Only when no write is on its way any more, another room may read what there is.
        while self.appends.next().await.is_some() {}
        refuse(&self.place, queue).await;
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for member in self.members.values() {
                member.outbox.close(Closing::new(CloseCode::STORE_FAILED, "the room has broken down"));
            }
        }
    }
}

/// Milliseconds since 1970 in UTC, as the machine has them.
fn wall_clock_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Waits for the task in `slot`, which stays there until it is done.
async fn poll_some<T>(slot: &mut Option<Task<T>>) -> T {
    match slot {
        Some(task) => task.await,
        None => std::future::pending().await,
    }
}
