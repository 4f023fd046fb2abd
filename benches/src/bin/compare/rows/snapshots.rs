//! A stored document is opened, and something is done with it.

use super::{Bench, MAIN_TRACE};
use crate::automerge::Automerge;
use crate::cola::Cola;
use crate::contender::{Crdt, expect_text};
use crate::diamond_types::DiamondTypes;
use crate::heap::counted;
use crate::history::{Edit, History, narrow};
use crate::loro::Loro;
use crate::measure::{Contender, Limit, Missing, timed};
use crate::ours::Ours;
use crate::report::{Bar, Unit};
use crate::yrs::Yrs;
use jumprope::JumpRopeBuf;

const BYTES: &str = "snapshot, full history";
const TEXT: &str = "snapshot → text readable";
const LOCAL: &str = "snapshot → first local edit with its delta";
const REMOTE: &str = "snapshot → first remote delta applied";
const HEAP: &str = "live heap, loaded, full history, after one local and one remote edit";
const WORKS: [&str; 5] = [BYTES, TEXT, LOCAL, REMOTE, HEAP];

/// A replica's snapshot, and a delta that another one made on top of it.
struct Stored {
    snapshot: Vec<u8>,
    delta: Vec<u8>,
}

pub(super) fn run(bench: &mut Bench) {
    if !WORKS.iter().any(|work| bench.wants(work)) {
        return;
    }
    let histories = std::mem::take(&mut bench.sequential);
    for work in WORKS {
        if !bench.wants(work) {
            continue;
        }
        let is_bytes = work == HEAP || work == BYTES;
        let plan = if is_bytes { bench.plan.once() } else { bench.plan };
        let unit = if is_bytes { Unit::Bytes } else { Unit::Milliseconds };
        for (name, history) in &histories {
            let bar = match work {
                TEXT if name == MAIN_TRACE => Bar::Against("loro", 0.45),
                LOCAL if name == MAIN_TRACE => Bar::BestPeer(0.2),
                REMOTE if name == MAIN_TRACE => Bar::BestPeer(0.35),
                HEAP if name == MAIN_TRACE => Bar::Value(550_000.0),
                _ => Bar::Shown,
            };
            let contenders = vec![
                contender::<Ours>(work, history),
                contender::<DiamondTypes>(work, history),
                contender::<Cola<JumpRopeBuf>>(work, history),
                contender::<Yrs>(work, history),
                contender::<Loro>(work, history),
                contender::<Automerge>(work, history),
            ];
            bench.row(work, name, unit, bar, plan, contenders);
        }
        match work {
            BYTES => bench.note("In the form that opens fastest: nobody compresses. Cola's is its replica and the visible text; deleted text is gone."),
            TEXT => bench.note("loro: its snapshot holds the text beside the history, and it reads no more than that. Cola: see above; no full history."),
            _ => {}
        }
        bench.end_table(plan);
    }
    bench.sequential = histories;
}

/// One character in the middle.
fn one_edit(history: &History) -> Edit {
    let position = history.end.chars().count() / 2;
    let bytes = history.end.char_indices().nth(position).map_or(0, |(at, _)| at);
    let (position, position_bytes) = (narrow(position), narrow(bytes));
    Edit { position, delete: 0, position_bytes, delete_bytes: 0, text: "q" }
}

fn stored<C: Crdt>(history: &History, limit: Limit) -> Result<Stored, Missing> {
    let mut author = C::new(1);
    author.edit_all(&history.edits, (0, 0), limit)?;
    let snapshot = author.snapshot();
    let mut other = C::from_snapshot(2, &snapshot);
    let mut delta = Vec::new();
    other.edit_encoded(&[one_edit(history)], &mut delta);
    Ok(Stored { snapshot, delta })
}

fn contender<'a, C: Crdt>(work: &'static str, history: &'a History) -> Contender<'a> {
    let mut made: Option<Stored> = None;
    let edit = one_edit(history);
    let mut edited = history.end.clone();
    edited.insert_str(edit.position_bytes as usize, edit.text);
    Contender::new(C::NAME, C::ROLE, move |limit| {
        let stored = match &made {
            Some(stored) => stored,
            None => made.insert(stored::<C>(history, limit)?),
        };
        if work == BYTES {
            return Ok(stored.snapshot.len() as f64);
        }
        if work == HEAP {
            let mut delta = Vec::new();
            let (mut opened, heap) = counted(|| {
                let mut opened = C::from_snapshot(3, &stored.snapshot);
                let mut said = Vec::new();
                opened.edit_encoded(&[edit], &mut said);
                drop(said);
                opened.apply(&stored.delta);
                opened
            });
            opened.edit_encoded(&[edit], &mut delta);
            assert_eq!(opened.text().len(), edited.len() + 2 * edit.text.len(), "{}", C::NAME);
            return Ok(heap.live as f64);
        }
        let ((mut opened, text), time) = timed(|| {
            let mut opened = C::from_snapshot(3, &stored.snapshot);
            let mut text = None;
            if work == TEXT {
                text = Some(opened.text());
            } else if work == LOCAL {
                let mut delta = Vec::new();
                opened.edit_encoded(&[edit], &mut delta);
                text = None.or((delta.is_empty()).then(String::new));
            } else {
                opened.apply(&stored.delta);
            }
            (opened, text)
        });
        let text = text.unwrap_or_else(|| opened.text());
        expect_text(C::NAME, &text, if work == TEXT { &history.end } else { &edited });
        Ok(time)
    })
}
