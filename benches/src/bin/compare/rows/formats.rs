//! A document is stored: how large it gets, how long it takes, and what the compact profile costs when it is opened.
//!
//! What several people wrote is here too. Ours replays it with a replica for each branch of each author, diamond-types takes it on top of
//! any version; the others are left out of it, as replaying the large history takes them minutes.

use super::concurrent::said;
use super::{Bench, MAIN_TRACE, measured};
use crate::automerge::Automerge;
use crate::cola::Cola;
use crate::contender::{Crdt, Text, expect_text};
use crate::diamond_types::{DiamondTypes, file_of};
use crate::heap::counted;
use crate::history::{History, Shared};
use crate::loro::Loro;
use crate::measure::{Contender, Limit, Missing, Plan, Role, timed};
use crate::ours::Ours;
use crate::report::{Bar, Row, Unit};
use crate::yrs::Yrs;
use crdt_core::codec::SnapshotProfile;
use flate2::Compression;
use flate2::write::GzEncoder;
use jumprope::JumpRopeBuf;
use std::cell::RefCell;
use std::io::Write;
use std::time::Duration;

const FAST: &str = "snapshot, full history";
const COMPACT: &str = "compact snapshot, full history";
const ENCODE: &str = "document → snapshot, full history";
const OPEN: &str = "compact snapshot → text readable";
const HEAP: &str = "live heap, compact snapshot opened";
const TRIMMED: &str = "snapshot, trimmed of deleted text and history";
const TRIMMED_HEAP: &str = "live heap, trimmed snapshot opened";
const WORKS: [&str; 7] = [FAST, COMPACT, TRIMMED, ENCODE, OPEN, HEAP, TRIMMED_HEAP];

/// For building a document.
const PATIENCE: Duration = Duration::from_secs(20);
/// Where the compact file has to be smaller than diamond-types'.
const SMALLER: [&str; 2] = ["rustcode", "git-makefile"];

const OURS_COMPACT: &str = "ours, compact";
const OURS_FAST: &str = "ours, fast";
const UNCOMPRESSED: &str = "uncompressed diamond-types";
const GZIPPED: &str = "gzipped uncompressed diamond-types";
const LORO_GZIPPED: &str = "loro, gzipped";

/// A document that one contender built, to be stored again and again.
type Built<C> = RefCell<Result<C, Missing>>;

/// One trace as everybody holds it.
struct Documents {
    name: String,
    text: String,
    ours: Built<Ours>,
    diamond_types: Built<DiamondTypes>,
    others: Option<Others>,
}

/// Those that hold what one person wrote, and nothing else.
struct Others {
    cola: Built<Cola<JumpRopeBuf>>,
    yrs: Built<Yrs>,
    loro: Built<Loro>,
    automerge: Built<Automerge>,
}

impl Documents {
    fn alone(name: &str, history: &History) -> Self {
        eprintln!("{name}, built by everybody …");
        Self {
            name: name.to_owned(),
            text: history.end.clone(),
            ours: built(history),
            diamond_types: built(history),
            others: Some(Others {
                cola: built(history),
                yrs: built(history),
                loro: built(history),
                automerge: built(history),
            }),
        }
    }

    fn together(name: &str, shared: &Shared) -> Self {
        eprintln!("what the authors of {name} say …");
        let ours = said::<Ours>(shared).and_then(|said| {
            let history = said.history.ok_or(Missing(String::from("keeps no history")))?;
            Ok((Ours::from_history(1_000_000, &history), said.text))
        });
        let (ours, text) = match ours {
            Ok((ours, text)) => (Ok(ours), text),
            Err(missing) => (Err(missing), String::new()),
        };
        let diamond_types = Ok(DiamondTypes::from_history(1_000_000, &file_of(shared).0));
        let (ours, diamond_types) = (RefCell::new(ours), RefCell::new(diamond_types));
        Self { name: name.to_owned(), text, ours, diamond_types, others: None }
    }

