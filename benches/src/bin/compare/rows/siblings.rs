//! Many writers at one place: the case that makes CRDTs quadratic.

use super::deltas::{ORDINARY, ordinary};
use super::made::Dice;
use super::{Bench, MAIN_TRACE};
use crate::cola::Cola;
use crate::contender::Crdt;
use crate::diamond_types::DiamondTypes;
use crate::history::{Deltas, Edit, History, narrow};
use crate::loro::Loro;
use crate::measure::{Contender, Limit, Missing, Outcome, Plan, timed};
use crate::ours::Ours;
use crate::report::{Bar, Row, Unit};
use crate::yrs::Yrs;
use crdt_bench::siblings::{START, Shape};
use jumprope::JumpRopeBuf;
use std::time::Duration;

const TWO: &str = "two replicas × 50,000 characters typed backwards at one place, merged";
const MANY: &str = "1,000 and 4,000 replicas × 100 characters at one place, merged";
const GROWTH: &str = "4,000 replicas × 100 characters at one place, time as a multiple of 1,000's";
const TYPED: usize = 50_000;
/// In one delta.
const CHUNK: usize = 100;
const EACH: usize = 100;

pub(super) fn run(bench: &mut Bench) {
    let histories = std::mem::take(&mut bench.sequential);
    let main = histories.iter().find(|(name, _)| name == MAIN_TRACE).map(|(_, history)| history);
    if bench.wants(TWO) {
        two(bench, main);
    }
    if bench.wants(MANY) {
        many(bench, main);
    }
    if bench.wants(GROWTH) {
        let plan = bench.plan.once();
        bench.end_table(plan);
    }
    bench.sequential = histories;
}

/// Measures one row. What it is compared with, the ordinary history, takes turns with it: this machine may be slower now
/// than it was a minute ago.
fn row<'a>(
    bench: &mut Bench,
    work: &'static str,
    name: &str,
    plan: Plan,
    main: Option<&'a History>,
    mut contenders: Vec<Contender<'a>>,
) {
    contenders.extend(main.map(|history| ordinary(history, plan)));
    bench.row(work, name, Unit::Nanoseconds, Bar::Shown, plan, contenders);
    let row = bench.rows.last_mut().expect("it was just added");
    let base = row.outcomes.iter().find(|outcome| outcome.name == ORDINARY);
    let base = base.and_then(|outcome| outcome.value.as_ref().ok().copied());
    row.bar = Bar::Times { what: ORDINARY, base, at_most: 10.0 };
}

fn two(bench: &mut Bench, main: Option<&History>) {
    let plan = bench.plan;
    let chunks = TYPED / CHUNK;
    let turns = |count: usize| (0..count).flat_map(|_| [0, 1]).collect::<Vec<usize>>();
    let one_first = |first: usize| [vec![first; chunks], vec![1 - first; chunks]].concat();
    let orders = [
        ("A, then B", CHUNK, one_first(0)),
        ("B, then A", CHUNK, one_first(1)),
        ("in turns, 100 characters each", CHUNK, turns(chunks)),
        ("in turns, one character each", 1, turns(TYPED)),
    ];
    for (name, in_one, order) in orders {
        let shape = Shape::Backwards;
        let contenders = vec![
            merging::<Ours>(2, shape, TYPED, in_one, &order),
            merging::<DiamondTypes>(2, shape, TYPED, in_one, &order),
            merging::<Cola<JumpRopeBuf>>(2, shape, TYPED, in_one, &order),
            merging::<Yrs>(2, shape, TYPED, in_one, &order),
            merging::<Loro>(2, shape, TYPED, in_one, &order),
        ];
        row(bench, TWO, name, plan, main, contenders);
    }
    bench.note("All get the same deltas, 100 characters in each unless it says otherwise.");
    bench.end_table(plan);
}

