//! The shapes of values as JSON, and that they come back.

use crdt_core::codec::{Limits, SnapshotProfile, decode_delta};
use crdt_core::readable::{ReadableDelta, ReadableSnapshot};
use crdt_core::{
    Anchor, Content, Doc, Expand, Json, Mark, Marks, Op, OpId, OpKind, Register, ReplicaId, SequenceKind,
    Side, TextEdit, TextRun, Value, VersionVector,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

const REPLICA: ReplicaId = ReplicaId::new(0x5eed_a11c);

/// It has this shape, and comes back, from text and from a tree of values.
fn shape<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, expected: &str) {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(text, expected);
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value);
    assert_eq!(&serde_json::from_value::<T>(serde_json::to_value(value).unwrap()).unwrap(), value);
}

fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

#[test]
fn names_are_text_and_versions_are_maps() {
    shape(&REPLICA, r#""000000005eeda11c""#);
    shape(&OpId::new(REPLICA, 12), r#""000000005eeda11c:12""#);
    let version: VersionVector = [(REPLICA, 13), (ReplicaId::new(1), u32::MAX)].into_iter().collect();
    shape(&version, r#"{"0000000000000001":4294967295,"000000005eeda11c":13}"#);
    shape(&Anchor::START, r#"{"element":null,"side":"after"}"#);
    shape(
        &Anchor { element: Some(OpId::new(REPLICA, 0)), side: Side::Before },
        r#"{"element":"000000005eeda11c:0","side":"before"}"#,
    );
    shape(&Expand::None, r#""none""#);
}

#[test]
fn names_in_another_form_are_refused() {
    for text in ["\"5eeda11c\"", "\"000000005EEDA11C\"", "\"+00000005eeda11c\"", "7", "null"] {
        assert!(serde_json::from_str::<ReplicaId>(text).is_err(), "{text}");
    }
    for text in [
        "\"000000005eeda11c\"",
        "\"000000005eeda11c:\"",
        "\"000000005eeda11c:01\"",
        "\"000000005eeda11c:+1\"",
        "\"000000005eeda11c:4294967296\"",
    ] {
        assert!(serde_json::from_str::<OpId>(text).is_err(), "{text}");
    }
    let twice = r#"{"000000005eeda11c":1,"000000005eeda11c":2}"#;
    assert!(serde_json::from_str::<VersionVector>(twice).unwrap_err().to_string().contains("twice"));
}

#[test]
fn json_is_itself() {
    for text in [
        "null",
        "true",
        "false",
        "0",
        "-7",
        "18446744073709551615",
        "-9223372036854775808",
        "1.5",
        "\"\"",
        "\"é😀\\n\\\"\\\\\"",
        "[]",
        "{}",
        "[[],{},[1,[2]]]",
        "{\"a\":[1,null,{\"b\":\"]}\"}],\"c\":\",\"}",
    ] {
        shape(&json(text), text);
    }
    // Escapes that JSON does not need, and numbers that are floats.
    assert_eq!(serde_json::to_string(&json("\"\\u00e9\\ud83d\\ude00\\/\"")).unwrap(), "\"é😀/\"");
    assert_eq!(serde_json::to_string(&json("[1e2,1.0,-0,1e400]")).unwrap(), "[100.0,1.0,-0.0,\"1e400\"]");
    assert_eq!(serde_json::to_string(&json("\"\\ud83d\"")).unwrap(), "\"\u{fffd}\"");
    // Keys that repeat are kept in their order.
    shape_of_text("{\"b\":1,\"a\":2,\"b\":3}");
    let deep = "[".repeat(100) + &"]".repeat(100);
    shape_of_text(&deep);
}

fn shape_of_text(text: &str) {
    assert_eq!(serde_json::to_string(&json(text)).unwrap(), text);
    assert_eq!(serde_json::from_str::<Json>(text).unwrap(), json(text));
}

#[test]
fn a_value_of_null_is_not_no_value() {
    let register = |value| Register { name: "title".into(), value, stamp: 3 };
    shape(&register(None), r#"{"name":"title","stamp":3}"#);
    shape(&register(Some(json("null"))), r#"{"name":"title","value":null,"stamp":3}"#);
}

#[test]
fn operations_say_what_they_do() {
    let id = OpId::new(REPLICA, 12);
    let insert = OpKind::Insert { anchor: Anchor::START, text: "hi".into() };
    shape(
        &Op { id, kind: insert },
        r#"{"id":"000000005eeda11c:12","insert":{"anchor":{"element":null,"side":"after"},"text":"hi"}}"#,
    );
    let delete = OpKind::Delete { target: OpId::new(REPLICA, 3), len: 2, descending: true };
    shape(
        &Op { id, kind: delete },
        r#"{"id":"000000005eeda11c:12","delete":{"target":"000000005eeda11c:3","len":2,"descending":true}}"#,
    );
    let value = |value| Op { id, kind: OpKind::InsertValue { anchor: Anchor::START, value } };
    let around = |value: &str| {
        format!(
            r#"{{"id":"000000005eeda11c:12","insert_value":{{"anchor":{{"element":null,"side":"after"}},"value":{value}}}}}"#
        )
    };
    shape(&value(Value::Embed(json("{\"image\":1}"))), &around(r#"{"embed":{"image":1}}"#));
    shape(&value(Value::Roots), &around(r#""roots""#));
    shape(&value(Value::Close), &around(r#""close""#));
    let open = Value::Open { name: "notes".into(), kind: SequenceKind::Text };
    shape(&value(open), &around(r#"{"open":{"name":"notes","kind":"text"}}"#));
    let mark = Mark {
        start: Anchor::START,
        end: Anchor::END,
        name: "bold".into(),
        value: Some(Json::yes()),
        stamp: 9,
    };
    shape(
        &value(Value::Mark(mark)),
        &around(
            r#"{"mark":{"start":{"element":null,"side":"after"},"end":{"element":null,"side":"before"},"name":"bold","value":true,"stamp":9}}"#,
        ),
    );
    let moved = Value::Move { element: id, stamp: 1 };
    shape(&value(moved), &around(r#"{"move":{"element":"000000005eeda11c:12","stamp":1}}"#));
}

#[test]
fn runs_and_edits_are_as_they_show() {
    let marks: Marks = [("bold", Json::yes()), ("link", json("null"))].into_iter().collect();
    shape(&TextRun::text("hi", marks.clone()), r#"{"text":"hi","marks":{"bold":true,"link":null}}"#);
    shape(&TextRun::embed(json("[1]"), Marks::NONE), r#"{"embed":[1]}"#);
    shape(&Content::Text("x".into()), r#"{"text":"x"}"#);
    let insert = TextEdit::Insert { position: 1, position_utf16: 2, text: "x".into(), marks };
    let name = "notes".into();
    shape(
        &TextEdit::In { name, kind: SequenceKind::List, edit: Box::new(insert) },
        r#"{"in":{"name":"notes","kind":"list","edit":{"insert":{"position":1,"position_utf16":2,"text":"x","marks":{"bold":true,"link":null}}}}}"#,
    );
    let gone = TextEdit::Mark {
        position: 0,
        position_utf16: 0,
        len: 1,
        len_utf16: 1,
        name: "b".into(),
        value: None,
    };
    shape(&gone, r#"{"mark":{"position":0,"position_utf16":0,"len":1,"len_utf16":1,"name":"b"}}"#);
}

fn sample() -> Doc {
    let mut doc = Doc::new(REPLICA);
    doc.insert(0, &"some text and so on ".repeat(9)).unwrap();
    doc.delete(2..5).unwrap();
    doc.mark(0..4, "bold", Json::yes()).unwrap();
    doc.insert_embed(1, json("{\"image\":\"u\"}")).unwrap();
    doc.set("title", json("null")).unwrap();
    doc.open_text("notes").unwrap().insert(0, "n").unwrap();
    doc.open_list("todo").unwrap().push(Json::number(1)).unwrap();
    doc
}

#[test]
fn a_delta_is_its_operations_and_where_they_lead() {
    let doc = sample();
    let delta = doc.delta_since(&VersionVector::new());
    let readable = ReadableDelta::read(&delta, &Limits::DEFAULT).unwrap();
    assert_eq!(readable.operations, decode_delta(&delta, &Limits::DEFAULT).unwrap());
    assert_eq!(&readable.version, doc.version());
    let text = serde_json::to_string(&readable).unwrap();
    assert_eq!(serde_json::from_str::<ReadableDelta>(&text).unwrap(), readable);
    assert!(ReadableDelta::read(&delta[1..], &Limits::DEFAULT).is_err());
}

#[test]
fn a_snapshot_shows_what_it_holds_in_every_profile() {
    let doc = sample();
    let read = |profile| {
        let snapshot = doc.encode_snapshot_as(profile);
        let readable = ReadableSnapshot::read(&snapshot, &Limits::DEFAULT).unwrap();
        assert!(
            readable.frame.chunks.iter().map(|chunk| chunk.stored_bytes).sum::<u64>() < snapshot.len() as u64
        );
        assert!(readable.frame.chunks.iter().any(|chunk| chunk.stored_bytes < chunk.plain_bytes));
        readable
    };
    let fast = read(SnapshotProfile::Fast);
    assert_eq!((&fast.version, &fast.runs), (doc.version(), &doc.runs()));
    assert_eq!(fast.registers.get("title"), Some(&json("null")));
    assert_eq!(fast.sequences.len(), 2);
    assert!(fast.visible < fast.elements);
    let shown = serde_json::to_value(&fast).unwrap();
    assert_eq!(shown["sequences"][1]["values"], serde_json::json!([1]), "{shown:#}");
    assert_eq!(shown["frame"]["chunks"][0]["tag"], "V");
    #[cfg(feature = "compact")]
    {
        let compact = read(SnapshotProfile::Compact);
        assert_eq!((&compact.runs, &compact.registers), (&fast.runs, &fast.registers));
    }
}
