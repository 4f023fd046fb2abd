//! What waits to be written to one session, bounded in bytes.
//!
//! Nobody waits for a slow reader, and none is left with a hole that it does not learn of. Of the frames
//! that it has not read, updates by others are the bulk: above the budget they are left out, until
//! the room has announced its head, the session has asked for what it lacks, and one `Sync` that holds
//! all of it is queued. A session that lags too far, or leaves other frames unread, is closed, and
//! comes back with a version vector that says what it lacks.
//!
//! Catch-up, and the pieces of frames larger than a message, count in a budget of their own: they are as
//! large as the document, come rarely, and cannot be read faster than they arrive.

use crate::limits::{SESSION_CATCH_UP_BYTES, SESSION_LAG_FACTOR};
use bytes::Bytes;
use crdt_core::sync::{CloseCode, Frame};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, watch};

/// How a connection ends: the close code and a few words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Why, for programs.
    pub code: CloseCode,
    /// Why, for people.
    pub text: String,
}

impl Closing {
    /// Pairs a code and a text.
    pub fn new(code: CloseCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

/// The sending end; cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbox {
    frames: mpsc::UnboundedSender<Queued>,
    urgent: Arc<watch::Sender<Option<Closing>>>,
    unread: Arc<Unread>,
    live_limit_bytes: usize,
}

/// The end that the connection writes from.
#[derive(Debug)]
pub struct OutboxReader {
    frames: mpsc::UnboundedReceiver<Queued>,
    urgent: watch::Receiver<Option<Closing>>,
    unread: Arc<Unread>,
}

/// Bytes queued and not yet written, and those left out.
#[derive(Debug, Default)]
struct Unread(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    live: usize,
    catch_up: usize,
    /// What updates left out came to since the first of them; `None` if none is.
    left_out: Option<usize>,
}

impl Unread {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Numbers are right after any panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
enum Queued {
    Frame(Bytes),
    Close(Closing),
}

/// What to write next.
#[derive(Debug)]
pub enum Outgoing {
    /// A message; it counts in the budget until [`OutboxReader::written`].
    Frame(Bytes),
    /// The end.
    Close(Closing),
}

/// What a message is, as far as that matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// An update, whole: a `Sync` can make up for it.
    Update,
    /// A `Sync`, or its first piece: makes up for everything before it.
    Sync,
    /// Another piece.
    Piece,
    /// Anything else.
    Other,
}

impl Kind {
    fn of(message: &[u8]) -> Self {
        match Frame::decode(message) {
            Ok((_, Frame::Update { .. })) => Self::Update,
            Ok((_, Frame::Sync { .. })) => Self::Sync,
            Ok((_, Frame::Fragment { start: 0, piece, .. }))
                if piece.first() == Some(&Frame::Sync { up_to: 0, delta: &[] }.kind()) =>
            {
                Self::Sync
            }
            Ok((_, Frame::Fragment { .. })) => Self::Piece,
            _ => Self::Other,
        }
    }
}

impl Counts {
    fn of(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Update | Kind::Other => &mut self.live,
            Kind::Sync | Kind::Piece => &mut self.catch_up,
        }
    }

    /// Counts a message. `Ok(false)`: it is to be left out. `Err`: the session has left so many bytes
    /// unread that it must go.
    fn admit(&mut self, kind: Kind, bytes: usize, live_limit_bytes: usize) -> Result<bool, usize> {
        // What finds nothing of its kind waiting is always let in, however large.
        let fits = |before: usize, limit: usize| before == 0 || before + bytes <= limit;
        if kind == Kind::Update && (self.left_out.is_some() || !fits(self.live, live_limit_bytes)) {
            let left_out = self.left_out.insert(self.left_out.unwrap_or(0) + bytes);
            let limit = live_limit_bytes.saturating_mul(SESSION_LAG_FACTOR);
            return if *left_out > limit { Err(limit) } else { Ok(false) };
        }
        // Updates never fill the second half of the live budget.
        let limit = match kind {
            Kind::Update | Kind::Other => live_limit_bytes.saturating_mul(2),
            Kind::Sync | Kind::Piece => SESSION_CATCH_UP_BYTES,
        };
        let waiting = self.of(kind);
        if !fits(*waiting, limit) {
            return Err(limit);
        }
        *waiting += bytes;
        if kind == Kind::Sync {
            self.left_out = None;
        }
        Ok(true)
    }
}

impl Outbox {
    /// An outbox that holds up to `live_limit_bytes` of live frames.
    pub fn new(live_limit_bytes: usize) -> (Self, OutboxReader) {
        let (frames, queue) = mpsc::unbounded_channel();
        let (urgent, urgent_reader) = watch::channel(None);
        let unread = Arc::new(Unread::default());
        let outbox = Self { frames, urgent: Arc::new(urgent), unread: unread.clone(), live_limit_bytes };
        (outbox, OutboxReader { frames: queue, urgent: urgent_reader, unread })
    }

    /// Queues a message; if too much was not read, leaves an update out or closes the session.
    pub fn send(&self, message: Bytes) {
        let admitted = self.unread.lock().admit(Kind::of(&message), message.len(), self.live_limit_bytes);
        match admitted {
            // An error means that the connection has ended, which its session is told elsewhere.
            Ok(true) => drop(self.frames.send(Queued::Frame(message))),
            Ok(false) => {}
            Err(limit_bytes) => {
                let text = format!("more than {limit_bytes} bytes were not read");
                self.close_now(Closing::new(CloseCode::SLOW_READER, text));
            }
        }
    }

