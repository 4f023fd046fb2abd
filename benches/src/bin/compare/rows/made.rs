//! Histories that nobody typed, made to be hard on somebody.

use super::Bench;
use crate::automerge::Automerge;
use crate::cola::Cola;
use crate::contender::{Text, expect_text};
use crate::diamond_types::DiamondTypes;
use crate::floor::{Gap, Rope};
use crate::history::{Edit, narrow};
use crate::loro::Loro;
use crate::measure::{Contender, Role, timed};
use crate::ours::Ours;
use crate::report::{Bar, Unit};
use crate::yrs::Yrs;
use jumprope::JumpRopeBuf;

const INSERTIONS: &str = "200,000 insertions of one character, text at the end";
const SECOND: &str = "one replica deletes every second character of 1,000,000, text at the end";
const PASTE: &str = "a paste of 10,000,000 characters, and its deletion";
const COUNT: usize = 200_000;

pub(super) fn run(bench: &mut Bench) {
    if bench.wants(INSERTIONS) {
        insertions(bench);
    }
    if bench.wants(SECOND) {
        every_second(bench);
    }
    if bench.wants(PASTE) {
        paste(bench);
    }
}

/// All positions are of ASCII text.
fn edit(position: usize, delete: usize, text: &'static str) -> Edit {
    let (position, delete) = (narrow(position), narrow(delete));
    Edit { position, delete, position_bytes: position, delete_bytes: delete, text }
}

/// The same numbers for every run (splitmix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).expect("below a usize")
    }
}

fn insertions(bench: &mut Bench) {
    const LETTERS: [&str; 4] = ["a", "b", "c", "d"];
    let plan = bench.plan;
    let mut dice = Dice(1);
    let random: Vec<Edit> =
        (0..COUNT).map(|typed| edit(dice.below(typed + 1), 0, LETTERS[typed % 4])).collect();
    let prepends: Vec<Edit> = (0..COUNT).map(|typed| edit(0, 0, LETTERS[typed % 4])).collect();
    let appends: Vec<Edit> = (0..COUNT).map(|typed| edit(typed, 0, LETTERS[typed % 4])).collect();
    for (name, edits, at_most) in
        [("at random positions", random, 1.8), ("at the start", prepends, 1.1), ("at the end", appends, 1.0)]
    {
        let mut plain = Gap::new(1);
        edits.iter().for_each(|edit| plain.edit(*edit));
        let text = plain.text();
        let contenders = vec![
            replay::<Ours>("", &edits, &text),
            replay::<Rope>("", &edits, &text),
            replay::<Gap>("", &edits, &text),
            replay::<DiamondTypes>("", &edits, &text),
            replay::<Cola<JumpRopeBuf>>("", &edits, &text),
            replay::<Yrs>("", &edits, &text),
            replay::<Loro>("", &edits, &text),
            replay::<Automerge>("", &edits, &text),
        ];
        let bar = Bar::Against(Rope::NAME, at_most);
        bench.row(INSERTIONS, name, Unit::Milliseconds, bar, plan, contenders);
    }
    bench.end_table(plan);
}

fn every_second(bench: &mut Bench) {
    let plan = bench.plan;
    let start: &'static str = Box::leak("0123456789".repeat(100_000).into_boxed_str());
    let edits: Vec<Edit> = (0..start.len() / 2).map(|at| edit(at, 1, "")).collect();
    let text = "13579".repeat(100_000);
    let contenders = vec![
        replay::<Ours>(start, &edits, &text),
        replay::<Rope>(start, &edits, &text),
        replay::<Gap>(start, &edits, &text),
        replay::<DiamondTypes>(start, &edits, &text),
        replay::<Cola<JumpRopeBuf>>(start, &edits, &text),
        replay::<Yrs>(start, &edits, &text),
        replay::<Loro>(start, &edits, &text),
        Contender::without(Automerge::NAME, Role::Peer, "takes too long to take a million characters in"),
    ];
    bench.row(SECOND, "from front to back", Unit::Milliseconds, Bar::Shown, plan, contenders);
    bench.end_table(plan);
}

/// Makes the edits on top of `start`, which is there before the clock starts.
fn replay<'a, C: Text>(start: &'static str, edits: &'a [Edit], expected: &'a str) -> Contender<'a> {
    Contender::new(C::NAME, C::ROLE, move |limit| {
        let mut contender = C::new(1);
        if !start.is_empty() {
            contender.edit(edit(0, 0, start));
        }
        let (done, time) = timed(|| {
            contender.edit_all(edits, (0, 0), limit)?;
            Ok(contender.text())
        });
        expect_text(C::NAME, &done?, expected);
        Ok(time)
    })
}

fn paste(bench: &mut Bench) {
    let plan = bench.plan;
    let text: &'static str = Box::leak("0123456789".repeat(1_000_000).into_boxed_str());
    let copy = Contender::new("a copy", Role::Floor, move |_| {
        warm_memory(text);
        let (copy, time) = timed(|| text.to_owned());
        expect_text("a copy", &copy, text);
        Ok(time)
    });
    let automerge =
        || Contender::without(Automerge::NAME, Role::Peer, "takes too long to take a million characters in");
    let contenders = vec![
        pasted::<Ours>(text),
        copy,
        pasted::<Gap>(text),
        pasted::<Rope>(text),
        pasted::<DiamondTypes>(text),
        pasted::<Cola<JumpRopeBuf>>(text),
        pasted::<Yrs>(text),
        pasted::<Loro>(text),
        automerge(),
    ];
    bench.row(PASTE, "the paste", Unit::Milliseconds, Bar::Against("a copy", 1.5), plan, contenders);
    let contenders = vec![
        deleted::<Ours>(text),
        deleted::<Gap>(text),
        deleted::<Rope>(text),
        deleted::<DiamondTypes>(text),
        deleted::<Cola<JumpRopeBuf>>(text),
        deleted::<Yrs>(text),
        deleted::<Loro>(text),
        automerge(),
    ];
    bench.row(PASTE, "its deletion", Unit::Milliseconds, Bar::Shown, plan, contenders);
    bench.end_table(plan);
}

/// Leaves the allocator with as much memory that the system has handed out already, whoever ran before: a fresh page costs more
/// than what is written to it.
fn warm_memory(text: &str) {
    drop(std::hint::black_box(text.to_owned()));
}

fn pasted<C: Text>(text: &'static str) -> Contender<'static> {
    Contender::new(C::NAME, C::ROLE, move |_| {
        warm_memory(text);
        let (mut contender, time) = timed(|| {
            let mut contender = C::new(1);
            contender.edit(edit(0, 0, text));
            contender
        });
        expect_text(C::NAME, &contender.text(), text);
        Ok(time)
    })
}

fn deleted<C: Text>(text: &'static str) -> Contender<'static> {
    Contender::new(C::NAME, C::ROLE, move |_| {
        let mut contender = C::new(1);
        contender.edit(edit(0, 0, text));
        let ((), time) = timed(|| contender.edit(edit(0, text.len(), "")));
        expect_text(C::NAME, &contender.text(), "");
        Ok(time)
    })
}
