//! What was measured, judged by its bar: as Markdown for people, as JSON for programs.

use crate::measure::{Missing, Outcome, Role};
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// What a value counts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    Milliseconds,
    Nanoseconds,
    Bytes,
    /// A quotient of two values of one contender.
    Ratio,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Nanoseconds => "ns an operation",
            Self::Bytes => "bytes",
            Self::Ratio => "a ratio",
        }
    }

    /// Whether it comes out the same every time.
    pub(crate) fn is_exact(self) -> bool {
        matches!(self, Self::Bytes)
    }

    fn show(self, value: f64) -> String {
        match self {
            Self::Bytes if value >= 1000.0 => thousands(value),
            Self::Milliseconds | Self::Nanoseconds | Self::Bytes | Self::Ratio => significant(value),
        }
    }
}

/// What has to hold, at the most.
#[derive(Clone, Debug)]
pub(crate) enum Bar {
    /// Ours to the fastest of those whose names start so.
    Against(&'static str, f64),
    /// Ours to the best peer.
    BestPeer(f64),
    /// Ours itself.
    Value(f64),
    /// Ours to something measured elsewhere.
    Times { what: &'static str, base: Option<f64>, at_most: f64 },
    /// Nothing has to.
    Shown,
}

/// One row of a table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) work: &'static str,
    pub(crate) trace: String,
    pub(crate) unit: Unit,
    pub(crate) bar: Bar,
    pub(crate) outcomes: Vec<Outcome>,
}

impl Row {
    fn best(&self, accepted: impl Fn(&Outcome) -> bool) -> Option<f64> {
        self.outcomes
            .iter()
            .filter(|outcome| accepted(outcome))
            .filter_map(|outcome| outcome.value.as_ref().ok().copied())
            .min_by(f64::total_cmp)
    }

    /// What we measured for ourselves.
    pub(crate) fn ours(&self) -> Option<f64> {
        self.best(|outcome| outcome.role == Role::Ours)
    }

    fn to_best_peer(&self) -> Option<f64> {
        Some(self.ours()? / self.best(|outcome| outcome.role == Role::Peer)?)
    }

    /// jumprope's buffered rope is the floor; where it is not measured, whatever is.
    fn to_floor(&self) -> Option<f64> {
        let floor = self
            .best(|outcome| outcome.role == Role::Floor && outcome.name == "jumprope-buf")
            .or_else(|| self.best(|outcome| outcome.role == Role::Floor))?;
        Some(self.ours()? / floor)
    }

    /// What the bar is about, as measured, and the most that it may be.
    fn judged(&self) -> Option<(f64, f64)> {
        match self.bar {
            Bar::Against(name, at_most) => {
                Some((self.ours()? / self.best(|outcome| outcome.name.starts_with(name))?, at_most))
            }
            Bar::BestPeer(at_most) => Some((self.to_best_peer()?, at_most)),
            Bar::Value(at_most) => Some((self.ours()?, at_most)),
            Bar::Times { base, at_most, .. } => Some((self.ours()? / base?, at_most)),
            Bar::Shown => None,
        }
    }

    fn bar(&self) -> String {
        match self.bar {
            Bar::Against(name, at_most) => format!("÷ {name} ≤ {at_most}"),
            Bar::BestPeer(at_most) => format!("÷ best peer ≤ {at_most}"),
            Bar::Value(at_most) => format!("≤ {}", self.unit.show(at_most)),
            Bar::Times { what, at_most, .. } => format!("÷ {what} ≤ {at_most}"),
            Bar::Shown => String::from("shown"),
        }
    }

    fn verdict(&self) -> String {
        match self.judged() {
            _ if matches!(self.bar, Bar::Shown) => String::new(),
            None => String::from("not measured"),
            Some((measured, at_most)) => {
                let measured_as = match self.bar {
                    Bar::Value(_) => self.unit.show(measured),
                    _ => significant(measured),
                };
                format!("{}: {measured_as}", if measured <= at_most { "met" } else { "**missed**" })
            }
        }
    }

