//! Operations taken apart: each on one element, or one mark.

use crate::cells::Glyph;
use crdt_core::{Anchor, Mark, Op, OpId, OpKind, Register, Seq, Stamp, Value};

/// One operation on one element, or one mark.
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
        glyph: Glyph,
    },
    /// Deletes one element.
    Delete {
        /// Which one.
        target: OpId,
    },
    /// Sets or removes a mark. It is an element too, one that never shows.
    Mark {
        /// Where it is placed.
        anchor: Anchor,
        /// What it says.
        mark: Mark,
    },
    /// Sets or empties a register; an element as a mark is.
    Register {
        /// Where it is placed.
        anchor: Anchor,
        /// What it says.
        register: Register,
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
                    Self { id: id(i), kind: ModelOpKind::Insert { anchor, glyph: Glyph::Char(char) } }
                })
                .collect(),
            OpKind::InsertValue { anchor, value } => {
                let kind = match value.clone() {
                    Value::Embed(value) => {
                        ModelOpKind::Insert { anchor: *anchor, glyph: Glyph::Embed(value) }
                    }
                    Value::Mark(mark) => ModelOpKind::Mark { anchor: *anchor, mark },
                    Value::Register(register) => ModelOpKind::Register { anchor: *anchor, register },
                    other => panic!("the model knows nothing of {other:?}"),
                };
                vec![Self { id: op.id, kind }]
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
        let kind = match &self.kind {
            ModelOpKind::Insert { anchor, glyph: Glyph::Char(char) } => {
                OpKind::Insert { anchor: *anchor, text: char.to_string() }
            }
            ModelOpKind::Delete { target } => OpKind::Delete { target: *target, len: 1, descending: false },
            ModelOpKind::Insert { anchor, glyph: Glyph::Embed(value) } => {
                OpKind::InsertValue { anchor: *anchor, value: Value::Embed(value.clone()) }
            }
            ModelOpKind::Mark { anchor, mark } => {
                OpKind::InsertValue { anchor: *anchor, value: Value::Mark(mark.clone()) }
            }
            ModelOpKind::Register { anchor, register } => {
                OpKind::InsertValue { anchor: *anchor, value: Value::Register(register.clone()) }
            }
        };
        Op { id: self.id, kind }
    }

    /// Whether it says something, and shows nothing itself.
    pub(super) fn is_statement(&self) -> bool {
        matches!(self.kind, ModelOpKind::Mark { .. } | ModelOpKind::Register { .. })
    }

    /// The Lamport stamp, where there is one.
    pub(super) fn stamp(&self) -> Stamp {
        match &self.kind {
            ModelOpKind::Mark { mark, .. } => mark.stamp,
            ModelOpKind::Register { register, .. } => register.stamp,
            _ => 0,
        }
    }

    /// The element that must be there first, if any. What a mark covers may come later.
    pub(super) fn cause(&self) -> Option<OpId> {
        match &self.kind {
            ModelOpKind::Insert { anchor, .. }
            | ModelOpKind::Mark { anchor, .. }
            | ModelOpKind::Register { anchor, .. } => anchor.element,
            ModelOpKind::Delete { target } => Some(*target),
        }
    }
}
