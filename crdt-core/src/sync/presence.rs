//! What the other sessions of a document show: cursors, names.

use super::frame::{PresenceEntry, SessionId};
use crate::sorted::{SortedMap, sort_by_key};
use alloc::vec::Vec;

/// One session shows something else, or has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresenceChange {
    /// Whose presence, as the server says.
    pub session: SessionId,
    /// The bytes that the session has set; `None` when it has left or shows nothing.
    pub state: Option<Vec<u8>>,
}

/// What each of the others shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Peers {
    /// Left out: a person needs no cursor of his own.
    pub(super) own_session: SessionId,
    states: SortedMap<SessionId, Vec<u8>>,
}

impl Peers {
    pub(super) fn iter(&self) -> impl Iterator<Item = (SessionId, &[u8])> + '_ {
        self.states.iter().map(|(&session, state)| (session, state.as_slice()))
    }

    /// Takes in a presence frame: changed sessions, or with `full` all that show something.
    pub(super) fn update(&mut self, full: bool, entries: &[PresenceEntry<'_>]) -> Vec<PresenceChange> {
        let mut changes = Vec::new();
        if full {
            let mut named: Vec<SessionId> = entries.iter().map(|entry| entry.session).collect();
            sort_by_key(&mut named, |&session| session);
            let gone = self.states.keys().copied().filter(|session| named.binary_search(session).is_err());
            for session in gone.collect::<Vec<_>>() {
                self.set(session, None, &mut changes);
            }
        }
        for entry in entries {
            if entry.session != self.own_session {
                self.set(entry.session, entry.state, &mut changes);
            }
        }
        changes
    }

    fn set(&mut self, session: SessionId, state: Option<&[u8]>, changes: &mut Vec<PresenceChange>) {
        if self.states.get(&session).map(Vec::as_slice) == state {
            return;
        }
        let state: Option<Vec<u8>> = state.map(Into::into);
        match &state {
            Some(state) => drop(self.states.insert(session, state.clone())),
            None => drop(self.states.remove(&session)),
        }
        changes.push(PresenceChange { session, state });
    }
}
