//! Reads traces: unpacks, tells the format by its content, and checks what the bytes claim.

use super::{ConcurrentTrace, ConcurrentTransaction, Patch, SequentialTrace, Trace};
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::error::Error;
use std::fmt;
use std::io::Read;

/// The first bytes of anything gzipped.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The largest trace that is unpacked: far beyond any real one, short of filling the memory.
const MAX_TRACE_BYTES: u64 = 1 << 30;

/// Why a trace could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceError {
    /// It could not be unpacked.
    Gzip(String),
    /// It is not JSON of one of the two formats.
    Json(String),
    /// A transaction, given by its index, refers to what cannot be.
    Transaction {
        /// Its index.
        index: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gzip(problem) => write!(f, "the trace does not unpack: {problem}"),
            Self::Json(problem) => write!(f, "the trace is of neither format: {problem}"),
            Self::Transaction { index, problem } => write!(f, "transaction {index}: {problem}"),
        }
    }
}

impl Error for TraceError {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawTrace {
    kind: Option<String>,
    start_content: Option<String>,
    end_content: String,
    num_agents: Option<usize>,
    txns: Vec<RawTransaction>,
}

#[derive(Deserialize)]
struct RawTransaction {
    parents: Option<Vec<usize>>,
    agent: Option<usize>,
    patches: Vec<(usize, usize, String)>,
    #[serde(rename = "_dtSpan")]
    diamond_types_span: Option<IgnoredAny>,
}

/// Reads a trace of either format, gzipped or not.
///
/// # Errors
/// When it is of another format, or refers to transactions or agents that are not there.
pub fn read_trace(bytes: &[u8]) -> Result<Trace, TraceError> {
    let mut unpacked = Vec::new();
    let json = if bytes.starts_with(&GZIP_MAGIC) {
        MultiGzDecoder::new(bytes)
            .take(MAX_TRACE_BYTES)
            .read_to_end(&mut unpacked)
            .map_err(|error| TraceError::Gzip(error.to_string()))?;
        &unpacked
    } else {
        bytes
    };
    let raw: RawTrace = serde_json::from_slice(json).map_err(|error| TraceError::Json(error.to_string()))?;
    match raw.kind.as_deref() {
        Some("concurrent") => concurrent(raw),
        None | Some("sequential") => Ok(sequential(raw)),
        Some(other) => Err(TraceError::Json(format!("kind {other:?} is not known"))),
    }
}

fn patches(raw: Vec<(usize, usize, String)>) -> Vec<Patch> {
    raw.into_iter().map(|(position, delete_len, text)| Patch { position, delete_len, text }).collect()
}

fn sequential(raw: RawTrace) -> Trace {
    Trace::Sequential(SequentialTrace {
        start_content: raw.start_content.unwrap_or_default(),
        end_content: raw.end_content,
        transactions: raw.txns.into_iter().map(|transaction| patches(transaction.patches)).collect(),
    })
}

fn concurrent(raw: RawTrace) -> Result<Trace, TraceError> {
    let agents = raw.num_agents.ok_or_else(|| TraceError::Json("numAgents is missing".to_owned()))?;
    let agents_in_tie_order = raw.txns.iter().all(|transaction| transaction.diamond_types_span.is_none());
    let mut transactions = Vec::with_capacity(raw.txns.len());
    for (index, transaction) in raw.txns.into_iter().enumerate() {
        let wrong = |problem| TraceError::Transaction { index, problem };
        let parents = transaction.parents.ok_or_else(|| wrong("parents are missing"))?;
        let agent = transaction.agent.ok_or_else(|| wrong("agent is missing"))?;
        if parents.iter().any(|&parent| parent >= index) {
            return Err(wrong("a parent does not stand before it"));
        }
        if agent >= agents {
            return Err(wrong("its agent is not below numAgents"));
        }
        let patches = patches(transaction.patches);
        transactions.push(ConcurrentTransaction { parents, agent, patches });
    }
    Ok(Trace::Concurrent(ConcurrentTrace {
        end_content: raw.end_content,
        agents,
        transactions,
        agents_in_tie_order,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    const SEQUENTIAL: &str =
        r#"{"startContent":"a","endContent":"ab","txns":[{"time":"x","patches":[[1,0,"b"]]}]}"#;
    const CONCURRENT: &str = r#"{"kind":"concurrent","endContent":"ab","numAgents":2,"txns":[
        {"parents":[],"agent":0,"patches":[[0,0,"a"]]},
        {"parents":[0],"agent":1,"patches":[[1,0,"b"]]},
        {"parents":[0],"agent":1,"patches":[[1,0,"c"]]},
        {"parents":[1,2],"agent":1,"patches":[[0,2,""]]}]}"#;

    #[test]
    fn the_format_is_told_by_the_content_gzipped_or_not() {
        for json in [SEQUENTIAL, CONCURRENT] {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(json.as_bytes()).unwrap();
            let plain = read_trace(json.as_bytes()).unwrap();
            assert_eq!(read_trace(&gzip.finish().unwrap()).unwrap(), plain);
            assert_eq!(matches!(plain, Trace::Concurrent(_)), json == CONCURRENT);
        }
    }

    #[test]
    fn an_agent_on_two_branches_becomes_two_replicas() {
        let Trace::Concurrent(trace) = read_trace(CONCURRENT.as_bytes()).unwrap() else { panic!() };
        let replicas = trace.replicas();
        assert_eq!(replicas.agents, [0, 1, 1]);
        assert_eq!(replicas.of_transaction, [0, 1, 2, 1]);
        assert_eq!(replicas.position, [0, 0, 0, 1]);
        assert_eq!(replicas.seen[3], [1, 1, 1]);
    }

    #[test]
    fn a_trace_that_refers_to_nothing_is_refused() {
        let wrong = CONCURRENT.replace("[1,2]", "[1,3]");
        let error = read_trace(wrong.as_bytes()).unwrap_err();
        assert_eq!(error, TraceError::Transaction { index: 3, problem: "a parent does not stand before it" });
        assert!(matches!(read_trace(b"{}"), Err(TraceError::Json(_))));
        assert!(matches!(read_trace(&[0x1f, 0x8b, 0]), Err(TraceError::Gzip(_))));
    }
}
