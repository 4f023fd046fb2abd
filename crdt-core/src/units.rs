//! Counting and cutting UTF-8 by Unicode scalar values and UTF-16 code units; knows no CRDT word.

/// Scalar values and UTF-16 code units of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) chars: usize,
    pub(crate) utf16: usize,
}

impl Size {
    pub(crate) fn of(text: &str) -> Self {
        if text.is_ascii() {
            return Self { chars: text.len(), utf16: text.len() };
        }
        // Every byte that is no continuation starts a scalar value; those of four bytes take two units. So few at once
        // that a byte counts them: sixteen lanes instead of two.
        let (mut chars, mut pairs) = (0, 0);
        for few in text.as_bytes().chunks(128) {
            chars += usize::from(few.iter().map(|byte| u8::from(byte & 0xc0 != 0x80)).sum::<u8>());
            pairs += usize::from(few.iter().map(|&byte| u8::from(byte >= 0xf0)).sum::<u8>());
        }
        Self { chars, utf16: chars + pairs }
    }
}

/// The byte at which scalar value `chars` of `text` starts; `text.len()` behind the last.
pub(crate) fn byte_of(text: &str, chars: usize) -> usize {
    text.char_indices().nth(chars).map_or(text.len(), |(byte, _)| byte)
}

/// `len` scalar values of `text` from `from` on.
pub(crate) fn chars(text: &str, from: usize, len: usize) -> &str {
    let rest = &text[byte_of(text, from)..];
    &rest[..byte_of(rest, len)]
}

/// Scalar values in front of UTF-16 code unit `utf16`, and whether that unit starts one.
pub(crate) fn chars_before_utf16(text: &str, utf16: usize) -> (usize, bool) {
    let mut units = 0;
    for (count, ch) in text.chars().enumerate() {
        if units >= utf16 {
            return (count, units == utf16);
        }
        units += ch.len_utf16();
    }
    (Size::of(text).chars, units == utf16)
}

/// A text that was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted<'a> {
    pub(crate) text: &'a str,
    pub(crate) size: Size,
}

impl<'a> Counted<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        Self { text, size: Size::of(text) }
    }

    /// `text` is ASCII.
    pub(crate) fn ascii(text: &'a str) -> Self {
        Self { text, size: Size { chars: text.len(), utf16: text.len() } }
    }

    pub(crate) fn is_ascii(self) -> bool {
        self.size.chars == self.text.len()
    }

    /// Whether it is ASCII, or of at most `wide` scalar values.
    pub(crate) fn is_one_run(self, wide: usize) -> bool {
        self.is_ascii() || self.size.chars <= wide
    }

    /// Cuts it into pieces that are ASCII, or of at most `wide` scalar values.
    pub(crate) fn runs(self, wide: usize) -> impl Iterator<Item = Self> {
        let mut rest = Some(self).filter(|all| !all.text.is_empty());
        core::iter::from_fn(move || {
            let all = rest.take()?;
            if all.is_one_run(wide) {
                return Some(all);
            }
            let text = all.text;
            let ascii = text.bytes().position(|byte| !byte.is_ascii()).unwrap_or(text.len());
            let (run, text) = text.split_at(if ascii >= wide { ascii } else { byte_of(text, wide) });
            let run = Self::of(run);
            let size =
                Size { chars: all.size.chars - run.size.chars, utf16: all.size.utf16 - run.size.utf16 };
            rest = Some(Self { text, size }).filter(|all| !all.text.is_empty());
            Some(run)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn sizes_count_scalar_values_and_utf16_code_units() {
        for text in ["", "plain", "ärger", "日本語", "a😀b", "😀😀"] {
            let size = Size::of(text);
            assert_eq!(size.chars, text.chars().count());
            assert_eq!(size.utf16, text.encode_utf16().count());
        }
    }

    #[test]
    fn the_middle_of_a_surrogate_pair_is_told() {
        assert_eq!(chars_before_utf16("a😀b", 1), (1, true));
        assert_eq!(chars_before_utf16("a😀b", 2), (2, false));
        assert_eq!(chars_before_utf16("a😀b", 3), (2, true));
        assert_eq!(chars_before_utf16("a😀b", 4), (3, true));
    }

    #[test]
    fn runs_are_ascii_or_short() {
        let text = "abcdé😀fghijklmnop";
        let runs: Vec<Counted<'_>> = Counted::of(text).runs(4).collect();
        assert!(runs.iter().all(|&run| run == Counted::of(run.text)), "each is counted");
        let runs: Vec<&str> = runs.iter().map(|run| run.text).collect();
        assert_eq!(runs.concat(), text);
        assert_eq!(runs, ["abcd", "é😀fg", "hijklmnop"]);
    }
}
