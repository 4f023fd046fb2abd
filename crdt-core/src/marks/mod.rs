//! Which marks hold where.
//!
//! Per name, the sequence is cut into spans by the ends of marks, and each span knows the one mark of that name that holds
//! there: the one said last, by (stamp, replica, seq). Ends are anchors beside elements; elements never change places, so
//! spans never change their order, and neither typing nor deleting touches anything here.
//!
//! Costs, with *m* marks of a name, *n* items and *k* names: a mark that comes O((1 + *c*) log *m* log *n*), *c* the spans it
//! covers; the marks of an element O(*k* log *m* log *n*); all marks of a stretch O(log *m* log *n*) a name and one pass over
//! the spans in it.
//!
//! Source: Litt, Lim, Kleppmann, van Hardenberg, *Peritext: A CRDT for Collaborative Rich Text Editing*, CSCW 2022. There
//! every end keeps the set of marks that hold behind it; here the sets are kept by name, since names do not compete.

mod spans;
#[cfg(test)]
mod tests;

use crate::anchor::Side;
use crate::json::Json;
use crate::mark::Marks;
use crate::op_log::LocalId;
use crate::sequence::Sequence;
use crate::sorted::{SortedMap, SortedSet};
use crate::value::Said;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use spans::{Changed, Spans};

/// A mark's place in the list of all.
pub(crate) type MarkIndex = u32;

/// An anchor inside one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    /// [`LocalId::START`] stands for the end of the main text that `side` looks away from.
    pub(crate) element: LocalId,
    pub(crate) side: Side,
}

impl Edge {
    pub(crate) const START: Self = Self { element: LocalId::START, side: Side::After };
    pub(crate) const END: Self = Self { element: LocalId::START, side: Side::Before };

    pub(crate) fn before(element: LocalId) -> Self {
        Self { element, side: Side::Before }
    }

    pub(crate) fn after(element: LocalId) -> Self {
        Self { element, side: Side::After }
    }

    /// Which comes first. O(log *n*).
    pub(crate) fn order(self, other: Self, sequence: &Sequence) -> Ordering {
        self.order_by(other, sequence, |one, other| sequence.order(one, other))
    }

