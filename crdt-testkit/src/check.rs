//! The one helper that asserts everything for every script.

use crate::cells::{self, Cell};
use crate::cluster::Cluster;
use crate::edit::Edit;
use crate::failure::{Checked, Failure, same};
use crate::model::{Model, ModelOp};
use crate::network::{Network, Packet, Weather};
use crate::random::Random;
use crate::script::{Script, Step};
use crate::sequences;
use crate::twin::{Turn, Twin, expand};
use crdt_core::codec::{Limits, decode_delta, encode_delta};
use crdt_core::{Anchor, Doc, Json, Marks, Op, OpId, ReplicaId, VersionVector};
use std::collections::BTreeMap;

/// Replica ids from here on up belong to the helper's own documents.
const OWN_REPLICAS: u64 = 0x7e57_0000_0000_0000;
/// How many of the states on the way are checked out again at the end.
const CHECKOUTS: usize = 6;

/// What one replica held after one step.
struct State {
    version: VersionVector,
    order: Vec<OpId>,
    cells: Vec<Cell>,
}

/// Everything that happened while a script ran.
struct Run {
    cluster: Cluster,
    deltas: Vec<Vec<u8>>,
    last: Vec<Option<Vec<u8>>>,
    anchors: BTreeMap<String, Anchor>,
    states: Vec<State>,
}

/// Runs a script and asserts: what it expects; agreement with the naive model after every step
/// (text, runs, elements and tombstones in order, anchors, versions, what waits, both position units,
/// events replayed on plain text with marks); convergence; that no two elements ever change their order;
/// checkouts of earlier versions; delta and snapshot round trips; and delivery to others in any
/// order, with duplicates, with runs split and joined; that everybody can undo all of their own and redo it.
///
/// Of named texts and lists the model knows nothing: scripts with these are played on documents alone, which have to agree
/// with their events, their snapshots and each other.
///
/// # Errors
/// Names the line and what did not hold.
pub fn check(script: &Script) -> Checked {
    if script.has_sequences() {
        return sequences::check(script);
    }
    let mut run = Run {
        cluster: Cluster::new(&script.replicas, Weather::CALM, 0),
        deltas: Vec::new(),
        last: vec![None; script.replicas.len()],
        anchors: BTreeMap::new(),
        states: Vec::new(),
    };
    for (line, step) in &script.steps {
        run.step(step).map_err(|failure| failure.at(format!("line {line} `{step}`")))?;
    }
    if run.cluster.twins().is_empty() {
        return Ok(());
    }
    run.cluster.settle().map_err(|failure| failure.at("after everybody received everything"))?;
    run.check_strong_list()?;
    run.check_checkouts()?;
    run.check_delivery()?;
    run.check_snapshot()?;
    run.check_undo(script)
}

impl Run {
    fn step(&mut self, step: &Step) -> Checked {
        match step {
            Step::EditPlaced { .. } | Step::ExpectText { .. } | Step::ExpectList { .. } => {
                unreachable!("there are no named sequences in the script");
            }
            Step::Edit { replica, edits } => {
                let delta = self.cluster.edit(*replica, edits)?;
                self.said(*replica, delta)?;
            }
            Step::Turn { replica, turn } => {
                let delta = self.cluster.turn(*replica, *turn)?;
                self.said(*replica, delta)?;
            }
            Step::Sync { from, to } => {
                self.cluster.sync(*from, *to)?;
                self.record(*to)?;
            }
            Step::SyncAll => {
                self.cluster.sync_all()?;
                self.cluster.check_convergence()?;
                self.record(0)?;
            }
            Step::Last { from, to } => {
                if let Some(delta) = self.last[*from].clone() {
                    self.cluster.receive(*to, &delta)?;
                }
                self.record(*to)?;
            }
            Step::Anchor { replica, name, position, side } => {
                let anchor = self.cluster.twins()[*replica]
                    .doc()
                    .anchor_at(*position, *side)
                    .map_err(|error| Failure::new(error.to_string()))?;
                let decoded = Anchor::decode(&anchor.encode());
                same("anchor after encoding", &decoded, &Ok(anchor))?;
                self.anchors.insert(name.clone(), anchor);
            }
            Step::Expect { replica, text } => {
                for (index, twin) in self.cluster.twins().iter().enumerate() {
                    if replica.is_none_or(|replica| replica == index) {
                        same("text", &twin.doc().text(), text)?;
                    }
                }
            }
            Step::Expand { replica, name, expand } => {
                self.cluster.set_expand(*replica, name, *expand);
            }
            Step::ExpectRuns { replica, runs } => {
                for (index, twin) in self.cluster.twins().iter().enumerate() {
                    if replica.is_none_or(|replica| replica == index) {
                        same("runs", &twin.doc().runs(), runs)?;
                    }
                }
            }
            Step::ExpectRegisters { replica, registers: expected } => {
                for (index, twin) in self.cluster.twins().iter().enumerate() {
                    if replica.is_none_or(|replica| replica == index) {
                        same("registers", &registers(twin.doc()), expected)?;
                    }
                }
            }
            Step::ExpectPending { replica, count } => {
                same("pending", &self.cluster.twins()[*replica].doc().pending().operations, count)?;
            }
            Step::ExpectAnchor { replica, name, position } => {
                let anchor =
                    self.anchors.get(name).ok_or_else(|| Failure::new(format!("no anchor {name}")))?;
                let found = self.cluster.twins()[*replica].doc().resolve(anchor);
                same("anchor", &found, &Some(*position))?;
            }
        }
        Ok(())
    }

