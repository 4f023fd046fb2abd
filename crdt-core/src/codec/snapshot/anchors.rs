//! Anchors: where the heads of runs were placed.
//!
//! Most can be derived. Take a history in which everybody always saw everything, and order elements by
//! (seq, index of replica): of the elements in front of a head that come earlier in this order let *l* be the
//! nearest, of those behind it let *r*. The head was typed between the two. If *r* is younger than *l*
//! it was placed beside *l*, so *l* had something placed after it already and the head was placed before *r*; else
//! nothing had been placed after *l* yet, and it was placed after *l*. With one replica that is always so.
//! For the other heads it is written down:
//!
//! ```text
//! anchors = (skipped  place) *        up to the end of the chunk
//! skipped = heads, in document order, whose anchor is the derived one
//! place   = 0 after the start
//!         | 1 + 2 × index of a replica  seq     after that element
//!         | 2 + 2 × index of a replica  seq     before that element
//! ```

use crate::anchor::Side;
use crate::bytes::{Reader, write_varint};
use crate::error::DecodeError;
use crate::ids::Seq;
use crate::op_log::{LocalId, Placement};
use alloc::vec::Vec;

/// The anchors that are written down.
#[derive(Clone)]
pub(crate) struct Anchors<'a> {
    reader: Reader<'a>,
    head: u64,
}

impl<'a> Anchors<'a> {
    pub(crate) fn new(chunk: &'a [u8]) -> Self {
        Self { reader: Reader::new(chunk), head: 0 }
    }

    /// The next: which head, in document order, and where it was placed. Nothing is checked against anything.
    pub(crate) fn next(&mut self) -> Result<Option<(usize, Placement)>, DecodeError> {
        const INVALID: DecodeError = DecodeError::InvalidValue("anchor in a snapshot");
        if self.reader.is_empty() {
            return Ok(None);
        }
        self.head = self.head.checked_add(self.reader.varint()?).ok_or(INVALID)?;
        let head = usize::try_from(self.head).map_err(|_| INVALID)?;
        self.head = self.head.checked_add(1).ok_or(INVALID)?;
        let placement = match self.reader.varint()?.checked_sub(1) {
            None => Placement { element: LocalId::START, side: Side::After },
            Some(place) => {
                let replica = u32::try_from(place >> 1).map_err(|_| INVALID)?;
                let side = if place & 1 == 0 { Side::After } else { Side::Before };
                Placement { element: LocalId::new(replica, self.reader.varint_u32()?), side }
            }
        };
        Ok(Some((head, placement)))
    }
}

/// Writes them.
#[derive(Default)]
pub(crate) struct AnchorsWriter {
    out: Vec<u8>,
    skipped: u64,
}

impl AnchorsWriter {
    /// Appends the next head.
    pub(crate) fn push(&mut self, placement: Placement, derived: Placement) {
        if placement == derived {
            self.skipped += 1;
            return;
        }
        write_varint(&mut self.out, self.skipped);
        self.skipped = 0;
        let Placement { element, side } = placement;
        if element == LocalId::START {
            write_varint(&mut self.out, 0);
        } else {
            let place = 1 + 2 * u64::from(element.replica) + u64::from(side == Side::Before);
            write_varint(&mut self.out, place);
            write_varint(&mut self.out, u64::from(element.seq));
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }
}

/// The derived anchor of each head, in document order.
///
/// `items` are all items in document order: first element, length, whether the first element is a
/// head. How runs are cut makes no difference. O(items).
pub(crate) fn derived(items: impl Iterator<Item = (LocalId, Seq, bool)>) -> Vec<Placement> {
    let mut derived = Derived::default();
    for (id, len, is_head) in items {
        derived.push(id, len, is_head);
    }
    derived.finish()
}

/// Derives anchors from items one by one.
#[derive(Default)]
pub(crate) struct Derived {
    placements: Vec<Placement>,
    /// Items that no item behind them has been older than so far; each is younger than the one before.
    open: Vec<Open>,
}

impl Derived {
    /// With room for so many heads.
    pub(crate) fn with_room(heads: usize) -> Self {
        Self { placements: Vec::with_capacity(heads), open: Vec::new() }
    }

    /// Takes the next item in document order, as [`derived`] does.
    #[inline(always)]
    pub(crate) fn push(&mut self, id: LocalId, len: Seq, is_head: bool) {
        let Self { placements, open } = self;
        while let Some(last) = open.pop_if(|last| age(last.first) > age(id)) {
            last.settle(Some(id), placements);
        }
        let last = id.seq + (len - 1);
        if !is_head {
            open.push(Open { first: id, last, left: LocalId::START, head: NO_HEAD });
            return;
        }
        let left = open.last().map_or(LocalId::START, |last| {
            // The youngest of its elements that is older.
            let limit = if last.first.replica < id.replica { id.seq } else { id.seq - 1 };
            LocalId::new(last.first.replica, limit.min(last.last))
        });
        open.push(Open { first: id, last, left, head: placements.len() });
        placements.push(Placement { element: LocalId::START, side: Side::After });
    }

    /// The anchor of each head.
    pub(crate) fn finish(self) -> Vec<Placement> {
        let Self { mut placements, open } = self;
        for last in open {
            last.settle(None, &mut placements);
        }
        placements
    }
}

fn age(id: LocalId) -> (Seq, u32) {
    (id.seq, id.replica)
}

struct Open {
    first: LocalId,
    last: Seq,
    /// The element left of it, or the start.
    left: LocalId,
    /// Which head it is.
    head: usize,
}

const NO_HEAD: usize = usize::MAX;

impl Open {
    /// `right`: the element right of it.
    fn settle(&self, right: Option<LocalId>, placements: &mut [Placement]) {
        let Some(placement) = placements.get_mut(self.head) else { return };
        let after = Placement { element: self.left, side: Side::After };
        *placement = match right {
            Some(right) if self.left == LocalId::START || age(self.left) <= age(right) => {
                Placement { element: right, side: Side::Before }
            }
            _ => after,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_of_a_history_without_concurrency_are_derived() {
        // "abc" typed, "x" between a and b, "y" behind c, "z" between x and b, "s" in front of all.
        let runs = [(6, 1, true), (0, 1, true), (3, 1, true), (5, 1, true), (1, 2, false), (4, 1, true)];
        let items = runs.map(|(seq, len, head)| (LocalId::new(0, seq), len, head));
        let after = |seq| Placement { element: LocalId::new(0, seq), side: Side::After };
        let before = |seq| Placement { element: LocalId::new(0, seq), side: Side::Before };
        let start = Placement { element: LocalId::START, side: Side::After };
        let found = derived(items.into_iter());
        assert_eq!(found, [before(0), start, before(1), after(3), after(2)]);
    }

    #[test]
    fn other_anchors_round_trip() {
        let start = Placement { element: LocalId::START, side: Side::After };
        let before = Placement { element: LocalId::new(3, 300), side: Side::Before };
        let after = Placement { element: LocalId::new(0, 0), side: Side::After };
        let mut writer = AnchorsWriter::default();
        for (placement, derived) in
            [(after, after), (start, after), (before, after), (start, start), (after, start)]
        {
            writer.push(placement, derived);
        }
        let chunk = writer.finish();
        let mut anchors = Anchors::new(&chunk);
        assert_eq!(anchors.next(), Ok(Some((1, start))));
        assert_eq!(anchors.next(), Ok(Some((2, before))));
        assert_eq!(anchors.next(), Ok(Some((4, after))));
        assert_eq!(anchors.next(), Ok(None));
    }
}
