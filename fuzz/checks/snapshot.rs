//! Bytes from outside as a snapshot under a right checksum: refused, or a document like any other.
//!
//! A snapshot can lie about the order of its elements and about what was placed where (decision 0008). So of what
//! opens, texts are compared, reading, editing, saving and decoding its history; only what turns out to
//! be the truth is held to all invariants.

use crdt_core::codec::{Limits, decode_delta, encode_delta};
use crdt_core::{
    Anchor, Content, Doc, Json, Mark, Marks, Op, OpId, OpKind, ReplicaId, Side, TextEdit, TextRun, Value,
    VersionVector,
};
use crdt_testkit::chunks::sealed;

/// Opens the bytes as the chunks of a snapshot, and does with it what can be done.
pub(crate) fn check(chunks: &[u8]) {
    let me = ReplicaId::new(u64::MAX);
    let Ok(doc) = Doc::from_snapshot(me, &sealed(chunks)) else { return };
    assert_readable(&doc);
    let again = reopened(&doc);
    assert_eq!(again.encode_snapshot(), doc.encode_snapshot(), "what was saved has one form");

    // All that was not trimmed.
    let everything = doc.delta_since(&doc.floor());
    decode_delta(&everything, &Limits::DEFAULT).expect("a document reads what it wrote");
    // Whoever gets the operations alone may come to another order, or refuse them: then it was a lie.
    let mut told = Doc::new(ReplicaId::new(u64::MAX - 1));
    let is_true = told.apply(&everything).is_ok() && told.encode_snapshot() == doc.encode_snapshot();
    if is_true {
        assert_eq!((told.runs(), told.pending()), (doc.runs(), doc.pending()));
        again.assert_invariants();
    }

    let mut thawed = doc.clone();
    thawed.decode_history_since(&VersionVector::new());
    assert_same(&thawed, &doc);
    assert_eq!(thawed.delta_since(&doc.floor()), everything, "decoded once and for all");
    trim(&thawed);
    let mut edited = doc;
    edit(&mut edited, chunks);
    edit(&mut thawed, chunks);
    assert_same(&thawed, &edited);
    assert_same(&reopened(&edited), &edited);
    match edited.apply(&edited.delta_since(&edited.floor())) {
        Ok(edits) => assert_eq!(edits, [], "what is known changes nothing"),
        Err(error) => assert!(!is_true, "{error}"),
    }
    assert_same(&thawed, &edited);
}

/// What shows is the same when the past is forgotten.
fn trim(doc: &Doc) {
    let mut trimmed = doc.clone();
    if trimmed.trim(&doc.version().clone()).is_err() {
        return;
    }
    assert_eq!(trimmed.text(), doc.text());
    assert_eq!(trimmed.runs(), doc.runs());
    assert_eq!((trimmed.version(), &trimmed.floor()), (doc.version(), doc.version()));
    assert_readable(&trimmed);
    reopened(&trimmed);
}

fn reopened(doc: &Doc) -> Doc {
    let opened = Doc::from_snapshot(doc.replica(), &doc.encode_snapshot()).expect("an own snapshot opens");
    assert_same(&opened, doc);
    opened
}

fn assert_same(doc: &Doc, expected: &Doc) {
    assert_eq!(doc.text(), expected.text());
    assert_eq!(doc.runs(), expected.runs());
    assert_eq!((doc.version(), doc.pending()), (expected.version(), expected.pending()));
    assert!(doc.elements().eq(expected.elements()), "the same elements in the same order");
}

fn assert_readable(doc: &Doc) {
    let text = doc.text();
    assert_eq!(doc.len(), text.chars().count());
    assert_eq!(doc.len_utf16(), text.encode_utf16().count());
    assert_eq!(doc.slice(0..doc.len()).as_ref(), Ok(&text));
    let runs = doc.runs();
    assert!(runs.windows(2).all(|pair| !is_one(&pair[0], &pair[1])), "runs are as long as they can be");
    let elements = flat(&runs);
    assert!(text.chars().eq(elements.iter().map(Element::char)));
    let part = elements.len() / 4..elements.len() - elements.len() / 4;
    assert_eq!(doc.runs_in(part.clone()).as_deref().map(flat), Ok(elements[part].to_vec()));
    for position in 0..=doc.len().min(300) {
        let utf16 = doc.position_to_utf16(position).expect("a position of the text");
        assert_eq!(doc.position_from_utf16(utf16), Ok(position));
        for side in [Side::Before, Side::After] {
            let anchor = doc.anchor_at(position, side).expect("a position of the text");
            assert_eq!(doc.resolve(&anchor), Some(position), "{anchor:?}");
        }
    }
    let mut ids: Vec<_> = doc.elements().collect();
    assert_eq!(ids.iter().filter(|(_, visible)| *visible).count(), doc.len());
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup_by_key(|(id, _)| *id);
    assert_eq!(ids.len(), count, "no element stands twice");
}

/// One visible element.
#[derive(Clone, Debug, PartialEq)]
struct Element {
    /// An embed, or one character.
    content: Content,
    marks: Marks,
}

impl Element {
    fn char(&self) -> char {
        match &self.content {
            Content::Text(text) => text.chars().next().expect("one character"),
            Content::Embed(_) => '\u{fffc}',
        }
    }
}

