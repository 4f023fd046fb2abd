//! The seven properties of the specification of the sequence, over random histories.
//!
//! Every run has the same histories; `CRDT_SEED=… cargo test -p crdt-testkit` has others, which
//! `CRDT_SEED=random` draws and prints, `CRDT_CASES=…` more of them. What fails is shrunk and printed as a script.

use crdt_core::codec::{Limits, decode_delta, encode_delta};
use crdt_core::{Anchor, Doc, Json, Op, OpId, ReplicaId, Side, VersionVector};
use crdt_testkit::cluster::Cluster;
use crdt_testkit::edit::Edit;
use crdt_testkit::histories::{for_all, histories, meetings};
use crdt_testkit::loaded::loaded;
use crdt_testkit::model::{Model, ModelOp};
use crdt_testkit::network::Weather;
use crdt_testkit::played::{Played, apply};
use crdt_testkit::random::Random;
use crdt_testkit::script::{Script, Step};
use crdt_testkit::{Checked, Failure, cells, check, same};
use proptest::prelude::any;
use std::collections::BTreeMap;

/// Histories a property.
const CASES: u32 = 1000;
/// Moves a history; a move is up to eight transactions.
const MOVES: usize = 40;

/// A replica that no history names.
const STRANGER: ReplicaId = ReplicaId::new(0x7e57);

#[test]
fn property_1_an_element_inserted_at_an_index_is_found_there_at_once() {
    for_all(CASES, histories(MOVES), |script| {
        Played::run(script, |doc, before, edits| {
            // Only the last edit is sure to be where it was put: those before it may have moved.
            let Some(Edit::Insert { position, text }) = edits.last() else { return Ok(()) };
            let len = text.chars().count();
            same("text", &doc.slice(*position..position + len), &Ok(text.clone()))?;
            let first = doc.version().get(doc.replica()) - u32::try_from(len).unwrap_or(0);
            for (position, seq) in (*position..position + len).zip(first..) {
                let anchor = Anchor::before(OpId::new(doc.replica(), seq));
                same("element", &doc.anchor_at(position, Side::Before), &Ok(anchor))?;
            }
            same("seqs taken", &(before.get(doc.replica()) <= first), &true)
        })
        .map(|_| ())
    });
}

#[test]
fn property_2_the_same_operations_give_the_same_state_in_any_order() {
    for_all(CASES, histories(MOVES), |script| {
        let played = Played::run(script, |_, _, _| Ok(()))?;
        let mut random = Random::new(script.steps.len() as u64);
        let mut deltas = played.deltas.clone();

        // In another order, some twice.
        random.shuffle(&mut deltas);
        let again: Vec<_> = deltas.iter().filter(|_| random.chance(30)).cloned().collect();
        played.check_listener(deltas.iter().chain(&again))?;

        // Runs cut at random places, each piece a delta of its own, in another order.
        let mut pieces = Vec::new();
        for op in all_ops(&played.deltas)? {
            pieces.extend(cut(&op, &mut random).iter().map(|op| encode_delta(std::slice::from_ref(op))));
        }
        random.shuffle(&mut pieces);
        played.check_listener(&pieces)?;

        // All at once.
        let ops = all_ops(&played.deltas)?;
        if ops.is_empty() { Ok(()) } else { played.check_listener(&[encode_delta(&ops)]) }
    });
}

#[test]
fn property_3_runs_typed_concurrently_at_one_place_stay_contiguous() {
    for_all(CASES, meetings(), |meeting| {
        let played = Played::run(&meeting.script, |_, _, _| Ok(()))?;
        let order: Vec<OpId> = played.docs[0].elements().map(|(id, _)| id).collect();
        for (replica, typed) in &meeting.typed {
            let id = meeting.script.replicas[*replica];
            let end = played.docs[0].version().get(id);
            let first = end - u32::try_from(typed.chars().count()).unwrap_or(0);
            let places: Vec<usize> = (0..order.len())
                .filter(|&place| order[place].replica == id && order[place].seq >= first)
                .collect();
            if places.windows(2).any(|pair| pair[1] != pair[0] + 1) {
                return Err(Failure::new(format!("{typed:?} of replica {id} is torn apart: {order:?}")));
            }
            same("the run in the text", &played.docs[0].text().contains(typed.as_str()), &true)?;
        }
        Ok(())
    });
}

