use crate::ids::Seq;
use crate::op_log::{ItemPart, LocalId, OpLog, ReplicaIndex, WIDE_RUN};
use crate::tree;
use crate::units::{Counted, Size, byte_of, chars_before_utf16};
use core::hint::select_unpredictable;

/// A run of elements with consecutive ids that stand side by side, all visible or all deleted.
///
/// 16 bytes. `size` is the number of elements of an ASCII run; of any other run it packs the
/// elements (9 bits), UTF-16 code units (10) and bytes (11), which [`WIDE_RUN`] keeps small enough.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Item {
    seq: Seq,
    tag: u32,
    size: u32,
    text: u32,
}

const DELETED: u32 = 1 << 31;
/// The first element was not placed after its predecessor in seq: the log knows its anchor.
const HEAD: u32 = 1 << 30;
/// The element directly left of the first one (or the start) has had something placed after it.
const LEFT_TAKEN: u32 = 1 << 29;
const WIDE: u32 = 1 << 28;
/// The text is part of what was loaded, not of what the replica's log has since.
const LOADED: u32 = 1 << 27;
const REPLICA: u32 = (1 << 27) - 1;

const CHARS: u32 = (1 << 9) - 1;
const UTF16: u32 = (1 << 10) - 1;

impl Item {
    /// A visible run that starts with the element `id` and whose text starts at byte `start` of its log's.
    pub(super) fn new(id: LocalId, run: Counted<'_>, start: u32, head: bool, left_taken: bool) -> Self {
        let mut tag = id.replica;
        if head {
            tag |= HEAD;
        }
        if left_taken {
            tag |= LEFT_TAKEN;
        }
        let mut item = Self { seq: id.seq, tag, size: 0, text: start };
        item.set_size(run.size, run.text.len());
        item
    }

    /// A run of a snapshot: `text` starts at byte `start` of the loaded text, and is ASCII or short.
    #[inline]
    pub(super) fn loaded(id: LocalId, size: Size, bytes: usize, start: usize) -> Self {
        let mut item = Self { seq: id.seq, tag: LOADED | id.replica, size: 0, text: narrow(start) };
        item.set_size(size, bytes);
        item
    }

    /// The same with the flags of an [`ItemPart`].
    #[inline]
    pub(super) fn with_flags(mut self, flags: u8) -> Self {
        const {
            assert!((ItemPart::LEFT_TAKEN as u32) << 29 == LEFT_TAKEN);
            assert!((ItemPart::HEAD as u32) << 29 == HEAD);
            assert!((ItemPart::DELETED as u32) << 29 == DELETED);
        };
        self.tag |= u32::from(flags) << 29;
        self
    }

    /// The flags of an [`ItemPart`].
    pub(super) fn flags(self) -> u8 {
        (self.tag >> 29).to_le_bytes()[0]
    }

    /// Where its text starts in the loaded text, if it is there.
    #[inline]
    pub(super) fn loaded_start(self) -> Option<usize> {
        (self.tag & LOADED != 0).then_some(self.text as usize)
    }

    /// Whether its text starts there in the loaded text.
    #[inline]
    pub(super) fn is_loaded_at(self, start: usize) -> bool {
        (self.tag & LOADED != 0) & (self.text as usize == start)
    }

    /// The same with its text in its replica's log, from byte `start` on.
    pub(super) fn with_text_at(mut self, start: u32) -> Self {
        self.tag &= !LOADED;
        self.text = start;
        self
    }

    /// The same with its text, which is in its replica's log, so much further on.
    pub(super) fn with_text_moved(mut self, by: u32) -> Self {
        self.text += by;
        self
    }

    fn set_size(&mut self, size: Size, bytes: usize) {
        if size.chars == bytes {
            self.tag &= !WIDE;
            self.size = narrow(bytes);
        } else {
            debug_assert!(size.chars <= WIDE_RUN, "a run of wide text is short");
            self.tag |= WIDE;
            self.size = narrow(size.chars) | narrow(size.utf16) << 9 | narrow(bytes) << 19;
        }
    }

    /// The first element.
    pub(super) fn id(self) -> LocalId {
        LocalId::new(self.replica(), self.seq)
    }

    pub(super) fn replica(self) -> ReplicaIndex {
        self.tag & REPLICA
    }

    /// How many elements.
    #[inline]
    pub(super) fn len(self) -> usize {
        (if self.tag & WIDE == 0 { self.size } else { self.size & CHARS }) as usize
    }

    /// The same, as wide as seqs are.
    #[inline]
    pub(super) fn count(self) -> u32 {
        if self.tag & WIDE == 0 { self.size } else { self.size & CHARS }
    }

    pub(super) fn bytes(self) -> usize {
        (if self.tag & WIDE == 0 { self.size } else { self.size >> 19 }) as usize
    }

