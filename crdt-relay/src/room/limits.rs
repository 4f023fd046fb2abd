//! Limits of sessions and rooms. Those of the frames themselves stand in `crdt_core::sync::limits`.

use crdt_core::sync::limits::{CLIENT_FRAME_BYTES, HEARTBEAT_MS};
use crdt_core::sync::{Limits, NackCode};

/// What one connection may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// What the client is told.
    pub frames: Limits,
    /// Documents open at a time.
    pub documents: usize,
    /// Bytes of frames that wait for their rest, over all documents.
    pub fragment_bytes: usize,
    /// When the first frame has to be there.
    pub hello_deadline_ms: u64,
    /// After how much silence to ask with a ping.
    pub heartbeat_ms: u32,
    /// After how much silence to give the client up. Timers of hidden browser pages run once a
    /// minute, so this must be well above that.
    pub silence_ms: u64,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            frames: Limits::default(),
            documents: 64,
            fragment_bytes: 2 * CLIENT_FRAME_BYTES,
            hello_deadline_ms: 5_000,
            heartbeat_ms: HEARTBEAT_MS,
            silence_ms: 150_000,
        }
    }
}

/// What one document's sessions may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomLimits {
    /// What clients were told.
    pub frames: Limits,
    /// Sessions at a time.
    pub sessions: usize,
    /// Stored bytes of the document: its snapshot and the deltas since.
    pub document_bytes: u64,
    /// Batches (and pulls) of one session in a second, on average.
    pub batches_per_second: u32,
    /// How many of them may come at once.
    pub batch_burst: u32,
    /// Least time between two presence frames.
    pub presence_interval_ms: u64,
    /// The same in a crowd.
    pub presence_crowd_interval_ms: u64,
    /// How many sessions make a crowd.
    pub presence_crowd: usize,
    /// Least time between two announcements of how far the log goes.
    pub head_interval_ms: u64,
}

impl Default for RoomLimits {
    fn default() -> Self {
        Self {
            frames: Limits::default(),
            sessions: 500,
            document_bytes: 64 << 20,
            batches_per_second: 200,
            batch_burst: 400,
            presence_interval_ms: 50,
            presence_crowd_interval_ms: 250,
            presence_crowd: 200,
            head_interval_ms: 2_000,
        }
    }
}

/// When to ask again for a document that has too many sessions.
pub(super) const ROOM_FULL_RETRY_MS: u32 = 15_000;

/// When to send operations again that were refused, unless it depends.
pub(super) const fn retry_after_ms(code: NackCode) -> u32 {
    match code {
        NackCode::Conflict | NackCode::TooLarge => 0,
        NackCode::CauseMissing => 200,
        NackCode::Rate => 1_000,
        NackCode::Permission | NackCode::DocumentFull => 30_000,
    }
}

/// Lets so many things through a second, and some more at once after a pause.
///
/// The generic cell rate algorithm: one number instead of a bucket that has to be filled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    interval_us: u64,
    tolerance_us: u64,
    next_us: u64,
}

impl Rate {
    pub(super) fn new(per_second: u32, burst: u32) -> Self {
        let interval_us = 1_000_000 / u64::from(per_second.max(1));
        Self { interval_us, tolerance_us: interval_us * u64::from(burst.saturating_sub(1)), next_us: 0 }
    }

    /// Takes one, or says after how many milliseconds there will be one.
    pub(super) fn take(&mut self, now_ms: u64) -> Result<(), u32> {
        let now_us = now_ms.saturating_mul(1_000);
        let ahead_us = self.next_us.saturating_sub(now_us);
        if ahead_us > self.tolerance_us {
            let wait_ms = (ahead_us - self.tolerance_us).div_ceil(1_000);
            return Err(u32::try_from(wait_ms).unwrap_or(u32::MAX));
        }
        self.next_us = self.next_us.max(now_us).saturating_add(self.interval_us);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let mut rate = Rate::new(10, 3);
        assert_eq!([(); 4].map(|()| rate.take(5_000)), [Ok(()), Ok(()), Ok(()), Err(100)]);
        assert_eq!(rate.take(5_099), Err(1));
        assert_eq!(rate.take(5_100), Ok(()));
        assert_eq!(rate.take(5_100), Err(100));
        assert_eq!([(); 4].map(|()| rate.take(60_000)), [Ok(()), Ok(()), Ok(()), Err(100)]);
    }
}
