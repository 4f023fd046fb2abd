//! The rows of work.

mod concurrent;
mod deltas;
mod formats;
mod local;
mod made;
mod memory;
mod siblings;
mod snapshots;

use crate::history::{History, Shared};
use crate::measure::{Contender, Plan, measure};
use crate::report::{Bar, Row, Unit, table};

/// What the rows work on, and where they put what came out.
pub(crate) struct Bench {
    pub(crate) plan: Plan,
    /// Only rows whose names contain this.
    pub(crate) only: String,
    pub(crate) sequential: Vec<(String, History)>,
    pub(crate) concurrent: Vec<(String, Shared)>,
    pub(crate) rows: Vec<Row>,
    /// How many rows the table holds already.
    printed: usize,
    notes: Vec<String>,
}

/// The trace that the bars are about unless they say otherwise.
pub(crate) const MAIN_TRACE: &str = "automerge-paper";

impl Bench {
    pub(crate) fn new(
        plan: Plan,
        only: String,
        sequential: Vec<(String, History)>,
        concurrent: Vec<(String, Shared)>,
    ) -> Self {
        let (rows, notes) = (Vec::new(), Vec::new());
        Self { plan, only, sequential, concurrent, rows, printed: 0, notes }
    }

    /// Whether this row of work was asked for.
    fn wants(&self, work: &str) -> bool {
        work.to_lowercase().contains(&self.only.to_lowercase())
    }

    /// Measures one row. `runs`: otherwise than planned.
    fn row(
        &mut self,
        work: &'static str,
        trace: &str,
        unit: Unit,
        bar: Bar,
        plan: Plan,
        contenders: Vec<Contender<'_>>,
    ) {
        self.rows.push(measured(work, trace, unit, bar, plan, contenders));
    }

    fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Prints the table of what was measured since the last one.
    fn end_table(&mut self, plan: Plan) {
        print!("{}", table(&self.rows[self.printed..], plan.runs, &self.notes));
        self.printed = self.rows.len();
        self.notes.clear();
    }
}

/// One row, measured.
fn measured(
    work: &'static str,
    trace: &str,
    unit: Unit,
    bar: Bar,
    plan: Plan,
    contenders: Vec<Contender<'_>>,
) -> Row {
    eprintln!("{work}: {trace} …");
    let outcomes = measure(contenders, plan);
    Row { work, trace: trace.to_owned(), unit, bar, outcomes }
}

/// Everything.
pub(crate) fn run(bench: &mut Bench) {
    local::run(bench);
    deltas::run(bench);
    concurrent::run(bench);
    formats::run(bench);
    snapshots::run(bench);
    memory::run(bench);
    made::run(bench);
    siblings::run(bench);
}
