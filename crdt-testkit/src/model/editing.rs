//! Local edits: the operations that the specification asks for.

use super::{Model, ModelOp, ModelOpKind};
use crate::cells::Glyph;
use crate::edit::Edit;
use crdt_core::{Anchor, Expand, Json, Mark, Marks, OpId, Register, ReplicaId, Side};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

impl Model {
    /// From now on a mark grows so when it is set here.
    pub fn set_expand(&mut self, name: &str, expand: Expand) {
        self.expands.insert(name.to_owned(), expand);
    }

    /// Makes edits as one transaction and gives the operations of each.
    ///
    /// # Panics
    /// If a position lies outside.
    pub fn edit(&mut self, replica: ReplicaId, edits: &[Edit]) -> Vec<Vec<ModelOp>> {
        let stamp = 1 + self.ops().map(ModelOp::stamp).max().unwrap_or(0);
        let mut author = Author { model: self, replica, stamp };
        edits.iter().map(|edit| author.make(edit)).collect()
    }

    /// Where something inserted at visible position `position` is placed: behind the element in front of it, or, if it would get
    /// a mark there that the element behind it has not, and would not get it there, behind the deleted ones behind
    /// which a mark starts or ends.
    fn placement(&self, position: usize) -> Anchor {
        let order = self.order();
        let left = position.checked_sub(1).map(|index| self.visible()[index]);
        let mut index =
            left.map_or(0, |left| 1 + order.iter().position(|&id| id == left).expect("it is there"));
        let deleted = order[index..].iter().take_while(|&&id| !self.is_visible(id)).count();
        let ends = |id: &OpId| {
            let end = Anchor::after(*id);
            // One that names an element that has not arrived is not there yet.
            let is_here = |anchor: &Anchor| anchor.element.is_none_or(|element| order.contains(&element));
            self.mark_list().any(|(_, mark)| {
                (mark.start == end || mark.end == end) && is_here(&mark.start) && is_here(&mark.end)
            })
        };
        if let Some(last) = order[index..index + deleted].iter().rposition(ends) {
            let behind = index + last + 1;
            let (here, there) = (self.marks_between(&order, index), self.marks_between(&order, behind));
            let next = self.cells().get(position).map(|cell| cell.marks.clone()).unwrap_or_default();
            let outgrown = |(name, value): (&str, &Json)| {
                next.get(name) != Some(value) && there.get(name) != Some(value)
            };
            if here.iter().any(outgrown) {
                index = behind;
            }
        }
        self.placement_in(&order, index)
    }

    /// Where something is placed that is to have so many elements in front of it.
    fn placement_in(&self, order: &[OpId], index: usize) -> Anchor {
        let left = index.checked_sub(1).map(|index| order[index]);
        if self.children.get(&(left, Side::After)).is_none_or(BTreeSet::is_empty) {
            Anchor { element: left, side: Side::After }
        } else {
            Anchor::before(order[index])
        }
    }

    /// Where a mark on these elements starts and ends.
    fn ends_of(&self, range: Range<usize>, expand: Expand) -> (Anchor, Anchor) {
        let visible = self.visible();
        let before = range.start.checked_sub(1).map(|index| visible[index]);
        let start = match expand {
            Expand::Before | Expand::Both => Anchor { element: before, side: Side::After },
            Expand::After | Expand::None => Anchor::before(visible[range.start]),
        };
        let end = match expand {
            Expand::After | Expand::Both => {
                Anchor { element: visible.get(range.end).copied(), side: Side::Before }
            }
            Expand::Before | Expand::None => Anchor::after(visible[range.end - 1]),
        };
        (start, end)
    }
}

/// Who makes the edits of one transaction.
struct Author<'a> {
    model: &'a mut Model,
    replica: ReplicaId,
    stamp: u64,
}

impl Author<'_> {
    fn make(&mut self, edit: &Edit) -> Vec<ModelOp> {
        let glyphs = |text: &str| text.chars().map(Glyph::Char).collect();
        match edit {
            Edit::Insert { position, text } => self.insert(*position, glyphs(text), None),
            Edit::InsertWith { position, text, marks } => self.insert(*position, glyphs(text), Some(marks)),
            Edit::Embed { position, value, marks } => {
                self.insert(*position, vec![Glyph::Embed(value.clone())], marks.as_ref())
            }
            Edit::Delete { position, len } => {
                let targets = self.model.visible()[*position..position + len].to_vec();
                let kind = |target| ModelOpKind::Delete { target };
                targets.into_iter().map(|target| self.issue(kind(target))).collect()
            }
            Edit::Set { name, value } => {
                let register =
                    Register { name: name.as_str().into(), value: value.clone(), stamp: self.stamp };
                let anchor = self.statement_placement();
                vec![self.issue(ModelOpKind::Register { anchor, register })]
            }
            Edit::Mark { position, len, name, value } => {
                // Also where all is so already: against what others say at the same time.
                if *len == 0 {
                    Vec::new()
                } else {
                    vec![self.mark(*position..position + len, name, value.clone())]
                }
            }
        }
    }

    fn insert(&mut self, position: usize, glyphs: Vec<Glyph>, marks: Option<&Marks>) -> Vec<ModelOp> {
        let mut ops = Vec::new();
        for (position, glyph) in (position..).zip(glyphs) {
            let kind = ModelOpKind::Insert { anchor: self.model.placement(position), glyph };
            ops.push(self.issue(kind));
        }
        let range = position..position + ops.len();
        if let Some(marks) = marks
            && !ops.is_empty()
        {
            // Removals of what the place gave, and what is to be there and is not.
            let given = self.model.cells()[position].marks.clone();
            let mut wanted: BTreeMap<&str, Option<&Json>> =
                given.iter().map(|(name, _)| (name, None)).collect();
            wanted.extend(marks.iter().map(|(name, value)| (name, Some(value))));
            wanted.retain(|name, value| given.get(name) != *value);
            for (name, value) in wanted {
                ops.push(self.mark(range.clone(), name, value.cloned()));
            }
        }
        ops
    }

    fn mark(&mut self, range: Range<usize>, name: &str, value: Option<Json>) -> ModelOp {
        let said = self.model.expands.get(name).or_else(|| self.model.expands.get(kind_of(name)));
        let (start, end) = self.model.ends_of(range, said.copied().unwrap_or_else(|| default_expand(name)));
        let mark = Mark { start, end, name: name.into(), value, stamp: self.stamp };
        let anchor = self.statement_placement();
        self.issue(ModelOpKind::Mark { anchor, mark })
    }

    /// At the very start, then one behind the other.
    fn statement_placement(&self) -> Anchor {
        let own = self.model.ops().filter(|op| op.id.replica == self.replica && op.is_statement());
        let start = || self.model.placement_in(&self.model.order(), 0);
        own.map(|op| op.id).max().map_or_else(start, Anchor::after)
    }

    fn issue(&mut self, kind: ModelOpKind) -> ModelOp {
        let op = ModelOp { id: OpId::new(self.replica, self.model.version().get(self.replica)), kind };
        self.model.receive(op.clone());
        op
    }
}

/// Bold grows at its end; what points somewhere or formats a block does not grow.
fn default_expand(name: &str) -> Expand {
    let fixed = [
        "link",
        "comment",
        "code-block",
        "header",
        "list",
        "align",
        "indent",
        "direction",
        "blockquote",
        "table",
    ];
    if fixed.contains(&kind_of(name)) { Expand::None } else { Expand::After }
}

fn kind_of(name: &str) -> &str {
    name.split(':').next().unwrap_or(name)
}
