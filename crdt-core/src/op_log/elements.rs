use super::{ItemPart, LocalId};
use crate::ids::Seq;
use alloc::vec;
use alloc::vec::Vec;
use core::mem;

/// Which of the operations of all replicas inserted an element; the others are deletions.
///
/// One bit for each operation, two while they are added. Where deletions are so many that this would be more than 16 times
/// what the snapshot was, a sorted list of runs instead: then nobody can make us take memory by claiming them.
#[derive(Clone)]
pub(crate) struct Elements {
    counts: Vec<Seq>,
    kept: Kept,
    /// The lengths of all runs that were added.
    added: u64,
    /// How many elements each replica inserted, once adding has ended.
    inserted: Vec<Seq>,
}

#[derive(Clone)]
enum Kept {
    /// While runs are added, `bits` has those where an odd number of them begin, and `ended` those where so many end.
    /// Once adding has ended, `bits` has those of elements, and `ended` none.
    ///
    /// A bit changes in memory, which the next one beside it waits for: so they are bytes, and there are two of them.
    Bits { bits: Vec<u8>, ended: Vec<u8>, places: Vec<Places> },
    /// First element and length; sorted and joined once all are there.
    Runs(Vec<(LocalId, Seq)>),
}

/// A bit of a byte. Looked up: shifting a byte takes longer.
static BITS: [u8; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

/// So many bits are looked at in one go, wherever they start: those of a word less one byte.
const AT_ONCE: Seq = 56;

/// Which bits are of the operations of one replica: they start with a word of 64.
#[derive(Clone, Copy)]
struct Places {
    start: u64,
    end: u64,
}

impl Elements {
    /// Of replicas with so many operations each, of which none is an element yet. `bytes` is the size of the
    /// snapshot that tells of them.
    pub(crate) fn none(counts: Vec<Seq>, bytes: usize) -> Self {
        let words = |count: Seq| u64::from(count.div_ceil(64));
        let total: u64 = counts.iter().map(|&count| words(count)).sum();
        let kept = match usize::try_from(total) {
            Ok(total) if total <= bytes => {
                let mut next = 0;
                let places = counts.iter().map(|&count| {
                    let start = next;
                    next += 64 * words(count);
                    Places { start, end: start + u64::from(count) }
                });
                let places = places.collect();
                // A run may end with the last bit of a word.
                let bytes = 8 * (total + 1);
                Kept::Bits { bits: vec![0; bytes], ended: vec![0; bytes], places }
            }
            _ => Kept::Runs(Vec::new()),
        };
        Self { inserted: vec![0; counts.len()], counts, kept, added: 0 }
    }

    /// How many operations of each replica it tells of.
    pub(crate) fn counts(&self) -> &[Seq] {
        &self.counts
    }

    /// Adds runs, whose replicas are listed. False if one is empty or goes beyond the count of its replica.
    #[inline(never)]
    pub(crate) fn claim(&mut self, runs: &[ItemPart]) -> bool {
        match &mut self.kept {
            Kept::Bits { bits, ended, places } => {
                let mut sum = 0;
                for run in runs {
                    let Places { start, end: limit } = places[run.id.replica as usize];
                    let first = start + u64::from(run.id.seq);
                    let end = first + u64::from(run.len);
                    if first == end || end > limit {
                        return false;
                    }
                    sum += end - first;
                    bits[(first / 8) as usize] ^= BITS[(first % 8) as usize];
                    ended[(end / 8) as usize] ^= BITS[(end % 8) as usize];
                }
                self.added += sum;
            }
            Kept::Runs(all) => {
                for run in runs {
                    let count = self.counts[run.id.replica as usize];
                    if run.len == 0 || run.id.seq >= count || run.len > count - run.id.seq {
                        return false;
                    }
                    self.added += u64::from(run.len);
                    all.push((run.id, run.len));
                }
            }
        }
        true
    }

    /// Ends adding; false if any element was added twice.
    pub(crate) fn finish(&mut self) -> bool {
        match &mut self.kept {
            Kept::Bits { bits, ended, places } => {
                settle(bits, &mem::take(ended));
                for (replica, inserted) in self.inserted.iter_mut().enumerate() {
                    let words = words_of(bits, places[replica]);
                    let own = &words[..self.counts[replica].div_ceil(64) as usize];
                    *inserted = own.iter().map(|word| u64::from_le_bytes(*word).count_ones()).sum();
                }
            }
            Kept::Runs(runs) => {
                runs.sort_unstable();
                runs.dedup_by(|(right, len), (left, left_len)| {
                    let joins = right.replica == left.replica && right.seq - left.seq <= *left_len;
                    if joins {
                        *left_len = (*left_len).max(right.seq - left.seq + *len);
                    }
                    joins
                });
                for (first, len) in runs {
                    self.inserted[first.replica as usize] += *len;
                }
            }
        }
        // What was added an even number of times is missing, and what was added more than once was counted so often.
        self.added == self.inserted.iter().map(|&inserted| u64::from(inserted)).sum()
    }

    /// How many elements a replica inserted, once adding has ended well.
    #[cfg(test)]
    pub(crate) fn count(&self, replica: usize) -> Seq {
        self.inserted[replica]
    }

    /// How many of the elements of a replica have the number `from` or a higher one, which is not beyond its operations.
    pub(crate) fn count_from(&self, replica: usize, from: Seq) -> Seq {
        let before: Seq = match &self.kept {
            Kept::Bits { bits, places, .. } => {
                let words = words_of(bits, places[replica]);
                masks(0, from).map(|(word, mask)| (u64::from_le_bytes(words[word]) & mask).count_ones()).sum()
            }
            Kept::Runs(runs) => runs
                .iter()
                .filter(|(run, _)| run.replica as usize == replica && run.seq < from)
                .map(|(run, len)| (*len).min(from - run.seq))
                .sum(),
        };
        self.inserted[replica] - before
    }

    /// Whether in each of these runs, none empty, all are operations that inserted elements.
    #[inline(always)]
    pub(crate) fn hold_all(&self, mut runs: impl Iterator<Item = (LocalId, Seq)>) -> bool {
        let Kept::Bits { bits, places, .. } = &self.kept else {
            return runs.all(|(first, len)| self.hold_many(first, len));
        };
        runs.all(|(first, len)| {
            if len > AT_ONCE {
                return self.hold_many(first, len);
            }
            let Some(Places { start, end }) = places.get(first.replica as usize) else { return false };
            let at = start + u64::from(first.seq);
            at + u64::from(len) <= *end && {
                let here =
                    bits[(at / 8) as usize..].first_chunk().map_or(0, |here| u64::from_le_bytes(*here));
                !(here >> (at % 8)) << ((64 - len) % 64) == 0
            }
        })
    }

    /// As [`Elements::hold_all`], of one run.
    pub(crate) fn hold(&self, first: LocalId, len: Seq) -> bool {
        self.hold_all(core::iter::once((first, len)))
    }

    #[inline(never)]
    fn hold_many(&self, first: LocalId, len: Seq) -> bool {
        let count = self.counts.get(first.replica as usize).copied().unwrap_or(0);
        if first.seq >= count || len > count - first.seq {
            return false;
        }
        match &self.kept {
            Kept::Bits { bits, places, .. } => {
                let words = words_of(bits, places[first.replica as usize]);
                masks(first.seq, len).all(|(word, mask)| u64::from_le_bytes(words[word]) & mask == mask)
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

/// The bits of a replica, and all behind them.
fn words_of(bits: &[u8], places: Places) -> &[[u8; 8]] {
    &bits.as_chunks().0[(places.start / 64) as usize..]
}

/// Sets each bit up to which an odd number of bits are set in both together, and clears the others.
fn settle(bits: &mut [u8], ended: &[u8]) {
    let words = bits.as_chunks_mut().0;
    // Inside each word first: that takes no turns.
    for (begun, ended) in words.iter_mut().zip(ended.as_chunks().0) {
        let mut word = u64::from_le_bytes(*begun) ^ u64::from_le_bytes(*ended);
        for distance in [1, 2, 4, 8, 16, 32] {
            word ^= word << distance;
        }
        *begun = word.to_le_bytes();
    }
    let mut is_odd = 0;
    for word in words {
        let inside = u64::from_le_bytes(*word);
        *word = (inside ^ is_odd).to_le_bytes();
        is_odd ^= 0u64.wrapping_sub(inside >> 63);
    }
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
