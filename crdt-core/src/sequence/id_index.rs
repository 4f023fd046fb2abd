use super::Items;
use crate::ids::Seq;
use crate::op_log::{LocalId, ReplicaIndex};
use crate::tree::{LeafId, Slot};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

/// From an element's name to the leaf that holds it.
///
/// It is not there at first: [`IdIndex::want`] builds it once ids have been looked up often enough for
/// that to pay. Per replica the seqs are cut into pages of [`PAGE`] buckets of [`BUCKET`] seqs; a bucket
/// keeps where, in ascending seq, the leaf changes. A run that grows inside its leaf writes nothing.
/// Lookups are O(log `BUCKET`), changes O(`BUCKET`) at worst and usually O(1). Deletions take seqs too
/// and are not noted: pages keep what a long stretch of them costs to a few bytes per 65,536.
///
/// Local edits look nothing up. What they change is only listed, and noted by the next who wants the index; if the
/// list grows long, building the index anew is cheaper, and it is forgotten until then.
#[derive(Default)]
pub(super) struct IdIndex {
    state: State,
    replicas: Vec<Seqs>,
    /// What was not noted yet, in order of time: so many elements from one on, and their leaf. The newest grows with
    /// the run that it is about.
    late: Vec<(LocalId, u32, LeafId)>,
    /// How many of them are too many.
    late_limit: usize,
    /// How often it was wanted and not there, or not up to date. Atomic, because readers count too.
    uses: AtomicU32,
}

impl Clone for IdIndex {
    fn clone(&self) -> Self {
        let uses = AtomicU32::new(self.uses.load(Ordering::Relaxed));
        let Self { state, ref replicas, ref late, late_limit, .. } = *self;
        Self { state, replicas: replicas.clone(), late: late.clone(), late_limit, uses }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// There is no index.
    #[default]
    Absent,
    /// Changes are noted at once.
    Notes,
    /// Changes are listed.
    Lists,
}

/// Looking through all items so often costs about as much as building the index.
const USES_BEFORE_BUILDING: u32 = 8;

/// A list as long as this is noted sooner than an index is built.
#[cfg(not(test))]
const LATE: usize = 256;
/// So that short tests meet long ones.
#[cfg(test)]
const LATE: usize = 4;

/// There is no index yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotBuilt;

/// The elements of one replica: a cache line, so that the newest are found by one look at memory.
#[derive(Clone, Default)]
#[repr(align(64))]
struct Seqs {
    /// Those from there on, if there are any, are in this leaf.
    newest: (Seq, LeafId),
    /// The seq behind the newest element: what the last boundary says holds up to there and on.
    end: Seq,
    /// Where in that leaf to look first.
    place: u32,
    /// The bucket of the first seqs: most replicas have no other.
    first: Bucket,
    /// All buckets but the first, whose place is left empty.
    pages: Vec<Page>,
}

/// Empty, or as many buckets as it takes to reach the last that is in use.
type Page = Vec<Bucket>;

/// Boundaries (first seq, leaf), ascending. Each holds up to the next one.
type Bucket = Vec<(Seq, LeafId)>;

const BUCKET: Seq = 1024;
const PAGE: Seq = 64;

impl IdIndex {
    /// The leaf of the operation `id` if it is an element, else any or none; and where in it to look first.
    pub(super) fn leaf(&self, id: LocalId) -> Result<Option<Slot>, NotBuilt> {
        if self.state == State::Absent {
            return Err(NotBuilt);
        }
        let holds = |&&(first, len, _): &&(LocalId, u32, LeafId)| {
            first.replica == id.replica && id.seq.wrapping_sub(first.seq) < len
        };
        let late = self.late.iter().rev().find(holds);
        Ok(late.map_or_else(|| leaf_of(&self.replicas, id), |&(.., leaf)| Some(Slot { leaf, index: 0 })))
    }

