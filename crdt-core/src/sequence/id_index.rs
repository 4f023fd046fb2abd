use crate::ids::Seq;
use crate::op_log::LocalId;
use crate::tree::LeafId;
use alloc::vec::Vec;

/// From an element's name to the leaf that holds it.
///
/// Per replica the seqs are cut into pages of [`PAGE`] buckets of [`BUCKET`] seqs; a bucket keeps where,
/// in ascending seq, the leaf changes. A run that grows inside its leaf writes nothing. Lookups are
/// O(log `BUCKET`), changes O(`BUCKET`) at worst and usually O(1). Deletions take seqs too and are not
/// noted: pages keep what a long stretch of them costs to a few bytes per 65,536.
#[derive(Clone, Default)]
pub(super) struct IdIndex {
    replicas: Vec<Vec<Page>>,
}

/// Empty, or as many buckets as it takes to reach the last that is in use.
type Page = Vec<Bucket>;

/// Boundaries (first seq, leaf), ascending. Each holds up to the next one.
type Bucket = Vec<(Seq, LeafId)>;

const BUCKET: Seq = 1024;
const PAGE: Seq = 64;

impl IdIndex {
    /// The leaf of the element `id`, which exists.
    pub(super) fn leaf(&self, id: LocalId) -> LeafId {
        let number = id.seq / BUCKET;
        let bucket = &self.replicas[id.replica as usize][(number / PAGE) as usize][(number % PAGE) as usize];
        let place = bucket.partition_point(|&(seq, _)| seq <= id.seq);
        bucket[place - 1].1
    }

    /// Notes that the `len` elements from `first` on are in `leaf` now.
    pub(super) fn set(&mut self, first: LocalId, len: usize, leaf: LeafId) {
        let pages = at(&mut self.replicas, first.replica);
        let len = Seq::try_from(len).expect("a run is shorter than the count of its replica");
        let (mut seq, end) = (first.seq, first.seq + len);
        while seq < end {
            let number = seq / BUCKET;
            let bucket_end = (number + 1).saturating_mul(BUCKET);
            let bucket = at(at(pages, number / PAGE), number % PAGE);
            set_in_bucket(bucket, seq, end.min(bucket_end), bucket_end, leaf);
            seq = bucket_end;
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

fn set_in_bucket(bucket: &mut Bucket, from: Seq, to: Seq, bucket_end: Seq, leaf: LeafId) {
    let start = bucket.partition_point(|&(seq, _)| seq < from);
    let stop = start + bucket[start..].partition_point(|&(seq, _)| seq < to);
    // What holds from `to` on if no boundary stands there.
    let behind = stop.checked_sub(1).map(|place| bucket[place].1);
    let needs_end = to < bucket_end && bucket.get(stop).is_none_or(|&(seq, _)| seq > to);
    let end = behind.filter(|&other| needs_end && other != leaf).map(|other| (to, other));
    let goes_on = start.checked_sub(1).is_some_and(|place| bucket[place].1 == leaf);
    let begin = (!goes_on).then_some((from, leaf));
    if start == stop {
        match (begin, end) {
            (Some(begin), Some(end)) => drop(bucket.splice(start..stop, [begin, end])),
            (Some(one), None) | (None, Some(one)) => bucket.insert(start, one),
            (None, None) => {}
        }
    } else {
        bucket.splice(start..stop, begin.into_iter().chain(end));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn agrees_with_a_plain_array() {
        let mut state: u32 = 7;
        let mut dice = move |bound: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % bound
        };
        for _ in 0..3 {
            let size = 70_000;
            let mut index = IdIndex::default();
            let mut array = vec![0; size as usize];
            index.set(LocalId::new(2, 0), size as usize, 0);
            for _ in 0..300 {
                let from = dice(size);
                let len = 1 + dice(size - from).min(1 + dice(1500));
                let leaf = dice(5);
                index.set(LocalId::new(2, from), len as usize, leaf);
                array[from as usize..(from + len) as usize].fill(leaf);
            }
            for seq in 0..size {
                assert_eq!(index.leaf(LocalId::new(2, seq)), array[seq as usize]);
            }
        }
    }

    #[test]
    fn a_run_that_grows_in_its_leaf_writes_nothing() {
        let mut index = IdIndex::default();
        for seq in 0..BUCKET {
            index.set(LocalId::new(0, seq), 1, 3);
        }
        assert_eq!(index.replicas[0][0][0].len(), 1);
    }
}
