//! JSON values as themselves, marks as objects.

use crate::json::Json;
use crate::mark::Marks;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt::{self, Write as _};
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rest = RefCell::new(self.as_str());
        Part(&rest).serialize(serializer)
    }
}

/// The value that the rest of a checked text starts with; serializing it takes it off.
struct Part<'a, 'b>(&'a RefCell<&'b str>);

impl<'b> Part<'_, 'b> {
    fn peek(&self) -> u8 {
        self.0.borrow().as_bytes().first().copied().unwrap_or_default()
    }

    fn take(&self, len: usize) -> &'b str {
        let mut rest = self.0.borrow_mut();
        let (taken, behind) = rest.split_at_checked(len).unwrap_or((*rest, ""));
        *rest = behind;
        taken
    }

    /// Takes off what is in front of the next `,`, `:`, `]` or `}`.
    fn word(&self) -> &'b str {
        let rest: &'b str = *self.0.borrow();
        self.take(rest.find([',', ':', ']', '}']).unwrap_or(rest.len()))
    }

    /// Takes off a string with its quotes, and reads its escapes.
    fn string(&self) -> Option<String> {
        let rest: &'b str = *self.0.borrow();
        let mut escaped = false;
        let end = rest.bytes().skip(1).position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        unescaped(&self.take(end? + 2)[1..end? + 1])
    }
}

fn unescaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut units: Vec<u16> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(escape) = rest.strip_prefix("\\u") {
            let (digits, behind) = escape.split_at_checked(4)?;
            units.push(u16::from_str_radix(digits, 16).ok()?);
            rest = behind;
            continue;
        }
        flush(&mut units, &mut out);
        let mut chars = rest.chars();
        match chars.next()? {
            '\\' => out.push(match chars.next()? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                other => other,
            }),
            other => out.push(other),
        }
        rest = chars.as_str();
    }
    flush(&mut units, &mut out);
    Some(out)
}

/// UTF-16 that came as escapes; half a pair alone becomes U+FFFD.
fn flush(units: &mut Vec<u16>, out: &mut String) {
    if !units.is_empty() {
        out.push_str(&String::from_utf16_lossy(units));
        units.clear();
    }
}

impl Serialize for Part<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let broken = || S::Error::custom("a JSON value that is none");
        match self.peek() {
            b'"' => serializer.serialize_str(&self.string().ok_or_else(broken)?),
            b'[' => {
                let mut items = serializer.serialize_seq(None)?;
                self.take(1);
                while self.peek() != b']' {
                    items.serialize_element(&Part(self.0))?;
                    if self.peek() == b',' {
                        self.take(1);
                    } else if self.peek() != b']' {
                        return Err(broken());
                    }
                }
                self.take(1);
                items.end()
            }
            b'{' => {
                let mut map = serializer.serialize_map(None)?;
                self.take(1);
                while self.peek() != b'}' {
                    let key = self.string().ok_or_else(broken)?;
                    self.take(1);
                    map.serialize_entry(&key, &Part(self.0))?;
                    if self.peek() == b',' {
                        self.take(1);
                    } else if self.peek() != b'}' {
                        return Err(broken());
                    }
                }
                self.take(1);
                map.end()
            }
            _ => match self.word() {
                "null" => serializer.serialize_unit(),
                "true" => serializer.serialize_bool(true),
                "false" => serializer.serialize_bool(false),
                number => {
                    if let Ok(number) = number.parse::<u64>() {
                        serializer.serialize_u64(number)
                    } else if let Some(number) = number.parse::<i64>().ok().filter(|_| number != "-0") {
                        serializer.serialize_i64(number)
                    } else {
                        match number.parse::<f64>() {
                            Ok(number) if number.is_finite() => serializer.serialize_f64(number),
                            // What no float holds is shown all the same.
                            Ok(_) => serializer.serialize_str(number),
                            Err(_) => Err(broken()),
                        }
                    }
                }
            },
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut out = String::new();
        Appended(&mut out).deserialize(deserializer)?;
        Self::parse(&out).map_err(D::Error::custom)
    }
}

/// Appends what comes as JSON text.
struct Appended<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Appended<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Appends a string with the escapes that `JSON.stringify` and serde_json write, so that what came from there comes back the same.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for ch in text.chars() {
        match ch {
            '"' | '\\' => out.extend(['\\', ch]),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\x1f' => {
                let digit = |value: u32| char::from_digit(value, 16).unwrap_or('0');
                out.push_str("\\u00");
                out.extend([digit(ch as u32 >> 4), digit(ch as u32 & 15)]);
            }
            _ => out.push(ch),
        }
    }
    out.push('"');
}

impl Appended<'_> {
    fn show<E: serde::de::Error>(self, value: impl fmt::Display) -> Result<(), E> {
        write!(self.0, "{value}").map_err(E::custom)
    }
}

impl<'de> Visitor<'de> for Appended<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.show("null")
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<(), E> {
        self.show("null")
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.show(value)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.show(value)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.show(value)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        if value.is_finite() {
            // `{:?}` tells 1.0 from 1, and writes exponents as JSON does.
            self.show(format_args!("{value:?}"))
        } else {
            Err(E::custom("no JSON number"))
        }
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        quote(value, self.0);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.0.push('[');
        let mut between = "";
        loop {
            let len = self.0.len();
            self.0.push_str(between);
            if items.next_element_seed(Appended(self.0))?.is_none() {
                self.0.truncate(len);
                break;
            }
            between = ",";
        }
        self.0.push(']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.0.push('{');
        let mut between = "";
        while let Some(key) = map.next_key::<String>()? {
            self.0.push_str(between);
            quote(&key, self.0);
            self.0.push(':');
            map.next_value_seed(Appended(self.0))?;
            between = ",";
        }
        self.0.push('}');
        Ok(())
    }
}

impl Serialize for Marks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Marks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Marks;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("marks by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Marks, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry::<String, Json>()? {
                    pairs.push(pair);
                }
                Ok(pairs.into_iter().collect())
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}
