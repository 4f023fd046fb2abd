//! Texts that are no CRDT: what any CRDT adds to.

use crate::contender::Text;
use crate::history::Edit;
use crate::measure::Role;
use jumprope::JumpRopeBuf;

/// jumprope with its write buffer: the fastest rope on recorded histories.
pub(crate) struct Rope(JumpRopeBuf);

impl Text for Rope {
    const NAME: &'static str = "jumprope-buf";
    const ROLE: Role = Role::Floor;

    fn new(_replica: u32) -> Self {
        Self(JumpRopeBuf::new())
    }

    fn edit(&mut self, edit: Edit) {
        let position = edit.position as usize;
        if edit.delete > 0 {
            self.0.remove(position..position + edit.delete as usize);
        }
        if !edit.text.is_empty() {
            self.0.insert(position, edit.text);
        }
    }

    fn text(&mut self) -> String {
        self.0.to_string()
    }
}

/// One array with a hole where the last edit was. Counts bytes, which it is told: a floor may.
pub(crate) struct Gap {
    bytes: Vec<u8>,
    /// Where the hole starts.
    hole: usize,
    /// Where the text goes on.
    rest: usize,
}

impl Gap {
    fn move_hole(&mut self, to: usize) {
        if to < self.hole {
            let len = self.hole - to;
            self.bytes.copy_within(to..self.hole, self.rest - len);
            (self.hole, self.rest) = (to, self.rest - len);
        } else if to > self.hole {
            let len = to - self.hole;
            self.bytes.copy_within(self.rest..self.rest + len, self.hole);
            (self.hole, self.rest) = (to, self.rest + len);
        }
    }

    fn widen(&mut self, needed: usize) {
        let behind = self.bytes.len() - self.rest;
        let len = (self.hole + needed + behind).max(2 * self.bytes.len()).max(64);
        let old_rest = self.rest;
        let old_len = self.bytes.len();
        self.bytes.resize(len, 0);
        self.rest = len - behind;
        self.bytes.copy_within(old_rest..old_len, self.rest);
    }
}

impl Text for Gap {
    const NAME: &'static str = "gap buffer";
    const ROLE: Role = Role::Floor;

    fn new(_replica: u32) -> Self {
        Self { bytes: Vec::new(), hole: 0, rest: 0 }
    }

    fn edit(&mut self, edit: Edit) {
        self.move_hole(edit.position_bytes as usize);
        self.rest += edit.delete_bytes as usize;
        let text = edit.text.as_bytes();
        if text.len() > self.rest - self.hole {
            self.widen(text.len());
        }
        let end = self.hole + text.len();
        self.bytes[self.hole..end].copy_from_slice(text);
        self.hole = end;
    }

    fn text(&mut self) -> String {
        let mut text = Vec::with_capacity(self.hole + self.bytes.len() - self.rest);
        text.extend_from_slice(&self.bytes[..self.hole]);
        text.extend_from_slice(&self.bytes[self.rest..]);
        String::from_utf8(text).expect("whole characters went in and out")
    }
}