#[test]
fn property_4_document_and_model_agree_on_the_full_order_after_every_step() {
    for_all(CASES, histories(MOVES), |script| {
        let mut cluster = Cluster::new(&script.replicas, Weather::CALM, 0);
        let mut last = vec![Vec::new(); script.replicas.len()];
        for (line, step) in &script.steps {
            // Twins compare themselves after whatever happens to them.
            let outcome = match step {
                Step::Edit { replica, edits } => cluster.edit(*replica, edits).map(|delta| {
                    if !delta.is_empty() {
                        last[*replica] = delta;
                    }
                }),
                Step::Sync { from, to } => cluster.sync(*from, *to),
                Step::SyncAll => cluster.sync_all(),
                Step::Expand { replica, name, expand } => {
                    cluster.set_expand(*replica, name, *expand);
                    Ok(())
                }
                Step::Last { from, to } if !last[*from].is_empty() => cluster.receive(*to, &last[*from]),
                _ => Ok(()),
            };
            outcome.map_err(|failure| failure.at(format!("line {line} `{step}`")))?;
        }
        cluster.settle()
    });
}

#[test]
fn property_5_a_replica_fed_only_encoded_operations_equals_the_one_that_made_them() {
    for_all(CASES, histories(MOVES), |script| {
        let played = Played::run(script, |_, _, _| Ok(()))?;
        played.check_listener(&played.deltas)?;
        for doc in &played.docs {
            let mut listener = Doc::new(STRANGER);
            apply(&mut listener, &doc.delta_since(&VersionVector::new()))?;
            same("text", &listener.text(), &doc.text())?;
            same("runs", &listener.runs(), &doc.runs())?;
            same("version", listener.version(), doc.version())?;
            same("elements", &listener.elements().collect::<Vec<_>>(), &doc.elements().collect())?;
            for loaded in loaded(doc, STRANGER)? {
                same("runs loaded", &loaded.runs(), &doc.runs())?;
                same("elements loaded", &loaded.elements().collect::<Vec<_>>(), &doc.elements().collect())?;
            }
        }
        Ok(())
    });
}

#[test]
fn property_6_the_order_of_two_elements_never_changes() {
    for_all(CASES, histories(MOVES), |script| {
        let played = Played::run(script, |_, _, _| Ok(()))?;
        let place: BTreeMap<OpId, usize> = played.docs[0].elements().map(|(id, _)| id).zip(0..).collect();
        for state in &played.states {
            if !state.elements.is_sorted_by_key(|(id, _)| place[id]) {
                return Err(Failure::new(format!("order changed: {:?} became {place:?}", state.elements)));
            }
        }
        Ok(())
    });
}

#[test]
fn property_7_the_text_at_a_version_is_the_text_of_who_has_seen_exactly_that() {
    for_all(CASES, histories(MOVES), |script| {
        let played = Played::run(script, |_, _, _| Ok(()))?;
        let end = &played.docs[0];
        let mut model = Model::new();
        for op in all_ops(&played.deltas)?.iter().flat_map(ModelOp::from_run) {
            model.receive(op);
        }
        let stride = played.states.len().div_ceil(5).max(1);
        for state in played.states.iter().step_by(stride) {
            let past = cells::runs(&model.checkout(&state.version).cells());
            same("checkout of the model", &past, &state.runs)?;
            let mut doc = Doc::new(STRANGER);
            for (replica, count) in state.version.iter() {
                apply(&mut doc, &end.delta_of(replica, 0..count))?;
            }
            same("version", doc.version(), &state.version)?;
            same("runs", &doc.runs(), &state.runs)?;
            same("elements", &doc.elements().collect(), &state.elements)?;
        }
        Ok(())
    });
}

#[test]
fn random_histories_hold_everything_that_scripts_hold() {
    for_all(CASES / 5, histories(MOVES), check);
}

