//! A real document and its naive model, fed with the same and compared after every step.

use crate::cells::{self, Cell, Glyph, with_mark};
use crate::edit::Edit;
use crate::failure::{Checked, Failure, same};
use crate::model::{Model, ModelOp, ModelOpKind};
use crate::plain::PlainText;
use crdt_core::codec::{Limits, decode_delta, encode_delta};
use crdt_core::{Anchor, Doc, Expand, Op, OpId, ReplicaId, Side, UndoManager, UndoOptions, VersionVector};
use std::collections::BTreeSet;

/// A document, its model, a plain text that follows the document by events, and what undoes its own edits.
#[derive(Clone, Debug)]
pub struct Twin {
    doc: Doc,
    model: Model,
    plain: PlainText,
    undo: UndoManager,
}

impl Twin {
    /// An empty document of this replica, and its model.
    pub fn new(replica: ReplicaId) -> Self {
        let doc = Doc::new(replica);
        let undo = every_transaction(&doc);
        Self { doc, model: Model::new(), plain: PlainText::default(), undo }
    }

    /// A document loaded from this one's snapshot under another replica id; the model is copied.
    ///
    /// # Errors
    /// When the snapshot is refused, or gives another document.
    pub fn reloaded(&self, replica: ReplicaId) -> Checked<Self> {
        let place = "document loaded from a snapshot";
        let snapshot = self.doc.encode_snapshot();
        let doc = Doc::from_snapshot(replica, &snapshot)
            .map_err(|error| Failure::new(error.to_string()).at("own snapshot refused"))?;
        same("its text", &doc.text(), &self.doc.text()).map_err(|failure| failure.at(place))?;
        same("its version", doc.version(), self.doc.version()).map_err(|failure| failure.at(place))?;
        let model = self.model.checkout(doc.version());
        let twin = Self { plain: PlainText::of(&doc), undo: every_transaction(&doc), model, doc };
        twin.verify_runs(&twin.model.cells()).map_err(|failure| failure.at(place))?;
        twin.verify_order().map_err(|failure| failure.at(place))?;
        Ok(twin)
    }

    /// The document.
    pub fn doc(&self) -> &Doc {
        &self.doc
    }

    /// Its model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Makes local edits as one transaction and gives its delta. The operations in it must be the
    /// ones that the specification asks for.
    ///
    /// # Errors
    /// When document and model differ.
    pub fn edit(&mut self, edits: &[Edit]) -> Checked<Vec<u8>> {
        let before = self.doc.version().clone();
        let replica = self.doc.replica();
        let mut transaction = self.doc.transaction();
        // What the document shows and how many operations there are, after each edit.
        let mut shown = Vec::new();
        for edit in edits {
            edit.make(&mut transaction)
                .map_err(|error| Failure::new(format!("local edit refused: {error}")))?;
            let doc = transaction.doc();
            shown.push((doc.version().get(replica), cells::cells(&doc.runs()), doc.text()));
        }
        let delta = transaction.commit();
        self.undo.record(&self.doc, 0);
        let mut ops = expand(&delta)?;
        let issued = self.model.clone().edit(replica, edits);
        for ((edit, issued), (end, cells, text)) in edits.iter().zip(issued).zip(shown) {
            let place = |failure: Failure| failure.at(format!("{edit:?}"));
            let own = ops.iter().take_while(|op| op.id.seq < end).count();
            let found: Vec<_> = ops.drain(..own).collect();
            same_operations(edit, &found, &issued).map_err(place)?;
            let before = self.model.cells();
            found.into_iter().for_each(|op| self.model.receive(op));
            let after = self.model.cells();
            same_but_for(edit, before, &after).map_err(place)?;
            same("cells inside a transaction", &cells, &after).map_err(place)?;
            same("text inside a transaction", &text, &cells::text(&after)).map_err(place)?;
        }
        self.plain = PlainText::of(&self.doc);
        same("operations beyond the edits", &ops, &Vec::new())?;
        // What waits is newer than any version, so it comes along; it is not what was asked for.
        let mut since = expand(&self.doc.delta_since(&before))?;
        since.retain(|op| op.id.replica == replica);
        same("delta_since the version before the transaction", &since, &expand(&delta)?)?;
        self.verify()?;
        Ok(delta)
    }

    /// Undoes or redoes one transaction of its own and gives the delta of that; no bytes if there was none. Its events must
    /// tell what changed.
    ///
    /// # Errors
    /// When document and model differ afterwards.
    pub fn turn(&mut self, turn: Turn) -> Checked<Vec<u8>> {
        let replica = self.doc.replica();
        let from = self.doc.version().get(replica);
        let done = match turn {
            Turn::Undo => self.undo.undo(&mut self.doc),
            Turn::Redo => self.undo.redo(&mut self.doc),
        };
        let done = done.map_err(|error| Failure::new(format!("{turn:?} refused: {error}")))?;
        for edit in done.iter().flat_map(|done| &done.edits) {
            self.plain.replay(edit)?;
        }
        let to = self.doc.version().get(replica);
        if from == to {
            return Ok(Vec::new());
        }
        let delta = self.doc.delta_of(replica, from..to);
        for op in expand(&delta)? {
            self.model.receive(op);
        }
        Ok(delta)
    }

