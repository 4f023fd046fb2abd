//! Versions with names, kept in the document itself: *before the review*, *as printed*.
//!
//! Each is a register whose name starts with [`PREFIX`] and that holds the version vector, as a JSON object from replicas, 16
//! hexadecimal digits each, to counts. So names replicate and merge as registers do. They are in no list of registers, no
//! event tells them, no undo takes them back, and going back to a version leaves them: they are about the document, not in it.

use crate::doc::Doc;
use crate::doc::marking::check_name;
use crate::error::{EditError, HistoryError};
use crate::ids::{ReplicaId, Seq, VersionVector};
use crate::json::Json;
use crate::value::Value;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

/// Names of registers that start so are not for users.
const RESERVED: &str = "crdt:";

/// What the register of a named version is called in front of its name.
const PREFIX: &str = "crdt:version:";

/// Whether a register is not a user's.
pub(in crate::doc) fn is_reserved(name: &str) -> bool {
    name.starts_with(RESERVED)
}

impl Doc {
    /// Gives the present version a name, which everybody gets with the next delta.
    ///
    /// A name that is given again names the new version; of two who give one name at the same time the one of the later
    /// transaction holds, as for [`Doc::set`]. O(replicas).
    ///
    /// # Errors
    /// As [`Doc::set`]; a name has room for 1,011 bytes.
    ///
    /// # Examples
    /// ```
    /// use crdt_core::{Doc, ReplicaId};
    ///
    /// let mut doc = Doc::new(ReplicaId::new(1));
    /// doc.insert(0, "first draft")?;
    /// doc.name_version("draft")?;
    /// doc.delete(0..6)?;
    /// let version = doc.named_version("draft").expect("it was just named");
    /// assert_eq!(doc.text_at(&version)?, "first draft");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn name_version(&mut self, name: &str) -> Result<(), EditError> {
        let version = written(&self.version);
        self.set_any_register(&register(name)?, Some(version))
    }

    /// Gives an earlier version a name; else as [`Doc::name_version`].
    ///
    /// # Errors
    /// As there, as [`HistoryError::Edit`]; and as [`Doc::text_at`] for a version that was not seen here.
    pub fn name_version_at(&mut self, name: &str, version: &VersionVector) -> Result<(), HistoryError> {
        self.check_version(version)?;
        Ok(self.set_any_register(&register(name)?, Some(written(version)))?)
    }

    /// Takes the name from a version, if it has one; else as [`Doc::name_version`].
    ///
    /// # Errors
    /// As there.
    pub fn forget_version(&mut self, name: &str) -> Result<(), EditError> {
        let register = register(name)?;
        let is_held = self.any_register(&register).is_some();
        if is_held { self.set_any_register(&register, None) } else { Ok(()) }
    }

    /// The version that has a name. It may be one that was not reached here yet, if what was said up to it is on its way.
    /// O(log of the registers + replicas).
    pub fn named_version(&self, name: &str) -> Option<VersionVector> {
        read(self.any_register(&register(name).ok()?)?)
    }

    /// All versions that have names, in ascending order of names.
    pub fn named_versions(&self) -> Vec<(String, VersionVector)> {
        let named =
            self.all_registers().filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?, value)));
        named.filter_map(|(name, value)| Some((name.into(), read(value)?))).collect()
    }

    /// Whether all of these operations name versions, or take names from them.
    pub(in crate::doc) fn only_name_versions(&self, replica: ReplicaId, from: Seq, to: Seq) -> bool {
        let Some(rich) = &self.rich else { return false };
        let ids = crate::ids::OpId::new(replica, from)..crate::ids::OpId::new(replica, to);
        let values = rich.values.range(ids);
        let naming = values.filter(|(_, value)| names_version(value)).count();
        naming == (to - from) as usize
    }
}

/// Whether a statement is about a register that is not a user's.
pub(in crate::doc) fn names_version(value: &Value) -> bool {
    matches!(value, Value::Register(register) if is_reserved(&register.name))
}

fn register(name: &str) -> Result<String, EditError> {
    let register = format!("{PREFIX}{name}");
    check_name(&register)?;
    Ok(register)
}

fn written(version: &VersionVector) -> Json {
    let mut text = String::from("{");
    for (replica, count) in version.iter() {
        let comma = if text.len() > 1 { "," } else { "" };
        let done = write!(text, "{comma}\"{replica}\":{count}");
        debug_assert!(done.is_ok(), "a string takes everything");
    }
    text.push('}');
    Json::parse(&text).unwrap_or_else(|_| Json::string(""))
}

/// `None` for what nobody writes.
fn read(json: &Json) -> Option<VersionVector> {
    let inner = json.as_str().strip_prefix('{')?.strip_suffix('}')?;
    let mut version = VersionVector::new();
    let mut last = None;
    for pair in inner.split(',').filter(|_| !inner.is_empty()) {
        let (replica, count) = pair.strip_prefix('"')?.split_once("\":")?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if replica.len() != 16
            || !replica.bytes().all(is_hex)
            || !count.bytes().all(|byte| byte.is_ascii_digit())
        {
            return None;
        }
        let replica = u64::from_str_radix(replica, 16).ok()?;
        let count = count.parse().ok().filter(|&count: &Seq| count > 0)?;
        if last.replace(replica).is_some_and(|last| last >= replica) {
            return None;
        }
        version.set(ReplicaId::new(replica), count);
    }
    Some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_written_is_read() {
        let version: VersionVector =
            [(ReplicaId::new(7), 3), (ReplicaId::new(u64::MAX), Seq::MAX)].into_iter().collect();
        for version in [VersionVector::new(), version] {
            assert_eq!(read(&written(&version)), Some(version));
        }
        for other in [
            "null",
            "[]",
            "{\"a\":1}",
            "{\"0000000000000007\":0}",
            "{\"0000000000000007\":-1}",
            "{\"0000000000000007\":4294967296}",
            "{\"000000000000000A\":1}",
            "{\"0000000000000007\":1,\"0000000000000007\":2}",
            "{\"0000000000000007\":1,\"0000000000000006\":2}",
            "{\"0000000000000007\":{\"0000000000000008\":1}}",
        ] {
            assert_eq!(read(&Json::parse(other).unwrap()), None, "{other}");
        }
    }
}
