//! The shared vectors and traces, through crdt-core. Skipped, loudly, where they are not there.

use crdt_testkit::peritext::{Case, read_cases};
use crdt_testkit::replay::replay;
use crdt_testkit::traces::{find_shared, find_traces, read_trace};
use crdt_testkit::vectors::read_vectors;
use std::fs;

#[test]
fn every_vector_gives_its_text_in_every_delivery_order() {
    let Some(path) = find_shared("spec/vectors.json") else { return };
    let vectors = read_vectors(&fs::read(path).expect("readable vectors")).expect("well-formed vectors");
    assert!(!vectors.is_empty());
    for (number, vector) in vectors.iter().enumerate() {
        vector.check().unwrap_or_else(|failure| panic!("vector {number}: {failure}"));
    }
}

#[test]
fn every_peritext_case_gives_its_spans_in_every_order_of_merging() {
    let Some(path) = find_shared("spec/peritext.json") else { return };
    let cases = read_cases(&fs::read(path).expect("readable cases")).expect("well-formed cases");
    assert!(!cases.is_empty());
    let outcome = |case: &Case| case.check().err().map(|failure| format!("{}: {failure}", case.name));
    let failed: Vec<_> = cases.iter().filter_map(outcome).collect();
    assert!(failed.is_empty(), "{} of {} failed:\n{}", failed.len(), cases.len(), failed.join("\n"));
}

/// Replays one of the shared traces; the large ones are left to the `replay` example.
fn replays(name: &str) {
    let Some(folder) = find_traces() else { return };
    let bytes = fs::read(folder.join(name)).expect("a readable trace");
    let trace = read_trace(&bytes).expect("a well-formed trace");
    let outcome = replay(&trace).unwrap_or_else(|failure| panic!("{name}: {failure}"));
    assert!(outcome.converged, "{name}: replicas differ");
    assert!(outcome.equal_end_content, "{name}: the text is not the one that was recorded");
}

#[test]
fn one_person_writing_a_component_replays_exactly() {
    replays("sveltecomponent.json.gz");
}

#[test]
fn two_people_writing_at_once_replay_exactly() {
    replays("friendsforever.json.gz");
}

#[test]
fn two_people_flattened_into_one_history_replay_exactly() {
    replays("friendsforever_flat.json.gz");
}
