//! What a client still has to send: batches cut from the document, and what became of them.

use super::causal::known_prefix;
use super::code::NackCode;
use super::frame::{Frame, Handle};
use super::limits;
use crate::codec::{Limits, decode_delta};
use crate::doc::Doc;
use crate::ids::{ReplicaId, Seq, VersionVector};
use crate::sorted::SortedMap;
use alloc::vec::Vec;
use core::ops::Range;

/// Bytes that a document wrote it also reads; anything else is a fault of ours and must not be sent.
const OWN_DELTA: &str = "a document reads what it wrote";

/// Two vectors instead of a queue of bytes: what the server holds, and what was sent to it.
///
/// After a refusal nothing of that replica is sent until everything in flight was answered: then
/// the server's view is known and the rest is cut anew from there, so no hole can form and no
/// refusal is answered twice.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    /// What the server's store holds.
    pub(super) acked: VersionVector,
    pub(super) delta_bytes: usize,
    pub(super) in_flight_max: usize,
    pub(super) now_ms: u64,
    /// Never below `acked`, except where a refusal was not dealt with yet.
    sent: VersionVector,
    in_flight: Vec<(ReplicaId, Range<Seq>)>,
    held: SortedMap<ReplicaId, Hold>,
    /// Halved when the server wants less, doubled again with each acknowledgement.
    batch_operations: u32,
}

#[derive(Clone, Copy, Debug)]
struct Hold {
    /// `None`: until the permission changes.
    until_ms: Option<u64>,
    /// What the server would accept next.
    expected: Seq,
}

impl Default for Outgoing {
    fn default() -> Self {
        Self {
            acked: VersionVector::new(),
            delta_bytes: limits::DELTA_BYTES,
            in_flight_max: limits::IN_FLIGHT_BATCHES,
            now_ms: 0,
            sent: VersionVector::new(),
            in_flight: Vec::new(),
            held: SortedMap::new(),
            batch_operations: limits::BATCH_OPERATIONS,
        }
    }
}

impl Outgoing {
    /// The server's store holds exactly `version`.
    pub(super) fn joined(&mut self, version: VersionVector) {
        self.disconnected();
        self.sent = version.clone();
        self.acked = version;
    }

    pub(super) fn disconnected(&mut self) {
        self.in_flight.clear();
        self.held.clear();
        self.batch_operations = limits::BATCH_OPERATIONS;
    }

    pub(super) fn permission_changed(&mut self) {
        for (_, hold) in self.held.iter_mut() {
            hold.until_ms.get_or_insert(self.now_ms);
        }
    }

    /// The server's store holds all operations of `replica` below `up_to`.
    pub(super) fn acked(&mut self, replica: ReplicaId, up_to: Seq) {
        self.acked.raise(replica, up_to);
        self.sent.raise(replica, up_to);
        let before = self.in_flight.len();
        self.in_flight.retain(|(other, seqs)| *other != replica || seqs.end > up_to);
        if self.in_flight.len() < before {
            self.batch_operations = self.batch_operations.saturating_mul(2).min(limits::BATCH_OPERATIONS);
        }
    }

    /// The server's store holds these operations.
    pub(super) fn stored(&mut self, replica: ReplicaId, from: Seq, to: Seq) {
        // The server takes operations of a replica in order, so there is no hole unless an earlier
        // batch was missed; then the vector lags behind, which is on the safe side.
        if from <= self.acked.get(replica) {
            self.acked(replica, to);
        }
    }

    /// The server's store holds what is in `delta`, which the document has just taken.
    pub(super) fn stored_delta(&mut self, delta: &[u8]) {
        if delta.is_empty() {
            return;
        }
        for op in decode_delta(delta, &Limits::WIDEST).expect("the document has read it") {
            self.stored(op.id.replica, op.id.seq, op.id.seq.saturating_add(op.len()));
        }
    }

    /// The server did not accept a batch. Whether it was one in flight.
    pub(super) fn refused(
        &mut self,
        replica: ReplicaId,
        seqs: Range<Seq>,
        code: NackCode,
        retry_after_ms: u64,
        expected: Seq,
    ) -> bool {
        let Some(index) = self.in_flight.iter().position(|batch| *batch == (replica, seqs.clone())) else {
            return false;
        };
        self.in_flight.remove(index);
        let can_change_something = match code {
            NackCode::Conflict => expected != seqs.start,
            NackCode::TooLarge => {
                self.batch_operations = (seqs.len_u32() / 2).max(1);
                seqs.len_u32() > 1
            }
            // What it refers to was refused itself, and is sent first from now on.
            NackCode::CauseMissing => true,
            NackCode::Rate | NackCode::Permission | NackCode::DocumentFull => false,
        };
        let wait_ms =
            if can_change_something { retry_after_ms } else { retry_after_ms.max(limits::RETRY_MIN_MS) };
        let until_ms = self.now_ms.saturating_add(wait_ms);
        let hold = self.held.or_insert_with(replica, || Hold { until_ms: Some(until_ms), expected });
        hold.expected = expected;
        hold.until_ms = match (code, hold.until_ms) {
            (NackCode::Permission, _) | (_, None) => None,
            (_, Some(earlier)) => Some(earlier.max(until_ms)),
        };
        true
    }

