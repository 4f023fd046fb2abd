//! Named registers: a small map of values beside the content, such as a title.

use super::Doc;
use super::history::is_reserved;
use super::marking::check_name;
use crate::error::EditError;
use crate::ids::OpId;
use crate::json::Json;
use crate::sorted::SortedMap;
use crate::value::{Register, Said, Value};
use alloc::sync::Arc;

/// Of every register that was ever set, what was said last.
#[derive(Clone, Default)]
pub(super) struct Registers {
    last: SortedMap<Arc<str>, (Said, Option<Json>)>,
}

impl Registers {
    /// Takes up what was said. Whether the register has another value from now on.
    pub(super) fn take_up(&mut self, id: OpId, register: &Register) -> bool {
        let Register { name, value, stamp } = register;
        let said = Said { stamp: *stamp, id };
        match self.last.get_mut(&**name) {
            Some((last, _)) if *last >= said => false,
            Some((last, held)) => {
                *last = said;
                let is_news = held != value;
                held.clone_from(value);
                is_news
            }
            None => {
                self.last.insert(name.clone(), (said, value.clone()));
                value.is_some()
            }
        }
    }

    fn get(&self, name: &str) -> Option<&Json> {
        self.last.get(name)?.1.as_ref()
    }
}

impl Doc {
    /// Gives a register a value, whatever it held.
    ///
    /// Registers are for what there is one of in a document: a title, a language. Of values set at the same time that of
    /// the later transaction stays, by Lamport timestamp, then by replica. O(log of the registers).
    ///
    /// # Errors
    /// [`EditError::NameTooLong`]; [`EditError::ReservedName`] for a name that starts with `crdt:`; [`EditError::Full`].
    /// Nothing has changed then.
    ///
    /// # Examples
    /// ```
    /// use crdt_core::{Doc, Json, ReplicaId};
    ///
    /// let mut alice = Doc::new(ReplicaId::new(1));
    /// let mut bob = Doc::new(ReplicaId::new(2));
    /// alice.set("title", Json::string("Notes"))?;
    /// bob.apply(&alice.delta_since(bob.version()))?;
    /// assert_eq!(bob.get("title"), Some(&Json::string("Notes")));
    /// bob.unset("title")?;
    /// assert_eq!(bob.get("title"), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set(&mut self, name: &str, value: Json) -> Result<(), EditError> {
        self.set_register(name, Some(value))
    }

    /// Empties a register; else as [`Doc::set`].
    ///
    /// # Errors
    /// As [`Doc::set`].
    pub fn unset(&mut self, name: &str) -> Result<(), EditError> {
        self.set_register(name, None)
    }

    /// What a register holds. O(log of the registers).
    pub fn get(&self, name: &str) -> Option<&Json> {
        if is_reserved(name) { None } else { self.any_register(name) }
    }

    pub(super) fn any_register(&self, name: &str) -> Option<&Json> {
        self.rich.as_ref()?.registers.get(name)
    }

    /// All registers that hold something, in ascending order of names.
    pub fn registers(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.all_registers().filter(|(name, _)| !is_reserved(name))
    }

    /// As [`Doc::registers`], with those that are not a user's.
    pub(super) fn all_registers(&self) -> impl Iterator<Item = (&str, &Json)> {
        let all = self.rich.iter().flat_map(|rich| &rich.registers.last);
        all.filter_map(|(name, (_, value))| Some((&**name, value.as_ref()?)))
    }

    pub(super) fn set_register(&mut self, name: &str, value: Option<Json>) -> Result<(), EditError> {
        check_name(name)?;
        if is_reserved(name) {
            return Err(EditError::ReservedName);
        }
        self.set_any_register(name, value)
    }

    /// Sets a register whose name was checked.
    pub(super) fn set_any_register(&mut self, name: &str, value: Option<Json>) -> Result<(), EditError> {
        self.check_own_room(1)?;
        let stamp = self.next_stamp();
        self.say(Value::Register(Register { name: name.into(), value, stamp }))?;
        Ok(())
    }
}
