use super::{Inner, Item, Leaf, LeafId, NONE, Summary, Tree, id};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Builds a tree from the bottom up, out of items that come in order: full leaves, full nodes. O(*n*).
pub(crate) struct Builder<T: Item, const LEAF: usize, const INNER: usize> {
    /// The leaves, of which only the last is not full.
    leaves: Vec<Box<Leaf<T, LEAF>>>,
    /// The sums of all but the last, and of that.
    sums: Vec<T::Summary>,
    sum: T::Summary,
}

impl<T: Item, const LEAF: usize, const INNER: usize> Builder<T, LEAF, INNER> {
    /// Starts; about so many items will come.
    pub(crate) fn new(items: usize) -> Self {
        let leaves = items.div_ceil(LEAF).max(1);
        let mut builder = Self {
            leaves: Vec::with_capacity(leaves),
            sums: Vec::with_capacity(leaves),
            sum: T::Summary::default(),
        };
        builder.leaves.push(empty(NONE));
        builder
    }

    /// Appends an item.
    #[inline]
    pub(crate) fn push(&mut self, item: T) {
        let last = self.leaves.len() - 1;
        let mut leaf = &mut *self.leaves[last];
        if leaf.len == LEAF {
            leaf = self.open_leaf();
        }
        leaf.items[leaf.len] = item;
        leaf.len += 1;
        self.sum.add(item.summary());
    }

    /// Appends an item for each part. `fill` makes as many as it is given parts, and tells their sum.
    #[inline(always)]
    pub(crate) fn extend<P>(&mut self, mut parts: &[P], mut fill: impl FnMut(&[P], &mut [T]) -> T::Summary) {
        while !parts.is_empty() {
            let last = self.leaves.len() - 1;
            let mut leaf = &mut *self.leaves[last];
            if leaf.len == LEAF {
                leaf = self.open_leaf();
            }
            let room = &mut leaf.items[leaf.len..];
            let (now, later) = parts.split_at(parts.len().min(room.len()));
            let sum = fill(now, &mut room[..now.len()]);
            leaf.len += now.len();
            self.sum.add(sum);
            parts = later;
        }
    }

    #[cold]
    #[inline(never)]
    fn open_leaf(&mut self) -> &mut Leaf<T, LEAF> {
        let new = id(self.leaves.len());
        self.leaves[new as usize - 1].next = new;
        self.leaves.push(empty(new - 1));
        self.sums.push(core::mem::take(&mut self.sum));
        &mut self.leaves[new as usize]
    }

    /// Puts the nodes above.
    pub(crate) fn finish(self) -> Tree<T, LEAF, INNER> {
        let Self { leaves, mut sums, sum } = self;
        sums.push(sum);
        let mut tree = Tree { leaves, ..Tree::new() };
        let mut level: Vec<u32> = (0..id(tree.leaves.len())).collect();
        while level.len() > 1 {
            let mut above = Vec::with_capacity(level.len().div_ceil(INNER));
            let mut sums_above = Vec::with_capacity(above.capacity());
            for (children, sums) in level.chunks(INNER).zip(sums.chunks(INNER)) {
                let node = id(tree.inners.len());
                tree.inners.push(Inner::of(NONE, children, sums));
                for &child in children {
                    tree.set_parent(child, tree.height, node);
                }
                let mut total = T::Summary::default();
                sums.iter().for_each(|&sum| total.add(sum));
                above.push(node);
                sums_above.push(total);
            }
            (level, sums) = (above, sums_above);
            tree.height += 1;
        }
        (tree.root, tree.total, tree.settled) = (level[0], sums[0], sums[0]);
        tree
    }
}

fn empty<T: Item, const LEAF: usize>(previous: LeafId) -> Box<Leaf<T, LEAF>> {
    Box::new(Leaf { items: [T::default(); LEAF], len: 0, parent: NONE, place: 0, previous, next: NONE })
}
