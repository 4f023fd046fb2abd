//! The examples of `docs/format.md` are what this library writes and reads.

use crdt_core::bytes::crc32c;
use crdt_core::codec::{Limits, ReplicaNames, decode_delta, encode_delta, merge_deltas};
use crdt_core::log::{LogReader, LogWriter, RecordKind};
use crdt_core::{
    Anchor, DecodeError, Doc, Json, Mark, Op, OpId, OpKind, ReplicaId, Seq, Value, VersionVector,
};
use std::collections::BTreeMap;

const ONE: ReplicaId = ReplicaId::new(0x8877_6655_4433_2211);
const OTHER: ReplicaId = ReplicaId::new(0x0102_0304_0506_0708);

fn one(seq: Seq) -> OpId {
    OpId::new(ONE, seq)
}

fn other(seq: Seq) -> OpId {
    OpId::new(OTHER, seq)
}

fn insert(id: OpId, anchor: Anchor, text: &str) -> Op {
    Op { id, kind: OpKind::Insert { anchor, text: text.into() } }
}

fn delete(id: OpId, target: OpId, len: u32, descending: bool) -> Op {
    Op { id, kind: OpKind::Delete { target, len, descending } }
}

fn carry(id: OpId, anchor: Anchor, value: Value) -> Op {
    Op { id, kind: OpKind::InsertValue { anchor, value } }
}

/// Blocks that open with ```` ```hex NAME ````; spaces and what follows a `;` are for people.
struct Examples(BTreeMap<String, Vec<u8>>);

impl Examples {
    fn read() -> Self {
        let document = include_str!("../../docs/format.md");
        let mut examples = BTreeMap::new();
        let mut lines = document.lines();
        while let Some(line) = lines.next() {
            let Some(name) = line.strip_prefix("```hex ") else { continue };
            let mut bytes = Vec::new();
            for line in lines.by_ref().take_while(|line| *line != "```") {
                let hex = line.split(';').next().unwrap_or_default();
                for byte in hex.split_whitespace() {
                    bytes.push(u8::from_str_radix(byte, 16).unwrap_or_else(|_| panic!("{name}: {byte}")));
                }
            }
            assert_eq!(examples.insert(name.to_owned(), bytes), None, "{name} is there once");
        }
        Self(examples)
    }

    fn take(&mut self, name: &str) -> Vec<u8> {
        self.0.remove(name).unwrap_or_else(|| panic!("there is no example {name:?}"))
    }

    fn delta(&mut self, name: &str, mut ops: Vec<Op>) {
        let bytes = self.take(&format!("delta: {name}"));
        let merged = merge_deltas(&[&encode_delta(&ops), &bytes], &Limits::DEFAULT);
        assert_eq!(merged, Ok(bytes.clone()), "{name}");
        let mut read = decode_delta(&bytes, &Limits::DEFAULT).unwrap();
        ops.sort_by_key(|op| op.id);
        read.sort_by_key(|op| op.id);
        assert_eq!(read, ops, "{name}");
        for len in 0..bytes.len() {
            // A table that is cut between blocks is a smaller one.
            if let Ok(less) = decode_delta(&bytes[..len], &Limits::DEFAULT) {
                assert!(bytes[0] == 0xd2 && less.len() < ops.len(), "{name} cut to {len} bytes");
            }
        }
    }
}

