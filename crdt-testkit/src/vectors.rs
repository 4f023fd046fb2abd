//! Histories with known texts (the form of `spec/vectors.json`), run through crdt-core.

use crate::failure::{Checked, Failure, same};
use crate::loaded::loaded;
use crate::model::{Model, ModelOp};
use crate::random::Random;
use crdt_core::codec::encode_delta;
use crdt_core::{Anchor, Doc, Op, OpId, OpKind, ReplicaId, Side};
use serde::Deserialize;
use serde_json::{Map, Value};

/// One history: operations on single elements, causal orders to deliver them in, the text.
#[derive(Clone, Debug)]
pub struct Vector {
    /// The operations, each on one element.
    pub ops: Vec<Op>,
    /// Causal orders, as indices into `ops`.
    pub orders: Vec<Vec<usize>>,
    /// The text that every order gives.
    pub text: String,
}

#[derive(Deserialize)]
struct VectorFile {
    vectors: Vec<RawVector>,
}

#[derive(Deserialize)]
struct RawVector {
    ops: Vec<Map<String, Value>>,
    orders: Vec<Vec<usize>>,
    text: String,
}

/// Reads a file of vectors.
///
/// # Errors
/// When it is of another form.
pub fn read_vectors(json: &[u8]) -> Checked<Vec<Vector>> {
    let file: VectorFile =
        serde_json::from_slice(json).map_err(|error| Failure::new(format!("vectors: {error}")))?;
    let convert = |(number, raw): (usize, RawVector)| {
        let place = |failure: Failure| failure.at(format!("vector {number}"));
        let ops = raw.ops.iter().map(read_op).collect::<Checked<Vec<_>>>().map_err(place)?;
        if raw.orders.iter().flatten().any(|&index| index >= ops.len()) {
            return Err(place(Failure::new("an order names an operation that is not there")));
        }
        Ok(Vector { ops, orders: raw.orders, text: raw.text })
    };
    file.vectors.into_iter().enumerate().map(convert).collect()
}

fn read_op(fields: &Map<String, Value>) -> Checked<Op> {
    let wrong = || Failure::new(format!("operation not understood: {fields:?}"));
    let read_id = |value: &Value| -> Checked<OpId> {
        let (replica, seq): (u64, u32) = serde_json::from_value(value.clone()).map_err(|_| wrong())?;
        Ok(OpId::new(ReplicaId::new(replica), seq))
    };
    let id = read_id(fields.get("id").ok_or_else(wrong)?)?;
    if let Some(target) = fields.get("delete") {
        return Ok(Op { id, kind: OpKind::Delete { target: read_id(target)?, len: 1, descending: false } });
    }
    let (element, side) = match (fields.get("after"), fields.get("before")) {
        (Some(Value::Null), None) => (None, Side::After),
        (Some(element), None) => (Some(read_id(element)?), Side::After),
        (None, Some(element)) => (Some(read_id(element)?), Side::Before),
        _ => return Err(wrong()),
    };
    let text = fields.get("char").and_then(Value::as_str).ok_or_else(wrong)?.to_owned();
    Ok(Op { id, kind: OpKind::Insert { anchor: Anchor { element, side }, text } })
}

impl Vector {
    /// Delivers the operations to documents in every order given: one a delta, each twice, older
    /// ones again now and then, backwards so that almost all must wait, runs joined, and all in one
    /// delta. Every document must hold the text, and so must the naive model.
    ///
    /// # Errors
    /// Says which delivery gave another text.
    pub fn check(&self) -> Checked {
        for (number, order) in self.orders.iter().enumerate() {
            let place = |failure: Failure| failure.at(format!("order {number}"));
            self.check_order(order).map_err(place)?;
        }
        Ok(())
    }

    fn check_order(&self, order: &[usize]) -> Checked {
        let ops: Vec<Op> = order.iter().map(|&index| self.ops[index].clone()).collect();
        let mut model = Model::new();
        ops.iter().flat_map(ModelOp::from_run).for_each(|op| model.receive(op));
        same("text of the model", &model.text(), &self.text)?;

        let single: Vec<Vec<u8>> = ops.iter().map(|op| encode_delta(std::slice::from_ref(op))).collect();
        self.deliver(&single).map_err(|failure| failure.at("one by one"))?;

        let mut random = Random::new(1);
        let mut repeated = Vec::new();
        for (index, delta) in single.iter().enumerate() {
            repeated.extend([delta.clone(), delta.clone(), single[random.below(index + 1)].clone()]);
        }
        self.deliver(&repeated).map_err(|failure| failure.at("with duplicates"))?;

        let backwards: Vec<_> = single.iter().rev().cloned().collect();
        self.deliver(&backwards).map_err(|failure| failure.at("backwards"))?;

        let runs = join_runs(&ops);
        let joined: Vec<_> = runs.iter().map(|op| encode_delta(std::slice::from_ref(op))).collect();
        self.deliver(&joined).map_err(|failure| failure.at("runs joined"))?;

        let merged = encode_delta(&runs);
        self.deliver(&[merged.clone(), merged]).map_err(|failure| failure.at("one delta, twice"))?;
        let mut sorted = ops;
        sorted.sort_by_key(|op| op.id);
        self.deliver(&[encode_delta(&join_runs(&sorted))])
            .map_err(|failure| failure.at("one delta by replica"))
    }

    fn deliver(&self, deltas: &[Vec<u8>]) -> Checked {
        let mut doc = Doc::new(ReplicaId::new(u64::MAX));
        for delta in deltas {
            doc.apply(delta).map_err(|error| Failure::new(format!("delta refused: {error}")))?;
        }
        same("text", &doc.text(), &self.text)?;
        same("pending", &doc.pending().operations, &0)?;
        for loaded in loaded(&doc, ReplicaId::new(u64::MAX))? {
            same("text from the snapshot", &loaded.text(), &self.text)?;
        }
        Ok(())
    }
}

/// Joins operations that follow each other and form one run.
pub fn join_runs(ops: &[Op]) -> Vec<Op> {
    let mut runs: Vec<Op> = Vec::new();
    for op in ops {
        if !runs.last_mut().is_some_and(|run| joins(run, op)) {
            runs.push(op.clone());
        }
    }
    runs
}

/// Puts `op`, an operation on one element, at the end of `run` if it goes on with it.
fn joins(run: &mut Op, op: &Op) -> bool {
    let run_len = run.len();
    if op.id.replica != run.id.replica || op.id.seq != run.id.seq + run_len {
        return false;
    }
    let last = OpId::new(run.id.replica, op.id.seq - 1);
    match (&mut run.kind, &op.kind) {
        (OpKind::Insert { text, .. }, OpKind::Insert { anchor, text: more })
            if *anchor == Anchor::after(last) =>
        {
            text.push_str(more);
            true
        }
        (OpKind::Delete { target, len, descending }, OpKind::Delete { target: next, .. })
            if target.replica == next.replica =>
        {
            let ascends = target.seq.checked_add(*len) == Some(next.seq) && (*len == 1 || !*descending);
            let descends = target.seq.checked_sub(*len) == Some(next.seq) && (*len == 1 || *descending);
            if ascends || descends {
                *descending = descends;
                *len += 1;
            }
            ascends || descends
        }
        _ => false,
    }
}
