use super::text::Text;
use super::{LocalId, Placement, ReplicaIndex, WIDE_RUN};
use crate::anchor::Side;
use crate::ids::{ReplicaId, Seq};
use crate::op::{Keystroke, Stroke};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// A run of operations as the log keeps it: 16 bytes.
#[derive(Clone, Copy)]
struct Entry {
    seq: Seq,
    /// [`DELETE`], [`BACKWARD`], and the index of the replica that `other` counts in.
    tag: u32,
    /// Insert: the element that the head was placed beside. Delete: the first target.
    other: Seq,
    /// Where the text of this entry starts, or would.
    text: u32,
}

const DELETE: u32 = 1 << 31;
/// Insert: placed before. Delete: descending targets.
const BACKWARD: u32 = 1 << 30;
/// What was trimmed. Insert: elements that are deleted and have lost their text. Delete: operations of which nothing is
/// known any more.
const TRIMMED: u32 = 1 << 29;
const REPLICA: u32 = (1 << 28) - 1;

impl Entry {
    fn is_delete(self) -> bool {
        self.tag & DELETE != 0
    }

    fn is_trimmed(self) -> bool {
        self.tag & TRIMMED != 0
    }

    fn other(self) -> LocalId {
        LocalId::new(self.tag & REPLICA, self.other)
    }

    fn placement(self) -> Placement {
        let side = if self.tag & BACKWARD == 0 { Side::After } else { Side::Before };
        Placement { element: self.other(), side }
    }
}

/// A run of operations read from the log, cut to the range asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Said<'a> {
    /// `len` elements, the first placed at `placement`.
    Insert { seq: Seq, len: Seq, placement: Placement, text: &'a str },
    /// `len` elements deleted, from `target` on up or down.
    Delete { seq: Seq, len: Seq, target: LocalId, descending: bool },
}

/// Finds entries of one log, for whoever asks for most of them in no order: O(1) where they are about as long as each
/// other, and never more than [`ReplicaLog::find`] takes. O(entries) to make.
pub(super) struct Finder<'a> {
    log: &'a ReplicaLog,
    /// Seqs are cut into stretches of so many bits.
    bits: u32,
    /// The last entry that starts in each stretch or in front of it; before all of them the first entry.
    last: Vec<u32>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(log: &'a ReplicaLog) -> Self {
        let seqs = log.next - log.first;
        // As many stretches as entries, or up to twice as many.
        let bits = (seqs as usize / log.entries.len().max(1)).checked_ilog2().unwrap_or(0);
        let mut last = vec![0; 2 + (seqs >> bits) as usize];
        for (entry, place) in log.entries.iter().zip(0..) {
            last[1 + ((entry.seq - log.first) >> bits) as usize] = place;
        }
        let mut before = 0;
        for last in &mut last {
            before = before.max(*last);
            *last = before;
        }
        Self { log, bits, last }
    }

    /// Where the element `seq` of `replica`, whose log this is, was placed.
    #[inline]
    pub(super) fn placement(&self, replica: ReplicaIndex, seq: Seq) -> Placement {
        let stretch = ((seq - self.log.first) >> self.bits) as usize;
        let (from, to) = (self.last[stretch] as usize, self.last[stretch + 1] as usize);
        let place = from + self.log.entries[from + 1..=to].partition_point(|entry| entry.seq <= seq);
        self.log.placement_in(place, replica, seq)
    }
}

/// The operations of one replica. The fields of each are one cache line: who is one of many is seldom asked for
/// twice in a row.
#[derive(Clone)]
#[repr(align(64))]
pub(crate) struct ReplicaLog {
    id: ReplicaId,
    /// The first operation that has an entry: there are none of a past that is cold.
    first: Seq,
    next: Seq,
    /// What comes before was said in the past that was trimmed: of it are known the elements that are left.
    floor: Seq,
    entries: Vec<Entry>,
    text: Text,
}

impl ReplicaLog {
    pub(super) fn new(id: ReplicaId) -> Self {
        Self::starting_at(id, 0)
    }

    /// The log of what comes after the first `past` operations.
    pub(super) fn starting_at(id: ReplicaId, past: Seq) -> Self {
        Self { id, first: past, next: past, floor: 0, entries: Vec::new(), text: Text::default() }
    }

    /// The first operation of which everything is known; nothing can be told of those before.
    pub(crate) fn floor(&self) -> Seq {
        self.floor
    }

    /// Has everything before `floor` count as trimmed.
    pub(super) fn set_floor(&mut self, floor: Seq) {
        self.floor = floor;
    }