    /// The size of its text, deleted or not.
    #[inline]
    pub(super) fn size(self) -> Size {
        let utf16 = if self.tag & WIDE == 0 { self.size } else { self.size >> 9 & UTF16 };
        Size { chars: self.len(), utf16: utf16 as usize }
    }

    #[inline]
    pub(super) fn is_deleted(self) -> bool {
        self.tag & DELETED != 0
    }

    pub(super) fn is_ascii(self) -> bool {
        self.tag & WIDE == 0
    }

    /// Adds so many elements of ASCII to its end; it is ASCII itself.
    #[inline]
    pub(super) fn lengthen(&mut self, len: u32) {
        debug_assert!(self.is_ascii(), "wide runs count in three units");
        self.size += len;
    }

    /// Moves its last `count` elements to the tombstone directly behind, if all of them are one run of ASCII
    /// and not all of this goes. Tells whether.
    #[inline(always)]
    pub(super) fn bury_last(&mut self, tombstone: &mut Self, count: u32) -> bool {
        let one_run = self.precedes_in_run(tombstone) && self.tag & DELETED == 0 && self.size > count;
        if one_run {
            self.size -= count;
            tombstone.seq -= count;
            tombstone.text -= count;
            tombstone.size += count;
        }
        one_run
    }

    /// As [`Item::bury_last`] of one more element, where that has just buried some.
    #[inline(always)]
    pub(super) fn bury_one_more(&mut self, tombstone: &mut Self) -> bool {
        debug_assert!(self.precedes_in_run(tombstone), "what was one run stays one");
        let has_more = self.size > 1;
        if has_more {
            self.size -= 1;
            tombstone.seq -= 1;
            tombstone.text -= 1;
            tombstone.size += 1;
        }
        has_more
    }

    /// As [`Item::bury_one_more`], of its first and the tombstone in front.
    #[inline(always)]
    pub(super) fn bury_first_one_more(&mut self, tombstone: &mut Self) -> bool {
        debug_assert!(tombstone.precedes_in_run(self), "what was one run stays one");
        let has_more = self.size > 1;
        if has_more {
            tombstone.size += 1;
            self.seq += 1;
            self.text += 1;
            self.size -= 1;
        }
        has_more
    }

    /// As [`Item::bury_last`], for its first elements and the tombstone in front.
    #[inline(always)]
    pub(super) fn bury_first(&mut self, tombstone: &mut Self, count: u32) -> bool {
        let one_run = tombstone.precedes_in_run(self) && self.tag & DELETED == 0 && self.size > count;
        if one_run {
            tombstone.size += count;
            self.seq += count;
            self.text += count;
            self.size -= count;
        }
        one_run
    }

    /// Whether `right` is the rest of one run of ASCII with this, one of them deleted and the other not.
    #[inline(always)]
    fn precedes_in_run(&self, right: &Self) -> bool {
        self.seq + self.size == right.seq
            && self.text + self.size == right.text
            && (self.tag ^ right.tag) & (DELETED | WIDE | LOADED | REPLICA) == DELETED
            && right.tag & (HEAD | WIDE) == 0
    }

    pub(super) fn is_head(self) -> bool {
        self.tag & HEAD != 0
    }

    pub(super) fn left_taken(self) -> bool {
        self.tag & LEFT_TAKEN != 0
    }

    pub(super) fn with_left_taken(mut self, taken: bool) -> Self {
        self.tag = if taken { self.tag | LEFT_TAKEN } else { self.tag & !LEFT_TAKEN };
        self
    }

    pub(super) fn deleted(mut self) -> Self {
        self.tag |= DELETED;
        self
    }

    /// Whether the element `id` is in it.
    #[inline]
    pub(super) fn holds(self, id: LocalId) -> bool {
        self.replica() == id.replica && id.seq.wrapping_sub(self.seq) < narrow(self.len())
    }

    /// Which of its elements `id`, which it holds, is.
    pub(super) fn place_of(self, id: LocalId) -> usize {
        (id.seq - self.seq) as usize
    }

    /// Its text, deleted or not.
    pub(super) fn text(self, log: &OpLog) -> &str {
        let range = self.text as usize..self.text as usize + self.bytes();
        if self.tag & LOADED == 0 {
            log.of(self.replica()).text().slice(range)
        } else {
            &log.loaded_text()[range]
        }
    }

    /// The same in UTF-8.
    #[inline]
    pub(super) fn utf8(self, log: &OpLog) -> &[u8] {
        let loaded = self.tag & LOADED != 0;
        let all = if loaded { log.loaded_text().as_bytes() } else { log.of(self.replica()).text().bytes() };
        &all[self.text as usize..self.text as usize + self.bytes()]
    }

    /// Elements in front of UTF-16 code unit `utf16`, and whether that unit starts one.
    #[inline]
    pub(super) fn chars_before_utf16(self, log: &OpLog, utf16: usize) -> (usize, bool) {
        if self.tag & WIDE == 0 { (utf16, true) } else { chars_before_utf16(self.text(log), utf16) }
    }

