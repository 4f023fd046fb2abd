//! loro. Positions are scalar values. Edits that leave together or not at all are one transaction; the delta of a transaction is
//! what `subscribe_local_update` is given at the commit.

use crate::contender::{Crdt, Text};
use crate::history::Edit;
use ::loro::{ExportMode, LoroDoc, LoroText, Subscription};
use std::sync::{Arc, Mutex};

pub(crate) struct Loro {
    doc: LoroDoc,
    text: LoroText,
    said: Option<(Arc<Mutex<Vec<u8>>>, Subscription)>,
}

impl Loro {
    fn of(doc: LoroDoc, replica: u32) -> Self {
        doc.set_peer_id(replica.into()).expect("nothing was edited yet");
        let text = doc.get_text("text");
        Self { doc, text, said: None }
    }

    /// A snapshot without what is older than its newest version.
    pub(crate) fn shallow(&mut self) -> Vec<u8> {
        self.doc.commit();
        self.doc.export(ExportMode::shallow_snapshot(&self.doc.oplog_frontiers())).expect("it encodes")
    }
}

impl Text for Loro {
    const NAME: &'static str = "loro";

    fn new(replica: u32) -> Self {
        Self::of(LoroDoc::new(), replica)
    }

    fn edit(&mut self, edit: Edit) {
        let position = edit.position as usize;
        if edit.delete > 0 {
            self.text.delete(position, edit.delete as usize).expect("the edit is inside the text");
        }
        if !edit.text.is_empty() {
            self.text.insert(position, edit.text).expect("the edit is inside the text");
        }
    }

    fn text(&mut self) -> String {
        self.text.to_string()
    }
}

impl Crdt for Loro {
    fn edit_encoded(&mut self, edits: &[Edit], out: &mut Vec<u8>) {
        for edit in edits {
            self.edit(*edit);
        }
        let (said, _) = self.said.get_or_insert_with(|| {
            let said = Arc::new(Mutex::new(Vec::new()));
            let heard = Arc::clone(&said);
            let subscription = self.doc.subscribe_local_update(Box::new(move |update| {
                heard.lock().expect("nobody panicked").extend_from_slice(update);
                true
            }));
            (said, subscription)
        });
        self.doc.commit();
        let mut said = said.lock().expect("nobody panicked");
        out.extend_from_slice(&said);
        said.clear();
    }

    fn apply(&mut self, delta: &[u8]) {
        self.doc.import(delta).expect("an update applies");
    }

    fn history(&mut self) -> Option<Vec<u8>> {
        self.doc.commit();
        Some(self.doc.export(ExportMode::all_updates()).expect("it encodes"))
    }

    fn from_history(replica: u32, bytes: &[u8]) -> Self {
        let mut loro = Self::new(replica);
        loro.apply(bytes);
        loro
    }

    fn snapshot(&mut self) -> Vec<u8> {
        self.doc.commit();
        self.doc.export(ExportMode::Snapshot).expect("it encodes")
    }

    fn from_snapshot(replica: u32, bytes: &[u8]) -> Self {
        Self::of(LoroDoc::from_snapshot(bytes).expect("a snapshot opens"), replica)
    }
}
