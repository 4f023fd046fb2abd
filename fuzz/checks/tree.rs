//! Bytes as changes of the order-statistic tree, made on a plain list too.
//!
//! The tree is no part of the public interface, so its source is compiled in here, with nodes as small as those of its own
//! tests: a few items split leaves and inner nodes.

#[allow(dead_code)]
#[path = "../../crdt-core/src/tree/mod.rs"]
mod compiled_in;

use compiled_in::{Builder, Item, LeafId, Slot, Summary, Tree};
use std::collections::BTreeMap;

/// The most changes that are read: each is followed by a look at everything.
const MAX_STEPS: usize = 200;

/// An item with a name of its own, and two measures as text has them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Stone {
    name: u32,
    weight: Weight,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Weight {
    units: usize,
    halves: usize,
}

impl Summary for Weight {
    fn add(&mut self, other: Self) {
        self.units = self.units.wrapping_add(other.units);
        self.halves = self.halves.wrapping_add(other.halves);
    }
    fn sub(&mut self, other: Self) {
        self.units = self.units.wrapping_sub(other.units);
        self.halves = self.halves.wrapping_sub(other.halves);
    }
}

impl Item for Stone {
    type Summary = Weight;
    fn summary(&self) -> Weight {
        self.weight
    }
}

type Small = Tree<Stone, 4, 3>;

/// The tree, the list, and in which leaf each item is as the tree has told.
struct Both {
    tree: Small,
    list: Vec<Stone>,
    leaf_of: BTreeMap<u32, LeafId>,
    next_name: u32,
}

/// Builds a tree of so many items as the first byte says, and changes it as three bytes at a time say.
pub(crate) fn check(bytes: &[u8]) {
    let (&built, steps) = bytes.split_first().unwrap_or((&0, &[]));
    let mut both = Both::built(usize::from(built % 64));
    both.compare();
    for &[what, place, weight] in steps.as_chunks().0.iter().take(MAX_STEPS) {
        let at = match place {
            255 => both.list.len(),
            _ => usize::from(place) * (both.list.len() + 1) / 256,
        };
        match what % 8 {
            0..=4 => both.splice(at, 1 + usize::from(what >> 3 & 1), what & 16 != 0, what >> 5, weight),
            5 => both.replace(at, weight),
            6 => both.go_on(at, weight),
            _ => both.tree.settle(),
        }
        both.tree.assert_invariants();
        both.compare_at(usize::from(weight));
    }
    both.compare();
    both.tree.settle();
    both.compare();
}

fn weight(byte: u8) -> Weight {
    // Deleted ones weigh nothing, and many are deleted.
    let units = usize::from(byte % 8).saturating_sub(3);
    Weight { units, halves: units + usize::from(byte >> 7) * units }
}

impl Both {
    fn built(count: usize) -> Self {
        let list: Vec<Stone> = (0..count)
            .zip(0..)
            .map(|(at, name)| Stone {
                name,
                weight: weight(u8::try_from(at * 37 % 256).expect("less than 256")),
            })
            .collect();
        let mut builder = Builder::new(count);
        list.iter().for_each(|&stone| builder.push(stone));
        let tree: Small = builder.finish();
        let mut leaf_of = BTreeMap::new();
        let mut slot = tree.first_slot();
        while let Some(here) = slot {
            leaf_of.insert(tree.get(here).name, here.leaf);
            slot = tree.next(here);
        }
        Self { tree, list, leaf_of, next_name: u32::try_from(count).expect("few") }
    }

    /// Where the tree has an item of the list, by what it told about leaves.
    fn slot(&self, at: usize) -> Slot {
        let leaf = self.leaf_of[&self.list[at].name];
        let index = self.tree.items(leaf).iter().position(|stone| *stone == self.list[at]);
        Slot { leaf, index: index.expect("the item is in the leaf that was told") }
    }

