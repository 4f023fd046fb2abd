//! What contenders can do, in one form for all. Calls are static: nobody pays for the form.

use crate::history::{Deltas, Edit};
use crate::measure::{Limit, Missing, Role};

/// A text that can be edited, CRDT or not.
pub(crate) trait Text: Sized + 'static {
    const NAME: &'static str;
    const ROLE: Role = Role::Peer;

    /// An empty text; those that are replicated take the number as their replica, 1 or more.
    fn new(replica: u32) -> Self;

    fn edit(&mut self, edit: Edit);

    fn text(&mut self) -> String;

    /// Makes many edits; for those that have something faster for many than for one.
    fn edit_all(&mut self, edits: &[Edit], behind: (u32, u32), limit: Limit) -> Result<(), Missing> {
        for (step, edit) in edits.iter().enumerate() {
            limit.check(step)?;
            self.edit(edit.behind(behind.0, behind.1));
        }
        Ok(())
    }
}

/// A replicated text.
pub(crate) trait Crdt: Text {
    /// Makes edits that leave as one delta, appended to `out`.
    fn edit_encoded(&mut self, edits: &[Edit], out: &mut Vec<u8>);

    /// Applies what `edit_encoded` gave elsewhere.
    fn apply(&mut self, delta: &[u8]);

    /// Applies many, the text readable at the end.
    fn apply_all(&mut self, deltas: &Deltas, limit: Limit) -> Result<(), Missing> {
        for (step, delta) in deltas.iter().enumerate() {
            limit.check(step)?;
            self.apply(delta);
        }
        Ok(())
    }

    /// Everything that was ever said, for one who knows nothing yet; `None` where there is no such thing.
    fn history(&mut self) -> Option<Vec<u8>>;

    /// Opens `history`.
    fn from_history(replica: u32, bytes: &[u8]) -> Self;

    /// Everything in the form that opens fastest.
    fn snapshot(&mut self) -> Vec<u8>;

    /// Everything as it writes that if nothing else is asked for.
    fn stored(&mut self) -> Vec<u8> {
        self.snapshot()
    }

    /// Opens `snapshot` or `stored`.
    fn from_snapshot(replica: u32, bytes: &[u8]) -> Self;
}

/// Stops everything if a contender has computed something else: then its time means nothing.
pub(crate) fn expect_text(name: &str, text: &str, expected: &str) {
    if text == expected {
        return;
    }
    let at = text.bytes().zip(expected.bytes()).take_while(|(one, other)| one == other).count();
    panic!(
        "{name}: {} bytes where {} are expected; they differ from byte {at} on",
        text.len(),
        expected.len()
    );
}