    /// For many comparisons with this one, which is looked up once: which comes first, another or this one.
    fn comes_behind(self, sequence: &Sequence) -> impl Fn(Self, Self) -> Ordering + '_ {
        let spot = (self.element != LocalId::START).then(|| sequence.spot_of(self.element));
        move |other, _| {
            other.order_by(self, sequence, |one, here| {
                let here = spot.unwrap_or_else(|| sequence.spot_of(here));
                sequence.order_of_spots(sequence.spot_of(one), here)
            })
        }
    }

    fn order_by(
        self,
        other: Self,
        sequence: &Sequence,
        elements: impl FnOnce(LocalId, LocalId) -> Ordering,
    ) -> Ordering {
        let is_behind_main = |edge: Self| {
            sequence.main_end().is_some_and(|end| sequence.order(edge.element, end) != Ordering::Less)
        };
        match (self, other) {
            _ if self == other => Ordering::Equal,
            (Self::START, _) => Ordering::Less,
            (_, Self::START) => Ordering::Greater,
            (_, Self::END) => {
                if is_behind_main(self) {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (Self::END, _) => {
                if is_behind_main(other) {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            _ if self.element == other.element => self.side.cmp(&other.side),
            _ => elements(self.element, other.element),
        }
    }
}

/// A mark whose ends are known here.
#[derive(Clone, Debug)]
pub(crate) struct LocalMark {
    pub(crate) said: Said,
    pub(crate) start: Edge,
    pub(crate) end: Edge,
    pub(crate) value: Option<Json>,
}

#[derive(Clone, Debug, Default)]
struct Name {
    spans: Spans,
    marks: Vec<LocalMark>,
}

impl Name {
    fn value(&self, winner: Option<MarkIndex>) -> Option<&Json> {
        winner.and_then(|winner| self.marks[winner as usize].value.as_ref())
    }

    /// Where which mark would hold. Of two that count the same the later one does.
    fn spans_by(&self, Ranking { rank, visit_parts }: Ranking<'_>, sequence: &Sequence) -> Spans {
        let order = |one: Edge, other: Edge| one.order(other, sequence);
        let ranks: Vec<Option<Said>> = self.marks.iter().map(|mark| rank(mark.said)).collect();
        let mut spans = Spans::default();
        for (index, mark) in (0..).zip(&self.marks) {
            let own = ranks[index as usize];
            if own.is_some() {
                let beats = |holds: Option<MarkIndex>| holds.is_none_or(|holds| ranks[holds as usize] <= own);
                visit_parts(mark, &mut |from, to| {
                    if order(from, to) == Ordering::Less {
                        spans.overlay((from, to), index, &order, &beats);
                    }
                });
            }
        }
        spans
    }

    /// Adds to `found` where in a stretch another value holds, or would in `around`, than `wanted` has, and which that has.
    fn compare(
        &self,
        wanted: &Spans,
        around: &Spans,
        Stretch { from, to }: Stretch,
        sequence: &Sequence,
        found: &mut Vec<Wanted>,
    ) {
        let order = |one: Edge, other: Edge| one.order(other, sequence);
        let all = [&self.spans, wanted, around];
        let (mut at, mut spots) = (from, all.map(|spans| spans.find(from, &order)));
        while order(at, to) == Ordering::Less {
            let mut end = to;
            let mut ends = [None; 3];
            for ((spans, spot), next) in all.iter().zip(spots).zip(&mut ends) {
                *next = spans.next(spot).map(|spot| (spans.get(spot).from, spot));
                if let Some((edge, _)) = *next
                    && order(edge, end) == Ordering::Less
                {
                    end = edge;
                }
            }
            let [holds, by, over] = [0, 1, 2].map(|list| all[list].get(spots[list]).winner);
            let wants = self.value(by);
            if [holds, over].iter().any(|&other| self.value(other) != wants) {
                let said = |winner: Option<MarkIndex>| winner.map(|winner| self.marks[winner as usize].said);
                let (by, over) = (said(by), said(over));
                match found.last_mut() {
                    Some(last) if last.stretch.to == at && (last.by, last.over) == (by, over) => {
                        last.stretch.to = end;
                    }
                    _ => {
                        let stretch = Stretch { from: at, to: end };
                        found.push(Wanted { stretch, value: wants.cloned(), by, over });
                    }
                }
            }
            for (spot, next) in spots.iter_mut().zip(ends) {
                match next {
                    Some((edge, next)) if edge == end => *spot = next,
                    _ => {}
                }
            }
            at = end;
        }
    }
}

/// From one edge to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) from: Edge,
    pub(crate) to: Edge,
}

/// Where another value of a mark would hold, which, and who said so.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) stretch: Stretch,
    pub(crate) value: Option<Json>,
    pub(crate) by: Option<Said>,
    /// What would hold there if it were not among copies.
    pub(crate) over: Option<Said>,
}

/// Told from where to where.
pub(crate) type VisitPart<'a> = &'a mut dyn FnMut(Edge, Edge);

/// As what marks count, and where they are, if some are undone.
#[derive(Clone, Copy)]
pub(crate) struct Ranking<'a> {
    /// As when said a mark counts, if it does.
    pub(crate) rank: &'a dyn Fn(Said) -> Option<Said>,
    /// Tells from where to where a mark is, once or several times.
    pub(crate) visit_parts: &'a dyn Fn(&LocalMark, VisitPart<'_>),
}

/// All marks of a document.
#[derive(Clone, Debug, Default)]
pub(crate) struct MarkTable {
    names: SortedMap<Arc<str>, Name>,
    /// The elements that a mark starts or ends behind, and those that one does in front of.
    behind: SortedSet<LocalId>,
    in_front: SortedSet<LocalId>,
}

