//! Everything in document order, cut where something begins.

use crate::anchor::Side;
use crate::doc::Doc;
use crate::doc::regions::{Region, Scope};
use crate::ids::Seq;
use crate::json::Json;
use crate::marks::Edge;
use crate::op_log::LocalId;
use crate::sorted::SortedMap;
use crate::units::byte_of;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::ControlFlow;

/// Elements with consecutive ids that stand side by side.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) first: LocalId,
    pub(super) len: Seq,
    pub(super) text: &'a str,
    /// Whether they are visible now.
    pub(super) shows: bool,
}

impl<'a> Piece<'a> {
    /// Cuts it behind its first `len` elements, at most all. O(bytes of them), and O(1) for ASCII.
    pub(super) fn split(self, len: Seq) -> (Self, Self) {
        let is_ascii = self.text.len() == self.len as usize;
        let bytes = if is_ascii { len as usize } else { byte_of(self.text, len as usize) };
        let (left, right) = self.text.split_at(bytes);
        let rest = Self { first: self.first.plus(len), len: self.len - len, text: right, ..self };
        (Self { len, text: left, ..self }, rest)
    }
}

/// What begins at a place.
#[derive(Clone, Copy)]
pub(super) enum Cut<'a> {
    /// In one of the versions looked at, a mark has another value, or is there no longer.
    Turn { which: usize, name: &'a Arc<str>, value: Option<&'a Json> },
    /// A named sequence.
    Enter(&'a Region),
    /// What is in no sequence; the main text or a named one ends.
    Leave,
}

/// Where something begins: beside which element, or at which end of the main text.
#[derive(Default)]
pub(super) struct Cuts<'a> {
    at: SortedMap<(LocalId, bool), Vec<Cut<'a>>>,
}

impl<'a> Cuts<'a> {
    /// The ends of the main text and of all named sequences.
    pub(super) fn of_regions(doc: &'a Doc) -> Self {
        let mut cuts = Self::default();
        if let Some(end) = doc.sequence.main_end() {
            cuts.add(Edge::before(end), Cut::Leave);
        }
        for region in doc.rich.iter().flat_map(|rich| rich.regions.in_order()) {
            let (start, end) = Doc::edges(region.scope());
            cuts.add(start, Cut::Enter(region));
            cuts.add(end, Cut::Leave);
        }
        cuts
    }

    pub(super) fn turn(&mut self, edge: Edge, which: usize, name: &'a Arc<str>, value: Option<&'a Json>) {
        self.add(edge, Cut::Turn { which, name, value });
    }

    fn add(&mut self, Edge { element, side }: Edge, cut: Cut<'a>) {
        self.at.or_insert_with((element, side == Side::After), Vec::new).push(cut);
    }

    fn at(&self, Edge { element, side }: Edge) -> &[Cut<'a>] {
        self.at.get(&(element, side == Side::After)).map_or(&[], Vec::as_slice)
    }
}

/// A piece, or what begins between two.
pub(super) enum Walked<'a> {
    Piece(Piece<'a>),
    Cut(Cut<'a>),
}

impl Doc {
    /// Visits everything that is in the sequence. O(*n* + cuts · log of them).
    pub(super) fn walk<'a>(&'a self, cuts: &Cuts<'a>, mut visit: impl FnMut(Walked<'a>)) {
        for &cut in cuts.at(Edge::START) {
            visit(Walked::Cut(cut));
        }
        let mut ends = cuts.at(Edge::END);
        for (part, text) in self.sequence.runs(&self.log) {
            if Some(part.id) == self.sequence.main_end() {
                for &cut in core::mem::take(&mut ends) {
                    visit(Walked::Cut(cut));
                }
            }
            let mut piece = Piece { first: part.id, len: part.len, text, shows: !part.is_deleted() };
            if !cuts.at.is_empty() {
                let last = part.id.plus(part.len - 1);
                for (&(element, is_behind), here) in cuts.at.range((part.id, false)..=(last, true)) {
                    let taken = element.seq + Seq::from(is_behind) - piece.first.seq;
                    let (left, right) = piece.split(taken);
                    if taken > 0 && !text.is_empty() {
                        visit(Walked::Piece(left));
                    }
                    piece = right;
                    for &cut in here {
                        visit(Walked::Cut(cut));
                    }
                }
            }
            // What has lost its text was gone before any version that is still asked for.
            if piece.len > 0 && !text.is_empty() {
                visit(Walked::Piece(piece));
            }
        }
        for &cut in ends {
            visit(Walked::Cut(cut));
        }
    }

    /// Visits what is in the main text or in a named one, as far as somebody wants to know.
    pub(super) fn walk_in<'a>(&'a self, scope: Scope, mut visit: impl FnMut(Piece<'a>) -> ControlFlow<()>) {
        let (open, end) = match scope {
            Scope::Main => (None, self.sequence.main_end()),
            Scope::Named { open, close } => (Some(open), Some(close)),
        };
        let mut is_inside = open.is_none();
        for (part, text) in self.sequence.runs(&self.log) {
            let mut piece = Piece { first: part.id, len: part.len, text, shows: !part.is_deleted() };
            let place_in = |id: Option<LocalId>, piece: Piece<'_>| {
                let id = id.filter(|id| id.replica == piece.first.replica)?;
                id.seq.checked_sub(piece.first.seq).filter(|&place| place < piece.len)
            };
            if let Some(place) = place_in(open, piece) {
                is_inside = true;
                piece = piece.split(place + 1).1;
            }
            let place = place_in(end, piece);
            if let Some(place) = place {
                piece = piece.split(place).0;
            }
            if is_inside && piece.len > 0 && visit(piece).is_break() || place.is_some() && is_inside {
                return;
            }
        }
    }
}
