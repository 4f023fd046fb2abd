//! cola, which keeps no text: a text of somebody else's stands beside it, once jumprope's buffered rope (positions in scalar
//! values), once crop's rope (in bytes). A message is the edits in cola's own encoding (through serde, into postcard's
//! frame), each insertion with its text behind it.

use crate::contender::{Crdt, Text};
use crate::history::Edit;
use cola::{Deletion, EncodedReplica, Insertion, Replica};
use jumprope::JumpRopeBuf;
use std::ops::Range;

/// The text beside it.
pub(crate) trait Buffer: 'static {
    const NAME: &'static str;
    fn new(text: &str) -> Self;
    fn insert(&mut self, at: usize, text: &str);
    fn delete(&mut self, range: Range<usize>);
    fn to_text(&self) -> String;
    /// In the unit of the buffer.
    fn len_of(text: &str) -> usize;
    fn place(edit: Edit) -> Range<usize>;
}

impl Buffer for JumpRopeBuf {
    const NAME: &'static str = "cola + jumprope-buf";

    fn new(text: &str) -> Self {
        Self::new_from_str(text)
    }

    fn insert(&mut self, at: usize, text: &str) {
        Self::insert(self, at, text);
    }

    fn delete(&mut self, range: Range<usize>) {
        self.remove(range);
    }

    fn to_text(&self) -> String {
        self.to_string()
    }

    fn len_of(text: &str) -> usize {
        text.chars().count()
    }

    fn place(edit: Edit) -> Range<usize> {
        edit.position as usize..(edit.position + edit.delete) as usize
    }
}

impl Buffer for crop::Rope {
    const NAME: &'static str = "cola + crop";

    fn new(text: &str) -> Self {
        Self::from(text)
    }

    fn insert(&mut self, at: usize, text: &str) {
        Self::insert(self, at, text);
    }

    fn delete(&mut self, range: Range<usize>) {
        Self::delete(self, range);
    }

    fn to_text(&self) -> String {
        self.to_string()
    }

    fn len_of(text: &str) -> usize {
        text.len()
    }

    fn place(edit: Edit) -> Range<usize> {
        edit.position_bytes as usize..(edit.position_bytes + edit.delete_bytes) as usize
    }
}

pub(crate) struct Cola<B> {
    replica: Replica,
    text: B,
}

const DELETES: u8 = 0;
const INSERTS: u8 = 1;

impl<B: Buffer> Text for Cola<B> {
    const NAME: &'static str = B::NAME;

    /// Replicas of one text are forks of one first replica. All have small numbers, which it encodes in fewer bytes than random ones.
    fn new(replica: u32) -> Self {
        Self { replica: Replica::new(1, 0).fork(u64::from(replica) + 1), text: B::new("") }
    }

    fn edit(&mut self, edit: Edit) {
        let place = B::place(edit);
        let at = place.start;
        if !place.is_empty() {
            self.text.delete(place.clone());
            let _ = self.replica.deleted(place);
        }
        if !edit.text.is_empty() {
            self.text.insert(at, edit.text);
            let _ = self.replica.inserted(at, B::len_of(edit.text));
        }
    }

    fn text(&mut self) -> String {
        self.text.to_text()
    }
}

impl<B: Buffer> Crdt for Cola<B> {
    fn edit_encoded(&mut self, edits: &[Edit], out: &mut Vec<u8>) {
        for &edit in edits {
            let place = B::place(edit);
            let at = place.start;
            if !place.is_empty() {
                self.text.delete(place.clone());
                let deletion = self.replica.deleted(place);
                out.push(DELETES);
                *out = postcard::to_extend(&deletion, std::mem::take(out)).expect("it goes into memory");
            }
            if !edit.text.is_empty() {
                self.text.insert(at, edit.text);
                let insertion = self.replica.inserted(at, B::len_of(edit.text));
                out.push(INSERTS);
                *out = postcard::to_extend(&insertion, std::mem::take(out)).expect("it goes into memory");
                *out = postcard::to_extend(edit.text, std::mem::take(out)).expect("it goes into memory");
            }
        }
    }

    fn apply(&mut self, mut delta: &[u8]) {
        while let Some((&kind, rest)) = delta.split_first() {
            if kind == DELETES {
                let (deletion, rest) =
                    postcard::take_from_bytes::<Deletion>(rest).expect("it was encoded so");
                delta = rest;
                for range in self.replica.integrate_deletion(&deletion).into_iter().rev() {
                    self.text.delete(range);
                }
            } else {
                let (insertion, rest) =
                    postcard::take_from_bytes::<Insertion>(rest).expect("it was encoded so");
                let (text, rest) = postcard::take_from_bytes::<&str>(rest).expect("it was encoded so");
                delta = rest;
                let at = self.replica.integrate_insertion(&insertion);
                self.text.insert(at.expect("deltas come behind what they refer to"), text);
            }
        }
    }

    fn history(&mut self) -> Option<Vec<u8>> {
        None
    }

    fn from_history(_replica: u32, _bytes: &[u8]) -> Self {
        unreachable!("cola keeps no history")
    }

    /// The replica, and the visible text: what was deleted is gone.
    fn snapshot(&mut self) -> Vec<u8> {
        let replica = self.replica.encode();
        let mut out = u64::try_from(replica.as_bytes().len()).expect("a length fits").to_le_bytes().to_vec();
        out.extend_from_slice(replica.as_bytes());
        out.extend_from_slice(self.text.to_text().as_bytes());
        out
    }

    fn from_snapshot(replica: u32, bytes: &[u8]) -> Self {
        let (len, rest) = bytes.split_first_chunk::<8>().expect("it was encoded so");
        let len = usize::try_from(u64::from_le_bytes(*len)).expect("it was encoded so");
        let (encoded, text) = rest.split_at(len);
        let replica = Replica::decode(u64::from(replica) + 1, &EncodedReplica::from_bytes(encoded));
        let text = std::str::from_utf8(text).expect("it was encoded so");
        Self { replica: replica.expect("it was encoded so"), text: B::new(text) }
    }
}
