//! What must be true of the world.

use super::{CHARACTERS_FROM, World};
use bytes::Bytes;
use crdt_core::codec::{Limits, decode_delta};
use crdt_core::sync::{Frame, Status};
use std::collections::{BTreeMap, BTreeSet};

impl World {
    /// Nothing leaves the room that is not in the store.
    pub(super) fn spy(&mut self, id: u64, message: &Bytes) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let stored = self.store.version();
        let whole;
        let mut frame = Frame::decode(message).unwrap().1;
        if let Frame::Fragment { total, start, piece } = frame {
            assert!(message.len() <= usize::try_from(self.settings.frame_bytes).unwrap());
            let Some(bytes) = connection.spy.add(total, start, piece, usize::MAX).unwrap() else { return };
            whole = bytes;
            frame = Frame::decode(&whole).unwrap().1;
        }
        match frame {
            Frame::Update { log_seq, replica, from, to, delta } => {
                let batch = &self.store.committed[usize::try_from(log_seq).unwrap() - 1];
                assert_eq!((batch.replica, batch.from, batch.to), (replica, from, to));
                assert_eq!(batch.delta, delta);
            }
            Frame::Sync { up_to, delta } => {
                assert!(up_to <= self.store.head());
                let ops = if delta.is_empty() {
                    Vec::new()
                } else {
                    decode_delta(delta, &Limits::DEFAULT).unwrap()
                };
                for op in ops {
                    assert!(op.id.seq + op.len() <= stored.get(op.id.replica), "{op:?} is not stored");
                }
            }
            Frame::Ack { replica, up_to, .. } => assert!(up_to <= stored.get(replica)),
            Frame::Joined { version, head, .. } => {
                assert_eq!(version, stored);
                assert_eq!(head, self.store.head());
            }
            _ => {}
        }
    }

    /// Everything is delivered, stored and connected again.
    pub(crate) fn settle(&mut self) {
        for _ in 0..10_000 {
            self.deliver_all();
            self.commit_all();
            self.deliver_all();
            self.pass_time(50);
            let still = self.connections.values().all(|it| it.up.is_empty() && it.down.is_empty())
                && !self.room.wants_tick()
                && self.room.is_stored()
                && self.nodes.iter().all(|node| *node.client.status() == Status::Saved);
            if still {
                return;
            }
        }
        panic!("the world does not come to rest: {:?}", self.status_of_all());
    }

    /// All copies are the same, and hold what was typed and not deleted, once.
    pub(crate) fn assert_everything_arrived(&self) {
        let text = self.assert_converged();
        let expected: BTreeSet<char> = self.typed.difference(&self.deleted).copied().collect();
        if self.typed.iter().all(|&character| u32::from(character) >= CHARACTERS_FROM) {
            assert_eq!(text.chars().count(), expected.len(), "nothing is there twice");
        }
        assert_eq!(text.chars().collect::<BTreeSet<_>>(), expected);
    }

    /// All copies are the same, and hold what was called saved and not deleted.
    pub(crate) fn assert_saved_survived(&self) {
        let text = self.assert_converged();
        let there: BTreeSet<char> = text.chars().collect();
        assert_eq!(there.len(), text.chars().count(), "nothing is there twice");
        assert!(there.is_subset(&self.typed));
        let lost: Vec<char> = self
            .saved
            .iter()
            .filter(|it| !there.contains(it) && !self.deleted.contains(it))
            .copied()
            .collect();
        assert_eq!(lost, [], "what was called saved is there");
    }

    pub(crate) fn assert_converged(&self) -> String {
        let stored = self.store.load();
        assert_eq!(stored.pending().operations, 0);
        for node in &self.nodes {
            assert_eq!(node.doc.version(), stored.version());
            assert_eq!(node.doc.text(), stored.text());
            assert_eq!(node.client.resume_point().log_seq, self.store.head());
            let shown: BTreeMap<u64, &[u8]> = node.client.presence().collect();
            let others = self.nodes.iter().filter(|other| other.connection != node.connection);
            let expected = others.filter_map(|other| Some((other.connection?, other.presence.as_deref()?)));
            assert_eq!(shown, expected.collect(), "everybody sees what the others show, and no ghosts");
        }
        stored.text()
    }
}
