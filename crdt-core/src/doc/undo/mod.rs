//! Undo and redo of what some replicas did, whatever others did since.
//!
//! A [`UndoManager`] watches the log: what the replicas of its group say from its making on goes onto a stack, grouped by
//! time. Undoing is ordinary editing, so that it reaches everybody like any edit:
//!
//! - what was inserted is deleted, as far as it is still there;
//! - what was deleted comes back, as new elements at the old place with the marks of the old ones, unless somebody outside
//!   the group deleted it too. Later undoing follows elements to what they came back as ([`Copies`]);
//! - of marks and registers, what would hold without the undone statements is said again where something else holds.
//!
//! Statements that are undone stay *out* until they are redone; those that undoing says are always out: they only say what
//! the others come to.

mod ranges;
mod revert;
#[cfg(test)]
mod tests;

use super::Doc;
use super::history::names_version;
use crate::anchor::Anchor;
use crate::error::EditError;
use crate::event::TextEdit;
use crate::ids::{OpId, ReplicaId, Seq, VersionVector};
use crate::sorted::{SortedMap, SortedSet};
use crate::value::{Said, Value};
use alloc::vec;
use alloc::vec::Vec;
use core::mem;
use core::ops::Range;
use ranges::Copies;
pub(super) use ranges::IdSet;
use revert::Revert;

/// What is undone together, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoOptions {
    /// Edits closer together than this, in milliseconds, are undone together; 0 keeps every recorded transaction
    /// apart.
    pub interval_ms: u64,
    /// Whose edits; if empty, those of the document's own replica.
    pub replicas: Vec<ReplicaId>,
}

impl Default for UndoOptions {
    /// Half a second, the own replica.
    fn default() -> Self {
        Self { interval_ms: 500, replicas: Vec::new() }
    }
}

/// A selection that survives edits: `anchor` stays where it began, `head` is where the caret blinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Where it began.
    pub anchor: Anchor,
    /// Where the caret is.
    pub head: Anchor,
}

/// What undoing or redoing did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// The edits, in sequence.
    pub edits: Vec<TextEdit>,
    /// The selection as it was before what was undone.
    pub selection: Option<Selection>,
}

/// The undo and redo stacks of one user of a document.
///
/// # Examples
/// ```
/// use crdt_core::{Doc, ReplicaId, UndoManager, UndoOptions};
///
/// let mut alice = Doc::new(ReplicaId::new(1));
/// let mut bob = Doc::new(ReplicaId::new(2));
/// let mut undo = UndoManager::new(&alice, UndoOptions::default());
///
/// alice.insert(0, "Hello world")?;
/// undo.record(&alice, 0);
/// bob.apply(&alice.delta_since(bob.version()))?;
/// bob.insert(5, " there,")?;
/// alice.delete(0..5)?;
/// undo.record(&alice, 10_000);
/// alice.apply(&bob.delta_since(alice.version()))?;
/// assert_eq!(alice.text(), " there, world");
///
/// undo.undo(&mut alice)?;
/// assert_eq!(alice.text(), "Hello there, world");
/// undo.undo(&mut alice)?;
/// assert_eq!(alice.text(), " there,");
/// undo.redo(&mut alice)?;
/// assert_eq!(alice.text(), "Hello there, world");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct UndoManager {
    interval_ms: u64,
    /// The group, and how many operations of each are recorded or never will be.
    group: Vec<(ReplicaId, Seq)>,
    undo: Vec<StackItem>,
    redo: Vec<StackItem>,
    /// When the newest item of `undo` was last added to, if it still may be.
    open_ms: Option<u64>,
    selection: Option<Selection>,
    /// How much of the others' operations was looked through.
    scanned: VersionVector,
    /// What they deleted since this was made.
    deleted_by_others: IdSet,
    copies: Copies,
    /// Statements that do not count.
    out: SortedSet<OpId>,
    /// Marks that undoing said again. At copies they are out, as all that undoing says; what is typed among them got its
    /// marks from these, so that there they count.
    said_again: SortedMap<OpId, SaidAgain>,
}

/// What a mark that undoing said stands for.
#[derive(Clone, Copy, Debug)]
struct SaidAgain {
    /// The statement that it stands and falls with.
    first: Option<OpId>,
    /// As when said it counts.
    rank: Said,
}

