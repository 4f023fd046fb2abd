//! What several people wrote at once, given to one who knows nothing yet.
//!
//! Every contender replays the recorded transactions with one replica for each branch of each author, which knows exactly what the
//! author knew, and says what it says. That happens once, outside the clock.

use super::Bench;
use crate::automerge::Automerge;
use crate::cola::Cola;
use crate::contender::{Crdt, Text, expect_text};
use crate::diamond_types::{self, DiamondTypes};
use crate::history::{Deltas, Shared};
use crate::loro::Loro;
use crate::measure::{Contender, Limit, Missing, Role, timed};
use crate::ours::Ours;
use crate::report::{Bar, Unit};
use crate::yrs::Yrs;
use jumprope::JumpRopeBuf;
use std::time::Duration;

const WHOLE: &str = "whole history as one delta into a fresh replica, text at the end";
const EACH: &str = "one delta per transaction into a fresh replica, text at the end";
/// The history with so many authors that replaying it takes minutes.
const LARGE: &str = "git-makefile";
/// For what happens once and outside the clock.
const PATIENCE: Duration = Duration::from_secs(120);

/// What all replicas said, and what came of it.
pub(super) struct Said {
    deltas: Deltas,
    pub(super) history: Option<Vec<u8>>,
    pub(super) text: String,
}

pub(super) fn run(bench: &mut Bench) {
    let plan = bench.plan;
    if !bench.wants(WHOLE) && !bench.wants(EACH) {
        return;
    }
    let traces = std::mem::take(&mut bench.concurrent);
    let mut each = Vec::new();
    for (name, shared) in &traces {
        if name == LARGE && !bench.wants(WHOLE) {
            continue;
        }
        eprintln!("what the authors of {name} say …");
        let ours = said::<Ours>(shared);
        if name == LARGE {
            if bench.wants(WHOLE) {
                let large = "replaying it with a replica for each of its authors takes it too long";
                let contenders = vec![
                    whole::<Ours>(&ours),
                    diamond_types_file(shared),
                    Contender::without(Yrs::NAME, Role::Peer, large),
                    Contender::without(Loro::NAME, Role::Peer, large),
                    Contender::without(Automerge::NAME, Role::Peer, large),
                ];
                bench.row(WHOLE, name, Unit::Milliseconds, Bar::BestPeer(0.4), plan, contenders);
            }
            continue;
        }
        let diamond = said::<DiamondTypes>(shared);
        let jumprope = said::<Cola<JumpRopeBuf>>(shared);
        let crop = said::<Cola<crop::Rope>>(shared);
        let yrs = said::<Yrs>(shared);
        let loro = said::<Loro>(shared);
        let automerge = said::<Automerge>(shared);
        if bench.wants(WHOLE) {
            let contenders = vec![
                whole::<Ours>(&ours),
                whole::<DiamondTypes>(&diamond),
                whole::<Yrs>(&yrs),
                whole::<Loro>(&loro),
                whole::<Automerge>(&automerge),
            ];
            bench.row(WHOLE, name, Unit::Milliseconds, Bar::BestPeer(0.4), plan, contenders);
        }
        each.push((name, [ours, diamond, jumprope, crop, yrs, loro, automerge]));
    }
    if bench.wants(WHOLE) {
        bench.note("Cola keeps no history that it could give. loro gives updates, automerge and diamond-types their files. diamond-types' file of git-makefile was made with `add_insert_at` and its like, which take any version as parents.");
        bench.end_table(plan);
    }
    if bench.wants(EACH) {
        for (name, [ours, diamond, jumprope, crop, yrs, loro, automerge]) in &each {
            let contenders = vec![
                one_by_one::<Ours>(ours),
                one_by_one::<DiamondTypes>(diamond),
                one_by_one::<Cola<JumpRopeBuf>>(jumprope),
                one_by_one::<Cola<crop::Rope>>(crop),
                one_by_one::<Yrs>(yrs),
                one_by_one::<Loro>(loro),
                one_by_one::<Automerge>(automerge),
            ];
            let bar = Bar::Against("cola + crop", 0.4);
            bench.row(EACH, name, Unit::Milliseconds, bar, plan, contenders);
        }
        bench.end_table(plan);
    }
    drop(each);
    bench.concurrent = traces;
}

