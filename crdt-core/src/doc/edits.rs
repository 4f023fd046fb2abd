use crate::event::TextEdit;
use crate::units::Size;
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

    pub(super) fn insert(&mut self, at: Size, new: &str) {
        let size = Size::of(new);
        if let Some(TextEdit::Insert { position, text, .. }) = self.list.last_mut()
            && *position + self.last.chars == at.chars
        {
            text.push_str(new);
            self.last.chars += size.chars;
            self.last.utf16 += size.utf16;
            return;
        }
        let edit = TextEdit::Insert { position: at.chars, position_utf16: at.utf16, text: new.into() };
        self.list.push(edit);
        self.last = size;
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
