//! The wish to stop, and what still runs, as values.

use std::convert::Infallible;
use tokio::sync::{mpsc, watch};

/// Asks everybody who holds a [`Shutdown`] to stop.
#[derive(Debug)]
pub struct ShutdownTrigger(watch::Sender<bool>);

/// Tells when to stop. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

impl ShutdownTrigger {
    /// A trigger that was not pulled, and its signal.
    pub fn new() -> (Self, Shutdown) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Shutdown(receiver))
    }

    /// Asks to stop. May be called again.
    pub fn pull(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown {
    /// Whether stopping was asked for.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves when stopping is asked for, or nobody is left who could ask.
    pub async fn requested(&mut self) {
        // An error means that the trigger is gone: the server went away, which is a stop too.
        drop(self.0.wait_for(|requested| *requested).await);
    }
}

/// Held, in clones, by everything of one kind that still runs.
#[derive(Clone, Debug)]
pub struct Running(#[expect(dead_code, reason = "dropping it is what tells")] mpsc::Sender<Infallible>);

/// Tells when nothing holds a [`Running`] any more.
#[derive(Debug)]
pub struct Finished(mpsc::Receiver<Infallible>);

impl Running {
    /// The first of the clones, and what waits for all of them.
    pub fn new() -> (Self, Finished) {
        let (sender, receiver) = mpsc::channel(1);
        (Self(sender), Finished(receiver))
    }
}

impl Finished {
    /// Resolves when the last clone was dropped.
    pub async fn finished(mut self) {
        while self.0.recv().await.is_some() {}
    }
}
