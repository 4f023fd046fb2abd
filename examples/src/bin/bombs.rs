//! Sets off inputs that ask for much, and says what each took.
//!
//! `cargo run --release -p crdt-examples --bin bombs`

#[path = "../../../benches/src/bin/compare/heap.rs"]
mod heap;

use crdt_testkit::bombs::bombs;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: heap::Counting = heap::Counting;

fn main() {
    println!("| bomb | inputs | bytes in | refused | taken | why | ms | bytes on the heap | of them left |");
    println!("|---|---:|---:|---:|---:|---|---:|---:|---:|");
    for bomb in bombs() {
        // Of many, each figure is that of the worst.
        let (mut bytes, mut refused, mut taken, mut why) = (0, 0, 0, String::new());
        let (mut time, mut peak, mut left) = (Duration::ZERO, 0, 0);
        for input in &bomb.inputs {
            bytes = bytes.max(input.len());
            let begun = Instant::now();
            let (outcome, heap) = heap::counted(|| bomb.set_off(input));
            time = time.max(begun.elapsed());
            (peak, left) = (peak.max(heap.peak), left.max(heap.live));
            match outcome {
                Ok(()) => taken += 1,
                Err(error) => (refused, why) = (refused + 1, error),
            }
        }
        let (name, inputs) = (bomb.name, bomb.inputs.len());
        let ms = time.as_secs_f64() * 1e3;
        println!("| {name} | {inputs} | {bytes} | {refused} | {taken} | {why} | {ms:.2} | {peak} | {left} |");
    }
}