    /// Ends the connection after what is queued.
    pub fn close(&self, closing: Closing) {
        drop(self.frames.send(Queued::Close(closing)));
    }

    /// Ends the connection without writing what is queued. The first reason given stays.
    pub fn close_now(&self, closing: Closing) {
        self.urgent.send_if_modified(|reason| {
            let first = reason.is_none();
            reason.get_or_insert(closing);
            first
        });
    }
}

impl OutboxReader {
    /// Waits for the next thing to write; `None` when every sending end is gone.
    pub async fn next(&mut self) -> Option<Outgoing> {
        let next = tokio::select! {
            biased;
            closing = wait_urgent(&mut self.urgent) => return Some(Outgoing::Close(closing)),
            next = self.frames.recv() => next?,
        };
        Some(match next {
            Queued::Frame(message) => Outgoing::Frame(message),
            Queued::Close(closing) => Outgoing::Close(closing),
        })
    }

    /// Takes a message that was written out of its budget.
    pub fn written(&self, message: &[u8]) {
        *self.unread.lock().of(Kind::of(message)) -= message.len();
    }

    /// Resolves when the connection must end without writing what is queued.
    pub fn urgent(&self) -> impl Future<Output = Closing> + use<> {
        let mut urgent = self.urgent.clone();
        async move { wait_urgent(&mut urgent).await }
    }
}

async fn wait_urgent(urgent: &mut watch::Receiver<Option<Closing>>) -> Closing {
    if let Ok(reason) = urgent.wait_for(Option::is_some).await
        && let Some(closing) = &*reason
    {
        return closing.clone();
    }
    // Nobody is left who could ask.
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn drain(reader: &mut OutboxReader) -> Vec<Outgoing> {
        let mut all = Vec::new();
        while let Some(next) = reader.next().await {
            let last = matches!(next, Outgoing::Close(_));
            all.push(next);
            if last {
                break;
            }
        }
        all
    }

    fn other(len: usize) -> Bytes {
        vec![0; len].into()
    }

    fn update(log_seq: u64) -> Bytes {
        let replica = crdt_core::ReplicaId::new(1);
        Frame::Update { log_seq, replica, from: 0, to: 1, delta: &[7; 80] }.encode(1).into()
    }

    fn sync(len: usize) -> Bytes {
        Frame::Sync { up_to: 1, delta: &vec![7; len] }.encode(1).into()
    }

    async fn frames(reader: &mut OutboxReader, count: usize) -> Vec<Bytes> {
        let mut frames = Vec::new();
        for _ in 0..count {
            let Some(Outgoing::Frame(message)) = reader.next().await else { panic!("a close") };
            reader.written(&message);
            frames.push(message);
        }
        frames
    }

    #[tokio::test]
    async fn updates_over_the_budget_are_left_out_until_a_sync_makes_up_for_them() {
        let (outbox, mut reader) = Outbox::new(200);
        let mut expected = vec![update(1), update(2)];
        for log_seq in 1..=5 {
            outbox.send(update(log_seq));
        }
        assert_eq!(frames(&mut reader, 2).await, expected);
        // There is room again, but an update after a hole would have to wait at the client.
        outbox.send(update(6));
        expected = vec![other(1), sync(5), update(7)];
        expected.iter().cloned().for_each(|message| outbox.send(message));
        assert_eq!(frames(&mut reader, 3).await, expected);
    }

    #[tokio::test]
    async fn the_first_piece_of_a_large_sync_makes_up_too_and_that_of_a_large_update_does_not() {
        let (outbox, mut reader) = Outbox::new(100);
        let piece = |of: &Bytes| Bytes::from(Frame::Fragment { total: 99, start: 0, piece: of }.encode(1));
        let expected = [update(1), piece(&update(3)), piece(&sync(1))];
        outbox.send(update(1));
        outbox.send(update(2));
        outbox.send(piece(&update(3)));
        outbox.send(update(4));
        outbox.send(piece(&sync(1)));
        assert_eq!(frames(&mut reader, 3).await, expected);
        outbox.send(update(5));
        assert_eq!(frames(&mut reader, 1).await, [update(5)]);
    }

    #[tokio::test]
    async fn a_session_that_lags_too_far_is_closed_at_once() {
        let (outbox, mut reader) = Outbox::new(100);
        (1..=100).for_each(|log_seq| outbox.send(update(log_seq)));
        let all = drain(&mut reader).await;
        let [Outgoing::Close(closing)] = &all[..] else { panic!("{all:?}") };
        assert_eq!(closing.code, CloseCode::SLOW_READER);
    }

    #[tokio::test]
    async fn frames_that_nothing_makes_up_for_close_the_session() {
        let (outbox, mut reader) = Outbox::new(10);
        outbox.send(other(15));
        outbox.send(other(6));
        let all = drain(&mut reader).await;
        let [Outgoing::Close(closing)] = &all[..] else { panic!("{all:?}") };
        assert_eq!(closing.code, CloseCode::SLOW_READER);
    }

    #[tokio::test]
    async fn catch_up_does_not_count_as_live_and_one_large_message_passes() {
        let (outbox, mut reader) = Outbox::new(10);
        outbox.send(sync(100));
        outbox.send(sync(100));
        outbox.send(other(50));
        outbox.close(Closing::new(CloseCode::GOING_AWAY, "end"));
        assert_eq!(drain(&mut reader).await.len(), 4);
    }

    #[tokio::test]
    async fn a_written_message_frees_its_share() {
        let (outbox, mut reader) = Outbox::new(10);
        for _ in 0..5 {
            outbox.send(other(10));
            frames(&mut reader, 1).await;
        }
    }
}
