use super::ReplicaId;
use alloc::vec::Vec;

/// A number for each of many replicas, in ascending order of their ids.
///
/// Sorted pairs, cut into chunks so that a new replica moves at most one chunk of them: 100,000
/// that come in random order cost no more than a search each. The place that was written last is
/// remembered: writing the same replica again, as typing does, finds it at once. All else is
/// O(log *r*) with *r* the replicas.
#[derive(Clone, Default)]
pub(crate) struct ReplicaMap {
    /// None empty; all but the last of a map that was filled in order at least half full.
    chunks: Vec<Vec<(ReplicaId, u32)>>,
    len: usize,
    written: Place,
}

/// Where a replica stands. A guess once anything has been added or removed, in another map too.
#[derive(Clone, Copy, Default)]
pub(crate) struct Place {
    chunk: usize,
    index: usize,
}

#[cfg(not(test))]
const CHUNK: usize = 512;
/// So that short tests meet many.
#[cfg(test)]
const CHUNK: usize = 4;

/// So many are looked through one by one.
const FEW: usize = 8;

impl ReplicaMap {
    pub(crate) const fn new() -> Self {
        Self { chunks: Vec::new(), len: 0, written: Place { chunk: 0, index: 0 } }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn get(&self, replica: ReplicaId) -> Option<u32> {
        let written = self.chunks.get(self.written.chunk).and_then(|chunk| chunk.get(self.written.index));
        match written {
            Some(&(written, number)) if written == replica => Some(number),
            _ => self.search(replica),
        }
    }

    fn search(&self, replica: ReplicaId) -> Option<u32> {
        let place = self.find(replica).ok()?;
        Some(self.chunks[place.chunk][place.index].1)
    }

    /// The number of `replica` to be changed, if it is the one that was written last.
    #[inline(always)]
    pub(crate) fn last_written(&mut self, replica: ReplicaId) -> Option<&mut u32> {
        let chunk = self.chunks.get_mut(self.written.chunk)?;
        let (written, number) = chunk.get_mut(self.written.index)?;
        (*written == replica).then_some(number)
    }

    /// Sets the number of `replica`.
    #[inline(always)]
    pub(crate) fn set(&mut self, replica: ReplicaId, number: u32) {
        match self.last_written(replica) {
            Some(last) => *last = number,
            None => *self.entry(replica, number) = number,
        }
    }

    /// As [`ReplicaMap::get`], and where that stands: a good guess for another map of the same replicas.
    pub(crate) fn get_placed(&self, replica: ReplicaId) -> Option<(u32, Place)> {
        let place = self.find(replica).ok()?;
        Some((self.chunks[place.chunk][place.index].1, place))
    }

    /// As [`ReplicaMap::entry`], looking at `guess` first.
    #[inline]
    pub(crate) fn entry_near(&mut self, guess: Place, replica: ReplicaId, new: u32) -> &mut u32 {
        self.written = guess;
        self.entry(replica, new)
    }

    /// The number of `replica` to be changed, which is `new` if there was none.
    pub(crate) fn entry(&mut self, replica: ReplicaId, new: u32) -> &mut u32 {
        let written = self.chunks.get(self.written.chunk).and_then(|chunk| chunk.get(self.written.index));
        if written.is_none_or(|&(other, _)| other != replica) {
            self.written = match self.find(replica) {
                Ok(place) => place,
                Err(place) => self.insert(place, (replica, new)),
            };
        }
        let Place { chunk, index } = self.written;
        &mut self.chunks[chunk][index].1
    }

    pub(crate) fn remove(&mut self, replica: ReplicaId) {
        let Ok(Place { chunk, index }) = self.find(replica) else { return };
        self.chunks[chunk].remove(index);
        if self.chunks[chunk].is_empty() {
            self.chunks.remove(chunk);
        }
        self.len -= 1;
    }

    pub(crate) fn iter(&self) -> Iter<'_> {
        Iter { chunks: &self.chunks, index: 0, left: self.len }
    }

    pub(crate) fn into_list(mut self) -> Vec<(ReplicaId, u32)> {
        if self.chunks.len() == 1 { self.chunks.remove(0) } else { self.chunks.concat() }
    }

    /// Where `replica` is, or where it belongs.
    #[inline]
    fn find(&self, replica: ReplicaId) -> Result<Place, Place> {
        let chunk = match self.chunks.len() {
            0 => return Err(Place::default()),
            1 => 0,
            _ => self.chunks.partition_point(|chunk| chunk[0].0 <= replica).saturating_sub(1),
        };
        let list = &self.chunks[chunk];
        let index = if list.len() <= FEW {
            list.iter().take_while(|&&(other, _)| other < replica).count()
        } else {
            place_in(list, replica)
        };
        let place = Place { chunk, index };
        if list.get(index).is_some_and(|&(other, _)| other == replica) { Ok(place) } else { Err(place) }
    }