    fn json(&self) -> Value {
        let values = |role| {
            let of_role = self.outcomes.iter().filter(|outcome| outcome.role == role);
            let pair = |outcome: &Outcome| {
                let value = match &outcome.value {
                    Ok(value) => json!(value),
                    Err(_) => Value::Null,
                };
                (outcome.name.clone(), value)
            };
            Value::Object(of_role.map(pair).collect::<Map<_, _>>())
        };
        json!({
            "work": self.work,
            "trace": self.trace,
            "unit": self.unit.name(),
            "ours": self.ours(),
            "peers": values(Role::Peer),
            "ours_too": values(Role::OursToo),
            "floors": values(Role::Floor),
            "ratio_best": self.to_best_peer(),
            "ratio_floor": self.to_floor(),
            "bar": self.bar(),
            "judged": self.judged().map(|(measured, _)| measured),
            "met": self.judged().map(|(measured, at_most)| measured <= at_most),
        })
    }
}

/// The JSON of all rows.
pub(crate) fn json(rows: &[Row]) -> String {
    let rows: Vec<Value> = rows.iter().map(Row::json).collect();
    serde_json::to_string_pretty(&rows).expect("plain values encode")
}

/// The table of one row of work: a line for each trace or shape. `runs`: how many make a full median.
pub(crate) fn table(rows: &[Row], runs: usize, notes: &[String]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let mut names: Vec<(&str, Role)> = Vec::new();
    for outcome in rows.iter().flat_map(|row| &row.outcomes) {
        if !names.iter().any(|(name, _)| *name == outcome.name) {
            names.push((&outcome.name, outcome.role));
        }
    }
    names.sort_by_key(|(_, role)| match role {
        Role::Ours => 0,
        Role::OursToo => 1,
        Role::Floor => 2,
        Role::Peer => 3,
    });
    let mut out = format!("### {}\n\nIn {}.\n\n|  |", first.work, first.unit.name());
    for (name, _) in &names {
        write!(out, " {name} |").expect("memory takes it");
    }
    out.push_str(" bar | | ours / floor | ours / best peer |\n|---|");
    out.push_str(&"---:|".repeat(names.len()));
    out.push_str("---|---|---:|---:|\n");
    let mut missing: Vec<String> = Vec::new();
    for row in rows {
        write!(out, "| {} |", row.trace).expect("memory takes it");
        for (name, _) in &names {
            let outcome = row.outcomes.iter().find(|outcome| outcome.name == *name);
            let cell = match outcome.map(|outcome| (&outcome.value, outcome.runs)) {
                Some((Ok(value), made)) if made < runs => {
                    let times = if made == 1 { "1 run".to_owned() } else { format!("{made} runs") };
                    format!("{} ({times})", row.unit.show(*value))
                }
                Some((Ok(value), _)) => row.unit.show(*value),
                Some((Err(Missing(reason)), _)) => {
                    let line = format!("{name}, {}: {reason}", row.trace);
                    missing.push(line);
                    String::from("–")
                }
                None => String::new(),
            };
            write!(out, " {cell} |").expect("memory takes it");
        }
        let ratio = |ratio: Option<f64>| ratio.map_or(String::new(), significant);
        let (bar, verdict) = (row.bar(), row.verdict());
        let (floor, best) = (ratio(row.to_floor()), ratio(row.to_best_peer()));
        writeln!(out, " {bar} | {verdict} | {floor} | {best} |").expect("memory takes it");
    }
    out.push('\n');
    for line in notes.iter().chain(&missing) {
        writeln!(out, "- {line}").expect("memory takes it");
    }
    if !notes.is_empty() || !missing.is_empty() {
        out.push('\n');
    }
    out
}

/// Three significant digits, and no fewer than all before the point.
fn significant(value: f64) -> String {
    if value == 0.0 {
        return String::from("0");
    }
    let digits_before = value.abs().log10().floor() + 1.0;
    let decimals = (0..=6).rev().find(|&decimals| f64::from(decimals) <= 3.0 - digits_before).unwrap_or(0);
    if value >= 1000.0 {
        thousands(value)
    } else {
        format!("{value:.decimals$}", decimals = decimals as usize)
    }
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 && digit != '-' {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