fn characters(text: &str, marks: &Marks) -> Vec<Element> {
    let element = |char: char| Element { content: Content::Text(char.into()), marks: marks.clone() };
    text.chars().map(element).collect()
}

/// The elements of runs.
fn flat(runs: &[TextRun]) -> Vec<Element> {
    let elements = |run: &TextRun| match &run.content {
        Content::Text(text) => characters(text, &run.marks),
        Content::Embed(_) => vec![Element { content: run.content.clone(), marks: run.marks.clone() }],
    };
    runs.iter().flat_map(elements).collect()
}

fn is_one(one: &TextRun, other: &TextRun) -> bool {
    let is_text = |run: &TextRun| matches!(run.content, Content::Text(_));
    is_text(one) && is_text(other) && one.marks == other.marks
}

/// Edits of one's own and of strangers where the last bytes say, each compared with the same on a plain list.
fn edit(doc: &mut Doc, bytes: &[u8]) {
    let mut plain = flat(&doc.runs());
    let elements: Vec<OpId> = doc.elements().map(|(id, _)| id).collect();
    let steps = bytes.rchunks_exact(2).take(12).zip(0..);
    for (&[kind, at], step) in steps.map(|(chunk, step)| (<&[u8; 2]>::try_from(chunk).expect("two"), step)) {
        let at = usize::from(at) * (plain.len() + 1) / 256;
        let end = plain.len().min(at + usize::from(kind / 8) % 8);
        let id = OpId::new(ReplicaId::new(u64::MAX - 2 - step), 0);
        let element = elements.get(usize::from(kind) * elements.len() / 256).copied();
        let side = if step % 2 == 0 { Side::Before } else { Side::After };
        let anchor = element.map_or(Anchor::START, |id| Anchor { element: Some(id), side });
        match (kind % 8, element) {
            (0, _) => {
                let text = ["x", "é😀", "a longer text"][usize::from(kind / 8) % 3];
                if doc.insert(at, text).is_ok() {
                    let inserted = doc.runs_in(at..at + text.chars().count()).expect("it was inserted");
                    plain.splice(at..at, flat(&inserted));
                }
            }
            (1, _) => {
                let value = Json::string("e");
                if doc.insert_embed(at, value.clone()).is_ok() {
                    let inserted = flat(&doc.runs_in(at..at + 1).expect("it was inserted"));
                    assert_eq!(inserted[0].content, Content::Embed(value));
                    plain.splice(at..at, inserted);
                }
            }
            (2, _) => {
                if doc.delete(at..end).is_ok() {
                    plain.drain(at..end);
                }
            }
            (3 | 4, _) => {
                let value = (kind % 8 == 3).then(|| Json::number(i32::from(kind)));
                let done = match &value {
                    Some(value) => doc.mark(at..end, "bold", value.clone()),
                    None => doc.unmark(at..end, "bold"),
                };
                if done.is_ok() {
                    set(&mut plain[at..end], "bold", value.as_ref());
                }
            }
            (5, Some(target)) => {
                let kind = OpKind::Delete { target, len: 1, descending: false };
                apply(doc, Op { id, kind }, &mut plain);
            }
            (6, Some(element)) => {
                let end = Anchor { element: elements.get(at).copied(), side: Side::After };
                let value = (kind / 8 % 3 > 0).then(Json::yes);
                let start = Anchor { element: Some(element), side };
                let mark = Mark { start, end, name: "bold".into(), value, stamp: u64::from(kind / 8) };
                let kind = OpKind::InsertValue { anchor, value: Value::Mark(mark) };
                apply(doc, Op { id, kind }, &mut plain);
            }
            _ => {
                apply(doc, Op { id, kind: OpKind::Insert { anchor, text: "ü!".into() } }, &mut plain);
            }
        }
        assert_eq!(flat(&doc.runs()), plain, "as on a plain list");
    }
    assert_readable(doc);
}

fn set(elements: &mut [Element], name: &str, value: Option<&Json>) {
    for Element { marks, .. } in elements {
        let others = marks.iter().filter(|(other, _)| *other != name);
        *marks = others
            .chain(value.map(|value| (name, value)))
            .map(|(name, value)| (name, value.clone()))
            .collect();
    }
}

fn apply(doc: &mut Doc, op: Op, plain: &mut Vec<Element>) {
    let version = doc.version().clone();
    let Ok(edits) = doc.apply(&encode_delta(&[op])) else {
        assert_eq!(*doc.version(), version, "a refused delta changes nothing");
        return;
    };
    for edit in edits {
        match edit {
            TextEdit::Insert { position, text, marks, .. } => {
                plain.splice(position..position, characters(&text, &marks));
            }
            TextEdit::Embed { position, value, marks, .. } => {
                plain.insert(position, Element { content: Content::Embed(value), marks });
            }
            TextEdit::Delete { position, len, .. } => drop(plain.drain(position..position + len)),
            TextEdit::Mark { position, len, name, value, .. } => {
                set(&mut plain[position..position + len], &name, value.as_ref());
            }
            TextEdit::Replace { position, value, marks, .. } => {
                plain[position] = Element { content: Content::Embed(value), marks };
            }
            TextEdit::Register { .. } | TextEdit::In { .. } => {}
            other => panic!("an edit of nothing that is here: {other:?}"),
        }
    }
}
