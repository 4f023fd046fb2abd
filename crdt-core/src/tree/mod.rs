//! An order-statistic B-tree of small `Copy` items; knows no CRDT word.
//!
//! Every inner node keeps a [`Summary`] of each child, so that a measured place is found, and the
//! measure before an item is added up, in O(log *n*) with *n* the number of items.
//!
//! Invariants:
//! - all leaves are equally deep and linked in order; every leaf but that of an empty tree holds
//!   1 ..= `LEAF` items, every inner node 1 ..= `INNER` children;
//! - the summary kept for a child is the sum over its items;
//! - a [`LeafId`] never changes its meaning: splitting moves the upper items to a new leaf and
//!   reports each of them, so that an index from outside can follow.
//!
//! Items are replaced and inserted, and never removed down to nothing: leaves are not merged.
//! Ends split unevenly, so that appending and prepending fill their leaves.

mod invariants;
#[cfg(test)]
mod tests;

use alloc::vec;
use alloc::vec::Vec;

/// Something that adds up along the tree.
pub(crate) trait Summary: Copy + Default + PartialEq + core::fmt::Debug {
    /// Adds `other`.
    fn add(&mut self, other: Self);
    /// Takes `other` away; it was added before.
    fn sub(&mut self, other: Self);
}

/// What the tree holds.
pub(crate) trait Item: Copy {
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

const NONE: u32 = u32::MAX;

#[derive(Clone)]
struct Leaf<T> {
    items: Vec<T>,
    parent: u32,
    previous: LeafId,
    next: LeafId,
}

#[derive(Clone)]
struct Inner<S> {
    /// Leaves at height 1, inner nodes above.
    children: Vec<u32>,
    sums: Vec<S>,
    parent: u32,
}

/// The tree. `LEAF` ≥ 4 and `INNER` ≥ 3.
#[derive(Clone)]
pub(crate) struct Tree<T: Item, const LEAF: usize, const INNER: usize> {
    leaves: Vec<Leaf<T>>,
    inners: Vec<Inner<T::Summary>>,
    root: u32,
    /// 0 while the root is a leaf.
    height: u32,
    first: LeafId,
    total: T::Summary,
}

impl<T: Item, const LEAF: usize, const INNER: usize> Tree<T, LEAF, INNER> {
    pub(crate) fn new() -> Self {
        const { assert!(LEAF >= 4 && INNER >= 3) };
        Self {
            leaves: vec![Leaf { items: Vec::new(), parent: NONE, previous: NONE, next: NONE }],
            inners: Vec::new(),
            root: 0,
            height: 0,
            first: 0,
            total: T::Summary::default(),
        }
    }

    /// The sum over all items.
    pub(crate) fn total(&self) -> T::Summary {
        self.total
    }

    /// The items of one leaf, in order.
    #[inline]
    pub(crate) fn items(&self, leaf: LeafId) -> &[T] {
        &self.leaves[leaf as usize].items
    }

    #[inline]
    pub(crate) fn get(&self, slot: Slot) -> T {
        self.leaves[slot.leaf as usize].items[slot.index]
    }

    /// The place of the first item.
    pub(crate) fn first_slot(&self) -> Option<Slot> {
        (!self.items(self.first).is_empty()).then_some(Slot { leaf: self.first, index: 0 })
    }

    /// The place of the last item. O(log *n*).
    pub(crate) fn last_slot(&self) -> Option<Slot> {
        let mut node = self.root;
        for _ in 0..self.height {
            node = *self.inners[node as usize].children.last()?;
        }
        let index = self.items(node).len().checked_sub(1)?;
        Some(Slot { leaf: node, index })
    }

    /// The leaf that a first item would go to.
    pub(crate) fn first_leaf(&self) -> LeafId {
        self.first
    }

