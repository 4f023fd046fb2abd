//! JSON values as their text: what embeds, marks, lists and registers hold.
//!
//! The core never looks inside a value. It keeps the text, checked once and without the blanks between its tokens,
//! and two values are equal if their texts are.

use crate::limits::{MAX_JSON_BYTES, MAX_JSON_DEPTH};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;

/// A JSON value (RFC 8259), kept as text. Cloning shares it.
///
/// # Examples
/// ```
/// use crdt_core::Json;
///
/// let image = Json::parse(r#"{ "image": "cat.png" }"#)?;
/// assert_eq!(image.as_str(), r#"{"image":"cat.png"}"#);
/// assert!(Json::parse("{image}").is_err());
/// # Ok::<(), crdt_core::JsonError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Json(Arc<str>);

impl Json {
    /// Reads one value. O(bytes).
    ///
    /// Keys of an object may repeat and keep their order; equal values that are written otherwise (`1.0`, `1`)
    /// are different ones here.
    ///
    /// # Errors
    /// [`JsonError`] where the text is no JSON value, is longer than 16 MiB, or nests deeper than 128.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        if text.len() > MAX_JSON_BYTES {
            return Err(JsonError { position_utf8: MAX_JSON_BYTES });
        }
        Self::parse_within(text, MAX_JSON_DEPTH).map_err(|error| match error {
            NotJson::Invalid(error) | NotJson::TooDeep(error) => error,
        })
    }

    /// As [`Json::parse`], of any length, in at most so many arrays and objects.
    pub(crate) fn parse_within(text: &str, max_depth: usize) -> Result<Self, NotJson> {
        let mut scanner =
            Scanner { bytes: text.as_bytes(), at: 0, compact: None, max_depth, is_too_deep: false };
        let value = scanner.value();
        value.map_err(if scanner.is_too_deep { NotJson::TooDeep } else { NotJson::Invalid })?;
        scanner.blanks();
        if scanner.at < text.len() {
            return Err(NotJson::Invalid(scanner.wrong()));
        }
        Ok(match scanner.compact {
            None => Self(text.into()),
            Some(compact) => {
                let compact = String::from_utf8(compact);
                Self(compact.map_err(|_| NotJson::Invalid(JsonError { position_utf8: 0 }))?.into())
            }
        })
    }

    /// `true`.
    pub fn yes() -> Self {
        Self("true".into())
    }

    /// A string.
    pub fn string(text: &str) -> Self {
        let mut out = String::with_capacity(text.len() + 2);
        out.push('"');
        for ch in text.chars() {
            match ch {
                '"' | '\\' => out.extend(['\\', ch]),
                '\0'..='\x1f' => {
                    let digit = |value: u32| char::from_digit(value, 16).unwrap_or('0');
                    out.push_str("\\u00");
                    out.extend([digit(ch as u32 >> 4), digit(ch as u32 & 15)]);
                }
                _ => out.push(ch),
            }
        }
        out.push('"');
        Self(out.into())
    }

    /// A whole number.
    pub fn number(number: i32) -> Self {
        Self(alloc::format!("{number}").into())
    }

    /// The value as JSON text without blanks between tokens.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A value that is there, be it `null`: what is left out is none.
#[cfg(feature = "serde")]
pub(crate) fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    serde::Deserialize::deserialize(deserializer).map(Some)
}

/// Where a text stops being a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// In bytes.
    pub position_utf8: usize,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no JSON value at byte {}", self.position_utf8)
    }
}

impl Error for JsonError {}

/// Why a text was refused as a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotJson {
    Invalid(JsonError),
    TooDeep(JsonError),
}

/// Reads tokens; from the first blank on it copies them.
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    compact: Option<Vec<u8>>,
    max_depth: usize,
    is_too_deep: bool,
}