    /// The first operation that is not past and cold: all questions are about this one and later ones.
    pub(crate) fn first_seq(&self) -> Seq {
        self.first
    }

    pub(crate) fn id(&self) -> ReplicaId {
        self.id
    }

    /// How many operations there are: the number of the next.
    pub(crate) fn next_seq(&self) -> Seq {
        self.next
    }

    /// All text inserted, in order of seq.
    pub(crate) fn text(&self) -> &Text {
        &self.text
    }

    pub(super) fn entry_count(&self) -> usize {
        self.entries.len()
    }

    /// The place of the entry that holds `seq`, which exists.
    fn find(&self, seq: Seq) -> usize {
        debug_assert!((self.first..self.next).contains(&seq), "asked for an operation that has no entry");
        match self.entries.last() {
            Some(last) if last.seq <= seq => self.entries.len() - 1,
            _ => self.entries.partition_point(|entry| entry.seq <= seq) - 1,
        }
    }

    fn end(&self, place: usize) -> Seq {
        self.entries.get(place + 1).map_or(self.next, |entry| entry.seq)
    }

    /// Where its text is.
    fn entry_bytes(&self, place: usize) -> Range<usize> {
        let start = self.entries[place].text as usize;
        start..self.entries.get(place + 1).map_or(self.text.len(), |entry| entry.text as usize)
    }

    /// Whether the operation `seq` is integrated and inserted an element.
    pub(crate) fn is_element(&self, seq: Seq) -> bool {
        seq < self.next && !self.entries[self.find(seq)].is_delete()
    }

    /// Where the element `seq` was placed.
    pub(crate) fn placement(&self, replica: ReplicaIndex, seq: Seq) -> Placement {
        self.placement_in(self.find(seq), replica, seq)
    }

    /// The same of an element in the entry at `place`.
    #[inline]
    fn placement_in(&self, place: usize, replica: ReplicaIndex, seq: Seq) -> Placement {
        let entry = self.entries[place];
        if entry.seq == seq {
            entry.placement()
        } else {
            Placement { element: LocalId::new(replica, seq - 1), side: Side::After }
        }
    }

    /// Whether the element `seq` was placed after `seq - 1`, as text typed on is.
    fn goes_on(&self, replica: ReplicaIndex, seq: Seq) -> bool {
        seq > 0
            && self.placement(replica, seq)
                == Placement { element: LocalId::new(replica, seq - 1), side: Side::After }
    }

    /// The part around the element `seq` in which each element goes on from the one before: as far
    /// as the entry reaches. The first of it may itself go on from an earlier entry.
    pub(crate) fn run_around(&self, seq: Seq) -> (Seq, Seq) {
        let place = self.find(seq);
        (self.entries[place].seq, self.end(place) - 1)
    }

    /// Whether an element `seq` exists that was placed after `seq - 1`.
    pub(crate) fn continues_at(&self, replica: ReplicaIndex, seq: Seq) -> bool {
        self.is_element(seq) && self.goes_on(replica, seq)
    }