    /// Counts a lookup of a reader that had to look through a list or all items.
    pub(super) fn note_use(&self) {
        if self.state != State::Notes {
            self.uses.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a lookup to come, and builds the index if there were enough. O(*n* log *n*) once. Changes are noted at
    /// once from now on.
    #[inline]
    pub(super) fn want(&mut self, items: &Items) {
        if self.state != State::Notes {
            self.catch_up(items);
        }
    }

    /// From now on, changes are only listed, until somebody wants the index. What readers have looked through often
    /// enough is noted first.
    #[inline(always)]
    pub(super) fn relax(&mut self, items: &Items) {
        if self.state == State::Notes {
            self.state = State::Lists;
        } else if *self.uses.get_mut() > USES_BEFORE_BUILDING {
            self.catch_up(items);
            self.state = State::Lists;
        }
    }

    #[inline(never)]
    fn catch_up(&mut self, items: &Items) {
        if self.state == State::Lists {
            self.state = State::Notes;
            *self.uses.get_mut() = 0;
            for (first, len, leaf) in self.late.drain(..) {
                Self::note(&mut self.replicas, first, len, leaf);
            }
            return;
        }
        self.note_use();
        if items.leaf_count() == 1 || *self.uses.get_mut() > USES_BEFORE_BUILDING {
            self.build(items);
        }
    }

    fn build(&mut self, items: &Items) {
        let first = Some(items.first_leaf());
        let leaves = core::iter::successors(first, |&leaf| items.next_leaf(leaf));
        let mut runs: Vec<(LocalId, u32, LeafId)> = leaves
            .flat_map(|leaf| items.items(leaf).iter().map(move |item| (item.id(), item.count(), leaf)))
            .collect();
        runs.sort_unstable_by_key(|&(id, ..)| u64::from(id.replica) << 32 | u64::from(id.seq));
        self.state = State::Notes;
        *self.uses.get_mut() = 0;
        self.late_limit = LATE.max(runs.len() / 8);
        for (id, count, leaf) in runs {
            self.set(id, count, leaf);
        }
        for seqs in &mut self.replicas {
            seqs.first.shrink_to_fit();
            seqs.pages.iter_mut().flatten().for_each(Bucket::shrink_to_fit);
        }
    }

    /// Notes that the run in `leaf` whose last element is its replica's newest has grown by the `len`
    /// elements from `first` on.
    #[inline]
    pub(super) fn grow(&mut self, first: LocalId, len: u32, leaf: LeafId) {
        let place = first.seq % BUCKET;
        if self.state == State::Notes && (place == 0 || place + len > BUCKET) {
            self.set(first, len, leaf);
        } else {
            self.grow_alone(first.replica, first.seq + len, len);
        }
    }

    /// Whether a run that grows by the element `seq` has nothing to note but that.
    #[inline(always)]
    pub(super) fn grows_alone(&self, seq: Seq) -> bool {
        self.state != State::Notes || !seq.is_multiple_of(BUCKET)
    }

    /// As [`IdIndex::grow`] by the newest `more` of the first `count` operations of `replica`, which
    /// [`IdIndex::grows_alone`].
    #[inline(always)]
    pub(super) fn grow_alone(&mut self, replica: ReplicaIndex, count: Seq, more: u32) {
        match self.state {
            State::Absent => {}
            State::Notes => self.replicas[replica as usize].end = count,
            State::Lists => {
                if let Some((first, len, _)) = self.late.last_mut() {
                    *len += more;
                    debug_assert_eq!(first.plus(*len).seq, count, "what grows was listed last");
                }
            }
        }
    }

    /// Notes that the `len` elements from `first` on are in `leaf` now.
    #[inline]
    pub(super) fn set(&mut self, first: LocalId, len: u32, leaf: LeafId) {
        match self.state {
            State::Absent => {}
            State::Notes => Self::note(&mut self.replicas, first, len, leaf),
            State::Lists if self.late.len() < self.late_limit => self.late.push((first, len, leaf)),
            State::Lists => self.forget(),
        }
    }

    /// As [`IdIndex::set`] for what is noted while others write: remembers where in the leaf it is, too.
    #[inline]
    pub(super) fn set_placed(&mut self, first: LocalId, len: u32, slot: Slot) {
        self.set(first, len, slot.leaf);
        if self.state == State::Notes {
            let seqs = &mut self.replicas[first.replica as usize];
            if seqs.newest.1 == slot.leaf {
                #[expect(clippy::cast_possible_truncation, reason = "leaves are small")]
                let place = slot.index as u32;
                seqs.place = place;
            }
        }
    }

    /// The next who wants the index builds it anew.
    #[cold]
    fn forget(&mut self) {
        (self.state, self.replicas, self.late) = (State::Absent, Vec::new(), Vec::new());
        *self.uses.get_mut() = USES_BEFORE_BUILDING;
    }

    fn note(replicas: &mut Vec<Seqs>, first: LocalId, len: u32, leaf: LeafId) {
        let seqs = at(replicas, first.replica);
        let (mut seq, end) = (first.seq, first.seq + len);
        seqs.note_newest(seq, end, leaf);
        while seq < end {
            let number = seq / BUCKET;
            let bucket_end = (number + 1).saturating_mul(BUCKET);
            let last = bucket_end.min(seqs.end);
            set_in_bucket(seqs.bucket(number), seq, end.min(bucket_end), last, leaf);
            seq = bucket_end;
        }
    }
}

impl Seqs {
    /// Notes that those from `from` up to `to` are in `leaf`, as far as the newest are concerned.
    fn note_newest(&mut self, from: Seq, to: Seq, leaf: LeafId) {
        let (start, newest_leaf) = self.newest;
        if to < self.end {
            if start < to && leaf != newest_leaf {
                self.newest.0 = to;
            }
        } else {
            let goes_on = newest_leaf == leaf && start <= from && from <= self.end;
            self.newest = (if goes_on { start } else { from }, leaf);
            if leaf != newest_leaf {
                self.place = 0;
            }
            self.end = to;
        }
    }

    #[inline]
    fn bucket(&mut self, number: u32) -> &mut Bucket {
        if number == 0 { &mut self.first } else { at(at(&mut self.pages, number / PAGE), number % PAGE) }
    }
}

fn leaf_of(replicas: &[Seqs], id: LocalId) -> Option<Slot> {
    let seqs = replicas.get(id.replica as usize)?;
    let newest = Slot { leaf: seqs.newest.1, index: seqs.place as usize };
    if id.seq >= seqs.newest.0 {
        return Some(newest);
    }
    let number = id.seq / BUCKET;
    let bucket = match number {
        0 => &seqs.first,
        _ => seqs.pages.get((number / PAGE) as usize)?.get((number % PAGE) as usize)?,
    };
    let place = bucket.partition_point(|&(seq, _)| seq <= id.seq);
    let leaf = bucket[place.checked_sub(1)?].1;
    Some(if leaf == newest.leaf { newest } else { Slot { leaf, index: 0 } })
}

/// Notes of elements that moved to another leaf: those whose numbers adjoin are noted as one.
pub(super) struct Moves<'a> {
    index: &'a mut IdIndex,
    first: LocalId,
    /// 0 as long as there are none.
    len: u32,
    leaf: LeafId,
}

impl<'a> Moves<'a> {
    #[inline]
    pub(super) fn new(index: &'a mut IdIndex) -> Self {
        Self { index, first: LocalId::START, len: 0, leaf: 0 }
    }

