//! crdt-core, through its public API.

use crate::contender::{Crdt, Text};
use crate::history::Edit;
use crate::measure::Role;
use crdt_core::{Doc, ReplicaId, VersionVector};

pub(crate) struct Ours {
    doc: Doc,
    id: ReplicaId,
}

/// Ids as wide as random ones are, and in the same order for every run.
pub(crate) fn id(replica: u32) -> ReplicaId {
    ReplicaId::new(u64::from(replica).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
}

impl Text for Ours {
    const NAME: &'static str = "ours";
    const ROLE: Role = Role::Ours;

    fn new(replica: u32) -> Self {
        let id = id(replica);
        Self { doc: Doc::new(id), id }
    }

    fn edit(&mut self, edit: Edit) {
        let position = edit.position as usize;
        if edit.delete > 0 {
            self.doc.delete(position..position + edit.delete as usize).expect("the edit is inside the text");
        }
        if !edit.text.is_empty() {
            self.doc.insert(position, edit.text).expect("the edit is inside the text");
        }
    }

    fn text(&mut self) -> String {
        self.doc.text()
    }
}

impl Crdt for Ours {
    fn edit_encoded(&mut self, edits: &[Edit], out: &mut Vec<u8>) {
        let from = self.doc.version().get(self.id);
        for edit in edits {
            self.edit(*edit);
        }
        let to = self.doc.version().get(self.id);
        out.extend_from_slice(&self.doc.delta_of(self.id, from..to));
    }

    fn apply(&mut self, delta: &[u8]) {
        self.doc.apply(delta).expect("the delta of a document applies");
    }

    fn history(&mut self) -> Option<Vec<u8>> {
        Some(self.doc.delta_since(&VersionVector::new()))
    }

    fn from_history(replica: u32, bytes: &[u8]) -> Self {
        let mut ours = Self::new(replica);
        ours.apply(bytes);
        ours
    }

    fn snapshot(&mut self) -> Vec<u8> {
        self.doc.encode_snapshot()
    }

    fn from_snapshot(replica: u32, bytes: &[u8]) -> Self {
        let id = id(replica);
        Self { doc: Doc::from_snapshot(id, bytes).expect("a snapshot opens"), id }
    }
}
