//! What a document, a delta, a log and so on hold, in a plain shape as JSON: what the golden files in `golden/` are
//! compared with, here and by the decoder in `js/test/format` that was written after `docs/format.md` alone.
//!
//! Everything comes from the public API. Ids are texts, `REPLICA:SEQ` with sixteen hexadecimal digits; JSON values of
//! documents are texts, too, since their bytes are what counts.

use crdt_core::codec::{Limits, decode_delta, snapshot_chunks};
use crdt_core::log::{LogReader, RecordKind};
use crdt_core::{
    Anchor, Authors, Content, DecodeError, Doc, Json, Mark, Op, OpId, OpKind, Register, ReplicaId,
    SequenceKind, Side, TextRun, Value, VersionVector,
};
use serde_json::{Map, Value as Shape, json};
use std::collections::BTreeMap;

/// Who opens golden snapshots: nobody in them.
pub const READER: ReplicaId = ReplicaId::new(0xffff_ffff_ffff_fff0);

/// The feature bit that tells.
const IN_ORDER_OF_TIME: u64 = 4;

fn replica(id: ReplicaId) -> String {
    format!("{:016x}", id.get())
}

fn id(id: OpId) -> String {
    format!("{}:{}", replica(id.replica), id.seq)
}

/// `start`, `end`, `after ID` or `before ID`.
pub fn anchor(anchor: &Anchor) -> Shape {
    Shape::String(match (anchor.element, anchor.side) {
        (None, Side::After) => "start".to_owned(),
        (None, Side::Before) => "end".to_owned(),
        (Some(element), Side::After) => format!("after {}", id(element)),
        (Some(element), Side::Before) => format!("before {}", id(element)),
    })
}

/// Counts by replica.
pub fn version(version: &VersionVector) -> Shape {
    version.iter().map(|(id, count)| (replica(id), json!(count))).collect::<Map<_, _>>().into()
}

fn value(value: &Value) -> Shape {
    match value {
        Value::Embed(value) => json!({ "kind": "embed", "json": value.as_str() }),
        Value::Mark(Mark { start, end, name, value, stamp }) => json!({
            "kind": "mark", "stamp": stamp, "start": anchor(start), "end": anchor(end), "name": &**name,
            "json": value.as_ref().map(Json::as_str),
        }),
        Value::Register(Register { name, value, stamp }) => json!({
            "kind": "register", "stamp": stamp, "name": &**name, "json": value.as_ref().map(Json::as_str),
        }),
        Value::Roots => json!({ "kind": "roots" }),
        Value::Open { name, kind } => json!({ "kind": "open", "sequence": sequence(*kind), "name": &**name }),
        Value::Close => json!({ "kind": "close" }),
        Value::Replace { element, value, stamp } => {
            json!({ "kind": "replace", "stamp": stamp, "element": id(*element), "json": value.as_str() })
        }
        Value::Move { element, stamp } => json!({ "kind": "move", "stamp": stamp, "element": id(*element) }),
        _ => panic!("{value:?} has no shape yet"),
    }
}

fn sequence(kind: SequenceKind) -> &'static str {
    match kind {
        SequenceKind::Text => "text",
        SequenceKind::List => "list",
    }
}

fn operation(op: &Op) -> Shape {
    match &op.kind {
        OpKind::Insert { anchor: at, text } => {
            json!({ "id": id(op.id), "insert": text, "placed": anchor(at) })
        }
        OpKind::InsertValue { anchor: at, value: carried } => {
            json!({ "id": id(op.id), "value": value(carried), "placed": anchor(at) })
        }
        OpKind::Delete { target, len, descending } => {
            json!({ "id": id(op.id), "delete": id(*target), "count": len, "down": descending })
        }
    }
}

fn operations(mut ops: Vec<Op>) -> Shape {
    ops.sort_by_key(|op| op.id);
    ops.iter().map(operation).collect()
}

/// The operations of a delta, in ascending order.
///
/// # Errors
/// If it is none.
pub fn delta(bytes: &[u8]) -> Result<Shape, DecodeError> {
    match decode_delta(bytes, &Limits::DEFAULT) {
        Ok(ops) => Ok(json!({ "format": "delta", "operations": operations(ops) })),
        Err(DecodeError::Trimmed) => Ok(json!({ "format": "delta", "trimmed": true })),
        Err(error) => Err(error),
    }
}

fn runs(runs: &[TextRun]) -> Shape {
    let run = |run: &TextRun| {
        let marks: Map<_, _> =
            run.marks.iter().map(|(name, value)| (name.to_owned(), json!(value.as_str()))).collect();
        match &run.content {
            Content::Text(text) => json!({ "text": text, "marks": marks }),
            Content::Embed(value) => json!({ "embed": value.as_str(), "marks": marks }),
        }
    };
    runs.iter().map(run).collect()
}

