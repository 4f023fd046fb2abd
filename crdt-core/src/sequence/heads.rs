use crate::ids::{OpId, Seq};
use crate::op_log::{LocalId, OpLog};
use alloc::vec::Vec;

/// A run head, and the number of the element that it was placed beside.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) anchor: Seq,
    pub(super) id: LocalId,
}

/// Run heads placed on one side of the elements of one replica: by anchor, then in ascending order of id.
///
/// Sorted chunks of 12 bytes an entry: who types backwards appends to one, and a search among 100,000 reads
/// few lines of memory. Finding and adding are O(log *h*), but that a chunk in the middle that is full
/// moves the list of chunks.
#[derive(Clone, Default)]
pub(super) struct Heads {
    /// None empty.
    chunks: Vec<Vec<Head>>,
}

#[cfg(not(test))]
const CHUNK: usize = 256;
/// So that short tests meet many.
#[cfg(test)]
const CHUNK: usize = 4;

impl Heads {
    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new() }
    }

    pub(super) fn add(&mut self, log: &OpLog, head: Head) {
        let id = log.op_id(head.id);
        let (mut chunk, mut index) = self.place(|other| other.is_below(log, head.anchor, id));
        if self.chunks.is_empty() {
            self.chunks.push(Vec::new());
        } else if self.chunks[chunk].len() == CHUNK {
            // What comes in order leaves full chunks behind.
            let at = if index == CHUNK && chunk + 1 == self.chunks.len() { CHUNK } else { CHUNK / 2 };
            let upper = self.chunks[chunk].split_off(at);
            self.chunks.insert(chunk + 1, upper);
            if index > at || at == CHUNK {
                (chunk, index) = (chunk + 1, index - at);
            }
        }
        self.chunks[chunk].insert(index, head);
    }

    /// The next smaller and the next larger of those at `anchor`, seen from `id`.
    pub(super) fn around(&self, log: &OpLog, anchor: Seq, id: OpId) -> (Option<LocalId>, Option<LocalId>) {
        let here = |head: &Head| head.anchor == anchor;
        let place = self.place(|other| other.is_below(log, anchor, id));
        let smaller = self.before(place).filter(here);
        let mut larger = self.from(place).filter(here);
        if larger.is_some_and(|head| log.op_id(head.id) == id) {
            larger = self.from(self.place(|other| !other.is_above(log, anchor, id))).filter(here);
        }
        (smaller.map(|head| head.id), larger.map(|head| head.id))
    }

    /// The first at or behind `anchor`: of those at one place, the smallest.
    pub(super) fn first_from(&self, anchor: Seq) -> Option<Head> {
        self.from(self.place(|other| other.anchor < anchor))
    }

    /// The last up to `anchor`: of those at one place, the largest.
    pub(super) fn last_up_to(&self, anchor: Seq) -> Option<Head> {
        self.before(self.place(|other| other.anchor <= anchor))
    }

    /// Behind all that are `below`, which the first ones are: a chunk and a place in it.
    #[inline]
    fn place(&self, below: impl Fn(&Head) -> bool) -> (usize, usize) {
        // Most belong behind all others.
        let chunk = match self.chunks.last() {
            None => return (0, 0),
            Some(last) if below(&last[0]) => self.chunks.len() - 1,
            Some(_) => self.chunks.partition_point(|chunk| below(&chunk[0])).saturating_sub(1),
        };
        let list = &self.chunks[chunk];
        let index = match list.last() {
            Some(last) if below(last) => list.len(),
            _ => list.partition_point(below),
        };
        (chunk, index)
    }

    fn before(&self, (chunk, index): (usize, usize)) -> Option<Head> {
        // Nothing stands in front of the first place of any chunk but the first: see `place`.
        Some(self.chunks.get(chunk)?[index.checked_sub(1)?])
    }

    fn from(&self, (chunk, index): (usize, usize)) -> Option<Head> {
        match self.chunks.get(chunk)?.get(index) {
            Some(&head) => Some(head),
            None => self.chunks.get(chunk + 1).map(|chunk| chunk[0]),
        }
    }
}

impl Head {
    /// Whether it stands in front of `id` at `anchor`.
    fn is_below(&self, log: &OpLog, anchor: Seq, id: OpId) -> bool {
        self.anchor < anchor || self.anchor == anchor && log.op_id(self.id) < id
    }

    /// Whether it stands behind `id` at `anchor`.
    fn is_above(&self, log: &OpLog, anchor: Seq, id: OpId) -> bool {
        self.anchor > anchor || self.anchor == anchor && log.op_id(self.id) > id
    }
}
