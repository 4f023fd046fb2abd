//! What forgetting the past saves, in bytes and on the heap:
//! `cargo run --release -p crdt-bench --no-default-features --bin trim`.

#[path = "compare/heap.rs"]
mod heap;

use crdt_bench::{AUTHOR, READER};
use crdt_core::Doc;
use crdt_core::codec::SnapshotProfile;
use crdt_testkit::random::Random;
use crdt_testkit::traces::{Trace, find_traces, read_trace};
use heap::{Counting, counted};
use std::fs;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What stays in the made document, and what is typed and deleted in each of its rounds.
const LEFT: usize = 10_000;
const ROUNDS: usize = 100;
const INSERTIONS: usize = 1_000;
const SENTENCE: &str =
    "The quick brown fox jumps over the lazy dog, which had been asleep in the afternoon sun for hours.. ";

fn main() {
    println!(
        "| document | | elements | fast, bytes | compact, bytes | heap, built | heap, opened | trimming, ms | its peak |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|---:|");
    match automerge_paper() {
        Some(doc) => show("automerge-paper", &doc),
        None => eprintln!("SKIPPED: automerge-paper: no traces in ../shared/traces and $CRDT_TRACES"),
    }
    show("10 million characters typed and deleted", &typed_and_deleted());
}

fn automerge_paper() -> Option<Doc> {
    let bytes = fs::read(find_traces()?.join("automerge-paper.json.gz")).ok()?;
    let Trace::Sequential(trace) = read_trace(&bytes).expect("a trace") else { return None };
    let mut doc = Doc::new(AUTHOR);
    doc.insert(0, &trace.start_content).expect("it is in the text");
    for patch in trace.transactions.iter().flatten() {
        doc.delete(patch.position..patch.position + patch.delete_len).expect("it is in the text");
        doc.insert(patch.position, &patch.text).expect("it is in the text");
    }
    Some(doc)
}

/// Sentences at random places, and then random stretches deleted until what was there before is left, again and again.
fn typed_and_deleted() -> Doc {
    let mut doc = Doc::new(AUTHOR);
    let mut random = Random::new(1);
    doc.insert(0, &SENTENCE.repeat(LEFT / SENTENCE.len())).expect("the start is there");
    for _ in 0..ROUNDS {
        for _ in 0..INSERTIONS {
            let at = random.below(doc.len() + 1);
            doc.insert(at, SENTENCE).expect("it is in the text");
        }
        while doc.len() > LEFT {
            let len = SENTENCE.len().min(doc.len() - LEFT);
            let at = random.below(doc.len() - len + 1);
            doc.delete(at..at + len).expect("it is in the text");
        }
    }
    doc
}

fn show(name: &str, doc: &Doc) {
    let mut trimmed = doc.clone();
    let start = Instant::now();
    let (done, heap) = counted(|| trimmed.trim(doc.version()));
    done.expect("its own version");
    let took = format!("{:.1} | {}", start.elapsed().as_secs_f64() * 1e3, heap.peak);
    assert_eq!(trimmed.text(), doc.text(), "trimming changes nothing that shows");
    row(name, "before", doc, " | ");
    row("", "after", &trimmed, &took);
}

fn row(name: &str, when: &str, doc: &Doc, took: &str) {
    let fast = doc.encode_snapshot();
    let compact = doc.encode_snapshot_as(SnapshotProfile::Compact).len();
    let (_, built) = counted(|| doc.clone());
    let (opened, live) = counted(|| Doc::from_snapshot(READER, &fast).expect("an own snapshot"));
    assert_eq!(opened.text(), doc.text(), "it opens as it was");
    println!(
        "| {name} | {when} | {} | {} | {compact} | {} | {} | {took} |",
        doc.elements().count(),
        fast.len(),
        built.live,
        live.live
    );
}
