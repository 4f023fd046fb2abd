//! Undo and redo in the middle of things: whoever undoes, and whatever arrives in between.
//!
//! That undoing all of one's own leaves what the others wrote, `crdt_testkit::check` asserts for every script.

use crdt_core::codec::{Limits, decode_delta};
use crdt_core::{Doc, Op, ReplicaId, UndoManager, UndoOptions, VersionVector};
use crdt_testkit::edit::Edit;
use crdt_testkit::histories::{for_all, histories};
use crdt_testkit::loaded::loaded;
use crdt_testkit::model::{Model, ModelOp};
use crdt_testkit::plain::PlainText;
use crdt_testkit::played::apply;
use crdt_testkit::random::Random;
use crdt_testkit::script::{Script, Step};
use crdt_testkit::{Checked, Failure, cells, same};
use proptest::prelude::any;

/// A document, what its events show, and who undoes what.
struct Author {
    doc: Doc,
    plain: PlainText,
    undo: UndoManager,
}

impl Author {
    fn new(replica: ReplicaId, group: &[ReplicaId]) -> Self {
        let doc = Doc::new(replica);
        let undo = UndoManager::new(&doc, UndoOptions { interval_ms: 0, replicas: group.to_vec() });
        Self { doc, plain: PlainText::default(), undo }
    }

    fn edit(&mut self, edits: &[Edit]) -> Checked {
        let mut transaction = self.doc.transaction();
        for edit in edits {
            if let Some(edit) = inside(edit, transaction.doc().len()) {
                edit.make(&mut transaction)
                    .map_err(|error| Failure::new(format!("edit refused: {error}")))?;
            }
        }
        transaction.commit();
        self.undo.record(&self.doc, 0);
        self.plain = PlainText::of(&self.doc);
        Ok(())
    }

    fn receive(&mut self, delta: &[u8]) -> Checked {
        let edits = self.doc.apply(delta).map_err(|error| Failure::new(format!("delta refused: {error}")))?;
        edits.iter().try_for_each(|edit| self.plain.replay(edit))?;
        self.undo.record(&self.doc, 0);
        self.plain.check(&self.doc)
    }

    /// Whether there was anything.
    fn turn(&mut self, forwards: bool) -> Checked<bool> {
        let turned = if forwards { self.undo.redo(&mut self.doc) } else { self.undo.undo(&mut self.doc) };
        let turned = turned.map_err(|error| Failure::new(format!("refused: {error}")))?;
        turned.iter().flat_map(|turned| &turned.edits).try_for_each(|edit| self.plain.replay(edit))?;
        self.plain.check(&self.doc)?;
        self.doc.assert_invariants();
        Ok(turned.is_some())
    }
}

/// The edit moved into a text of so many elements: undoing makes it longer or shorter than its script says.
fn inside(edit: &Edit, text_len: usize) -> Option<Edit> {
    let mut edit = edit.clone();
    match &mut edit {
        Edit::Insert { position, .. } | Edit::InsertWith { position, .. } | Edit::Embed { position, .. } => {
            *position = (*position).min(text_len);
        }
        Edit::Delete { position, len } | Edit::Mark { position, len, .. } => {
            *position = (*position).min(text_len);
            *len = (*len).min(text_len - *position);
            if *len == 0 {
                return None;
            }
        }
        Edit::Set { .. } => {}
    }
    Some(edit)
}

fn sync(authors: &mut [Author], from: usize, to: usize) -> Checked {
    let delta = authors[from].doc.delta_since(authors[to].doc.version());
    authors[to].receive(&delta)
}

fn sync_all(authors: &mut [Author]) -> Checked {
    (1..authors.len()).try_for_each(|from| sync(authors, from, 0))?;
    (1..authors.len()).try_for_each(|to| sync(authors, 0, to))
}

/// Plays a script; `between` happens after every step.
fn play(
    script: &Script,
    authors: &mut [Author],
    mut between: impl FnMut(&mut [Author]) -> Checked,
) -> Checked {
    for (line, step) in &script.steps {
        match step {
            Step::Edit { replica, edits } => authors[*replica].edit(edits),
            Step::Sync { from, to } => sync(authors, *from, *to),
            Step::SyncAll => sync_all(authors),
            Step::Expand { name, expand, .. } => {
                authors.iter_mut().for_each(|author| author.doc.set_expand(name, *expand));
                Ok(())
            }
            _ => Ok(()),
        }
        .and_then(|()| between(authors))
        .map_err(|failure| failure.at(format!("line {line} `{step}`")))?;
    }
    sync_all(authors)
}

