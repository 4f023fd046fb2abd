//! Where a new element goes when siblings really meet.
//!
//! Most insertions never come here: only concurrent ones at one place do (see `mod.rs`). Then the
//! neighbours among the siblings are looked up in [`Siblings`], an ordered set of all run heads by
//! the place they were put, and the new element goes between their subtrees. Two walks look for
//! that gap: one down the inner edge of the larger sibling's subtree (or up from the anchor, where
//! there is none), one from the smaller sibling's side. They take turns, and the first to arrive
//! ends both. Each walk goes run by run.
//!
//! Cost: O(log *h*) a step, with *h* the run heads. Taking turns pays the shorter of the two walks.
//! A new element lies between the two and cuts them, so that a long walk can only be made again
//! after as many insertions have made its path long again: over a history the steps add up to
//! O(*h* log *h*), whoever made it. Memory: one entry per run head, from the first meeting on.

use super::Gap;
use crate::anchor::Side;
use crate::ids::{OpId, ReplicaId, Seq};
use crate::op_log::{LocalId, OpLog, Placement};
use alloc::collections::BTreeSet;
use core::ops::RangeInclusive;

/// All run heads, by where they were placed and then by id.
#[derive(Clone, Default)]
pub(super) struct Siblings {
    heads: BTreeSet<Head>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    side: Side,
    anchor: LocalId,
    id: OpId,
    replica: u32,
}

const LEAST: OpId = OpId::new(ReplicaId::new(0), 0);
const GREATEST: OpId = OpId::new(ReplicaId::new(u64::MAX), Seq::MAX);

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
        let (side, anchor) = (placement.side, placement.element);
        self.heads.insert(Head { side, anchor, id: log.op_id(id), replica: id.replica });
    }

    fn between(
        &self,
        side: Side,
        anchors: RangeInclusive<LocalId>,
        ids: RangeInclusive<OpId>,
    ) -> impl DoubleEndedIterator<Item = &Head> {
        let from = Head { side, anchor: *anchors.start(), id: *ids.start(), replica: 0 };
        let to = Head { side, anchor: *anchors.end(), id: *ids.end(), replica: u32::MAX };
        self.heads.range(from..=to)
    }
}

fn local(head: &Head) -> LocalId {
    LocalId::new(head.replica, head.id.seq)
}

/// The gap where `id`, placed at `placement`, belongs. It is not yet in the log.
pub(super) fn gap_among(siblings: &Siblings, log: &OpLog, id: OpId, placement: Placement) -> Gap {
    let family = Family { siblings, log };
    let larger = family.next_larger(placement, id);
    let smaller = family.next_smaller(placement, id);
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

    fn next_larger(&self, placement: Placement, id: OpId) -> Option<LocalId> {
        let Placement { element, side } = placement;
        let head = self.siblings.between(side, element..=element, id..=GREATEST).find(|head| head.id > id);
        let run = self.run_sibling(placement).filter(|&run| self.log.op_id(run) > id);
        pick(head, run, |head, run| head.id < self.log.op_id(run))
    }

    fn next_smaller(&self, placement: Placement, id: OpId) -> Option<LocalId> {
        let Placement { element, side } = placement;
        let head = self.siblings.between(side, element..=element, LEAST..=id).rfind(|head| head.id < id);
        let run = self.run_sibling(placement).filter(|&run| self.log.op_id(run) < id);
        pick(head, run, |head, run| head.id > self.log.op_id(run))
    }

    fn run_sibling(&self, placement: Placement) -> Option<LocalId> {
        if placement.side == Side::After { self.goes_on(placement.element) } else { None }
    }

    fn step(&self, walk: Walk) -> Walk {
        match walk {
            Walk::RightEdge(element) => self.right_edge(element),
            Walk::LeftEdge(element) => {
                let mut children = self.siblings.between(Side::Before, element..=element, LEAST..=GREATEST);
                match children.next_back() {
                    Some(first) => Walk::LeftEdge(local(first)),
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
        let last = LocalId::new(element.replica, last);
        let branch = self.siblings.between(Side::After, element..=last, LEAST..=GREATEST).next();
        let anchor = branch.map_or(last, |head| head.anchor);
        // The last child is the smallest: the first in the set, or the one that goes on.
        let head = branch.filter(|head| head.anchor == anchor);
        match pick(head, self.goes_on(anchor), |head, run| head.id < self.log.op_id(run)) {
            Some(child) => Walk::RightEdge(child),
            None => Walk::Found(Gap::After(anchor)),
        }
    }

    /// Goes up along the run of `element` to the last place where a smaller sibling branches off.
    fn behind(&self, element: LocalId) -> Walk {
        if element == LocalId::START {
            return Walk::Found(Gap::End);
        }
        let (first, _) = self.log.of(element.replica).run_around(element.seq);
        if first < element.seq {
            let anchors =
                LocalId::new(element.replica, first)..=LocalId::new(element.replica, element.seq - 1);
            let Some(branch) = self.siblings.between(Side::After, anchors, LEAST..=GREATEST).next_back()
            else {
                return Walk::Behind(LocalId::new(element.replica, first));
            };
            let placement = Placement { element: branch.anchor, side: Side::After };
            let on_path = branch.anchor.plus(1);
            return match self.next_smaller(placement, self.log.op_id(on_path)) {
                Some(sibling) => Walk::LeftEdge(sibling),
                None => Walk::Behind(branch.anchor),
            };
        }
        let placement = self.log.of(element.replica).placement(element.replica, element.seq);
        match (self.next_smaller(placement, self.log.op_id(element)), placement.side) {
            (Some(sibling), _) => Walk::LeftEdge(sibling),
            (None, Side::After) => Walk::Behind(placement.element),
            (None, Side::Before) => Walk::Found(Gap::Before(placement.element)),
        }
    }

    fn in_front(&self, element: LocalId) -> Walk {
        let placement = self.log.of(element.replica).placement(element.replica, element.seq);
        match (self.next_larger(placement, self.log.op_id(element)), placement.side) {
            (Some(sibling), _) => Walk::RightEdge(sibling),
            (None, Side::After) => Walk::Found(Gap::After(placement.element)),
            (None, Side::Before) => Walk::InFront(placement.element),
        }
    }
}

/// One of a head and a run's next element, if there is any: the head if `head_first`.
fn pick(
    head: Option<&Head>,
    run: Option<LocalId>,
    head_first: impl Fn(&Head, LocalId) -> bool,
) -> Option<LocalId> {
    match (head, run) {
        (Some(head), Some(run)) => Some(if head_first(head, run) { local(head) } else { run }),
        (Some(head), None) => Some(local(head)),
        (None, run) => run,
    }
}