/// Replays the recorded transactions, and checks that whoever gets the rest of them holds the same.
pub(super) fn said<C: Crdt>(shared: &Shared) -> Result<Said, Missing> {
    let limit = Limit::from_now(PATIENCE);
    let Shared { trace, edits, .. } = shared;
    let replicas = trace.replicas();
    let count = replicas.agents.len();
    // In the order of the authors, which broke ties when it was recorded.
    let mut by_author: Vec<usize> = (0..count).collect();
    by_author.sort_by_key(|&replica| replicas.agents[replica]);
    let mut numbers = vec![0; count];
    for (number, &replica) in (1..).zip(&by_author) {
        numbers[replica] = number;
    }
    let mut docs: Vec<C> = numbers.iter().map(|&number| C::new(number)).collect();
    let mut knows = vec![vec![false; trace.transactions.len()]; count];
    let mut of_replica = vec![Vec::new(); count];
    for (transaction, &replica) in replicas.of_transaction.iter().enumerate() {
        of_replica[replica].push(transaction);
    }
    let mut known = vec![vec![0; count]; count];
    let mut deltas = Deltas::with_capacity(trace.transactions.len());
    let mut steps = 0..;
    for (transaction, edits) in edits.iter().enumerate() {
        let here = replicas.of_transaction[transaction];
        let mut missing: Vec<usize> = Vec::new();
        for (other, &wanted) in replicas.seen[transaction].iter().enumerate() {
            missing.extend(&of_replica[other][known[here][other].min(wanted)..wanted]);
            known[here][other] = known[here][other].max(wanted);
        }
        missing.sort_unstable();
        for index in missing {
            if !std::mem::replace(&mut knows[here][index], true) && !deltas.get(index).is_empty() {
                limit.check(steps.next().unwrap_or(0))?;
                docs[here].apply(deltas.get(index));
            }
        }
        if !edits.is_empty() {
            docs[here].edit_encoded(edits, &mut deltas.bytes);
        }
        deltas.end_one();
        knows[here][transaction] = true;
        known[here][here] = replicas.position[transaction] + 1;
    }
    // A fresh replica hears everything; the others hear what they lack, where that is not too much.
    let mut reader = C::new(1_000_000);
    for (step, delta) in deltas.iter().enumerate().filter(|(_, delta)| !delta.is_empty()) {
        limit.check(step)?;
        reader.apply(delta);
    }
    let text = reader.text();
    if count <= 4 {
        for (doc, knows) in docs.iter_mut().zip(&knows) {
            for (index, _) in knows.iter().enumerate().filter(|(_, knows)| !**knows) {
                doc.apply(deltas.get(index));
            }
            expect_text(C::NAME, &doc.text(), &text);
        }
    }
    if text != trace.end_content {
        eprintln!(
            "{}: merges, but not to the recorded text: insertions that meet stand in another order",
            C::NAME
        );
    }
    Ok(Said { history: reader.history(), deltas, text })
}

fn whole<C: Crdt>(said: &Result<Said, Missing>) -> Contender<'_> {
    Contender::new(C::NAME, C::ROLE, move |_| {
        let said = said.as_ref().map_err(Clone::clone)?;
        let Some(history) = &said.history else { return Err(Missing(String::from("keeps no history"))) };
        let ((_, text), time) = timed(|| {
            let mut reader = C::from_history(1_000_000, history);
            let text = reader.text();
            (reader, text)
        });
        expect_text(C::NAME, &text, &said.text);
        Ok(time)
    })
}

fn one_by_one<C: Crdt>(said: &Result<Said, Missing>) -> Contender<'_> {
    Contender::new(C::NAME, C::ROLE, move |limit| {
        let said = said.as_ref().map_err(Clone::clone)?;
        let (done, time) = timed(|| {
            let mut reader = C::new(1_000_000);
            reader.apply_all(&said.deltas, limit)?;
            let text = reader.text();
            Ok((reader, text))
        });
        expect_text(C::NAME, &done?.1, &said.text);
        Ok(time)
    })
}

fn diamond_types_file(shared: &Shared) -> Contender<'_> {
    let mut made: Option<(Vec<u8>, String)> = None;
    Contender::new(DiamondTypes::NAME, Role::Peer, move |_| {
        let (file, expected) = made.get_or_insert_with(|| diamond_types::file_of(shared));
        let ((_, text), time) = timed(|| {
            let mut reader = DiamondTypes::from_history(1_000_000, file);
            let text = reader.text();
            (reader, text)
        });
        expect_text(DiamondTypes::NAME, &text, expected);
        Ok(time)
    })
}
