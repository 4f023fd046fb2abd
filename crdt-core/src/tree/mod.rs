//! An order-statistic B-tree of small `Copy` items; knows no CRDT word.
//!
//! Every inner node keeps a [`Summary`] of each child, so that a measured place is found, and the
//! measure before an item is added up, in O(log *n*) with *n* the number of items.
//!
//! Edits come in bursts at one place. So the summaries above one leaf, the *open* one, may lag
//! behind by a difference that is kept beside them: an edit there touches the leaf alone, and the
//! nodes above are settled once, when the next edit goes to another leaf. Readers add the difference.
//!
//! Invariants:
//! - all leaves are equally deep and linked in order; every leaf but that of an empty tree holds
//!   1 ..= `LEAF` items, every inner node 1 ..= `INNER` children;
//! - the summary kept for a child is the sum over its items, less what is unsettled if the open leaf
//!   is below it; the total is always exact;
//! - a [`LeafId`] never changes its meaning: splitting moves the upper items to a new leaf and
//!   reports each of them, so that an index from outside can follow.
//!
//! Items are replaced and inserted, and never removed down to nothing: leaves are not merged.
//! Ends split unevenly, so that appending and prepending fill their leaves.

mod build;
mod invariants;
#[cfg(test)]
mod tests;

pub(crate) use build::Builder;

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// Something that adds up along the tree.
///
/// Differences are summaries too: adding and taking away wrap, and the sum of them all comes out right.
pub(crate) trait Summary: Copy + Default + PartialEq + core::fmt::Debug {
    /// Adds `other`.
    fn add(&mut self, other: Self);
    /// Takes `other` away.
    fn sub(&mut self, other: Self);
}

/// What the tree holds. The default fills the room that is free.
pub(crate) trait Item: Copy + Default {
    /// What adds up.
    type Summary: Summary;
    /// The item's own share.
    fn summary(&self) -> Self::Summary;
}

/// The name of a leaf, stable for the life of the tree.
pub(crate) type LeafId = u32;

/// A place that holds an item: valid until the next change of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) leaf: LeafId,
    pub(crate) index: usize,
}

/// What a descent found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found<S> {
    pub(crate) slot: Slot,
    /// The sum over all items in front of the one at `slot`.
    pub(crate) before: S,
    /// The sums in front of its leaf and behind it.
    pub(crate) leaf: (S, S),
}

const NONE: u32 = u32::MAX;

/// So many parts are passed over at once: they add up without waiting for a comparison each.
const GROUP: usize = 4;

#[derive(Clone)]
struct Leaf<T, const LEAF: usize> {
    len: usize,
    parent: u32,
    /// Where the parent had it when that was last looked for.
    place: u32,
    previous: LeafId,
    next: LeafId,
    items: [T; LEAF],
}

impl<T: Copy, const LEAF: usize> Leaf<T, LEAF> {
    #[inline]
    fn items(&self) -> &[T] {
        &self.items[..self.len]
    }
}

#[derive(Clone)]
struct Inner<S, const INNER: usize> {
    len: usize,
    parent: u32,
    /// As of leaves.
    place: u32,
    /// Leaves at height 1, inner nodes above.
    children: [u32; INNER],
    sums: [S; INNER],
}

impl<S: Summary, const INNER: usize> Inner<S, INNER> {
    fn of(parent: u32, children: &[u32], sums: &[S]) -> Self {
        let mut inner = Self {
            len: children.len(),
            parent,
            place: 0,
            children: [NONE; INNER],
            sums: [S::default(); INNER],
        };
        inner.children[..children.len()].copy_from_slice(children);
        inner.sums[..sums.len()].copy_from_slice(sums);
        inner
    }

    fn children(&self) -> &[u32] {
        &self.children[..self.len]
    }

    fn place(&self, child: u32) -> usize {
        let place = self.children().iter().position(|&other| other == child);
        place.expect("a child is listed at its parent")
    }

