//! What embeds show as, and where: replaced values, and entries of lists that were moved.
//!
//! An entry is an embed, named by its element. To move it is to say *here it stands from now on* in a new element, a *slot*.
//! Of all slots the one said last shows, the entry's own element counts as the first of them, and the others are hidden: so
//! of concurrent moves one holds, and no entry shows twice. Deleting a slot deletes the entry, whichever slot shows.
//!
//! Source: Kleppmann, *Moving Elements in List CRDTs*, PaPoC 2020. There the place is a register beside the list; here the
//! register's values are elements, so that places are in the one order of everything.
//!
//! Costs: O(log *n*) a move or replacement; a document without moved entries checks one flag.

use super::Doc;
use super::edits::Edits;
use super::regions::Scope;
use crate::error::EditError;
use crate::ids::{OpId, Seq};
use crate::json::Json;
use crate::op_log::{LocalId, Said as LogSaid};
use crate::sequence::Unit;
use crate::sorted::{SortedMap, SortedSet};
use crate::value::{Said, Stamp, Value};
use alloc::vec::Vec;

/// What was said of entries.
#[derive(Clone, Default)]
pub(super) struct Entries {
    /// Of those that were moved.
    moved: SortedMap<OpId, Moved>,
    /// What was said last of what an embed shows as.
    replaced: SortedMap<OpId, (Said, Json)>,
    /// Slots that were deleted before their entry arrived.
    killed: SortedSet<OpId>,
    has_slots: bool,
}

#[derive(Clone)]
struct Moved {
    /// Where it shows unless it is dead.
    slot: LocalId,
    /// Who said so; nobody of its own element.
    said: Option<Said>,
    is_dead: bool,
}

impl Doc {
    /// Shows another value at the embed at `position`, in scalar values, from now on.
    ///
    /// The embed keeps its place and its marks. Of values given at the same time that of the later transaction stays, by
    /// Lamport timestamp, then by replica. O(log *n*).
    ///
    /// # Errors
    /// [`EditError::OutOfBounds`], [`EditError::NoEmbed`], [`EditError::Full`]. Nothing has changed then.
    pub fn replace_embed(&mut self, position: usize, value: Json) -> Result<(), EditError> {
        self.replace_embed_in(Scope::Main, Unit::Chars, position, value)
    }

    /// As [`Doc::replace_embed`], in UTF-16 code units.
    ///
    /// # Errors
    /// As there, and [`EditError::InsideSurrogatePair`].
    pub fn replace_embed_utf16(&mut self, position_utf16: usize, value: Json) -> Result<(), EditError> {
        self.replace_embed_in(Scope::Main, Unit::Utf16, position_utf16, value)
    }

    /// Gives the embed at `position` another value.
    pub(super) fn replace_embed_in(
        &mut self,
        scope: Scope,
        unit: Unit,
        position: usize,
        value: Json,
    ) -> Result<(), EditError> {
        let at = match self.chars_range_in(scope, unit, position..position.saturating_add(1)) {
            // A character of two code units.
            Err(EditError::InsideSurrogatePair { position_utf16 }) if position_utf16 > position => {
                return Err(EditError::NoEmbed { position });
            }
            range => range?.start,
        };
        self.replace_at(at, position, value)
    }

    /// Replaces what the visible element `at` shows as, which the caller knows as `position`.
    fn replace_at(&mut self, at: usize, position: usize, value: Json) -> Result<(), EditError> {
        let element = self.entry_at(at).ok_or(EditError::NoEmbed { position })?;
        self.check_own_room(1)?;
        let stamp = self.next_stamp();
        self.say(Value::Replace { element, value, stamp })?;
        Ok(())
    }

    /// The embed that the visible element `at` shows.
    pub(super) fn entry_at(&self, at: usize) -> Option<OpId> {
        self.entry_of(self.log.op_id(self.sequence.element_at(at)))
    }

    /// The embed that an element with a value shows, or would.
    pub(super) fn entry_of(&self, id: OpId) -> Option<OpId> {
        let values = &self.rich.as_ref()?.values;
        let entry = match values.get(&id)? {
            Value::Move { element, .. } => *element,
            _ => id,
        };
        matches!(values.get(&entry)?, Value::Embed(_)).then_some(entry)
    }

    /// What an embed shows as now.
    pub(super) fn shown_value(&self, entry: OpId) -> Option<&Json> {
        let rich = self.rich.as_ref()?;
        if let Some((_, json)) = rich.entries.replaced.get(&entry) {
            return Some(json);
        }
        match rich.values.get(&entry)? {
            Value::Embed(json) => Some(json),
            _ => None,
        }
    }

    /// Where an embed shows, or showed last.
    pub(super) fn slot_of(&self, entry: OpId) -> Option<LocalId> {
        match self.rich.as_ref()?.entries.moved.get(&entry) {
            Some(moved) => Some(moved.slot),
            None => self.local(entry),
        }
    }

