//! What comes from outside can be large, wrong, or a lie; none of that may harm a document.

use crdt_core::codec::{Limits, decode_delta, encode_delta};
use crdt_core::{Anchor, ApplyError, Doc, Op, OpId, OpKind, ReplicaId, VersionVector};
use crdt_testkit::histories::{for_all, histories};
use crdt_testkit::model::{Model, ModelOp};
use crdt_testkit::played::{Played, apply};
use crdt_testkit::random::Random;
use crdt_testkit::{Checked, Failure, same};
use proptest::prelude::any;
use std::cell::Cell;

/// What must not change when something is refused.
fn shown(doc: &Doc) -> (String, VersionVector, Vec<(OpId, bool)>, usize, Vec<u8>) {
    let everything = doc.delta_since(&VersionVector::new());
    let pending = doc.pending().operations;
    (doc.text(), doc.version().clone(), doc.elements().collect(), pending, everything)
}

/// Thousands of items, so that leaves and inner nodes split many times.
#[test]
fn large_histories_agree_with_the_model_on_the_full_order() {
    for_all(60, any::<u64>(), |&seed| {
        let mut random = Random::new(seed);
        let mut docs: Vec<Doc> = (1..=4).map(|id| Doc::new(ReplicaId::new(id))).collect();
        let mut model = Model::new();
        for _ in 0..1500 {
            let at = random.below(docs.len());
            if random.chance(4) {
                let from = random.below(docs.len());
                let delta = docs[from].delta_since(docs[at].version());
                apply(&mut docs[at], &delta)?;
                continue;
            }
            let delta = edit_anywhere(&mut docs[at], &mut random)?;
            for op in decode(&delta)?.iter().flat_map(ModelOp::from_run) {
                model.receive(op);
            }
        }
        let deltas: Vec<_> = docs.iter().map(|doc| doc.delta_since(&VersionVector::new())).collect();
        let expected: Vec<_> = model.order().iter().map(|&id| (id, model.is_visible(id))).collect();
        for doc in &mut docs {
            deltas.iter().try_for_each(|delta| apply(doc, delta))?;
            same("elements", &doc.elements().collect(), &expected)?;
            same("text", &doc.text(), &model.text())?;
            same("UTF-16 length", &doc.len_utf16(), &doc.text().encode_utf16().count())?;
        }
        Ok(())
    });
}

fn edit_anywhere(doc: &mut Doc, random: &mut Random) -> Checked<Vec<u8>> {
    let refused = |error| Failure::new(format!("edit refused: {error}"));
    let len = doc.len();
    let position = random.below(len + 1);
    let mut transaction = doc.transaction();
    if position < len && random.chance(35) {
        let end = position + 1 + random.below((len - position).min(9));
        transaction.delete(position..end).map_err(refused)?;
    } else {
        let text = ["a", "bc", "déf", "漢字", "x😀y", "a longer run of text"][random.below(6)];
        transaction.insert(position, text).map_err(refused)?;
    }
    Ok(transaction.commit())
}

fn decode(delta: &[u8]) -> Checked<Vec<Op>> {
    decode_delta(delta, &Limits::DEFAULT).map_err(|error| Failure::new(format!("delta refused: {error}")))
}

/// The order is the traversal of whatever tree the operations form, also of one that nobody can
/// type: then siblings meet in all ways, and a liar cannot make two documents differ.
#[test]
fn any_tree_of_operations_gives_the_order_of_its_traversal_in_any_delivery() {
    for_all(3000, any::<u64>(), |&seed| {
        let mut random = Random::new(seed);
        let ops = random_tree(&mut random);
        let mut model = Model::new();
        ops.iter().flat_map(ModelOp::from_run).for_each(|op| model.receive(op));
        let expected: Vec<_> = model.order().iter().map(|&id| (id, model.is_visible(id))).collect();
        let mut deltas: Vec<_> = ops.iter().map(|op| encode_delta(std::slice::from_ref(op))).collect();
        for shuffled in [false, true, true] {
            if shuffled {
                random.shuffle(&mut deltas);
            }
            let mut doc = Doc::new(ReplicaId::new(77));
            deltas.iter().try_for_each(|delta| apply(&mut doc, delta))?;
            let found: Vec<_> = doc.elements().collect();
            if found != expected {
                return Err(Failure::new(format!("{ops:?}\nfound {found:?}\nexpected {expected:?}")));
            }
            same("text", &doc.text(), &model.text())?;
        }
        Ok(())
    });
}

