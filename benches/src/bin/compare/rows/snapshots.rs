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
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

const TEXT: &str = "snapshot → text readable";
const LOCAL: &str = "snapshot → first local edit with its delta";
const REMOTE: &str = "snapshot → first remote delta applied";
const HEAP: &str = "live heap, loaded, full history, after one local and one remote edit";
const HEAP_MET: &str = "live heap, the same, both edits at one place";
const WORKS: [&str; 5] = [TEXT, LOCAL, REMOTE, HEAP, HEAP_MET];

/// A replica's snapshot, and what another one did on top of it: a character in the middle, or at a third of the text.
struct Stored {
    snapshot: Vec<u8>,
    delta: Vec<u8>,
    elsewhere: Vec<u8>,
}

/// By contender and trace: writing the history takes some of them much longer than opening it, and all rows want it.
type Cache = RefCell<HashMap<(&'static str, String), Result<Rc<Stored>, Missing>>>;

/// For writing it.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn run(bench: &mut Bench) {
    if !WORKS.iter().any(|work| bench.wants(work)) {
        return;
    }
    let histories = std::mem::take(&mut bench.sequential);
    let cache = Cache::default();
    for work in WORKS {
        if !bench.wants(work) {
            continue;
        }
        let is_bytes = [HEAP, HEAP_MET].contains(&work);
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
                contender::<Ours>(work, name, history, &cache),
                contender::<DiamondTypes>(work, name, history, &cache),
                contender::<Cola<JumpRopeBuf>>(work, name, history, &cache),
                contender::<Yrs>(work, name, history, &cache),
                contender::<Loro>(work, name, history, &cache),
                contender::<Automerge>(work, name, history, &cache),
            ];
            bench.row(work, name, unit, bar, plan, contenders);
        }
        match work {
            TEXT => bench.note("Of diamond-types' and automerge's files the one that opens fastest, which is the uncompressed one; of the others what they write. loro: its snapshot holds the text beside the history, and it reads no more than that. Cola's is its replica and the visible text, no full history."),
            HEAP => bench.note("The local edit in the middle, the remote one at a third of the text."),
            HEAP_MET => bench.note("Both insert where nobody knew of the other: ours decodes its past to tell whose comes first."),
            _ => {}
        }
        bench.end_table(plan);
    }
    bench.sequential = histories;
}

/// One character in the middle.
fn one_edit(history: &History) -> Edit {
    edit_at(history, history.end.chars().count() / 2)
}

fn edit_at(history: &History, position: usize) -> Edit {
    let bytes = history.end.char_indices().nth(position).map_or(0, |(at, _)| at);
    let (position, position_bytes) = (narrow(position), narrow(bytes));
    Edit { position, delete: 0, position_bytes, delete_bytes: 0, text: "q" }
}

fn stored<C: Crdt>(history: &History) -> Result<Rc<Stored>, Missing> {
    let mut author = C::new(1);
    author.edit_all(&history.edits, (0, 0), Limit::from_now(PATIENCE))?;
    let snapshot = author.snapshot();
    let delta_of = |edit| {
        let mut delta = Vec::new();
        C::from_snapshot(2, &snapshot).edit_encoded(&[edit], &mut delta);
        delta
    };
    let delta = delta_of(one_edit(history));
    let elsewhere = delta_of(edit_at(history, history.end.chars().count() / 3));
    Ok(Rc::new(Stored { snapshot, delta, elsewhere }))
}

fn contender<'a, C: Crdt>(
    work: &'static str,
    trace: &'a str,
    history: &'a History,
    cache: &'a Cache,
) -> Contender<'a> {
    let edit = one_edit(history);
    let mut edited = history.end.clone();
    edited.insert_str(edit.position_bytes as usize, edit.text);
    Contender::new(C::NAME, C::ROLE, move |_| {
        let key = (C::NAME, trace.to_owned());
        let stored = cache.borrow_mut().entry(key).or_insert_with(|| stored::<C>(history)).clone()?;
        if work == HEAP || work == HEAP_MET {
            let delta = if work == HEAP { &stored.elsewhere } else { &stored.delta };
            let (mut opened, heap) = counted(|| {
                let mut opened = C::from_snapshot(3, &stored.snapshot);
                opened.edit_encoded(&[edit], &mut Vec::new());
                opened.apply(delta);
                opened
            });
            assert_eq!(opened.text().len(), edited.len() + edit.text.len(), "{}", C::NAME);
            return Ok(heap.live as f64);
        }
        let ((mut opened, text), time) = timed(|| {
            let mut opened = C::from_snapshot(3, &stored.snapshot);
            let mut text = None;
            match work {
                TEXT => text = Some(opened.text()),
                LOCAL => opened.edit_encoded(&[edit], &mut Vec::new()),
                _ => opened.apply(&stored.delta),
            }
            (opened, text)
        });
        let text = text.unwrap_or_else(|| opened.text());
        expect_text(C::NAME, &text, if work == TEXT { &history.end } else { &edited });
        Ok(time)
    })
}
