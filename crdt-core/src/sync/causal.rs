//! What operations refer to.

use crate::ids::{OpId, ReplicaId, Seq};
use crate::op::{Op, OpKind};
use crate::value::Value;

/// How many of these runs, from the first on, refer only to operations that are known: those of which
/// `known` says that so many of a replica are, and those of the runs' own replica before them.
///
/// The runs are of one replica and ascend. O(runs), with one question each.
pub fn known_prefix(ops: &[Op], known: impl Fn(ReplicaId) -> Seq) -> usize {
    let is_known = |op: &Op| {
        // What refers to its own replica refers back, or is wrong: then applying it says so.
        let is_known = |last: OpId| last.replica == op.id.replica || last.seq < known(last.replica);
        last_reference(op).into_iter().chain(said_of(op)).all(is_known)
    };
    ops.iter().position(|op| !is_known(op)).unwrap_or(ops.len())
}

/// The elements that a statement is about.
fn said_of(op: &Op) -> impl Iterator<Item = OpId> + '_ {
    let value = if let OpKind::InsertValue { value, .. } = &op.kind { Some(value) } else { None };
    value.into_iter().flat_map(Value::elements)
}

/// The highest operation that a run is placed beside or deletes; all are of one replica.
fn last_reference(op: &Op) -> Option<OpId> {
    match op.kind {
        OpKind::Insert { anchor, .. } | OpKind::InsertValue { anchor, .. } => anchor.element,
        OpKind::Delete { target, descending: true, .. } => Some(target),
        OpKind::Delete { target, len, descending: false } => {
            Some(OpId::new(target.replica, target.seq.saturating_add(len.saturating_sub(1))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anchor::Anchor;

    #[test]
    fn a_run_is_known_when_all_it_refers_to_is() {
        let (me, other) = (ReplicaId::new(1), ReplicaId::new(2));
        let known = |replica| if replica == other { 5 } else { 0 };
        let insert = |element| OpKind::Insert { anchor: Anchor { element, ..Anchor::END }, text: "x".into() };
        let delete = |seq, len, descending| OpKind::Delete { target: OpId::new(other, seq), len, descending };
        for (kind, expected) in [
            (insert(None), true),
            (insert(Some(OpId::new(other, 4))), true),
            (insert(Some(OpId::new(other, 5))), false),
            (insert(Some(OpId::new(me, 0))), true),
            (insert(Some(OpId::new(ReplicaId::new(3), 0))), false),
            (delete(2, 3, false), true),
            (delete(2, 4, false), false),
            (delete(4, 3, true), true),
            (delete(5, 3, true), false),
            (delete(Seq::MAX, 3, false), false),
        ] {
            let op = Op { id: OpId::new(me, 7), kind };
            assert_eq!(known_prefix(core::slice::from_ref(&op), known), usize::from(expected), "{op:?}");
        }
    }
}
