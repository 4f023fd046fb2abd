//! Where a history starts: with nothing, or with what stood when the past was trimmed.

use super::then::Then;
use crate::codec::{Items, PastParts, Textless};
use crate::doc::Doc;
use crate::doc::snapshot::{InDocumentOrder, Listed, Past};
use crate::doc::trim::Parts;
use crate::error::HistoryError;
use crate::ids::ReplicaId;
use crate::limits::Limits;
use crate::op_log::{OpLog, ReplicaLog};
use alloc::vec::Vec;

impl Doc {
    /// A document for `replica` with what was said before the floor of `log`, which is this document's without a cold past. It
    /// lists the same replicas, by the same indices. O(*n* log *n*), and O(replicas) if nothing was trimmed.
    pub(super) fn base(&self, log: &OpLog, replica: ReplicaId) -> Result<Self, HistoryError> {
        let mut base = Self::new(replica);
        if log.is_trimmed() {
            base = self.trimmed_base(log, replica)?;
            base.thaw();
        }
        for one in log.replicas() {
            base.log.register(one.id());
        }
        base.limits = self.limits;
        if let Some(rich) = &self.rich {
            base.rich_mut().expands = rich.expands.clone();
        }
        Ok(base)
    }

    fn trimmed_base(&self, log: &OpLog, replica: ReplicaId) -> Result<Self, HistoryError> {
        let floor = self.floor();
        let then = Then::of(self, log, &floor)?;
        let mut parts = Vec::new();
        for (item, text) in self.sequence.runs(&self.log) {
            let left = log.of(item.id.replica).floor().saturating_sub(item.id.seq).min(item.len);
            if left > 0 {
                Parts::cut(item, text, left, &mut parts, |first, len| then.stretch(first, len));
            }
        }
        let listed = Listed::all_of(log);
        let mut past = InDocumentOrder::new(log, &listed);
        Parts::all(log, parts).visit_left(|part, text| past.push(part, text.as_bytes()));
        let floors = log.replicas().iter().map(ReplicaLog::floor).collect();
        let made_up = |_| HistoryError::Circular;
        let mut base = match past.finish_at_floor(floors).into_parts() {
            PastParts::InDocumentOrder { items, textless, floors, text, visible, anchors, deletions } => {
                let (items, textless) = (Items::new(&items).map_err(made_up)?, Textless::new(&textless));
                let (anchors, deletions) = (&anchors, &deletions);
                let past = Past { items, textless, floors: &floors, text, visible, anchors, deletions };
                Self::load(replica, &listed.version, past, self.log.text_bytes(), &Limits::WIDEST)
                    .map_err(made_up)?
            }
            PastParts::InOrderOfTime(_) => return Err(HistoryError::Circular),
        };
        base.version = floor.clone();
        let values = self.rich.iter().flat_map(|rich| &rich.values);
        let carried = values.filter(|(id, _)| floor.contains(**id));
        let carried = carried.map(|(id, value)| (*id, value.clone())).collect();
        base.load_values(carried).ok_or(HistoryError::Circular)?;
        Ok(base)
    }
}