    /// Keeps the delta of a transaction, if it said anything.
    fn said(&mut self, replica: usize, delta: Vec<u8>) -> Checked {
        if !delta.is_empty() {
            self.last[replica] = Some(delta.clone());
            self.deltas.push(delta);
        }
        self.record(replica)
    }

    /// Keeps a replica's state for the end, and checks its snapshot.
    fn record(&mut self, replica: usize) -> Checked {
        let twin = &self.cluster.twins()[replica];
        twin.reloaded(ReplicaId::new(OWN_REPLICAS))?;
        self.states.push(State {
            version: twin.doc().version().clone(),
            order: twin.model().order(),
            cells: cells::cells(&twin.doc().runs()),
        });
        Ok(())
    }

    fn end(&self) -> &Twin {
        &self.cluster.twins()[0]
    }

    /// The order of every state is part of the order at the end.
    fn check_strong_list(&self) -> Checked {
        let at_end = self.end().model().order();
        let place: BTreeMap<OpId, usize> = at_end.iter().copied().zip(0..).collect();
        for state in &self.states {
            if !state.order.is_sorted_by_key(|id| place[id]) {
                return Err(Failure::new(format!(
                    "elements changed their order: {:?} became {at_end:?}",
                    state.order
                )));
            }
        }
        Ok(())
    }

    /// A document that was given exactly what an earlier state had seen holds what it held.
    fn check_checkouts(&self) -> Checked {
        let stride = self.states.len().div_ceil(CHECKOUTS).max(1);
        for state in self.states.iter().step_by(stride) {
            let past: Model = self.end().model().checkout(&state.version);
            same("cells of the model at an earlier version", &past.cells(), &state.cells)?;
            let ops: Vec<Op> = past.ops().map(ModelOp::to_run).collect();
            let mut twin = Twin::new(ReplicaId::new(OWN_REPLICAS));
            if !ops.is_empty() {
                twin.receive(&encode_delta(&ops))?;
            }
            let runs = cells::runs(&state.cells);
            same("runs at an earlier version", &twin.doc().runs(), &runs)?;
            same("earlier version", twin.doc().version(), &state.version)?;
        }
        Ok(())
    }

    /// Feeds all deltas to empty documents in many ways.
    fn check_delivery(&self) -> Checked {
        let mut ops = Vec::new();
        for delta in &self.deltas {
            ops.extend(
                decode_delta(delta, &Limits::DEFAULT)
                    .map_err(|error| Failure::new(format!("own delta refused: {error}")))?,
            );
        }
        if ops.is_empty() {
            return Ok(());
        }
        let single = |op: &Op| -> Vec<Op> { ModelOp::from_run(op).iter().map(ModelOp::to_run).collect() };

        let reversed: Vec<_> = self.deltas.iter().rev().cloned().collect();
        self.deliver(&reversed).map_err(|failure| failure.at("deltas in reverse order"))?;

        let split: Vec<_> = ops.iter().flat_map(single).map(|op| encode_delta(&[op])).collect();
        self.deliver(&split).map_err(|failure| failure.at("a delta an element"))?;

        let merged = encode_delta(&ops);
        self.deliver(&[merged.clone(), merged]).map_err(|failure| failure.at("all in one delta, twice"))?;

        let mut sorted: Vec<_> = ops.iter().flat_map(single).collect();
        sorted.sort_by_key(|op| op.id);
        self.deliver(&[encode_delta(&sorted)]).map_err(|failure| failure.at("one delta by replica"))?;

        let everything = self.end().doc().delta_since(&VersionVector::new());
        same("ops of delta_since nothing", &sorted_ops(&everything)?, &sorted_ops(&encode_delta(&sorted))?)?;
        self.deliver(&[everything]).map_err(|failure| failure.at("delta_since nothing"))?;

        for seed in 1..=3 {
            let mut shuffled = split.clone();
            let mut random = Random::new(seed);
            random.shuffle(&mut shuffled);
            let place = |failure: Failure| failure.at(format!("shuffled with seed {seed}"));
            self.deliver(&shuffled).map_err(place)?;

            let mut network = Network::new(Weather::ROUGH, seed);
            for bytes in self.deltas.iter().cloned() {
                network.send(Packet { from: 0, to: 0, bytes });
            }
            let arrived: Vec<_> =
                std::iter::from_fn(|| network.next_arrival()).map(|packet| packet.bytes).collect();
            self.deliver(&arrived).map_err(|failure| failure.at(format!("network with seed {seed}")))?;
        }
        Ok(())
    }

