//! One order in which everything can be said again.
//!
//! Nothing tells when replicas that worked side by side said what. What the log does tell is which element each operation
//! refers to, and the operations of one replica one after the other. [`order`] keeps to one replica as long as it can, then
//! goes to the one that it waits for, so that typing stays in one piece; [`order_by_time`] goes by times that somebody else
//! recorded, as far as that can be.
//!
//! What a mark or a move names counts for who asks for it ([`Needs`]): a document takes such statements up before they can be
//! followed, but whoever said them saw what they name.
//!
//! O(*e* + *r*) for *e* entries of the log and *r* replicas; by time, O((*e* + *c*) log *r*) for *c* changes of the time.

use crate::ids::Seq;
use crate::op_log::{LocalId, OpLog, ReplicaIndex, ReplicaLog, Said};
use alloc::collections::BinaryHeap;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::iter::Peekable;

/// The operations `from .. to` of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::doc) struct Stint {
    pub(in crate::doc) replica: ReplicaIndex,
    pub(in crate::doc) from: Seq,
    pub(in crate::doc) to: Seq,
}

/// There is no such order: something refers to what its replica, or another, said only after it. Only a made-up
/// snapshot brings such a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::doc) struct Circular;

/// All operations of a log whose past is not cold, in an order in which everything stands behind what it refers to.
///
/// The same for the same operations, in whatever order they came. Two stints in a row are of two replicas. A run of deletions
/// is in one: nothing waits for a deletion, so it can wait until the last of its targets is there.
pub(in crate::doc) fn order(log: &OpLog) -> Result<Vec<Stint>, Circular> {
    order_with(log, &[])
}

/// Statements and the elements that they name, in ascending order.
pub(in crate::doc) type Needs = [(LocalId, LocalId)];

/// As [`order`], in which statements stand behind what they name, too.
pub(in crate::doc) fn order_with(log: &OpLog, needs: &Needs) -> Result<Vec<Stint>, Circular> {
    let mut speakers = Speakers::of(log, needs);
    // Whoever is on it waits for the one above, up to that number.
    let mut stack: Vec<(ReplicaIndex, Seq)> = Vec::new();
    for (_, first) in log.by_id() {
        stack.push((first, log.of(first).next_seq()));
        while let Some(&(replica, wanted)) = stack.last() {
            let missing = speakers.speak(replica, Seq::MAX);
            if speakers.next(replica) >= wanted {
                stack.pop();
                continue;
            }
            let Some(missing) = missing else { return Err(Circular) };
            // In a good history nobody waits for himself.
            if stack.len() > log.replica_count() {
                return Err(Circular);
            }
            stack.push((missing.replica, missing.seq + 1));
        }
    }
    Ok(speakers.said)
}

/// As [`order_with`], in ascending order of time as far as everything stays behind what it refers to.
///
/// `time_of` tells the time of an operation, and up to which number of its replica, exclusively, that is so: beyond the
/// operation itself.
pub(in crate::doc) fn order_by_time(
    log: &OpLog,
    needs: &Needs,
    mut time_of: impl FnMut(LocalId) -> (u64, Seq),
) -> Result<Vec<Stint>, Circular> {
    let mut speakers = Speakers::of(log, needs);
    let mut rank = vec![0; log.replica_count()];
    for (place, (_, index)) in (0_u32..).zip(log.by_id()) {
        rank[index as usize] = place;
    }
    let mut waiting: Vec<BinaryHeap<Reverse<(Seq, ReplicaIndex)>>> =
        (0..rank.len()).map(|_| BinaryHeap::new()).collect();
    // Who can speak, by the time of what he says next and his place among all.
    let mut ready = BinaryHeap::new();
    let mut call = |ready: &mut BinaryHeap<_>, replica: ReplicaIndex, next: Seq| {
        if next < log.of(replica).next_seq() {
            let (time, until) = time_of(LocalId::new(replica, next));
            ready.push(Reverse((time, rank[replica as usize], replica, until)));
        }
    };
    for (_, replica) in log.by_id() {
        call(&mut ready, replica, 0);
    }
    while let Some(Reverse((_, _, replica, until))) = ready.pop() {
        let missing = speakers.speak(replica, until);
        let next = speakers.next(replica);
        match missing {
            Some(LocalId { replica: other, seq }) => waiting[other as usize].push(Reverse((seq, replica))),
            None => call(&mut ready, replica, next),
        }
        let waiting = &mut waiting[replica as usize];
        while let Some(&Reverse((seq, other))) = waiting.peek()
            && seq < next
        {
            waiting.pop();
            call(&mut ready, other, speakers.next(other));
        }
    }
    let is_done = log.by_id().all(|(_, index)| speakers.next(index) == log.of(index).next_seq());
    if is_done { Ok(speakers.said) } else { Err(Circular) }
}

