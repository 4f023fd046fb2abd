//! Ids as text, version vectors as maps.

use crate::ids::{OpId, ReplicaId, Seq, VersionVector};
use core::fmt;
use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const REPLICA: &str = "a replica as 16 hexadecimal digits";
const OPERATION: &str = "an operation as REPLICA:SEQ";

fn replica(text: &str) -> Option<ReplicaId> {
    let is_one = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_one.then(|| u64::from_str_radix(text, 16).ok().map(ReplicaId::new)).flatten()
}

fn operation(text: &str) -> Option<OpId> {
    let (name, seq) = text.split_once(':')?;
    let number = seq.parse::<Seq>().ok()?;
    // In one form only, as everywhere.
    let is_minimal = seq.bytes().all(|byte| byte.is_ascii_digit()) && (seq == "0" || !seq.starts_with('0'));
    if is_minimal { Some(OpId::new(replica(name)?, number)) } else { None }
}

/// Reads text that `read` understands.
struct Text<T> {
    read: fn(&str) -> Option<T>,
    expected: &'static str,
}

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.read)(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl Serialize for ReplicaId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ReplicaId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text { read: replica, expected: REPLICA })
    }
}

impl Serialize for OpId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for OpId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text { read: operation, expected: OPERATION })
    }
}

impl Serialize for VersionVector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for VersionVector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Counts;

        impl<'de> Visitor<'de> for Counts {
            type Value = VersionVector;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("replicas and how many operations of each were seen")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<VersionVector, A::Error> {
                let mut version = VersionVector::new();
                while let Some((replica, count)) = map.next_entry::<ReplicaId, Seq>()? {
                    if version.get(replica) > 0 {
                        return Err(A::Error::custom(format_args!("replica {replica} is named twice")));
                    }
                    version.set(replica, count);
                }
                Ok(version)
            }
        }

        deserializer.deserialize_map(Counts)
    }
}
