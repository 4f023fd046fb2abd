use crate::ids::Seq;
use crate::op_log::{ItemPart, LocalId, OpLog, ReplicaIndex, WIDE_RUN};
use crate::tree;
use crate::units::{Counted, Size, byte_of, chars_before_utf16};
use core::hint::select_unpredictable;

/// A run of elements with consecutive ids that stand side by side, all visible or all deleted.
///
/// 16 bytes. `size` is the number of elements of an ASCII run; of any other run it packs the
/// elements (9 bits), UTF-16 code units (10) and bytes (11), which [`WIDE_RUN`] keeps small enough.
///
/// Two numbers of 64 bits for four of 32, because two are handed on in registers, and are written and read in one width:
/// what is read wider than it was just written has to wait for memory.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Item {
    /// The seq of the first element; above it the tag: the replica and the flags.
    name: u64,
    /// The size; above it where the text starts.
    span: u64,
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

/// In place of where the text starts: deleted elements that have lost theirs. They count as loaded and as ASCII.
const TEXTLESS: u32 = u32::MAX;

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
        Self::of(id.seq, tag, 0, start).with_size(run.size, run.text.len())
    }

    /// A run of a snapshot: `text` starts at byte `start` of the loaded text, and is ASCII or short.
    #[inline]
    pub(super) fn loaded(id: LocalId, size: Size, bytes: usize, start: usize) -> Self {
        Self::of(id.seq, LOADED | id.replica, 0, narrow(start)).with_size(size, bytes)
    }

    /// A run of a snapshot: its text is ASCII and starts at byte `start` < 2^32 of the loaded text.
    #[inline(always)]
    pub(super) fn loaded_ascii(part: ItemPart, start: u64) -> Self {
        let ItemPart { id, len, flags } = part;
        Self::of(id.seq, LOADED | id.replica, len, low(start)).with_flags(flags)
    }

    /// A run of a snapshot that is deleted and has lost its text.
    pub(super) fn textless(part: ItemPart) -> Self {
        let ItemPart { id, len, flags } = part;
        Self::of(id.seq, LOADED | id.replica, len, TEXTLESS).with_flags(flags)
    }

    pub(super) fn is_textless(self) -> bool {
        self.start() == TEXTLESS
    }

    /// The same with the flags of an [`ItemPart`].
    #[inline]
    pub(super) fn with_flags(mut self, flags: u8) -> Self {
        const {
            assert!((ItemPart::LEFT_TAKEN as u32) << 29 == LEFT_TAKEN);
            assert!((ItemPart::HEAD as u32) << 29 == HEAD);
            assert!((ItemPart::DELETED as u32) << 29 == DELETED);
        };
        self.name |= u64::from(flags) << 61;
        self
    }

    /// The flags of an [`ItemPart`].
    pub(super) fn flags(self) -> u8 {
        (self.tag() >> 29).to_le_bytes()[0]
    }

    /// Where its text starts in the loaded text, if it is there.
    #[inline]
    pub(super) fn loaded_start(self) -> Option<usize> {
        (self.tag() & LOADED != 0).then_some(self.start() as usize)
    }

    /// Whether its text starts there in the loaded text.
    #[inline]
    pub(super) fn is_loaded_at(self, start: usize) -> bool {
        (self.tag() & LOADED != 0) & (self.start() as usize == start)
    }

    /// The same with its text in its replica's log, from byte `start` on.
    pub(super) fn with_text_at(self, start: u32) -> Self {
        Self::of(self.seq(), self.tag() & !LOADED, self.extent(), start)
    }

    /// The same with its text, which is in its replica's log, so much further on.
    pub(super) fn with_text_moved(mut self, by: u32) -> Self {
        self.span += u64::from(by) << 32;
        self
    }

    #[inline(always)]
    fn of(seq: Seq, tag: u32, size: u32, text: u32) -> Self {
        Self { name: u64::from(tag) << 32 | u64::from(seq), span: u64::from(text) << 32 | u64::from(size) }
    }

    #[inline(always)]
    fn seq(self) -> Seq {
        low(self.name)
    }

    #[inline(always)]
    fn tag(self) -> u32 {
        low(self.name >> 32)
    }

    #[inline(always)]
    fn extent(self) -> u32 {
        low(self.span)
    }

    /// Where its text starts, in bytes.
    #[inline(always)]
    fn start(self) -> u32 {
        low(self.span >> 32)
    }

    #[inline]
    fn with_size(self, size: Size, bytes: usize) -> Self {
        let (tag, extent) = if size.chars == bytes {
            (self.tag() & !WIDE, narrow(bytes))
        } else {
            debug_assert!(size.chars <= WIDE_RUN, "a run of wide text is short");
            (self.tag() | WIDE, narrow(size.chars) | narrow(size.utf16) << 9 | narrow(bytes) << 19)
        };
        Self::of(self.seq(), tag, extent, self.start())
    }

    /// The first element.
    pub(super) fn id(self) -> LocalId {
        LocalId::new(self.replica(), self.seq())
    }

    pub(super) fn replica(self) -> ReplicaIndex {
        self.tag() & REPLICA
    }

    /// How many elements.
    #[inline]
    pub(super) fn len(self) -> usize {
        (if self.tag() & WIDE == 0 { self.extent() } else { self.extent() & CHARS }) as usize
    }

    /// The same, as wide as seqs are.
    #[inline]
    pub(super) fn count(self) -> u32 {
        if self.tag() & WIDE == 0 { self.extent() } else { self.extent() & CHARS }
    }

    pub(super) fn bytes(self) -> usize {
        (if self.tag() & WIDE == 0 { self.extent() } else { self.extent() >> 19 }) as usize
    }

    /// The size of its text, deleted or not.
    #[inline]
    pub(super) fn size(self) -> Size {
        let utf16 = if self.tag() & WIDE == 0 { self.extent() } else { self.extent() >> 9 & UTF16 };
        Size { chars: self.len(), utf16: utf16 as usize }
    }

    #[inline]
    pub(super) fn is_deleted(self) -> bool {
        self.tag() & DELETED != 0
    }

    pub(super) fn is_ascii(self) -> bool {
        self.tag() & WIDE == 0
    }

    /// Adds so many elements of ASCII to its end; it is ASCII itself.
    #[inline]
    pub(super) fn lengthen(&mut self, len: u32) {
        debug_assert!(self.is_ascii(), "wide runs count in three units");
        self.span += u64::from(len);
    }

    /// Moves its last `count` elements to the tombstone directly behind, if all of them are one run of ASCII
    /// and not all of this goes. Tells whether.
    #[inline(always)]
    pub(super) fn bury_last(&mut self, tombstone: &mut Self, count: u32) -> bool {
        let one_run = self.precedes_in_run(tombstone) && self.tag() & DELETED == 0 && self.extent() > count;
        if one_run {
            self.cede_last(tombstone, count);
        }
        one_run
    }

    /// As [`Item::bury_last`] of one more element, where that has just buried some.
    #[inline(always)]
    pub(super) fn bury_one_more(&mut self, tombstone: &mut Self) -> bool {
        debug_assert!(self.precedes_in_run(tombstone), "what was one run stays one");
        let has_more = self.extent() > 1;
        if has_more {
            self.cede_last(tombstone, 1);
        }
        has_more
    }

    /// As [`Item::bury_one_more`], of its first and the tombstone in front.
    #[inline(always)]
    pub(super) fn bury_first_one_more(&mut self, tombstone: &mut Self) -> bool {
        debug_assert!(tombstone.precedes_in_run(self), "what was one run stays one");
        let has_more = self.extent() > 1;
        if has_more {
            self.cede_first(tombstone, 1);
        }
        has_more
    }

    /// As [`Item::bury_last`], for its first elements and the tombstone in front.
    #[inline(always)]
    pub(super) fn bury_first(&mut self, tombstone: &mut Self, count: u32) -> bool {
        let one_run = tombstone.precedes_in_run(self) && self.tag() & DELETED == 0 && self.extent() > count;
        if one_run {
            self.cede_first(tombstone, count);
        }
        one_run
    }

    /// Its last `count` elements become the first of `behind`.
    #[inline(always)]
    fn cede_last(&mut self, behind: &mut Self, count: u32) {
        let count = u64::from(count);
        self.span -= count;
        behind.name -= count;
        behind.span = behind.span - (count << 32) + count;
    }

    /// Its first `count` elements become the last of `in_front`.
    #[inline(always)]
    fn cede_first(&mut self, in_front: &mut Self, count: u32) {
        let count = u64::from(count);
        in_front.span += count;
        self.name += count;
        self.span = self.span + (count << 32) - count;
    }

    /// Whether `right` is the rest of one run of ASCII with this, one of them deleted and the other not.
    #[inline(always)]
    fn precedes_in_run(&self, right: &Self) -> bool {
        self.seq() + self.extent() == right.seq()
            && self.start().saturating_add(self.extent()) == right.start()
            && (self.tag() ^ right.tag()) & (DELETED | WIDE | LOADED | REPLICA) == DELETED
            && right.tag() & (HEAD | WIDE) == 0
    }

    pub(super) fn is_head(self) -> bool {
        self.tag() & HEAD != 0
    }

    pub(super) fn left_taken(self) -> bool {
        self.tag() & LEFT_TAKEN != 0
    }

    pub(super) fn with_left_taken(mut self, taken: bool) -> Self {
        let bit = u64::from(LEFT_TAKEN) << 32;
        self.name = if taken { self.name | bit } else { self.name & !bit };
        self
    }

    pub(super) fn deleted(mut self) -> Self {
        self.name |= u64::from(DELETED) << 32;
        self
    }

    pub(super) fn shown(mut self) -> Self {
        self.name &= !(u64::from(DELETED) << 32);
        self
    }

    /// Whether the element `id` is in it.
    #[inline]
    pub(super) fn holds(self, id: LocalId) -> bool {
        self.replica() == id.replica && id.seq.wrapping_sub(self.seq()) < narrow(self.len())
    }

    /// Which of its elements `id`, which it holds, is.
    pub(super) fn place_of(self, id: LocalId) -> usize {
        (id.seq - self.seq()) as usize
    }

    /// Its text, deleted or not; none if it has lost it.
    pub(super) fn text(self, log: &OpLog) -> &str {
        if self.is_textless() {
            return "";
        }
        let range = self.start() as usize..self.start() as usize + self.bytes();
        if self.tag() & LOADED == 0 {
            log.of(self.replica()).text().slice(range)
        } else {
            &log.loaded_text()[range]
        }
    }

    /// The same in UTF-8.
    #[inline]
    pub(super) fn utf8(self, log: &OpLog) -> &[u8] {
        let loaded = self.tag() & LOADED != 0;
        let all = if loaded { log.loaded_text().as_bytes() } else { log.of(self.replica()).text().bytes() };
        &all[self.start() as usize..self.start() as usize + self.bytes()]
    }

    /// Elements in front of UTF-16 code unit `utf16`, and whether that unit starts one.
    #[inline]
    pub(super) fn chars_before_utf16(self, log: &OpLog, utf16: usize) -> (usize, bool) {
        if self.tag() & WIDE == 0 { (utf16, true) } else { chars_before_utf16(self.text(log), utf16) }
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
        let left = Self::of(self.seq(), self.tag(), at, self.start());
        (left, self.rest(at, at, self.extent() - at))
    }

    #[cold]
    fn split_wide(self, log: &OpLog, at: usize) -> (Self, Self) {
        let text = self.text(log);
        let bytes = byte_of(text, at);
        let right = self.rest(narrow(at), narrow(bytes), 0);
        let (left_text, right_text) = text.split_at(bytes);
        let left = self.with_size(Size::of(left_text), left_text.len());
        (left, right.with_size(Size::of(right_text), right_text.len()))
    }

    /// What is left behind its first `chars` elements of so many `bytes`.
    #[inline(always)]
    fn rest(self, chars: u32, bytes: u32, size: u32) -> Self {
        let tag = self.tag() & !HEAD | LEFT_TAKEN;
        Self::of(self.seq() + chars, tag, size, self.start().saturating_add(bytes))
    }

    /// The run of both, if `right`, which stands directly behind, goes on where this one ends, and so does
    /// its text: that of loaded tombstones need not.
    #[inline]
    pub(super) fn joined(self, right: Self) -> Option<Self> {
        // Nearly all neighbours that are not one run differ in this.
        let same_kind =
            (self.tag() ^ right.tag()) & (DELETED | LOADED | REPLICA) == 0 && right.tag() & HEAD == 0;
        if same_kind { self.joined_if_next(right) } else { None }
    }

    #[inline]
    fn joined_if_next(self, right: Self) -> Option<Self> {
        let goes_on = self.seq() + self.count() == right.seq()
            && u64::from(self.start()) + self.bytes() as u64 == u64::from(right.start());
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
        Some(self.with_size(size, bytes))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is asked for")]
#[inline(always)]
pub(super) fn low(packed: u64) -> u32 {
    packed as u32
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
        let visible = if self.tag() & WIDE == 0 {
            Visible::ascii(self.extent())
        } else {
            Visible::new(self.extent() & CHARS, self.extent() >> 9 & UTF16)
        };
        // Tombstones lie about as chance has it.
        select_unpredictable(self.is_deleted(), Visible::default(), visible)
    }
}
