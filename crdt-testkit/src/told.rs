//! Scripts that bytes tell: any bytes give a script that can be played, so that a fuzzer can look for histories.
//!
//! ```text
//! bytes = setting  step *
//! step  = what  place  size        (three bytes; what is left over says nothing)
//! ```
//!
//! The setting says how many replicas there are, how their ids are ordered, and whether there are named sequences. The low
//! bits of `what` say who, the others what; a place is a fraction of the text. Real documents are played along, so
//! that every position is one.

use crate::edit::{Edit, ListEdit, PlacedEdit};
use crate::script::{Script, Step};
use crate::twin::Turn;
use crdt_core::{Doc, Expand, Json, Marks, ReplicaId, Transaction, UndoManager, UndoOptions};

/// The most steps that are read; models take quadratic time.
pub const MAX_STEPS: usize = 48;
/// The most edits of one transaction.
const MAX_EDITS: usize = 4;

const TEXTS: [&str; 16] = [
    "a",
    "b",
    "xy",
    " ",
    "\n",
    "é",
    "漢字",
    "😀",
    "e\u{301}",
    "a😀b",
    "\u{fffc}",
    "seven b",
    "eight by",
    "a longer run of text",
    "ßä漢𝄞 mixed",
    "0123456789abcdef0123456789abcdef0123456789abcdef",
];
const VALUES: [&str; 8] =
    ["true", "1", "\"red\"", "{\"href\":\"b\"}", "[\"é\",1,null]", "null", "\"\"", "{\"image\":\"a.png\"}"];
const MARKS: [&str; 8] = ["bold", "italic", "color", "link", "frame", "comment:1", "comment:2", "header"];
const REGISTERS: [&str; 2] = ["title", "state"];
const SEQUENCES: [&str; 2] = ["notes", "todo"];

/// A replica that is played along.
struct Player {
    doc: Doc,
    undo: UndoManager,
    last: Vec<u8>,
}

/// The script that `bytes` tell.
pub fn script(bytes: &[u8]) -> Script {
    let (&setting, steps) = bytes.split_first().unwrap_or((&0, &[]));
    let replicas = 2 + usize::from(setting % 3);
    let mut script = Script::new(replicas);
    match setting >> 2 & 3 {
        0 => {}
        1 => script.replicas.reverse(),
        2 => script.replicas[0] = ReplicaId::new(u64::MAX),
        _ => script.replicas.iter_mut().for_each(|id| *id = ReplicaId::new(id.get() << 60 | 7)),
    }
    let has_sequences = setting >= 0x80;
    let mut players: Vec<Player> = script.replicas.iter().map(|&replica| Player::new(replica)).collect();
    if setting & 0x40 != 0 && !has_sequences {
        script.push(Step::Expand { replica: None, name: "frame".to_owned(), expand: Expand::Both });
        players.iter_mut().for_each(|player| player.doc.set_expand("frame", Expand::Both));
    }
    let chunks: Vec<[u8; 3]> = steps.as_chunks().0.iter().take(MAX_STEPS).copied().collect();
    let mut rest = &chunks[..];
    while let [first, tail @ ..] = rest {
        let more = if first[0] >> 3 < FIRST_NO_EDIT { tail } else { &[] };
        let edits = more.iter().take(MAX_EDITS - 1).take_while(|chunk| chunk[0] >> 3 == GOES_ON).count();
        rest = &tail[edits..];
        if let Some(step) = step(&mut players, first, &tail[..edits], has_sequences) {
            script.push(step);
        }
    }
    script
}

/// From here on `what` is no edit.
const FIRST_NO_EDIT: u8 = 22;
/// Another edit of the transaction before it; alone it says nothing.
const GOES_ON: u8 = 31;

fn step(players: &mut [Player], first: &[u8; 3], more: &[[u8; 3]], has_sequences: bool) -> Option<Step> {
    let [what, place, size] = *first;
    let replica = usize::from(what & 7) % players.len();
    // Somebody else.
    let other = (replica + 1 + usize::from(place) % (players.len() - 1)) % players.len();
    Some(match what >> 3 {
        0..FIRST_NO_EDIT => {
            let player = &mut players[replica];
            let from = player.doc.version().get(player.doc.replica());
            let mut transaction = player.doc.transaction();
            let mut edits = Vec::new();
            for &[what, place, size] in std::iter::once(first).chain(more) {
                // What goes on says in its size what it does, too.
                let kind = if what >> 3 == GOES_ON { size % FIRST_NO_EDIT } else { what >> 3 };
                edits.extend(edit(&mut transaction, kind, place, size, has_sequences));
            }
            drop(transaction);
            if edits.is_empty() {
                return None;
            }
            player.undo.record(&player.doc, 0);
            player.said(from);
            if has_sequences {
                Step::EditPlaced { replica, edits }
            } else {
                let main = |edit| if let PlacedEdit::Main(edit) = edit { Some(edit) } else { None };
                Step::Edit { replica, edits: edits.into_iter().filter_map(main).collect() }
            }
        }
        FIRST_NO_EDIT..=24 => {
            let turn = if size % 3 == 0 { Turn::Redo } else { Turn::Undo };
            players[replica].turn(turn);
            Step::Turn { replica, turn }
        }
        25..=27 => {
            let delta = players[replica].doc.delta_since(players[other].doc.version());
            players[other].receive(&delta);
            Step::Sync { from: replica, to: other }
        }
        28 | 29 => {
            let delta = players[replica].last.clone();
            players[other].receive(&delta);
            Step::Last { from: replica, to: other }
        }
        30 => {
            let pairs = (1..players.len()).map(|from| (from, 0)).chain((1..players.len()).map(|to| (0, to)));
            for (from, to) in pairs {
                let delta = players[from].doc.delta_since(players[to].doc.version());
                players[to].receive(&delta);
            }
            Step::SyncAll
        }
        _ => return None,
    })
}