    /// Puts new items behind the one in front of `at`, with that one in their midst or left alone.
    fn splice(&mut self, at: usize, count: usize, replaces: bool, midst: u8, byte: u8) {
        let (leaf, index) = match at.checked_sub(1) {
            None => (self.tree.first_leaf(), 0),
            Some(left) => {
                let slot = self.slot(left);
                (slot.leaf, slot.index + 1)
            }
        };
        let mut new: Vec<Stone> = (0..count)
            .zip(self.next_name..)
            .map(|(turn, name)| Stone { name, weight: weight(byte.rotate_left(3 * u32::from(turn > 0))) })
            .collect();
        self.next_name += 2;
        for stone in &new {
            self.leaf_of.insert(stone.name, leaf);
        }
        let replaced = usize::from(replaces && index > 0);
        if replaced == 1 {
            new.insert(usize::from(midst) % (new.len() + 1), self.list[at - 1]);
        }
        let leaf_of = &mut self.leaf_of;
        let moved = |stone: &Stone, leaf| {
            leaf_of.insert(stone.name, leaf);
        };
        let first = index - replaced;
        let slot = match new[..] {
            [one] => self.tree.splice(leaf, first, replaced, [one], moved),
            [one, two] => self.tree.splice(leaf, first, replaced, [one, two], moved),
            [one, two, three] => self.tree.splice(leaf, first, replaced, [one, two, three], moved),
            _ => unreachable!("one to three are put in"),
        };
        assert!(self.tree.items(slot.leaf)[slot.index..].starts_with(&new), "the new ones stand together");
        self.list.splice(at - replaced..at, new);
    }

    fn replace(&mut self, at: usize, byte: u8) {
        if at < self.list.len() {
            let slot = self.slot(at);
            self.list[at].weight = weight(byte);
            self.tree.replace(slot, self.list[at]);
        }
    }

    /// Changes an item in its place, as typing on does.
    fn go_on(&mut self, at: usize, byte: u8) {
        if at < self.list.len() {
            let slot = self.slot(at);
            let more = weight(byte);
            self.list[at].weight.add(more);
            self.tree.get_mut(slot).weight.add(more);
            self.tree.adjust(slot.leaf, more);
        }
    }

    /// What stands at one unit, and what is known of that place.
    fn compare_at(&self, unit: usize) {
        let total = self.sum(self.list.len());
        assert_eq!(self.tree.total(), total);
        let Some(found) = self.tree.seek(|weight| weight.units, unit) else {
            assert!(unit >= total.units, "every unit is found");
            return;
        };
        let at = self
            .list
            .iter()
            .position(|stone| *stone == self.tree.get(found.slot))
            .expect("it is in the list");
        let before = self.sum(at);
        assert_eq!(found.before, before);
        assert!((before.units..before.units + self.list[at].weight.units).contains(&unit));
        assert_eq!(self.tree.sum_before(found.slot), before);
    }

    fn sum(&self, items: usize) -> Weight {
        let mut sum = Weight::default();
        self.list[..items].iter().for_each(|stone| sum.add(stone.weight));
        sum
    }

    /// Everything.
    fn compare(&self) {
        self.tree.assert_invariants();
        assert_eq!(self.tree.total(), self.sum(self.list.len()));
        let mut before = Weight::default();
        let mut slot = self.tree.first_slot();
        let mut previous = None;
        for stone in &self.list {
            let here = slot.expect("the tree holds as many");
            assert_eq!(self.tree.get(here), *stone);
            assert_eq!(self.leaf_of[&stone.name], here.leaf, "moves were told");
            assert_eq!(self.tree.sum_before(here), before);
            assert_eq!(self.tree.previous(here), previous);
            if let Some(previous) = previous {
                assert_eq!(
                    self.tree.order(previous.leaf, here.leaf),
                    if previous.leaf == here.leaf {
                        std::cmp::Ordering::Equal
                    } else {
                        std::cmp::Ordering::Less
                    }
                );
            }
            for (unit, half) in [(true, false), (false, true)] {
                let measure = |weight: Weight| if unit { weight.units } else { weight.halves };
                for at in measure(before)..measure(before) + measure(stone.weight) {
                    let found = self.tree.seek(measure, at).expect("every unit is found");
                    assert_eq!((found.slot, found.before), (here, before), "unit {at}, {half}");
                }
            }
            before.add(stone.weight);
            previous = slot;
            slot = self.tree.next(here);
        }
        assert_eq!(slot, None, "the tree holds no more");
        assert_eq!(self.tree.last_slot(), previous);
        assert_eq!(self.tree.seek(|weight| weight.units, before.units), None);
    }
}
