//! Results with structure, as bytes that `js/src/packet.ts` reads. Private to this pair of files.
//!
//! Numbers are varints, texts UTF-8 with their length in bytes in front, values JSON text. An edit is `position · 8 + kind`, then
//!
//! | kind | |
//! |---|---|
//! | 0, 2 | insertion: text; with 2, marks |
//! | 1 | deletion: length |
//! | 3, 4 | embed: value; with 4, marks |
//! | 5, 6 | mark: length, name; with 5, value; 6 removes it |
//! | 7 | position 0, register: name, value; empty if it holds nothing |
//! | 7 | position 1, an entry of a list is replaced: index, value |
//! | 7 | position 2, in a named text, or 3, in a list: name, then the edit there |
//!
//! Positions and lengths are in UTF-16 units. Marks are their number, then name and value of each.

use core::ops::Range;
use crdt_core::bytes::{Reader, write_bytes, write_u64_le, write_varint};
use crdt_core::codec::DeltaVersion;
use crdt_core::{
    Attribution, Authors, Content, DeletedText, HistoryStep, Json, Marks, OpId, PendingReport, ReplicaId,
    Seq, SequenceKind, TextEdit, TextRun, VersionVector,
};

/// The edits one after the other, up to the packet's end.
pub(crate) fn edits(edits: &[TextEdit]) -> Vec<u8> {
    let mut out = Vec::new();
    write_edits(&mut out, edits);
    out
}

pub(crate) fn write_edits(out: &mut Vec<u8>, edits: &[TextEdit]) {
    for edit in edits {
        let mut head = |position: usize, kind: u64| write_varint(out, ((position as u64) << 3) | kind);
        match edit {
            TextEdit::Insert { position_utf16, text, marks, .. } => {
                head(*position_utf16, if marks.is_empty() { 0 } else { 2 });
                write_bytes(out, text.as_bytes());
                write_marks(out, marks);
            }
            TextEdit::Delete { position_utf16, len_utf16, .. } => {
                head(*position_utf16, 1);
                write_varint(out, *len_utf16 as u64);
            }
            TextEdit::Embed { position_utf16, value, marks, .. } => {
                head(*position_utf16, if marks.is_empty() { 3 } else { 4 });
                write_bytes(out, value.as_str().as_bytes());
                write_marks(out, marks);
            }
            TextEdit::Mark { position_utf16, len_utf16, name, value, .. } => {
                head(*position_utf16, if value.is_some() { 5 } else { 6 });
                write_varint(out, *len_utf16 as u64);
                write_bytes(out, name.as_bytes());
                if let Some(value) = value {
                    write_bytes(out, value.as_str().as_bytes());
                }
            }
            TextEdit::Register { name, value } => {
                head(0, 7);
                write_bytes(out, name.as_bytes());
                write_bytes(out, value.as_ref().map_or("", |value| value.as_str()).as_bytes());
            }
            TextEdit::Replace { position, position_utf16, value, marks } => {
                let (position, position_utf16) = (*position, *position_utf16);
                let delete = TextEdit::Delete { position, position_utf16, len: 1, len_utf16: 1 };
                let (value, marks) = (value.clone(), marks.clone());
                write_edits(out, &[delete, TextEdit::Embed { position, position_utf16, value, marks }]);
            }
            TextEdit::In { name, kind, edit } => write_edit_in(out, name, *kind, edit),
            // `TextEdit` is open for more; each needs a number here and a case in JavaScript.
            _ => unreachable!("an edit without a packet form"),
        }
    }
}