    /// How many times there was something to undo or redo before there was nothing left.
    ///
    /// # Errors
    /// As [`Twin::turn`].
    pub fn turn_all(&mut self, turn: Turn) -> Checked<usize> {
        let mut turns = 0;
        while match turn {
            Turn::Undo => self.undo.can_undo(),
            Turn::Redo => self.undo.can_redo(),
        } {
            self.turn(turn)?;
            self.plain.check(&self.doc).map_err(|failure| failure.at(format!("{turn:?} {turns}")))?;
            turns += 1;
        }
        Ok(turns)
    }

    /// From now on a mark grows so when this replica sets it.
    pub fn set_expand(&mut self, name: &str, expand: Expand) {
        self.doc.set_expand(name, expand);
        self.model.set_expand(name, expand);
    }

    /// Applies a delta to both and replays the events.
    ///
    /// # Errors
    /// When it is refused, or document and model differ afterwards.
    pub fn receive(&mut self, delta: &[u8]) -> Checked {
        let edits = self
            .doc
            .apply(delta)
            .map_err(|error| Failure::new(format!("delta refused: {error} ({error:?})")))?;
        for edit in &edits {
            self.plain.replay(edit)?;
        }
        for op in expand(delta)? {
            self.model.receive(op);
        }
        self.verify()
    }

    /// What this one has and the other lacks, asked for with an encoded version vector.
    ///
    /// # Errors
    /// When the version vector does not survive its encoding.
    pub fn delta_for(&self, other: &Self) -> Checked<Vec<u8>> {
        let version = VersionVector::decode(&other.doc.version().encode(), &Limits::DEFAULT)
            .map_err(|error| Failure::new(format!("encoded version vector refused: {error}")))?;
        same("version vector after encoding", &version, other.doc.version())?;
        Ok(self.doc.delta_since(&version))
    }

    /// Compares everything that can be seen of the document with the model.
    ///
    /// # Errors
    /// On the first difference.
    pub fn verify(&self) -> Checked {
        let text = self.model.text();
        same("text", &self.doc.text(), &text)?;
        self.plain.check(&self.doc)?;
        let registers = self.doc.registers().map(|(name, value)| (name.to_owned(), value.clone()));
        same("registers", &registers.collect(), &self.model.registers())?;
        same("version", self.doc.version(), &self.model.version())?;
        let pending = self.doc.pending();
        same("pending operations", &pending.operations, &self.model.waiting())?;
        if pending.missing.is_empty() != (pending.operations == 0) {
            return Err(Failure::new(format!("pending report contradicts itself: {pending:?}")));
        }
        for (replica, seqs) in &pending.missing {
            if seqs.is_empty() || seqs.start < self.doc.version().get(*replica) {
                return Err(Failure::new(format!("pending report names what is there: {pending:?}")));
            }
        }
        self.verify_positions(&text)?;
        self.verify_runs(&self.model.cells())?;
        self.verify_order()
    }

    /// Runs of all and of a part, each as long as it can be.
    fn verify_runs(&self, cells: &[Cell]) -> Checked {
        same("runs", &self.doc.runs(), &cells::runs(cells))?;
        let (start, end) = (cells.len() / 3, cells.len() - cells.len() / 4);
        same("runs of a part", &self.doc.runs_in(start..end), &Ok(cells::runs(&cells[start..end])))?;
        if self.doc.runs_in(0..cells.len() + 1).is_ok() {
            return Err(Failure::new("a range outside the text was accepted"));
        }
        Ok(())
    }

    /// Lengths and positions in both units, and slices.
    fn verify_positions(&self, text: &str) -> Checked {
        let chars: Vec<char> = text.chars().collect();
        same("len", &self.doc.len(), &chars.len())?;
        same("is_empty", &self.doc.is_empty(), &chars.is_empty())?;
        let mut utf16 = 0;
        for position in 0..=chars.len() {
            same("position_to_utf16", &self.doc.position_to_utf16(position), &Ok(utf16))?;
            same("position_from_utf16", &self.doc.position_from_utf16(utf16), &Ok(position))?;
            if let Some(char) = chars.get(position) {
                if char.len_utf16() == 2 && self.doc.position_from_utf16(utf16 + 1).is_ok() {
                    return Err(Failure::new("a position inside a surrogate pair was accepted"));
                }
                utf16 += char.len_utf16();
            }
        }
        same("len_utf16", &self.doc.len_utf16(), &utf16)?;
        let (start, end) = (chars.len() / 3, chars.len() - chars.len() / 4);
        same("slice", &self.doc.slice(start..end), &Ok(chars[start..end].iter().collect()))?;
        if self.doc.slice(0..chars.len() + 1).is_ok() || self.doc.position_to_utf16(chars.len() + 1).is_ok() {
            return Err(Failure::new("a position outside the text was accepted"));
        }
        Ok(())
    }

