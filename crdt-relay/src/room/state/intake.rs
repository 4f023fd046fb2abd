//! What becomes of a batch: refused, known already, or accepted.

use super::{Outputs, Queued, RoomOutput, RoomState, Violation};
use crate::batch::Batch;
use crate::room::{limits, stored};
use bytes::Bytes;
use crdt_core::sync::{CloseCode, Frame, NackCode, Permission, SessionId, known_prefix};
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
        let refuse = |code, retry_after_ms| {
            let expected = accepted;
            Frame::Nack { replica, from, to, code, retry_after_ms, expected }
        };
        let usual = |code| Some(refuse(code, limits::retry_after_ms(code)));
        let Some(member) = self.members.get_mut(&session) else { return Ok(()) };
        let delta_bytes = delta.len() as u64;
        let is_full = self.bytes.saturating_add(delta_bytes) > self.limits.document_bytes;
        let refusal = if member.permission != Permission::Write {
            usual(NackCode::Permission)
        } else if let Err(wait_ms) = member.rate.take(now_ms) {
            Some(refuse(NackCode::Rate, wait_ms))
        } else if delta_bytes > u64::from(self.limits.frames.delta_bytes) {
            usual(NackCode::TooLarge)
        } else if to > accepted && from != accepted {
            usual(NackCode::Conflict)
        } else if to > accepted && is_full {
            usual(NackCode::DocumentFull)
        } else {
            None
        };
        if let Some(nack) = refusal {
            self.send(session, &nack, out);
            return Ok(());
        }
        let ops = stored::decode_batch(delta, replica, from..to)
            .map_err(|text| Violation { code: CloseCode::INVALID_DELTA, text })?;
        if to > accepted && known_prefix(&ops, |replica| self.accepted.get(replica)) < ops.len() {
            let code = NackCode::CauseMissing;
            self.send(session, &refuse(code, limits::retry_after_ms(code)), out);
            return Ok(());
        }
        // Known operations are applied too: that finds those which are not what they were.
        match self.doc.apply(delta) {
            Ok(_edits) if to <= accepted => self.acknowledge_again(session, replica, to, out),
            Ok(_edits) => self.accept(session, (replica, from, to), delta, out),
            Err(ApplyError::Full) => {
                let code = NackCode::DocumentFull;
                self.send(session, &refuse(code, limits::retry_after_ms(code)), out);
            }
            Err(error @ ApplyError::ReplicaCollision { .. }) => {
                return Err(Violation { code: CloseCode::REPLICA_COLLISION, text: error.to_string() });
            }
            Err(error @ ApplyError::Trimmed) => {
                return Err(Violation { code: CloseCode::TRIMMED, text: error.to_string() });
            }
            Err(error) => return Err(Violation { code: CloseCode::INVALID_DELTA, text: error.to_string() }),
        }
        Ok(())
    }

    fn accept(
        &mut self,
        session: SessionId,
        (replica, from, to): (ReplicaId, Seq, Seq),
        delta: &[u8],
        out: &mut Outputs,
    ) {
        self.accepted.raise(replica, to);
        self.accepted_head += 1;
        self.bytes = self.bytes.saturating_add(delta.len() as u64);
        let log_seq = self.accepted_head;
        let batch = Batch { log_seq, replica, from, to, delta: Bytes::copy_from_slice(delta) };
        self.queue.push_back(Queued { batch: batch.clone(), from_session: session });
        out.push(RoomOutput::Store(batch));
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
