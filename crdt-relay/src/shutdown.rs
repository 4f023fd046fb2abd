//! The wish to stop, as a value that everything long-running holds.

use tokio::sync::watch;

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