/// Makes an edit; none where there is nothing to delete or to mark.
fn edit(
    transaction: &mut Transaction<'_>,
    kind: u8,
    place: u8,
    size: u8,
    has_sequences: bool,
) -> Option<PlacedEdit> {
    let name = SEQUENCES[usize::from(size >> 7)].to_owned();
    let value = json(VALUES[usize::from(size >> 2) % VALUES.len()]);
    let doc = transaction.doc();
    let edit = match kind {
        16..=18 if has_sequences => {
            let len = doc.text_named(&name).map_or(0, |text| text.len());
            PlacedEdit::Text { name, edit: edit_of(len, kind * 5 % 16, place, size)? }
        }
        19.. if has_sequences => {
            let len = doc.list(&name).map_or(0, |list| list.len());
            let index = usize::from(place) * (len + 1) / 256;
            let edit = match size % 6 {
                0 | 1 => ListEdit::Insert { index, value },
                _ if index == len => return None,
                2 => ListEdit::Delete { index, len: (1 + usize::from(size >> 5)).min(len - index) },
                3 => ListEdit::Replace { index, value },
                _ => ListEdit::Move { from: index, to: usize::from(size >> 3) % len },
            };
            PlacedEdit::List { name, edit }
        }
        _ => PlacedEdit::Main(edit_of(doc.len(), kind, place, size)?),
    };
    edit.make(transaction).is_ok().then_some(edit)
}

/// An edit of a text of `len` elements.
fn edit_of(len: usize, kind: u8, place: u8, size: u8) -> Option<Edit> {
    let position = match place {
        255 => len,
        _ => usize::from(place) * (len + 1) / 256,
    };
    let room = (len - position).min(if size >= 0xf0 { usize::MAX } else { 1 + usize::from(size % 16) });
    let marks = |count: u8| -> Marks {
        (0..count).map(|at| (MARKS[usize::from(size / 7 + 3 * at) % MARKS.len()], json(VALUES[0]))).collect()
    };
    let value = json(VALUES[usize::from(size >> 2) % VALUES.len()]);
    let text = TEXTS[usize::from(size % 16)].to_owned();
    Some(match kind {
        0..=6 => Edit::Insert { position, text },
        7 => Edit::InsertWith { position, text, marks: marks(size >> 4 & 3) },
        8 => Edit::Embed { position, value, marks: (size & 1 == 1).then(|| marks(size >> 5 & 1)) },
        9 | 21 => {
            let value = (size & 3 > 0).then_some(value);
            Edit::Set { name: REGISTERS[usize::from(size >> 7)].to_owned(), value }
        }
        _ if room == 0 => return None,
        10..=15 => Edit::Delete { position, len: room },
        _ => {
            let name = MARKS[usize::from(size >> 4) % MARKS.len()].to_owned();
            Edit::Mark { position, len: room, name, value: (size & 3 > 0).then_some(value) }
        }
    })
}

fn json(text: &str) -> Json {
    Json::parse(text).expect("a JSON value")
}

impl Player {
    fn new(replica: ReplicaId) -> Self {
        let doc = Doc::new(replica);
        let undo = UndoManager::new(&doc, UndoOptions { interval_ms: 0, ..UndoOptions::default() });
        Self { doc, undo, last: Vec::new() }
    }

    /// Keeps what was said since as the newest delta.
    fn said(&mut self, from: u32) {
        if self.doc.has_issued_since(from) {
            self.last = self.doc.issued_since(from);
        }
    }

    fn turn(&mut self, turn: Turn) {
        let from = self.doc.version().get(self.doc.replica());
        let done = match turn {
            Turn::Undo => self.undo.undo(&mut self.doc),
            Turn::Redo => self.undo.redo(&mut self.doc),
        };
        done.expect("there is room");
        self.said(from);
    }

    fn receive(&mut self, delta: &[u8]) {
        if !delta.is_empty() {
            self.doc.apply(delta).expect("what a document says is sound");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::script;
    use crate::random::Random;
    use crate::script::Script;

    #[test]
    fn any_bytes_tell_a_script_that_prints_and_passes() {
        let mut random = Random::new(1);
        let mut steps = 0;
        for _ in 0..60 {
            let bytes: Vec<u8> = (0..1 + random.below(100)).map(|_| random.bits().to_le_bytes()[0]).collect();
            let told = script(&bytes);
            steps += told.steps.len();
            let printed = told.to_string();
            assert_eq!(Script::parse(&printed).unwrap().to_string(), printed);
            crate::check(&told).unwrap_or_else(|failure| panic!("{failure}\n{told}"));
        }
        assert!(steps > 600, "{steps} steps");
    }

    #[test]
    fn no_bytes_tell_a_script_without_steps() {
        assert!(script(&[]).steps.is_empty());
        assert!(script(&[0, 1, 2]).steps.is_empty(), "a step has three bytes");
    }
}
