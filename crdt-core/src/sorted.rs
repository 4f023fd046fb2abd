//! Sorted maps and sets in blocks, and sorting in little code; know no CRDT word.
//!
//! What a program ships is part of its price: of the standard B-tree each kind of map takes some 12 KB of WebAssembly, of these a
//! tenth. A list of blocks of sorted entries: finding costs O(log *n*); inserting and removing move at most a block, and
//! now and then the list of blocks: O(log *n* + [`BLOCK`] + *n* / [`BLOCK`]²) on average. Names and signatures are those of
//! the standard library.

use alloc::vec;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::iter::FusedIterator;
use core::mem;
use core::ops::{Bound, RangeBounds};

#[cfg(not(test))]
const BLOCK: usize = 128;
#[cfg(test)]
const BLOCK: usize = 4;

/// Sorts as the standard library's stable `sort_by` does, for what is not sorted all the time: of that each kind of entry
/// takes 4 to 8 KB of WebAssembly, of this a tenth, and some twice the time.
pub(crate) fn sort_by<T>(entries: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    if entries.is_sorted_by(|one, other| compare(one, other).is_le()) {
        return;
    }
    let mut order = order_of(entries.len(), &|one, other| compare(&entries[one], &entries[other]));
    // Each place takes what belongs there, and what it held goes where that came from: round and round, until all do.
    for start in 0..order.len() {
        let mut place = start;
        loop {
            let from = mem::replace(&mut order[place], place);
            if from == start {
                break;
            }
            entries.swap(place, from);
            place = from;
        }
    }
}

/// As [`sort_by`], by a key.
pub(crate) fn sort_by_key<T, K: Ord>(entries: &mut [T], key: impl Fn(&T) -> K) {
    sort_by(entries, |one, other| key(one).cmp(&key(other)));
}

/// For each place what belongs there, of so many: merges neighbouring stretches, twice as long each time.
fn order_of(len: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    let mut merged = order.clone();
    let mut stretch = 1;
    while stretch < len {
        for start in (0..len).step_by(2 * stretch) {
            let (middle, end) = ((start + stretch).min(len), (start + 2 * stretch).min(len));
            let (mut left, mut right) = (start, middle);
            for place in &mut merged[start..end] {
                let from_left = right == end || left < middle && compare(order[left], order[right]).is_le();
                let next = if from_left { &mut left } else { &mut right };
                *place = order[*next];
                *next += 1;
            }
        }
        mem::swap(&mut order, &mut merged);
        stretch *= 2;
    }
    order
}

/// Entries in ascending order of their keys, which differ.
#[derive(Clone)]
pub(crate) struct SortedMap<K, V> {
    /// None is empty; none holds more than [`BLOCK`].
    blocks: Vec<Vec<(K, V)>>,
}