    /// The heads of all runs: every element that was not placed after its predecessor in seq.
    pub(crate) fn heads(&self, replica: ReplicaIndex) -> impl Iterator<Item = (Seq, Placement)> + '_ {
        self.entries
            .iter()
            .filter(move |entry| !entry.is_delete() && !self.goes_on(replica, entry.seq))
            .map(|entry| (entry.seq, entry.placement()))
    }

    #[inline(always)]
    pub(super) fn append_insert(
        &mut self,
        replica: ReplicaIndex,
        placement: Placement,
        text: &str,
        count: Seq,
    ) {
        let start = self.text_end();
        self.text.push_str(text);
        self.append_elements(replica, placement, start, count);
    }

    /// Where the text of the next insertion starts.
    #[inline]
    pub(crate) fn text_end(&self) -> u32 {
        u32::try_from(self.text.len()).expect("text was checked against its limit")
    }

    /// Appends text for [`ReplicaLog::append_elements`] if it is ASCII, and tells whether.
    pub(super) fn append_ascii(&mut self, text: &str) -> bool {
        self.text.push_ascii(text)
    }

    /// As [`ReplicaLog::append_insert`], with text that was appended already, from byte `start` on.
    #[inline(always)]
    pub(super) fn append_elements(
        &mut self,
        replica: ReplicaIndex,
        placement: Placement,
        start: u32,
        count: Seq,
    ) {
        let seq = self.next;
        self.next += count;
        let goes_on =
            seq > 0 && placement == Placement { element: LocalId::new(replica, seq - 1), side: Side::After };
        if goes_on
            && let Some(last) = self.entries.last().copied()
            && !last.is_delete()
            && !last.is_trimmed()
        {
            let (elements, bytes) = (self.next - last.seq, self.text.len() - last.text as usize);
            if elements as usize == bytes || elements as usize <= WIDE_RUN {
                return;
            }
        }
        let side = if placement.side == Side::After { 0 } else { BACKWARD };
        let tag = side | placement.element.replica;
        self.entries.push(Entry { seq, tag, other: placement.element.seq, text: start });
    }

    /// Appends `count` elements that are deleted and have lost their text.
    pub(super) fn append_textless(&mut self, placement: Placement, count: Seq) {
        let (seq, text) = (self.next, self.text_end());
        self.next += count;
        let side = if placement.side == Side::After { 0 } else { BACKWARD };
        let tag = TRIMMED | side | placement.element.replica;
        self.entries.push(Entry { seq, tag, other: placement.element.seq, text });
    }

    /// Appends `count` operations of which nothing is known.
    pub(super) fn append_unknown(&mut self, count: Seq) {
        let (seq, text) = (self.next, self.text_end());
        self.next += count;
        const UNKNOWN: u32 = DELETE | TRIMMED;
        if self.entries.last().is_none_or(|last| last.tag != UNKNOWN) {
            self.entries.push(Entry { seq, tag: UNKNOWN, other: 0, text });
        }
    }

    /// Whether the newest operation is in an entry that inserts ASCII.
    pub(crate) fn ends_in_ascii(&self) -> bool {
        self.entries.last().is_some_and(|last| {
            !last.is_delete() && (self.next - last.seq) as usize == self.text.len() - last.text as usize
        })
    }

    /// Appends `count` elements of ASCII placed after the operation before, where
    /// [`ReplicaLog::ends_in_ascii`]. Tells the number of the first.
    #[inline]
    pub(super) fn append_on(&mut self, count: Seq, text: &str) -> Seq {
        debug_assert!(self.ends_in_ascii(), "an entry of other text is cut at its limit");
        let seq = self.next;
        self.next += count;
        self.text.push_str(text);
        seq
    }

    /// As [`ReplicaLog::append_on`] of one byte, if that is ASCII, the text has memory for it and there are seqs.
    #[inline(always)]
    pub(super) fn append_byte(&mut self, byte: u8) -> bool {
        let room = self.next < Seq::MAX && self.text.has_memory();
        if !byte.is_ascii() || !room {
            return false;
        }
        debug_assert!(self.ends_in_ascii(), "an entry of other text is cut at its limit");
        self.next += 1;
        self.text.push(byte);
        true
    }

    /// Appends a deletion of the element that [`ReplicaLog::deletes_on`] tells. Tells the number of the next operation.
    #[inline(always)]
    pub(super) fn delete_one_on(&mut self) -> Seq {
        debug_assert!(self.entries.last().is_some_and(|last| last.is_delete()), "the newest entry deletes");
        self.next += 1;
        self.next
    }

    /// The element whose deletion would lengthen the newest entry downwards, or else upwards, as it goes now.
    pub(super) fn deletes_on(&self, down: bool) -> Option<LocalId> {
        let last = self
            .entries
            .last()
            .filter(|last| last.tag & (DELETE | TRIMMED) == DELETE && down == (last.tag & BACKWARD != 0))?;
        let len = self.next - last.seq;
        let next = if down { last.other.checked_sub(len)? } else { last.other.checked_add(len)? };
        Some(LocalId::new(last.tag & REPLICA, next))
    }

    #[inline(always)]
    pub(super) fn append_delete(&mut self, target: LocalId, len: Seq, descending: bool) -> Seq {
        let seq = self.next;
        self.next += len;
        if let Some(last) = self.entries.last_mut()
            && last.tag & !BACKWARD == DELETE | target.replica
        {
            // One deletion goes either way.
            let last_len = seq - last.seq;
            if last.other.checked_sub(last_len) == Some(target.seq)
                && (last.tag & BACKWARD != 0 || last_len == 1)
                && (descending || len == 1)
            {
                last.tag |= BACKWARD;
                return self.next;
            }
            if last.other.checked_add(last_len) == Some(target.seq)
                && (last.tag & BACKWARD == 0 || last_len == 1)
                && (!descending || len == 1)
            {
                last.tag &= !BACKWARD;
                return self.next;
            }
        }
        let tag = DELETE | target.replica | if descending { BACKWARD } else { 0 };
        let text = self.text_end();
        self.entries.push(Entry { seq, tag, other: target.seq, text });
        self.next
    }

    /// Whether all operations `from .. to`, which have entries, are elements.
    pub(super) fn are_elements(&self, from: Seq, to: Seq) -> bool {
        let first = if from < to { self.find(from) } else { self.entries.len() };
        self.entries[first..].iter().take_while(|entry| entry.seq < to).all(|entry| !entry.is_delete())
    }

    pub(super) fn said(&self, replica: ReplicaIndex, from: Seq, to: Seq) -> impl Iterator<Item = Said<'_>> {
        let (from, to) = (from.max(self.floor), to.min(self.next));
        let first = if from < to { self.find(from) } else { self.entries.len() };
        (first..self.entries.len())
            .take_while(move |&place| self.entries[place].seq < to)
            .map(move |place| self.cut(replica, place, from, to))
    }

    /// The text of the elements among the operations `from .. to`, trimmed past or not.
    pub(super) fn text_of(&self, replica: ReplicaIndex, from: Seq, to: Seq) -> String {
        let first = if from < to { self.find(from) } else { self.entries.len() };
        let places = (first..self.entries.len()).take_while(|&place| self.entries[place].seq < to);
        let told = places.filter(|&place| !self.entries[place].is_trimmed());
        let parts = told.map(|place| match self.cut(replica, place, from, to) {
            Said::Insert { text, .. } => text,
            Said::Delete { .. } => "",
        });
        parts.collect()
    }

    /// The first target of each entry that deletes, how many it has, and whether they descend.
    pub(super) fn deletions(&self) -> impl Iterator<Item = (LocalId, Seq, bool)> {
        let ends = self.entries.iter().skip(1).map(|entry| entry.seq).chain(core::iter::once(self.next));
        let deletes = self.entries.iter().zip(ends).filter(|(entry, _)| entry.is_delete());
        deletes.map(|(entry, end)| (entry.other(), end - entry.seq, entry.tag & BACKWARD != 0))
    }

    #[inline]
    pub(super) fn newest(&self, replica: ReplicaIndex, from: Seq) -> Option<Said<'_>> {
        let last = self.entries.len().checked_sub(1)?;
        (self.entries[last].seq.max(self.floor) <= from && from < self.next)
            .then(|| self.cut(replica, last, from, self.next))
    }

    #[inline(always)]
    pub(super) fn newest_keystroke(&self, replica: ReplicaIndex, seq: Seq) -> Option<Keystroke> {
        let last = self.entries.last()?;
        if self.next.wrapping_sub(seq) != 1 || seq < last.seq || seq < self.floor {
            return None;
        }
        let skipped = seq - last.seq;
        let is_own = last.tag & REPLICA == replica;
        let is_backward = last.tag & BACKWARD != 0;
        let (element, stroke) = if last.is_delete() {
            let element = if is_backward { last.other - skipped } else { last.other + skipped };
            (is_own.then_some(element)?, Stroke::Delete)
        } else {
            // A byte of ASCII at the end is all of the last character.
            let byte = *self.text.bytes().last().filter(|byte| byte.is_ascii())?;
            if skipped > 0 {
                (seq - 1, Stroke::InsertAfter(byte))
            } else {
                let stroke = if is_backward { Stroke::InsertBefore(byte) } else { Stroke::InsertAfter(byte) };
                (is_own.then_some(last.other)?, stroke)
            }
        };
        Some(Keystroke { seq, distance: seq.checked_sub(element).filter(|&distance| distance > 0)?, stroke })
    }

    #[inline]
    fn cut(&self, replica: ReplicaIndex, place: usize, from: Seq, to: Seq) -> Said<'_> {
        let entry = self.entries[place];
        let entry_end = self.end(place);
        let (start, end) = (entry.seq.max(from), entry_end.min(to));
        let (skipped, len) = (start - entry.seq, end - start);
        if entry.is_delete() {
            let descending = entry.tag & BACKWARD != 0;
            let first = if descending { entry.other - skipped } else { entry.other + skipped };
            let target = LocalId::new(entry.tag & REPLICA, first);
            return Said::Delete { seq: start, len, target, descending };
        }
        let bytes = self.entry_bytes(place);
        let text = if bytes.len() == (entry_end - entry.seq) as usize {
            let first = bytes.start + skipped as usize;
            self.text.slice(first..first + len as usize)
        } else {
            crate::units::chars(self.text.slice(bytes), skipped as usize, len as usize)
        };
        let placement = if skipped == 0 {
            entry.placement()
        } else {
            Placement { element: LocalId::new(replica, start - 1), side: Side::After }
        };
        Said::Insert { seq: start, len, placement, text }
    }
}
