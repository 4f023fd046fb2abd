//! What marks cost: typing in a text with 10,000 marks of 100 names beside typing in the same text without, undoing
//! a deletion, and reading its runs: `cargo run --release -p crdt-bench --no-default-features --bin rich`.

use crdt_bench::{AUTHOR, READER};
use crdt_core::{Doc, Json, UndoManager, UndoOptions};
use crdt_testkit::random::Random;
use std::hint::black_box;
use std::time::{Duration, Instant};

const CHARACTERS: usize = 100_000;
const MARKS: usize = 10_000;
const NAMES: usize = 100;
const KEYS: usize = 20_000;
/// Keys typed before the next jump.
const BURST: usize = 20;
/// Plain and rich take turns; the medians are compared.
const ROUNDS: usize = 9;

fn main() {
    let mut plain = Doc::new(AUTHOR);
    let sentence = "The quick brown fox jumps over the lazy dog. ";
    plain.insert(0, &sentence.repeat(CHARACTERS / sentence.len())).expect("the start is there");
    let rich = marked(&plain);
    println!("{} characters; {MARKS} marks of {NAMES} names, {} runs", plain.len(), rich.runs().len());
    println!("\nwork, {KEYS} keys{:23}plain   with marks   ratio", "");
    row("typing at one place", &plain, &rich, type_at_one_place);
    row("typing in bursts at random places", &plain, &rich, type_in_bursts);
    row("the same, one delta a key", &plain, &rich, |doc| drop(black_box(deltas(doc))));
    let work = |start: &Doc| {
        let made = deltas(&mut start.clone());
        move |doc: &mut Doc| {
            for delta in &made {
                doc.apply(delta).expect("deltas of a document apply");
            }
        }
    };
    let (of_plain, of_rich) = (work(&plain), work(&rich));
    let [plain_reader, rich_reader] = [&plain, &rich].map(reader);
    times("applying those deltas", || timed(&plain_reader, &of_plain), || timed(&rich_reader, &of_rich));

    row("deleting everything and undoing that", &plain, &rich, delete_and_undo);

    println!("\nreading{:30}text         runs   ratio", "");
    let read = |doc: &Doc, work: &dyn Fn(&Doc)| {
        let start = Instant::now();
        work(doc);
        start.elapsed()
    };
    let text = |doc: &Doc| drop(black_box(doc.text()));
    let runs = |doc: &Doc| drop(black_box(doc.runs()));
    times("of the plain text", || read(&plain, &text), || read(&plain, &runs));
    times("of all with marks", || read(&rich, &text), || read(&rich, &runs));
    let from = plain.len() / 2;
    let slice = |doc: &Doc| drop(black_box(doc.slice(from..from + 1000)));
    let part = |doc: &Doc| drop(black_box(doc.runs_in(from..from + 1000)));
    times("of 1,000 characters", || read(&rich, &slice), || read(&rich, &part));
}

/// The same text with marks on random stretches, some of which were removed again.
fn marked(plain: &Doc) -> Doc {
    let mut doc = plain.clone();
    let mut random = Random::new(4);
    for _ in 0..MARKS {
        let name = format!("mark-{}", random.below(NAMES));
        let len = 1 + random.below(200);
        let start = random.below(doc.len() - len);
        let done = if random.chance(15) {
            doc.unmark(start..start + len, &name)
        } else {
            doc.mark(start..start + len, &name, Json::number(i32::from(random.chance(50))))
        };
        done.expect("the stretch is in the text");
    }
    doc
}

fn type_at_one_place(doc: &mut Doc) {
    let at = doc.len() / 3;
    for key in 0..KEYS {
        doc.insert(at + key, "x").expect("a position of the text");
    }
}

fn type_in_bursts(doc: &mut Doc) {
    let mut random = Random::new(5);
    for _ in 0..KEYS / BURST {
        let at = random.below(doc.len());
        for key in 0..BURST {
            doc.insert(at + key, "x").expect("a position of the text");
        }
    }
}

fn deltas(doc: &mut Doc) -> Vec<Vec<u8>> {
    let mut random = Random::new(5);
    let mut deltas = Vec::with_capacity(KEYS);
    for _ in 0..KEYS / BURST {
        let at = random.below(doc.len());
        for key in 0..BURST {
            let from = doc.version().get(AUTHOR);
            doc.insert(at + key, "x").expect("a position of the text");
            deltas.push(doc.delta_of(AUTHOR, from..from + 1));
        }
    }
    deltas
}

fn delete_and_undo(doc: &mut Doc) {
    let mut undo = UndoManager::new(doc, UndoOptions::default());
    doc.delete(0..doc.len()).expect("all of the text");
    undo.undo(doc).expect("there is room").expect("there is an edit to undo");
}

fn reader(doc: &Doc) -> Doc {
    let mut reader = Doc::new(READER);
    reader.apply(&doc.delta_since(reader.version())).expect("the delta of a document applies");
    reader
}

fn row(name: &str, plain: &Doc, rich: &Doc, work: impl Fn(&mut Doc)) {
    times(name, || timed(plain, &work), || timed(rich, &work));
}

fn timed(doc: &Doc, work: &impl Fn(&mut Doc)) -> Duration {
    let mut doc = doc.clone();
    let start = Instant::now();
    work(&mut doc);
    start.elapsed()
}

fn times(name: &str, one: impl Fn() -> Duration, other: impl Fn() -> Duration) {
    let (mut ones, mut others): (Vec<_>, Vec<_>) = (0..ROUNDS).map(|_| (one(), other())).unzip();
    ones.sort();
    others.sort();
    let milliseconds = |times: &[Duration]| times[ROUNDS / 2].as_secs_f64() * 1e3;
    let (one, other) = (milliseconds(&ones), milliseconds(&others));
    println!("{name:36} {one:8.3} ms {other:8.3} ms   {:5.2}", other / one);
}