    /// Cuts batches in causal order, as long as more may be in flight: each refers only to operations
    /// that the server has or that were sent before it. `None` if the server lacks what was trimmed here.
    pub(super) fn cut(&mut self, doc: &Doc, handle: Handle) -> Option<Vec<Vec<u8>>> {
        self.release();
        if !doc.can_tell_since(&self.sent) {
            return None;
        }
        let mut unsent: Vec<(ReplicaId, Seq)> = lacking(doc.version(), &self.sent).collect();
        let mut frames = Vec::new();
        let mut went_on = true;
        while went_on {
            went_on = false;
            unsent.retain(|(replica, count)| {
                self.sent.get(*replica) < *count && !self.held.contains_key(replica)
            });
            for &(replica, count) in &unsent {
                if self.in_flight.len() >= self.in_flight_max {
                    return Some(frames);
                }
                let from = self.sent.get(replica);
                let Some((to, delta)) = self.cut_batch(doc, replica, from..count) else { continue };
                frames.push(Frame::Update { log_seq: 0, replica, from, to, delta: &delta }.encode(handle));
                self.sent.set(replica, to);
                self.in_flight.push((replica, from..to));
                went_on = true;
            }
        }
        Some(frames)
    }

    /// Cuts a batch as long as may be, if its first operation can go now.
    fn cut_batch(&mut self, doc: &Doc, replica: ReplicaId, seqs: Range<Seq>) -> Option<(Seq, Vec<u8>)> {
        let from = seqs.start;
        if seqs.len_u32() > 1 && !self.is_known(&doc.delta_of(replica, from..from + 1)) {
            return None;
        }
        let (to, delta) = self.cut_delta(doc, replica, seqs);
        let ops = decode_delta(&delta, &Limits::WIDEST).expect(OWN_DELTA);
        let known = known_prefix(&ops, |replica| self.will_be_known(replica));
        if known == ops.len() {
            return Some((to, delta));
        }
        // A run of deletions may be known in part.
        let to = if known == 0 { from + 1 } else { ops[known].id.seq };
        let delta = doc.delta_of(replica, from..to);
        self.batch_operations = (to - from).saturating_mul(4).clamp(64, limits::BATCH_OPERATIONS);
        self.is_known(&delta).then_some((to, delta))
    }

    fn is_known(&self, delta: &[u8]) -> bool {
        let ops = decode_delta(delta, &Limits::WIDEST).expect(OWN_DELTA);
        known_prefix(&ops, |replica| self.will_be_known(replica)) == ops.len()
    }

    /// How many operations of the replica the server will have when it gets the next batch.
    fn will_be_known(&self, replica: ReplicaId) -> Seq {
        match self.held.get(&replica) {
            Some(hold) => self.acked.get(replica).max(hold.expected),
            None => self.sent.get(replica),
        }
    }

    /// Whether the server's store holds everything that the document does.
    pub(super) fn is_saved(&self, doc: &Doc) -> bool {
        lacking(doc.version(), &self.acked).next().is_none()
    }

    fn cut_delta(&self, doc: &Doc, replica: ReplicaId, seqs: Range<Seq>) -> (Seq, Vec<u8>) {
        let mut len = seqs.len_u32().min(self.batch_operations);
        loop {
            let to = seqs.start + len;
            let delta = doc.delta_of(replica, seqs.start..to);
            if delta.len() <= self.delta_bytes || len == 1 {
                return (to, delta);
            }
            len = len.div_ceil(2);
        }
    }

    /// Lets replicas go on whose refused batches were all answered and whose time has come.
    fn release(&mut self) {
        let Self { acked, sent, in_flight, held, now_ms, .. } = self;
        held.retain(|&replica, hold| {
            let over = hold.until_ms.is_some_and(|until_ms| until_ms <= *now_ms)
                && !in_flight.iter().any(|(other, _)| *other == replica);
            if over {
                // What was accepted and not yet stored comes back as an update, once it is.
                sent.set(replica, acked.get(replica).max(hold.expected));
            }
            !over
        });
    }
}

/// The replicas of which `known` has seen less than `version`, and how much that has.
///
/// Walks along both, because this is asked for each keystroke and a document may have had
/// thousands of replicas.
fn lacking<'a>(
    version: &'a VersionVector,
    known: &'a VersionVector,
) -> impl Iterator<Item = (ReplicaId, Seq)> + 'a {
    let mut known = known.iter().peekable();
    version.iter().filter(move |&(replica, count)| {
        while known.next_if(|(other, _)| *other < replica).is_some() {}
        known.next_if(|(other, _)| *other == replica).is_none_or(|(_, seen)| seen < count)
    })
}

trait LenU32 {
    fn len_u32(&self) -> u32;
}

impl LenU32 for Range<Seq> {
    fn len_u32(&self) -> u32 {
        self.end.saturating_sub(self.start)
    }
}