    /// Adds `more` to the sum of `child`, which is probably at `hint`. Tells where it is.
    fn add_to(&mut self, child: u32, hint: u32, more: S) -> u32 {
        let place = match self.children().get(hint as usize) {
            Some(&other) if other == child => hint,
            _ => {
                // New children moved it on, unless its node was cut.
                let behind = self.children().iter().skip(hint as usize);
                let moved = behind.zip(hint..).find(|&(&other, _)| other == child);
                moved.map_or_else(|| id(self.place(child)), |(_, place)| place)
            }
        };
        self.sums[place as usize].add(more);
        place
    }

    fn insert(&mut self, place: usize, child: u32, sum: S) {
        self.children.copy_within(place..self.len, place + 1);
        self.sums.copy_within(place..self.len, place + 1);
        self.children[place] = child;
        self.sums[place] = sum;
        self.len += 1;
    }
}

/// The tree. `LEAF` ≥ 4 and `INNER` ≥ 3.
#[derive(Clone)]
pub(crate) struct Tree<T: Item, const LEAF: usize, const INNER: usize> {
    /// Boxed, so that growing the list moves no items.
    leaves: Vec<Box<Leaf<T, LEAF>>>,
    inners: Vec<Inner<T::Summary, INNER>>,
    root: u32,
    /// 0 while the root is a leaf.
    height: u32,
    first: LeafId,
    total: T::Summary,
    /// The leaf whose edits the nodes above have not been told of.
    open: LeafId,
    /// What the total was when they were told everything.
    settled: T::Summary,
}

impl<T: Item, const LEAF: usize, const INNER: usize> Tree<T, LEAF, INNER> {
    pub(crate) fn new() -> Self {
        const { assert!(LEAF >= 4 && INNER >= 3) };
        Self {
            leaves: vec![Box::new(Leaf {
                items: [T::default(); LEAF],
                len: 0,
                parent: NONE,
                place: 0,
                previous: NONE,
                next: NONE,
            })],
            inners: Vec::new(),
            root: 0,
            height: 0,
            first: 0,
            total: T::Summary::default(),
            open: 0,
            settled: T::Summary::default(),
        }
    }

    /// The sum over all items.
    #[inline]
    pub(crate) fn total(&self) -> T::Summary {
        self.total
    }

    /// What the nodes above the open leaf have not been told of.
    #[inline]
    fn unsettled(&self) -> T::Summary {
        let mut unsettled = self.total;
        unsettled.sub(self.settled);
        unsettled
    }

    /// How many leaves there are.
    pub(crate) fn leaf_count(&self) -> usize {
        self.leaves.len()
    }

    /// The items of one leaf, in order.
    #[inline]
    pub(crate) fn items(&self, leaf: LeafId) -> &[T] {
        self.leaves[leaf as usize].items()
    }

    #[inline]
    pub(crate) fn get(&self, slot: Slot) -> T {
        self.leaves[slot.leaf as usize].items[slot.index]
    }

    /// The place of the first item.
    #[inline]
    pub(crate) fn first_slot(&self) -> Option<Slot> {
        (!self.items(self.first).is_empty()).then_some(Slot { leaf: self.first, index: 0 })
    }

    /// The place of the last item. O(log *n*).
    pub(crate) fn last_slot(&self) -> Option<Slot> {
        let mut node = self.root;
        for _ in 0..self.height {
            node = *self.inners[node as usize].children().last()?;
        }
        let index = self.items(node).len().checked_sub(1)?;
        Some(Slot { leaf: node, index })
    }

    /// The leaf that a first item would go to.
    pub(crate) fn first_leaf(&self) -> LeafId {
        self.first
    }

    /// The leaf behind.
    pub(crate) fn next_leaf(&self, leaf: LeafId) -> Option<LeafId> {
        let next = self.leaves[leaf as usize].next;
        (next != NONE).then_some(next)
    }

    /// The place of the item behind.
    #[inline]
    pub(crate) fn next(&self, slot: Slot) -> Option<Slot> {
        let leaf = &self.leaves[slot.leaf as usize];
        if slot.index + 1 < leaf.len {
            return Some(Slot { leaf: slot.leaf, index: slot.index + 1 });
        }
        (leaf.next != NONE).then_some(Slot { leaf: leaf.next, index: 0 })
    }

