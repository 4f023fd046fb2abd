//! Who wrote what stands there, and who deleted what stood there.

use super::walk::Piece;
use crate::doc::regions::Scope;
use crate::doc::undo::IdSet;
use crate::doc::{Doc, Text};
use crate::error::EditError;
use crate::ids::{OpId, Seq};
use crate::op_log::{LocalId, Said};
use crate::sequence::Unit;
use crate::sorted::sort_by_key;
use crate::units::Size;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::{ControlFlow, Range};

/// A stretch of text, and who inserted it: operations of one replica with consecutive numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribution {
    /// Where it stands, in scalar values.
    pub position: usize,
    /// The same in UTF-16 code units.
    pub position_utf16: usize,
    /// How long it is, in scalar values: as many operations inserted it.
    pub len: usize,
    /// The same in UTF-16 code units.
    pub len_utf16: usize,
    /// The operation that inserted the first of it. Who sat there and when, [`Authors`](crate::Authors) may know.
    pub id: OpId,
}

/// A stretch of text that was deleted: who inserted it and who deleted it, operations with consecutive numbers each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedText {
    /// Where it would stand, in scalar values.
    pub position: usize,
    /// The same in UTF-16 code units.
    pub position_utf16: usize,
    /// What stood there; an embed is U+FFFC.
    pub text: String,
    /// The operation that inserted the first of it.
    pub id: OpId,
    /// The lowest of the operations that deleted it. Of several who deleted it at the same time, the one with the lowest
    /// (replica, number).
    pub by: OpId,
}

impl Doc {
    /// Who inserted what stands in `range`, in scalar values, stretch by stretch, without gaps. O(*n*).
    ///
    /// # Errors
    /// [`EditError::OutOfBounds`], [`EditError::InvertedRange`].
    ///
    /// # Examples
    /// ```
    /// use crdt_core::{Doc, OpId, ReplicaId};
    ///
    /// let mut alice = Doc::new(ReplicaId::new(1));
    /// let mut bob = Doc::new(ReplicaId::new(2));
    /// alice.insert(0, "Hello")?;
    /// bob.apply(&alice.delta_since(bob.version()))?;
    /// bob.delete(1..5)?;
    /// bob.insert(1, "i")?;
    /// let by: Vec<_> = bob.attribution(0..2)?.iter().map(|part| part.id).collect();
    /// assert_eq!(by, [OpId::new(ReplicaId::new(1), 0), OpId::new(ReplicaId::new(2), 4)]);
    ///
    /// let deleted = bob.deleted_text(0..2)?;
    /// assert_eq!((deleted[0].text.as_str(), deleted[0].position), ("ello", 2));
    /// assert_eq!(deleted[0].by, OpId::new(ReplicaId::new(2), 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn attribution(&self, range: Range<usize>) -> Result<Vec<Attribution>, EditError> {
        self.attribution_in(Scope::Main, range)
    }

    /// What was deleted in `range`, in scalar values, its ends among it, and who did; in document order. What stands at one
    /// position stands in front of what shows there. O(*n* + *e* log *e*) with *e* the runs of operations said.
    ///
    /// # Errors
    /// As [`Doc::attribution`].
    pub fn deleted_text(&self, range: Range<usize>) -> Result<Vec<DeletedText>, EditError> {
        self.deleted_text_in(Scope::Main, range)
    }

    fn attribution_in(&self, scope: Scope, range: Range<usize>) -> Result<Vec<Attribution>, EditError> {
        self.chars_range_in(scope, Unit::Chars, range.clone())?;
        let mut found: Vec<Attribution> = Vec::new();
        self.walk_counted(scope, &range, |piece, position| {
            if !piece.shows || position.chars >= range.end {
                return;
            }
            let skipped = range.start.saturating_sub(position.chars);
            let len = piece.len as usize - skipped;
            let len = len.min(range.end - position.chars - skipped);
            let (in_front, rest) = piece.split(narrow(skipped));
            let here = rest.split(narrow(len)).0;
            let (skipped, size) = (Size::of(in_front.text), Size::of(here.text));
            let id = self.log.op_id(here.first);
            match found.last_mut() {
                Some(last) if OpId::new(last.id.replica, last.id.seq + narrow(last.len)) == id => {
                    last.len += size.chars;
                    last.len_utf16 += size.utf16;
                }
                _ => found.push(Attribution {
                    position: position.chars + skipped.chars,
                    position_utf16: position.utf16 + skipped.utf16,
                    len: size.chars,
                    len_utf16: size.utf16,
                    id,
                }),
            }
        });
        Ok(found)
    }

    fn deleted_text_in(&self, scope: Scope, range: Range<usize>) -> Result<Vec<DeletedText>, EditError> {
        self.chars_range_in(scope, Unit::Chars, range.clone())?;
        let deletions = self.first_deletions();
        let mut found: Vec<DeletedText> = Vec::new();
        // Up to where the last one goes, and where that is deleted.
        let mut open: Option<(OpId, OpId, Direction)> = None;
        self.walk_counted(scope, &range, |piece, position| {
            let mut piece = piece;
            while !piece.shows && piece.len > 0 {
                let id = self.log.op_id(piece.first);
                let behind = deletions.partition_point(|deletion| deletion.first <= id);
                let deletion = behind.checked_sub(1).map(|place| deletions[place]);
                let holds = deletion
                    .filter(|one| one.first.replica == id.replica && id.seq - one.first.seq < one.len);
                let Some(deletion) = holds else {
                    // A statement, up to what was deleted.
                    let next = deletions.get(behind).filter(|next| next.first.replica == id.replica);
                    let count = next.map_or(piece.len, |next| piece.len.min(next.first.seq - id.seq));
                    piece = piece.split(count).1;
                    continue;
                };
                let skipped = id.seq - deletion.first.seq;
                let (here, rest) = piece.split(piece.len.min(deletion.len - skipped));
                piece = rest;
                let by = deletion.deleter(skipped);
                let goes_on = open.and_then(|(end, last, direction)| {
                    let last_text = found.last()?;
                    let is_here = end == id && last_text.position == position.chars;
                    direction.with(last, by, deletion, here.len).filter(|_| is_here)
                });
                let end = OpId::new(id.replica, id.seq + here.len);
                let last = deletion.deleter(skipped + here.len - 1);
                if let (Some(direction), Some(deleted)) = (goes_on, found.last_mut()) {
                    deleted.text.push_str(here.text);
                    deleted.by = deleted.by.min(last);
                    open = Some((end, last, direction));
                    continue;
                }
                found.push(DeletedText {
                    position: position.chars,
                    position_utf16: position.utf16,
                    text: here.text.into(),
                    id,
                    by: by.min(last),
                });
                open = Some((end, last, Direction::of(deletion, here.len)));
            }
        });
        Ok(found)
    }

    /// Visits what stands from the start of a range to its end, both ends among it, with how much is visible in front.
    fn walk_counted(&self, scope: Scope, range: &Range<usize>, mut visit: impl FnMut(Piece<'_>, Size)) {
        let mut position = Size::default();
        self.walk_in(scope, |piece| {
            let size = if piece.shows { Size::of(piece.text) } else { Size::default() };
            if position.chars > range.end {
                return ControlFlow::Break(());
            }
            if position.chars + size.chars > range.start || !piece.shows && position.chars == range.start {
                visit(piece, position);
            }
            position.chars += size.chars;
            position.utf16 += size.utf16;
            ControlFlow::Continue(())
        });
    }

    /// Who deleted what: of several the lowest. In ascending order of elements, of which none is named twice.
    fn first_deletions(&self) -> Vec<Deletion> {
        let log = self.warm_log();
        let (mut taken, mut deletions) = (IdSet::default(), Vec::new());
        for (replica, index) in log.by_id() {
            for said in log.said(index, 0, Seq::MAX) {
                let Said::Delete { seq, len, target, descending } = said else { continue };
                let below = if descending { len - 1 } else { 0 };
                let lowest = log.op_id(LocalId::new(target.replica, target.seq - below));
                let mut done = 0;
                while done < len {
                    let first = OpId::new(lowest.replica, lowest.seq + done);
                    let (is_taken, count) = taken.stretch(first, len - done);
                    if !is_taken {
                        let by = if descending { seq + (len - 1 - done) } else { seq + done };
                        let by = OpId::new(replica, by);
                        deletions.push(Deletion { first, len: count, by, descending });
                        taken.add(first, count);
                    }
                    done += count;
                }
            }
        }
        sort_by_key(&mut deletions, |deletion| deletion.first);
        deletions
    }
}

