//! Prints what a file holds: a delta, a snapshot or a log.
//!
//! `cargo run -p crdt-examples --bin inspect -- FILE [--json]`; `-` reads the standard input.

use crdt_core::codec::{Limits, snapshot_chunks};
use crdt_core::log::LogReader;
use crdt_core::readable::{ReadableDelta, ReadableSnapshot};
use crdt_core::{Content, Doc, Op, OpKind, ReplicaId, SequenceKind, TextRun, Value, VersionVector};
use serde_json::json;
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Read, Write};
use std::process::ExitCode;

/// A file on one's own disk: as large as the formats bear.
const LIMITS: Limits = Limits::WIDEST;
/// So many characters of a text are shown.
const SHOWN: usize = 40;
/// So many replicas are listed.
const REPLICAS: usize = 20;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_json = arguments.iter().any(|argument| argument == "--json");
    let files: Vec<_> = arguments.iter().filter(|argument| *argument != "--json").collect();
    let [file] = files[..] else {
        eprintln!("Usage: inspect FILE [--json]");
        return ExitCode::FAILURE;
    };
    let shown = read(file).and_then(|bytes| if is_json { as_json(&bytes) } else { described(&bytes) });
    match shown {
        // Whoever reads may have seen enough.
        Ok(text) => {
            let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{file}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn read(file: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    if file != "-" {
        return Ok(std::fs::read(file)?);
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn described(bytes: &[u8]) -> Result<String, Box<dyn Error>> {
    match bytes {
        [b'C', b'R', b'D', b'T', b'S', ..] => snapshot(bytes),
        [b'C', b'R', b'D', b'T', b'L', ..] => log(bytes),
        _ => delta(bytes),
    }
}

fn as_json(bytes: &[u8]) -> Result<String, Box<dyn Error>> {
    let value = match bytes {
        [b'C', b'R', b'D', b'T', b'S', ..] => serde_json::to_value(ReadableSnapshot::read(bytes, &LIMITS)?)?,
        [b'C', b'R', b'D', b'T', b'L', ..] => {
            let mut reader = LogReader::new(bytes, &LIMITS)?;
            let id = format!("{:016x}", reader.id());
            let mut records = Vec::new();
            for record in reader.by_ref() {
                let record = record.map_err(damaged)?;
                let holds: serde_json::Value = match record.payload.first_chunk() {
                    Some(b"CRDTS") => serde_json::to_value(ReadableSnapshot::read(record.payload, &LIMITS)?)?,
                    _ => serde_json::to_value(ReadableDelta::read(record.payload, &LIMITS).ok())?,
                };
                let kind = char::from(record.kind.letter()).to_string();
                records.push(json!({ "offset": record.offset, "kind": kind, "bytes": record.payload.len(), "holds": holds }));
            }
            let torn = reader.torn_tail().map(|tail| tail.offset);
            json!({ "id": id, "records": records, "torn_tail": torn })
        }
        _ => serde_json::to_value(ReadableDelta::read(bytes, &LIMITS)?)?,
    };
    Ok(serde_json::to_string_pretty(&value)?)
}

fn delta(bytes: &[u8]) -> Result<String, Box<dyn Error>> {
    let ReadableDelta { version, operations } = ReadableDelta::read(bytes, &LIMITS)
        .map_err(|error| format!("neither snapshot nor log, and as a delta: {error}"))?;
    Ok(format!("delta, {} bytes\n{}", bytes.len(), history(&version, &operations)))
}

fn snapshot(bytes: &[u8]) -> Result<String, Box<dyn Error>> {
    let frame = snapshot_chunks(bytes, &LIMITS)?;
    let mut out = format!(
        "snapshot, format {}, {} bytes, features {:#b} required, {:#b} optional\n\nchunk     bytes     plain  how\n",
        bytes[5],
        bytes.len(),
        frame.required_features,
        frame.optional_features
    );
    for chunk in &frame.chunks {
        let how = format!("{:?}", chunk.coding).to_lowercase();
        out += &format!("    {} {:>9} {:>9}  {how}\n", chunk.tag, chunk.stored_bytes, chunk.plain_bytes);
    }
    Ok(out + "\n" + &document(&Doc::from_snapshot_within(ReplicaId::new(0), bytes, &LIMITS)?)?)
}

fn log(bytes: &[u8]) -> Result<String, Box<dyn Error>> {
    let mut reader = LogReader::new(bytes, &LIMITS)?;
    let mut out = format!("log {:016x}, {} bytes\n\n   offset kind     bytes\n", reader.id(), bytes.len());
    let mut doc = Doc::new(ReplicaId::new(0));
    for record in reader.by_ref() {
        let record = record.map_err(damaged)?;
        let kind = char::from(record.kind.letter());
        out += &format!("{:>9}    {kind} {:>9}\n", record.offset, record.payload.len());
        if record.payload.starts_with(b"CRDTS") {
            doc = Doc::from_snapshot_within(ReplicaId::new(0), record.payload, &LIMITS)?;
        } else if !record.kind.is_optional() {
            doc.apply(record.payload)?;
        }
    }
    if let Some(tail) = reader.torn_tail() {
        out += &format!("{:>9} torn: what follows was never said to be stored\n", tail.offset);
    }
    Ok(out + "\n" + &document(&doc)?)
}

fn damaged(offset: u64) -> String {
    format!("the record at byte {offset} is damaged")
}

/// What a document holds, and what was said in it.
fn document(doc: &Doc) -> Result<String, Box<dyn Error>> {
    let (mut elements, mut visible) = (0, 0);
    for (_, shows) in doc.elements() {
        elements += 1;
        visible += usize::from(shows);
    }
    let readable = ReadableDelta::read(&doc.delta_since(&VersionVector::new()), &LIMITS)?;
    let text = |run: &TextRun| if let Content::Text(text) = &run.content { text.len() } else { 0 };
    let named = doc.sequences().filter(|(_, kind)| *kind == SequenceKind::Text);
    let named = named.filter_map(|(name, _)| doc.text_named(name)).flat_map(|text| text.runs());
    let shown: usize =
        doc.runs().iter().map(text).sum::<usize>() + named.map(|run| text(&run)).sum::<usize>();
    let inserted: usize = readable
        .operations
        .iter()
        .map(|op| if let OpKind::Insert { text, .. } = &op.kind { text.len() } else { 0 })
        .sum();
    let mut out = format!(
        "{elements} elements: {visible} visible, {} tombstones and statements\n\
         text: {shown} bytes visible, {} deleted\n",
        elements - visible,
        inserted.saturating_sub(shown)
    );
    for (name, kind) in doc.sequences() {
        let len = match kind {
            SequenceKind::Text => doc.text_named(name).map_or(0, |text| text.len()),
            SequenceKind::List => doc.list(name).map_or(0, |list| list.len()),
        };
        out += &format!("{} {name:?}: {len} elements\n", format!("{kind:?}").to_lowercase());
    }
    for (name, value) in doc.registers() {
        out += &format!("register {name:?}: {}\n", short(value.as_str()));
    }
    let pending = doc.pending();
    if pending.operations > 0 {
        out += &format!("{} operations wait for {:?}\n", pending.operations, pending.missing);
    }
    Ok(out + "\n" + &history(doc.version(), &readable.operations))
}

fn history(version: &VersionVector, operations: &[Op]) -> String {
    let mut kinds: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    for op in operations {
        let counts = kinds.entry(kind(op)).or_default();
        *counts = (counts.0 + 1, counts.1 + u64::from(op.len()));
    }
    let count: u64 = operations.iter().map(|op| u64::from(op.len())).sum();
    let mut out = format!("{count} operations in {} runs\n", operations.len());
    for (kind, (runs, operations)) in kinds {
        out += &format!("  {kind}: {operations} in {runs} runs\n");
    }
    out += &format!("{} replicas\n", version.len());
    for (replica, end) in version.iter().take(REPLICAS) {
        let of = operations.iter().filter(|op| op.id.replica == replica);
        out += &format!("  {replica}: up to {end}, {} runs\n", of.count());
    }
    if version.len() > REPLICAS {
        out += &format!("  … and {} more\n", version.len() - REPLICAS);
    }
    for (name, op) in [("first listed", operations.first()), ("last listed", operations.last())] {
        if let Some(op) = op {
            out += &format!("{name}: {} {}\n", op.id, said(op));
        }
    }
    out
}

fn kind(op: &Op) -> &'static str {
    match &op.kind {
        OpKind::Insert { .. } => "insert",
        OpKind::Delete { .. } => "delete",
        OpKind::InsertValue { value, .. } => match value {
            Value::Embed(_) => "embed",
            Value::Mark(_) => "mark",
            Value::Register(_) => "register",
            Value::Replace { .. } => "replace",
            Value::Move { .. } => "move",
            _ => "start or end of a sequence",
        },
    }
}

fn said(op: &Op) -> String {
    match &op.kind {
        OpKind::Insert { text, .. } => format!("inserts {}", short(&format!("{text:?}"))),
        OpKind::Delete { target, len, descending } => {
            format!("deletes {len} from {target} {}", if *descending { "down" } else { "up" })
        }
        OpKind::InsertValue { value, .. } => short(&format!("{} {value:?}", kind(op))),
    }
}

/// Its beginning.
fn short(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