    /// All elements in order, tombstones included; and every anchor stands beside its element.
    fn verify_order(&self) -> Checked {
        let order = self.model.order();
        let expected = order.iter().map(|&id| (id, self.model.is_visible(id))).collect::<Vec<_>>();
        same("elements in order, tombstones included", &self.doc.elements().collect(), &expected)?;
        let mut position = 0;
        for &id in &order {
            let visible = self.model.is_visible(id);
            for (anchor, expected) in
                [(Anchor::before(id), position), (Anchor::after(id), position + usize::from(visible))]
            {
                if self.doc.resolve(&anchor) != Some(expected) {
                    return same(
                        &format!("place of {anchor:?}"),
                        &self.doc.resolve(&anchor),
                        &Some(expected),
                    );
                }
            }
            if visible {
                same(
                    "anchor_at behind",
                    &self.doc.anchor_at(position, Side::Before),
                    &Ok(Anchor::before(id)),
                )?;
                position += 1;
                same(
                    "anchor_at in front",
                    &self.doc.anchor_at(position, Side::After),
                    &Ok(Anchor::after(id)),
                )?;
            }
        }
        same("anchor_at the start", &self.doc.anchor_at(0, Side::After), &Ok(Anchor::START))?;
        same("anchor_at the end", &self.doc.anchor_at(position, Side::Before), &Ok(Anchor::END))?;
        same("place of the start", &self.doc.resolve(&Anchor::START), &Some(0))?;
        same("place of the end", &self.doc.resolve(&Anchor::END), &Some(position))
    }
}

/// What goes back and forth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// What was done last.
    Undo,
    /// What was undone last.
    Redo,
}

/// Undoes every transaction by itself.
fn every_transaction(doc: &Doc) -> UndoManager {
    UndoManager::new(doc, UndoOptions { interval_ms: 0, ..UndoOptions::default() })
}

/// Fails unless an edit made the operations that the specification asks for. The elements of a deletion may be
/// named in any order.
fn same_operations(edit: &Edit, found: &[ModelOp], issued: &[ModelOp]) -> Checked {
    if !matches!(edit, Edit::Delete { .. }) {
        return same("operations", &found, &issued);
    }
    let ids = |ops: &[ModelOp]| ops.iter().map(|op| op.id).collect::<Vec<_>>();
    let targets = |ops: &[ModelOp]| -> BTreeSet<Option<OpId>> {
        let target =
            |op: &ModelOp| if let ModelOpKind::Delete { target } = op.kind { Some(target) } else { None };
        ops.iter().map(target).collect()
    };
    same("ids of a deletion", &ids(found), &ids(issued))?;
    same("elements of a deletion", &targets(found), &targets(issued))
}

/// Fails unless the author sees what was asked for, and nothing else changed.
fn same_but_for(edit: &Edit, mut before: Vec<Cell>, after: &[Cell]) -> Checked {
    let position = edit.position();
    let (inserted, deleted) = edit.sizes();
    before.drain(position..position + deleted);
    // With the marks that the place gave them; where others were asked for, those.
    let mut new = after[position..position + inserted].to_vec();
    let (glyphs, marks) = match edit {
        Edit::Insert { text, .. } => (text.chars().map(Glyph::Char).collect(), None),
        Edit::InsertWith { text, marks, .. } => (text.chars().map(Glyph::Char).collect(), Some(marks)),
        Edit::Embed { value, marks, .. } => (vec![Glyph::Embed(value.clone())], marks.as_ref()),
        Edit::Delete { .. } | Edit::Mark { .. } | Edit::Set { .. } => (Vec::new(), None),
    };
    for (cell, glyph) in new.iter_mut().zip(glyphs) {
        cell.glyph = glyph;
        if let Some(marks) = marks {
            cell.marks = marks.clone();
        }
    }
    before.splice(position..position, new);
    if let Edit::Mark { len, name, value, .. } = edit {
        for cell in &mut before[position..position + len] {
            cell.marks = with_mark(&cell.marks, name, value.as_ref());
        }
    }
    same("what the author sees", &after, &before.as_slice())
}

/// The operations of a delta, one by one; the delta must survive being encoded again.
///
/// # Errors
/// When it does not decode, or decodes to something else the second time.
pub fn expand(delta: &[u8]) -> Checked<Vec<ModelOp>> {
    if delta.is_empty() {
        return Ok(Vec::new());
    }
    let decode = |bytes: &[u8]| {
        decode_delta(bytes, &Limits::DEFAULT)
            .map_err(|error| Failure::new(format!("delta does not decode: {error}")))
    };
    let ops = decode(delta)?;
    // Runs may be joined, and replicas come in another order; the operations are the same.
    let by_id = |ops: &[Op]| {
        let mut single: Vec<ModelOp> = ops.iter().flat_map(ModelOp::from_run).collect();
        single.sort_by_key(|op| op.id);
        single
    };
    same("delta encoded again", &by_id(&decode(&encode_delta(&ops))?), &by_id(&ops))?;
    Ok(ops.iter().flat_map(ModelOp::from_run).collect())
}