    /// What its first `chars` elements add up to while they are visible.
    #[inline(always)]
    pub(super) fn visible_part(self, log: &OpLog, chars: usize) -> Visible {
        if self.is_ascii() { Visible::ascii(narrow(chars)) } else { self.wide_part(log, chars) }
    }

    #[cold]
    fn wide_part(self, log: &OpLog, chars: usize) -> Visible {
        let text = self.text(log);
        Visible::of(Size::of(&text[..byte_of(text, chars)]))
    }

    /// Cuts it behind its first `at` elements, 0 < `at` < len.
    #[inline(always)]
    pub(super) fn split(self, log: &OpLog, at: usize) -> (Self, Self) {
        if !self.is_ascii() {
            return self.split_wide(log, at);
        }
        let at = narrow(at);
        let left = Self { size: at, ..self };
        (left, self.rest(at, at, self.size - at))
    }

    #[cold]
    fn split_wide(self, log: &OpLog, at: usize) -> (Self, Self) {
        let text = self.text(log);
        let bytes = byte_of(text, at);
        let (mut left, mut right) = (self, self.rest(narrow(at), narrow(bytes), 0));
        left.set_size(Size::of(&text[..bytes]), bytes);
        right.set_size(Size::of(&text[bytes..]), text.len() - bytes);
        (left, right)
    }

    /// What is left behind its first `chars` elements of so many `bytes`.
    #[inline(always)]
    fn rest(self, chars: u32, bytes: u32, size: u32) -> Self {
        let tag = self.tag & !HEAD | LEFT_TAKEN;
        Self { seq: self.seq + chars, tag, size, text: self.text + bytes }
    }

    /// The run of both, if `right`, which stands directly behind, goes on where this one ends, and so does
    /// its text: that of loaded tombstones need not.
    #[inline]
    pub(super) fn joined(self, right: Self) -> Option<Self> {
        // Nearly all neighbours that are not one run differ in this.
        let same_kind = (self.tag ^ right.tag) & (DELETED | LOADED | REPLICA) == 0 && right.tag & HEAD == 0;
        if same_kind { self.joined_if_next(right) } else { None }
    }

    #[inline]
    fn joined_if_next(self, right: Self) -> Option<Self> {
        let goes_on =
            self.seq + self.count() == right.seq && self.text as usize + self.bytes() == right.text as usize;
        if !goes_on {
            return None;
        }
        let (left_size, right_size) = (self.size(), right.size());
        let size =
            Size { chars: left_size.chars + right_size.chars, utf16: left_size.utf16 + right_size.utf16 };
        let bytes = self.bytes() + right.bytes();
        if size.chars != bytes && size.chars > WIDE_RUN {
            return None;
        }
        let mut joined = self;
        joined.set_size(size, bytes);
        Some(joined)
    }
}

/// Sizes of text fit 32 bits: the document's text is limited to so many bytes.
fn narrow(size: usize) -> u32 {
    debug_assert!(u32::try_from(size).is_ok(), "text is limited to 32 bits of bytes");
    #[expect(clippy::cast_possible_truncation, reason = "checked against the limit on text")]
    let size = size as u32;
    size
}

/// Visible elements and their UTF-16 code units: two counts in one number, so that they add up in
/// one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Visible(u64);

impl Visible {
    pub(super) const fn new(chars: u32, utf16: u32) -> Self {
        Self(chars as u64 | (utf16 as u64) << 32)
    }

    /// Of so much ASCII.
    pub(super) const fn ascii(len: u32) -> Self {
        Self::new(len, len)
    }

    pub(super) fn of(size: Size) -> Self {
        Self::new(narrow(size.chars), narrow(size.utf16))
    }

    #[inline]
    pub(crate) fn chars(self) -> usize {
        (self.0 & 0xffff_ffff) as usize
    }

    #[inline]
    pub(crate) fn utf16(self) -> usize {
        (self.0 >> 32) as usize
    }

    pub(crate) fn size(self) -> Size {
        Size { chars: self.chars(), utf16: self.utf16() }
    }
}

impl tree::Summary for Visible {
    #[inline]
    fn add(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }

    #[inline]
    fn sub(&mut self, other: Self) {
        self.0 = self.0.wrapping_sub(other.0);
    }
}

impl tree::Item for Item {
    type Summary = Visible;

    #[inline]
    fn summary(&self) -> Visible {
        let visible = if self.tag & WIDE == 0 {
            Visible::ascii(self.size)
        } else {
            Visible::new(self.size & CHARS, self.size >> 9 & UTF16)
        };
        // Tombstones lie about as chance has it.
        select_unpredictable(self.is_deleted(), Visible::default(), visible)
    }
}
