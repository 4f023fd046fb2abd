//! Generators of random histories for proptest.
//!
//! A history is generated as moves whose positions are only fractions of the text, so that it can
//! be shrunk freely, and then told as a script with real positions: what fails can be printed, kept
//! in `scripts/`, and run again.

use crate::edit::Edit;
use crate::failure::Checked;
use crate::model::{Model, ModelOp};
use crate::script::{Script, Step};

use crdt_core::{Expand, Json, Marks, ReplicaId};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use std::collections::hash_map::RandomState;
use std::env;
use std::fmt::Debug;
use std::hash::BuildHasher;

/// Runs a check for `cases` random values, or as many as `$CRDT_CASES` says.
///
/// The same ones in every run, so that what a change breaks is told from what was broken before: from seed 0, or
/// from `$CRDT_SEED`, which may be `random`. Prints the seed.
///
/// # Panics
/// When the check fails or panics: with the smallest value found for which it does, which is shown
/// as a script if it is one.
pub fn for_all<S>(cases: u32, strategy: S, check: impl Fn(&S::Value) -> Checked)
where
    S: Strategy,
    S::Value: Debug,
{
    let number = |name: &str| env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let cases = number("CRDT_CASES").and_then(|cases| u32::try_from(cases).ok()).unwrap_or(cases);
    let is_random = env::var("CRDT_SEED").is_ok_and(|value| value == "random");
    let seed = if is_random { RandomState::new().hash_one(cases) } else { number("CRDT_SEED").unwrap_or(0) };
    println!("{cases} cases, CRDT_SEED={seed}");
    let config = Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 4_000,
        max_shrink_time: 20_000,
        ..Config::default()
    };
    let outcome = TestRunner::new(config)
        .run(&strategy, |value| check(&value).map_err(|failure| TestCaseError::fail(failure.to_string())));
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, value)) => {
            panic!("{}\nCRDT_SEED={seed}\n{value:?}", reason.message());
        }
        Err(error) => panic!("{error}\nCRDT_SEED={seed}"),
    }
}

/// Replicas that share a history and then all type at one place at once.
#[derive(Clone)]
pub struct Meeting {
    /// Everything that happens.
    pub script: Script,
    /// What each replica typed there.
    pub typed: Vec<(usize, String)>,
}

impl Debug for Meeting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Debug::fmt(&self.script, f)
    }
}

/// How a run is typed.
#[derive(Clone, Copy, Debug)]
enum Direction {
    Forward,
    Backward,
    Paste,
}

/// Meetings of three to five replicas, after a short history of theirs.
pub fn meetings() -> impl Strategy<Value = Meeting> {
    let direction = select(vec![Direction::Forward, Direction::Backward, Direction::Paste]);
    (3..=5usize)
        .prop_flat_map(move |replicas| {
            let typing = vec((direction.clone(), runs()), replicas);
            (Just(replicas), vec(one_move(replicas), 0..12), proptest::num::u16::ANY, typing)
        })
        .prop_map(|(replicas, moves, at, typing)| {
            let mut teller = Teller::new(replicas);
            moves.iter().for_each(|one| teller.play(one));
            teller.play(&Move::SyncAll);
            let position = teller.position(0, at);
            let mut typed = Vec::new();
            for (replica, (direction, text)) in typing.into_iter().enumerate() {
                teller.type_at(replica, position, direction, &text);
                typed.push((replica, text));
            }
            Meeting { script: teller.script, typed }
        })
}