/// Up to 60 operations of two to four replicas on a few crowded elements.
fn random_tree(random: &mut Random) -> Vec<Op> {
    let mut elements: Vec<OpId> = Vec::new();
    let mut next = [0u32; 4];
    let replicas = 2 + random.below(3);
    (0..1 + random.below(60))
        .map(|_| {
            let replica = random.below(replicas);
            let id = OpId::new(ReplicaId::new(replica as u64 + 1), next[replica]);
            next[replica] += 1;
            let kind = if !elements.is_empty() && random.chance(8) {
                let target = elements[random.below(elements.len())];
                OpKind::Delete { target, len: 1, descending: false }
            } else {
                let anchor = match elements.len() {
                    0 => Anchor::START,
                    len => match random.below(10) {
                        0 => Anchor::START,
                        // Runs, so that others branch off inside them.
                        1..=3 => id.seq.checked_sub(1).map_or(Anchor::START, |seq| {
                            let last = OpId::new(id.replica, seq);
                            if elements.contains(&last) { Anchor::after(last) } else { Anchor::START }
                        }),
                        4..=6 => Anchor::after(elements[random.below(len)]),
                        _ => Anchor::before(elements[random.below(len)]),
                    },
                };
                elements.push(id);
                OpKind::Insert { anchor, text: "x".to_owned() }
            };
            Op { id, kind }
        })
        .collect()
}

/// A changed delta is refused, and then nothing changed; or it happens to be a valid one.
#[test]
fn a_delta_with_changed_bytes_is_refused_whole_or_taken_whole() {
    for_all(300, (histories(20), any::<u64>()), |(script, seed)| {
        let played = Played::run(script, |_, _, _| Ok(()))?;
        let mut random = Random::new(*seed);
        let everything = played.docs[0].delta_since(&VersionVector::new());
        for _ in 0..20 {
            let mut doc = Doc::new(ReplicaId::new(77));
            for delta in &played.deltas[..random.below(played.deltas.len() + 1)] {
                apply(&mut doc, delta)?;
            }
            let mut changed = everything.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(changed.len());
                match random.below(4) {
                    0 if at < changed.len() => changed.truncate(at),
                    1 if at < changed.len() => drop(changed.remove(at)),
                    2 => changed.insert(at, random.bits().to_le_bytes()[0]),
                    _ if at < changed.len() => changed[at] ^= 1 << random.below(8),
                    _ => {}
                }
            }
            let before = shown(&doc);
            match doc.apply(&changed) {
                Err(_) => same("document after a refusal", &shown(&doc), &before)?,
                // One changed byte can make a run so long that the model would take minutes.
                Ok(_) if doc.pending().operations > 1000 => {}
                Ok(_) => {
                    let mut model = Model::new();
                    let all = decode(&doc.delta_since(&VersionVector::new()))?;
                    all.iter().flat_map(ModelOp::from_run).for_each(|op| model.receive(op));
                    same("text", &doc.text(), &model.text())?;
                    same("version", doc.version(), &model.version())?;
                }
            }
        }
        Ok(())
    });
}

/// A snapshot with any byte changed is refused.
#[test]
fn a_snapshot_with_changed_bytes_is_refused() {
    for_all(200, (histories(10), any::<u64>()), |(script, seed)| {
        let played = Played::run(script, |_, _, _| Ok(()))?;
        let mut random = Random::new(*seed);
        let snapshot = played.docs[0].encode_snapshot();
        for _ in 0..20 {
            let mut changed = snapshot.clone();
            let at = random.below(changed.len());
            changed[at] ^= 1 << random.below(8);
            if Doc::from_snapshot(ReplicaId::new(77), &changed).is_ok() {
                return Err(Failure::new(format!("byte {at} of a snapshot changed, and it was taken")));
            }
        }
        Ok(())
    });
}

