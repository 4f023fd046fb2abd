//! What a delta holds, and how much of a document is stored.

use crdt_core::codec::{Limits, decode_delta, encode_delta};
use crdt_core::{Doc, Op, OpKind, ReplicaId, Seq, VersionVector};
use std::ops::Range;

/// Decodes a delta that must hold exactly these operations of this replica, in order.
///
/// # Errors
/// What is wrong with it.
pub(super) fn decode_batch(delta: &[u8], replica: ReplicaId, seqs: Range<Seq>) -> Result<Vec<Op>, String> {
    let ops = decode_delta(delta, &Limits::DEFAULT).map_err(|error| error.to_string())?;
    let mut next = seqs.start;
    for op in &ops {
        if op.id.replica != replica || op.id.seq != next {
            return Err(format!("the delta holds {} where {replica}:{next} was announced", op.id));
        }
        next = next.checked_add(op.len()).ok_or("operation numbers overflow")?;
    }
    if next == seqs.end { Ok(ops) } else { Err(format!("the delta ends at {next}, not at {}", seqs.end)) }
}

/// What `version` lacks of the operations in `stored`, as one delta; empty if it lacks nothing.
///
/// `accepted` is everything that `doc` holds. While it equals `stored`, which is nearly always, this
/// costs what the document's own delta does; otherwise that is cut back, O(its operations) more. The first
/// who lacks something of a snapshot pays for decoding its history, for everybody.
pub(super) fn delta_since(
    doc: &mut Doc,
    version: &VersionVector,
    accepted: &VersionVector,
    stored: &VersionVector,
) -> Vec<u8> {
    if version.covers(stored) {
        return Vec::new();
    }
    doc.decode_history_since(version);
    let delta = doc.delta_since(version);
    if accepted == stored {
        return delta;
    }
    let ops = decode_delta(&delta, &Limits::WIDEST).expect("a document decodes what it encodes");
    let ops: Vec<Op> = ops.into_iter().filter_map(|op| cut_back(op, stored)).collect();
    if ops.is_empty() { Vec::new() } else { encode_delta(&ops) }
}

/// The part of a run of operations that is stored.
fn cut_back(mut op: Op, stored: &VersionVector) -> Option<Op> {
    let keep = stored.get(op.id.replica).checked_sub(op.id.seq).filter(|&keep| keep > 0)?;
    match &mut op.kind {
        OpKind::Insert { text, .. } => {
            let end = usize::try_from(keep).ok().and_then(|keep| text.char_indices().nth(keep));
            if let Some((end, _)) = end {
                text.truncate(end);
            }
        }
        OpKind::InsertValue { .. } => {}
        OpKind::Delete { len, .. } => *len = (*len).min(keep),
    }
    Some(op)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crdt_core::{Anchor, OpId};

    #[test]
    fn runs_are_cut_back_to_what_is_stored() {
        let id = OpId::new(ReplicaId::new(1), 10);
        let stored = |count| [(ReplicaId::new(1), count)].into_iter().collect::<VersionVector>();
        let insert =
            |text: &str| Op { id, kind: OpKind::Insert { anchor: Anchor::START, text: text.into() } };
        let delete = |len| Op { id, kind: OpKind::Delete { target: id, len, descending: true } };
        for (count, kept) in [(9, None), (10, None), (11, Some("ä")), (13, Some("äöü")), (20, Some("äöü"))]
        {
            assert_eq!(cut_back(insert("äöü"), &stored(count)), kept.map(insert), "{count}");
        }
        for (count, kept) in [(10, None), (12, Some(2)), (13, Some(3)), (99, Some(3))] {
            assert_eq!(cut_back(delete(3), &stored(count)), kept.map(delete), "{count}");
        }
    }
}
