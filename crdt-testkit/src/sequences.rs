//! Scripts of named texts and lists, played on documents alone.
//!
//! The model has one text. What is asserted here needs none: what the script expects; events replayed on plain texts and
//! lists; snapshots after every step; convergence; delivery in other orders and twice; undo and redo of everything.

use crate::cells::{Cell, Glyph, cells};
use crate::failure::{Checked, Failure, same};
use crate::loaded::loaded;
use crate::plain::PlainText;
use crate::random::Random;
use crate::script::{Script, Step};
use crate::twin::Turn;
use crdt_core::{Doc, Marks, ReplicaId, SequenceKind, TextEdit, UndoManager, UndoOptions};
use std::collections::BTreeMap;

/// The helper's own documents.
const OWN_REPLICA: ReplicaId = ReplicaId::new(0x7e57_0000_0000_0000);

/// What the named sequences that are not empty hold.
type Contents = BTreeMap<(SequenceKind, String), PlainText>;

/// A document, what its events show, and what undoes its own edits.
#[derive(Clone)]
struct Player {
    doc: Doc,
    main: PlainText,
    named: Contents,
    undo: UndoManager,
    /// The delta of its newest transaction that changed anything.
    last: Vec<u8>,
}

/// Asserts everything that holds for every script with named sequences.
pub(crate) fn check(script: &Script) -> Checked {
    let mut players: Vec<Player> = script.replicas.iter().map(|&replica| Player::new(replica)).collect();
    let mut deltas = Vec::new();
    for (line, step) in &script.steps {
        let place = |failure: Failure| failure.at(format!("line {line} `{step}`"));
        deltas.extend(play(&mut players, step).map_err(place)?);
    }
    sync_all(&mut players).map_err(|failure| failure.at("after everybody received everything"))?;
    let end = &players[0];
    for player in &players {
        end.same_as(player).map_err(|failure| failure.at(format!("replica {}", player.doc.replica())))?;
        same("pending", &player.doc.pending().operations, &0)?;
    }
    check_delivery(end, deltas)?;
    players.iter().enumerate().try_for_each(|(at, player)| {
        let reader = players[(at + 1) % players.len()].clone();
        let place = |failure: Failure| failure.at(format!("undo by replica {}", player.doc.replica()));
        check_undo(player, reader).map_err(place)
    })
}

/// Does what a line says; gives the delta of a transaction.
fn play(players: &mut [Player], step: &Step) -> Checked<Option<Vec<u8>>> {
    let of_all = |replica: &Option<usize>| match *replica {
        Some(replica) => replica..replica + 1,
        None => 0..players.len(),
    };
    let refused = |error| Failure::new(format!("edit refused: {error}"));
    match step {
        Step::Edit { replica, edits } => {
            let mut transaction = players[*replica].doc.transaction();
            edits.iter().try_for_each(|edit| edit.make(&mut transaction)).map_err(refused)?;
            let delta = transaction.commit();
            return players[*replica].edited(delta);
        }
        Step::EditPlaced { replica, edits } => {
            let mut transaction = players[*replica].doc.transaction();
            edits.iter().try_for_each(|edit| edit.make(&mut transaction)).map_err(refused)?;
            let delta = transaction.commit();
            return players[*replica].edited(delta);
        }
        Step::Turn { replica, turn } => return players[*replica].turn(*turn),
        Step::Sync { from, to } => sync(players, *from, *to)?,
        Step::SyncAll => sync_all(players)?,
        Step::Last { from, to } => {
            let delta = players[*from].last.clone();
            players[*to].receive(&delta)?;
        }
        Step::Expect { replica, text } => {
            for player in &players[of_all(replica)] {
                same("text", &player.doc.text(), text)?;
            }
        }
        Step::ExpectText { replica, name, text } => {
            for player in &players[of_all(replica)] {
                let found = player.doc.text_named(name).map(|text| text.text()).unwrap_or_default();
                same("named text", &found, text)?;
            }
        }
        Step::ExpectList { replica, name, values } => {
            for player in &players[of_all(replica)] {
                let found = player.doc.list(name).map(|list| list.values()).unwrap_or_default();
                same("list", &found, values)?;
            }
        }
        Step::ExpectPending { replica, count } => {
            same("pending", &players[*replica].doc.pending().operations, count)?;
        }
        Step::Expand { .. }
        | Step::Anchor { .. }
        | Step::ExpectRuns { .. }
        | Step::ExpectRegisters { .. }
        | Step::ExpectAnchor { .. } => {
            return Err(Failure::new("this is said where the main text is alone"));
        }
    }
    Ok(None)
}

fn sync(players: &mut [Player], from: usize, to: usize) -> Checked {
    let delta = players[from].doc.delta_since(players[to].doc.version());
    players[to].receive(&delta)
}

fn sync_all(players: &mut [Player]) -> Checked {
    (1..players.len()).try_for_each(|from| sync(players, from, 0))?;
    (1..players.len()).try_for_each(|to| sync(players, 0, to))
}

