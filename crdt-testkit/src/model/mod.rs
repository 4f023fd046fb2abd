//! The naive model: what every replica must compute, slow and obvious on purpose.
//!
//! A direct reading of the specification of the sequence. Every element is one entry of a map; the
//! order is found by walking the whole tree each time anybody asks. It must share no code and no
//! idea with the fast structure, so that both are hardly ever wrong in the same way. All costs are
//! O(n log n) or worse, *n* being the number of elements ever inserted.

mod editing;
mod op;
mod statements;

pub use op::{ModelOp, ModelOpKind};

use crate::cells::Glyph;
use crdt_core::{Anchor, Expand, OpId, ReplicaId, Side, VersionVector};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
struct Element {
    /// `None` never shows.
    glyph: Option<Glyph>,
    deleted_by: BTreeSet<OpId>,
}

/// Elements, the tree that their anchors form, and what waits.
#[derive(Clone, Debug, Default)]
pub struct Model {
    elements: BTreeMap<OpId, Element>,
    children: BTreeMap<(Option<OpId>, Side), BTreeSet<OpId>>,
    seen: BTreeMap<OpId, ModelOp>,
    waiting: BTreeMap<OpId, ModelOp>,
    /// How marks grow where it was said.
    expands: BTreeMap<String, Expand>,
}

impl Model {
    /// An empty sequence.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes an operation in: at once if everything that it refers to is there, and everything that
    /// waited for it too; otherwise it waits. Twice changes nothing.
    pub fn receive(&mut self, op: ModelOp) {
        if self.seen.contains_key(&op.id) {
            return;
        }
        if !self.is_ready(&op) {
            self.waiting.insert(op.id, op);
            return;
        }
        self.integrate(op);
        while let Some(id) = self.waiting.values().find(|op| self.is_ready(op)).map(|op| op.id) {
            if let Some(op) = self.waiting.remove(&id) {
                self.integrate(op);
            }
        }
    }

    fn is_ready(&self, op: &ModelOp) -> bool {
        let follows = op.id.seq == 0 || self.seen.contains_key(&OpId::new(op.id.replica, op.id.seq - 1));
        follows && op.cause().is_none_or(|cause| self.elements.contains_key(&cause))
    }

    fn integrate(&mut self, op: ModelOp) {
        match &op.kind {
            ModelOpKind::Insert { anchor, glyph } => self.place(op.id, *anchor, Some(glyph.clone())),
            ModelOpKind::Mark { anchor, .. } | ModelOpKind::Register { anchor, .. } => {
                self.place(op.id, *anchor, None);
            }
            ModelOpKind::Delete { target } => {
                if let Some(element) = self.elements.get_mut(target) {
                    element.deleted_by.insert(op.id);
                }
            }
        }
        self.seen.insert(op.id, op);
    }

    fn place(&mut self, id: OpId, anchor: Anchor, glyph: Option<Glyph>) {
        self.elements.insert(id, Element { glyph, deleted_by: BTreeSet::new() });
        self.children.entry((anchor.element, anchor.side)).or_default().insert(id);
    }

    /// All elements, tombstones included: the in-order traversal, siblings in descending id order.
    pub fn order(&self) -> Vec<OpId> {
        enum Walk {
            Visit(Option<OpId>, Side),
            Emit(OpId),
        }
        let mut order = Vec::new();
        let mut stack = vec![Walk::Visit(None, Side::After)];
        while let Some(step) = stack.pop() {
            match step {
                Walk::Emit(id) => order.push(id),
                Walk::Visit(element, side) => {
                    // The last one pushed, the largest id, comes out first.
                    for &child in self.children.get(&(element, side)).into_iter().flatten() {
                        stack.push(Walk::Visit(Some(child), Side::After));
                        stack.push(Walk::Emit(child));
                        stack.push(Walk::Visit(Some(child), Side::Before));
                    }
                }
            }
        }
        order
    }

    /// Whether the element is there, shows, and is not deleted.
    pub fn is_visible(&self, id: OpId) -> bool {
        self.glyph(id).is_some()
    }

    /// What a visible element holds.
    fn glyph(&self, id: OpId) -> Option<&Glyph> {
        let element = self.elements.get(&id).filter(|element| element.deleted_by.is_empty())?;
        element.glyph.as_ref()
    }

    /// The visible elements, in order.
    pub fn visible(&self) -> Vec<OpId> {
        self.order().into_iter().filter(|&id| self.is_visible(id)).collect()
    }

    /// The text.
    pub fn text(&self) -> String {
        self.order().iter().filter_map(|&id| self.glyph(id)).map(Glyph::as_char).collect()
    }

    /// What was integrated, per replica.
    pub fn version(&self) -> VersionVector {
        let mut version = VersionVector::new();
        for id in self.seen.keys() {
            version.raise(id.replica, id.seq + 1);
        }
        version
    }

    /// How many operations wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Everything integrated, in ascending order of replica and seq.
    pub fn ops(&self) -> impl Iterator<Item = &ModelOp> {
        self.seen.values()
    }

    /// Everything that waits, in ascending order of replica and seq.
    pub fn waiting_ops(&self) -> impl Iterator<Item = &ModelOp> {
        self.waiting.values()
    }

    /// Where an anchor stands, in scalar values; `None` if its element is unknown.
    pub fn resolve(&self, anchor: &Anchor) -> Option<usize> {
        let Some(element) = anchor.element else {
            return Some(if anchor.side == Side::After { 0 } else { self.visible().len() });
        };
        let order = self.order();
        let index = order.iter().position(|&id| id == element)?;
        let before = order[..index].iter().filter(|&&id| self.is_visible(id)).count();
        Some(before + usize::from(anchor.side == Side::After && self.is_visible(element)))
    }

    /// What it would show if these replicas had never said anything: what others inserted and no other deleted, where it
    /// stands, with the marks that others set.
    pub fn without(&self, replicas: &[ReplicaId]) -> Self {
        let is_theirs = |id: &OpId| replicas.contains(&id.replica);
        let mut without = self.clone();
        without.seen.retain(|id, _| !is_theirs(id));
        // Their elements keep their places, and show nothing.
        for (id, element) in &mut without.elements {
            if is_theirs(id) {
                element.glyph = None;
            }
            element.deleted_by.retain(|id| !is_theirs(id));
        }
        without
    }

    /// The document as it was for a replica that had seen exactly `version`.
    pub fn checkout(&self, version: &VersionVector) -> Self {
        let mut past = Self::new();
        for op in self.seen.values().filter(|op| version.contains(op.id)) {
            past.receive(op.clone());
        }
        past
    }
}