/// Two documents that were opened with one replica id: whoever hears both is told.
#[test]
fn an_id_with_other_content_is_an_error_that_names_it_and_changes_nothing() {
    for_all(300, (histories(20), any::<u64>()), |(script, seed)| {
        let played = Played::run(script, |_, _, _| Ok(()))?;
        let ops: Vec<Op> = decode(&played.docs[0].delta_since(&VersionVector::new()))?
            .iter()
            .flat_map(ModelOp::from_run)
            .map(|op| op.to_run())
            .collect();
        if ops.is_empty() {
            return Ok(());
        }
        let mut random = Random::new(*seed);
        let mut lie = ops[random.below(ops.len())].clone();
        lie.kind = match lie.kind {
            OpKind::Insert { anchor, text } if text != "?" => OpKind::Insert { anchor, text: "?".to_owned() },
            _ => OpKind::Insert { anchor: Anchor::START, text: "!".to_owned() },
        };
        let expected = Err(ApplyError::ReplicaCollision { id: lie.id });

        // Where it is integrated, and where it waits (its predecessor is missing, or its cause).
        let mut full = Doc::new(ReplicaId::new(77));
        apply(&mut full, &encode_delta(&ops))?;
        let truth = ops.iter().find(|op| op.id == lie.id).into_iter().cloned().collect::<Vec<_>>();
        let mut waiting = Doc::new(ReplicaId::new(77));
        apply(&mut waiting, &encode_delta(&truth))?;
        for doc in [&mut full, &mut waiting] {
            let before = shown(doc);
            // Alone, and behind something that is fine.
            let fine = Op {
                id: OpId::new(ReplicaId::new(0x0dd), 0),
                kind: OpKind::Insert { anchor: Anchor::START, text: "fine".to_owned() },
            };
            for delta in [encode_delta(&[lie.clone()]), encode_delta(&[fine, lie.clone()])] {
                same("refusal", &doc.apply(&delta), &expected)?;
                same("document after the refusal", &shown(doc), &before)?;
            }
        }
        Ok(())
    });
}

/// A delta is taken exactly where what would wait of it may, whatever of it is known, missing or in turns.
#[test]
fn what_may_wait_is_counted_in_runs() {
    let waiting = |doc: &Doc| decode(&doc.delta_since(doc.version())).map(|ops| ops.len());
    let (taken, refused) = (Cell::new(0), Cell::new(0));
    for_all(2000, any::<u64>(), |&seed| {
        let mut random = Random::new(seed);
        let mut ops = random_tree(&mut random);
        let mut doc = Doc::new(ReplicaId::new(77));
        apply(&mut doc, &encode_delta(&ops[..random.below(ops.len())]))?;
        let lost = [0, 3, 10, 30][random.below(4)];
        ops.retain(|_| !random.chance(lost));
        let delta = encode_delta(&ops);
        let mut whole = doc.clone();
        apply(&mut whole, &delta)?;
        let count = waiting(&whole)?;

        let mut limits = Limits::DEFAULT;
        limits.max_pending_runs = count;
        doc.set_limits(limits);
        if let Some(less) = count.checked_sub(1) {
            let mut narrow = doc.clone();
            limits.max_pending_runs = less;
            narrow.set_limits(limits);
            let full = Err(ApplyError::PendingFull { limit: less });
            same("one run more than may", &narrow.apply(&delta), &full)?;
            same("document after the refusal", &shown(&narrow), &shown(&doc))?;
            refused.set(refused.get() + 1);
        }
        apply(&mut doc, &delta)?;
        taken.set(taken.get() + 1);
        same("document", &shown(&doc), &shown(&whole))
    });
    let (taken, refused) = (taken.get(), refused.get());
    assert!(refused * 4 > taken, "{refused} of {taken} have something that waits");
}

/// Each operation waits for one of the other replica, and that for the next; then the last piece arrives. What is woken wakes the
/// next without going deeper.
#[test]
fn a_chain_of_waiting_operations_is_woken_by_the_one_that_was_missing() {
    const LINKS: u32 = 100_000;
    let link = |replica: u64, anchor, seq| Op {
        id: OpId::new(ReplicaId::new(replica), seq),
        kind: OpKind::Insert { anchor, text: "x".to_owned() },
    };
    let after = |replica: u64, seq| Anchor::after(OpId::new(ReplicaId::new(replica), seq));
    let first = link(1, Anchor::START, 0);
    let mut rest: Vec<Op> = (1..LINKS).map(|seq| link(1, after(2, seq - 1), seq)).collect();
    rest.extend((0..LINKS).map(|seq| link(2, after(1, seq), seq)));
    let whole = encode_delta(&rest);
    let mut limits = Limits::DEFAULT;
    limits.max_pending_runs = rest.len();
    // At once, and from the end on in pieces.
    let pieces: Vec<Vec<u8>> = rest.rchunks(1000).map(encode_delta).collect();
    for deltas in [&[whole][..], &pieces] {
        let mut doc = Doc::new(ReplicaId::new(77));
        doc.set_limits(limits);
        for delta in deltas {
            doc.apply(delta).unwrap();
        }
        assert_eq!(doc.len(), 0);
        doc.apply(&encode_delta(std::slice::from_ref(&first))).unwrap();
        assert_eq!(doc.pending().operations, 0);
        let expected = (0..LINKS).flat_map(|seq| [(1, seq), (2, seq)]);
        let expected = expected.map(|(replica, seq)| (OpId::new(ReplicaId::new(replica), seq), true));
        assert!(doc.elements().eq(expected), "each behind the one that it waited for");
    }
}
