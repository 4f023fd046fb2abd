//! Cases of marks with known results (the form of `spec/peritext.json`), run through crdt-core.
//!
//! One replica has a text, perhaps with a history; another gets it; both edit at once; then everybody
//! who has everything must show the same runs.

use crate::edit::Edit;
use crate::failure::{Checked, Failure, same};
use crate::loaded::loaded;
use crdt_core::{Content, Doc, Json, ReplicaId, TextRun, VersionVector};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Marks by name; comments gathered into one list, as the cases have them.
type SpanMarks = BTreeMap<String, Value>;

/// One case.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Case {
    /// What it is about.
    pub name: String,
    initial_text: String,
    #[serde(default)]
    pre_ops: Vec<InputOp>,
    #[serde(default)]
    input_ops1: Vec<InputOp>,
    #[serde(default)]
    input_ops2: Vec<InputOp>,
    expected_result: Vec<Span>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "action", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum InputOp {
    Insert { index: usize, values: Vec<String> },
    Delete { index: usize, count: usize },
    AddMark { start_index: usize, end_index: usize, mark_type: String, attrs: Option<Map<String, Value>> },
    RemoveMark { start_index: usize, end_index: usize, mark_type: String, attrs: Option<Map<String, Value>> },
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Span {
    marks: SpanMarks,
    text: String,
}

#[derive(Deserialize)]
struct CaseFile {
    cases: Vec<Case>,
}

/// Reads a file of cases.
///
/// # Errors
/// When it is of another form.
pub fn read_cases(json: &[u8]) -> Checked<Vec<Case>> {
    let file: CaseFile =
        serde_json::from_slice(json).map_err(|error| Failure::new(format!("cases: {error}")))?;
    Ok(file.cases)
}

/// The replicas of a case. Where two of their marks tie, the second one's wins: it has the larger id.
const BOTH: [ReplicaId; 2] = [ReplicaId::new(1), ReplicaId::new(2)];
/// Two that issue nothing.
const LISTENERS: [ReplicaId; 2] = [ReplicaId::new(3), ReplicaId::new(4)];

impl Case {
    /// Runs the case. Either side merges what the other did; a third replica gets both sides in one order and in
    /// the other, and before the text that they refer to, and passes everything on; all those, and what is loaded
    /// from their snapshots, must show the expected runs.
    ///
    /// Where both sides insert text, which comes first at one place is chance: the cases' source orders it by Lamport
    /// timestamps, crdt-core by replica id. So there the case also holds if it does with the ids swapped.
    ///
    /// # Errors
    /// Says who showed what.
    pub fn check(&self) -> Checked {
        let inserts = |ops: &[InputOp]| ops.iter().any(|op| matches!(op, InputOp::Insert { .. }));
        let may_swap = inserts(&self.input_ops1) && inserts(&self.input_ops2);
        self.check_with(BOTH).or_else(|failure| {
            let [first, second] = BOTH;
            if may_swap && self.check_with([second, first]).is_ok() { Ok(()) } else { Err(failure) }
        })
    }

    fn check_with(&self, [first, second]: [ReplicaId; 2]) -> Checked {
        let mut first = Doc::new(first);
        let text = Edit::Insert { position: 0, text: self.initial_text.clone() };
        let start = [edit(&mut first, &[text])?, edit_all(&mut first, &self.pre_ops)?];
        let mut second = listener(second, &start)?;
        let one = edit_all(&mut first, &self.input_ops1)?;
        let other = edit_all(&mut second, &self.input_ops2)?;

        apply(&mut first, &other)?;
        apply(&mut second, &one)?;
        self.check_doc("replica 1", &first)?;
        self.check_doc("replica 2", &second)?;
        let orders = [
            ("a third replica, 1 first", [&start[0], &start[1], &one, &other]),
            ("a third replica, 2 first", [&start[0], &start[1], &other, &one]),
            ("a third replica, backwards", [&other, &one, &start[1], &start[0]]),
        ];
        for (who, deltas) in orders {
            let third = listener(LISTENERS[0], deltas)?;
            self.check_doc(who, &third)?;
            let fourth = listener(LISTENERS[1], [&third.delta_since(&VersionVector::new())])?;
            self.check_doc(&format!("who has it from {who}"), &fourth)?;
            apply(&mut second, &fourth.delta_since(&VersionVector::new()))?;
        }
        self.check_doc("replica 2, told again", &second)
    }

    fn check_doc(&self, who: &str, doc: &Doc) -> Checked {
        let place = |failure: Failure| failure.at(who);
        same("what waits", &doc.pending().operations, &0).map_err(place)?;
        same("spans", &spans(doc)?, &self.expected_result).map_err(place)?;
        for loaded in loaded(doc, LISTENERS[1])? {
            same("spans from the snapshot", &spans(&loaded)?, &self.expected_result).map_err(place)?;
        }
        Ok(())
    }
}

impl InputOp {
    fn to_edit(&self) -> Checked<Edit> {
        Ok(match self {
            Self::Insert { index, values } => Edit::Insert { position: *index, text: values.concat() },
            Self::Delete { index, count } => Edit::Delete { position: *index, len: *count },
            Self::AddMark { start_index, end_index, mark_type, attrs } => {
                let value = match attrs {
                    Some(attrs) => Value::from(attrs.clone()),
                    None => serde_json::json!({ "active": true }),
                };
                let value = Json::parse(&value.to_string())
                    .map_err(|error| Failure::new(format!("attrs {value}: {error}")))?;
                mark(*start_index, *end_index, mark_type, attrs.as_ref(), Some(value))?
            }
            Self::RemoveMark { start_index, end_index, mark_type, attrs } => {
                mark(*start_index, *end_index, mark_type, attrs.as_ref(), None)?
            }
        })
    }
}

/// Comments have a name each, so that they stand beside each other.
fn mark(
    start: usize,
    end: usize,
    mark_type: &str,
    attrs: Option<&Map<String, Value>>,
    value: Option<Json>,
) -> Checked<Edit> {
    let len = end.checked_sub(start).ok_or_else(|| Failure::new(format!("a range {start}..{end}")))?;
    let name = if mark_type == "comment" {
        let id = attrs.and_then(|attrs| attrs.get("id")).and_then(Value::as_str);
        format!("comment:{}", id.ok_or_else(|| Failure::new("a comment without attrs.id"))?)
    } else {
        mark_type.to_owned()
    };
    Ok(Edit::Mark { position: start, len, name, value })
}

fn edit_all(doc: &mut Doc, ops: &[InputOp]) -> Checked<Vec<u8>> {
    let edits = ops.iter().map(InputOp::to_edit).collect::<Checked<Vec<_>>>()?;
    edit(doc, &edits)
}

fn edit(doc: &mut Doc, edits: &[Edit]) -> Checked<Vec<u8>> {
    let mut transaction = doc.transaction();
    for edit in edits {
        edit.make(&mut transaction).map_err(|error| Failure::new(format!("{edit:?} refused: {error}")))?;
    }
    Ok(transaction.commit())
}

fn listener<'a>(replica: ReplicaId, deltas: impl IntoIterator<Item = &'a Vec<u8>>) -> Checked<Doc> {
    let mut doc = Doc::new(replica);
    deltas.into_iter().try_for_each(|delta| apply(&mut doc, delta))?;
    Ok(doc)
}