    /// Whether deletions may be of slots.
    #[inline]
    pub(super) fn has_slots(&self) -> bool {
        self.rich.as_ref().is_some_and(|rich| rich.entries.has_slots)
    }

    pub(super) fn take_up_replacement(
        &mut self,
        entry: OpId,
        value: Json,
        said: Said,
        edits: Option<&mut Edits>,
    ) {
        if self.waits_for(entry, said.id) || self.entry_of(entry) != Some(entry) {
            return;
        }
        let before = self.shown_value(entry).cloned();
        let replaced = &mut self.rich_mut().entries.replaced;
        if replaced.get(&entry).is_some_and(|(last, _)| *last >= said) {
            return;
        }
        replaced.insert(entry, (said, value.clone()));
        let Some(slot) = self.slot_of(entry).filter(|&slot| self.sequence.is_visible(slot)) else { return };
        if let Some(edits) = edits
            && before.as_ref() != Some(&value)
            && let Some(at) = self.event_at(slot, self.position_of_edge(crate::marks::Edge::before(slot)))
        {
            edits.replace(at, value, self.marks_of(slot));
        }
    }

    pub(super) fn take_up_move(&mut self, entry: OpId, said: Said, mut edits: Option<&mut Edits>) {
        self.rich_mut().entries.has_slots = true;
        if self.waits_for(entry, said.id) || self.entry_of(entry) != Some(entry) {
            return;
        }
        let (own, slot) = (self.local(entry), self.local(said.id));
        let (own, slot) = own.zip(slot).expect("both are integrated");
        let was_visible = self.sequence.is_visible(own);
        let entries = &mut self.rich_mut().entries;
        let was_killed = entries.killed.remove(&said.id);
        let moved =
            entries.moved.or_insert_with(entry, || Moved { slot: own, said: None, is_dead: !was_visible });
        if was_killed {
            moved.is_dead = true;
            let slot = moved.slot;
            self.hide(slot, edits.as_deref_mut());
        }
        let moved = self.rich_mut().entries.moved.get_mut(&entry).expect("it was just put in");
        if moved.said >= Some(said) {
            return;
        }
        let before = core::mem::replace(moved, Moved { slot, said: Some(said), ..*moved });
        if !before.is_dead {
            self.hide(before.slot, edits.as_deref_mut());
            self.show(slot, entry, edits);
        }
    }

    /// Whether a statement about an embed has to wait until that arrives.
    fn waits_for(&mut self, entry: OpId, statement: OpId) -> bool {
        let waits = !self.version.contains(entry);
        if waits {
            self.rich_mut().waiting.or_insert_with(entry, Vec::new).push(statement);
        }
        waits
    }

    fn hide(&mut self, slot: LocalId, edits: Option<&mut Edits>) {
        let (_, gone) = self.sequence.integrate_delete(&self.log, slot, 1);
        self.tell_deleted(slot, gone, edits);
    }

    fn show(&mut self, slot: LocalId, entry: OpId, edits: Option<&mut Edits>) {
        self.sequence.show(&self.log, slot);
        if let Some(edits) = edits
            && let Some(at) = self.event_at(slot, self.position_of_edge(crate::marks::Edge::before(slot)))
        {
            let value = self.shown_value(entry).expect("it is an embed").clone();
            edits.embed(at, value, self.marks_of(slot));
        }
    }

    /// Of these elements, which were deleted, some may be slots: their entries are deleted.
    #[cold]
    pub(super) fn kill_among(&mut self, lowest: LocalId, len: Seq, mut edits: Option<&mut Edits>) {
        let OpId { replica, seq } = self.log.op_id(lowest);
        let Some(rich) = &self.rich else { return };
        let deleted = rich.values.range(OpId::new(replica, seq)..OpId::new(replica, seq + len));
        let entries = deleted.filter_map(|(&id, value)| match value {
            Value::Embed(_) => Some((id, id)),
            Value::Move { element, .. } => Some((id, *element)),
            _ => None,
        });
        for (slot, entry) in entries.collect::<Vec<_>>() {
            let entries = &mut self.rich_mut().entries;
            if let Some(moved) = entries.moved.get_mut(&entry) {
                moved.is_dead = true;
                let shows = moved.slot;
                self.hide(shows, edits.as_deref_mut());
            } else if slot != entry {
                entries.killed.insert(slot);
            }
        }
    }

    /// As [`Doc::kill_among`], of what the own operations from `from` on deleted.
    #[cold]
    pub(super) fn kill_deleted_since(&mut self, from: Seq) {
        let said = self.log.said(self.own, from, Seq::MAX);
        let deleted = said.filter_map(|said| match said {
            LogSaid::Delete { len, target, descending, .. } => {
                let below = if descending { len - 1 } else { 0 };
                Some((LocalId::new(target.replica, target.seq - below), len))
            }
            LogSaid::Insert { .. } => None,
        });
        for (lowest, len) in deleted.collect::<Vec<_>>() {
            self.kill_among(lowest, len, None);
        }
    }