    /// Feeds deltas to an empty document, which must end as everybody else.
    fn deliver(&self, deltas: &[Vec<u8>]) -> Checked {
        let mut doc = Doc::new(ReplicaId::new(OWN_REPLICAS));
        let mut plain = crate::plain::PlainText::default();
        for delta in deltas {
            let edits = doc
                .apply(delta)
                .map_err(|error| Failure::new(format!("delta refused: {error} ({error:?})")))?;
            for edit in &edits {
                plain.replay(edit)?;
            }
            plain.check(&doc)?;
        }
        let end = self.end();
        same("text", &doc.text(), &end.doc().text())?;
        same("runs", &doc.runs(), &end.doc().runs())?;
        same("registers", &registers(&doc), &registers(end.doc()))?;
        same("version", doc.version(), end.doc().version())?;
        same("pending", &doc.pending().operations, &0)?;
        let elements: Vec<_> = end.doc().elements().collect();
        same("elements in order, tombstones included", &doc.elements().collect(), &elements)
    }

    /// Whoever undoes all of their own edits leaves what the others wrote, and redoing all of it brings back what was there;
    /// everybody else sees the same.
    fn check_undo(&self, script: &Script) -> Checked {
        for (replica, twin) in self.cluster.twins().iter().enumerate() {
            let place = |failure: Failure| failure.at(format!("undo by replica {}", twin.doc().replica()));
            let turned =
                |(_, step): &(usize, Step)| matches!(step, Step::Turn { replica: at, .. } if *at == replica);
            let mut author = twin.clone();
            let turns = author.turn_all(Turn::Undo).map_err(place)?;
            author.verify().map_err(place)?;
            // What was undone before came back as other elements of one's own, and was said again later than it was said.
            let is_first = !script.steps.iter().any(turned);
            if is_first {
                let without = twin.model().without(&[twin.doc().replica()]);
                same("cells without own edits", &author.model().cells(), &without.cells()).map_err(place)?;
                same("registers without own edits", &author.model().registers(), &without.registers())
                    .map_err(place)?;
            }
            let mut reader = self.cluster.twins()[(replica + 1) % self.cluster.twins().len()].clone();
            if reader.doc().replica() != twin.doc().replica() {
                reader.receive(&author.delta_for(&reader)?).map_err(place)?;
                same("runs of a reader", &reader.doc().runs(), &author.doc().runs()).map_err(place)?;
            }
            for _ in 0..turns {
                author.turn(Turn::Redo).map_err(place)?;
            }
            author.verify().map_err(place)?;
            same("text after redoing all", &author.doc().text(), &twin.doc().text()).map_err(place)?;
            if is_first {
                same("runs after redoing all", &author.doc().runs(), &twin.doc().runs()).map_err(place)?;
                same("registers after redoing all", &registers(author.doc()), &registers(twin.doc()))
                    .map_err(place)?;
            }
        }
        Ok(())
    }

    /// A document loaded from a snapshot goes on as any other: it edits, and merges.
    fn check_snapshot(&self) -> Checked {
        let place = |failure: Failure| failure.at("going on from a snapshot");
        let mut twin = self.end().clone();
        let mut loaded = twin.reloaded(ReplicaId::new(OWN_REPLICAS)).map_err(place)?;
        let middle = loaded.doc().len() / 2;
        let mut edits = vec![Edit::Insert { position: middle, text: "é😀".to_owned() }];
        edits.push(Edit::Embed { position: middle, value: json("{\"image\":\"u\"}")?, marks: None });
        edits.push(Edit::Mark {
            position: 0,
            len: middle + 1,
            name: "italic".to_owned(),
            value: Some(json("true")?),
        });
        if middle > 0 {
            edits.push(Edit::Delete { position: middle - 1, len: 2 });
        }
        let theirs = loaded.edit(&edits).map_err(place)?;
        let ours = twin.edit(&edits).map_err(place)?;
        loaded.receive(&ours).map_err(place)?;
        twin.receive(&theirs).map_err(place)?;
        same("text after merging", &loaded.doc().text(), &twin.doc().text()).map_err(place)?;
        same("runs after merging", &loaded.doc().runs(), &twin.doc().runs()).map_err(place)
    }
}

/// The operations of a delta in ascending order of their ids.
fn sorted_ops(delta: &[u8]) -> Checked<Vec<ModelOp>> {
    let mut ops = expand(delta)?;
    ops.sort_by_key(|op| op.id);
    Ok(ops)
}

fn registers(doc: &Doc) -> Marks {
    doc.registers().map(|(name, value)| (name, value.clone())).collect()
}

fn json(text: &str) -> Checked<Json> {
    Json::parse(text).map_err(|error| Failure::new(format!("own JSON refused: {error}")))
}
