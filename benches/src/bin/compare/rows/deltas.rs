//! One delta for each local edit, and those deltas applied one by one elsewhere.

use super::{Bench, MAIN_TRACE};
use crate::automerge::Automerge;
use crate::cola::Cola;
use crate::contender::{Crdt, Text, expect_text};
use crate::diamond_types::DiamondTypes;
use crate::history::{Deltas, History};
use crate::loro::Loro;
use crate::measure::{Contender, Limit, Missing, Plan, Role, timed};
use crate::ours::{Ours, OursNamed};
use crate::report::{Bar, Unit};
use crate::yrs::Yrs;
use jumprope::JumpRopeBuf;
use std::slice::from_ref;

const ENCODE: &str = "local edits, one encoded delta per edit";
const BYTES: &str = "bytes per such delta, mean";
const NAMED: &str = "bytes per such delta where both ends know the replicas, mean";
/// The name of [`ordinary`].
pub(super) const ORDINARY: &str = "ours, automerge-paper's deltas";
const APPLY: &str = "apply those deltas one by one to a fresh replica, text at the end";

pub(super) fn run(bench: &mut Bench) {
    let plan = bench.plan;
    if ![ENCODE, BYTES, NAMED, APPLY].iter().any(|work| bench.wants(work)) {
        return;
    }
    let histories = std::mem::take(&mut bench.sequential);
    for (work, unit) in [
        (ENCODE, Unit::Milliseconds),
        (BYTES, Unit::Bytes),
        (NAMED, Unit::Bytes),
        (APPLY, Unit::Milliseconds),
    ] {
        if !bench.wants(work) {
            continue;
        }
        // Lengths do not vary.
        let plan = if unit.is_exact() { plan.once() } else { plan };
        for (name, history) in &histories {
            let bar = match work {
                _ if name != MAIN_TRACE => Bar::Shown,
                ENCODE => Bar::Against("cola", 0.15),
                BYTES => Bar::Value(14.0),
                NAMED => Bar::Value(7.0),
                _ => Bar::Against("cola + crop", 0.18),
            };
            if work == NAMED {
                // The first delta names its author; every other one refers to that.
                let named = Contender::new(Ours::NAME, Role::Ours, move |limit| {
                    let (_, deltas) = encoded::<OursNamed>(history, limit)?;
                    Ok(deltas.bytes.len() as f64 / deltas.len() as f64)
                });
                bench.row(work, name, unit, bar, plan, vec![named]);
                continue;
            }
            let contenders = vec![
                contender::<Ours>(work, history, plan),
                contender::<OursNamed>(work, history, plan),
                contender::<DiamondTypes>(work, history, plan),
                contender::<Cola<JumpRopeBuf>>(work, history, plan),
                contender::<Cola<crop::Rope>>(work, history, plan),
                contender::<Yrs>(work, history, plan),
                contender::<Loro>(work, history, plan),
                contender::<Automerge>(work, history, plan),
            ];
            bench.row(work, name, unit, bar, plan, contenders);
        }
        match work {
            ENCODE => bench.note("All deltas go into one buffer, one behind the other. Cola's is its own encoding and the text; loro's is what it hands to `subscribe_local_update`; automerge's is the stored change; diamond-types' is a patch without compression."),
            APPLY => bench.note("diamond-types: each patch goes into its log by itself, the text is brought up once, at the end. All others have the text after each delta."),
            NAMED => bench.note("An ordered connection on which each end keeps the other's names of replicas (`ReplicaNames`). No peer has such a thing."),
            _ => {}
        }
        bench.end_table(plan);
    }
    bench.sequential = histories;
}

fn contender<'a, C: Crdt>(work: &str, history: &'a History, plan: Plan) -> Contender<'a> {
    match work {
        ENCODE => Contender::new(C::NAME, C::ROLE, move |limit| {
            let (done, time) = timed(|| encoded::<C>(history, limit));
            let (mut contender, _) = done?;
            expect_text(C::NAME, &contender.text(), &history.end);
            Ok(time)
        }),
        BYTES => Contender::new(C::NAME, C::ROLE, move |limit| {
            let (_, deltas) = encoded::<C>(history, limit)?;
            Ok(deltas.bytes.len() as f64 / deltas.len() as f64)
        }),
        _ => {
            // Made when first needed, and by those who can only.
            let mut made: Option<Deltas> = None;
            Contender::new(C::NAME, C::ROLE, move |limit| {
                let deltas = match &made {
                    Some(deltas) => deltas,
                    None => made.insert(encoded::<C>(history, Limit::from_now(2 * plan.per_run))?.1),
                };
                let limit = limit.anew();
                let (done, time) = timed(|| {
                    let mut contender = C::new(2);
                    contender.apply_all(deltas, limit)?;
                    let text = contender.text();
                    Ok((contender, text))
                });
                expect_text(C::NAME, &done?.1, &history.end);
                Ok(time)
            })
        }
    }
}

pub(super) fn encoded<C: Crdt>(history: &History, limit: Limit) -> Result<(C, Deltas), Missing> {
    let mut contender = C::new(1);
    let mut deltas = Deltas::with_capacity(history.edits.len());
    for (step, edit) in history.edits.iter().enumerate() {
        limit.check(step)?;
        contender.edit_encoded(from_ref(edit), &mut deltas.bytes);
        deltas.end_one();
    }
    Ok((contender, deltas))
}

/// Applying an ordinary history, in ns an operation.
pub(super) fn ordinary(history: &History, plan: Plan) -> Contender<'_> {
    let mut apply = contender::<Ours>(APPLY, history, plan);
    Contender::new(ORDINARY, Role::OursToo, move |limit| {
        Ok(apply.run(limit)? * 1e6 / history.operations as f64)
    })
}