    /// Takes up what an element of a snapshot says. What shows there is right already.
    pub(super) fn take_up_loaded(&mut self, id: OpId) {
        let value = self.rich.as_ref().and_then(|rich| rich.values.get(&id));
        let Some(&Value::Move { element, stamp }) = value else { return self.take_up(id, None) };
        let said = Said { stamp, id };
        let rich = self.rich_mut();
        rich.stamp = rich.stamp.max(stamp);
        rich.entries.has_slots = true;
        if self.waits_for(element, id) || self.entry_of(element) != Some(element) {
            return;
        }
        let (own, slot) = self.local(element).zip(self.local(id)).expect("both are integrated");
        let moved = self.rich_mut().entries.moved.or_insert_with(element, || Moved {
            slot: own,
            said: None,
            is_dead: false,
        });
        if moved.said < Some(said) {
            (moved.slot, moved.said) = (slot, Some(said));
        }
    }

    /// What of the entries of a snapshot its statements do not say: whether they were deleted.
    pub(super) fn settle_loaded_entries(&mut self) {
        let Some(rich) = &mut self.rich else { return };
        for (_, moved) in rich.entries.moved.iter_mut() {
            moved.is_dead = !self.sequence.is_visible(moved.slot);
        }
        let waits = |id: &OpId| matches!(rich.values.get(id), Some(Value::Move { .. }));
        let slots: SortedSet<OpId> = rich.waiting.values().flatten().copied().filter(waits).collect();
        if slots.is_empty() {
            return;
        }
        let log = self.warm_log();
        let mut killed = SortedSet::default();
        for (_, index) in log.by_id() {
            for said in log.said(index, 0, Seq::MAX) {
                if let LogSaid::Delete { len, target, descending, .. } = said {
                    let below = if descending { len - 1 } else { 0 };
                    let OpId { replica, seq } = log.op_id(LocalId::new(target.replica, target.seq - below));
                    killed
                        .extend(slots.range(OpId::new(replica, seq)..OpId::new(replica, seq + len)).copied());
                }
            }
        }
        drop(log);
        self.rich_mut().entries.killed = killed;
    }

    /// Whether every entry that was moved shows in one slot, or in none. O(values log *n*), and O(1) if none was.
    pub(super) fn entries_are_sound(&self) -> bool {
        let Some(rich) = self.rich.as_ref().filter(|_| self.has_slots()) else { return true };
        let is_right = |(entry, moved): (&OpId, &Moved)| {
            self.sequence.is_visible(moved.slot) != moved.is_dead
                && self.entry_of(self.log.op_id(moved.slot)) == Some(*entry)
        };
        let shows_in_one = |(id, value): (&OpId, &Value)| match (value, self.local(*id)) {
            (Value::Move { element, .. }, Some(slot)) => {
                self.slot_of(*element) == Some(slot) || !self.sequence.is_visible(slot)
            }
            (Value::Embed(_), Some(own)) => self.slot_of(*id) == Some(own) || !self.sequence.is_visible(own),
            _ => true,
        };
        rich.entries.moved.iter().all(is_right) && rich.values.iter().all(shows_in_one)
    }

    /// Moves an entry that shows to where it was put as `wanted`, its own element or a move of it, if it stands elsewhere.
    ///
    /// O(log *n*); for undoing.
    pub(super) fn restate_move(
        &mut self,
        entry: OpId,
        wanted: OpId,
        stamp: Stamp,
        edits: &mut Edits,
    ) -> Result<(), EditError> {
        let slot = self.slot_of(entry).filter(|&slot| self.sequence.is_visible(slot));
        if let (Some(wanted), Some(slot)) = (self.local(wanted), slot)
            && wanted != slot
        {
            let place = self.sequence.place_behind(&self.log, wanted);
            let placement = self.sequence.placement_at(place);
            self.say_at(placement, Value::Move { element: entry, stamp }, Some(edits))?;
        }
        Ok(())
    }

    /// Gives an embed the value of `wanted`, an embed or a replacement, if it shows as another.
    ///
    /// O(log *n*); for undoing.
    pub(super) fn restate_replacement(
        &mut self,
        entry: OpId,
        wanted: OpId,
        stamp: Stamp,
        edits: &mut Edits,
    ) -> Result<(), EditError> {
        let value = match self.rich.as_ref().and_then(|rich| rich.values.get(&wanted)) {
            Some(Value::Embed(value) | Value::Replace { value, .. }) => value.clone(),
            _ => return Ok(()),
        };
        if self.shown_value(entry) != Some(&value) {
            self.say_and_tell(Value::Replace { element: entry, value, stamp }, Some(edits))?;
        }
        Ok(())
    }
}