    fn insert(&mut self, place: Place, pair: (ReplicaId, u32)) -> Place {
        let Place { mut chunk, mut index } = place;
        self.len += 1;
        if self.chunks.is_empty() {
            self.chunks.push(Vec::new());
        } else if self.chunks[chunk].len() == CHUNK {
            // Ids that come in order leave full chunks behind.
            let at = if index == CHUNK && chunk + 1 == self.chunks.len() { CHUNK } else { CHUNK / 2 };
            let upper = self.chunks[chunk].split_off(at);
            self.chunks.insert(chunk + 1, upper);
            if index >= at && (index > at || at == CHUNK) {
                (chunk, index) = (chunk + 1, index - at);
            }
        }
        self.chunks[chunk].insert(index, pair);
        Place { chunk, index }
    }
}

/// How many of the pairs, which are ascending, stand in front of `replica`.
///
/// Ids are random, so that where one stands can be told from the ends about as well as from its half of all comparisons;
/// a search from there reads one or two lines of memory. Ids that are not random cost a binary search more.
fn place_in(list: &[(ReplicaId, u32)], replica: ReplicaId) -> usize {
    let (first, last) = (list[0].0.get(), list[list.len() - 1].0.get());
    let Some(distance) = replica.get().checked_sub(first) else { return 0 };
    let span = last - first;
    if distance > span {
        return list.len();
    }
    // 32 bits of each are enough, and make the division short.
    let unneeded = (u64::BITS - span.leading_zeros()).saturating_sub(32);
    let (distance, span) = (distance >> unneeded, span >> unneeded);
    let guess = (distance * (list.len() as u64 - 1) + span / 2) / (span + 1);
    #[expect(clippy::cast_possible_truncation, reason = "less than the length")]
    let guess = guess as usize;
    let is_in_front = |place: usize| list[place].0 < replica;
    let (mut low, mut high) = (0, list.len());
    let mut step = 1;
    if is_in_front(guess) {
        low = guess + 1;
        while low + step < high {
            if !is_in_front(low + step - 1) {
                high = low + step - 1;
                break;
            }
            low += step;
            step *= 2;
        }
    } else {
        high = guess;
        while high >= step {
            if is_in_front(high - step) {
                low = high - step + 1;
                break;
            }
            high -= step;
            step *= 2;
        }
    }
    low + list[low..high].partition_point(|&(other, _)| other < replica)
}

impl PartialEq for ReplicaMap {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl Eq for ReplicaMap {}

/// Pairs in ascending order of the ids.
#[derive(Clone)]
pub(crate) struct Iter<'a> {
    chunks: &'a [Vec<(ReplicaId, u32)>],
    index: usize,
    left: usize,
}

impl Iterator for Iter<'_> {
    type Item = (ReplicaId, u32);

    fn next(&mut self) -> Option<Self::Item> {
        let (first, rest) = self.chunks.split_first()?;
        let &pair = first.get(self.index)?;
        self.index += 1;
        self.left -= 1;
        if self.index == first.len() {
            (self.chunks, self.index) = (rest, 0);
        }
        Some(pair)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Iter<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;

    #[test]
    fn agrees_with_an_ordered_map() {
        let mut state: u64 = 7;
        let mut dice = move |bound: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound
        };
        for spread in [8, 60, 1000] {
            let (mut map, mut twin) = (ReplicaMap::new(), BTreeMap::new());
            for number in 0..2000 {
                let replica = ReplicaId::new(dice(spread));
                if dice(3) == 0 {
                    map.remove(replica);
                    twin.remove(&replica);
                } else {
                    *map.entry(replica, 0) += number;
                    *twin.entry(replica).or_default() += number;
                }
                let asked = ReplicaId::new(dice(spread));
                assert_eq!(map.get(asked), twin.get(&asked).copied());
                assert_eq!(map.len(), twin.len());
            }
            assert!(map.iter().eq(twin.iter().map(|(&replica, &number)| (replica, number))));
            assert_eq!(map.iter().len(), twin.len());
            assert!(map.into_list().into_iter().eq(twin));
        }
    }

    #[test]
    fn ids_that_are_not_random_are_found_too() {
        let mut state: u64 = 7;
        let mut dice = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 1
        };
        // All of 64 bits, few of them, many small ones beside a large one, many large ones beside a small one.
        let spreads: [fn(u64) -> u64; 4] =
            [|bits| bits << 1, |bits| bits % 700, |bits| bits >> (bits % 64), |bits| !(bits >> (bits % 64))];
        for spread in spreads {
            let mut ids: Vec<u64> = (0..300).map(|_| spread(dice())).collect();
            ids.sort_unstable();
            ids.dedup();
            let list: Vec<(ReplicaId, u32)> = ids.iter().map(|&id| (ReplicaId::new(id), 0)).collect();
            let near = ids.iter().flat_map(|&id| [id.saturating_sub(1), id, id.saturating_add(1)]);
            for id in near.chain([0, u64::MAX]).map(ReplicaId::new) {
                assert_eq!(place_in(&list, id), list.partition_point(|&(other, _)| other < id));
            }
        }
    }

    #[test]
    fn what_comes_in_order_fills_its_chunks() {
        let mut map = ReplicaMap::new();
        for number in 0..21 {
            map.entry(ReplicaId::new(number), 1);
        }
        assert_eq!(map.chunks.len(), 21_usize.div_ceil(CHUNK));
    }
}
