//! Where a new element goes when siblings really meet.
//!
//! Most insertions never come here: only concurrent ones at one place do (see `mod.rs`). Then the
//! neighbours among the siblings are looked up in [`Siblings`], all run heads in order of the place
//! where they were put, and the new element goes between their subtrees. Two walks look for
//! that gap: one down the inner edge of the larger sibling's subtree (or up from the anchor, where
//! there is none), one from the smaller sibling's side. They take turns, and the first to arrive
//! ends both. Each walk goes run by run.
//!
//! Cost: O(log *h*) a step, with *h* the run heads. Taking turns pays the shorter of the two walks.
//! A new element lies between the two and cuts them, so that a long walk can only be made again
//! after as many insertions have made its path long again: over a history the steps add up to
//! O(*h* log *h*), whoever made it. Memory: one entry per run head, from the first meeting on.

use super::Gap;
use super::heads::{Head, Heads};
use crate::anchor::Side;
use crate::ids::OpId;
use crate::op_log::{LocalId, OpLog, Placement};
use alloc::vec::Vec;

/// All run heads, by where they were placed and then by id.
#[derive(Clone, Default)]
pub(super) struct Siblings {
    /// Those placed beside elements of each replica.
    beside: Vec<Beside>,
    at_start: Heads,
}

/// A cache line.
#[derive(Clone, Default)]
#[repr(align(64))]
struct Beside {
    before: Heads,
    after: Heads,
}

/// The nearest siblings of an element.
struct Neighbours {
    smaller: Option<LocalId>,
    larger: Option<LocalId>,
}

const NONE: &Heads = &Heads::new();

impl Siblings {
    /// Reads them all off the log. O(*h* log *h*).
    pub(super) fn of(log: &OpLog) -> Self {
        let mut siblings = Self::default();
        for (replica, index) in log.replicas().iter().zip(0..) {
            for (seq, placement) in replica.heads(index) {
                siblings.add(log, LocalId::new(index, seq), placement);
            }
        }
        siblings
    }

    /// Notes that the run head `id` was placed at `placement`.
    pub(super) fn add(&mut self, log: &OpLog, id: LocalId, placement: Placement) {
        let Placement { element: anchor, side } = placement;
        let heads = if anchor == LocalId::START {
            &mut self.at_start
        } else {
            let replica = anchor.replica as usize;
            if self.beside.len() <= replica {
                self.beside.resize_with(replica + 1, Beside::default);
            }
            let beside = &mut self.beside[replica];
            if side == Side::Before { &mut beside.before } else { &mut beside.after }
        };
        heads.add(log, Head { anchor: anchor.seq, id });
    }

    /// Those placed on this side of elements of the replica of `anchor`.
    fn heads(&self, side: Side, anchor: LocalId) -> &Heads {
        match (self.beside.get(anchor.replica as usize), side) {
            _ if anchor == LocalId::START => &self.at_start,
            (Some(beside), Side::Before) => &beside.before,
            (Some(beside), Side::After) => &beside.after,
            (None, _) => NONE,
        }
    }
}

/// The gap where `id`, placed at `placement`, belongs. It is not yet in the log.
pub(super) fn gap_among(siblings: &Siblings, log: &OpLog, id: OpId, placement: Placement) -> Gap {
    let family = Family { siblings, log };
    let Neighbours { larger, smaller } = family.neighbours(placement, id);
    let (mut left, mut right) = match (placement.side, larger, smaller) {
        (Side::After, None, _) => return Gap::After(placement.element),
        (Side::Before, _, None) => return Gap::Before(placement.element),
        (_, Some(larger), Some(smaller)) => (Walk::RightEdge(larger), Walk::LeftEdge(smaller)),
        (Side::After, Some(larger), None) => (Walk::RightEdge(larger), Walk::Behind(placement.element)),
        (Side::Before, None, Some(smaller)) => (Walk::InFront(placement.element), Walk::LeftEdge(smaller)),
    };
    loop {
        for walk in [&mut left, &mut right] {
            match family.step(*walk) {
                Walk::Found(gap) => return gap,
                next => *walk = next,
            }
        }
    }
}

/// A way to a gap, from one element to the next.
#[derive(Clone, Copy)]
enum Walk {
    /// To the last element of the subtree of an element; the gap is behind it.
    RightEdge(LocalId),
    /// To the first element of the subtree of an element; the gap is in front of it.
    LeftEdge(LocalId),
    /// To what follows the subtree of an element; the gap is in front of that.
    Behind(LocalId),
    /// To what precedes the subtree of an element; the gap is behind that.
    InFront(LocalId),
    Found(Gap),
}