    /// The place of the item in front.
    #[inline]
    pub(crate) fn previous(&self, slot: Slot) -> Option<Slot> {
        if slot.index > 0 {
            return Some(Slot { leaf: slot.leaf, index: slot.index - 1 });
        }
        let leaf = self.leaves[slot.leaf as usize].previous;
        (leaf != NONE).then(|| Slot { leaf, index: self.items(leaf).len() - 1 })
    }

    /// Finds the item that holds unit `unit` as `measure` counts units. `None` if the tree measures
    /// less.
    #[inline]
    pub(crate) fn seek(
        &self,
        measure: impl Fn(T::Summary) -> usize,
        unit: usize,
    ) -> Option<Found<T::Summary>> {
        if unit >= measure(self.total) {
            return None;
        }
        let settled = self.total == self.settled;
        let mut before = T::Summary::default();
        let mut behind = self.total;
        let mut node = self.root;
        for level in (0..self.height).rev() {
            let inner = &self.inners[node as usize];
            let open = if settled { NONE } else { self.above_open(level) };
            let place = if settled || !inner.children().contains(&open) {
                find(&inner.sums[..inner.len], |&sum| sum, &measure, unit, &mut before)
            } else {
                let lagging = inner.place(open);
                let mut sums = inner.sums;
                sums[lagging].add(self.unsettled());
                find(&sums[..inner.len], |&sum| sum, &measure, unit, &mut before)
            };
            behind = before;
            behind.add(inner.sums[place]);
            node = inner.children[place];
            if node == open {
                behind.add(self.unsettled());
            }
        }
        let leaf = (before, behind);
        let index = find(self.items(node), T::summary, &measure, unit, &mut before);
        Some(Found { slot: Slot { leaf: node, index }, before, leaf })
    }

    /// The node at `level` above the open leaf; at level 0 the leaf itself.
    fn above_open(&self, level: u32) -> u32 {
        let mut node = self.open;
        for below in 0..level {
            node = self.parent(node, below);
        }
        node
    }

    fn parent(&self, node: u32, level: u32) -> u32 {
        if level == 0 { self.leaves[node as usize].parent } else { self.inners[node as usize].parent }
    }

    /// The sum over all items in front of `slot`.
    pub(crate) fn sum_before(&self, slot: Slot) -> T::Summary {
        let leaf = &self.leaves[slot.leaf as usize];
        let mut sum = T::Summary::default();
        for item in &leaf.items[..slot.index] {
            sum.add(item.summary());
        }
        let (mut child, mut parent, mut open) = (slot.leaf, leaf.parent, self.open);
        for level in 0..self.height {
            let inner = &self.inners[parent as usize];
            for (&other, &other_sum) in inner.children.iter().zip(&inner.sums) {
                if other == child {
                    break;
                }
                sum.add(other_sum);
                if other == open {
                    sum.add(self.unsettled());
                }
            }
            (child, parent) = (parent, inner.parent);
            open = self.parent(open, level);
        }
        sum
    }

    /// Which of two leaves comes first. O(height · children of a node).
    pub(crate) fn order(&self, one: LeafId, other: LeafId) -> Ordering {
        let (mut one, mut other) = (one, other);
        for level in 0..self.height {
            if one == other {
                break;
            }
            let parents = (self.parent(one, level), self.parent(other, level));
            if parents.0 == parents.1 {
                let inner = &self.inners[parents.0 as usize];
                return inner.place(one).cmp(&inner.place(other));
            }
            (one, other) = parents;
        }
        Ordering::Equal
    }

    /// Puts `item` in the place of another.
    #[inline]
    pub(crate) fn replace(&mut self, slot: Slot, item: T) {
        let place = &mut self.leaves[slot.leaf as usize].items[slot.index];
        let mut more = item.summary();
        more.sub(place.summary());
        *place = item;
        if more != T::Summary::default() {
            self.adjust(slot.leaf, more);
        }
    }

    /// The item at `slot`, to be changed; what that adds to its sum is to be told to [`Tree::adjust`].
    #[inline(always)]
    pub(crate) fn get_mut(&mut self, slot: Slot) -> &mut T {
        &mut self.leaves[slot.leaf as usize].items[slot.index]
    }

