use super::{Edge, MarkIndex};
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// From `from` up to the next span one mark of a name holds, or none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) from: Edge,
    pub(super) winner: Option<MarkIndex>,
}

/// A stretch where another mark holds than before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Changed {
    pub(super) from: Edge,
    pub(super) to: Edge,
    pub(super) before: Option<MarkIndex>,
}

/// Which mark of one name holds where: spans in document order, neighbours different, the first from the start.
///
/// Kept in blocks, so that putting one in moves few. Finding one takes O(log *s*) comparisons with *s* the spans.
#[derive(Clone, Debug)]
pub(super) struct Spans {
    /// None is empty.
    blocks: Vec<Vec<Span>>,
}

#[cfg(not(test))]
const BLOCK: usize = 256;
#[cfg(test)]
const BLOCK: usize = 4;

/// The place of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    block: usize,
    index: usize,
}

impl Default for Spans {
    fn default() -> Self {
        Self { blocks: vec![vec![Span { from: Edge::START, winner: None }]] }
    }
}

impl Spans {
    /// The last span that starts at `at` or in front of it.
    pub(super) fn find(&self, at: Edge, order: &dyn Fn(Edge, Edge) -> Ordering) -> Spot {
        let reaches = |span: &Span| order(span.from, at) != Ordering::Greater;
        // The very first reaches everything.
        let block = self.blocks.partition_point(|block| reaches(&block[0])).max(1) - 1;
        let index = self.blocks[block].partition_point(reaches).max(1) - 1;
        Spot { block, index }
    }

    pub(super) fn get(&self, spot: Spot) -> Span {
        self.blocks[spot.block][spot.index]
    }

    pub(super) fn next(&self, Spot { block, index }: Spot) -> Option<Spot> {
        if index + 1 < self.blocks[block].len() {
            Some(Spot { block, index: index + 1 })
        } else {
            (block + 1 < self.blocks.len()).then_some(Spot { block: block + 1, index: 0 })
        }
    }

    /// Lets `mark` hold from `from` to `to` wherever it beats what holds there, and tells where that is.
    ///
    /// O(log *s* + *k*) with *k* the spans it covers. Those that come to be one are joined, so that a mark that beats all it
    /// covers pays for what earlier ones put in.
    pub(super) fn overlay(
        &mut self,
        (from, to): (Edge, Edge),
        mark: MarkIndex,
        order: &dyn Fn(Edge, Edge) -> Ordering,
        beats: &dyn Fn(Option<MarkIndex>) -> bool,
    ) -> Vec<Changed> {
        let mut changed = Vec::new();
        if order(from, to) != Ordering::Less {
            return changed;
        }
        let first = self.find(from, order);
        let mut covered: Vec<Span> = Vec::new();
        let mut last = first;
        let mut spot = Some(first);
        while let Some(here) = spot {
            let span = self.get(here);
            if here != first && order(span.from, to) != Ordering::Less {
                break;
            }
            covered.push(span);
            last = here;
            spot = self.next(here);
        }
        let behind = spot.map(|spot| self.get(spot));
        let mut new: Vec<Span> = Vec::with_capacity(covered.len() + 2);
        let mut push = |span: Span| {
            if new.last().is_none_or(|last: &Span| last.winner != span.winner) {
                new.push(span);
            }
        };
        if covered[0].from != from {
            push(covered[0]);
            covered[0].from = from;
        }
        let ends = covered.iter().skip(1).map(|span| span.from).chain([to]);
        for (span, end) in covered.iter().zip(ends) {
            let wins = beats(span.winner);
            if wins {
                changed.push(Changed { from: span.from, to: end, before: span.winner });
            }
            push(Span { from: span.from, winner: if wins { Some(mark) } else { span.winner } });
        }
        if behind.is_none_or(|behind| behind.from != to) {
            push(Span { from: to, winner: covered[covered.len() - 1].winner });
        }
        if changed.is_empty() {
            return changed;
        }
        self.replace(first, last, new);
        changed
    }

    /// Puts `new` in the place of the spans from `first` to `last`, and joins what is one at both ends.
    fn replace(&mut self, first: Spot, last: Spot, mut new: Vec<Span>) {
        let Spot { block, index } = first;
        let before = self.blocks[block][..index].last().or_else(|| self.blocks[..block].last()?.last());
        if before.is_some_and(|before| before.winner == new[0].winner) {
            new.remove(0);
        }
        let tail = self.blocks[last.block][last.index + 1..].to_vec();
        let mut all = self.blocks[block][..index].to_vec();
        all.append(&mut new);
        let ending = all.last().or_else(|| self.blocks[..block].last()?.last()).map(|span| span.winner);
        let mut rest = tail.into_iter().peekable();
        let mut next_block = last.block + 1;
        if rest.peek().is_some_and(|span| Some(span.winner) == ending) {
            rest.next();
        } else if rest.peek().is_none()
            && let Some(next) = self.blocks.get_mut(next_block)
            && Some(next[0].winner) == ending
        {
            next.remove(0);
            next_block += usize::from(next.is_empty());
        }
        all.extend(rest);
        let pieces = all.len().div_ceil(BLOCK).max(1);
        let size = all.len().div_ceil(pieces).max(1);
        self.blocks.splice(block..next_block, all.chunks(size).map(<[Span]>::to_vec));
    }
}

#[cfg(test)]
impl Spans {
    pub(super) fn assert_invariants(&self, order: &dyn Fn(Edge, Edge) -> Ordering) {
        assert!(self.blocks.iter().all(|block| !block.is_empty() && block.len() <= BLOCK));
        let all: Vec<Span> = self.blocks.concat();
        assert_eq!(all[0].from, Edge::START);
        for pair in all.windows(2) {
            assert_eq!(order(pair[0].from, pair[1].from), Ordering::Less, "spans ascend");
            assert_ne!(pair[0].winner, pair[1].winner, "neighbours differ");
        }
    }
}