/// The place of an entry: block and index in it. That of the end is the number of blocks and 0.
type Place = (usize, usize);

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> SortedMap<K, V> {
    pub(crate) const fn new() -> Self {
        Self { blocks: Vec::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// O(blocks).
    pub(crate) fn len(&self) -> usize {
        self.blocks.iter().map(Vec::len).sum()
    }

    pub(crate) fn clear(&mut self) {
        self.blocks.clear();
    }

    pub(crate) fn iter(&self) -> Range<'_, K, V> {
        Range { blocks: &self.blocks, front: (0, 0), back: (self.blocks.len(), 0) }
    }

    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.blocks.iter_mut().flatten().map(|(key, value)| (&*key, value))
    }

    pub(crate) fn first_key_value(&self) -> Option<(&K, &V)> {
        self.iter().next()
    }

    pub(crate) fn pop_first(&mut self) -> Option<(K, V)> {
        if self.is_empty() { None } else { Some(self.take((0, 0))) }
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        for block in &mut self.blocks {
            block.retain_mut(|(key, value)| keep(key, value));
        }
        self.blocks.retain(|block| !block.is_empty());
    }

    /// Removes the entry at a place.
    fn take(&mut self, (block, index): Place) -> (K, V) {
        let entry = self.blocks[block].remove(index);
        if self.blocks[block].is_empty() {
            self.blocks.remove(block);
        }
        entry
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    /// Where `key` is, or else where it belongs.
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<Place, Place>
    where
        K: Borrow<Q>,
    {
        // The last block that starts at the key or in front of it.
        let behind = self.blocks.partition_point(|block| block[0].0.borrow() <= key);
        let Some(block) = behind.checked_sub(1) else { return Err((0, 0)) };
        let index = self.blocks[block].binary_search_by(|(other, _)| other.borrow().cmp(key));
        index.map(|index| (block, index)).map_err(|index| (block, index))
    }

    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let (block, index) = self.find(key).ok()?;
        Some(&self.blocks[block][index].1)
    }

    pub(crate) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let (block, index) = self.find(key).ok()?;
        Some(&mut self.blocks[block][index].1)
    }

    pub(crate) fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).is_ok()
    }

    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let place = self.find(key).ok()?;
        Some(self.take(place).1)
    }

    /// Gives back the value that the key had.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            Ok((block, index)) => Some(mem::replace(&mut self.blocks[block][index].1, value)),
            Err(place) => {
                self.put(place, key, value);
                None
            }
        }
    }

    /// The value of `key`, which is `make` of nothing if it has none yet.
    pub(crate) fn or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let (block, index) = match self.find(&key) {
            Ok(place) => place,
            Err(place) => self.put(place, key, make()),
        };
        &mut self.blocks[block][index].1
    }

    /// Puts in an entry where it belongs. Gives its place.
    fn put(&mut self, (mut block, mut index): Place, key: K, value: V) -> Place {
        if self.blocks.is_empty() {
            self.blocks.push(vec![(key, value)]);
            return (0, 0);
        }
        let here = &mut self.blocks[block];
        if here.len() == BLOCK {
            // Whoever appends fills blocks.
            let at = if index == BLOCK { BLOCK - 1 } else { BLOCK / 2 };
            let tail = here.split_off(at);
            self.blocks.insert(block + 1, tail);
            if index > at {
                (block, index) = (block + 1, index - at);
            }
        }
        self.blocks[block].insert(index, (key, value));
        (block, index)
    }

    /// The entries in a range of keys.
    pub(crate) fn range<Q: Ord + ?Sized>(&self, range: impl RangeBounds<Q>) -> Range<'_, K, V>
    where
        K: Borrow<Q>,
    {
        let place = |bound: Bound<&Q>, is_end: bool| match bound {
            Bound::Unbounded if is_end => (self.blocks.len(), 0),
            Bound::Unbounded => (0, 0),
            Bound::Included(key) => self.place_beside(key, is_end),
            Bound::Excluded(key) => self.place_beside(key, !is_end),
        };
        let (front, back) = (place(range.start_bound(), false), place(range.end_bound(), true));
        Range { blocks: &self.blocks, front, back: back.max(front) }
    }

    /// The first place behind `key`, or else at it or behind.
    fn place_beside<Q: Ord + ?Sized>(&self, key: &Q, behind: bool) -> Place
    where
        K: Borrow<Q>,
    {
        let (block, index) = match self.find(key) {
            Ok((block, index)) => (block, index + usize::from(behind)),
            Err(place) => place,
        };
        if self.blocks.get(block).is_some_and(|here| index == here.len()) {
            (block + 1, 0)
        } else {
            (block, index)
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SortedMap<K, V> {
    /// The last value of a key counts.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = core::iter::Flatten<vec::IntoIter<Vec<(K, V)>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.blocks.into_iter().flatten()
    }
}

impl<'a, K, V> IntoIterator for &'a SortedMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Range<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for SortedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Neighbouring entries of a map, from both ends.
pub(crate) struct Range<'a, K, V> {
    blocks: &'a [Vec<(K, V)>],
    front: Place,
    /// Behind the last.
    back: Place,
}

impl<'a, K, V> Iterator for Range<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        if self.front >= self.back {
            return None;
        }
        let (block, index) = self.front;
        let here = &self.blocks[block];
        self.front = if index + 1 < here.len() { (block, index + 1) } else { (block + 1, 0) };
        let (key, value) = &here[index];
        Some((key, value))
    }
}

impl<K, V> DoubleEndedIterator for Range<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.front >= self.back {
            return None;
        }
        let (block, index) = match self.back {
            (block, 0) => (block - 1, self.blocks[block - 1].len() - 1),
            (block, index) => (block, index - 1),
        };
        self.back = (block, index);
        let (key, value) = &self.blocks[block][index];
        Some((key, value))
    }
}

