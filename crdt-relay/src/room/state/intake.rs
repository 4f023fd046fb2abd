//! What becomes of a batch: refused, known already, waiting for its cause, or accepted.

use super::{Outputs, Queued, RoomOutput, RoomState, Violation};
use crate::batch::Batch;
use crate::room::early::{EarlyBatch, known_prefix};
use crate::room::{limits, stored};
use bytes::Bytes;
use crdt_core::codec::encode_delta;
use crdt_core::sync::{CloseCode, Frame, NackCode, Permission, SessionId};
use crdt_core::{ApplyError, ReplicaId, Seq};

impl RoomState {
    pub(super) fn update(
        &mut self,
        now_ms: u64,
        session: SessionId,
        (replica, from, to): (ReplicaId, Seq, Seq),
        delta: &[u8],
        out: &mut Outputs,
    ) -> Result<(), Violation> {
        let accepted = self.accepted.get(replica);
        let Some(member) = self.members.get_mut(&session) else { return Ok(()) };
        let expected = member.early.end_of(replica).unwrap_or(accepted);
        let delta_bytes = delta.len() as u64;
        let is_full = self.bytes.saturating_add(delta_bytes) > self.limits.document_bytes;
        let refusal = if member.permission != Permission::Write {
            Some((NackCode::Permission, None))
        } else if let Err(wait_ms) = member.rate.take(now_ms) {
            Some((NackCode::Rate, Some(wait_ms)))
        } else if delta_bytes > u64::from(self.limits.frames.delta_bytes) {
            Some((NackCode::TooLarge, None))
        } else if to > accepted && from != expected {
            Some((NackCode::Conflict, None))
        } else if to > accepted && is_full {
            Some((NackCode::DocumentFull, None))
        } else {
            None
        };
        if let Some((code, wait_ms)) = refusal {
            let retry_after_ms = wait_ms.unwrap_or(limits::retry_after_ms(code));
            let nack = Frame::Nack { replica, from, to, code, retry_after_ms, expected };
            self.send(session, &nack, out);
            return Ok(());
        }
        let ops = stored::decode_batch(delta, replica, from..to)
            .map_err(|text| Violation { code: CloseCode::INVALID_DELTA, text })?;
        if to <= accepted {
            // Applied all the same: that finds operations which are not what they were.
            self.apply(delta)?;
            self.acknowledge_again(session, replica, to, out);
        } else if from == accepted && known_prefix(&ops, &self.accepted) == ops.len() {
            if self.accept(session, (replica, from, to), Bytes::copy_from_slice(delta), out)? {
                self.settle_early(out);
            } else {
                let batch = EarlyBatch { replica, seqs: from..to, ops, bytes: delta.len() };
                self.refuse(session, &batch, NackCode::DocumentFull, out);
            }
        } else {
            member.early.push(EarlyBatch { replica, seqs: from..to, ops, bytes: delta.len() });
            self.early.insert(session);
            self.settle_early(out);
            self.refuse_above_limit(session, out);
        }
        Ok(())
    }

    /// Whether there was room for it.
    fn apply(&mut self, delta: &[u8]) -> Result<bool, Violation> {
        let error = match self.doc.apply(delta) {
            Ok(_edits) => return Ok(true),
            Err(ApplyError::Full) => return Ok(false),
            Err(error) => error,
        };
        let code = match error {
            ApplyError::ReplicaCollision { .. } => CloseCode::REPLICA_COLLISION,
            _ => CloseCode::INVALID_DELTA,
        };
        Err(Violation { code, text: error.to_string() })
    }

    /// Takes a batch that starts where its replica ends and refers to what is here. Whether there was
    /// room for it.
    fn accept(
        &mut self,
        session: SessionId,
        (replica, from, to): (ReplicaId, Seq, Seq),
        delta: Bytes,
        out: &mut Outputs,
    ) -> Result<bool, Violation> {
        if !self.apply(&delta)? {
            return Ok(false);
        }
        self.accepted.raise(replica, to);
        self.accepted_head += 1;
        self.bytes = self.bytes.saturating_add(delta.len() as u64);
        let batch = Batch { log_seq: self.accepted_head, replica, from, to, delta };
        self.queue.push_back(Queued { batch: batch.clone(), from_session: session });
        out.push(RoomOutput::Store(batch));
        Ok(true)
    }

