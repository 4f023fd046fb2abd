use crate::event::TextEdit;
use crate::json::Json;
use crate::mark::Marks;
use crate::units::Size;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The edits of one `apply`; an edit that goes on from the last one lengthens it.
#[derive(Default)]
pub(super) struct Edits {
    list: Vec<TextEdit>,
    /// The size of the last edit.
    last: Size,
}

impl Edits {
    pub(super) fn into_list(self) -> Vec<TextEdit> {
        self.list
    }

    pub(super) fn insert(&mut self, at: Size, new: &str, new_marks: Marks) {
        let size = Size::of(new);
        if let Some(TextEdit::Insert { position, text, marks, .. }) = self.list.last_mut()
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

    pub(super) fn embed(&mut self, at: Size, value: Json, marks: Marks) {
        self.list.push(TextEdit::Embed { position: at.chars, position_utf16: at.utf16, value, marks });
    }

    pub(super) fn register(&mut self, name: &Arc<str>, value: Option<&Json>) {
        self.list.push(TextEdit::Register { name: name.clone(), value: value.cloned() });
    }

    /// From one position to another, if there is anything between.
    pub(super) fn mark(&mut self, from: Size, to: Size, name: &Arc<str>, value: Option<&Json>) {
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

    pub(super) fn delete(&mut self, at: Size, size: Size) {
        if let Some(TextEdit::Delete { position, position_utf16, len, len_utf16 }) = self.list.last_mut() {
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
}