#[test]
fn every_example_is_what_is_written_and_read() {
    let mut examples = Examples::read();
    let checksum = examples.take("CRC-32C of 123456789");
    assert_eq!(crc32c(b"123456789").to_le_bytes(), *checksum);

    examples.delta("a letter typed on", vec![insert(one(300), Anchor::after(one(299)), "x")]);
    let beside = vec![insert(one(300), Anchor::before(other(5)), "naïve 😀")];
    examples.delta("text before an element of somebody else", beside);
    examples.delta("three elements deleted downwards", vec![delete(one(301), one(299), 3, true)]);
    examples.delta(
        "a table of three runs",
        vec![
            insert(one(0), Anchor::START, "hé"),
            delete(one(2), one(1), 1, false),
            insert(other(4), Anchor::after(one(0)), "y"),
        ],
    );
    examples.delta("nothing", vec![]);
    let embed = Value::Embed(Json::parse(r#"{"image":"a.png"}"#).unwrap());
    let (start, end) = (Anchor::before(one(0)), Anchor::before(one(2)));
    let mark = Mark { start, end, name: "bold".into(), value: Some(Json::yes()), stamp: 1 };
    examples.delta(
        "text, an embed and a mark",
        vec![
            insert(one(0), Anchor::START, "hi"),
            carry(one(2), Anchor::after(one(1)), embed),
            carry(one(3), Anchor::START, Value::Mark(mark)),
        ],
    );

    let version: VersionVector = [(ONE, 302), (OTHER, 5)].into_iter().collect();
    let bytes = examples.take("version vector");
    assert_eq!(version.encode(), bytes);
    assert_eq!(VersionVector::decode(&bytes, &Limits::DEFAULT), Ok(version));
    for (name, anchor) in [("behind an element", Anchor::after(one(300))), ("the start", Anchor::START)] {
        let bytes = examples.take(&format!("anchor: {name}"));
        assert_eq!(anchor.encode(), bytes);
        assert_eq!(Anchor::decode(&bytes), Ok(anchor));
    }

    let log = examples.take("log");
    let mut written = Vec::new();
    let delta = encode_delta(&[insert(one(0), Anchor::START, "hi")]);
    LogWriter::start(0x5eed, &mut written).append(RecordKind::DELTA, &delta, &mut written);
    assert_eq!(written, log);
    let mut reader = LogReader::new(&log, &Limits::DEFAULT).unwrap();
    let record = reader.next().unwrap().unwrap();
    assert_eq!((record.offset, record.kind, record.payload), (26, RecordKind::DELTA, delta.as_slice()));
    assert_eq!((reader.next(), reader.torn_tail(), reader.id()), (None, None, 0x5eed));

    named(&mut examples);
    examples.0.retain(|name, _| !name.starts_with("snapshot"));
    assert_eq!(examples.0.keys().collect::<Vec<_>>(), Vec::<&String>::new(), "every example is checked");
}

fn named(examples: &mut Examples) {
    let (mut writer, mut listener) = (Doc::new(ONE), Doc::new(ReplicaId::new(7)));
    let (mut sent, mut received) = (ReplicaNames::new(), ReplicaNames::new());
    let mut pass = |writer: &Doc, replica, seqs, name: &str| {
        let bytes = examples.take(&format!("named delta {name}"));
        let mut delta = Vec::new();
        writer.delta_of_named(replica, seqs, &mut sent, &mut delta);
        assert_eq!(delta, bytes, "{name}");
        assert_eq!(decode_delta(&bytes, &Limits::DEFAULT), Err(DecodeError::WrongFormat), "{name}");
        listener.apply_named(&bytes, &mut received).unwrap();
        assert_eq!(received, sent, "{name}");
    };
    writer.insert(0, "h").unwrap();
    pass(&writer, ONE, 0..1, "1: a first letter");
    writer.insert(1, "i").unwrap();
    pass(&writer, ONE, 1..2, "2: typed on");
    writer.apply(&encode_delta(&[insert(other(0), Anchor::after(one(1)), "!")])).unwrap();
    pass(&writer, OTHER, 0..1, "3: somebody else, after the second letter");
    writer.delete(0..1).unwrap();
    pass(&writer, ONE, 2..3, "4: the first letter is deleted");
    writer.insert(0, "o").unwrap();
    writer.delete(0..1).unwrap();
    pass(&writer, ONE, 3..5, "5: a table");
    assert_eq!(listener.text(), "i!");
}
