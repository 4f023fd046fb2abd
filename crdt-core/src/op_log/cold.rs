//! What a snapshot said of the past, kept as it came until somebody asks.
//!
//! A loaded log starts *cold*: which operations there are is known, which of them are elements too, but
//! entries are kept for what comes after only. *Thawing* replays the rest, replica by replica in seq order, as if
//! it had just been said, so that every rule of the log is the log's own.

use super::{Elements, LocalId, OpLog, Placement, ReplicaLog, Said};
use crate::anchor::Side;
use crate::ids::{ReplicaId, Seq};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// The past of a log that was loaded.
#[derive(Clone)]
pub(crate) struct Cold {
    /// All text of the snapshot. Items of the sequence name their part of it.
    pub(crate) text: String,
    /// How many bytes of it, the first, were visible then.
    pub(crate) visible: usize,
    /// As the snapshot has them: `codec` knows how to read them.
    pub(crate) anchors: Vec<u8>,
    pub(crate) deletions: Vec<u8>,
    pub(crate) elements: Elements,
}

impl Cold {
    /// How many deletions of a replica, by its place, are told of, where what is before `floor` was trimmed.
    pub(crate) fn deletions_from(elements: &Elements, replica: usize, floor: Seq) -> Seq {
        elements.counts()[replica] - floor - elements.count_from(replica, floor)
    }
}

/// An item of a snapshot, without its text: elements with consecutive ids that stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ItemPart {
    /// The first element.
    pub(crate) id: LocalId,
    /// How many elements; not 0.
    pub(crate) len: Seq,
    /// The three below.
    pub(crate) flags: u8,
}

impl ItemPart {
    /// Something was placed after the element to the left, or the start.
    pub(crate) const LEFT_TAKEN: u8 = 1;
    /// The first element was not placed after its predecessor in seq.
    pub(crate) const HEAD: u8 = 2;
    pub(crate) const DELETED: u8 = 4;

    /// What room for such is filled with.
    pub(crate) const NONE: Self = Self { id: LocalId::START, len: 0, flags: 0 };

    pub(crate) fn is_head(&self) -> bool {
        self.flags & Self::HEAD != 0
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.flags & Self::DELETED != 0
    }
}

/// So many items of a snapshot, or deletions, are worked on at once.
pub(crate) const BLOCK: usize = 64;

/// A run of loaded elements where it stands in the sequence now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    /// The first element.
    pub(crate) id: LocalId,
    pub(crate) len: Seq,
    /// Whether the first element was not placed after its predecessor in seq.
    pub(crate) head: bool,
    /// Whether it is deleted and has lost its text.
    pub(crate) textless: bool,
    /// Where its text starts in the loaded text, and how many bytes it has.
    pub(crate) text: usize,
    pub(crate) bytes: usize,
}

/// Where text is found after thawing.
pub(crate) struct Moved {
    /// For each piece, where its text starts in the text of its replica.
    pub(crate) pieces: Vec<u32>,
    /// For each replica, how much further on its other text is.
    pub(crate) shifts: Vec<u32>,
}

impl OpLog {
    /// The log of a loaded document whose replicas, ascending, are these.
    ///
    /// `floors` says up to where the past of each was trimmed; beyond its end, nothing was.
    pub(crate) fn loaded(replicas: impl Iterator<Item = ReplicaId>, floors: &[Seq], cold: Cold) -> Self {
        let mut log = Self { text_bytes: cold.text.len(), ..Self::default() };
        let floors = floors.iter().copied().chain(core::iter::repeat(0));
        for ((replica, &count), floor) in replicas.zip(cold.elements.counts()).zip(floors) {
            let index = log.register(replica);
            log.replicas[index as usize] = ReplicaLog::starting_at(replica, count);
            log.replicas[index as usize].set_floor(floor);
        }
        log.cold = Some(cold);
        log
    }

    /// The past, unless there is none or it has been thawed.
    pub(crate) fn cold(&self) -> Option<&Cold> {
        self.cold.as_ref()
    }

    pub(crate) fn is_cold(&self) -> bool {
        self.cold.is_some()
    }

    /// Whether the operation `seq` of a replica belongs to the past that is not thawed.
    pub(crate) fn is_past(&self, id: LocalId) -> bool {
        id.seq < self.of(id.replica).first_seq()
    }

    /// The text that loaded items have their part of.
    #[inline]
    pub(crate) fn loaded_text(&self) -> &str {
        self.cold.as_ref().map_or("", |cold| &cold.text)
    }

    /// The visible text, if nothing was said since it was loaded.
    pub(crate) fn text_as_loaded(&self) -> Option<&str> {
        let cold = self.cold.as_ref()?;
        let is_new = |log: &ReplicaLog| log.next_seq() > log.first_seq();
        if self.replicas.iter().any(is_new) { None } else { Some(&cold.text[..cold.visible]) }
    }

