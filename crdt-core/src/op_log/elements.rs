use super::{ItemPart, LocalId};
use crate::ids::Seq;
use alloc::vec;
use alloc::vec::Vec;

/// Which of the operations of all replicas inserted an element; the others are deletions.
///
/// One bit for each operation. Where deletions are so many that this would be more than 16 times what the
/// snapshot was, a sorted list of runs instead: then nobody can make us take memory by claiming them.
#[derive(Clone)]
pub(crate) struct Elements {
    counts: Vec<Seq>,
    kept: Kept,
    /// How many of each replica were added.
    added: Vec<u64>,
}

#[derive(Clone)]
enum Kept {
    /// The bits, and in which word those of each replica start.
    Bits { words: Vec<u64>, starts: Vec<usize> },
    /// First element and length; sorted and joined once all are there.
    Runs(Vec<(LocalId, Seq)>),
}

impl Elements {
    /// Of replicas with so many operations each, of which none is an element yet. `bytes` is the size of the
    /// snapshot that tells of them.
    pub(crate) fn none(counts: Vec<Seq>, bytes: usize) -> Self {
        let words = |count: Seq| u64::from(count.div_ceil(64));
        let total: u64 = counts.iter().map(|&count| words(count)).sum();
        let kept = match usize::try_from(total) {
            Ok(total) if total / 2 <= bytes => {
                let mut next = 0;
                let starts = counts.iter().map(|&count| {
                    let start = next;
                    next += count.div_ceil(64) as usize;
                    start
                });
                // A run of up to 64 bits may touch the word behind its own.
                Kept::Bits { starts: starts.collect(), words: vec![0; total + 1] }
            }
            _ => Kept::Runs(Vec::new()),
        };
        Self { added: vec![0; counts.len()], counts, kept }
    }

    /// How many operations of each replica it tells of.
    pub(crate) fn counts(&self) -> &[Seq] {
        &self.counts
    }

    /// Adds runs, whose replicas are listed. False if one is empty or goes beyond the count of its replica.
    #[inline(never)]
    pub(crate) fn claim(&mut self, runs: &[ItemPart]) -> bool {
        let Self { counts, kept, added } = self;
        for runs in runs.chunk_by(|run, next| run.id.replica == next.id.replica) {
            let replica = runs[0].id.replica as usize;
            let count = u64::from(counts[replica]);
            let is_beyond =
                |run: &ItemPart| u64::from(run.id.seq) + u64::from(run.len.wrapping_sub(1)) >= count;
            match kept {
                Kept::Bits { words, starts } => {
                    let words = &mut words[starts[replica]..];
                    let mut sum = 0;
                    for run in runs {
                        if is_beyond(run) {
                            return false;
                        }
                        sum += u64::from(run.len);
                        let (word, (low, high)) =
                            ((run.id.seq / 64) as usize, two_masks(run.id.seq, run.len));
                        match words.get_mut(word..word + 2) {
                            Some([one, other]) if run.len <= 64 => {
                                *one |= low;
                                *other |= high;
                            }
                            _ => masks(run.id.seq, run.len).for_each(|(word, mask)| words[word] |= mask),
                        }
                    }
                    added[replica] += sum;
                }
                Kept::Runs(all) => {
                    for run in runs {
                        if is_beyond(run) {
                            return false;
                        }
                        added[replica] += u64::from(run.len);
                        all.push((run.id, run.len));
                    }
                }
            }
        }
        true
    }

    /// Ends adding; false if any element was added twice.
    pub(crate) fn finish(&mut self) -> bool {
        let runs = match &mut self.kept {
            Kept::Bits { words, .. } => {
                let bits: u64 = words.iter().map(|word| u64::from(word.count_ones())).sum();
                return bits == self.added.iter().sum();
            }
            Kept::Runs(runs) => runs,
        };
        runs.sort_unstable();
        let mut apart = true;
        runs.dedup_by(|(right, len), (left, left_len)| {
            if right.replica != left.replica {
                return false;
            }
            apart &= right.seq - left.seq >= *left_len;
            let joins = right.seq - left.seq == *left_len;
            *left_len += if joins { *len } else { 0 };
            joins
        });
        apart
    }

    /// How many elements a replica inserted, once adding has ended well.
    pub(crate) fn count(&self, replica: usize) -> Seq {
        Seq::try_from(self.added[replica]).expect("none was added twice")
    }