impl MarkTable {
    /// Whether there never was a mark.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Takes up a mark. Tells where its name has another value from now on, or is there no longer.
    pub(crate) fn add(&mut self, name: &Arc<str>, mark: LocalMark, sequence: &Sequence) -> Vec<Stretch> {
        let Name { spans, marks } = self.names.or_insert_with(name.clone(), Name::default);
        for Edge { element, side } in [mark.start, mark.end] {
            if element != LocalId::START {
                let elements = if side == Side::After { &mut self.behind } else { &mut self.in_front };
                elements.insert(element);
            }
        }
        let index = MarkIndex::try_from(marks.len()).expect("fewer marks than operations");
        let (edges, said) = ((mark.start, mark.end), mark.said);
        marks.push(mark);
        let order = |one: Edge, other: Edge| one.order(other, sequence);
        let beats = |holds: Option<MarkIndex>| holds.is_none_or(|holds| marks[holds as usize].said < said);
        let changed = spans.overlay(edges, index, &order, &beats);
        let value = |mark: MarkIndex| marks[mark as usize].value.as_ref();
        let is_other = |changed: &Changed| changed.before.and_then(value) != value(index);
        let mut stretches: Vec<Stretch> = Vec::new();
        for Changed { from, to, .. } in changed.into_iter().filter(is_other) {
            match stretches.last_mut() {
                Some(last) if last.to == from => last.to = to,
                _ => stretches.push(Stretch { from, to }),
            }
        }
        stretches
    }

    /// The marks of an element.
    pub(crate) fn of_element(&self, element: LocalId, sequence: &Sequence) -> Marks {
        self.behind(Edge::before(element), sequence)
    }

    /// The marks that hold directly behind an edge.
    pub(crate) fn behind(&self, edge: Edge, sequence: &Sequence) -> Marks {
        let order = edge.comes_behind(sequence);
        let mut pairs = Vec::new();
        for (name, Name { spans, marks }) in &self.names {
            let winner = spans.get(spans.find(edge, &order)).winner;
            if let Some(value) = winner.and_then(|winner| marks[winner as usize].value.clone()) {
                pairs.push((name.clone(), value));
            }
        }
        Marks::of_sorted(pairs)
    }

