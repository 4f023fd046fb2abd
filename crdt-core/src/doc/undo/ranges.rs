//! Sets of operations as runs of consecutive ids.

use crate::ids::{OpId, Seq};
use crate::sorted::SortedMap;

/// Some operations. Adding a run and asking for one cost O(log of the runs).
#[derive(Clone, Debug, Default)]
pub(in crate::doc) struct IdSet {
    /// The end of each run, by its first; runs of one replica do not touch.
    runs: SortedMap<OpId, Seq>,
}

impl IdSet {
    pub(in crate::doc) fn add(&mut self, first: OpId, len: Seq) {
        let (mut start, mut end) = (first.seq, first.seq.saturating_add(len));
        let at = |seq| OpId::new(first.replica, seq);
        // What it overlaps or touches becomes part of it.
        while let Some((&other, &other_end)) = self.runs.range(at(0)..=at(end)).next_back() {
            if other_end < start {
                break;
            }
            (start, end) = (start.min(other.seq), end.max(other_end));
            self.runs.remove(&other);
        }
        self.runs.insert(at(start), end);
    }

    /// Whether `id` is in it, and how many from there on are alike, at most `len`, at least 1.
    pub(in crate::doc) fn stretch(&self, id: OpId, len: Seq) -> (bool, Seq) {
        let at = |seq| OpId::new(id.replica, seq);
        if let Some((_, &end)) = self.runs.range(at(0)..=id).next_back()
            && end > id.seq
        {
            return (true, len.min(end - id.seq));
        }
        let next = self.runs.range(id..at(Seq::MAX)).next().map_or(Seq::MAX, |(next, _)| next.seq);
        (false, len.min(next - id.seq))
    }
}

/// What an element has come back as.
pub(super) struct CopyOf {
    /// The first of those that came back with it.
    pub(super) first: OpId,
    pub(super) at: OpId,
    /// How many from it on did.
    len: Seq,
}

/// Elements that have come back, and as what. Entries do not overlap.
#[derive(Clone, Debug, Default)]
pub(super) struct Copies {
    /// The length of each run and the first of its copies, by its first.
    runs: SortedMap<OpId, (Seq, OpId)>,
    /// What entries of lists, which come back one by one, have come back from.
    entries: SortedMap<OpId, OpId>,
}

impl Copies {
    pub(super) fn add(&mut self, first: OpId, len: Seq, copy: OpId) {
        self.runs.insert(first, (len, copy));
    }

    /// An entry that showed at `slot` has come back.
    pub(super) fn add_entry(&mut self, entry: OpId, slot: OpId, copy: OpId) {
        self.add(slot, 1, copy);
        self.add(entry, 1, copy);
        self.entries.insert(copy, entry);
    }

    /// As what an entry was put in that has come back as `id`.
    pub(super) fn first_entry(&self, id: OpId) -> OpId {
        let mut id = id;
        while let Some(&entry) = self.entries.get(&id) {
            id = entry;
        }
        id
    }

    /// The first of each run of copies, and its length.
    pub(super) fn iter(&self) -> impl Iterator<Item = (OpId, Seq)> + '_ {
        self.runs.values().map(|&(len, copy)| (copy, len))
    }

    /// What `id` has come back as first.
    pub(super) fn copy_of(&self, id: OpId) -> Option<CopyOf> {
        let (first, &(len, copy)) = self.runs.range(OpId::new(id.replica, 0)..=id).next_back()?;
        let skipped = id.seq - first.seq;
        let len = len.checked_sub(skipped).filter(|&len| len > 0)?;
        Some(CopyOf { first: copy, at: OpId::new(copy.replica, copy.seq + skipped), len })
    }

    /// What `id` has come back as at last, or itself; and for how many from there on, at most `len`, it is so in a
    /// row.
    pub(super) fn follow(&self, id: OpId, len: Seq) -> (OpId, Seq) {
        let (mut id, mut len) = (id, len);
        while let Some(copy) = self.copy_of(id) {
            (id, len) = (copy.at, len.min(copy.len));
        }
        if let Some((next, _)) = self.runs.range(id..OpId::new(id.replica, Seq::MAX)).next() {
            len = len.min(next.seq - id.seq);
        }
        (id, len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use crate::ids::ReplicaId;

    #[test]
    fn runs_agree_with_a_plain_array() {
        let mut dice = Dice(5);
        for _ in 0..200 {
            let mut set = IdSet::default();
            let mut plain = [false; 40];
            let id = |at: usize| OpId::new(ReplicaId::new(7), u32::try_from(at).unwrap());
            for _ in 0..8 {
                let from = dice.below(40);
                let len = 1 + dice.below((40 - from).min(8));
                set.add(id(from), u32::try_from(len).unwrap());
                plain[from..from + len].fill(true);
            }
            for from in 0..40 {
                let len = 1 + dice.below(40 - from);
                let alike = plain[from..from + len].iter().take_while(|&&held| held == plain[from]).count();
                let stretch = set.stretch(id(from), u32::try_from(len).unwrap());
                assert_eq!(stretch, (plain[from], u32::try_from(alike).unwrap()));
            }
        }
    }

    #[test]
    fn copies_of_copies_are_followed() {
        let id = |replica, seq| OpId::new(ReplicaId::new(replica), seq);
        let mut copies = Copies::default();
        copies.add(id(1, 2), 4, id(2, 10));
        copies.add(id(2, 12), 1, id(2, 20));
        assert_eq!(copies.follow(id(1, 0), 9), (id(1, 0), 2));
        assert_eq!(copies.follow(id(1, 2), 9), (id(2, 10), 2));
        assert_eq!(copies.follow(id(1, 4), 9), (id(2, 20), 1));
        assert_eq!(copies.follow(id(1, 5), 9), (id(2, 13), 1));
        assert_eq!(copies.follow(id(1, 6), 9), (id(1, 6), 9));
    }
}
