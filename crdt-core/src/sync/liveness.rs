//! Whether the other end of a connection is still there.

use super::limits;

/// When something was heard last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Liveness {
    pub(super) now_ms: u64,
    pub(super) heartbeat_ms: u64,
    heard: bool,
    quiet_since_ms: Option<u64>,
    pinged_at_ms: Option<u64>,
}

/// What was heard of late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Enough: nothing is to be done.
    Enough,
    /// Nothing for as long as a heartbeat: it is to be asked, with this number.
    Nothing {
        /// Any number; this is the time.
        nonce: u64,
    },
    /// Nothing since it was asked: it is given up.
    NoAnswer,
}

impl Default for Liveness {
    fn default() -> Self {
        Self {
            now_ms: 0,
            heartbeat_ms: u64::from(limits::HEARTBEAT_MS),
            heard: false,
            quiet_since_ms: None,
            pinged_at_ms: None,
        }
    }
}

impl Liveness {
    /// Something has arrived, whatever it was.
    pub(super) fn hear(&mut self) {
        self.heard = true;
    }

    /// Asked after each step of time.
    pub(super) fn listen(&mut self) -> Heard {
        let Self { now_ms, heartbeat_ms, heard, quiet_since_ms, pinged_at_ms } = *self;
        let Some(quiet_since_ms) = quiet_since_ms.filter(|_| !heard) else {
            self.heard = false;
            self.quiet_since_ms = Some(now_ms);
            self.pinged_at_ms = None;
            return Heard::Enough;
        };
        // Timers of hidden pages run once a minute: what counts is silence after a question.
        if let Some(pinged_at_ms) = pinged_at_ms {
            let waited_ms = now_ms.saturating_sub(pinged_at_ms);
            if waited_ms >= heartbeat_ms { Heard::NoAnswer } else { Heard::Enough }
        } else if now_ms.saturating_sub(quiet_since_ms) >= heartbeat_ms {
            self.pinged_at_ms = Some(now_ms);
            Heard::Nothing { nonce: now_ms }
        } else {
            Heard::Enough
        }
    }

    /// Another connection starts from nothing; time goes on.
    pub(super) fn forget_connection(&mut self) {
        *self = Self { now_ms: self.now_ms, ..Self::default() };
    }
}