/// Bindings of texts know embeds that go and come; in lists it stays one entry.
fn write_edit_in(out: &mut Vec<u8>, name: &str, kind: SequenceKind, edit: &TextEdit) {
    let mut head = |place: u64| {
        write_varint(out, (place << 3) | 7);
        write_bytes(out, name.as_bytes());
    };
    match (kind, edit) {
        (SequenceKind::List, TextEdit::Replace { position_utf16, value, .. }) => {
            head(3);
            write_varint(out, (1 << 3) | 7);
            write_varint(out, *position_utf16 as u64);
            write_bytes(out, value.as_str().as_bytes());
        }
        (SequenceKind::List, edit) => {
            head(3);
            write_edits(out, core::slice::from_ref(edit));
        }
        (SequenceKind::Text, TextEdit::Replace { position, position_utf16, value, marks }) => {
            let (position, position_utf16) = (*position, *position_utf16);
            let (value, marks) = (value.clone(), marks.clone());
            head(2);
            write_edits(out, &[TextEdit::Delete { position, position_utf16, len: 1, len_utf16: 1 }]);
            write_edit_in(out, name, kind, &TextEdit::Embed { position, position_utf16, value, marks });
        }
        (SequenceKind::Text, edit) => {
            head(2);
            write_edits(out, core::slice::from_ref(edit));
        }
    }
}

/// Nothing for none: what comes in front says whether there are any.
fn write_marks(out: &mut Vec<u8>, marks: &Marks) {
    if !marks.is_empty() {
        write_varint(out, marks.len() as u64);
        for (name, value) in marks.iter() {
            write_bytes(out, name.as_bytes());
            write_bytes(out, value.as_str().as_bytes());
        }
    }
}

/// Each run: 0 text, 1 text with marks, 2 embed, 3 embed with marks; the text or value; the marks.
pub(crate) fn runs(runs: &[TextRun]) -> Vec<u8> {
    let mut out = Vec::new();
    for TextRun { content, marks } in runs {
        let (kind, content) = match content {
            Content::Text(text) => (0, text.as_str()),
            Content::Embed(value) => (2, value.as_str()),
        };
        out.push(kind | u8::from(!marks.is_empty()));
        write_bytes(&mut out, content.as_bytes());
        write_marks(&mut out, marks);
    }
    out
}

/// Reads what [`runs`] writes, with marks as their number, then name and value of each; `None` if it is not that.
pub(crate) fn read_runs(bytes: &[u8]) -> Option<Vec<TextRun>> {
    let mut reader = Reader::new(bytes);
    let mut runs = Vec::new();
    while !reader.is_empty() {
        let kind = reader.u8().ok()?;
        let content = reader.str().ok()?;
        let content = match kind & 2 {
            0 => Content::Text(content.into()),
            _ => Content::Embed(Json::parse(content).ok()?),
        };
        let mut marks: Vec<(&str, Json)> = Vec::new();
        if kind & 1 == 1 {
            for _ in 0..reader.count(2).ok()? {
                marks.push((reader.str().ok()?, Json::parse(reader.str().ok()?).ok()?));
            }
        }
        runs.push(TextRun { content, marks: marks.into_iter().collect() });
    }
    Some(runs)
}

/// Name and value of each.
pub(crate) fn registers<'a>(registers: impl Iterator<Item = (&'a str, &'a Json)>) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in registers {
        write_bytes(&mut out, name.as_bytes());
        write_bytes(&mut out, value.as_str().as_bytes());
    }
    out
}

/// Names and values of the marks of runs in turn, with a NUL behind each, which JSON never has in it.
pub(crate) fn marks_text(runs: &[TextRun]) -> String {
    let mut text = String::new();
    for (name, value) in runs.iter().flat_map(|run| run.marks.iter()) {
        for part in [name, value.as_str()] {
            text.push_str(part);
            text.push('\0');
        }
    }
    text
}

/// Each: 0 text or 1 list; its name.
pub(crate) fn sequences<'a>(sequences: impl Iterator<Item = (&'a str, SequenceKind)>) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, kind) in sequences {
        out.push(u8::from(kind == SequenceKind::List));
        write_bytes(&mut out, name.as_bytes());
    }
    out
}

/// One after the other.
pub(crate) fn values(values: &[Json]) -> Vec<u8> {
    let mut out = Vec::new();
    for value in values {
        write_bytes(&mut out, value.as_str().as_bytes());
    }
    out
}

