//! Operations without a document, in the one way to cut them into runs: each as long as it can be.
//!
//! So the same operations come to the same bytes, however the deltas that brought them were cut.

use super::DeltaWriter;
use super::rich::write_rich;
use crate::anchor::Anchor;
use crate::codec::carried::Carried;
use crate::error::DecodeError;
use crate::ids::{OpId, ReplicaId, Seq};
use crate::limits::Limits;
use crate::op::{Run, RunKind, Runs};
use crate::sorted::sort_by_key;
use crate::value::Value;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

/// Operations by id, none twice, and the values of their elements by id.
#[derive(Default)]
pub(super) struct Joined {
    runs: Vec<Stretch>,
    /// Of all runs, one after the other.
    text: String,
    pub(super) carried: Carried,
}

/// A run whose text is in [`Joined::text`].
struct Stretch {
    id: OpId,
    len: Seq,
    does: Does,
}

enum Does {
    Insert { anchor: Anchor, text: Range<usize> },
    Delete { target: OpId, descending: bool },
}

impl Joined {
    /// What a delta holds, as far as `keep` leaves it. O(*n* log *n*) with *n* the runs, and their bytes.
    pub(super) fn of<'a>(
        Runs { replicas, rows }: Runs<'a>,
        carried: Carried,
        keep: impl Fn(Run<'a>) -> Option<Run<'a>>,
    ) -> Self {
        let runs = rows.into_iter().map(|row| row.named(&replicas).into_run());
        let mut runs: Vec<Run<'_>> = runs.filter_map(keep).collect();
        // Those of one replica ascend already.
        sort_by_key(&mut runs, |run| run.id);
        let mut joined = Self { carried, ..Self::default() };
        for run in runs {
            joined.push(run);
        }
        joined
    }

    /// Appends a run, which comes behind all that are here.
    ///
    /// The runs are those that taking one operation after the other would make: whatever can lengthen the last one does.
    pub(super) fn push(&mut self, run: Run<'_>) {
        let Some(last) = self.runs.last_mut().filter(|last| last.end() == run.id) else {
            return self.start(run);
        };
        match (&mut last.does, run.kind) {
            (Does::Insert { text, .. }, RunKind::Insert { anchor, text: more })
                if run.id.seq > 0 && anchor == Anchor::after(OpId { seq: run.id.seq - 1, ..run.id }) =>
            {
                self.text.push_str(more);
                text.end = self.text.len();
                last.len += run.len;
            }
            (Does::Delete { target: first, descending }, RunKind::Delete { target, descending: down })
                if first.replica == target.replica =>
            {
                let is_next = |down| {
                    let next =
                        if down { first.seq.checked_sub(last.len) } else { first.seq.checked_add(last.len) };
                    next == Some(target.seq)
                };
                let goes_down = match last.len {
                    1 if is_next(false) => false,
                    1 if is_next(true) => true,
                    1 => return self.start(run),
                    _ if is_next(*descending) => *descending,
                    _ => return self.start(run),
                };
                *descending = goes_down;
                if run.len == 1 || down == goes_down {
                    last.len += run.len;
                } else {
                    last.len += 1;
                    self.start(run.split(1).1);
                }
            }
            _ => self.start(run),
        }
    }

    fn start(&mut self, run: Run<'_>) {
        let does = match run.kind {
            RunKind::Insert { anchor, text } => {
                let from = self.text.len();
                self.text.push_str(text);
                Does::Insert { anchor, text: from..self.text.len() }
            }
            RunKind::Delete { target, descending } => {
                Does::Delete { target, descending: descending && run.len > 1 }
            }
        };
        self.runs.push(Stretch { id: run.id, len: run.len, does });
    }

    /// The runs, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = Run<'_>> {
        self.runs.iter().map(|Stretch { id, len, does }| {
            let kind = match does {
                Does::Insert { anchor, text } => {
                    RunKind::Insert { anchor: *anchor, text: &self.text[text.clone()] }
                }
                Does::Delete { target, descending } => {
                    RunKind::Delete { target: *target, descending: *descending }
                }
            };
            Run { id: *id, len: *len, kind }
        })
    }

    /// Whether the operation `id` is among them. O(log of the runs).
    pub(super) fn holds(&self, id: OpId) -> bool {
        let behind = self.runs.partition_point(|run| run.id <= id);
        let run = behind.checked_sub(1).map(|before| &self.runs[before]);
        run.is_some_and(|run| run.id.replica == id.replica && id.seq < run.end().seq)
    }

    pub(super) fn value_of(&self, id: OpId) -> Option<&Value> {
        let found = self.carried.binary_search_by_key(&id, |(id, _)| *id);
        found.ok().map(|place| &self.carried[place].1)
    }

    /// Refuses what would be refused where it arrives, but for the bytes of the whole.
    pub(super) fn check(&self, limits: &Limits) -> Result<(), DecodeError> {
        limits.check_runs(self.runs.len())?;
        limits.check_text(self.text.len())?;
        limits.check_values(self.carried.len())?;
        limits.check_operations(self.runs.iter().map(|run| u64::from(run.len)).sum())
    }

    /// The delta that holds them.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = DeltaWriter::default();
        for run in self.iter() {
            writer.push(run);
        }
        let mut delta = Vec::new();
        writer.finish(&mut delta);
        if self.carried.is_empty() {
            return delta;
        }
        let carried: Vec<(OpId, &Value)> = self.carried.iter().map(|(id, value)| (*id, value)).collect();
        let mut out = Vec::new();
        write_rich(&mut out, &delta, &carried);
        out
    }

    /// For each replica, ascending, the numbers of a stretch without a hole.
    pub(super) fn ranges(&self) -> Vec<(ReplicaId, Range<Seq>)> {
        let mut ranges: Vec<(ReplicaId, Range<Seq>)> = Vec::new();
        for run in &self.runs {
            match ranges.last_mut() {
                Some((replica, range)) if *replica == run.id.replica && range.end == run.id.seq => {
                    range.end = run.end().seq;
                }
                _ => ranges.push((run.id.replica, run.id.seq..run.end().seq)),
            }
        }
        ranges
    }
}

impl Stretch {
    /// The operation behind its last.
    fn end(&self) -> OpId {
        OpId { seq: self.id.seq + self.len, ..self.id }
    }
}