impl Scanner<'_> {
    fn wrong(&self) -> JsonError {
        JsonError { position_utf8: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.compact.get_or_insert_with(|| self.bytes[..self.at].to_vec());
            self.at += 1;
        }
    }

    /// Takes what is in front of `end`.
    fn take_to(&mut self, end: usize) {
        if let Some(compact) = &mut self.compact {
            compact.extend_from_slice(&self.bytes[self.at..end]);
        }
        self.at = end;
    }

    fn take_one(&mut self) {
        self.take_to(self.at + 1);
    }

    /// One value, without recursion: what is open is on a stack of our own.
    fn value(&mut self) -> Result<(), JsonError> {
        // Whether each open one is an object.
        let mut open: Vec<bool> = Vec::new();
        loop {
            self.blanks();
            let opens = match self.peek().ok_or_else(|| self.wrong())? {
                b'{' => Some(true),
                b'[' => Some(false),
                b'"' => {
                    self.string()?;
                    None
                }
                b'-' | b'0'..=b'9' => {
                    self.number()?;
                    None
                }
                _ => {
                    self.word()?;
                    None
                }
            };
            if let Some(is_object) = opens {
                if open.len() >= self.max_depth {
                    self.is_too_deep = true;
                    return Err(self.wrong());
                }
                self.take_one();
                self.blanks();
                let closes = if is_object { b'}' } else { b']' };
                if self.peek() == Some(closes) {
                    self.take_one();
                } else {
                    open.push(is_object);
                    if is_object {
                        self.key()?;
                    }
                    continue;
                }
            }
            // A value has ended: so may what it stands in.
            loop {
                let Some(&is_object) = open.last() else { return Ok(()) };
                self.blanks();
                match (self.peek(), is_object) {
                    (Some(b','), _) => {
                        self.take_one();
                        if is_object {
                            self.key()?;
                        }
                        break;
                    }
                    (Some(b'}'), true) | (Some(b']'), false) => {
                        self.take_one();
                        open.pop();
                    }
                    _ => return Err(self.wrong()),
                }
            }
        }
    }

    fn key(&mut self) -> Result<(), JsonError> {
        self.blanks();
        if self.peek() != Some(b'"') {
            return Err(self.wrong());
        }
        self.string()?;
        self.blanks();
        if self.peek() != Some(b':') {
            return Err(self.wrong());
        }
        self.take_one();
        Ok(())
    }

    fn string(&mut self) -> Result<(), JsonError> {
        let mut end = self.at + 1;
        let wrong = |position_utf8| JsonError { position_utf8 };
        loop {
            match self.bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => {
                    let escaped = self.bytes.get(end + 1);
                    match escaped {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => end += 2,
                        Some(b'u') => {
                            let digits = self.bytes.get(end + 2..end + 6).ok_or(wrong(end))?;
                            if !digits.iter().all(u8::is_ascii_hexdigit) {
                                return Err(wrong(end));
                            }
                            end += 6;
                        }
                        _ => return Err(wrong(end)),
                    }
                }
                Some(0x20..) => end += 1,
                _ => return Err(wrong(end)),
            }
        }
        self.take_to(end + 1);
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let mut end = self.at + usize::from(self.peek() == Some(b'-'));
        let digits = |from: usize| self.bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let whole = digits(end);
        if whole == 0 || whole > 1 && self.bytes[end] == b'0' {
            return Err(self.wrong());
        }
        end += whole;
        if self.bytes.get(end) == Some(&b'.') {
            let fraction = digits(end + 1);
            if fraction == 0 {
                return Err(self.wrong());
            }
            end += 1 + fraction;
        }
        if let Some(b'e' | b'E') = self.bytes.get(end) {
            let sign = usize::from(matches!(self.bytes.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits(end + 1 + sign);
            if exponent == 0 {
                return Err(self.wrong());
            }
            end += 1 + sign + exponent;
        }
        self.take_to(end);
        Ok(())
    }

    fn word(&mut self) -> Result<(), JsonError> {
        let words: [&[u8]; 3] = [b"true", b"false", b"null"];
        let word = words.iter().find(|word| self.bytes[self.at..].starts_with(word));
        let len = word.ok_or_else(|| self.wrong())?.len();
        self.take_to(self.at + len);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn values_lose_the_blanks_between_their_tokens_only() {
        for (text, compact) in [
            ("true", "true"),
            (" null ", "null"),
            ("-0.5e+7", "-0.5e+7"),
            (r#" "a \" b\u00e9 " "#, r#""a \" b\u00e9 ""#),
            ("[ ]", "[]"),
            ("{ \"a\" : [ 1 , { } , \"\" ] , \"b\":false}", "{\"a\":[1,{},\"\"],\"b\":false}"),
        ] {
            assert_eq!(Json::parse(text).unwrap().as_str(), compact);
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for text in [
            "",
            " ",
            "tru",
            "nul",
            "01",
            "1.",
            "-",
            "1e",
            "\"",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "[",
            "[1,]",
            "[1 2]",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "]",
            "1 2",
            "[}",
            "{]",
        ] {
            assert!(Json::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn depth_is_limited_and_takes_no_stack() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Json::parse(&nested(MAX_JSON_DEPTH)).is_ok());
        assert!(Json::parse(&nested(MAX_JSON_DEPTH + 1)).is_err());
        assert!(Json::parse(&"[".repeat(1 << 20)).is_err());
    }

    #[test]
    fn strings_are_escaped() {
        let json = Json::string("a\"\\\n\u{1}é");
        assert_eq!(json.as_str(), "\"a\\\"\\\\\\u000a\\u0001é\"");
        assert_eq!(Json::parse(json.as_str()).unwrap(), json);
        assert_eq!(Json::number(-3).to_string(), "-3");
    }
}
