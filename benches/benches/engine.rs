//! What an editor waits for: typing, making deltas, applying them, opening a document.

use crdt_bench::{READER, replay, replay_with_deltas, sequential};
use crdt_core::{Doc, VersionVector};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

fn engine(criterion: &mut Criterion) {
    for (name, trace) in sequential(&["automerge-paper", "rustcode", "friendsforever_flat"]) {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(20);
        group.bench_function("local edits, text", |bench| bench.iter(|| black_box(replay(&trace).text())));
        group.bench_function("local edits, one delta each", |bench| {
            bench.iter(|| black_box(replay_with_deltas(&trace)));
        });
        let deltas = replay_with_deltas(&trace);
        group.bench_function("apply those deltas, text", |bench| {
            bench.iter(|| {
                let mut doc = Doc::new(READER);
                for delta in &deltas {
                    doc.apply(delta).expect("deltas of a document apply");
                }
                black_box(doc.text())
            });
        });
        let doc = replay(&trace);
        let history = doc.delta_since(&VersionVector::new());
        group.bench_function("apply the whole history, text", |bench| {
            bench.iter(|| {
                let mut doc = Doc::new(READER);
                doc.apply(&history).expect("the delta of a document applies");
                black_box(doc.text())
            });
        });
        let snapshot = doc.encode_snapshot();
        group.bench_function("open a snapshot, text", |bench| {
            bench.iter(|| black_box(Doc::from_snapshot(READER, &snapshot).expect("a snapshot opens").text()));
        });
        group.finish();
    }
}

criterion_group!(benches, engine);
criterion_main!(benches);