/// What is undone, or redone, in one step.
#[derive(Clone, Debug, Default)]
struct StackItem {
    /// Operations in the order in which they were recorded.
    operations: Vec<(ReplicaId, Range<Seq>)>,
    /// For what undoing itself did: the statements that it took out or let in again.
    statements: Option<Vec<OpId>>,
    /// The selection before.
    selection: Option<Selection>,
}

impl UndoManager {
    /// Makes empty stacks: what was said until now is never undone.
    pub fn new(doc: &Doc, options: UndoOptions) -> Self {
        let UndoOptions { interval_ms, mut replicas } = options;
        if replicas.is_empty() {
            replicas = vec![doc.replica()];
        }
        let version = doc.version();
        Self {
            interval_ms,
            group: replicas.into_iter().map(|replica| (replica, version.get(replica))).collect(),
            undo: Vec::new(),
            redo: Vec::new(),
            open_ms: None,
            selection: None,
            scanned: version.clone(),
            deleted_by_others: IdSet::default(),
            copies: Copies::default(),
            out: SortedSet::default(),
            said_again: SortedMap::new(),
        }
    }

    /// Puts onto the stack what the group has said since this was last called; clears what could be redone. To be called
    /// after each transaction.
    ///
    /// `now_ms` is any clock that does not run backwards. O(replicas of the group). Whether there was anything.
    pub fn record(&mut self, doc: &Doc, now_ms: u64) -> bool {
        let mut new = Vec::new();
        for (replica, recorded) in &mut self.group {
            let seen = doc.version().get(*replica);
            if seen > *recorded {
                // To name a version is no edit.
                if !doc.only_name_versions(*replica, *recorded, seen) {
                    new.push((*replica, *recorded..seen));
                }
                *recorded = seen;
            }
        }
        if new.is_empty() {
            return false;
        }
        self.redo.clear();
        let interval_ms = self.interval_ms;
        let goes_on = |last_ms: u64| now_ms.saturating_sub(last_ms) < interval_ms;
        match self.undo.last_mut() {
            Some(last) if self.open_ms.is_some_and(goes_on) => {
                for (replica, seqs) in new {
                    match last.operations.last_mut() {
                        Some((same, before)) if (*same, before.end) == (replica, seqs.start) => {
                            before.end = seqs.end;
                        }
                        _ => last.operations.push((replica, seqs)),
                    }
                }
            }
            _ => {
                let item = StackItem { operations: new, statements: None, selection: self.selection };
                self.undo.push(item);
            }
        }
        self.open_ms = Some(now_ms);
        true
    }

    /// Tells where the selection is now: what the next recorded edit started from.
    pub fn note_selection(&mut self, selection: Option<Selection>) {
        self.selection = selection;
    }

    /// Ends grouping: the next recorded edit starts an item of its own.
    pub fn stop(&mut self) {
        self.open_ms = None;
    }

    /// Whether there is anything to undo that was recorded.
    pub fn can_undo(&self) -> bool {
        !self.undo.is_empty()
    }

    /// Whether there is anything to redo.
    pub fn can_redo(&self) -> bool {
        !self.redo.is_empty()
    }

    /// Forgets both stacks.
    pub fn clear(&mut self) {
        self.undo.clear();
        self.redo.clear();
        self.stop();
    }

    /// Undoes the newest item; `None` if there is none.
    ///
    /// O(what it holds · log *n*); for each name of its marks also all marks of that name and all that has come back; for
    /// registers, moves and replacements all values once; the first time after others were busy also their operations since.
    ///
    /// # Errors
    /// [`EditError::Full`], when there might not be room for all operations that this takes. Nothing has changed then.
    pub fn undo(&mut self, doc: &mut Doc) -> Result<Option<Undone>, EditError> {
        let open_ms = self.open_ms.unwrap_or_default();
        self.record(doc, open_ms);
        self.stop();
        let Some(item) = self.undo.pop() else { return Ok(None) };
        match self.revert(doc, &item) {
            Ok((done, opposite)) => {
                self.redo.push(opposite);
                Ok(Some(done))
            }
            Err(error) => {
                self.undo.push(item);
                Err(error)
            }
        }
    }

