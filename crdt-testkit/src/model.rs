//! The naive model: what every replica must compute, slow and obvious on purpose.
//!
//! A direct reading of the specification of the sequence. Every element is one entry of a map; the
//! order is found by walking the whole tree each time anybody asks. It must share no code and no
//! idea with the fast structure, so that both are hardly ever wrong in the same way. All costs are
//! O(n log n) or worse, *n* being the number of elements ever inserted.

use crdt_core::{Anchor, Op, OpId, OpKind, ReplicaId, Seq, Side, VersionVector};
use std::collections::{BTreeMap, BTreeSet};

/// One operation on one element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelOp {
    /// Its name.
    pub id: OpId,
    /// What it does.
    pub kind: ModelOpKind,
}

/// What an operation does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelOpKind {
    /// Inserts one element.
    Insert {
        /// Where it is placed.
        anchor: Anchor,
        /// Its content.
        char: char,
    },
    /// Deletes one element.
    Delete {
        /// Which one.
        target: OpId,
    },
}

impl ModelOp {
    /// Takes a run apart.
    pub fn from_run(op: &Op) -> Vec<Self> {
        let id = |offset: Seq| OpId::new(op.id.replica, op.id.seq + offset);
        match &op.kind {
            OpKind::Insert { anchor, text } => (0..)
                .zip(text.chars())
                .map(|(i, char)| {
                    let anchor = if i == 0 { *anchor } else { Anchor::after(id(i - 1)) };
                    Self { id: id(i), kind: ModelOpKind::Insert { anchor, char } }
                })
                .collect(),
            OpKind::InsertValue { anchor, .. } => {
                vec![Self { id: op.id, kind: ModelOpKind::Insert { anchor: *anchor, char: '\u{fffc}' } }]
            }
            OpKind::Delete { target, len, descending } => (0..*len)
                .map(|i| {
                    let seq = if *descending { target.seq - i } else { target.seq + i };
                    let target = OpId::new(target.replica, seq);
                    Self { id: id(i), kind: ModelOpKind::Delete { target } }
                })
                .collect(),
        }
    }

    /// The operation as a run of one.
    pub fn to_run(&self) -> Op {
        let kind = match self.kind {
            ModelOpKind::Insert { anchor, char } => OpKind::Insert { anchor, text: char.to_string() },
            ModelOpKind::Delete { target } => OpKind::Delete { target, len: 1, descending: false },
        };
        Op { id: self.id, kind }
    }

    /// The element that must be there first, if any.
    fn cause(&self) -> Option<OpId> {
        match self.kind {
            ModelOpKind::Insert { anchor, .. } => anchor.element,
            ModelOpKind::Delete { target } => Some(target),
        }
    }
}

#[derive(Clone, Debug)]
struct Element {
    char: char,
    deleted_by: BTreeSet<OpId>,
}

/// Elements, the tree that their anchors form, and what waits.
#[derive(Clone, Debug, Default)]
pub struct Model {
    elements: BTreeMap<OpId, Element>,
    children: BTreeMap<(Option<OpId>, Side), BTreeSet<OpId>>,
    seen: BTreeMap<OpId, ModelOp>,
    waiting: BTreeMap<OpId, ModelOp>,
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
        match op.kind {
            ModelOpKind::Insert { anchor, char } => {
                self.elements.insert(op.id, Element { char, deleted_by: BTreeSet::new() });
                self.children.entry((anchor.element, anchor.side)).or_default().insert(op.id);
            }
            ModelOpKind::Delete { target } => {
                if let Some(element) = self.elements.get_mut(&target) {
                    element.deleted_by.insert(op.id);
                }
            }
        }
        self.seen.insert(op.id, op);
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

    /// Whether the element is there and not deleted.
    pub fn is_visible(&self, id: OpId) -> bool {
        self.elements.get(&id).is_some_and(|element| element.deleted_by.is_empty())
    }

    /// The elements that are not deleted, in order.
    pub fn visible(&self) -> Vec<OpId> {
        self.order().into_iter().filter(|&id| self.is_visible(id)).collect()
    }

    /// The text.
    pub fn text(&self) -> String {
        self.visible().iter().map(|id| self.elements[id].char).collect()
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

    /// Where typing at visible position `position` places the new element.
    ///
    /// # Panics
    /// If there is no such position.
    pub fn placement(&self, position: usize) -> Anchor {
        let order = self.order();
        let left = position.checked_sub(1).map(|index| self.visible()[index]);
        if self.children.get(&(left, Side::After)).is_none_or(BTreeSet::is_empty) {
            return Anchor { element: left, side: Side::After };
        }
        let following = match left {
            None => order[0],
            Some(left) => order[order.iter().position(|&id| id == left).expect("it is there") + 1],
        };
        Anchor::before(following)
    }

    /// Types `text` at `position`, element by element, and gives the operations.
    pub fn insert(&mut self, replica: ReplicaId, position: usize, text: &str) -> Vec<ModelOp> {
        let mut ops = Vec::new();
        for (i, char) in text.chars().enumerate() {
            let id = OpId::new(replica, self.version().get(replica));
            let op = ModelOp { id, kind: ModelOpKind::Insert { anchor: self.placement(position + i), char } };
            self.receive(op.clone());
            ops.push(op);
        }
        ops
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

    /// The document as it was for a replica that had seen exactly `version`.
    pub fn checkout(&self, version: &VersionVector) -> Self {
        let mut past = Self::new();
        for op in self.seen.values().filter(|op| version.contains(op.id)) {
            past.receive(op.clone());
        }
        past
    }
}
