use crate::ids::{OpId, Seq};
use crate::op_log::{LocalId, OpLog};
use alloc::vec;
use alloc::vec::Vec;
use core::{mem, slice};

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
#[derive(Clone)]
pub(super) struct Heads {
    list: List,
    /// Higher than all anchors: most questions are about an element that nothing was placed beside yet.
    beyond: Seq,
}

#[derive(Clone)]
enum List {
    /// At most [`CHUNK`]. Many replicas have few each: these are one look at memory nearer.
    Few(Vec<Head>),
    /// None empty.
    Many(Vec<Vec<Head>>),
}

#[cfg(not(test))]
const CHUNK: usize = 256;
/// So that short tests meet many.
#[cfg(test)]
const CHUNK: usize = 4;

impl Heads {
    pub(super) const fn new() -> Self {
        Self { list: List::Few(Vec::new()), beyond: 0 }
    }

    #[inline]
    pub(super) fn add(&mut self, log: &OpLog, head: Head) {
        let (chunk, index) = if head.anchor >= self.beyond {
            self.beyond = head.anchor + 1;
            let last = self.chunks().len() - 1;
            (last, self.chunks()[last].len())
        } else {
            let id = log.op_id(head.id);
            self.place(|other| other.is_below(log, head.anchor, id))
        };
        match &mut self.list {
            List::Few(list) if list.len() < CHUNK => list.insert(index, head),
            List::Few(list) => {
                let mut chunks = vec![mem::take(list)];
                insert(&mut chunks, (chunk, index), head);
                self.list = List::Many(chunks);
            }
            List::Many(chunks) => insert(chunks, (chunk, index), head),
        }
    }

    fn chunks(&self) -> &[Vec<Head>] {
        match &self.list {
            List::Few(list) => slice::from_ref(list),
            List::Many(chunks) => chunks,
        }
    }

    /// The next smaller and the next larger of those at `anchor`, seen from `id`.
    pub(super) fn around(&self, log: &OpLog, anchor: Seq, id: OpId) -> (Option<LocalId>, Option<LocalId>) {
        if anchor >= self.beyond {
            return (None, None);
        }
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
        let chunk = match self.chunks() {
            [_] => 0,
            [.., last] if below(&last[0]) => self.chunks().len() - 1,
            chunks => chunks.partition_point(|chunk| below(&chunk[0])).saturating_sub(1),
        };
        let list = &self.chunks()[chunk];
        let index = match list.last() {
            Some(last) if below(last) => list.len(),
            _ => list.partition_point(below),
        };
        (chunk, index)
    }

    fn before(&self, (chunk, index): (usize, usize)) -> Option<Head> {
        // Nothing stands in front of the first place of any chunk but the first: see `place`.
        Some(self.chunks()[chunk][index.checked_sub(1)?])
    }

    fn from(&self, (chunk, index): (usize, usize)) -> Option<Head> {
        match self.chunks()[chunk].get(index) {
            Some(&head) => Some(head),
            None => self.chunks().get(chunk + 1).map(|chunk| chunk[0]),
        }
    }
}

impl Default for Heads {
    fn default() -> Self {
        Self::new()
    }
}

fn insert(chunks: &mut Vec<Vec<Head>>, (mut chunk, mut index): (usize, usize), head: Head) {
    if chunks[chunk].len() == CHUNK {
        // What comes in order leaves full chunks behind.
        let at = if index == CHUNK && chunk + 1 == chunks.len() { CHUNK } else { CHUNK / 2 };
        let upper = chunks[chunk].split_off(at);
        chunks.insert(chunk + 1, upper);
        if index > at || at == CHUNK {
            (chunk, index) = (chunk + 1, index - at);
        }
    }
    chunks[chunk].insert(index, head);
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