    /// The items of one leaf, to be changed; what that adds to their sum is to be told to
    /// [`Tree::adjust`].
    #[inline(always)]
    pub(crate) fn items_mut(&mut self, leaf: LeafId) -> &mut [T] {
        let Leaf { items, len, .. } = &mut *self.leaves[leaf as usize];
        &mut items[..*len]
    }

    /// Puts `new` (1 to 3 items, at most 2 more than `replaced`) in the place of the `replaced` items
    /// from `index` on, and tells where the first of them is now. Items that land in another leaf than before are reported
    /// with it, new ones among them; new items that are not reported are in `leaf`.
    #[inline]
    pub(crate) fn splice<const NEW: usize>(
        &mut self,
        leaf: LeafId,
        index: usize,
        replaced: usize,
        new: [T; NEW],
        mut moved: impl FnMut(&T, LeafId),
    ) -> Slot {
        debug_assert!((1..=3).contains(&NEW) && replaced <= 3, "splices are small");
        debug_assert!(NEW <= replaced + 2, "half a leaf has room for what is added");
        let mut slot = Slot { leaf, index };
        if self.leaves[leaf as usize].len + NEW > LEAF + replaced {
            slot = self.make_room(slot, replaced, &mut moved);
            if slot.leaf != leaf {
                new.iter().for_each(|item| moved(item, slot.leaf));
            }
        }
        let Leaf { items, len, .. } = &mut *self.leaves[slot.leaf as usize];
        let mut more = T::Summary::default();
        for item in &items[slot.index..slot.index + replaced] {
            more.sub(item.summary());
        }
        for item in &new {
            more.add(item.summary());
        }
        if replaced != NEW {
            items.copy_within(slot.index + replaced..*len, slot.index + NEW);
            *len = *len + NEW - replaced;
        }
        for (place, item) in items[slot.index..slot.index + NEW].iter_mut().zip(new) {
            *place = item;
        }
        self.adjust(slot.leaf, more);
        slot
    }

    /// Notes that the items of `leaf` add up to `more` than before.
    #[inline(always)]
    pub(crate) fn adjust(&mut self, leaf: LeafId, more: T::Summary) {
        if self.open != leaf {
            self.settle();
            self.open = leaf;
        }
        self.total.add(more);
    }

    /// As [`Tree::adjust`] for the leaf of the edit before.
    #[inline(always)]
    pub(crate) fn adjust_open(&mut self, leaf: LeafId, more: T::Summary) {
        debug_assert_eq!(self.open, leaf, "the leaf of the edit before is open");
        self.total.add(more);
    }

    /// Tells the nodes above the open leaf of its edits. Descents are a little quicker then.
    pub(crate) fn settle(&mut self) {
        if self.total == self.settled {
            return;
        }
        let unsettled = self.unsettled();
        let leaf = &mut *self.leaves[self.open as usize];
        let (mut child, mut parent) = (self.open, leaf.parent);
        if parent != NONE {
            leaf.place = self.inners[parent as usize].add_to(child, leaf.place, unsettled);
        }
        while parent != NONE {
            (child, parent) = (parent, self.inners[parent as usize].parent);
            if parent != NONE {
                let hint = self.inners[child as usize].place;
                let place = self.inners[parent as usize].add_to(child, hint, unsettled);
                self.inners[child as usize].place = place;
            }
        }
        self.settled = self.total;
    }

    /// Splits the leaf at `slot` so that new items fit where the `replaced` items from there on are,
    /// and tells where those are then.
    #[cold]
    fn make_room(&mut self, slot: Slot, replaced: usize, moved: &mut impl FnMut(&T, LeafId)) -> Slot {
        let Slot { leaf, index } = slot;
        let here = &self.leaves[leaf as usize];
        let end = index + replaced;
        let middle = here.len / 2;
        let (at, right) = if end == here.len && here.next == NONE {
            (index, true)
        } else if index == 0 && here.previous == NONE {
            (end, false)
        } else if index < middle && middle < end {
            // Either side has room for so few.
            if index > 0 { (index, true) } else { (end, false) }
        } else {
            (middle, index >= middle)
        };
        let new = self.split_leaf(leaf, at, moved);
        if right { Slot { leaf: new, index: index - at } } else { slot }
    }

