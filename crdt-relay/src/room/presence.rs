//! Who shows what in a room, sent in one frame a tick.

use bytes::Bytes;
use crdt_core::sync::{Frame, PresenceEntry, SessionId};
use std::collections::{BTreeMap, BTreeSet};

/// What each session shows, and what the others were not told yet.
#[derive(Debug, Default)]
pub(super) struct Board {
    states: BTreeMap<SessionId, Bytes>,
    changed: BTreeSet<SessionId>,
}

impl Board {
    pub(super) fn set(&mut self, session: SessionId, state: Option<&[u8]>) {
        let old = match state {
            Some(state) => self.states.insert(session, Bytes::copy_from_slice(state)),
            None => self.states.remove(&session),
        };
        if old.as_deref() != state {
            self.changed.insert(session);
        }
    }

    pub(super) fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The changes since the last time.
    pub(super) fn take_changes(&mut self) -> Frame<'_> {
        let changed = std::mem::take(&mut self.changed);
        let state = |session| self.states.get(&session).map(|state| &state[..]);
        let entries =
            changed.into_iter().map(|session| PresenceEntry { session, state: state(session) }).collect();
        Frame::Presence { full: false, entries }
    }

    /// What everybody shows, for somebody who has just come.
    pub(super) fn all(&self) -> Frame<'_> {
        let entries = self
            .states
            .iter()
            .map(|(&session, state)| PresenceEntry { session, state: Some(&state[..]) })
            .collect();
        Frame::Presence { full: true, entries }
    }
}
