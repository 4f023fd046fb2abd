use super::regions::Region;
use crate::event::TextEdit;
use crate::json::Json;
use crate::mark::Marks;
use crate::units::Size;
use crate::value::SequenceKind;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// A position in the main text or in a named sequence.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    /// `None` is the main text.
    pub(super) region: Option<&'a Region>,
    pub(super) position: Size,
}

/// The edits of one `apply`; an edit that goes on from the last one lengthens it.
#[derive(Default)]
pub(super) struct Edits {
    list: Vec<TextEdit>,
    /// The size of the last edit.
    last: Size,
    /// Which named sequence the edits from `open` on are in. They are not yet said to be.
    sequence: Option<(Arc<str>, SequenceKind)>,
    open: usize,
}

impl Edits {
    pub(super) fn into_list(mut self) -> Vec<TextEdit> {
        self.close();
        self.list
    }

    pub(super) fn insert(&mut self, at: At<'_>, new: &str, new_marks: Marks) {
        let (size, at) = (Size::of(new), self.enter(at));
        if let Some(TextEdit::Insert { position, text, marks, .. }) = self.list[self.open..].last_mut()
            && *position + self.last.chars == at.chars
            && *marks == new_marks
        {
            text.push_str(new);
            self.last.chars += size.chars;
            self.last.utf16 += size.utf16;
            return;
        }
        let (position, position_utf16) = (at.chars, at.utf16);
        self.list.push(TextEdit::Insert { position, position_utf16, text: new.into(), marks: new_marks });
        self.last = size;
    }

    pub(super) fn embed(&mut self, at: At<'_>, value: Json, marks: Marks) {
        let at = self.enter(at);
        self.list.push(TextEdit::Embed { position: at.chars, position_utf16: at.utf16, value, marks });
    }

    pub(super) fn replace(&mut self, at: At<'_>, value: Json, marks: Marks) {
        let at = self.enter(at);
        self.list.push(TextEdit::Replace { position: at.chars, position_utf16: at.utf16, value, marks });
    }

    pub(super) fn register(&mut self, name: &Arc<str>, value: Option<&Json>) {
        self.change_sequence(None);
        self.list.push(TextEdit::Register { name: name.clone(), value: value.cloned() });
    }

    /// From one position to another in the same sequence, if there is anything between.
    pub(super) fn mark(&mut self, from: At<'_>, to: At<'_>, name: &Arc<str>, value: Option<&Json>) {
        let (from, to) = (self.enter(from), to.position);
        if from.chars < to.chars {
            self.list.push(TextEdit::Mark {
                position: from.chars,
                position_utf16: from.utf16,
                len: to.chars - from.chars,
                len_utf16: to.utf16 - from.utf16,
                name: name.clone(),
                value: value.cloned(),
            });
        }
    }

    pub(super) fn delete(&mut self, at: At<'_>, size: Size) {
        let at = self.enter(at);
        let last = self.list[self.open..].last_mut();
        if let Some(TextEdit::Delete { position, position_utf16, len, len_utf16 }) = last {
            // Deleting onwards, or backspacing: what was deleted now stood directly in front.
            let backwards = at.chars + size.chars == *position;
            if backwards || *position == at.chars {
                (*position, *position_utf16) = (at.chars, at.utf16);
                *len += size.chars;
                *len_utf16 += size.utf16;
                return;
            }
        }
        self.list.push(TextEdit::Delete {
            position: at.chars,
            position_utf16: at.utf16,
            len: size.chars,
            len_utf16: size.utf16,
        });
    }

    /// What comes next is there.
    #[inline]
    fn enter(&mut self, At { region, position }: At<'_>) -> Size {
        if region.is_some() || self.sequence.is_some() {
            self.change_sequence(region);
        }
        position
    }

    #[cold]
    fn change_sequence(&mut self, region: Option<&Region>) {
        let here = self.sequence.as_ref().map(|(name, kind)| (name, *kind));
        if here != region.map(|region| (&region.name, region.kind)) {
            self.close();
            self.sequence = region.map(|region| (region.name.clone(), region.kind));
            self.open = self.list.len();
        }
    }

    /// Says of the edits of a named sequence that they are there.
    fn close(&mut self) {
        if let Some((name, kind)) = self.sequence.take() {
            for edit in &mut self.list[self.open..] {
                let nothing = TextEdit::Register { name: name.clone(), value: None };
                let edit_there = Box::new(core::mem::replace(edit, nothing));
                *edit = TextEdit::In { name: name.clone(), kind, edit: edit_there };
            }
        }
        self.open = self.list.len();
    }
}