/// What is known of an element without asking where it stands.
struct Said {
    text: char,
    placed: Anchor,
}

/// One operation each.
#[derive(Default)]
struct Known {
    elements: BTreeMap<OpId, Said>,
    deletions: Vec<(OpId, OpId)>,
    values: BTreeMap<OpId, Value>,
}

impl Known {
    fn of(ops: &[Op]) -> Self {
        let mut known = Self::default();
        for Op { id: OpId { replica, seq }, kind } in ops {
            match kind {
                OpKind::Insert { anchor, text } => {
                    let mut placed = *anchor;
                    for (seq, text) in (*seq..).zip(text.chars()) {
                        let id = OpId::new(*replica, seq);
                        known.elements.insert(id, Said { text, placed });
                        placed = Anchor::after(id);
                    }
                }
                OpKind::InsertValue { anchor, value } => {
                    let id = OpId::new(*replica, *seq);
                    known.elements.insert(id, Said { text: '\u{fffc}', placed: *anchor });
                    known.values.insert(id, value.clone());
                }
                OpKind::Delete { target, len, descending } => {
                    for more in 0..*len {
                        let target_seq = if *descending { target.seq - more } else { target.seq + more };
                        let id = OpId::new(*replica, seq + more);
                        known.deletions.push((id, OpId::new(target.replica, target_seq)));
                    }
                }
            }
        }
        known.deletions.sort_unstable();
        known
    }

    /// In the longest runs that ascend or descend.
    fn deletions(&self) -> Shape {
        let mut runs: Vec<(OpId, OpId, u32, bool)> = Vec::new();
        for &(id, target) in &self.deletions {
            if let Some((first, first_target, len, down)) = runs.last_mut() {
                let goes_on = id.replica == first.replica
                    && id.seq == first.seq + *len
                    && target.replica == first_target.replica;
                let up = target.seq == first_target.seq + *len && (*len == 1 || !*down);
                let downwards = target.seq + *len == first_target.seq && (*len == 1 || *down);
                if goes_on && (up || downwards) {
                    *len += 1;
                    *down = downwards;
                    continue;
                }
            }
            runs.push((id, target, 1, false));
        }
        let run = |&(first, target, count, down): &(OpId, OpId, u32, bool)| json!({ "id": id(first), "delete": id(target), "count": count, "down": down });
        runs.iter().map(run).collect()
    }
}

/// Everything that a document holds. What waits is what `delta_since` tells and the version lacks.
pub fn document(doc: &Doc) -> Map<String, Shape> {
    let floor = doc.floor();
    let ops = decode_delta(&doc.delta_since(&floor), &Limits::DEFAULT).expect("a document writes deltas");
    let (here, pending): (Vec<_>, Vec<_>) = ops.into_iter().partition(|op| doc.version().contains(op.id));
    let known = Known::of(&here);
    let mut values: BTreeMap<_, _> = known.values.clone();
    values.extend(Known::of(&pending).values);

    let mut shape = Map::new();
    shape.insert("version".into(), version(doc.version()));
    shape.insert("floors".into(), version(&floor));
    shape.insert("text".into(), doc.text().into());
    shape.insert("runs".into(), runs(&doc.runs()));
    let registers: Map<_, _> =
        doc.registers().map(|(name, value)| (name.to_owned(), json!(value.as_str()))).collect();
    shape.insert("registers".into(), registers.into());
    shape.insert("sequences".into(), sequences(doc));
    shape.insert("elements".into(), elements(doc, &known));
    shape.insert("deletions".into(), known.deletions());
    let values = values.iter().map(|(of, carried)| json!({ "id": id(*of), "value": value(carried) }));
    shape.insert("values".into(), values.collect());
    shape.insert("pending".into(), operations(pending));
    shape
}

fn sequences(doc: &Doc) -> Shape {
    let mut names: Vec<_> = doc.sequences().map(|(name, kind)| (sequence(kind), name)).collect();
    names.sort_unstable();
    let shape = |&(kind, name): &(&str, &str)| match doc.text_named(name).filter(|_| kind == "text") {
        Some(text) => json!({ "kind": kind, "name": name, "runs": runs(&text.runs()) }),
        None => {
            let list = doc.list(name).expect("it is opened");
            let values: Vec<_> = list.values().iter().map(|value| value.as_str().to_owned()).collect();
            json!({ "kind": kind, "name": name, "values": values })
        }
    };
    names.iter().map(shape).collect()
}