fn apply(doc: &mut Doc, delta: &[u8]) -> Checked {
    if delta.is_empty() {
        return Ok(());
    }
    doc.apply(delta).map(|_| ()).map_err(|error| Failure::new(format!("delta refused: {error}")))
}

/// What the document shows, in the form of the cases.
fn spans(doc: &Doc) -> Checked<Vec<Span>> {
    let span = |run: TextRun| {
        let mut marks = SpanMarks::new();
        let mut comments = BTreeMap::new();
        for (name, value) in run.marks.iter() {
            let value: Value = serde_json::from_str(value.as_str())
                .map_err(|error| Failure::new(format!("mark {name} of {value:?}: {error}")))?;
            match name.strip_prefix("comment:") {
                Some(id) => drop(comments.insert(id.to_owned(), value)),
                None => drop(marks.insert(name.to_owned(), value)),
            }
        }
        if !comments.is_empty() {
            marks.insert("comment".to_owned(), comments.into_values().collect());
        }
        match run.content {
            Content::Text(text) => Ok(Span { marks, text }),
            Content::Embed(value) => Err(Failure::new(format!("an embed from nowhere: {value:?}"))),
        }
    };
    doc.runs().into_iter().map(span).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(json: &str) -> String {
        read_cases(json.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_file_of_another_form_is_refused() {
        assert!(refusal("{}").contains("missing field `cases`"));
        let case = |ops: &str| {
            format!(
                r#"{{"cases":[{{"name":"n","initialText":"x","inputOps1":[{ops}],"expectedResult":[]}}]}}"#
            )
        };
        assert!(refusal(&case(r#"{"action":"paint"}"#)).contains("unknown variant `paint`"));
        assert!(refusal(&case(r#"{"action":"delete","index":1}"#)).contains("missing field `count`"));
        assert!(refusal(&case(r#"{"action":"delete","index":-1,"count":1}"#)).contains("invalid value"));
    }

    #[test]
    fn a_case_that_cannot_be_performed_fails() {
        let ops = [
            r#"{"action":"delete","index":1,"count":1}"#,
            r#"{"action":"addMark","startIndex":1,"endIndex":0,"markType":"em"}"#,
            r#"{"action":"addMark","startIndex":0,"endIndex":1,"markType":"comment"}"#,
        ];
        for op in ops {
            let json = format!(
                r#"{{"cases":[{{"name":"n","initialText":"x","inputOps2":[{op}],"expectedResult":[]}}]}}"#
            );
            let cases = read_cases(json.as_bytes()).unwrap();
            assert!(cases[0].check().is_err(), "{op}");
        }
    }
}
