//! What waits to be written to one session, bounded in bytes.
//!
//! Nothing is ever dropped silently and nobody waits for a slow reader: a session whose live frames
//! exceed the budget is closed, and comes back with a version vector that says what it lacks.
//! Catch-up after a join is not counted: it is as large as the document, and sent once.

use bytes::Bytes;
use crdt_core::sync::CloseCode;
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
    live_bytes: Arc<AtomicUsize>,
    budget_bytes: usize,
}

/// The end that the connection writes from.
#[derive(Debug)]
pub struct OutboxReader {
    frames: mpsc::UnboundedReceiver<Queued>,
    urgent: watch::Receiver<Option<Closing>>,
    live_bytes: Arc<AtomicUsize>,
}

#[derive(Debug)]
enum Queued {
    Frame { bytes: Bytes, live: bool },
    Close(Closing),
}

/// What to write next.
#[derive(Debug)]
pub enum Outgoing {
    /// A message, and what it counts in the budget until [`OutboxReader::written`].
    Frame {
        /// The message.
        bytes: Bytes,
        /// Its share of the budget.
        counted: Counted,
    },
    /// The end.
    Close(Closing),
}

/// What a message counts in the budget.
#[derive(Debug)]
#[must_use]
pub struct Counted(usize);

impl Outbox {
    /// An outbox that holds up to `budget_bytes` of live frames.
    pub fn new(budget_bytes: usize) -> (Self, OutboxReader) {
        let (frames, queue) = mpsc::unbounded_channel();
        let (urgent, urgent_reader) = watch::channel(None);
        let live_bytes = Arc::new(AtomicUsize::new(0));
        let outbox = Self { frames, urgent: Arc::new(urgent), live_bytes: live_bytes.clone(), budget_bytes };
        (outbox, OutboxReader { frames: queue, urgent: urgent_reader, live_bytes })
    }

    /// Queues a live frame; closes the session instead if that exceeds the budget.
    pub fn send(&self, bytes: Bytes) {
        let queued = self.live_bytes.fetch_add(bytes.len(), Ordering::Relaxed) + bytes.len();
        if queued > self.budget_bytes && queued > bytes.len() {
            let text = format!("more than {} bytes were not read", self.budget_bytes);
            self.close_now(Closing::new(CloseCode::SLOW_READER, text));
            return;
        }
        // An error means that the connection has ended, which its session is told elsewhere.
        drop(self.frames.send(Queued::Frame { bytes, live: true }));
    }

    /// Queues a frame of the catch-up after a join, which the budget does not count.
    pub fn send_catch_up(&self, bytes: Bytes) {
        drop(self.frames.send(Queued::Frame { bytes, live: false }));
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
            Queued::Frame { bytes, live } => {
                let counted = Counted(if live { bytes.len() } else { 0 });
                Outgoing::Frame { bytes, counted }
            }
            Queued::Close(closing) => Outgoing::Close(closing),
        })
    }

    /// Gives back what a written message counted.
    pub fn written(&self, counted: Counted) {
        self.live_bytes.fetch_sub(counted.0, Ordering::Relaxed);
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

    fn bytes(len: usize) -> Bytes {
        Bytes::from(vec![0; len])
    }

    #[tokio::test]
    async fn live_frames_over_the_budget_close_the_session_at_once() {
        let (outbox, mut reader) = Outbox::new(10);
        outbox.send(bytes(6));
        outbox.send(bytes(6));
        let all = drain(&mut reader).await;
        let [Outgoing::Close(closing)] = &all[..] else { panic!("{all:?}") };
        assert_eq!(closing.code, CloseCode::SLOW_READER);
    }

    #[tokio::test]
    async fn catch_up_is_not_counted_and_one_large_frame_passes() {
        let (outbox, mut reader) = Outbox::new(10);
        outbox.send_catch_up(bytes(100));
        outbox.send(bytes(50));
        outbox.close(Closing::new(CloseCode::GOING_AWAY, "end"));
        assert_eq!(drain(&mut reader).await.len(), 3);
    }

    #[tokio::test]
    async fn a_written_frame_frees_its_share() {
        let (outbox, mut reader) = Outbox::new(10);
        for _ in 0..5 {
            outbox.send(bytes(10));
            let Some(Outgoing::Frame { counted, .. }) = reader.next().await else { panic!() };
            reader.written(counted);
        }
    }
}
