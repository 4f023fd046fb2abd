//! automerge. Positions are scalar values. All replicas start from one change that makes the text. Edits that leave together or not at
//! all are one transaction; its delta is the last change as it was stored.

use crate::contender::{Crdt, Text};
use crate::history::Edit;
use ::automerge::transaction::{CommitOptions, Transactable};
use ::automerge::{
    ActorId, AutoCommit, Change, LoadOptions, ObjId, ObjType, ROOT, ReadDoc, TextEncoding, Value,
};
use std::sync::OnceLock;

pub(crate) struct Automerge {
    doc: AutoCommit,
    text: ObjId,
}

/// The document that all start from.
fn start() -> &'static [u8] {
    static START: OnceLock<Vec<u8>> = OnceLock::new();
    START.get_or_init(|| {
        let mut doc = AutoCommit::new_with_encoding(TextEncoding::UnicodeCodePoint);
        doc.set_actor(ActorId::from([0; 8]));
        doc.put_object(ROOT, "text", ObjType::Text).expect("an empty document takes an object");
        doc.commit_with(CommitOptions::default().with_time(0));
        doc.save_nocompress()
    })
}

impl Automerge {
    fn open(replica: u32, bytes: &[u8]) -> Self {
        let options = LoadOptions::new().text_encoding(TextEncoding::UnicodeCodePoint);
        let mut doc = AutoCommit::load_with_options(bytes, options).expect("a document opens");
        doc.set_actor(ActorId::from(u64::from(replica).to_be_bytes()));
        let Some((Value::Object(_), text)) = doc.get(ROOT, "text").expect("the root is there") else {
            panic!("every document starts with the text")
        };
        Self { doc, text }
    }
}

impl Text for Automerge {
    const NAME: &'static str = "automerge";

    fn new(replica: u32) -> Self {
        Self::open(replica, start())
    }

    fn edit(&mut self, edit: Edit) {
        let delete = isize::try_from(edit.delete).expect("a length fits");
        let done = self.doc.splice_text(&self.text, edit.position as usize, delete, edit.text);
        done.expect("the edit is inside the text");
    }

    fn text(&mut self) -> String {
        self.doc.text(&self.text).expect("the text is there")
    }
}

impl Crdt for Automerge {
    fn edit_encoded(&mut self, edits: &[Edit], out: &mut Vec<u8>) {
        for edit in edits {
            self.edit(*edit);
        }
        self.doc.commit_with(CommitOptions::default().with_time(0));
        let change = self.doc.get_last_local_change().expect("something was committed");
        out.extend_from_slice(change.raw_bytes());
    }

    fn apply(&mut self, delta: &[u8]) {
        let change = Change::from_bytes(delta.to_vec()).expect("it was encoded so");
        self.doc.apply_changes([change]).expect("a change applies");
    }

    fn history(&mut self) -> Option<Vec<u8>> {
        Some(self.doc.save_nocompress())
    }

    fn from_history(replica: u32, bytes: &[u8]) -> Self {
        Self::open(replica, bytes)
    }

    fn snapshot(&mut self) -> Vec<u8> {
        self.doc.save_nocompress()
    }

    fn stored(&mut self) -> Vec<u8> {
        self.doc.save()
    }

    fn from_snapshot(replica: u32, bytes: &[u8]) -> Self {
        Self::open(replica, bytes)
    }
}