/// How many operations wait; then, for each missing range, replica (8 bytes LE), start, end.
pub(crate) fn pending(report: &PendingReport) -> Vec<u8> {
    let mut out = Vec::new();
    write_varint(&mut out, report.operations as u64);
    for (replica, seqs) in &report.missing {
        write_seqs(&mut out, *replica, seqs);
    }
    out
}

fn write_seqs(out: &mut Vec<u8>, replica: ReplicaId, seqs: &Range<Seq>) {
    write_u64_le(out, replica.get());
    write_varint(out, seqs.start.into());
    write_varint(out, seqs.end.into());
}

fn write_id(out: &mut Vec<u8>, id: OpId) {
    write_u64_le(out, id.replica.get());
    write_varint(out, id.seq.into());
}

/// Start and end as encoded version vectors; then the ranges, each as replica, start, end.
pub(crate) fn delta_version(version: &DeltaVersion) -> Vec<u8> {
    let mut out = Vec::new();
    write_bytes(&mut out, &version.start().encode());
    write_bytes(&mut out, &version.end().encode());
    for (replica, seqs) in version.ranges() {
        write_seqs(&mut out, *replica, seqs);
    }
    out
}

/// Byte strings with their lengths in front, up to the end; `None` if they are not that.
pub(crate) fn read_all_bytes(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut reader = Reader::new(bytes);
    let mut all = Vec::new();
    while !reader.is_empty() {
        all.push(reader.bytes().ok()?);
    }
    Some(all)
}

/// Each: position, length, replica, start and end of its operations.
pub(crate) fn attribution(stretches: &[Attribution]) -> Vec<u8> {
    let mut out = Vec::new();
    for Attribution { position_utf16, len, len_utf16, id, .. } in stretches {
        write_varint(&mut out, *position_utf16 as u64);
        write_varint(&mut out, *len_utf16 as u64);
        write_id(&mut out, *id);
        write_varint(&mut out, u64::from(id.seq) + *len as u64);
    }
    out
}

/// Each: position, text, the first operation that inserted it, the lowest that deleted it.
pub(crate) fn deleted_text(stretches: &[DeletedText]) -> Vec<u8> {
    let mut out = Vec::new();
    for DeletedText { position_utf16, text, id, by, .. } in stretches {
        write_varint(&mut out, *position_utf16 as u64);
        write_bytes(&mut out, text.as_bytes());
        write_id(&mut out, *id);
        write_id(&mut out, *by);
    }
    out
}

/// Each: name, encoded version vector.
pub(crate) fn named_versions(versions: &[(String, VersionVector)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, version) in versions {
        write_bytes(&mut out, name.as_bytes());
        write_bytes(&mut out, &version.encode());
    }
    out
}

/// Replica, start, end, the time plus one or 0 if it is not known; then the edits.
pub(crate) fn step(step: &HistoryStep) -> Vec<u8> {
    let mut out = Vec::new();
    write_seqs(&mut out, step.replica, &step.seqs);
    write_varint(&mut out, step.time_ms.map_or(0, |time_ms| time_ms + 1));
    write_edits(&mut out, &step.edits);
    out
}

/// User, time.
pub(crate) fn author(user: &str, time_ms: u64) -> Vec<u8> {
    let mut out = Vec::new();
    write_author(&mut out, user, time_ms);
    out
}

fn write_author(out: &mut Vec<u8>, user: &str, time_ms: u64) {
    write_bytes(out, user.as_bytes());
    write_varint(out, time_ms);
}

/// Each: replica, start, end, user, time.
pub(crate) fn authors(authors: &Authors) -> Vec<u8> {
    let mut out = Vec::new();
    for (replica, seqs, user, time_ms) in authors.iter() {
        write_seqs(&mut out, replica, &seqs);
        write_author(&mut out, user, time_ms);
    }
    out
}

/// Milliseconds from JavaScript: what is no number is 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "such a cast saturates")]
pub(crate) fn milliseconds(number: f64) -> u64 {
    number as u64
}
