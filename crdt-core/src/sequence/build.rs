//! Whole sequences in and out: built from the items of a snapshot, taken apart for one, and told that their
//! text has moved.

use super::item::{Item, Visible, low};
use super::{Cursor, IdIndex, Items, Sequence};
use crate::op_log::{ItemPart, Moved, OpLog, Piece, WIDE_RUN};
use crate::tree::Builder;
use crate::units::Size;
use core::hint::select_unpredictable;

#[cfg(not(test))]
type ItemsBuilder = Builder<Item, 64, 32>;
#[cfg(test)]
type ItemsBuilder = Builder<Item, 4, 3>;

/// Builds a sequence out of loaded items, which come in document order.
pub(crate) struct SequenceBuilder<'a> {
    items: ItemsBuilder,
    text: &'a str,
    is_ascii: bool,
    /// Where the text of the next visible item and that of the next deleted one start.
    next: [usize; 2],
    ends: [usize; 2],
}

impl<'a> SequenceBuilder<'a> {
    /// `text` is first what is visible, `visible` bytes, then what is deleted, both in document order.
    pub(crate) fn new(items: usize, text: &'a str, visible: usize) -> Self {
        Self {
            items: ItemsBuilder::new(items),
            text,
            is_ascii: text.is_ascii(),
            next: [0, visible],
            ends: [visible, text.len()],
        }
    }

    /// Appends items. False if text of one is not there, or is not ASCII and too long.
    pub(crate) fn push(&mut self, parts: &[ItemPart]) -> bool {
        if self.is_ascii { self.push_ascii(parts) } else { self.push_measured(parts) }
    }

    /// As [`SequenceBuilder::push`], of an item that is deleted and has lost its text.
    pub(crate) fn push_textless(&mut self, part: ItemPart) {
        self.items.push(Item::textless(part));
    }

    /// As many elements as bytes: where texts start are running sums, and those give the sums of leaves.
    #[inline(never)]
    fn push_ascii(&mut self, parts: &[ItemPart]) -> bool {
        let [mut visible, mut deleted] = self.next.map(|start| start as u64);
        self.items.extend(parts, |parts, items| {
            let before = visible;
            for (part, item) in parts.iter().zip(items) {
                let (is_deleted, len) = (part.is_deleted(), u64::from(part.len));
                let start = select_unpredictable(is_deleted, deleted, visible);
                let buried = select_unpredictable(is_deleted, len, 0);
                deleted += buried;
                visible += len - buried;
                *item = Item::loaded_ascii(*part, start);
            }
            Visible::ascii(low(visible - before))
        });
        // Beyond the ends are sums that came to nothing, and so did the items.
        let [visible, deleted] = [visible, deleted].map(|end| usize::try_from(end).unwrap_or(usize::MAX));
        self.next = [visible, deleted];
        visible <= self.ends[0] && deleted <= self.ends[1]
    }

    #[inline(never)]
    fn push_measured(&mut self, parts: &[ItemPart]) -> bool {
        let mut is_good = true;
        let Self { items, text, next, ends, .. } = self;
        for part in parts {
            let place = usize::from(part.is_deleted());
            let found = measure(&text[next[place]..ends[place]], part.len as usize);
            is_good &= found.is_some();
            let (size, bytes) = found.unwrap_or_default();
            items.push(Item::loaded(part.id, size, bytes, next[place]).with_flags(part.flags));
            next[place] += bytes;
        }
        is_good
    }

    /// The sequence, unless text is left over.
    pub(crate) fn finish(self) -> Option<Sequence> {
        (self.next == self.ends).then(|| Sequence::of(self.items.finish()))
    }
}

/// The size and the bytes of the first `chars` scalar values, if there are so many and they may make one item.
fn measure(text: &str, chars: usize) -> Option<(Size, usize)> {
    if text.as_bytes().get(..chars)?.is_ascii() {
        return Some((Size { chars, utf16: chars }, chars));
    }
    if chars > WIDE_RUN {
        return None;
    }
    let mut size = Size::default();
    let mut bytes = 0;
    for ch in text.chars().take(chars) {
        size.chars += 1;
        size.utf16 += ch.len_utf16();
        bytes += ch.len_utf8();
    }
    (size.chars == chars).then_some((size, bytes))
}

impl Sequence {
    fn of(items: Items) -> Self {
        Self { items, cursor: Cursor::START, index: IdIndex::default(), siblings: None, main_end: None }
    }

    fn items_in_order(&self) -> impl Iterator<Item = Item> + '_ {
        let leaves =
            core::iter::successors(Some(self.items.first_leaf()), |&leaf| self.items.next_leaf(leaf));
        leaves.flat_map(|leaf| self.items.items(leaf).iter().copied())
    }

    /// All runs in document order, with their text.
    pub(crate) fn runs<'a>(&'a self, log: &'a OpLog) -> impl Iterator<Item = (ItemPart, &'a str)> {
        self.items_in_order()
            .map(|item| (ItemPart { id: item.id(), len: item.count(), flags: item.flags() }, item.text(log)))
    }

    /// Visits the same with their text in UTF-8, which nobody checks again; none of those that have lost it.
    pub(crate) fn for_each_run<'a>(&'a self, log: &'a OpLog, mut visit: impl FnMut(ItemPart, &'a [u8])) {
        self.items_in_order().for_each(|item| {
            let utf8 = if item.is_textless() { &[] } else { item.utf8(log) };
            visit(ItemPart { id: item.id(), len: item.count(), flags: item.flags() }, utf8);
        });
    }

    /// The runs that were loaded and have their text there still, in document order.
    pub(crate) fn loaded_pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        self.items_in_order().filter_map(|item| {
            let (id, len, head) = (item.id(), item.count(), item.is_head());
            let textless = item.is_textless();
            item.loaded_start().map(|text| {
                let (text, bytes) = if textless { (0, 0) } else { (text, item.bytes()) };
                Piece { id, len, head, textless, text, bytes }
            })
        })
    }

    /// Follows a log that was thawed: `moved` says where the text of [`Sequence::loaded_pieces`] is now. O(*n*).
    pub(crate) fn follow_text(&mut self, moved: &Moved) {
        let mut starts = moved.pieces.iter();
        let mut items = ItemsBuilder::new(64 * self.items.leaf_count());
        let mut last: Option<Item> = None;
        for item in self.items_in_order() {
            let item = if item.loaded_start().is_some() {
                let start = *starts.next().expect("one for each piece");
                if item.is_textless() { item } else { item.with_text_at(start) }
            } else {
                item.with_text_moved(moved.shifts[item.replica() as usize])
            };
            match last.and_then(|last| last.joined(item)) {
                Some(joined) => last = Some(joined),
                None => {
                    if let Some(last) = last.replace(item) {
                        items.push(last);
                    }
                }
            }
        }
        if let Some(last) = last {
            items.push(last);
        }
        *self = Self { main_end: self.main_end, ..Self::of(items.finish()) };
    }
}