    /// The `len` elements from `first` on are in `leaf` now.
    #[inline]
    pub(super) fn note(&mut self, first: LocalId, len: u32, leaf: LeafId) {
        if self.index.state != State::Absent {
            self.gather(first, len, leaf);
        }
    }

    fn gather(&mut self, first: LocalId, len: u32, leaf: LeafId) {
        if self.len > 0 && leaf == self.leaf && first.plus(len) == self.first {
            self.first = first;
            self.len += len;
        } else if self.len > 0 && leaf == self.leaf && self.first.plus(self.len) == first {
            self.len += len;
        } else {
            self.flush();
            (self.first, self.len, self.leaf) = (first, len, leaf);
        }
    }

    #[inline]
    pub(super) fn flush(&mut self) {
        if self.len > 0 {
            self.index.set(self.first, self.len, self.leaf);
        }
    }
}

/// The entry `index`, with empty ones in front where there were none.
fn at<T: Default>(list: &mut Vec<T>, index: u32) -> &mut T {
    let index = index as usize;
    if list.len() <= index {
        list.resize_with(index + 1, T::default);
    }
    &mut list[index]
}

/// `last` is the end of the bucket's elements.
fn set_in_bucket(bucket: &mut Bucket, from: Seq, to: Seq, last: Seq, leaf: LeafId) {
    // Most are the newest.
    let start = match bucket.last() {
        Some(&(seq, other)) if seq < from => {
            if other == leaf {
                return;
            }
            if to == last {
                bucket.push((from, leaf));
                return;
            }
            bucket.len()
        }
        _ => bucket.partition_point(|&(seq, _)| seq < from),
    };
    // Most others only go to another leaf.
    if let Some(&(seq, _)) = bucket.get(start)
        && seq == from
        && bucket.get(start + 1).map_or(last, |&(seq, _)| seq) == to
        && start.checked_sub(1).is_none_or(|place| bucket[place].1 != leaf)
    {
        bucket[start].1 = leaf;
        return;
    }
    // What is passed over here gives way.
    let stop = start + bucket[start..].iter().take_while(|&&(seq, _)| seq < to).count();
    // What holds from `to` on if no boundary stands there.
    let behind = stop.checked_sub(1).map(|place| bucket[place].1);
    let needs_end = to < last && bucket.get(stop).is_none_or(|&(seq, _)| seq > to);
    let end = behind.filter(|&other| needs_end && other != leaf).map(|other| (to, other));
    let goes_on = start.checked_sub(1).is_some_and(|place| bucket[place].1 == leaf);
    let begin = (!goes_on).then_some((from, leaf));
    let mut place = start;
    for boundary in begin.into_iter().chain(end) {
        if place < stop {
            bucket[place] = boundary;
        } else {
            bucket.insert(place, boundary);
        }
        place += 1;
    }
    if place < stop {
        bucket.drain(place..stop);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn found(index: &IdIndex, seq: Seq) -> Option<LeafId> {
        found_of(index, 2, seq)
    }

    fn found_of(index: &IdIndex, replica: ReplicaIndex, seq: Seq) -> Option<LeafId> {
        index.leaf(LocalId::new(replica, seq)).unwrap().map(|slot| slot.leaf)
    }

    #[test]
    fn agrees_with_a_plain_array() {
        let mut state: u32 = 7;
        let mut dice = move |bound: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % bound
        };
        for _ in 0..3 {
            let size = 70_000;
            let mut index = IdIndex { state: State::Notes, late_limit: usize::MAX, ..IdIndex::default() };
            let mut array = vec![0; size as usize];
            index.set(LocalId::new(2, 0), size, 0);
            for _ in 0..300 {
                let from = dice(size);
                let len = 1 + dice(size - from).min(1 + dice(1500));
                let leaf = dice(5);
                if dice(20) == 0 {
                    (0..dice(20)).for_each(|_| index.note_use());
                    index.relax(&Items::new());
                } else if dice(20) == 0 {
                    index.want(&Items::new());
                }
                index.set(LocalId::new(2, from), len, leaf);
                array[from as usize..(from + len) as usize].fill(leaf);
                let asked = dice(size);
                assert_eq!(found(&index, asked), Some(array[asked as usize]));
            }
            for seq in 0..size {
                assert_eq!(found(&index, seq), Some(array[seq as usize]));
            }
        }
    }

    #[test]
    fn a_run_that_grows_in_its_leaf_writes_nothing() {
        let mut index = IdIndex { state: State::Notes, ..IdIndex::default() };
        for seq in 0..BUCKET {
            index.set(LocalId::new(0, seq), 1, 3);
        }
        assert_eq!(index.replicas[0].first.len(), 1);
    }

    #[test]
    fn what_readers_look_through_is_noted() {
        let items = Items::new();
        let mut index = IdIndex::default();
        let read = |index: &IdIndex| (0..=USES_BEFORE_BUILDING).for_each(|_| index.note_use());
        read(&index);
        index.relax(&items);
        assert_eq!(index.state, State::Lists, "it is there now");
        index.set(LocalId::new(0, 0), 1, 3);
        index.relax(&items);
        assert_eq!(index.late.len(), 1, "nobody has read");
        read(&index);
        index.relax(&items);
        assert_eq!((index.state, index.late.len()), (State::Lists, 0));
        assert_eq!(found_of(&index, 0, 0), Some(3));
    }
}
