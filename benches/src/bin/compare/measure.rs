//! Runs contenders in turns and keeps the medians.

use std::time::{Duration, Instant};

/// How much to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Runs of each contender after the warm-up.
    pub(crate) runs: usize,
    /// A contender whose runs would take longer together gets fewer.
    pub(crate) per_contender: Duration,
    /// A run that takes longer is given up, where the work comes in steps.
    pub(crate) per_run: Duration,
}

impl Plan {
    /// Nine runs; three when it has to be quick.
    pub(crate) fn new(quick: bool) -> Self {
        let (runs, per_contender, per_run) = if quick { (3, 3, 8) } else { (9, 12, 20) };
        Self {
            runs,
            per_contender: Duration::from_secs(per_contender),
            per_run: Duration::from_secs(per_run),
        }
    }

    /// The same with one run and no warm-up: for what comes out the same each time.
    pub(crate) fn once(self) -> Self {
        Self { runs: 0, ..self }
    }
}

/// Whose runs are shorter warms up for so long at the start of each turn.
const WARM_UP: Duration = Duration::from_millis(25);

/// When the run in progress is given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit(Instant, Duration);

impl Limit {
    pub(crate) fn from_now(allowed: Duration) -> Self {
        Self(Instant::now() + allowed, allowed)
    }

    /// As much time again, from now on: for a run that had to prepare something first.
    pub(crate) fn anew(self) -> Self {
        Self::from_now(self.1)
    }

    /// To be asked at every step; looks at the clock at every 256th.
    pub(crate) fn check(self, step: usize) -> Result<(), Missing> {
        if step.is_multiple_of(256) && Instant::now() > self.0 {
            return Err(Missing(format!("did not finish within {} s", self.1.as_secs())));
        }
        Ok(())
    }
}

/// Why there is no value.
#[derive(Clone, Debug)]
pub(crate) struct Missing(pub(crate) String);

/// Which side a contender is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Ours,
    /// Ours in a second way, which has no bar of its own in the row.
    OursToo,
    Peer,
    /// No CRDT: the text alone.
    Floor,
}

/// A run sets up, does the work, checks what came of it, and gives the measured value.
type Run<'a> = Box<dyn FnMut(Limit) -> Result<f64, Missing> + 'a>;

/// One of those that do the same work.
pub(crate) struct Contender<'a> {
    name: String,
    role: Role,
    run: Run<'a>,
}

impl<'a> Contender<'a> {
    pub(crate) fn new(
        name: impl Into<String>,
        role: Role,
        run: impl FnMut(Limit) -> Result<f64, Missing> + 'a,
    ) -> Self {
        Self { name: name.into(), role, run: Box::new(run) }
    }

    /// One run.
    pub(crate) fn run(&mut self, limit: Limit) -> Result<f64, Missing> {
        (self.run)(limit)
    }

    /// One that cannot do this work, and why.
    pub(crate) fn without(name: impl Into<String>, role: Role, reason: &str) -> Self {
        let reason = Missing(reason.to_owned());
        Self::new(name, role, move |_| Err(reason.clone()))
    }
}

/// What came out for one contender.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The median.
    pub(crate) value: Result<f64, Missing>,
    /// How many runs it is the median of.
    pub(crate) runs: usize,
}

/// Warms every contender up once, then lets them take turns. Who is quick warms up again in each turn: else it would pay for
/// what the one before it, which may have run for seconds, left in caches and in the allocator.
pub(crate) fn measure(mut contenders: Vec<Contender<'_>>, plan: Plan) -> Vec<Outcome> {
    let mut values: Vec<Result<Vec<f64>, Missing>> = Vec::with_capacity(contenders.len());
    let mut left = Vec::with_capacity(contenders.len());
    let mut quick = Vec::with_capacity(contenders.len());
    for contender in &mut contenders {
        let start = Instant::now();
        let first = contender.run(Limit::from_now(plan.per_run));
        let took = start.elapsed();
        let affordable = plan.per_contender.as_secs_f64() / took.as_secs_f64().max(1e-9);
        let runs = (1..=plan.runs).rev().find(|&runs| runs as f64 <= affordable).unwrap_or(0);
        left.push(if first.is_ok() { runs } else { 0 });
        quick.push(took <= WARM_UP);
        // The warm-up counts only for those that get no other run.
        values.push(first.map(|value| if runs == 0 { vec![value] } else { Vec::new() }));
    }
    for round in 0..plan.runs {
        for (index, contender) in contenders.iter_mut().enumerate() {
            if round >= left[index] {
                continue;
            }
            let turn = Instant::now();
            while quick[index]
                && turn.elapsed() < WARM_UP
                && contender.run(Limit::from_now(plan.per_run)).is_ok()
            {}
            match (contender.run(Limit::from_now(plan.per_run)), &mut values[index]) {
                (Ok(value), Ok(values)) => values.push(value),
                (Err(missing), values) => *values = Err(missing),
                (Ok(_), Err(_)) => {}
            }
        }
    }
    contenders
        .into_iter()
        .zip(values)
        .map(|(contender, values)| Outcome {
            name: contender.name,
            role: contender.role,
            runs: values.as_ref().map_or(0, Vec::len),
            value: values.map(median),
        })
        .collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}

/// Milliseconds that `work` takes, and what it gives. What it gives is dropped by the caller, after the clock has stopped.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let done = work();
    (done, start.elapsed().as_secs_f64() * 1e3)
}