    /// Takes all that waited for what is here now, as far as it goes.
    fn settle_early(&mut self, out: &mut Outputs) {
        loop {
            let ready = self.early.iter().find_map(|&session| {
                let early = &mut self.members.get_mut(&session)?.early;
                Some((session, early.take_ready(&self.accepted)?))
            });
            let Some((session, batch)) = ready else { return };
            if let Err(violation) = self.settle(session, batch, out) {
                self.close(session, violation.code, violation.text, out);
            }
            if self.members.get(&session).is_none_or(|member| member.early.is_empty()) {
                self.early.remove(&session);
            }
        }
    }

    fn settle(
        &mut self,
        session: SessionId,
        mut batch: EarlyBatch,
        out: &mut Outputs,
    ) -> Result<(), Violation> {
        let (replica, from, to) = (batch.replica, batch.next_seq(), batch.seqs.end);
        let accepted = self.accepted.get(replica);
        if from < accepted {
            // The same operations came from elsewhere.
            if to <= accepted {
                self.apply(&encode_delta(&batch.ops))?;
                self.acknowledge_again(session, replica, to, out);
                return Ok(());
            }
            self.refuse_all_of(session, batch, NackCode::Conflict, out);
            return Ok(());
        }
        let known = known_prefix(&batch.ops, &self.accepted);
        let rest = batch.ops.split_off(known);
        let taken_to = rest.first().map_or(to, |op| op.id.seq);
        if !self.accept(session, (replica, from, taken_to), encode_delta(&batch.ops).into(), out)? {
            self.refuse_all_of(session, batch, NackCode::DocumentFull, out);
        } else if !rest.is_empty()
            && let Some(member) = self.members.get_mut(&session)
        {
            batch.ops = rest;
            member.early.put_back(batch);
        }
        Ok(())
    }

    fn refuse_above_limit(&mut self, session: SessionId, out: &mut Outputs) {
        while let Some(member) = self.members.get_mut(&session)
            && let Some(batch) = member.early.pop_above(&self.limits)
        {
            self.refuse(session, &batch, NackCode::PendingFull, out);
        }
    }

    /// Refuses a batch and those of its replica that wait behind it.
    fn refuse_all_of(&mut self, session: SessionId, batch: EarlyBatch, code: NackCode, out: &mut Outputs) {
        let later = self.members.get_mut(&session).map(|member| member.early.take_all_of(batch.replica));
        for batch in [batch].into_iter().chain(later.unwrap_or_default()) {
            self.refuse(session, &batch, code, out);
        }
    }

    /// Refuses what is left of a batch, and tells where to go on.
    fn refuse(&self, session: SessionId, batch: &EarlyBatch, code: NackCode, out: &mut Outputs) {
        let EarlyBatch { replica, ref seqs, .. } = *batch;
        // Above the limit only the last one is refused: the others of its replica still wait.
        let expected = match code {
            NackCode::PendingFull => batch.next_seq(),
            _ => self.accepted.get(replica),
        };
        let retry_after_ms = limits::retry_after_ms(code);
        let nack = Frame::Nack { replica, from: seqs.start, to: seqs.end, code, retry_after_ms, expected };
        self.send(session, &nack, out);
    }

    fn acknowledge_again(&mut self, session: SessionId, replica: ReplicaId, to: Seq, out: &mut Outputs) {
        let up_to = self.stored.get(replica);
        if to <= up_to {
            self.send(session, &Frame::Ack { replica, up_to, log_seq: 0 }, out);
        } else {
            self.waiting.push((session, replica, to));
        }
    }
}