    /// Whether all of `len` operations from `first` on are elements. All are below the count.
    #[inline]
    pub(crate) fn hold(&self, first: LocalId, len: Seq) -> bool {
        if let Kept::Bits { words, starts } = &self.kept
            && len <= 64
        {
            let word = starts[first.replica as usize] + (first.seq / 64) as usize;
            let (low, high) = two_masks(first.seq, len);
            return (words[word] & low == low) & (words[word + 1] & high == high);
        }
        self.hold_many(first, len)
    }

    #[inline(never)]
    fn hold_many(&self, first: LocalId, len: Seq) -> bool {
        match &self.kept {
            Kept::Bits { words, starts } => {
                let words = &words[starts[first.replica as usize]..];
                masks(first.seq, len).all(|(word, mask)| words[word] & mask == mask)
            }
            Kept::Runs(runs) => {
                let behind = runs.partition_point(|&(run, _)| run <= first);
                let run = behind.checked_sub(1).map(|place| runs[place]);
                run.is_some_and(|(run, run_len)| {
                    run.replica == first.replica
                        && u64::from(first.seq - run.seq) + u64::from(len) <= u64::from(run_len)
                })
            }
        }
    }
}

/// Of two words the bits `from % 64` and so on, `len` of them: 1 to 64, or it comes to nothing in particular.
#[inline(always)]
fn two_masks(from: Seq, len: Seq) -> (u64, u64) {
    let (bit, mask) = (from % 64, (2u64 << (len.wrapping_sub(1) % 64)).wrapping_sub(1));
    (mask << bit, mask >> 1 >> (63 - bit))
}

/// The words that hold the bits `from .. from + len`, and which of their bits those are.
fn masks(from: Seq, len: Seq) -> impl Iterator<Item = (usize, u64)> {
    let end = from + len;
    let mut next = from;
    core::iter::from_fn(move || {
        (next < end).then(|| {
            let (word, bit) = ((next / 64) as usize, next % 64);
            let bits = (64 - bit).min(end - next);
            next += bits;
            (word, (!0 >> (64 - bits)) << bit)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    #[test]
    fn bits_and_runs_agree_with_a_plain_array() {
        let mut dice = Dice(3);
        for _ in 0..300 {
            let counts = vec![300, 1 + seq(dice.below(500))];
            // Room for bits, and none.
            let mut both = [1000, 0].map(|bytes| Elements::none(counts.clone(), bytes));
            assert!(matches!(both[0].kept, Kept::Bits { .. }) && matches!(both[1].kept, Kept::Runs(_)));
            let mut plain: Vec<Vec<bool>> = counts.iter().map(|&count| vec![false; count as usize]).collect();
            let mut twice = false;
            for _ in 0..dice.below(12) {
                let replica = dice.below(2);
                let own = &mut plain[replica];
                let from = dice.below(own.len());
                let len = 1 + dice.below((own.len() - from).min(150));
                let first = LocalId::new(seq(replica), seq(from));
                assert!(both.iter_mut().all(|elements| !elements.claim(&[part(first, counts[replica] + 1)])));
                let cells = &mut own[from..from + len];
                let free = !cells.contains(&true);
                cells.fill(true);
                assert!(both.iter_mut().all(|elements| elements.claim(&[part(first, seq(len))])));
                twice |= !free;
                if twice {
                    break;
                }
            }
            assert!(both.iter_mut().all(|elements| elements.finish() != twice));
            if twice {
                continue;
            }
            for elements in &both {
                for (replica, own) in plain.iter().enumerate() {
                    let inserted = own.iter().filter(|&&element| element).count();
                    assert_eq!(elements.count(replica), seq(inserted));
                    for from in 0..own.len() {
                        let len = 1 + dice.below((own.len() - from).min(150));
                        let held = elements.hold(LocalId::new(seq(replica), seq(from)), seq(len));
                        assert_eq!(held, !own[from..from + len].contains(&false));
                    }
                }
            }
        }
    }

    fn part(id: LocalId, len: Seq) -> ItemPart {
        ItemPart { id, len, flags: 0 }
    }

    fn seq(count: usize) -> Seq {
        Seq::try_from(count).unwrap()
    }
}
