//! What statements come to: every mark ever set is looked at for every element, every register for every name.

use super::{Model, ModelOpKind};
use crate::cells::{Cell, with_mark};
use crdt_core::{Anchor, Json, Mark, Marks, OpId, Register, Side};
use std::collections::BTreeMap;

impl Model {
    /// The visible elements with their marks, in order.
    pub fn cells(&self) -> Vec<Cell> {
        let order = self.order();
        let marks = self.marks(&order);
        let mut cells = Vec::new();
        for (index, &id) in order.iter().enumerate() {
            if let Some(glyph) = self.glyph(id) {
                cells.push(Cell { glyph: glyph.clone(), marks: marks_at(&marks, 3 * index + 2) });
            }
        }
        cells
    }

    /// What every register holds that holds something.
    pub fn registers(&self) -> BTreeMap<String, Json> {
        let mut all: Vec<(OpId, &Register)> = Vec::new();
        for op in self.ops() {
            if let ModelOpKind::Register { register, .. } = &op.kind {
                all.push((op.id, register));
            }
        }
        all.sort_by_key(|(id, register)| (register.stamp, id.replica, id.seq));
        // The later one says last what holds.
        let last: BTreeMap<String, Option<Json>> = all
            .into_iter()
            .map(|(_, register)| (register.name.to_string(), register.value.clone()))
            .collect();
        last.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// Every mark that was ever set or removed.
    pub(super) fn mark_list(&self) -> impl Iterator<Item = (OpId, &Mark)> {
        self.ops().filter_map(|op| match &op.kind {
            ModelOpKind::Mark { mark, .. } => Some((op.id, mark)),
            _ => None,
        })
    }

    /// The marks of something typed with so many elements in front of it.
    pub(super) fn marks_between(&self, order: &[OpId], elements: usize) -> Marks {
        marks_at(&self.marks(order), 3 * elements)
    }

    /// Every mark, the last one by stamp, replica and seq last; with the places between its anchors.
    ///
    /// What is typed with *n* elements in front of it has place 3 *n*, the element behind it 3 *n* + 2: what is typed is in front
    /// of everything that starts with that element.
    fn marks(&self, order: &[OpId]) -> Vec<(usize, usize, &Mark)> {
        let places: BTreeMap<OpId, usize> = order.iter().copied().zip(0..).collect();
        let place = |anchor: &Anchor| match (anchor.element, anchor.side) {
            (None, Side::After) => Some(0),
            (None, Side::Before) => Some(3 * order.len() + 1),
            (Some(element), Side::Before) => Some(3 * places.get(&element)? + 1),
            (Some(element), Side::After) => Some(3 * places.get(&element)? + 3),
        };
        let mut marks: Vec<_> = self.mark_list().collect();
        marks.sort_by_key(|(id, mark)| (mark.stamp, id.replica, id.seq));
        // What names an element that has not arrived shows nothing yet.
        marks.iter().filter_map(|(_, mark)| Some((place(&mark.start)?, place(&mark.end)?, *mark))).collect()
    }
}

/// The later one says last what holds.
fn marks_at(marks: &[(usize, usize, &Mark)], place: usize) -> Marks {
    let over = marks.iter().filter(|(start, end, _)| (*start..*end).contains(&place));
    over.fold(Marks::default(), |marks, (_, _, mark)| with_mark(&marks, &mark.name, mark.value.as_ref()))
}