fn many(bench: &mut Bench, main: Option<&History>) {
    // Peers that take seconds for a thousand would take minutes for four thousand.
    let plan = Plan { per_run: Duration::from_secs(4), per_contender: Duration::from_secs(4), ..bench.plan };
    let mut growths = Vec::new();
    for (shape, shape_name) in
        [(Shape::OneRun, "one run"), (Shape::FortyRuns, "forty runs"), (Shape::Backwards, "backwards")]
    {
        for shuffled in [false, true] {
            let order_name = if shuffled { "shuffled" } else { "replica by replica" };
            for writers in [1_000, 4_000] {
                let in_one = if shuffled { 1 } else { EACH };
                let mut order: Vec<usize> =
                    (0..writers).flat_map(|writer| std::iter::repeat_n(writer, EACH / in_one)).collect();
                if shuffled {
                    shuffle(&mut order);
                }
                let mut contenders = vec![merging::<Ours>(writers, shape, EACH, in_one, &order)];
                if writers == 1_000 {
                    contenders.push(merging::<DiamondTypes>(writers, shape, EACH, in_one, &order));
                    contenders.push(merging::<Cola<JumpRopeBuf>>(writers, shape, EACH, in_one, &order));
                    contenders.push(merging::<Yrs>(writers, shape, EACH, in_one, &order));
                    contenders.push(merging::<Loro>(writers, shape, EACH, in_one, &order));
                }
                let name = format!("{shape_name}, {order_name}, {writers}");
                row(bench, MANY, &name, plan, main, contenders);
            }
            if let [.., small, large] = bench.rows.as_slice() {
                growths.push(growth(format!("{shape_name}, {order_name}"), small, large));
            }
        }
    }
    bench.note("Shuffled: a delta for each character, all writers' mixed at random, each writer's own in order. Peers were given 1,000 replicas only.");
    bench.end_table(plan);
    bench.rows.extend(growths);
}

/// Four times the replicas type four times the characters.
fn growth(trace: String, small: &Row, large: &Row) -> Row {
    let of = |small: &Outcome| {
        let large = large.outcomes.iter().find(|large| large.name == small.name)?;
        let value = 4.0 * large.value.as_ref().ok()? / small.value.as_ref().ok()?;
        Some(Outcome { value: Ok(value), ..large.clone() })
    };
    let outcomes = small.outcomes.iter().filter(|small| small.name != ORDINARY).filter_map(of).collect();
    Row { work: GROWTH, trace, unit: Unit::Ratio, bar: Bar::Value(5.0), outcomes }
}

/// The same order for every run.
fn shuffle(order: &mut [usize]) {
    let mut dice = Dice(2);
    for end in (1..order.len()).rev() {
        order.swap(end, dice.below(end + 1));
    }
}

/// The deltas of a contender's writers in the order of their delivery.
struct Made {
    common: Vec<u8>,
    deltas: Deltas,
    len: usize,
}

fn make<C: Crdt>(
    writers: usize,
    shape: Shape,
    each: usize,
    in_one: usize,
    order: &[usize],
    limit: Limit,
) -> Result<Made, Missing> {
    let edit = |position: usize, text| {
        let position = narrow(position);
        Edit { position, delete: 0, position_bytes: position, delete_bytes: 0, text }
    };
    let mut common = Vec::new();
    C::new(narrow(writers) + 1).edit_encoded(&[edit(0, START)], &mut common);
    let typed: Vec<Edit> = (0..each).map(|typed| edit(shape.position(typed), "q")).collect();
    let mut said = Vec::with_capacity(writers);
    for writer in 0..writers {
        let mut doc = C::new(spread(writer, writers));
        doc.apply(&common);
        let mut deltas = Deltas::with_capacity(each / in_one);
        for (step, edits) in typed.chunks(in_one).enumerate() {
            limit.check(step)?;
            doc.edit_encoded(edits, &mut deltas.bytes);
            deltas.end_one();
        }
        said.push(deltas);
    }
    let mut next = vec![0; writers];
    let mut deltas = Deltas::with_capacity(order.len());
    for &writer in order {
        deltas.push(said[writer].get(next[writer]));
        next[writer] += 1;
    }
    Ok(Made { common, deltas, len: START.len() + writers * each })
}

/// A number for each writer, so that neighbours in time are not neighbours in order: the multiplier and the count have no common divisor.
fn spread(writer: usize, writers: usize) -> u32 {
    if writers < 3 { narrow(writer + 1) } else { narrow(writer * 617 % writers + 1) }
}

/// Merging, in ns an operation.
fn merging<C: Crdt>(
    writers: usize,
    shape: Shape,
    each: usize,
    in_one: usize,
    order: &[usize],
) -> Contender<'_> {
    let mut made: Option<Made> = None;
    Contender::new(C::NAME, C::ROLE, move |limit| {
        let made = match &made {
            Some(made) => made,
            None => {
                let patient = Limit::from_now(Duration::from_secs(60));
                made.insert(make::<C>(writers, shape, each, in_one, order, patient)?)
            }
        };
        let limit = limit.anew();
        let (done, time) = timed(|| {
            let mut reader = C::new(narrow(writers) + 2);
            reader.apply(&made.common);
            for (step, delta) in made.deltas.iter().enumerate() {
                // Looking at the clock would show in the time of a delta of one character.
                limit.check(if in_one > 1 { 0 } else { step })?;
                reader.apply(delta);
            }
            let text = reader.text();
            Ok((reader, text))
        });
        assert_eq!(done?.1.len(), made.len, "{} has lost something", C::NAME);
        Ok(time * 1e6 / (writers * each) as f64)
    })
}
