//! Lists and named texts, over random histories: what an author does is done as on a plain list, entries that are
//! moved at the same time neither double nor vanish, and no sequence touches another.

use crdt_core::{Doc, EditError, Json, ReplicaId, TextEdit};
use crdt_testkit::histories::for_all;
use crdt_testkit::loaded::loaded;
use crdt_testkit::random::Random;
use crdt_testkit::{Checked, Failure, same};
use proptest::prelude::any;
use std::collections::BTreeSet;

const LIST: &str = "todo";
const NOTES: &str = "notes";

/// A document, and what its events show of the list.
struct Author {
    doc: Doc,
    shown: Vec<Json>,
}

/// What happened to values anywhere.
#[derive(Default)]
struct Told {
    inserted: BTreeSet<Json>,
    /// Deleted, or replaced by others.
    touched: BTreeSet<Json>,
}

fn refused(error: EditError) -> Failure {
    Failure::new(format!("edit refused: {error}"))
}

fn values(doc: &Doc) -> Vec<Json> {
    doc.list(LIST).map(|list| list.values()).unwrap_or_default()
}

fn notes(doc: &Doc) -> String {
    doc.text_named(NOTES).map(|text| text.text()).unwrap_or_default()
}

impl Author {
    fn new(replica: u64) -> Self {
        Self { doc: Doc::new(ReplicaId::new(replica)), shown: Vec::new() }
    }

    fn receive(&mut self, delta: &[u8]) -> Checked {
        let edits = self.doc.apply(delta).map_err(|error| Failure::new(format!("delta refused: {error}")))?;
        for edit in edits {
            let TextEdit::In { name, edit, .. } = edit else { continue };
            if &*name != LIST {
                continue;
            }
            match *edit {
                TextEdit::Embed { position, value, .. } => self.shown.insert(position, value),
                TextEdit::Replace { position, value, .. } => self.shown[position] = value,
                TextEdit::Delete { position, len, .. } => drop(self.shown.drain(position..position + len)),
                other => return Err(Failure::new(format!("an edit of no list: {other:?}"))),
            }
        }
        same("list by events", &self.shown, &values(&self.doc))
    }

    /// Makes one edit; `next` is a value that was never there.
    fn edit(&mut self, random: &mut Random, next: i32, told: &mut Told) -> Checked<Vec<u8>> {
        let from = self.doc.version().get(self.doc.replica());
        let len = self.shown.len();
        let at = random.below(len);
        match random.below(12) {
            0 => {
                let position = random.below(self.doc.len() + 1);
                self.doc.insert(position, "main").map_err(refused)?;
            }
            1 => {
                let mut text = self.doc.open_text(NOTES).map_err(refused)?;
                let position = random.below(text.view().len() + 1);
                text.insert(position, "note").map_err(refused)?;
            }
            2 if len > 0 => {
                told.touched.insert(self.shown.remove(at));
                self.doc.open_list(LIST).and_then(|mut list| list.delete(at..at + 1)).map_err(refused)?;
            }
            3 if len > 0 => {
                let value = Json::number(next);
                told.touched.insert(std::mem::replace(&mut self.shown[at], value.clone()));
                self.doc.open_list(LIST).and_then(|mut list| list.replace(at, value)).map_err(refused)?;
            }
            4..=8 if len > 0 => {
                let to = random.below(len);
                let entry = self.shown.remove(at);
                self.shown.insert(to, entry);
                self.doc.open_list(LIST).and_then(|mut list| list.move_to(at, to)).map_err(refused)?;
            }
            _ => {
                let (at, value) = (random.below(len + 1), Json::number(next));
                told.inserted.insert(value.clone());
                self.shown.insert(at, value.clone());
                self.doc.open_list(LIST).and_then(|mut list| list.insert(at, value)).map_err(refused)?;
            }
        }
        same("list of its author", &values(&self.doc), &self.shown)?;
        Ok(self.doc.issued_since(from))
    }
}

/// What must be equal where the same was seen.
fn same_documents(doc: &Doc, expected: &Doc) -> Checked {
    same("list", &values(doc), &values(expected))?;
    same("notes", &notes(doc), &notes(expected))?;
    same("text", &doc.text(), &expected.text())?;
    same("version", doc.version(), expected.version())
}

#[test]
fn entries_that_are_moved_at_once_neither_double_nor_vanish() {
    for_all(300, any::<u64>(), |&seed| {
        let mut random = Random::new(seed);
        let mut authors: Vec<Author> = (1..=3).map(Author::new).collect();
        let mut deltas = Vec::new();
        let mut told = Told::default();
        for next in 0..60 {
            let at = random.below(authors.len());
            if random.chance(25) {
                let from = random.below(authors.len());
                let delta = authors[from].doc.delta_since(authors[at].doc.version());
                authors[at].receive(&delta)?;
                continue;
            }
            deltas.push(authors[at].edit(&mut random, next, &mut told)?);
        }
        for (from, to) in [(1, 0), (2, 0), (0, 1), (0, 2)] {
            let delta = authors[from].doc.delta_since(authors[to].doc.version());
            authors[to].receive(&delta)?;
        }
        let end = &authors[0].doc;
        same_documents(&authors[1].doc, end)?;
        same_documents(&authors[2].doc, end)?;
        let all = values(end);
        let once: BTreeSet<&Json> = all.iter().collect();
        same("entries that are there once", &once.len(), &all.len())?;
        // Deltas in another order, some twice; and a snapshot.
        random.shuffle(&mut deltas);
        let mut listener = Author::new(77);
        for delta in deltas.iter().chain(deltas.iter().take(5)) {
            listener.receive(delta)?;
        }
        same_documents(&listener.doc, end)?;
        for loaded in loaded(end, ReplicaId::new(78))? {
            same_documents(&loaded, end)?;
        }
        same("main text alone", &end.text().chars().all(|char| "main".contains(char)), &true)?;
        same("notes alone", &notes(end).chars().all(|char| "note".contains(char)), &true)?;
        let there: BTreeSet<Json> = all.into_iter().collect();
        let lost: Vec<_> = told
            .inserted
            .iter()
            .filter(|value| !there.contains(value) && !told.touched.contains(value))
            .collect();
        same("entries that nobody deleted or replaced and that are gone", &lost, &Vec::new())
    });
}