    /// Moves the items from `at` on to a new leaf.
    fn split_leaf(&mut self, leaf: LeafId, at: usize, moved: &mut impl FnMut(&T, LeafId)) -> LeafId {
        self.settle();
        let right_id = id(self.leaves.len());
        let left = &mut *self.leaves[leaf as usize];
        let mut right = Box::new(Leaf {
            items: [T::default(); LEAF],
            len: left.len - at,
            parent: left.parent,
            place: left.place + 1,
            previous: leaf,
            next: left.next,
        });
        right.items[..left.len - at].copy_from_slice(&left.items[at..left.len]);
        left.len = at;
        left.next = right_id;
        let parent = left.parent;
        let mut sum = T::Summary::default();
        for item in right.items() {
            moved(item, right_id);
            sum.add(item.summary());
        }
        if right.next != NONE {
            self.leaves[right.next as usize].previous = right_id;
        }
        self.leaves.push(right);
        self.insert_child(parent, leaf, right_id, sum, 0);
        right_id
    }

    /// Hangs `right`, split off `left` and of sum `sum`, behind it. `level` is that of the two.
    fn insert_child(&mut self, parent: u32, left: u32, right: u32, sum: T::Summary, level: u32) {
        if parent == NONE {
            let mut left_sum = self.total;
            left_sum.sub(sum);
            self.root = id(self.inners.len());
            self.height += 1;
            self.inners.push(Inner::of(NONE, &[left, right], &[left_sum, sum]));
            self.set_parent(left, level, self.root);
            self.set_parent(right, level, self.root);
            return;
        }
        let new_id = id(self.inners.len());
        let inner = &mut self.inners[parent as usize];
        let place = inner.place(left);
        inner.sums[place].sub(sum);
        if inner.len < INNER {
            inner.insert(place + 1, right, sum);
            return;
        }
        // Full: the upper half, or at the very end the new child alone, goes to a node of its own.
        let at = if place + 1 == INNER { INNER } else { INNER / 2 };
        let grandparent = inner.parent;
        let mut new = Inner::of(grandparent, &inner.children[at..], &inner.sums[at..]);
        inner.len = at;
        if place < at && at < INNER {
            inner.insert(place + 1, right, sum);
        } else {
            new.insert(place + 1 - at, right, sum);
        }
        let mut new_sum = T::Summary::default();
        for &part in &new.sums[..new.len] {
            new_sum.add(part);
        }
        for &child in new.children() {
            self.set_parent(child, level, new_id);
        }
        self.inners.push(new);
        self.insert_child(grandparent, parent, new_id, new_sum, level + 1);
    }

    fn set_parent(&mut self, node: u32, level: u32, parent: u32) {
        if level == 0 {
            self.leaves[node as usize].parent = parent;
        } else {
            self.inners[node as usize].parent = parent;
        }
    }
}

/// The part that holds unit `unit`, and adds the parts in front of it to `before`.
#[inline(always)]
fn find<P, S: Summary>(
    parts: &[P],
    sum: impl Fn(&P) -> S,
    measure: &impl Fn(S) -> usize,
    unit: usize,
    before: &mut S,
) -> usize {
    let (groups, _) = parts.as_chunks::<GROUP>();
    let mut skipped = 0;
    for group in groups {
        let mut end = *before;
        group.iter().for_each(|part| end.add(sum(part)));
        if unit < measure(end) {
            break;
        }
        *before = end;
        skipped += GROUP;
    }
    for (place, part) in parts.iter().enumerate().skip(skipped) {
        let mut end = *before;
        end.add(sum(part));
        if unit < measure(end) {
            return place;
        }
        *before = end;
    }
    unreachable!("the summaries promised a unit that is not there")
}

/// Leaves and inner nodes are named by 32 bits; each leaf holds an item of at least one of the
/// fewer than 2^32 operations, so that the names suffice.
fn id(len: usize) -> u32 {
    u32::try_from(len).expect("fewer nodes than operations")
}
