//! What building a document leaves on the heap.

use super::{Bench, MAIN_TRACE};
use crate::automerge::Automerge;
use crate::cola::Cola;
use crate::contender::Text;
use crate::diamond_types::DiamondTypes;
use crate::floor::{Gap, Rope};
use crate::heap::counted;
use crate::history::History;
use crate::loro::Loro;
use crate::measure::{Contender, Limit};
use crate::ours::Ours;
use crate::report::{Bar, Unit};
use crate::yrs::Yrs;
use jumprope::JumpRopeBuf;
use std::time::Duration;

const LIVE: &str = "live heap after building it by local edits";
const PEAK: &str = "peak heap while building it, as a multiple of what is live at the end";
/// Counting slows those down that allocate often.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn run(bench: &mut Bench) {
    let plan = bench.plan.once();
    let histories = std::mem::take(&mut bench.sequential);
    for (work, unit) in [(LIVE, Unit::Bytes), (PEAK, Unit::Ratio)] {
        if !bench.wants(work) {
            continue;
        }
        for (name, history) in &histories {
            let bar = match work {
                _ if name != MAIN_TRACE => Bar::Shown,
                LIVE => Bar::Value(900_000.0),
                _ => Bar::Value(1.4),
            };
            let contenders = vec![
                contender::<Ours>(work, history),
                contender::<Rope>(work, history),
                contender::<Gap>(work, history),
                contender::<DiamondTypes>(work, history),
                contender::<Cola<JumpRopeBuf>>(work, history),
                contender::<Yrs>(work, history),
                contender::<Loro>(work, history),
                contender::<Automerge>(work, history),
            ];
            bench.row(work, name, unit, bar, plan, contenders);
        }
        if work == LIVE {
            bench.note("Bytes asked of the allocator and not given back, without its own overhead. Cola and the floors keep no deleted text.");
        }
        bench.end_table(plan);
    }
    bench.sequential = histories;
}

fn contender<'a, C: Text>(work: &'static str, history: &'a History) -> Contender<'a> {
    Contender::new(C::NAME, C::ROLE, move |_| {
        let limit = Limit::from_now(PATIENCE);
        let (built, heap) = counted(|| {
            let mut contender = C::new(1);
            contender.edit_all(&history.edits, (0, 0), limit).map(|()| contender)
        });
        built?;
        Ok(if work == LIVE { heap.live as f64 } else { heap.peak as f64 / heap.live as f64 })
    })
}
