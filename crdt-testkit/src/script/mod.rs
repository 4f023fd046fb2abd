//! Scenario scripts: what replicas do, one line a step.
//!
//! The format is described in `scripts/README.md`; other languages read the same files. A script
//! prints as the text it can be read from, so that a random history that fails can be kept.

mod parse;
mod print;

use crate::edit::{Edit, PlacedEdit};
use crate::twin::Turn;
use crdt_core::{Expand, Json, Marks, ReplicaId, Side, TextRun};

/// Replicas are named by capital letters, so there are at most so many in one script.
pub const MAX_REPLICAS: usize = 26;

/// A whole script.
#[derive(Clone, PartialEq, Eq)]
pub struct Script {
    /// The replica ids; replica A is the first.
    pub replicas: Vec<ReplicaId>,
    /// The steps, each with the number of the line it came from.
    pub steps: Vec<(usize, Step)>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// One replica makes edits as one transaction.
    Edit {
        /// Which replica.
        replica: usize,
        /// What.
        edits: Vec<Edit>,
    },
    /// One replica makes edits of named sequences, and perhaps of the main text, as one transaction.
    EditPlaced {
        /// Which replica.
        replica: usize,
        /// What.
        edits: Vec<PlacedEdit>,
    },
    /// One replica undoes or redoes a transaction of its own.
    Turn {
        /// Which replica.
        replica: usize,
        /// Which way.
        turn: Turn,
    },
    /// One replica receives everything that another has and it lacks.
    Sync {
        /// Who has it.
        from: usize,
        /// Who receives it.
        to: usize,
    },
    /// Everybody receives everything.
    SyncAll,
    /// One replica receives only the delta of another's newest transaction.
    Last {
        /// Whose transaction.
        from: usize,
        /// Who receives it.
        to: usize,
    },
    /// From now on a mark grows so when it is set, at one replica or at all.
    Expand {
        /// Which replica; `None` for all.
        replica: Option<usize>,
        /// The mark's name.
        name: String,
        /// Where it grows.
        expand: Expand,
    },
    /// A replica keeps an anchor beside an element, as a caret.
    Anchor {
        /// Which replica.
        replica: usize,
        /// A name for it.
        name: String,
        /// In scalar values.
        position: usize,
        /// Beside the element behind the position (`Before`) or in front of it (`After`).
        side: Side,
    },
    /// The text must be this one, at one replica or at all.
    Expect {
        /// Which replica; `None` for all.
        replica: Option<usize>,
        /// The text.
        text: String,
    },
    /// Text, embeds and marks must be these, at one replica or at all.
    ExpectRuns {
        /// Which replica; `None` for all.
        replica: Option<usize>,
        /// The runs, each as long as it can be.
        runs: Vec<TextRun>,
    },
    /// Registers must hold these values, at one replica or at all.
    ExpectRegisters {
        /// Which replica; `None` for all.
        replica: Option<usize>,
        /// Values by name.
        registers: Marks,
    },
    /// A named text must be this one, at one replica or at all.
    ExpectText {
        /// Which replica; `None` for all.
        replica: Option<usize>,
        /// The text's name.
        name: String,
        /// The text.
        text: String,
    },
    /// A list must hold these entries, at one replica or at all.
    ExpectList {
        /// Which replica; `None` for all.
        replica: Option<usize>,
        /// The list's name.
        name: String,
        /// The entries.
        values: Vec<Json>,
    },
    /// So many operations must be waiting.
    ExpectPending {
        /// Which replica.
        replica: usize,
        /// How many.
        count: usize,
    },
    /// An anchor must stand here.
    ExpectAnchor {
        /// Which replica resolves it.
        replica: usize,
        /// The anchor's name.
        name: String,
        /// In scalar values.
        position: usize,
    },
}

impl Script {
    /// An empty script for so many replicas with the ids 1, 2, 3 and so on.
    pub fn new(replicas: usize) -> Self {
        let replicas = (1..=replicas as u64).map(ReplicaId::new).collect();
        Self { replicas, steps: Vec::new() }
    }

    /// Whether there are named texts or lists in it.
    pub fn has_sequences(&self) -> bool {
        self.steps.iter().any(|(_, step)| {
            matches!(step, Step::EditPlaced { .. } | Step::ExpectText { .. } | Step::ExpectList { .. })
        })
    }

    /// Adds a step on a line of its own.
    pub fn push(&mut self, step: Step) {
        self.steps.push((self.steps.len() + 1, step));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_prints_as_the_text_it_is_read_from() {
        let text = "A is 0000000000000001\nB is ffffffffffffffff\nA: insert 0 \"x\\n😀\"; delete 0 1\n\
                    A>B: sync\nA>B: last\n*: sync\nA: anchor caret 1 before\n\
                    A = \"😀\"\n* = \"😀\"\nB pending 0\nB@caret = 1\n\
                    A: insert 0 \"x\" with {}; mark 0 1 comment:1 {\"id\":\"1;2\"}; unmark 0 1 bold\n\
                    A: embed 0 {\"image\":\"u\"}; embed 0 null with {\"bold\":true}\n\
                    *: expand bold none\nB: expand note both\n\
                    A runs embed null{\"bold\":true} embed {\"image\":\"u\"} \"x\"{\"a\":[1],\"b\":\"{\"} \"y\"\n\
                    * runs\nA: set title {\"de\":1}; unset title\nA registers {\"title\":\"x\"}\n* registers {}\nA: undo\nA: redo\n\
                    A: list todo insert 0 {\"a\":1}; list todo move 0 2; insert 3 \"main\"; text notes delete 0 2\n\
                    B: list todo replace 1 null; list todo delete 0 3\n\
                    * list todo [{\"a\":1},\"b\"]\nA list todo []\nB text notes \"x\"\n";
        let script = Script::parse(text).unwrap();
        assert_eq!(script.to_string(), text);
    }

    #[test]
    fn keys_are_transactions_of_their_own() {
        let script = Script::parse("A: type 3 \"ab\"\nA: type-backwards 0 \"cd\"\nA: backspace 2 2").unwrap();
        let printed: Vec<_> = script.steps.iter().map(|(_, step)| step.to_string()).collect();
        assert_eq!(
            printed,
            [
                "A: insert 3 \"a\"",
                "A: insert 4 \"b\"",
                "A: insert 0 \"d\"",
                "A: insert 0 \"c\"",
                "A: delete 1 1",
                "A: delete 0 1"
            ]
        );
    }

    #[test]
    fn a_line_that_is_not_understood_is_named() {
        for line in [
            "A insert 0",
            "a: insert 0 \"\"",
            "A: insert \"x\"",
            "A: delete 0",
            "*: last",
            "A = x",
            "A: mark 0 1 bold",
            "A: mark 0 1 bold no",
            "A: unmark 0 1 bold true",
            "A runs bold",
            "A runs \"x\"[]",
            "A: expand bold up",
            "A: list todo insert \"x\"",
            "A: list todo mark 0 1 bold true",
            "A: text notes set title 1",
            "A list todo {}",
        ] {
            let failure = Script::parse(&format!("# fine\n{line}")).unwrap_err();
            assert!(failure.to_string().starts_with("line 2"), "{failure}");
        }
    }
}
