//! A script played on real documents alone, without models: fast, for many histories.

use crate::edit::Edit;
use crate::failure::{Checked, Failure, same};
use crate::script::{Script, Step};
use crdt_core::{Doc, OpId, ReplicaId, TextRun, VersionVector};

/// What one replica held after one step.
#[derive(Clone, Debug)]
pub struct State {
    /// What it had seen.
    pub version: VersionVector,
    /// All elements in order, and whether each is visible.
    pub elements: Vec<(OpId, bool)>,
    /// Text, embeds and marks.
    pub runs: Vec<TextRun>,
}

/// A script that was played to its end; everybody has everything.
#[derive(Clone, Debug)]
pub struct Played {
    /// The documents.
    pub docs: Vec<Doc>,
    /// The deltas of all transactions, in the order in which they were made.
    pub deltas: Vec<Vec<u8>>,
    /// What replicas held after whatever happened to them.
    pub states: Vec<State>,
}

impl Played {
    /// Plays a script; `after_edit` looks at each document that was just edited, with its version
    /// before and its edits.
    ///
    /// # Errors
    /// When something is refused, `after_edit` fails, or the documents do not converge.
    pub fn run(
        script: &Script,
        mut after_edit: impl FnMut(&Doc, &VersionVector, &[Edit]) -> Checked,
    ) -> Checked<Self> {
        let docs: Vec<Doc> = script.replicas.iter().map(|&replica| Doc::new(replica)).collect();
        let mut last = vec![Vec::new(); docs.len()];
        let mut played = Self { docs, deltas: Vec::new(), states: Vec::new() };
        for (_, step) in &script.steps {
            match step {
                Step::Edit { replica, edits } => {
                    let doc = &mut played.docs[*replica];
                    let before = doc.version().clone();
                    let delta = edit(doc, edits)?;
                    after_edit(doc, &before, edits)?;
                    if !delta.is_empty() {
                        last[*replica].clone_from(&delta);
                        played.deltas.push(delta);
                    }
                    played.record(*replica);
                }
                Step::Sync { from, to } => played.sync(*from, *to)?,
                Step::Last { from, to } => {
                    let delta = last[*from].clone();
                    apply(&mut played.docs[*to], &delta)?;
                    played.record(*to);
                }
                Step::SyncAll => played.sync_all()?,
                Step::Expand { replica, name, expand } => {
                    for (index, doc) in played.docs.iter_mut().enumerate() {
                        if replica.is_none_or(|replica| replica == index) {
                            doc.set_expand(name, *expand);
                        }
                    }
                }
                _ => {}
            }
        }
        played.sync_all()?;
        let first = &played.docs[0];
        for doc in &played.docs {
            same("converged version", doc.version(), first.version())?;
            same("converged text", &doc.text(), &first.text())?;
            same("converged runs", &doc.runs(), &first.runs())?;
            same("converged registers", &doc.registers().collect::<Vec<_>>(), &first.registers().collect())?;
        }
        Ok(played)
    }

    fn record(&mut self, replica: usize) {
        let doc = &self.docs[replica];
        let (version, elements) = (doc.version().clone(), doc.elements().collect());
        self.states.push(State { version, elements, runs: doc.runs() });
    }

    fn sync(&mut self, from: usize, to: usize) -> Checked {
        let delta = self.docs[from].delta_since(self.docs[to].version());
        apply(&mut self.docs[to], &delta)?;
        self.record(to);
        Ok(())
    }

    fn sync_all(&mut self) -> Checked {
        (1..self.docs.len()).try_for_each(|from| self.sync(from, 0))?;
        (1..self.docs.len()).try_for_each(|to| self.sync(0, to))
    }

    /// Fails unless an empty document that is given these deltas ends as the others did.
    ///
    /// # Errors
    /// When it does not.
    pub fn check_listener<'a>(&self, deltas: impl IntoIterator<Item = &'a Vec<u8>>) -> Checked {
        let mut listener = Doc::new(ReplicaId::new(0x7e57));
        for delta in deltas {
            apply(&mut listener, delta)?;
        }
        let end = &self.docs[0];
        same("pending", &listener.pending().operations, &0)?;
        same("version", listener.version(), end.version())?;
        same("text", &listener.text(), &end.text())?;
        same("runs", &listener.runs(), &end.runs())?;
        same("elements", &listener.elements().collect::<Vec<_>>(), &end.elements().collect())
    }
}

fn edit(doc: &mut Doc, edits: &[Edit]) -> Checked<Vec<u8>> {
    let mut transaction = doc.transaction();
    for edit in edits {
        edit.make(&mut transaction).map_err(|error| Failure::new(format!("edit refused: {error}")))?;
    }
    Ok(transaction.commit())
}

/// Applies a delta, if there is one.
///
/// # Errors
/// When it is refused.
pub fn apply(doc: &mut Doc, delta: &[u8]) -> Checked {
    if delta.is_empty() {
        return Ok(());
    }
    doc.apply(delta).map(|_| ()).map_err(|error| Failure::new(format!("delta refused: {error}")))
}
