//! One replica per agent; each transaction is made where exactly its parents are known.
//!
//! Before a replica makes a transaction it is given the deltas, as encoded by their makers, that
//! the recorded parents knew and it does not: never more, or positions would not fit. Each delta is
//! encoded once and applied once in every replica that needs it; nobody is asked to cut one anew.

use super::{Replay, apply, are_equal, listen, make_edits};
use crate::failure::{Checked, Failure};
use crate::traces::{ConcurrentTrace, Replicas};
use crdt_core::codec::Limits;
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
    /// The document of each replica.
    docs: Vec<Doc>,
    /// How many transactions of each replica each document has.
    known: Vec<Vec<usize>>,
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
            docs: (0..count).map(|replica| Doc::new(replica_id(trace, &replicas, replica))).collect(),
            known: vec![Vec::new(); count],
            deltas: Vec::with_capacity(trace.transactions.len()),
            local: Duration::ZERO,
            replicas,
        }
    }

    /// Makes one transaction at its replica, after giving it what the parents knew.
    fn make(&mut self, transaction: usize) -> Checked {
        let replica = self.replicas.of_transaction[transaction];
        let missing = self.missing(transaction);
        let doc = &mut self.docs[replica];
        for index in missing {
            apply(doc, &self.deltas[index])?;
        }
        let start = Instant::now();
        let delta = make_edits(doc, &self.trace.transactions[transaction].patches)?;
        self.local += start.elapsed();
        self.deltas.push(delta);
        let known = &mut self.known[replica];
        known.clone_from(&self.replicas.seen[transaction]);
        known.resize(known.len().max(replica + 1), 0);
        known[replica] += 1;
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

    /// Gives every replica what it lacks, asked for with its encoded version vector, and compares.
    fn all_converge_to(&mut self, listener: &Doc) -> Checked<bool> {
        let mut converged = true;
        for mut doc in self.docs.drain(..) {
            let version = VersionVector::decode(&doc.version().encode(), &Limits::DEFAULT)
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