    /// The place of the item behind.
    #[inline]
    pub(crate) fn next(&self, slot: Slot) -> Option<Slot> {
        let leaf = &self.leaves[slot.leaf as usize];
        if slot.index + 1 < leaf.items.len() {
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

    /// Finds the item that holds unit `unit` as `measure` counts units, and the units of it in
    /// front. `None` if the tree measures less.
    #[inline]
    pub(crate) fn seek(&self, measure: impl Fn(T::Summary) -> usize, unit: usize) -> Option<(Slot, usize)> {
        if unit >= measure(self.total) {
            return None;
        }
        let mut rest = unit;
        let mut node = self.root;
        for _ in 0..self.height {
            let inner = &self.inners[node as usize];
            let mut child = 0;
            loop {
                let size = measure(inner.sums[child]);
                if rest < size {
                    break;
                }
                rest -= size;
                child += 1;
            }
            node = inner.children[child];
        }
        for (index, item) in self.items(node).iter().enumerate() {
            let size = measure(item.summary());
            if rest < size {
                return Some((Slot { leaf: node, index }, rest));
            }
            rest -= size;
        }
        unreachable!("the summaries promised a unit that the items do not hold")
    }

    /// The sum over all items in front of `slot`.
    pub(crate) fn sum_before(&self, slot: Slot) -> T::Summary {
        let leaf = &self.leaves[slot.leaf as usize];
        let mut sum = T::Summary::default();
        for item in &leaf.items[..slot.index] {
            sum.add(item.summary());
        }
        let (mut child, mut parent) = (slot.leaf, leaf.parent);
        while parent != NONE {
            let inner = &self.inners[parent as usize];
            for (&other, &other_sum) in inner.children.iter().zip(&inner.sums) {
                if other == child {
                    break;
                }
                sum.add(other_sum);
            }
            (child, parent) = (parent, inner.parent);
        }
        sum
    }

    /// Puts `item` in the place of another.
    #[inline]
    pub(crate) fn replace(&mut self, slot: Slot, item: T) {
        let place = &mut self.leaves[slot.leaf as usize].items[slot.index];
        let (old, new) = (place.summary(), item.summary());
        *place = item;
        self.adjust(slot.leaf, old, new);
    }

    /// Puts `new` (1 to 4 items) in the place of the `replaced` items from `index` on. Items that
    /// land in another leaf than before are reported with it, new ones among them; new items that
    /// are not reported are in `leaf`.
    pub(crate) fn splice(
        &mut self,
        leaf: LeafId,
        index: usize,
        replaced: usize,
        new: &[T],
        moved: impl FnMut(&T, LeafId),
    ) {
        debug_assert!(!new.is_empty() && new.len() <= 4, "a splice brings 1 to 4 items");
        let items = &mut self.leaves[leaf as usize].items;
        let (mut old_sum, mut new_sum) = (T::Summary::default(), T::Summary::default());
        for item in &items[index..index + replaced] {
            old_sum.add(item.summary());
        }
        for item in new {
            new_sum.add(item.summary());
        }
        if items.len() - replaced + new.len() > items.capacity() {
            items.reserve_exact((items.len() + new.len()).next_power_of_two().min(LEAF + 4) - items.len());
        }
        if replaced == new.len() {
            items[index..index + replaced].copy_from_slice(new);
        } else {
            items.splice(index..index + replaced, new.iter().copied());
        }
        let len = items.len();
        self.adjust(leaf, old_sum, new_sum);
        if len > LEAF {
            let at = if index + new.len() == len && self.leaves[leaf as usize].next == NONE {
                LEAF
            } else if index == 0 && self.leaves[leaf as usize].previous == NONE {
                len - LEAF
            } else {
                len / 2
            };
            self.split_leaf(leaf, at, moved);
        }
    }

    /// Corrects the sums above `leaf`.
    #[inline]
    fn adjust(&mut self, leaf: LeafId, old: T::Summary, new: T::Summary) {
        if old == new {
            return;
        }
        self.total.add(new);
        self.total.sub(old);
        let (mut child, mut parent) = (leaf, self.leaves[leaf as usize].parent);
        while parent != NONE {
            let inner = &mut self.inners[parent as usize];
            let place = child_place(inner, child);
            inner.sums[place].add(new);
            inner.sums[place].sub(old);
            (child, parent) = (parent, inner.parent);
        }
    }

    fn split_leaf(&mut self, leaf: LeafId, at: usize, mut moved: impl FnMut(&T, LeafId)) {
        let right_id = id(self.leaves.len());
        let left = &mut self.leaves[leaf as usize];
        let mut items = Vec::with_capacity(LEAF / 2 + 4);
        items.extend_from_slice(&left.items[at..]);
        left.items.truncate(at);
        let mut sum = T::Summary::default();
        for item in &items {
            moved(item, right_id);
            sum.add(item.summary());
        }
        let right = Leaf { items, parent: left.parent, previous: leaf, next: left.next };
        left.next = right_id;
        if right.next != NONE {
            self.leaves[right.next as usize].previous = right_id;
        }
        self.leaves.push(right);
        let parent = self.leaves[leaf as usize].parent;
        self.insert_child(parent, leaf, right_id, sum, 0);
    }

    /// Hangs `right`, split off `left` and of sum `sum`, behind it. `level` is that of the two.
    fn insert_child(&mut self, parent: u32, left: u32, right: u32, sum: T::Summary, level: u32) {
        if parent == NONE {
            let mut left_sum = self.total;
            left_sum.sub(sum);
            self.root = id(self.inners.len());
            self.height += 1;
            let inner = Inner { children: vec![left, right], sums: vec![left_sum, sum], parent: NONE };
            self.inners.push(inner);
            self.set_parent(left, level, self.root);
            self.set_parent(right, level, self.root);
            return;
        }
        let inner = &mut self.inners[parent as usize];
        let place = child_place(inner, left);
        inner.sums[place].sub(sum);
        inner.children.insert(place + 1, right);
        inner.sums.insert(place + 1, sum);
        let len = inner.children.len();
        if len <= INNER {
            return;
        }
        let at = if place + 2 == len { INNER } else { len / 2 };
        let children = inner.children.split_off(at);
        let sums = inner.sums.split_off(at);
        let grandparent = inner.parent;
        let new_id = id(self.inners.len());
        let mut new_sum = T::Summary::default();
        for &part in &sums {
            new_sum.add(part);
        }
        for &child in &children {
            self.set_parent(child, level, new_id);
        }
        self.inners.push(Inner { children, sums, parent: grandparent });
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

fn child_place<S>(inner: &Inner<S>, child: u32) -> usize {
    inner.children.iter().position(|&other| other == child).expect("a child is listed at its parent")
}

/// Leaves and inner nodes are named by 32 bits; each leaf holds an item of at least one of the
/// fewer than 2^32 operations, so that the names suffice.
fn id(len: usize) -> u32 {
    u32::try_from(len).expect("fewer nodes than operations")
}