    /// A log of the same operations without a past that is cold.
    ///
    /// `pieces` are the loaded elements in document order, `placements` says of each head among them where it was
    /// placed, in the same order; `deletions` gives target, length and direction, replica after replica, and covers
    /// all seqs that no element has and that were not trimmed. O(*n* log *n*) for *n* pieces.
    pub(crate) fn thawed(
        &self,
        pieces: &[Piece],
        placements: &[Placement],
        mut deletions: impl FnMut() -> (LocalId, Seq, bool),
    ) -> (Self, Moved) {
        let mut log = Self { cold: None, replicas: Vec::new(), ..self.clone_names() };
        let mut moved =
            Moved { pieces: vec![0; pieces.len()], shifts: Vec::with_capacity(log.replicas.len()) };
        let placed = by_seq(pieces, placements);
        let mut rest = placed.as_slice();
        for (index, cold) in (0..).zip(&self.replicas) {
            let mut warm = ReplicaLog::starting_at(cold.id(), 0);
            warm.set_floor(cold.floor());
            let mut open = (LocalId::new(0, 0), 0, false);
            let mut delete_up_to = |warm: &mut ReplicaLog, end: Seq| {
                let trimmed = end.min(warm.floor()).saturating_sub(warm.next_seq());
                if trimmed > 0 {
                    warm.append_unknown(trimmed);
                }
                while warm.next_seq() < end {
                    if open.1 == 0 {
                        open = deletions();
                    }
                    let (target, len, descending) = open;
                    let now = len.min(end - warm.next_seq());
                    warm.append_delete(target, now, descending && now > 1);
                    let next = if descending { target.seq.wrapping_sub(now) } else { target.seq + now };
                    open = (LocalId::new(target.replica, next), len - now, descending);
                }
            };
            while let [(place, placement), others @ ..] = rest
                && pieces[*place].id.replica == index
            {
                rest = others;
                let piece = pieces[*place];
                delete_up_to(&mut warm, piece.id.seq);
                if piece.textless {
                    warm.append_textless(*placement, piece.len);
                    continue;
                }
                moved.pieces[*place] = text_len(&warm);
                let text = &self.loaded_text()[piece.text..piece.text + piece.bytes];
                warm.append_insert(index, *placement, text, piece.len);
            }
            delete_up_to(&mut warm, cold.first_seq());
            moved.shifts.push(text_len(&warm));
            for said in cold.said(index, cold.first_seq(), cold.next_seq()) {
                match said {
                    Said::Insert { len, placement, text, .. } => {
                        warm.append_insert(index, placement, text, len);
                    }
                    Said::Delete { len, target, descending, .. } => {
                        warm.append_delete(target, len, descending && len > 1);
                    }
                }
            }
            log.replicas.push(warm);
        }
        (log, moved)
    }

    /// The same replicas, with nothing said.
    fn clone_names(&self) -> Self {
        Self { by_id: self.by_id.clone(), text_bytes: self.text_bytes, ..Self::default() }
    }
}

fn text_len(log: &ReplicaLog) -> u32 {
    u32::try_from(log.text().len()).expect("text was checked against its limit")
}

/// The places of `pieces` in ascending order of replica and seq, and where each first element was placed.
///
/// One that says it was placed after its predecessor, which is no element, was placed at the start: only a
/// made-up snapshot has such.
fn by_seq(pieces: &[Piece], placements: &[Placement]) -> Vec<(usize, Placement)> {
    let start = Placement { element: LocalId::START, side: Side::After };
    let mut heads = placements.iter();
    let mut placed: Vec<(usize, Placement)> = pieces
        .iter()
        .enumerate()
        .map(|(place, piece)| {
            let head = if piece.head { heads.next() } else { None };
            (place, head.copied().unwrap_or(start))
        })
        .collect();
    placed.sort_unstable_by_key(|&(place, _)| age(pieces[place].id));
    let mut end = None;
    for (place, placement) in &mut placed {
        let piece = pieces[*place];
        if !piece.head && end == Some(piece.id) {
            *placement =
                Placement { element: LocalId::new(piece.id.replica, piece.id.seq - 1), side: Side::After };
        }
        end = Some(piece.id.plus(piece.len));
    }
    placed
}

fn age(id: LocalId) -> u64 {
    u64::from(id.replica) << 32 | u64::from(id.seq)
}

/// Whether the loaded elements form a tree with these anchors: each was placed beside another, or at the
/// start, and none, over others, beside itself.
pub(crate) fn is_tree(pieces: &[Piece], placements: &[Placement]) -> bool {
    let placed = by_seq(pieces, placements);
    // Pieces go by their place in `placed` from here on.
    let find = |element: LocalId| {
        let behind = placed.partition_point(|&(place, _)| age(pieces[place].id) <= age(element));
        let place = behind.checked_sub(1)?;
        let piece = pieces[placed[place].0];
        let holds = piece.id.replica == element.replica && element.seq - piece.id.seq < piece.len;
        holds.then_some(place)
    };
    const UNKNOWN: u8 = 0;
    const ON_THE_WAY: u8 = 1;
    const GOOD: u8 = 2;
    let mut known = vec![UNKNOWN; placed.len()];
    let mut way = Vec::new();
    for from in 0..placed.len() {
        let mut next = Some(from);
        while let Some(place) = next
            && known[place] != GOOD
        {
            if known[place] == ON_THE_WAY {
                return false;
            }
            known[place] = ON_THE_WAY;
            way.push(place);
            let anchor = placed[place].1.element;
            next = if anchor == LocalId::START { None } else { Some(find(anchor)) }.flatten();
            if next.is_none() && anchor != LocalId::START {
                return false;
            }
        }
        for place in way.drain(..) {
            known[place] = GOOD;
        }
    }
    true
}