/// One move of a random history.
#[derive(Clone, Debug)]
enum Move {
    Insert { replica: usize, at: u16, text: String },
    Backwards { replica: usize, at: u16, text: String },
    Delete { replica: usize, at: u16, len: usize },
    Backspace { replica: usize, at: u16, len: usize },
    Transaction { replica: usize, at: u16, text: String, len: usize },
    Rework { replica: usize, at: u16, text: String, erased: Vec<(bool, usize)>, again: String },
    Mark { replica: usize, at: u16, len: usize, name: &'static str, value: Option<Json> },
    InsertWith { replica: usize, at: u16, text: String, marks: Marks },
    Embed { replica: usize, at: u16, marks: Option<Marks> },
    Format { replica: usize, at: u16, text: String, len: usize, name: &'static str, value: Option<Json> },
    Set { replica: usize, name: &'static str, value: Option<Json> },
    Sync { from: usize, to: usize },
    Last { from: usize, to: usize },
    SyncAll,
}

/// Random scripts of three to five replicas and up to `moves` moves: runs of one- to four-byte
/// characters typed forwards and backwards, deletions, backspacing, transactions of several edits, lines of ASCII
/// of which stretches are deleted to the left and right of one place before somebody types on there; in two of three
/// histories marks of a few names that are set and removed on short stretches and all the text, text and embeds with
/// marks of their own, pastes that are formatted in the same transaction; partial and whole syncs, single deltas that arrive
/// early or twice.
pub fn histories(moves: usize) -> impl Strategy<Value = Script> {
    (3..=5usize, proptest::bool::weighted(0.67))
        .prop_flat_map(move |(replicas, rich)| {
            let one = if rich {
                prop_oneof![3 => one_move(replicas), 2 => one_rich_move(replicas)].boxed()
            } else {
                one_move(replicas).boxed()
            };
            (Just((replicas, rich)), vec(one, 1..=moves))
        })
        .prop_map(|((replicas, rich), moves)| {
            let mut teller = Teller::new(replicas);
            if rich {
                teller.expand("frame", Expand::Both);
            }
            moves.iter().for_each(|one| teller.play(one));
            teller.script
        })
}

/// Text of up to eight characters of one to four bytes.
pub fn runs() -> impl Strategy<Value = String> {
    let chars = select(vec!['a', 'b', 'c', 'd', 'x', 'y', ' ', '\n', 'é', 'ß', '漢', '字', '😀', '𝄞']);
    vec(chars, 1..=8).prop_map(String::from_iter)
}

/// Where something happens: half of all edits meet at a few places, or replicas would hardly ever edit at the same one.
fn places() -> impl Strategy<Value = u16> + Clone {
    prop_oneof![proptest::num::u16::ANY, select(vec![0, 1 << 14, 1 << 15, u16::MAX])]
}

/// A mark's name and a value of it: two names grow at their end, one at both, the others do not.
fn one_mark() -> impl Strategy<Value = (&'static str, Json)> {
    let values = |texts: &[&str]| -> Vec<Json> {
        texts.iter().map(|text| Json::parse(text).expect("a JSON value")).collect()
    };
    prop_oneof![
        Just("bold").prop_flat_map(move |name| (Just(name), select(values(&["true"])))),
        Just("color").prop_flat_map(move |name| (Just(name), select(values(&["\"red\"", "\"blue\""])))),
        Just("link").prop_flat_map(move |name| (Just(name), select(values(&["\"a\"", "{\"href\":\"b\"}"])))),
        Just("frame").prop_flat_map(move |name| (Just(name), select(values(&["1", "2"])))),
        select(vec!["comment:1", "comment:2"])
            .prop_flat_map(move |name| (Just(name), select(values(&["[\"é\",1,null]"])))),
    ]
}

fn some_marks() -> impl Strategy<Value = Marks> {
    vec(one_mark(), 0..3).prop_map(|marks| marks.into_iter().collect())
}

/// What three of four times sets a mark, else removes it.
fn one_change() -> impl Strategy<Value = (&'static str, Option<Json>)> {
    (one_mark(), 0..4u8).prop_map(|((name, value), turn)| (name, (turn > 0).then_some(value)))
}

fn one_rich_move(replicas: usize) -> impl Strategy<Value = Move> {
    let replica = 0..replicas;
    let len = prop_oneof![6 => 1..=6usize, 1 => Just(usize::MAX)];
    // Three of four set it.
    prop_oneof![
        5 => (replica.clone(), places(), len, one_change())
            .prop_map(|(replica, at, len, (name, value))| Move::Mark { replica, at, len, name, value }),
        2 => (replica.clone(), places(), runs(), some_marks())
            .prop_map(|(replica, at, text, marks)| Move::InsertWith { replica, at, text, marks }),
        1 => (replica.clone(), places(), proptest::option::of(some_marks()))
            .prop_map(|(replica, at, marks)| Move::Embed { replica, at, marks }),
        1 => (replica.clone(), one_change())
            .prop_map(|(replica, (name, value))| Move::Set { replica, name, value }),
        1 => (replica, places(), runs(), 0..=4usize, one_change()).prop_map(|(replica, at, text, len, (name, value))| {
            Move::Format { replica, at, text, len, name, value }
        }),
    ]
}

fn one_move(replicas: usize) -> impl Strategy<Value = Move> {
    let replica = 0..replicas;
    let at = places();
    let pair = (0..replicas, 1..replicas).prop_map(move |(from, hops)| (from, (from + hops) % replicas));
    let erased = vec((proptest::bool::weighted(0.7), prop_oneof![3 => Just(1usize), 1 => 2..=5usize]), 0..8);
    let rework = ("[a-z ]{8,30}", erased, "[a-z]{0,3}");
    prop_oneof![
        6 => (replica.clone(), at.clone(), runs())
            .prop_map(|(replica, at, text)| Move::Insert { replica, at, text }),
        3 => (replica.clone(), at.clone(), runs())
            .prop_map(|(replica, at, text)| Move::Backwards { replica, at, text }),
        3 => (replica.clone(), at.clone(), 1..=6usize)
            .prop_map(|(replica, at, len)| Move::Delete { replica, at, len }),
        2 => (replica.clone(), at.clone(), 1..=5usize)
            .prop_map(|(replica, at, len)| Move::Backspace { replica, at, len }),
        1 => (replica.clone(), at.clone(), runs(), 0..=4usize)
            .prop_map(|(replica, at, text, len)| Move::Transaction { replica, at, text, len }),
        2 => (replica, at, rework).prop_map(|(replica, at, (text, erased, again))| {
            Move::Rework { replica, at, text, erased, again }
        }),
        4 => pair.clone().prop_map(|(from, to)| Move::Sync { from, to }),
        2 => pair.prop_map(|(from, to)| Move::Last { from, to }),
        1 => Just(Move::SyncAll),
    ]
}

/// Models that live through a history while it is told.
struct Teller {
    script: Script,
    models: Vec<Model>,
    last: Vec<Vec<ModelOp>>,
}

impl Teller {
    fn new(replicas: usize) -> Self {
        Self {
            script: Script::new(replicas),
            models: vec![Model::new(); replicas],
            last: vec![Vec::new(); replicas],
        }
    }

    /// Lets a mark grow so at all replicas.
    fn expand(&mut self, name: &str, expand: Expand) {
        self.models.iter_mut().for_each(|model| model.set_expand(name, expand));
        self.script.push(Step::Expand { replica: None, name: name.to_owned(), expand });
    }

    /// Types so that `text` stands at `position`.
    fn type_at(&mut self, replica: usize, position: usize, direction: Direction, text: &str) {
        let one = |position, char: char| vec![Edit::Insert { position, text: char.to_string() }];
        match direction {
            Direction::Paste => {
                self.edit(replica, vec![Edit::Insert { position, text: text.to_owned() }]);
            }
            Direction::Forward => {
                for (i, char) in text.chars().enumerate() {
                    self.edit(replica, one(position + i, char));
                }
            }
            Direction::Backward => {
                for char in text.chars().rev() {
                    self.edit(replica, one(position, char));
                }
            }
        }
    }

    /// The position that is this fraction of the text.
    fn position(&self, replica: usize, at: u16) -> usize {
        let positions = self.models[replica].visible().len() + 1;
        (usize::from(at) * positions) >> 16
    }

    fn edit(&mut self, replica: usize, edits: Vec<Edit>) {
        let id: ReplicaId = self.script.replicas[replica];
        let ops: Vec<ModelOp> = self.models[replica].edit(id, &edits).concat();
        self.last[replica] = ops;
        self.script.push(Step::Edit { replica, edits });
    }

    fn sync(&mut self, from: usize, to: usize) {
        let ops: Vec<_> = self.models[from].ops().chain(self.models[from].waiting_ops()).cloned().collect();
        for op in ops {
            self.models[to].receive(op);
        }
    }

    fn play(&mut self, one: &Move) {
        match one {
            Move::Insert { replica, at, text } => {
                let position = self.position(*replica, *at);
                self.edit(*replica, vec![Edit::Insert { position, text: text.clone() }]);
            }
            Move::Backwards { replica, at, text } => {
                let position = self.position(*replica, *at);
                self.type_at(*replica, position, Direction::Backward, text);
            }
            Move::Delete { replica, at, len } => {
                let position = self.position(*replica, *at);
                let len = (*len).min(self.models[*replica].visible().len() - position);
                if len > 0 {
                    self.edit(*replica, vec![Edit::Delete { position, len }]);
                }
            }
            Move::Backspace { replica, at, len } => {
                let position = self.position(*replica, *at);
                for i in 1..=(*len).min(position) {
                    self.edit(*replica, vec![Edit::Delete { position: position - i, len: 1 }]);
                }
            }
            Move::Transaction { replica, at, text, len } => {
                let position = self.position(*replica, *at);
                let rest = self.models[*replica].visible().len() - position;
                let edits = vec![
                    Edit::Insert { position, text: text.clone() },
                    Edit::Delete { position: position + 1, len: (*len).min(text.chars().count() - 1 + rest) },
                    Edit::Insert { position, text: "t".to_owned() },
                ];
                self.edit(*replica, edits);
            }
            Move::Rework { replica, at, text, erased, again } => {
                let start = self.position(*replica, *at);
                self.edit(*replica, vec![Edit::Insert { position: start, text: text.clone() }]);
                let mut position = start + text.len() / 2;
                for &(backwards, len) in erased {
                    let room =
                        if backwards { position } else { self.models[*replica].visible().len() - position };
                    let len = len.min(room);
                    position -= if backwards { len } else { 0 };
                    if len > 0 {
                        self.edit(*replica, vec![Edit::Delete { position, len }]);
                    }
                }
                self.type_at(*replica, position, Direction::Forward, again);
            }
            Move::Mark { replica, at, len, name, value } => {
                let position = self.position(*replica, *at);
                let len = (*len).min(self.models[*replica].visible().len() - position);
                if len > 0 {
                    let (name, value) = ((*name).to_owned(), value.clone());
                    self.edit(*replica, vec![Edit::Mark { position, len, name, value }]);
                }
            }
            Move::InsertWith { replica, at, text, marks } => {
                let position = self.position(*replica, *at);
                self.edit(
                    *replica,
                    vec![Edit::InsertWith { position, text: text.clone(), marks: marks.clone() }],
                );
            }
            Move::Embed { replica, at, marks } => {
                let position = self.position(*replica, *at);
                let value = Json::parse("{\"image\":\"a.png\"}").expect("a JSON value");
                self.edit(*replica, vec![Edit::Embed { position, value, marks: marks.clone() }]);
            }
            Move::Format { replica, at, text, len, name, value } => {
                let position = self.position(*replica, *at);
                let inserted = text.chars().count();
                let rest = self.models[*replica].visible().len() - position;
                let mark =
                    |position, len, value| Edit::Mark { position, len, name: (*name).to_owned(), value };
                let edits = vec![
                    Edit::Insert { position, text: text.clone() },
                    mark(position, inserted + (*len).min(rest), value.clone()),
                    Edit::Delete { position, len: 1 },
                    mark(position, (*len).min(inserted - 1), None),
                    Edit::Insert { position, text: "t".to_owned() },
                ];
                self.edit(*replica, edits);
            }
            Move::Set { replica, name, value } => {
                let (name, value) = ((*name).to_owned(), value.clone());
                self.edit(*replica, vec![Edit::Set { name, value }]);
            }
            Move::Sync { from, to } => {
                self.sync(*from, *to);
                self.script.push(Step::Sync { from: *from, to: *to });
            }
            Move::Last { from, to } => {
                for op in self.last[*from].clone() {
                    self.models[*to].receive(op);
                }
                self.script.push(Step::Last { from: *from, to: *to });
            }
            Move::SyncAll => {
                for from in 1..self.models.len() {
                    self.sync(from, 0);
                }
                for to in 1..self.models.len() {
                    self.sync(0, to);
                }
                self.script.push(Step::SyncAll);
            }
        }
    }
}