impl<K, V> FusedIterator for Range<'_, K, V> {}

/// Different keys in ascending order.
#[derive(Clone)]
pub(crate) struct SortedSet<K>(SortedMap<K, ()>);

impl<K> Default for SortedSet<K> {
    fn default() -> Self {
        Self(SortedMap::new())
    }
}

impl<K> SortedSet<K> {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.0.keys()
    }
}

impl<K: Ord> SortedSet<K> {
    pub(crate) fn contains(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    /// Whether it was not there.
    pub(crate) fn insert(&mut self, key: K) -> bool {
        self.0.insert(key, ()).is_none()
    }

    /// Whether it was there.
    pub(crate) fn remove(&mut self, key: &K) -> bool {
        self.0.remove(key).is_some()
    }

    pub(crate) fn range(&self, range: impl RangeBounds<K>) -> Keys<'_, K> {
        Keys(self.0.range(range))
    }
}

/// Neighbouring keys of a set, from both ends.
pub(crate) struct Keys<'a, K>(Range<'a, K, ()>);

impl<'a, K> Iterator for Keys<'a, K> {
    type Item = &'a K;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, ())| key)
    }
}

impl<K> DoubleEndedIterator for Keys<'_, K> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(key, ())| key)
    }
}

impl<K: Ord> Extend<K> for SortedSet<K> {
    fn extend<I: IntoIterator<Item = K>>(&mut self, keys: I) {
        for key in keys {
            self.insert(key);
        }
    }
}

impl<K: Ord> FromIterator<K> for SortedSet<K> {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        let mut set = Self::default();
        set.extend(keys);
        set
    }
}

impl<K: fmt::Debug> fmt::Debug for SortedSet<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use alloc::collections::BTreeMap;

    #[test]
    fn sorting_agrees_with_that_of_the_standard_library() {
        let mut dice = Dice(19);
        for len in 0..200 {
            let mut mine: Vec<(usize, usize)> =
                (0..len).map(|place| (dice.below(1 + len / 3), place)).collect();
            let mut twin = mine.clone();
            sort_by_key(&mut mine, |&(key, _)| key);
            twin.sort_by_key(|&(key, _)| key);
            assert_eq!(mine, twin);
            sort_by(&mut mine, |one, other| other.cmp(one));
            twin.sort_by(|one, other| other.cmp(one));
            assert_eq!(mine, twin);
        }
    }

    #[test]
    fn maps_agree_with_those_of_the_standard_library() {
        let mut dice = Dice(17);
        for _ in 0..100 {
            let (mut map, mut twin) = (SortedMap::new(), BTreeMap::new());
            for value in 0..120 {
                let key = dice.below(60);
                match dice.below(8) {
                    0 | 1 => assert_eq!(map.remove(&key), twin.remove(&key)),
                    2 => {
                        let mine = *map.or_insert_with(key, || value);
                        assert_eq!(mine, *twin.entry(key).or_insert(value));
                    }
                    3 => assert_eq!(map.get_mut(&key), twin.get_mut(&key)),
                    4 if dice.below(9) == 0 => assert_eq!(map.pop_first(), twin.pop_first()),
                    4 if dice.below(9) == 0 => {
                        map.retain(|key, _| key % 3 > 0);
                        twin.retain(|key, _| key % 3 > 0);
                    }
                    _ => assert_eq!(map.insert(key, value), twin.insert(key, value)),
                }
                assert!(map.blocks.iter().all(|block| !block.is_empty() && block.len() <= BLOCK));
                assert_eq!((map.len(), map.is_empty()), (twin.len(), twin.is_empty()));
                assert!(map.iter().eq(twin.iter()) && map.iter().rev().eq(twin.iter().rev()));
                assert_eq!(map.first_key_value(), twin.first_key_value());
                let (from, to) = (dice.below(61), dice.below(61));
                let (from, to) = (from.min(to), from.max(to));
                assert!(map.range(from..to).eq(twin.range(from..to)));
                assert!(map.range(from..=to).rev().eq(twin.range(from..=to).rev()));
                assert!(map.range(..to).eq(twin.range(..to)) && map.range(from..).eq(twin.range(from..)));
                assert_eq!(map.contains_key(&from), twin.contains_key(&from));
            }
            assert!(map.into_iter().eq(twin));
        }
    }
}
