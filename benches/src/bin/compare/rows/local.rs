//! Local edits, the text read at the end.

use super::{Bench, MAIN_TRACE};
use crate::automerge::Automerge;
use crate::cola::Cola;
use crate::contender::{Crdt, Text, expect_text};
use crate::diamond_types::DiamondTypes;
use crate::floor::{Gap, Rope};
use crate::history::{Edit, History, narrow};
use crate::loro::Loro;
use crate::measure::{Contender, Limit, Missing, timed};
use crate::ours::Ours;
use crate::report::{Bar, Unit};
use crate::yrs::Yrs;
use jumprope::JumpRopeBuf;

const PLAIN: &str = "local edits, text at the end";
const MET: &str = "local edits on a replica that has met another, text at the end";
const MET_AGAIN: &str = "the same, and one operation of the other applied before the text is read";
const LONG: &str = "local edits of the history ×10 and ×100, text at the end";

pub(super) fn run(bench: &mut Bench) {
    let plan = bench.plan;
    let histories = std::mem::take(&mut bench.sequential);
    if bench.wants(PLAIN) {
        for (name, history) in &histories {
            let bar = Bar::Against(Rope::NAME, if name == MAIN_TRACE { 1.0 } else { 1.25 });
            let contenders = vec![
                replay::<Ours>(history, 1),
                replay::<Rope>(history, 1),
                replay::<Gap>(history, 1),
                replay::<DiamondTypes>(history, 1),
                replay::<Cola<JumpRopeBuf>>(history, 1),
                replay::<Cola<crop::Rope>>(history, 1),
                replay::<Yrs>(history, 1),
                replay::<Loro>(history, 1),
                replay::<Automerge>(history, 1),
            ];
            bench.row(PLAIN, name, Unit::Milliseconds, bar, plan, contenders);
        }
        bench.note("yrs, loro, automerge: all edits in one transaction, their fastest way. Cola keeps no text, so a rope stands beside it. The gap buffer, yrs and cola + crop are given positions in bytes, all others in scalar values.");
        bench.end_table(plan);
    }
    for (work, again) in [(MET, false), (MET_AGAIN, true)] {
        if !bench.wants(work) {
            continue;
        }
        for (name, history) in &histories {
            let bar = match again {
                false => Bar::Against(Rope::NAME, if name == MAIN_TRACE { 1.2 } else { 1.5 }),
                true => Bar::Shown,
            };
            let contenders = vec![
                replay_met::<Ours>(history, again),
                replay::<Rope>(history, 1),
                replay::<Gap>(history, 1),
                replay_met::<DiamondTypes>(history, again),
                replay_met::<Cola<JumpRopeBuf>>(history, again),
            ];
            bench.row(work, name, Unit::Milliseconds, bar, plan, contenders);
        }
        bench.note(if again {
            "One deletion of the other: it makes up for what was put off meanwhile. jumprope-buf and the gap buffer have nothing to apply."
        } else {
            "Before the clock starts, two replicas insert and delete elements of each other, so that whatever leads from an id to its place is there. Ours only lists what local edits move, until the other is heard again: the next table has that too."
        });
        bench.end_table(plan);
    }
    if bench.wants(LONG)
        && let Some((name, history)) = histories.iter().find(|(name, _)| name == MAIN_TRACE)
    {
        let base = long(bench, name, history, 1, None);
        for times in [10, 100] {
            long(bench, name, history, times, base);
        }
        bench.note("In ns an edit. Each repetition writes behind what the ones before it left.");
        bench.end_table(plan);
    }
    bench.sequential = histories;
}

fn long(bench: &mut Bench, name: &str, history: &History, times: u32, base: Option<f64>) -> Option<f64> {
    let bar = match base {
        None => Bar::Shown,
        Some(_) if times < 100 => Bar::Shown,
        Some(_) => Bar::Times { what: "×1", base, at_most: 1.2 },
    };
    let contenders = vec![
        per_edit::<Ours>(history, times),
        per_edit::<Rope>(history, times),
        per_edit::<Gap>(history, times),
        per_edit::<DiamondTypes>(history, times),
        per_edit::<Cola<JumpRopeBuf>>(history, times),
    ];
    let plan = bench.plan;
    bench.row(LONG, &format!("{name} ×{times}"), Unit::Nanoseconds, bar, plan, contenders);
    bench.rows.last().and_then(crate::report::Row::ours)
}

fn per_edit<C: Text>(history: &History, times: u32) -> Contender<'_> {
    let mut replay = replay_run::<C>(history, times);
    let edits = history.edits.len() as f64 * f64::from(times);
    Contender::new(C::NAME, C::ROLE, move |limit| Ok(replay(limit)? * 1e6 / edits))
}

fn replay<C: Text>(history: &History, times: u32) -> Contender<'_> {
    Contender::new(C::NAME, C::ROLE, replay_run::<C>(history, times))
}

fn replay_run<C: Text>(history: &History, times: u32) -> impl FnMut(Limit) -> Result<f64, Missing> {
    let expected = history.end.repeat(times as usize);
    let (chars, bytes) = (narrow(history.end.chars().count()), narrow(history.end.len()));
    move |limit| {
        let (done, time) = timed(|| {
            let mut contender = C::new(1);
            for at in 0..times {
                contender.edit_all(&history.edits, (at * chars, at * bytes), limit)?;
            }
            let text = contender.text();
            Ok((contender, text))
        });
        expect_text(C::NAME, &done?.1, &expected);
        Ok(time)
    }
}

/// Two elements of this replica and two of another; each deletes one of its own and one of the other's. And a delta of
/// the other, which deletes the rest again.
fn met<C: Crdt>() -> (C, Vec<u8>) {
    let insert = |text| Edit { position: 0, delete: 0, position_bytes: 0, delete_bytes: 0, text };
    let delete = Edit { position: 1, delete: 2, position_bytes: 1, delete_bytes: 2, text: "" };
    let (mut here, mut there) = (C::new(1), C::new(2));
    let mut delta = Vec::new();
    here.edit_encoded(&[insert("ab")], &mut delta);
    there.apply(&delta);
    delta.clear();
    there.edit_encoded(&[insert("cd")], &mut delta);
    here.apply(&delta);
    delta.clear();
    there.edit_encoded(&[delete], &mut delta);
    here.apply(&delta);
    let rest = Edit { position: 0, delete: 2, position_bytes: 0, delete_bytes: 2, text: "" };
    here.edit(rest);
    delta.clear();
    there.edit_encoded(&[rest], &mut delta);
    (here, delta)
}

fn replay_met<C: Crdt>(history: &History, again: bool) -> Contender<'_> {
    Contender::new(C::NAME, C::ROLE, move |limit| {
        let (mut contender, delta) = met::<C>();
        let (done, time) = timed(|| {
            contender.edit_all(&history.edits, (0, 0), limit)?;
            if again {
                contender.apply(&delta);
            }
            let text = contender.text();
            Ok((contender, text))
        });
        expect_text(C::NAME, &done?.1, &history.end);
        Ok(time)
    })
}
