//! What waits to be written to one session, bounded in bytes.
//!
//! Nothing is ever dropped silently and nobody waits for a slow reader: a session whose live frames
//! exceed the budget is closed, and comes back with a version vector that says what it lacks.
//! Catch-up after a join, and the pieces of frames larger than a message, count in a budget of their
//! own: they are as large as the document, come rarely, and cannot be read faster than they arrive.

use crate::limits::SESSION_CATCH_UP_BYTES;
use bytes::Bytes;
use crdt_core::sync::{CloseCode, Frame};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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

/// Bytes queued and not yet written.
#[derive(Debug, Default)]
struct Unread {
    live: AtomicUsize,
    catch_up: AtomicUsize,
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

/// Which budget a message counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Budget {
    Live,
    CatchUp,
}

impl Budget {
    fn of(message: &[u8]) -> Self {
        let sync = Frame::Sync { up_to: 0, delta: &[] }.kind();
        let fragment = Frame::Fragment { total: 0, start: 0, piece: &[] }.kind();
        let is_catch_up = message.first().is_some_and(|&kind| kind == sync || kind == fragment);
        if is_catch_up { Self::CatchUp } else { Self::Live }
    }
}

impl Unread {
    fn of(&self, budget: Budget) -> &AtomicUsize {
        match budget {
            Budget::Live => &self.live,
            Budget::CatchUp => &self.catch_up,
        }
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

    /// Queues a message; closes the session instead if it has left too much unread. A message that
    /// finds nothing of its budget waiting is always queued.
    pub fn send(&self, message: Bytes) {
        let budget = Budget::of(&message);
        let limit_bytes = match budget {
            Budget::Live => self.live_limit_bytes,
            Budget::CatchUp => SESSION_CATCH_UP_BYTES,
        };
        let before = self.unread.of(budget).fetch_add(message.len(), Ordering::Relaxed);
        if before > 0 && before + message.len() > limit_bytes {
            let text = format!("more than {limit_bytes} bytes were not read");
            self.close_now(Closing::new(CloseCode::SLOW_READER, text));
            return;
        }
        // An error means that the connection has ended, which its session is told elsewhere.
        drop(self.frames.send(Queued::Frame(message)));
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
        self.unread.of(Budget::of(message)).fetch_sub(message.len(), Ordering::Relaxed);
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

    fn live(len: usize) -> Bytes {
        Bytes::from(vec![0; len])
    }

    fn catch_up(len: usize) -> Bytes {
        Frame::Sync { up_to: 1, delta: &vec![0; len] }.encode(1).into()
    }

    #[tokio::test]
    async fn live_frames_over_the_budget_close_the_session_at_once() {
        let (outbox, mut reader) = Outbox::new(10);
        outbox.send(live(6));
        outbox.send(live(6));
        let all = drain(&mut reader).await;
        let [Outgoing::Close(closing)] = &all[..] else { panic!("{all:?}") };
        assert_eq!(closing.code, CloseCode::SLOW_READER);
    }

    #[tokio::test]
    async fn catch_up_does_not_count_as_live_and_one_large_message_passes() {
        let (outbox, mut reader) = Outbox::new(10);
        outbox.send(catch_up(100));
        outbox.send(catch_up(100));
        outbox.send(live(50));
        outbox.close(Closing::new(CloseCode::GOING_AWAY, "end"));
        assert_eq!(drain(&mut reader).await.len(), 4);
    }

    #[tokio::test]
    async fn a_written_message_frees_its_share() {
        let (outbox, mut reader) = Outbox::new(10);
        for _ in 0..5 {
            outbox.send(live(10));
            let Some(Outgoing::Frame(message)) = reader.next().await else { panic!() };
            reader.written(&message);
        }
    }
}
