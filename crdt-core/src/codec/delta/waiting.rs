//! What of a long delta would have to wait, found before its runs are kept.
//!
//! A run takes a byte of a delta and some 50 as a row, so a delta of which more would wait than may is not made rows of
//! first. Its runs are read where they stand, twice: once through, to learn where those of each replica are; then those
//! of every replica as far as nothing is missing, in the order in which `doc::intake` schedules rows.

use super::rich;
use super::table::{self, BlockHead, BlockOrder, Table};
use crate::bytes::Reader;
use crate::error::DecodeError;
use crate::ids::{Seq, VersionVector};
use crate::limits::Limits;
use crate::op::{Row, RowKind};
use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Reverse;

/// Whether more than `most` runs of a delta would wait in a document with this version. O(bytes), and O(*r* log *r*) for
/// *r* runs that wait for each other; memory for its replicas only.
///
/// Runs that will turn out invalid count as if they were not, and of a delta by names nothing is told: its reader has to
/// hear all of it.
///
/// # Errors
/// Those of decoding that are met on the way.
pub(crate) fn would_wait(
    delta: &[u8],
    most: usize,
    version: &VersionVector,
    limits: &Limits,
) -> Result<bool, DecodeError> {
    // A run takes a byte at least.
    if delta.len() <= most {
        return Ok(false);
    }
    let delta = rich::plain_part(delta)?;
    let Some((replicas, source, reader)) = table::open(delta, limits)? else { return Ok(false) };
    let lane = |&id| Lane {
        next: version.get(id),
        rest: Rest { runs: 0, seq: 0, reader: Reader::new(&[]), source },
        waiting: BinaryHeap::new(),
    };
    let mut lanes = Lanes(replicas.iter().map(lane).collect());
    let (runs, known) = lanes.find(reader, source)?;
    Ok(runs - known > most && runs - known - lanes.run()? > most)
}

/// The runs of a block, from one on.
#[derive(Clone)]
struct Rest<'a> {
    runs: usize,
    /// The number of the first operation.
    seq: Seq,
    reader: Reader<'a>,
    source: Table<'a>,
}

/// A replica of the table.
struct Lane<'a> {
    /// The number behind its last operation that is there or could be integrated.
    next: Seq,
    /// Of its first block that is not known: in front of any other, something is missing.
    rest: Rest<'a>,
    /// Who waits for which of its operations.
    waiting: BinaryHeap<Reverse<(Seq, u32)>>,
}

struct Lanes<'a>(Vec<Lane<'a>>);

impl<'a> Lanes<'a> {
    /// Finds where the runs of each replica begin; tells how many there are, and how many are in blocks that are known.
    fn find(&mut self, mut reader: Reader<'a>, mut source: Table<'a>) -> Result<(usize, usize), DecodeError> {
        let (mut sum, mut known) = (0, 0);
        let mut order = BlockOrder::new(self.0.len());
        while !reader.is_empty() {
            let BlockHead { replica, from, runs } = BlockHead::read(&mut reader, &source)?;
            order.check(replica, from)?;
            let rest = Rest { runs, seq: from, reader: reader.clone(), source };
            let mut seq = from;
            for _ in 0..runs {
                seq = source.row(&mut reader, replica, seq)?.end();
            }
            order.end(replica, seq);
            sum += runs;
            let lane = &mut self.0[replica as usize];
            if seq <= lane.next {
                known += runs;
            } else if lane.rest.runs == 0 {
                lane.rest = rest;
            }
        }
        Ok((sum, known))
    }

    /// Goes through all runs that could be integrated; tells how many.
    fn run(&mut self) -> Result<usize, DecodeError> {
        let mut runs = 0;
        let mut ready: Vec<u32> = (0..).take(self.0.len()).collect();
        while let Some(number) = ready.pop() {
            runs += self.advance(number)?;
            let lane = &mut self.0[number as usize];
            while let Some(&Reverse((missing, waiting))) = lane.waiting.peek()
                && missing < lane.next
            {
                lane.waiting.pop();
                ready.push(waiting);
            }
        }
        Ok(runs)
    }

    /// Goes on with a replica until something is missing; tells by how many runs.
    fn advance(&mut self, number: u32) -> Result<usize, DecodeError> {
        let lane = &mut self.0[number as usize];
        let (mut rest, mut next) = (lane.rest.clone(), lane.next);
        let runs = rest.runs;
        while rest.runs > 0 {
            let Rest { mut reader, mut source, seq, .. } = rest.clone();
            let row = source.row(&mut reader, number, seq)?;
            if row.end() > next {
                let missing = if seq > next { Some((number, seq - 1)) } else { self.missing(&row, next) };
                if let Some((other, missing)) = missing {
                    self.0[other as usize].waiting.push(Reverse((missing, number)));
                    break;
                }
                next = row.end();
            }
            rest = Rest { runs: rest.runs - 1, seq: row.end(), reader, source };
            self.0[number as usize].next = next;
        }
        let done = runs - rest.runs;
        self.0[number as usize].rest = rest;
        Ok(done)
    }

    /// What `row` waits for; it begins at `next`, the next of its replica, or before it.
    #[inline]
    fn missing(&self, row: &Row<'_>, next: Seq) -> Option<(u32, Seq)> {
        let needed = match row.kind {
            RowKind::InsertFirst => return None,
            RowKind::DeleteUp => row.other_seq + (row.len - 1),
            _ if row.seq < next => return None,
            _ => row.other_seq,
        };
        (needed >= self.0[row.other as usize].next).then_some((row.other, needed))
    }
}
