//! crdt-core, through its public API. Deltas are applied without being told what changed: no peer here is asked for that either, but for
//! cola, which has to know it to keep the text.

use crate::contender::{Crdt, Text};
use crate::history::Edit;
use crate::measure::Role;
use crdt_core::codec::{ReplicaNames, SnapshotProfile};
use crdt_core::{Doc, ReplicaId, VersionVector};

pub(crate) struct Ours {
    doc: Doc,
    id: ReplicaId,
}

/// Ids as wide as random ones are. A lower number is a larger id: in recorded histories the lower author stands in front.
pub(crate) fn id(replica: u32) -> ReplicaId {
    ReplicaId::new(u64::MAX - (u64::from(replica) << 32) - 0x9e37_79b9)
}

impl Ours {
    /// Its smallest snapshot.
    pub(crate) fn compact(&mut self) -> Vec<u8> {
        self.doc.encode_snapshot_as(SnapshotProfile::Compact)
    }

    /// A snapshot of a copy that has forgotten all that was deleted, and who did what.
    pub(crate) fn trimmed(&mut self, profile: SnapshotProfile) -> Vec<u8> {
        let mut doc = self.doc.clone();
        doc.trim(&self.doc.version().clone()).expect("its own version is one that it has reached");
        doc.encode_snapshot_as(profile)
    }
}

/// Part of the loop it is called from, as the edits of all others are.
#[inline(always)]
fn make(doc: &mut Doc, edit: Edit) {
    let position = edit.position as usize;
    if edit.delete > 0 {
        doc.delete(position..position + edit.delete as usize).expect("the edit is inside the text");
    }
    if !edit.text.is_empty() {
        doc.insert(position, edit.text).expect("the edit is inside the text");
    }
}

impl Text for Ours {
    const NAME: &'static str = "ours";
    const ROLE: Role = Role::Ours;

    fn new(replica: u32) -> Self {
        let id = id(replica);
        Self { doc: Doc::new(id), id }
    }

    fn edit(&mut self, edit: Edit) {
        make(&mut self.doc, edit);
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
        self.doc.delta_of_into(self.id, from..to, out);
    }

    fn apply(&mut self, delta: &[u8]) {
        self.doc.apply_silently(delta).expect("the delta of a document applies");
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

/// The same over a connection on which both ends keep names of replicas.
pub(crate) struct OursNamed {
    ours: Ours,
    names: ReplicaNames,
}

impl Text for OursNamed {
    const NAME: &'static str = "ours, replicas named";
    const ROLE: Role = Role::OursToo;

    fn new(replica: u32) -> Self {
        Self { ours: Ours::new(replica), names: ReplicaNames::default() }
    }

    fn edit(&mut self, edit: Edit) {
        self.ours.edit(edit);
    }

    fn text(&mut self) -> String {
        self.ours.text()
    }
}

impl Crdt for OursNamed {
    fn edit_encoded(&mut self, edits: &[Edit], out: &mut Vec<u8>) {
        let Ours { doc, id } = &mut self.ours;
        let from = doc.version().get(*id);
        for edit in edits {
            make(doc, *edit);
        }
        let to = doc.version().get(*id);
        doc.delta_of_named(*id, from..to, &mut self.names, out);
    }

    fn apply(&mut self, delta: &[u8]) {
        self.ours.doc.apply_named(delta, &mut self.names).expect("the delta of a connection applies");
    }

    fn history(&mut self) -> Option<Vec<u8>> {
        self.ours.history()
    }

    fn from_history(replica: u32, bytes: &[u8]) -> Self {
        Self { ours: Ours::from_history(replica, bytes), names: ReplicaNames::default() }
    }

    fn snapshot(&mut self) -> Vec<u8> {
        self.ours.snapshot()
    }

    fn from_snapshot(replica: u32, bytes: &[u8]) -> Self {
        Self { ours: Ours::from_snapshot(replica, bytes), names: ReplicaNames::default() }
    }
}
