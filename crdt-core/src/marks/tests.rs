//! Spans against a plain list: every place of a line of numbers, and which mark holds there.

use super::Edge;
use super::spans::Spans;
use crate::dice::Dice;
use crate::op_log::LocalId;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;

const PLACES: u32 = 60;

fn edge(place: u32) -> Edge {
    match place {
        0 => Edge::START,
        PLACES => Edge::END,
        _ => Edge::before(LocalId::new(0, place)),
    }
}

fn order(one: Edge, other: Edge) -> Ordering {
    let place = |edge: Edge| match edge {
        Edge::START => 0,
        Edge::END => PLACES,
        _ => edge.element.seq,
    };
    place(one).cmp(&place(other))
}

#[test]
fn spans_agree_with_a_plain_list() {
    let mut dice = Dice(11);
    for _ in 0..300 {
        let mut spans = Spans::default();
        let mut plain: Vec<Option<u32>> = vec![None; PLACES as usize];
        // Stamps by mark: some come late.
        let mut stamps: Vec<usize> = Vec::new();
        for mark in 0..40u32 {
            stamps.push(dice.below(1000));
            let places = PLACES as usize + 1;
            let (one, other) = (dice.below(places), dice.below(places));
            let beats = |holds: Option<u32>| {
                holds.is_none_or(|holds| (stamps[holds as usize], holds) < (stamps[mark as usize], mark))
            };
            let mut expected = Vec::new();
            for (place, holds) in plain.iter_mut().enumerate().take(other).skip(one) {
                if beats(*holds) {
                    expected.push((place, *holds));
                    *holds = Some(mark);
                }
            }
            let [from, to] = [one, other].map(|place| edge(u32::try_from(place).unwrap()));
            let changed = spans.overlay((from, to), mark, &order, &beats);
            let told: Vec<_> = changed
                .iter()
                .flat_map(|changed| {
                    let place = |end| (0..=PLACES).find(|&at| edge(at) == end).unwrap();
                    (place(changed.from)..place(changed.to)).map(|at| (at as usize, changed.before))
                })
                .collect();
            assert_eq!(told, expected);
            spans.assert_invariants(&order);
            for place in 0..PLACES {
                let found = spans.get(spans.find(edge(place), &order)).winner;
                assert_eq!(found, plain[place as usize]);
            }
        }
    }
}
