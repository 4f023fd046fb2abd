//! Readers of recorded editing histories, and where to find them.
//!
//! Two formats, told by their content: *sequential* traces are one person's edits one after another;
//! *concurrent* traces are transactions of several agents, each made with knowledge of the
//! transactions that it names as parents. Both may be gzipped. Positions count scalar values.

mod find;
mod read;

pub use find::{find_shared, find_traces};
pub use read::{TraceError, read_trace};

/// Replaces `delete_len` elements from `position` on by `text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// In scalar values, in the text that the patches before it left.
    pub position: usize,
    /// In scalar values.
    pub delete_len: usize,
    /// What is put there.
    pub text: String,
}

/// A recorded history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trace {
    /// One person's.
    Sequential(SequentialTrace),
    /// Several people's.
    Concurrent(ConcurrentTrace),
}

/// One person's edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequentialTrace {
    /// The text before the first.
    pub start_content: String,
    /// The text after the last.
    pub end_content: String,
    /// The edits; the patches of one belong together.
    pub transactions: Vec<Vec<Patch>>,
}

/// Several people's edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConcurrentTrace {
    /// The text when everything is merged.
    pub end_content: String,
    /// Agents are numbered below this.
    pub agents: usize,
    /// The transactions; each stands behind its parents.
    pub transactions: Vec<ConcurrentTransaction>,
    /// Whether the numbers of the agents are in the order that broke ties when the trace was
    /// recorded. Traces converted from diamond-types (their transactions carry `_dtSpan`) have lost
    /// it, so the end content need not come out where insertions meet.
    pub agents_in_tie_order: bool,
}

/// What one agent did in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConcurrentTransaction {
    /// Indices of the transactions that it was made on top of, with all that those were made on.
    pub parents: Vec<usize>,
    /// Who made it.
    pub agent: usize,
    /// What it did.
    pub patches: Vec<Patch>,
}

impl ConcurrentTrace {
    /// The replica of each transaction, and the agent of each replica.
    ///
    /// A replica issues its operations one after another, but an agent may have worked on two
    /// branches at once. So a transaction goes to the first replica of its agent whose last
    /// transaction it has seen, and to a new replica of that agent if there is none.
    /// O(transactions × replicas) in time and space.
    pub fn replicas(&self) -> Replicas {
        let mut replicas = Replicas::default();
        // How many transactions each replica has made so far.
        let mut made: Vec<usize> = Vec::new();
        for transaction in &self.transactions {
            let mut seen: Vec<usize> = Vec::new();
            for &parent in &transaction.parents {
                let theirs = &replicas.seen[parent];
                seen.resize(seen.len().max(theirs.len()), 0);
                for (mine, theirs) in seen.iter_mut().zip(theirs) {
                    *mine = (*mine).max(*theirs);
                }
                let replica = replicas.of_transaction[parent];
                seen.resize(seen.len().max(replica + 1), 0);
                seen[replica] = seen[replica].max(replicas.position[parent] + 1);
            }
            let found = (0..replicas.agents.len()).find(|&replica| {
                replicas.agents[replica] == transaction.agent
                    && seen.get(replica).copied().unwrap_or(0) == made[replica]
            });
            let replica = found.unwrap_or_else(|| {
                replicas.agents.push(transaction.agent);
                made.push(0);
                replicas.agents.len() - 1
            });
            replicas.of_transaction.push(replica);
            replicas.position.push(made[replica]);
            made[replica] += 1;
            replicas.seen.push(seen);
        }
        replicas
    }
}

/// Which replica made which transaction of a concurrent trace, knowing what.
#[derive(Clone, Debug, Default)]
pub struct Replicas {
    /// The agent of each replica.
    pub agents: Vec<usize>,
    /// The replica of each transaction.
    pub of_transaction: Vec<usize>,
    /// The number of each transaction among those of its replica.
    pub position: Vec<usize>,
    /// How many transactions of each replica were known when each transaction began; replicas
    /// beyond the end of the list: none.
    pub seen: Vec<Vec<usize>>,
}
