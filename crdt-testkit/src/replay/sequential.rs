//! One replica types everything; another listens.

use super::{Replay, are_equal, listen, make_edits};
use crate::failure::{Checked, Failure};
use crate::traces::SequentialTrace;
use crdt_core::{Doc, ReplicaId};
use std::time::Instant;

/// There is one causal order only, so the other order that the deltas are tried in is: every
/// so many of them reversed, which makes all but the last wait.
const REVERSED: usize = 64;

pub(super) fn replay(trace: &SequentialTrace) -> Checked<Replay> {
    let mut doc = Doc::new(ReplicaId::new(2));
    let mut deltas = Vec::with_capacity(trace.transactions.len() + 1);
    let start = Instant::now();
    if !trace.start_content.is_empty() {
        doc.insert(0, &trace.start_content).map_err(|error| Failure::new(error.to_string()))?;
        deltas.push(doc.delta_since(&crdt_core::VersionVector::new()));
    }
    for patches in &trace.transactions {
        deltas.push(make_edits(&mut doc, patches)?);
    }
    let local = start.elapsed();
    deltas.retain(|delta| !delta.is_empty());

    let (listener, apply) = listen(deltas.iter().map(Vec::as_slice))?;
    let (late, _) = listen(deltas.chunks(REVERSED).flat_map(|part| part.iter().rev()).map(Vec::as_slice))?;
    let text = doc.text();
    Ok(Replay {
        edits: trace.transactions.iter().map(Vec::len).sum(),
        replicas: 1,
        equal_end_content: text == trace.end_content,
        end_content_is_binding: true,
        converged: are_equal(&doc, &listener) && are_equal(&doc, &late),
        text,
        delta_bytes: deltas.iter().map(Vec::len).sum(),
        snapshot_bytes: listener.encode_snapshot().len(),
        local,
        apply,
    })
}
