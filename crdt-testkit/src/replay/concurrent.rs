//! One replica per agent; each transaction is made where exactly its parents are known.
//!
//! Before a replica makes a transaction it is given the deltas, as encoded by their makers, that
//! the recorded parents knew and it does not: never more, or positions would not fit. Between its
//! first and its last transaction a replica lives; before, it costs nothing, and afterwards it is
//! kept as a snapshot until everybody is compared. So the costs are those of applying each delta
//! once in every replica that needs it, and nobody is asked for a delta that must be cut anew.

use super::{Replay, apply, are_equal, listen, make_edits};
use crate::failure::{Checked, Failure};
use crate::traces::{ConcurrentTrace, Replicas};
use crdt_core::{Doc, ReplicaId, VersionVector};
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

pub(super) fn replay(trace: &ConcurrentTrace) -> Checked<Replay> {
    let mut run = Run::new(trace);
    for transaction in 0..trace.transactions.len() {
        run.make(transaction).map_err(|failure| failure.at(format!("transaction {transaction}")))?;
    }
    let other_order = other_causal_order(trace);
    let (listener, apply) = listen(other_order.iter().map(|&index| run.deltas[index].as_slice()))?;
    let converged = run.all_converge_to(&listener)?;
    let text = listener.text();
    Ok(Replay {
        edits: trace.transactions.iter().map(|transaction| transaction.patches.len()).sum(),
        replicas: run.replicas.agents.len(),
        equal_end_content: text == trace.end_content,
        end_content_is_binding: trace.agents_in_tie_order,
        converged,
        text,
        delta_bytes: run.deltas.iter().map(Vec::len).sum(),
        snapshot_bytes: listener.encode_snapshot().len(),
        local: run.local,
        apply,
    })
}

struct Run<'a> {
    trace: &'a ConcurrentTrace,
    replicas: Replicas,
    /// The transactions of each replica, as indices into the trace.
    of_replica: Vec<Vec<usize>>,
    /// Each replica's document, while it lives.
    docs: Vec<Option<Doc>>,
    /// How many transactions of each replica each living document has.
    known: Vec<Vec<usize>>,
    /// Snapshots of the replicas that have made their last transaction.
    ended: Vec<Vec<u8>>,
    /// The delta of each transaction.
    deltas: Vec<Vec<u8>>,
    local: Duration,
}

impl<'a> Run<'a> {
    fn new(trace: &'a ConcurrentTrace) -> Self {
        let replicas = trace.replicas();
        let count = replicas.agents.len();
        let mut of_replica = vec![Vec::new(); count];
        for (transaction, &replica) in replicas.of_transaction.iter().enumerate() {
            of_replica[replica].push(transaction);
        }
        Self {
            trace,
            of_replica,
            docs: vec![None; count],
            known: vec![Vec::new(); count],
            ended: Vec::new(),
            deltas: Vec::with_capacity(trace.transactions.len()),
            local: Duration::ZERO,
            replicas,
        }
    }

    /// Makes one transaction at its replica, after giving it what the parents knew.
    fn make(&mut self, transaction: usize) -> Checked {
        let replica = self.replicas.of_transaction[transaction];
        let mut doc = match self.docs[replica].take() {
            Some(doc) => doc,
            None => Doc::new(replica_id(self.trace, &self.replicas, replica)),
        };
        for missing in self.missing(transaction) {
            apply(&mut doc, &self.deltas[missing])?;
        }
        let start = Instant::now();
        let delta = make_edits(&mut doc, &self.trace.transactions[transaction].patches)?;
        self.local += start.elapsed();
        self.deltas.push(delta);
        let known = &mut self.known[replica];
        known.clone_from(&self.replicas.seen[transaction]);
        known.resize(known.len().max(replica + 1), 0);
        known[replica] += 1;
        if self.of_replica[replica].last() == Some(&transaction) {
            self.ended.push(doc.encode_snapshot());
            self.known[replica] = Vec::new();
        } else {
            self.docs[replica] = Some(doc);
        }
        Ok(())
    }

    /// The transactions that the parents knew and this one's replica does not, oldest first.
    fn missing(&self, transaction: usize) -> Vec<usize> {
        let replica = self.replicas.of_transaction[transaction];
        let mut missing = Vec::new();
        for (other, &wanted) in self.replicas.seen[transaction].iter().enumerate() {
            let known = self.known[replica].get(other).copied().unwrap_or(0);
            missing.extend_from_slice(&self.of_replica[other][known..wanted]);
        }
        missing.retain(|&index| !self.deltas[index].is_empty());
        missing.sort_unstable();
        missing
    }

    /// Opens every replica again, gives it what it lacks, and compares.
    fn all_converge_to(&self, listener: &Doc) -> Checked<bool> {
        let mut converged = true;
        for snapshot in &self.ended {
            // A replica that is opened again is another replica; it only listens from now on.
            let mut doc = Doc::from_snapshot(ReplicaId::new(0), snapshot)
                .map_err(|error| Failure::new(format!("snapshot refused: {error}")))?;
            let version = VersionVector::decode(&doc.version().encode())
                .map_err(|error| Failure::new(format!("version vector refused: {error}")))?;
            let delta = listener.delta_since(&version);
            if !delta.is_empty() {
                apply(&mut doc, &delta)?;
            }
            converged &= are_equal(&doc, listener);
        }
        Ok(converged)
    }
}

/// Larger for a lower agent number, so that a lower number wins ties; the replicas of one agent
/// are told apart in the lower bits.
fn replica_id(trace: &ConcurrentTrace, replicas: &Replicas, replica: usize) -> ReplicaId {
    let high = trace.agents - replicas.agents[replica];
    ReplicaId::new(((high as u64) << 32) | (u64::from(u32::MAX) - replica as u64))
}

/// An order that respects the parents but is as far from the recorded one as it gets simply: of the
/// transactions whose parents are all there, always the one recorded last.
fn other_causal_order(trace: &ConcurrentTrace) -> Vec<usize> {
    let mut children = vec![Vec::new(); trace.transactions.len()];
    let mut lacking = Vec::with_capacity(trace.transactions.len());
    let mut ready = BinaryHeap::new();
    for (index, transaction) in trace.transactions.iter().enumerate() {
        lacking.push(transaction.parents.len());
        if transaction.parents.is_empty() {
            ready.push(index);
        }
        for &parent in &transaction.parents {
            children[parent].push(index);
        }
    }
    let mut order = Vec::with_capacity(trace.transactions.len());
    while let Some(index) = ready.pop() {
        order.push(index);
        for &child in &children[index] {
            lacking[child] -= 1;
            if lacking[child] == 0 {
                ready.push(child);
            }
        }
    }
    order
}
