//! Inputs that ask for much get an error, or what their own bytes justify: counted in bytes on the heap, never in time.

#[path = "../../benches/src/bin/compare/heap.rs"]
mod heap;

use crdt_testkit::bombs::{Expected, bombs};

#[global_allocator]
static ALLOCATOR: heap::Counting = heap::Counting;

/// The only test of this program: whatever runs beside it would be counted too.
#[test]
fn bombs_take_no_more_than_their_bytes_justify() {
    let mut inputs = 0;
    for bomb in bombs() {
        let (mut refused, mut most) = (0, 0);
        for input in &bomb.inputs {
            let (outcome, heap) = heap::counted(|| bomb.set_off(input));
            let peak = heap.peak.cast_unsigned();
            assert!(peak <= bomb.most_bytes(input), "{}: {peak} bytes on the heap", bomb.name);
            assert!(heap.live < 1_000, "{}: {} bytes stay on the heap", bomb.name, heap.live);
            refused += usize::from(outcome.is_err());
            most = most.max(peak);
            match bomb.expected {
                Expected::Refused => assert!(outcome.is_err(), "{} was taken", bomb.name),
                Expected::Taken => assert_eq!(outcome, Ok(()), "{}", bomb.name),
                Expected::Either => {}
            }
        }
        println!("{}: {refused} of {} refused, {most} bytes", bomb.name, bomb.inputs.len());
        inputs += bomb.inputs.len();
    }
    assert!(inputs > 10_000, "{inputs} inputs: some were lost");
}
