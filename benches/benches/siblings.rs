//! Histories made to make siblings meet: many writers at one place. What counts is how the time grows.

use crdt_bench::READER;
use crdt_bench::siblings::{Shape, common, replica, writer};
use crdt_core::Doc;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

fn merged(common: &[u8], deltas: &[Vec<u8>]) -> usize {
    let mut doc = Doc::new(READER);
    for delta in std::iter::once(common).chain(deltas.iter().map(Vec::as_slice)) {
        doc.apply(delta).expect("the delta of a document applies");
    }
    doc.len()
}

fn siblings(criterion: &mut Criterion) {
    let common = common();
    let mut group = criterion.benchmark_group("writers at one place, 100 characters each");
    group.sample_size(10);
    for shape in [Shape::OneRun, Shape::FortyRuns, Shape::Backwards] {
        for writers in [1_000_u32, 4_000] {
            let docs: Vec<Doc> =
                (0..writers).map(|number| writer(replica(number.into()), &common, shape, 100)).collect();
            let of = |doc: &Doc, from, to| doc.delta_of(doc.replica(), from..to);
            let by_writer: Vec<Vec<u8>> = docs.iter().map(|doc| of(doc, 0, 100)).collect();
            let in_turns: Vec<Vec<u8>> =
                (0..100).flat_map(|at| docs.iter().map(move |doc| of(doc, at, at + 1))).collect();
            group.throughput(Throughput::Elements(u64::from(writers) * 100));
            for (order, deltas) in [("by writer", by_writer), ("in turns", in_turns)] {
                let id = BenchmarkId::new(format!("{shape:?}, {order}"), writers);
                group.bench_function(id, |bench| bench.iter(|| black_box(merged(&common, &deltas))));
            }
        }
    }
    group.finish();

    let mut group = criterion.benchmark_group("two writers backwards at one place, 50,000 characters each");
    group.sample_size(10).throughput(Throughput::Elements(100_000));
    let docs = [1, 2].map(|replica| writer(replica, &common, Shape::Backwards, 50_000));
    let deltas = docs.each_ref().map(|doc| doc.delta_of(doc.replica(), 0..50_000));
    group.bench_function("one delta each", |bench| bench.iter(|| black_box(merged(&common, &deltas))));
    group.finish();
}

criterion_group!(benches, siblings);
criterion_main!(benches);