struct Family<'a> {
    siblings: &'a Siblings,
    log: &'a OpLog,
}

impl Family<'_> {
    /// The element that goes on from `anchor`: a child after it that no head tells of.
    fn goes_on(&self, anchor: LocalId) -> Option<LocalId> {
        if anchor == LocalId::START {
            return None;
        }
        let next = LocalId::new(anchor.replica, anchor.seq.checked_add(1)?);
        self.log.of(anchor.replica).continues_at(anchor.replica, next.seq).then_some(next)
    }

    /// The nearest siblings of `id`, which is or would be placed at `placement`.
    fn neighbours(&self, placement: Placement, id: OpId) -> Neighbours {
        let Placement { element, side } = placement;
        let (smaller, larger) = self.siblings.heads(side, element).around(self.log, element.seq, id);
        let mut neighbours = Neighbours { smaller, larger };
        if side == Side::After
            && let Some(run) = self.goes_on(element)
        {
            let run_id = self.log.op_id(run);
            let (nearest, is_nearer) = if run_id < id {
                let is_nearer = smaller.is_none_or(|head| self.log.op_id(head) < run_id);
                (&mut neighbours.smaller, is_nearer)
            } else {
                let is_nearer = larger.is_none_or(|head| self.log.op_id(head) > run_id);
                (&mut neighbours.larger, is_nearer)
            };
            if is_nearer && run_id != id {
                *nearest = Some(run);
            }
        }
        neighbours
    }

    fn step(&self, walk: Walk) -> Walk {
        match walk {
            Walk::RightEdge(element) => self.right_edge(element),
            Walk::LeftEdge(element) => {
                let before = self.siblings.heads(Side::Before, element).last_up_to(element.seq);
                match before.filter(|head| head.anchor == element.seq) {
                    Some(first) => Walk::LeftEdge(first.id),
                    None => Walk::Found(Gap::Before(element)),
                }
            }
            Walk::Behind(element) => self.behind(element),
            Walk::InFront(element) => self.in_front(element),
            found @ Walk::Found(_) => found,
        }
    }

    /// Goes along the run of `element` to the first place where another last child branches off.
    fn right_edge(&self, element: LocalId) -> Walk {
        let (_, last) = self.log.of(element.replica).run_around(element.seq);
        let branch = self.siblings.heads(Side::After, element).first_from(element.seq);
        let branch = branch.filter(|head| head.anchor <= last);
        let anchor = LocalId::new(element.replica, branch.map_or(last, |head| head.anchor));
        // The last child is the smallest: the first of the heads, or the one that goes on.
        let child = match (branch, self.goes_on(anchor)) {
            (Some(head), Some(run)) if self.log.op_id(head.id) > self.log.op_id(run) => Some(run),
            (Some(head), _) => Some(head.id),
            (None, run) => run,
        };
        child.map_or(Walk::Found(Gap::After(anchor)), Walk::RightEdge)
    }

    /// Goes up along the run of `element` to the last place where a smaller sibling branches off.
    fn behind(&self, element: LocalId) -> Walk {
        if element == LocalId::START {
            return Walk::Found(Gap::End);
        }
        let (first, _) = self.log.of(element.replica).run_around(element.seq);
        if first < element.seq {
            let branch = self.siblings.heads(Side::After, element).last_up_to(element.seq - 1);
            let Some(branch) = branch.filter(|head| head.anchor >= first) else {
                return Walk::Behind(LocalId::new(element.replica, first));
            };
            let anchor = LocalId::new(element.replica, branch.anchor);
            let placement = Placement { element: anchor, side: Side::After };
            return match self.neighbours(placement, self.log.op_id(anchor.plus(1))).smaller {
                Some(sibling) => Walk::LeftEdge(sibling),
                None => Walk::Behind(anchor),
            };
        }
        let placement = self.log.of(element.replica).placement(element.replica, element.seq);
        match (self.neighbours(placement, self.log.op_id(element)).smaller, placement.side) {
            (Some(sibling), _) => Walk::LeftEdge(sibling),
            (None, Side::After) => Walk::Behind(placement.element),
            (None, Side::Before) => Walk::Found(Gap::Before(placement.element)),
        }
    }

    fn in_front(&self, element: LocalId) -> Walk {
        let placement = self.log.of(element.replica).placement(element.replica, element.seq);
        match (self.neighbours(placement, self.log.op_id(element)).larger, placement.side) {
            (Some(sibling), _) => Walk::RightEdge(sibling),
            (None, Side::After) => Walk::Found(Gap::After(placement.element)),
            (None, Side::Before) => Walk::InFront(placement.element),
        }
    }
}