#[test]
fn replicas_converge_over_a_network_that_delays_reorders_duplicates_and_loses() {
    for_all(CASES / 4, any::<u64>(), |&seed| {
        let mut random = Random::new(seed);
        let weather = [Weather::ROUGH, Weather::STORM][random.below(2)];
        let count = 3 + random.below(3);
        let replicas: Vec<_> = (1..=count as u64).map(ReplicaId::new).collect();
        let mut cluster = Cluster::new(&replicas, weather, seed);
        for _ in 0..60 {
            match random.below(12) {
                0 => {
                    let groups = (0..count).map(|_| random.below(2)).collect();
                    cluster.network().partition(groups);
                }
                1 => {
                    cluster.network().heal();
                    cluster.sync(random.below(count), random.below(count))?;
                }
                2..=5 => cluster.deliver(random.below(6))?,
                _ => {
                    let at = random.below(count);
                    let edit = random_edit(&mut random, cluster.twins()[at].doc().len());
                    cluster.edit_and_send(at, &[edit])?;
                }
            }
        }
        cluster.settle()
    });
}

fn random_edit(random: &mut Random, len: usize) -> Edit {
    let json = |text: &str| Json::parse(text).expect("a JSON value");
    let position = random.below(len + 1);
    let room = (len - position).min(4);
    if room > 0 && random.chance(30) {
        return Edit::Delete { position, len: 1 + random.below(room) };
    }
    if room > 0 && random.chance(30) {
        let name = ["bold", "link"][random.below(2)].to_owned();
        let value = [Some("1"), Some("2"), None][random.below(3)].map(json);
        return Edit::Mark { position, len: 1 + random.below(room), name, value };
    }
    if random.chance(10) {
        return Edit::Embed { position, value: json("{}"), marks: None };
    }
    let text = ["a", "bc", "déf", "漢字", "x😀y", "typed in one go"][random.below(6)].to_owned();
    if random.chance(15) {
        let marks = [("bold", json("1"))].into_iter().collect();
        return Edit::InsertWith { position, text, marks };
    }
    Edit::Insert { position, text }
}

fn all_ops(deltas: &[Vec<u8>]) -> Checked<Vec<Op>> {
    let mut ops = Vec::new();
    for delta in deltas {
        ops.extend(
            decode_delta(delta, &Limits::DEFAULT).map_err(|error| Failure::new(format!("delta: {error}")))?,
        );
    }
    Ok(ops)
}

/// Cuts a run into runs of one to three operations.
fn cut(op: &Op, random: &mut Random) -> Vec<Op> {
    let single: Vec<Op> = ModelOp::from_run(op).iter().map(ModelOp::to_run).collect();
    let mut pieces = Vec::new();
    let mut rest = single.as_slice();
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at((1 + random.below(3)).min(rest.len()));
        pieces.extend(crdt_testkit::vectors::join_runs(piece));
        rest = behind;
    }
    pieces
}

/// What the generator promises, so that the properties above are about what they seem to be.
#[test]
fn histories_hold_concurrent_edits_deletions_marks_embeds_and_waiting_operations() {
    let seen = std::cell::RefCell::new([0usize; 8]);
    for_all(100, histories(MOVES), |script: &Script| {
        let mut seen = seen.borrow_mut();
        for (_, step) in &script.steps {
            match step {
                Step::Edit { edits, .. } if matches!(edits[0], Edit::Delete { .. }) => seen[0] += 1,
                Step::Edit { edits, .. } if edits.len() > 1 => seen[1] += 1,
                Step::Edit { edits, .. } => match &edits[0] {
                    Edit::Mark { value: Some(_), .. } => seen[4] += 1,
                    Edit::Mark { value: None, .. } => seen[5] += 1,
                    Edit::Embed { .. } => seen[6] += 1,
                    Edit::InsertWith { .. } => seen[7] += 1,
                    _ => {}
                },
                Step::Sync { .. } => seen[2] += 1,
                Step::Last { .. } => seen[3] += 1,
                _ => {}
            }
        }
        Ok(())
    });
    assert!(seen.borrow().iter().all(|&count| count > 10), "{seen:?}");
}