#[test]
fn undoing_and_redoing_in_between_converges_and_its_events_tell_what_changed() {
    for_all(300, (histories(25), any::<u64>()), |(script, seed)| {
        let mut random = Random::new(*seed);
        let mut authors: Vec<_> = script.replicas.iter().map(|&replica| Author::new(replica, &[])).collect();
        play(script, &mut authors, |authors| {
            let at = random.below(authors.len());
            for _ in 0..random.below(4) {
                authors[at].turn(random.chance(40))?;
            }
            Ok(())
        })?;
        let first = &authors[0];
        let mut listener = Author::new(ReplicaId::new(0x7e57), &[]);
        listener.receive(&first.doc.delta_since(&VersionVector::new()))?;
        let loaded = loaded(&first.doc, ReplicaId::new(0x7e58))?;
        for doc in authors.iter().map(|author| &author.doc).chain([&listener.doc]).chain(&loaded) {
            same("runs", &doc.runs(), &first.doc.runs())?;
            same("registers", &doc.registers().collect::<Vec<_>>(), &first.doc.registers().collect())?;
        }
        Ok(())
    });
}

#[test]
fn what_was_undone_step_by_step_comes_back_step_by_step() {
    for_all(200, (histories(20), any::<u64>()), |(script, seed)| {
        let mut random = Random::new(*seed);
        let mut authors: Vec<_> = script.replicas.iter().map(|&replica| Author::new(replica, &[])).collect();
        play(script, &mut authors, |authors| {
            let author = &mut authors[random.below(script.replicas.len())];
            // The text alone: a mark that undoing said again is newer than what others said at the same time as the first
            // one; turned once more, that is what counts.
            let mut texts = vec![author.doc.text()];
            for _ in 0..random.below(5) {
                if !author.turn(false)? {
                    break;
                }
                texts.push(author.doc.text());
            }
            texts.pop();
            while let Some(before) = texts.pop() {
                author.turn(true)?;
                same("text redone", &author.doc.text(), &before)?;
            }
            Ok(())
        })
    });
}

/// One who undoes what several have done: what is left is what the rest wrote.
#[test]
fn a_group_is_undone_as_one() {
    for_all(200, histories(25), |script| {
        let group = &script.replicas[..2];
        let mut authors: Vec<_> =
            script.replicas.iter().map(|&replica| Author::new(replica, group)).collect();
        play(script, &mut authors, |_| Ok(()))?;
        let author = &mut authors[0];
        let text = author.doc.text();
        let mut model = Model::new();
        for op in ops(&author.doc)?.iter().flat_map(ModelOp::from_run) {
            model.receive(op);
        }
        let without = model.without(group);
        let mut turns = 0;
        while author.turn(false)? {
            turns += 1;
        }
        same("runs without the group's edits", &author.doc.runs(), &cells::runs(&without.cells()))?;
        for _ in 0..turns {
            author.turn(true)?;
        }
        same("text after redoing all", &author.doc.text(), &text)
    });
}

fn ops(doc: &Doc) -> Checked<Vec<Op>> {
    let delta = doc.delta_since(&VersionVector::new());
    decode_delta(&delta, &Limits::DEFAULT).map_err(|error| Failure::new(format!("delta refused: {error}")))
}

#[test]
fn what_is_undone_leaves_as_one_delta_that_arrives_in_any_order() {
    for_all(200, (histories(20), any::<u64>()), |(script, seed)| {
        let mut random = Random::new(*seed);
        let mut authors: Vec<_> = script.replicas.iter().map(|&replica| Author::new(replica, &[])).collect();
        play(script, &mut authors, |_| Ok(()))?;
        let reader = authors[1].doc.clone();
        let author = &mut authors[0];
        let mut deltas = Vec::new();
        loop {
            let from = author.doc.version().get(author.doc.replica());
            if !author.turn(false)? {
                break;
            }
            let to = author.doc.version().get(author.doc.replica());
            deltas.push(author.doc.delta_of(author.doc.replica(), from..to));
        }
        random.shuffle(&mut deltas);
        let mut listener = reader;
        for delta in deltas.iter().chain(&deltas) {
            apply(&mut listener, delta)?;
        }
        same("runs", &listener.runs(), &author.doc.runs())?;
        same("pending", &listener.pending().operations, &0)
    });
}