/// The entries of all replicas, and how far each was said.
struct Speakers<'a, I: Iterator> {
    needs: &'a Needs,
    rows: Vec<Peekable<I>>,
    next: Vec<Seq>,
    said: Vec<Stint>,
}

impl<'a> Speakers<'a, core::iter::Empty<Said<'a>>> {
    fn of(log: &'a OpLog, needs: &'a Needs) -> Speakers<'a, impl Iterator<Item = Said<'a>>> {
        debug_assert!(!log.is_cold(), "the past is decoded before it is put in order");
        let rows: Vec<_> =
            (0..).zip(log.replicas()).map(|(index, _)| log.said(index, 0, Seq::MAX).peekable()).collect();
        Speakers {
            needs,
            next: log.replicas().iter().map(ReplicaLog::floor).collect(),
            rows,
            said: Vec::new(),
        }
    }
}

impl<'a, I: Iterator<Item = Said<'a>>> Speakers<'a, I> {
    /// The next that a replica has to say.
    fn next(&self, replica: ReplicaIndex) -> Seq {
        self.next[replica as usize]
    }

    /// The first of some statements that names what was not said, and that.
    fn unmet(&self, first: LocalId, end: Seq) -> Option<(Seq, LocalId)> {
        let from = self.needs.partition_point(|(statement, _)| *statement < first);
        let here =
            self.needs[from..].iter().take_while(|(statement, _)| *statement < LocalId { seq: end, ..first });
        let mut unmet = here.filter(|(_, needed)| needed.seq >= self.next(needed.replica));
        unmet.next().map(|(statement, needed)| (statement.seq, *needed))
    }

    /// Says what a replica has to say up to a number, exclusively, or up to the first that refers to what was not said: tells
    /// what that is.
    fn speak(&mut self, replica: ReplicaIndex, until: Seq) -> Option<LocalId> {
        let from = self.next(replica);
        let mut missing = None;
        while let Some(&said) = self.rows[replica as usize].peek() {
            let at = self.next(replica);
            if at >= until {
                break;
            }
            let (seq, len) = match said {
                Said::Insert { seq, len, .. } | Said::Delete { seq, len, .. } => (seq, len),
            };
            let mut end = (seq + len).min(until);
            let needed = match said {
                // All but the head go on from one another.
                Said::Insert { placement, .. } => {
                    (at == seq && placement.element != LocalId::START).then_some(placement.element)
                }
                Said::Delete { target, descending: true, .. } => {
                    Some(LocalId::new(target.replica, target.seq - (at - seq)))
                }
                Said::Delete { target, .. } => Some(target.plus(end - 1 - seq)),
            };
            if let Some(needed) = needed
                && needed.seq >= self.next(needed.replica)
            {
                missing = Some(needed);
                break;
            }
            if !self.needs.is_empty()
                && let Said::Insert { .. } = said
                && let Some((statement, needed)) = self.unmet(LocalId::new(replica, at), end)
            {
                if statement == at {
                    missing = Some(needed);
                    break;
                }
                end = statement;
            }
            self.next[replica as usize] = end;
            if end == seq + len {
                self.rows[replica as usize].next();
            }
        }
        let to = self.next(replica);
        if to > from {
            match self.said.last_mut() {
                Some(last) if last.replica == replica => last.to = to,
                _ => self.said.push(Stint { replica, from, to }),
            }
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anchor::Side;
    use crate::dice::Dice;
    use crate::ids::ReplicaId;
    use crate::op_log::Placement;

    const START: Placement = Placement { element: LocalId::START, side: Side::After };

    fn after(replica: ReplicaIndex, seq: Seq) -> Placement {
        Placement { element: LocalId::new(replica, seq), side: Side::After }
    }

    fn log_of(replicas: u64) -> OpLog {
        let mut log = OpLog::default();
        for replica in 0..replicas {
            log.register(ReplicaId::new(replica.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        }
        log
    }

    fn index(count: usize) -> ReplicaIndex {
        ReplicaIndex::try_from(count).unwrap()
    }

    /// Says everything as it came, in this order of replicas.
    fn check(log: &OpLog, order: &[Stint]) {
        let mut next = vec![0; log.replica_count()];
        for &Stint { replica, from, to } in order {
            assert_eq!(next[replica as usize], from, "the operations of a replica ascend");
            assert!(from < to, "nobody says nothing");
            next[replica as usize] = to;
            for said in log.said(replica, from, to) {
                match said {
                    Said::Insert { placement: Placement { element, .. }, .. } => {
                        assert!(element == LocalId::START || element.seq < next[element.replica as usize]);
                    }
                    Said::Delete { target, len, descending, .. } => {
                        let highest = if descending { target.seq } else { target.seq + len - 1 };
                        assert!(highest < next[target.replica as usize]);
                    }
                }
            }
        }
        let all: Vec<Seq> = log.replicas().iter().map(ReplicaLog::next_seq).collect();
        assert_eq!(next, all, "everything is said");
    }

    /// A history of so many operations, all of one, that refer to anything said before.
    fn random(dice: &mut Dice, replicas: usize, operations: usize, near: usize) -> OpLog {
        let mut log = log_of(replicas as u64);
        let mut elements: Vec<LocalId> = Vec::new();
        for _ in 0..operations {
            let replica = index(dice.below(replicas));
            let any = (!elements.is_empty()).then(|| {
                let back = dice.below(elements.len().min(near));
                elements[elements.len() - 1 - back]
            });
            match any {
                Some(target) if dice.below(3) == 0 => {
                    log.append_delete(replica, target, 1, false);
                }
                _ => {
                    let element = log.next_id(replica);
                    let placement = any.map_or(START, |element| Placement { element, side: Side::After });
                    log.append_insert(replica, placement, "x", 1);
                    elements.push(element);
                }
            }
        }
        log
    }

    #[test]
    fn everything_stands_behind_what_it_refers_to() {
        let mut dice = Dice(11);
        for near in [1, 2, 5, 1000] {
            for _ in 0..200 {
                let (replicas, operations) = (1 + dice.below(5), dice.below(60));
                let log = random(&mut dice, replicas, operations, near);
                let order = order(&log).unwrap();
                check(&log, &order);
                assert!(order.windows(2).all(|pair| pair[0].replica != pair[1].replica));
                let times: Vec<u64> = (0..8).map(|_| dice.below(4) as u64).collect();
                let time_of = |id: LocalId| {
                    let part = (id.seq / 5) as usize;
                    (times[(part + id.replica as usize) % 8], (id.seq / 5 + 1) * 5)
                };
                check(&log, &order_by_time(&log, &[], time_of).unwrap());
            }
        }
    }

    #[test]
    fn who_can_go_on_does() {
        let mut log = log_of(2);
        log.append_insert(0, START, "hello", 5);
        log.append_insert(1, after(0, 2), "there", 5);
        log.append_insert(0, after(0, 4), " world", 6);
        log.append_delete(0, LocalId::new(1, 0), 5, false);
        let stints = |order: Vec<Stint>| -> Vec<_> {
            order.into_iter().map(|stint| (stint.replica, stint.from, stint.to)).collect()
        };
        assert_eq!(stints(order(&log).unwrap()), [(0, 0, 11), (1, 0, 5), (0, 11, 16)]);
        // By time, he who came later interrupts.
        let time_of = |id: LocalId| match (id.replica, id.seq) {
            (0, ..5) => (10, 5),
            (0, _) => (30, Seq::MAX),
            _ => (20, Seq::MAX),
        };
        assert_eq!(stints(order_by_time(&log, &[], time_of).unwrap()), [(0, 0, 5), (1, 0, 5), (0, 5, 16)]);
        // A time that cannot be does not hold.
        let time_of = |id: LocalId| (u64::from(1 - id.replica), Seq::MAX);
        assert_eq!(stints(order_by_time(&log, &[], time_of).unwrap()), [(0, 0, 11), (1, 0, 5), (0, 11, 16)]);
    }

    #[test]
    fn deletions_wait_for_the_last_of_their_targets() {
        for descending in [false, true] {
            let mut log = log_of(2);
            log.append_insert(1, START, "abc", 3);
            log.append_insert(0, START, "x", 1);
            log.append_delete(0, LocalId::new(1, if descending { 4 } else { 1 }), 4, descending);
            log.append_insert(1, after(0, 0), "de", 2);
            let order = order(&log).unwrap();
            check(&log, &order);
            assert_eq!(order.len(), 3);
            check(&log, &order_by_time(&log, &[], |id| (u64::from(id.seq), id.seq + 1)).unwrap());
        }
    }

    #[test]
    fn statements_stand_behind_what_they_name() {
        let mut log = log_of(2);
        log.append_insert(0, START, "abcd", 4);
        log.append_insert(1, START, "xyz", 3);
        let needs = [(LocalId::new(0, 1), LocalId::new(1, 0)), (LocalId::new(0, 2), LocalId::new(1, 2))];
        let order: Vec<_> =
            order_with(&log, &needs).unwrap().into_iter().map(|stint| (stint.replica, stint.to)).collect();
        assert_eq!(order, [(0, 1), (1, 3), (0, 4)]);
        let by_time = order_by_time(&log, &needs, |id| (u64::from(id.replica), Seq::MAX)).unwrap();
        assert_eq!(by_time.len(), 3);
        let circle = [(LocalId::new(0, 1), LocalId::new(1, 0)), (LocalId::new(1, 0), LocalId::new(0, 2))];
        assert_eq!(order_with(&log, &circle), Err(Circular));
    }

    #[test]
    fn a_circle_is_told() {
        let mut log = log_of(2);
        log.append_insert(0, after(1, 1), "a", 1);
        log.append_delete(1, LocalId::new(0, 0), 1, false);
        log.append_insert(1, START, "b", 1);
        assert_eq!(order(&log), Err(Circular));
        assert_eq!(order_by_time(&log, &[], |_| (0, Seq::MAX)), Err(Circular));
        let mut log = log_of(1);
        log.append_delete(0, LocalId::new(0, 1), 1, false);
        log.append_insert(0, START, "b", 1);
        assert_eq!(order(&log), Err(Circular));
        assert_eq!(order_by_time(&log, &[], |_| (0, Seq::MAX)), Err(Circular));
    }

    #[test]
    fn thousands_of_replicas_that_wait_for_each_other_take_no_longer() {
        // Each waits for the last of the next one.
        let replicas = 5000;
        let mut log = log_of(replicas);
        for replica in 0..4999 {
            log.append_insert(replica, after(replica + 1, 1), "a", 1);
            log.append_insert(replica, START, "b", 1);
        }
        log.append_insert(4999, START, "ab", 2);
        check(&log, &order(&log).unwrap());
        check(&log, &order_by_time(&log, &[], |_| (0, Seq::MAX)).unwrap());
        // Every operation refers to another replica's.
        let mut dice = Dice(5);
        for near in [1, 100] {
            let log = random(&mut dice, 3000, 300_000, near);
            check(&log, &order(&log).unwrap());
            check(&log, &order_by_time(&log, &[], |id| (u64::from(id.seq), id.seq + 1)).unwrap());
        }
    }
}