    /// Does again what was undone last; `None` if there is nothing, or something was edited since.
    ///
    /// # Errors
    /// As [`UndoManager::undo`].
    pub fn redo(&mut self, doc: &mut Doc) -> Result<Option<Undone>, EditError> {
        let open_ms = self.open_ms.unwrap_or_default();
        self.record(doc, open_ms);
        self.stop();
        let Some(item) = self.redo.pop() else { return Ok(None) };
        match self.revert(doc, &item) {
            Ok((done, opposite)) => {
                self.undo.push(opposite);
                Ok(Some(done))
            }
            Err(error) => {
                self.redo.push(item);
                Err(error)
            }
        }
    }

    /// Reverts an item, or nothing of it. Gives what was done and what would revert that.
    fn revert(&mut self, doc: &mut Doc, item: &StackItem) -> Result<(Undone, StackItem), EditError> {
        self.scan_others(doc);
        let statements = item.statements.clone().unwrap_or_else(|| self.statements_of(doc, item));
        doc.check_own_room(self.most_operations(doc, item, statements.len()))?;
        let from = doc.own_seq();
        let mut revert = Revert::new(doc, self);
        revert.run(item, &statements)?;
        let edits = revert.into_edits();
        let replica = doc.replica();
        let to = doc.own_seq();
        for (member, recorded) in &mut self.group {
            if *member == replica {
                *recorded = to;
            }
        }
        let selection = item.selection.map(|Selection { anchor, head }| Selection {
            anchor: self.followed(anchor),
            head: self.followed(head),
        });
        let selection_now = mem::replace(&mut self.selection, selection);
        let opposite = StackItem {
            operations: vec![(replica, from..to)],
            statements: Some(statements),
            selection: selection_now,
        };
        Ok((Undone { edits, selection }, opposite))
    }

    /// The statements among the operations of an item that undoing did not say itself, newest first.
    fn statements_of(&self, doc: &Doc, item: &StackItem) -> Vec<OpId> {
        let Some(rich) = &doc.rich else { return Vec::new() };
        let mut found = Vec::new();
        for (replica, seqs) in item.operations.iter().rev() {
            let ids = OpId::new(*replica, seqs.start)..OpId::new(*replica, seqs.end);
            let values = rich.values.range(ids).rev();
            let undone = |value: &Value| value.is_statement() && !names_version(value);
            found.extend(values.filter(|(_, value)| undone(value)).map(|(&id, _)| id));
        }
        found.retain(|id| !self.out.contains(id));
        found
    }

    /// At least as many operations as reverting an item takes.
    fn most_operations(&self, doc: &Doc, item: &StackItem, statements: usize) -> usize {
        let operations: usize = item.operations.iter().map(|(_, seqs)| seqs.len()).sum();
        let Some(rich) = &doc.rich else { return operations };
        // What comes back says a name again only where marks end behind it; even if it goes and comes in one step.
        let again = operations.min(2 * rich.marks.behind_count());
        let copies = self.copies.iter().count().saturating_add(operations);
        let of_name = |marks: usize| {
            // Of undone marks, a name is said again between any two edges at most: those of what holds, of what should, of what
            // would around copies, of copies and of the undone ones.
            let edges = (marks + again).saturating_mul(6).saturating_add(copies.saturating_mul(5));
            if statements == 0 {
                again
            } else {
                again.saturating_add(edges).saturating_add(2 * statements + 3)
            }
        };
        rich.marks.counts().map(of_name).fold(operations.saturating_add(statements), usize::saturating_add)
    }

    /// What a mark stands for: itself, unless undoing said it.
    fn as_said(&self, said: Said) -> SaidAgain {
        self.said_again.get(&said.id).copied().unwrap_or(SaidAgain { first: Some(said.id), rank: said })
    }

    /// As when said a mark counts, if it does.
    fn rank(&self, said: Said) -> Option<Said> {
        let SaidAgain { first, rank } = self.as_said(said);
        let is_out = first.is_some_and(|first| self.out.contains(&first));
        (!is_out).then_some(rank)
    }

    /// As [`UndoManager::rank`], at copies: there holds what would hold at their elements.
    fn rank_at_copies(&self, said: Said) -> Option<Said> {
        (!self.out.contains(&said.id)).then_some(said)
    }

    /// An anchor beside what its element has come back as.
    fn followed(&self, anchor: Anchor) -> Anchor {
        Anchor { element: anchor.element.map(|element| self.copies.follow(element, 1).0), ..anchor }
    }
}
