//! The tree with a tiny fan-out against a plain list.

use super::{Item, Slot, Summary, Tree};
use crate::dice::Dice;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Pebble {
    name: u32,
    weight: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Weight(usize);

impl Summary for Weight {
    fn add(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }
    fn sub(&mut self, other: Self) {
        self.0 = self.0.wrapping_sub(other.0);
    }
}

impl Item for Pebble {
    type Summary = Weight;
    fn summary(&self) -> Weight {
        Weight(self.weight)
    }
}

fn items(tree: &Tree<Pebble, 4, 3>) -> Vec<Pebble> {
    let slots = core::iter::successors(tree.first_slot(), |&slot| tree.next(slot));
    slots.map(|slot| tree.get(slot)).collect()
}

#[derive(Clone, Copy, Debug)]
enum Where {
    Anywhere,
    Front,
    Back,
}

fn check(seed: u64, steps: u32, place: Where) {
    let mut dice = Dice(seed);
    let mut tree = Tree::<Pebble, 4, 3>::new();
    let mut list: Vec<Pebble> = Vec::new();
    let mut leaf_of: BTreeMap<u32, u32> = BTreeMap::new();
    for step in 0..steps {
        let at = match place {
            Where::Anywhere => dice.below(list.len() + 1),
            Where::Front => 0,
            Where::Back => list.len(),
        };
        let mut new: Vec<Pebble> = (0..1 + dice.below(2))
            .zip(step * 4..)
            .map(|(_, name)| Pebble { name, weight: dice.below(4) })
            .collect();
        // Behind an item in its leaf, or in front of the first.
        let (leaf, index) = match at.checked_sub(1) {
            None => (tree.first_leaf(), 0),
            Some(left) => {
                let leaf = leaf_of[&list[left].name];
                let index = tree.items(leaf).iter().position(|p| *p == list[left]).unwrap();
                (leaf, index + 1)
            }
        };
        for pebble in &new {
            leaf_of.insert(pebble.name, leaf);
        }
        // With the one on the left in their midst or without.
        let replaced = usize::from(index > 0 && dice.below(2) == 0);
        if replaced == 1 {
            new.insert(dice.below(new.len() + 1), list[at - 1]);
        }
        let moved = |pebble: &Pebble, leaf| {
            leaf_of.insert(pebble.name, leaf);
        };
        let first = index - replaced;
        let slot = match new[..] {
            [one] => tree.splice(leaf, first, replaced, [one], moved),
            [one, two] => tree.splice(leaf, first, replaced, [one, two], moved),
            [one, two, three] => tree.splice(leaf, first, replaced, [one, two, three], moved),
            _ => unreachable!("one to three are put in"),
        };
        assert!(tree.items(slot.leaf)[slot.index..].starts_with(&new), "the new ones stand together");
        list.splice(at - replaced..at, new);
        if let Some(changed) = list.len().checked_sub(1).map(|last| dice.below(last + 1)) {
            let leaf = leaf_of[&list[changed].name];
            let index = tree.items(leaf).iter().position(|p| *p == list[changed]).unwrap();
            list[changed].weight = dice.below(4);
            tree.replace(Slot { leaf, index }, list[changed]);
        }
        tree.assert_invariants();
        assert!(items(&tree).eq(&list), "seed {seed}, step {step}: other order");
    }
    let mut before = 0;
    let mut slot = tree.first_slot();
    for (place, pebble) in list.iter().enumerate() {
        let here = slot.unwrap();
        assert_eq!(tree.sum_before(here), Weight(before));
        for unit in 0..pebble.weight {
            let found = tree.seek(|w| w.0, before + unit).unwrap();
            assert_eq!((found.slot, found.before), (here, Weight(before)));
            let (front, back) = found.leaf;
            assert_eq!(front, tree.sum_before(Slot { index: 0, ..here }));
            let inside: usize = tree.items(here.leaf).iter().map(|pebble| pebble.weight).sum();
            assert_eq!(back, Weight(front.0 + inside));
        }
        before += pebble.weight;
        slot = tree.next(here);
        if let Some(next) = slot {
            assert_eq!(tree.previous(next), Some(here), "seed {seed}, item {place}");
        }
    }
    assert_eq!(slot, None);
    assert_eq!(tree.seek(|w| w.0, before), None);
}

#[test]
fn agrees_with_a_plain_list() {
    for seed in 0..60 {
        check(seed, 150, Where::Anywhere);
    }
}

#[test]
fn appending_and_prepending_agree_too() {
    for seed in 0..10 {
        check(seed, 150, Where::Front);
        check(seed, 150, Where::Back);
    }
}

#[test]
fn appending_fills_leaves() {
    let mut tree = Tree::<Pebble, 4, 3>::new();
    let mut last = 0;
    for name in 0..400 {
        let index = tree.items(last).len();
        tree.splice(last, index, 0, [Pebble { name, weight: 1 }], |_, leaf| last = leaf);
    }
    assert!(tree.leaves.len() <= 100 + 1, "{} leaves for 400 items", tree.leaves.len());
}