/// Elements with consecutive ids, and who deleted them.
#[derive(Clone, Copy)]
struct Deletion {
    first: OpId,
    len: Seq,
    /// Who deleted the first.
    by: OpId,
    descending: bool,
}

impl Deletion {
    /// Who deleted the element that is so many behind the first.
    fn deleter(self, skipped: Seq) -> OpId {
        let seq = if self.descending { self.by.seq - skipped } else { self.by.seq + skipped };
        OpId::new(self.by.replica, seq)
    }
}

/// Which way deletions go, as far as that is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Any,
    Up,
    Down,
}

impl Direction {
    fn of(deletion: Deletion, len: Seq) -> Self {
        match (len, deletion.descending) {
            (1, _) => Self::Any,
            (_, false) => Self::Up,
            (_, true) => Self::Down,
        }
    }

    /// Which way they go together, if a stretch that starts with `by` goes on from `last`.
    fn with(self, last: OpId, by: OpId, deletion: Deletion, len: Seq) -> Option<Self> {
        let step = if last.replica != by.replica {
            return None;
        } else if last.seq.checked_add(1) == Some(by.seq) {
            Self::Up
        } else if by.seq.checked_add(1) == Some(last.seq) {
            Self::Down
        } else {
            return None;
        };
        let fits = |way: Self| way == Self::Any || way == step;
        (fits(self) && fits(Self::of(deletion, len))).then_some(step)
    }
}

impl Text<'_> {
    /// As [`Doc::attribution`].
    ///
    /// # Errors
    /// As there.
    pub fn attribution(&self, range: Range<usize>) -> Result<Vec<Attribution>, EditError> {
        self.doc.attribution_in(self.scope, range)
    }

    /// As [`Doc::deleted_text`].
    ///
    /// # Errors
    /// As there.
    pub fn deleted_text(&self, range: Range<usize>) -> Result<Vec<DeletedText>, EditError> {
        self.doc.deleted_text_in(self.scope, range)
    }
}

/// Of elements in one item.
fn narrow(count: usize) -> Seq {
    Seq::try_from(count).expect("an item holds fewer elements than there are seqs")
}