    /// Of those that can forget the past.
    fn trimmed(&self, work: &'static str) -> Vec<Contender<'_>> {
        let Self { text, ours, others, .. } = self;
        let compact = |doc: &mut Ours| doc.trimmed(SnapshotProfile::Compact);
        let fast = |doc: &mut Ours| doc.trimmed(SnapshotProfile::Fast);
        let mut all = vec![
            contender(work, OURS_COMPACT, Role::Ours, text, ours, compact),
            contender(work, OURS_FAST, Role::OursToo, text, ours, fast),
        ];
        if let Some(Others { loro, .. }) = others {
            all.push(contender(work, Loro::NAME, Role::Peer, text, loro, Loro::shallow));
            if work == TRIMMED {
                let gzipped = |doc: &mut Loro| gzip(&doc.shallow());
                all.push(contender(work, LORO_GZIPPED, Role::Peer, text, loro, gzipped));
            }
        }
        all
    }

    /// In the order of columns.
    fn contenders(&self, work: &'static str) -> Vec<Contender<'_>> {
        if [TRIMMED, TRIMMED_HEAP].contains(&work) {
            return self.trimmed(work);
        }
        let Self { text, ours, diamond_types, others, .. } = self;
        let compact = |role| contender(work, OURS_COMPACT, role, text, ours, Ours::compact);
        let mut all = match work {
            FAST => vec![contender(work, Ours::NAME, Role::Ours, text, ours, Ours::stored)],
            ENCODE => {
                vec![
                    contender(work, Ours::NAME, Role::Ours, text, ours, Ours::stored),
                    compact(Role::OursToo),
                ]
            }
            HEAP => {
                vec![compact(Role::Ours), contender(work, OURS_FAST, Role::OursToo, text, ours, Ours::stored)]
            }
            _ => vec![compact(Role::Ours)],
        };
        all.push(peer(work, text, diamond_types));
        if work != HEAP {
            all.push(contender(work, UNCOMPRESSED, Role::Peer, text, diamond_types, DiamondTypes::snapshot));
        }
        if work == COMPACT {
            let gzipped = |doc: &mut DiamondTypes| gzip(&doc.snapshot());
            all.push(contender(work, GZIPPED, Role::Peer, text, diamond_types, gzipped));
        }
        let Some(Others { cola, yrs, loro, automerge }) = others else { return all };
        if work == FAST {
            all.push(peer(work, text, cola));
        }
        all.extend([peer(work, text, yrs), peer(work, text, loro)]);
        if work == COMPACT {
            let gzipped = |doc: &mut Loro| gzip(&doc.stored());
            all.push(contender(work, LORO_GZIPPED, Role::Peer, text, loro, gzipped));
        }
        all.push(peer(work, text, automerge));
        all
    }

    fn bar(&self, work: &'static str) -> Bar {
        let is_main = self.name == MAIN_TRACE;
        match work {
            FAST if is_main => Bar::Value(170_000.0),
            COMPACT if is_main => Bar::Value(72_000.0),
            TRIMMED if is_main => Bar::Value(54_000.0),
            COMPACT if SMALLER.contains(&self.name.as_str()) => Bar::Against(DiamondTypes::NAME, 1.0),
            ENCODE if is_main => Bar::Against(DiamondTypes::NAME, 1.0),
            OPEN if is_main => Bar::Against(DiamondTypes::NAME, 2.0),
            _ => Bar::Shown,
        }
    }
}

fn built<C: Crdt>(history: &History) -> Built<C> {
    let mut author = C::new(1);
    let done = author.edit_all(&history.edits, (0, 0), Limit::from_now(PATIENCE));
    RefCell::new(done.map(|()| author))
}

pub(super) fn run(bench: &mut Bench) {
    if !WORKS.iter().any(|work| bench.wants(work)) {
        return;
    }
    let traces = (std::mem::take(&mut bench.sequential), std::mem::take(&mut bench.concurrent));
    // Trace by trace, so that nobody holds more than one document of each; the tables are by row of work.
    let mut rows: [Vec<Row>; WORKS.len()] = Default::default();
    let mut measure = |documents: &Documents| {
        for (work, rows) in WORKS.into_iter().zip(&mut rows) {
            if bench.wants(work) {
                let (unit, plan) = (unit(work), plan(work, bench.plan));
                let (bar, contenders) = (documents.bar(work), documents.contenders(work));
                rows.push(measured(work, &documents.name, unit, bar, plan, contenders));
            }
        }
    };
    for (name, history) in &traces.0 {
        measure(&Documents::alone(name, history));
    }
    for (name, shared) in &traces.1 {
        measure(&Documents::together(name, shared));
    }
    (bench.sequential, bench.concurrent) = traces;
    for (work, rows) in WORKS.into_iter().zip(rows) {
        if !rows.is_empty() {
            bench.rows.extend(rows);
            bench.note(note(work));
            bench.end_table(plan(work, bench.plan));
        }
    }
}

fn unit(work: &str) -> Unit {
    if [ENCODE, OPEN].contains(&work) { Unit::Milliseconds } else { Unit::Bytes }
}

fn plan(work: &str, plan: Plan) -> Plan {
    if unit(work).is_exact() { plan.once() } else { plan }
}

fn note(work: &str) -> &'static str {
    match work {
        FAST => {
            "What each writes if nothing else is asked for. Text is LZ4 in ours and in diamond-types' (`ENCODE_FULL`), blocks are LZ4 in loro's, columns DEFLATE in automerge's (`save`); yrs and cola compress nothing. Cola's is its replica and the visible text; deleted text is gone. diamond-types' without LZ4 is what the rows of opening take: it opens faster."
        }
        COMPACT => {
            "Everything is DEFLATE in ours. No peer has such a form: theirs are as above, and gzipped (level 9) as somebody who stores them might."
        }
        ENCODE => {
            "Documents as their authors have them, with what they had to remember meanwhile; what several people wrote was received before. The bar is against diamond-types' file with LZ4, as ours has it. loro keeps what it has encoded before."
        }
        OPEN => {
            "Ours makes all edits again. The bar is against diamond-types' file with LZ4; the other one opens faster."
        }
        TRIMMED | TRIMMED_HEAP => {
            "Of a document that everybody has seen all of: ours after `Doc::trim`, loro's shallow snapshot. The others cannot forget."
        }
        _ => "Ours has its whole history decoded then, while a fast snapshot leaves it encoded.",
    }
}

fn peer<'a, C: Crdt>(work: &'static str, text: &'a str, built: &'a Built<C>) -> Contender<'a> {
    contender(work, C::NAME, Role::Peer, text, built, C::stored)
}

/// Stores with `store`, and opens that.
fn contender<'a, C: Crdt>(
    work: &'static str,
    name: &'static str,
    role: Role,
    text: &'a str,
    built: &'a Built<C>,
    store: impl Fn(&mut C) -> Vec<u8> + 'a,
) -> Contender<'a> {
    let mut file = None;
    Contender::new(name, role, move |_| {
        let mut built = built.borrow_mut();
        let document = built.as_mut().map_err(|missing| missing.clone())?;
        if work == ENCODE {
            return Ok(timed(|| store(document)).1);
        }
        let file = file.get_or_insert_with(|| store(document));
        if [FAST, COMPACT, TRIMMED].contains(&work) {
            return Ok(file.len() as f64);
        }
        if [HEAP, TRIMMED_HEAP].contains(&work) {
            let (opened, heap) = counted(|| C::from_snapshot(3, file));
            drop(opened);
            return Ok(heap.live as f64);
        }
        let ((opened, found), time) = timed(|| {
            let mut opened = C::from_snapshot(3, file);
            let found = opened.text();
            (opened, found)
        });
        drop(opened);
        expect_text(name, &found, text);
        Ok(time)
    })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}
