//! Documents that talk by named deltas hold what those hold that talk by whole ones.

use crdt_core::codec::{ReplicaNames, encode_delta};
use crdt_core::{Anchor, ApplyError, Doc, Op, OpId, OpKind, ReplicaId, Seq};

/// What one end of a connection keeps: the names it sends and receives by, and what the other end has of each replica.
#[derive(Default)]
struct End {
    sent: ReplicaNames,
    received: ReplicaNames,
}

/// SplitMix64.
fn below(state: &mut u64, bound: usize) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    usize::try_from((z ^ (z >> 27)) % bound as u64).unwrap()
}

fn edit(doc: &mut Doc, chance: &mut u64) {
    let position = below(chance, doc.len() + 1);
    match below(chance, 4) {
        0 if position < doc.len() => {
            let end = doc.len().min(position + 1 + below(chance, 3));
            doc.delete(position..end).unwrap();
        }
        1 => doc.insert(position, "日本 and more").unwrap(),
        _ => doc.insert(position, "x").unwrap(),
    }
}

/// Sends what one document has and the other lacks; tells how many bytes that took, and would take without names.
fn send(docs: &mut [Doc; 2], ends: &mut [End; 2], from: usize) -> (usize, usize) {
    let to = 1 - from;
    let lacking: Vec<(ReplicaId, Seq, Seq)> = docs[from]
        .version()
        .iter()
        .map(|(replica, end)| (replica, docs[to].version().get(replica), end))
        .filter(|(_, start, end)| start < end)
        .collect();
    let (mut named_bytes, mut bytes) = (0, 0);
    for (replica, start, end) in lacking {
        let mut named = Vec::new();
        docs[from].delta_of_named(replica, start..end, &mut ends[from].sent, &mut named);
        let whole = docs[from].delta_of(replica, start..end);
        let mut twin = docs[to].clone();
        let edits = docs[to].apply_named(&named, &mut ends[to].received).unwrap();
        assert_eq!(twin.apply(&whole), Ok(edits));
        (named_bytes, bytes) = (named_bytes + named.len(), bytes + whole.len());
    }
    (named_bytes, bytes)
}

#[test]
fn two_documents_on_a_connection_converge() {
    for seed in 0..60 {
        let mut chance = seed;
        let mut docs = [1, 2].map(|replica| Doc::new(ReplicaId::new(replica << 40)));
        let mut ends = [End::default(), End::default()];
        let (mut named_bytes, mut bytes) = (0, 0);
        for _ in 0..100 {
            let who = below(&mut chance, 2);
            edit(&mut docs[who], &mut chance);
            if below(&mut chance, 3) > 0 {
                let (named, whole) = send(&mut docs, &mut ends, who);
                (named_bytes, bytes) = (named_bytes + named, bytes + whole);
            }
        }
        for from in [0, 1, 0] {
            send(&mut docs, &mut ends, from);
        }
        assert_eq!(docs[0].text(), docs[1].text(), "seed {seed}");
        assert_eq!(docs[0].version(), docs[1].version(), "seed {seed}");
        assert!(3 * named_bytes < 2 * bytes, "seed {seed}: {named_bytes} {bytes}");
    }
}

#[test]
fn names_follow_what_a_document_refuses_and_not_what_cannot_be_read() {
    let mut alice = Doc::new(ReplicaId::new(1));
    alice.insert(0, "ab").unwrap();
    let (mut sent, mut received) = (ReplicaNames::new(), ReplicaNames::new());
    let mut first = Vec::new();
    alice.delta_of_named(alice.replica(), 0..1, &mut sent, &mut first);
    let mut second = Vec::new();
    alice.delta_of_named(alice.replica(), 1..2, &mut sent, &mut second);
    assert_eq!(second.len(), 2);

    // Another operation of this name is known to this document.
    let mut bob = Doc::new(ReplicaId::new(2));
    let id = OpId::new(alice.replica(), 0);
    let other = Op { id, kind: OpKind::Insert { anchor: Anchor::START, text: "?".to_owned() } };
    bob.apply(&encode_delta(&[other])).unwrap();
    for len in 0..first.len() {
        assert!(matches!(bob.apply_named(&first[..len], &mut received), Err(ApplyError::Decode(_))));
        assert!(received.is_empty());
    }
    assert!(matches!(bob.apply(&first), Err(ApplyError::Decode(_))));
    assert_eq!(bob.apply_named(&first, &mut received), Err(ApplyError::ReplicaCollision { id }));
    assert_eq!(received.len(), 1);
    bob.apply_named(&second, &mut received).unwrap();
    assert_eq!(bob.text(), "?b");
}

#[test]
fn deltas_are_appended_and_applied_silently() {
    let mut alice = Doc::new(ReplicaId::new(1));
    let mut deltas = Vec::new();
    let mut ends = Vec::new();
    for text in ["one", " two"] {
        let mut transaction = alice.transaction();
        let position = transaction.doc().len();
        transaction.insert(position, text).unwrap();
        transaction.commit_into(&mut deltas);
        ends.push(deltas.len());
    }
    alice.transaction().commit_into(&mut deltas);
    assert_eq!(deltas.len(), ends[1]);
    let mut bob = Doc::new(ReplicaId::new(2));
    // The second waits for the first.
    bob.apply_silently(&deltas[ends[0]..]).unwrap();
    assert_eq!((bob.text().as_str(), bob.pending().operations), ("", 4));
    bob.apply_silently(&deltas[..ends[0]]).unwrap();
    assert_eq!(bob.text(), "one two");
    assert_eq!(deltas[..ends[0]], alice.delta_of(alice.replica(), 0..3));
}