/// In document order, in the longest runs: consecutive seqs, each placed after the one before, all of which show or none.
/// Elements below the floor have no place (nothing tells it), and those whose text was trimmed no text.
fn elements(doc: &Doc, known: &Known) -> Shape {
    struct Run {
        first: OpId,
        count: u32,
        text: Option<String>,
        shows: bool,
        placed: Option<Anchor>,
    }
    let mut trimmed: BTreeMap<OpId, char> = BTreeMap::new();
    if !doc.floor().is_empty() {
        let shown = doc.elements().filter(|(_, shows)| *shows).map(|(id, _)| id);
        trimmed.extend(shown.zip(doc.text().chars()));
        for part in doc.deleted_text(0..doc.len()).expect("all of it") {
            let seqs = part.id.seq..;
            trimmed.extend(seqs.zip(part.text.chars()).map(|(seq, c)| (OpId::new(part.id.replica, seq), c)));
        }
    }
    let floor = doc.floor();
    let mut all: Vec<Run> = Vec::new();
    for (id, shows) in doc.elements() {
        let (text, placed) = match known.elements.get(&id) {
            Some(said) => (Some(said.text), Some(said.placed)),
            None => {
                assert!(floor.contains(id), "{id} is told or trimmed");
                (trimmed.get(&id).copied(), None)
            }
        };
        if let Some(run) = all.last_mut() {
            let last = OpId::new(run.first.replica, run.first.seq + run.count - 1);
            let follows = id.replica == last.replica && id.seq == last.seq + 1;
            let joins = match placed {
                Some(placed) => placed == Anchor::after(last) && run.placed.is_some(),
                None => run.placed.is_none(),
            };
            if follows && joins && shows == run.shows && text.is_some() == run.text.is_some() {
                run.count += 1;
                if let (Some(all), Some(text)) = (&mut run.text, text) {
                    all.push(text);
                }
                continue;
            }
        }
        all.push(Run { first: id, count: 1, text: text.map(String::from), shows, placed });
    }
    let shape = |run: &Run| json!({ "id": id(run.first), "count": run.count, "text": run.text, "shows": run.shows, "placed": run.placed.as_ref().map(anchor) });
    all.iter().map(shape).collect()
}

/// A snapshot: in which order it is, the document that it opens as, and the chunks that `unknown` says are in it and that
/// nobody knows.
///
/// # Panics
/// If it does not open.
pub fn snapshot(bytes: &[u8], unknown: &[(char, &[u8])]) -> Shape {
    let doc = Doc::from_snapshot(READER, bytes).expect("it opens");
    let features = snapshot_chunks(bytes, &Limits::DEFAULT).expect("it has chunks").required_features;
    let order = if features & IN_ORDER_OF_TIME == 0 { "document" } else { "time" };
    let mut shape = document(&doc);
    shape.insert("format".into(), "snapshot".into());
    shape.insert("order".into(), order.into());
    let unknown = unknown.iter().map(|(tag, bytes)| json!({ "tag": tag.to_string(), "hex": hex(bytes) }));
    shape.insert("unknown".into(), unknown.collect());
    shape.into()
}

/// The records of a log, and how many bytes are torn off its end.
///
/// # Errors
/// If it is none, or damaged.
pub fn log(bytes: &[u8]) -> Result<Shape, DecodeError> {
    let mut reader = LogReader::new(bytes, &Limits::DEFAULT)?;
    let id = format!("{:016x}", reader.id());
    let mut records = Vec::new();
    for record in reader.by_ref() {
        let record = record.map_err(|_| DecodeError::InvalidValue("log"))?;
        let kind = char::from(record.kind.letter());
        records.push(match record.kind {
            RecordKind::SNAPSHOT => json!({ "kind": kind, "snapshot": snapshot(record.payload, &[]) }),
            RecordKind::DELTA => json!({ "kind": kind, "delta": delta(record.payload)? }),
            _ => json!({ "kind": kind, "hex": hex(record.payload) }),
        });
    }
    let torn = reader.torn_tail().map_or(0, |torn| torn.bytes);
    Ok(json!({ "format": "log", "id": id, "records": records, "torn": torn }))
}

/// The rows of a side table of authors.
pub fn authors(authors: &Authors) -> Shape {
    let row = |(of, seqs, user, time): (ReplicaId, core::ops::Range<u32>, &str, u64)| json!({ "replica": replica(of), "from": seqs.start, "to": seqs.end, "user": user, "time": time });
    json!({ "format": "authors", "rows": authors.iter().map(row).collect::<Vec<_>>() })
}

/// Two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