/// Feeds all deltas to empty documents, in other orders and some twice.
fn check_delivery(end: &Player, mut deltas: Vec<Vec<u8>>) -> Checked {
    let deliver = |deltas: &[Vec<u8>], order: &str| {
        let mut listener = Player::new(OWN_REPLICA);
        let all = deltas.iter().chain(deltas.iter().take(3));
        let mut received = all.into_iter().try_for_each(|delta| listener.receive(delta));
        received = received.and_then(|()| listener.same_as(end));
        received.map_err(|failure| failure.at(format!("deltas {order}")))
    };
    deltas.reverse();
    deliver(&deltas, "in reverse order")?;
    for seed in 1..=6 {
        Random::new(seed).shuffle(&mut deltas);
        deliver(&deltas, "in random order")?;
    }
    Ok(())
}

/// Whoever undoes all of their own edits can redo them, and others see the same.
fn check_undo(player: &Player, mut reader: Player) -> Checked {
    let mut author = player.clone();
    let mut turns = 0;
    while author.undo.can_undo() {
        author.turn(Turn::Undo)?;
        turns += 1;
    }
    if reader.doc.replica() != author.doc.replica() {
        reader.receive(&author.doc.delta_since(reader.doc.version()))?;
        reader.same_as(&author)?;
    }
    for _ in 0..turns {
        author.turn(Turn::Redo)?;
    }
    author.same_content(player).map_err(|failure| failure.at("redone"))
}

impl Player {
    fn new(replica: ReplicaId) -> Self {
        let doc = Doc::new(replica);
        let undo = UndoManager::new(&doc, UndoOptions { interval_ms: 0, ..UndoOptions::default() });
        Self { doc, main: PlainText::default(), named: Contents::new(), undo, last: Vec::new() }
    }

    /// Takes note of a transaction that was made.
    fn edited(&mut self, delta: Vec<u8>) -> Checked<Option<Vec<u8>>> {
        self.undo.record(&self.doc, 0);
        (self.main, self.named) = (PlainText::of(&self.doc), contents(&self.doc));
        self.check()?;
        Ok(self.said(delta))
    }

    fn said(&mut self, delta: Vec<u8>) -> Option<Vec<u8>> {
        if delta.is_empty() {
            return None;
        }
        self.last.clone_from(&delta);
        Some(delta)
    }

    fn turn(&mut self, turn: Turn) -> Checked<Option<Vec<u8>>> {
        let from = self.doc.version().get(self.doc.replica());
        let done = match turn {
            Turn::Undo => self.undo.undo(&mut self.doc),
            Turn::Redo => self.undo.redo(&mut self.doc),
        };
        let done = done.map_err(|error| Failure::new(format!("{turn:?} refused: {error}")))?;
        self.replay(&done.map(|done| done.edits).unwrap_or_default())?;
        let delta = if self.doc.has_issued_since(from) { self.doc.issued_since(from) } else { Vec::new() };
        Ok(self.said(delta))
    }

    fn receive(&mut self, delta: &[u8]) -> Checked {
        if delta.is_empty() {
            return Ok(());
        }
        let edits = self.doc.apply(delta);
        self.replay(&edits.map_err(|error| Failure::new(format!("delta refused: {error}")))?)
    }

    /// What the events tell must be what there is.
    fn replay(&mut self, edits: &[TextEdit]) -> Checked {
        for edit in edits {
            match edit {
                TextEdit::In { name, kind, edit } => {
                    let place = (*kind, name.to_string());
                    let shown = self.named.entry(place.clone()).or_default();
                    shown.replay(edit)?;
                    if shown.is_empty() {
                        self.named.remove(&place);
                    }
                }
                edit => self.main.replay(edit)?,
            }
        }
        self.check()
    }

    /// Fails unless its events and its snapshot show what it holds.
    fn check(&self) -> Checked {
        self.doc.assert_invariants();
        self.main.check(&self.doc)?;
        same("named sequences by events", &self.named, &contents(&self.doc))?;
        for loaded in loaded(&self.doc, OWN_REPLICA)? {
            self.main.check(&loaded).map_err(|failure| failure.at("loaded from a snapshot"))?;
            same("named sequences of a snapshot", &contents(&loaded), &self.named)?;
        }
        Ok(())
    }

    fn same_content(&self, other: &Self) -> Checked {
        self.main.check(&other.doc)?;
        same("named sequences", &self.named, &other.named)
    }

    fn same_as(&self, other: &Self) -> Checked {
        self.same_content(other)?;
        same("version", self.doc.version(), other.doc.version())?;
        let elements: Vec<_> = other.doc.elements().collect();
        same("elements in order, tombstones included", &self.doc.elements().collect(), &elements)
    }
}

fn contents(doc: &Doc) -> Contents {
    let content = |(name, kind): (&str, SequenceKind)| {
        let cells = match kind {
            SequenceKind::Text => cells(&doc.text_named(name)?.runs()),
            SequenceKind::List => {
                let entry = |value| Cell { glyph: Glyph::Embed(value), marks: Marks::default() };
                doc.list(name)?.values().into_iter().map(entry).collect()
            }
        };
        (!cells.is_empty()).then(|| ((kind, name.to_owned()), PlainText::of_cells(cells)))
    };
    doc.sequences().filter_map(content).collect()
}