    /// The names of all marks there ever were, ascending.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.names.keys()
    }

    /// How many marks of each name there ever were.
    pub(crate) fn counts(&self) -> impl Iterator<Item = usize> {
        self.names.values().map(|name| name.marks.len())
    }

    /// For every name what holds at `element`, and then what holds from which edge on: as far as `visit` wants to
    /// know.
    pub(crate) fn visit_from<'a>(
        &'a self,
        element: LocalId,
        sequence: &Sequence,
        mut visit: impl FnMut(&'a Arc<str>, Option<Edge>, Option<&'a Json>) -> bool,
    ) {
        let order = Edge::before(element).comes_behind(sequence);
        for (name, Name { spans, marks }) in &self.names {
            let value =
                |winner: Option<MarkIndex>| winner.and_then(|winner| marks[winner as usize].value.as_ref());
            let mut spot = Some(spans.find(Edge::before(element), &order));
            let mut is_first = true;
            while let Some(here) = spot {
                let span = spans.get(here);
                if !visit(name, (!is_first).then_some(span.from), value(span.winner)) {
                    break;
                }
                is_first = false;
                spot = spans.next(here);
            }
        }
    }

    /// Which mark of a name would hold directly behind each of some edges. O((the marks of the name + the edges) · log *n*).
    pub(crate) fn winners_by(
        &self,
        name: &str,
        edges: impl Iterator<Item = Edge>,
        ranking: Ranking<'_>,
        sequence: &Sequence,
    ) -> Vec<Option<Said>> {
        let Some(name) = self.names.get(name) else { return edges.map(|_| None).collect() };
        let order = |one: Edge, other: Edge| one.order(other, sequence);
        let wanted = name.spans_by(ranking, sequence);
        let winner = |edge| wanted.get(wanted.find(edge, &order)).winner;
        edges.map(|edge| Some(name.marks[winner(edge)? as usize].said)).collect()
    }

    /// From which edge on a mark has which value, from one edge to another. O(log *m* log *n*), and the spans there.
    pub(crate) fn visit_between(
        &self,
        name: &str,
        Stretch { from, to }: Stretch,
        sequence: &Sequence,
        mut visit: impl FnMut(Edge, Option<&Json>),
    ) {
        let Some(name) = self.names.get(name) else { return visit(from, None) };
        let order = |one: Edge, other: Edge| one.order(other, sequence);
        let first = name.spans.find(from, &order);
        visit(from, name.value(name.spans.get(first).winner));
        let mut spot = name.spans.next(first);
        while let Some(here) = spot {
            let span = name.spans.get(here);
            if order(span.from, to) != Ordering::Less {
                break;
            }
            visit(span.from, name.value(span.winner));
            spot = name.spans.next(here);
        }
    }

    /// For every name what would hold from which edge on, by a ranking, in document order.
    ///
    /// O(*m* log *m* log *n*) with *m* the marks.
    pub(crate) fn visit_by<'a>(
        &'a self,
        ranking: Ranking<'_>,
        sequence: &Sequence,
        mut visit: impl FnMut(&'a Arc<str>, Edge, Option<&'a Json>),
    ) {
        let order = |one: Edge, other: Edge| one.order(other, sequence);
        for (text, name) in &self.names {
            let spans = name.spans_by(ranking, sequence);
            let mut spot = Some(spans.find(Edge::START, &order));
            while let Some(here) = spot {
                let span = spans.get(here);
                visit(text, span.from, name.value(span.winner));
                spot = spans.next(here);
            }
        }
    }

    /// Where in some stretches another value of a mark would hold: in `copies` by one ranking, around them by another. In copies
    /// also where what holds is right, but would not be by that other.
    ///
    /// All stretches are in document order. O(the marks of the name · log *n*), and the spans in the stretches.
    pub(crate) fn differing(
        &self,
        name: &str,
        stretches: &[Stretch],
        ranking: Ranking<'_>,
        copies: (&[Stretch], Ranking<'_>),
        sequence: &Sequence,
    ) -> Vec<Wanted> {
        let mut found = Vec::new();
        let Some(name) = self.names.get(name) else { return found };
        let order = |one: Edge, other: Edge| one.order(other, sequence);
        let is_before = |one, other| order(one, other) == Ordering::Less;
        let wanted = name.spans_by(ranking, sequence);
        let (copies, ranking_there) = copies;
        let wanted_there = (!copies.is_empty()).then(|| name.spans_by(ranking_there, sequence));
        for &Stretch { from, to } in stretches {
            let mut at = from;
            let first = copies.partition_point(|copy| !is_before(from, copy.to));
            for copy in copies[first..].iter().take_while(|copy| is_before(copy.from, to)) {
                let start = if is_before(copy.from, at) { at } else { copy.from };
                let end = if is_before(to, copy.to) { to } else { copy.to };
                name.compare(&wanted, &wanted, Stretch { from: at, to: start }, sequence, &mut found);
                let there = wanted_there.as_ref().unwrap_or(&wanted);
                name.compare(there, &wanted, Stretch { from: start, to: end }, sequence, &mut found);
                at = end;
            }
            name.compare(&wanted, &wanted, Stretch { from: at, to }, sequence, &mut found);
        }
        found
    }

    /// The last of the `count` elements from `first` on that a mark starts or ends behind.
    pub(crate) fn last_behind(&self, first: LocalId, count: u32) -> Option<u32> {
        let last = first.plus(count - 1);
        self.behind.range(first..=last).next_back().map(|element| element.seq)
    }

    /// How many of `count` elements from `first` on, which stand in a row, have no end of a mark between them.
    pub(crate) fn uncut(&self, first: LocalId, count: u32) -> u32 {
        let last = first.plus(count - 1);
        let behind = self.behind.range(first..last).next().map(|element| element.seq + 1 - first.seq);
        let in_front = (first < last)
            .then(|| self.in_front.range(first.plus(1)..=last).next())
            .flatten()
            .map(|element| element.seq - first.seq);
        [behind, in_front].into_iter().flatten().fold(count, u32::min)
    }

    /// Whether a mark starts or ends directly behind an element.
    pub(crate) fn is_edge_behind(&self, element: LocalId) -> bool {
        self.behind.contains(&element)
    }

    /// How many elements a mark starts or ends behind.
    pub(crate) fn behind_count(&self) -> usize {
        self.behind.len()
    }

    /// Whether any mark starts or ends behind an element.
    pub(crate) fn has_behind(&self) -> bool {
        !self.behind.is_empty()
    }

    #[cfg(test)]
    pub(crate) fn assert_invariants(&self, sequence: &Sequence) {
        for name in self.names.values() {
            name.spans.assert_invariants(&|one, other| one.order(other, sequence));
        }
    }

    #[cfg(not(test))]
    pub(crate) fn assert_invariants(&self, _: &Sequence) {}
}
