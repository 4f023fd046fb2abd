use super::{Item, NONE, Summary, Tree};

impl<T: Item, const LEAF: usize, const INNER: usize> Tree<T, LEAF, INNER> {
    /// Stops at once if an invariant of the tree does not hold. O(*n*); for tests.
    pub(crate) fn assert_invariants(&self) {
        let mut leaves = 0;
        let mut previous = NONE;
        let total = self.check_node(self.root, self.height, NONE, &mut previous, &mut leaves);
        assert_eq!(total, self.total, "the total is the sum over the items");
        assert_eq!(leaves, self.leaves.len(), "every leaf hangs in the tree");
        assert!(previous == NONE || self.leaves[previous as usize].next == NONE, "the last leaf has no next");
    }

    fn check_node(
        &self,
        node: u32,
        level: u32,
        parent: u32,
        previous: &mut u32,
        leaves: &mut usize,
    ) -> T::Summary {
        let mut sum = T::Summary::default();
        if level == 0 {
            let leaf = &self.leaves[node as usize];
            assert_eq!(leaf.parent, parent, "a leaf knows its parent");
            assert_eq!(leaf.previous, *previous, "leaves are linked in order");
            assert!(leaf.len <= LEAF, "a leaf is not overfull");
            assert!(leaf.len > 0 || self.height == 0, "only an empty tree has an empty leaf");
            if *previous == NONE {
                assert_eq!(self.first, node, "the first leaf is known");
            } else {
                assert_eq!(self.leaves[*previous as usize].next, node, "leaves are linked in order");
            }
            *previous = node;
            *leaves += 1;
            for item in leaf.items() {
                sum.add(item.summary());
            }
            return sum;
        }
        let inner = &self.inners[node as usize];
        assert_eq!(inner.parent, parent, "a node knows its parent");
        assert!((1..=INNER).contains(&inner.len), "a node is neither empty nor overfull");
        for (&child, &kept) in inner.children().iter().zip(&inner.sums) {
            let counted = self.check_node(child, level - 1, node, previous, leaves);
            let mut settled = kept;
            if child == self.above_open(level - 1) {
                settled.add(self.unsettled());
            }
            assert_eq!(settled, counted, "the summary kept for a child is the sum over its items");
            sum.add(counted);
        }
        sum
    }
}
