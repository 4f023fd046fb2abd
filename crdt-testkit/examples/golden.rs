//! Writes the golden files in `golden/`, each with what it holds beside it as JSON, and the manifest of all.
//!
//! ```sh
//! cargo run -p crdt-testkit --example golden
//! ```
//!
//! Golden files are read for ever, so one that is there is never written again: new ones are added, under new names.
//! `--force` overwrites all of them, which is right only before they were ever released.

use crdt_core::bytes::crc32c;
use crdt_core::codec::{SnapshotProfile, encode_delta};
use crdt_core::log::{LogWriter, RecordKind};
use crdt_core::{Anchor, Authors, Doc, Expand, Json, Marks, Op, OpId, OpKind, ReplicaId, Seq, VersionVector};
use crdt_testkit::chunks::sealed;
use crdt_testkit::golden;
use serde_json::{Map, Value as Shape, json};
use std::error::Error;
use std::fs;
use std::path::PathBuf;

const ADA: ReplicaId = ReplicaId::new(0x8877_6655_4433_2211);
const BOB: ReplicaId = ReplicaId::new(0x0102_0304_0506_0708);
const EVE: ReplicaId = ReplicaId::new(0xfedc_ba98_7654_3210);

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let mut files = Files { force: std::env::args().any(|arg| arg == "--force"), manifest: Map::new() };
    single_deltas(&mut files)?;
    other_deltas(&mut files)?;
    parts(&mut files)?;
    snapshots(&mut files)?;
    trimmed(&mut files)?;
    logs(&mut files)?;
    files.write_manifest()
}

struct Files {
    force: bool,
    manifest: Map<String, Shape>,
}

impl Files {
    fn folder() -> PathBuf {
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/golden"))
    }

    fn write(&mut self, name: &str, bytes: &[u8], shape: &Shape) -> Outcome {
        assert!(bytes.len() < 4096, "{name} is small");
        let path = Self::folder().join(name);
        if self.force || !path.exists() {
            fs::write(&path, bytes)?;
            let mut text = serde_json::to_string_pretty(shape)?;
            text.push('\n');
            fs::write(path.with_file_name(format!("{name}.json")), text)?;
            println!("{name}: {} bytes", bytes.len());
        }
        let crc = format!("{:08x}", crc32c(&fs::read(&path)?));
        self.manifest.insert(name.to_owned(), crc.into());
        Ok(())
    }

    fn delta(&mut self, name: &str, bytes: &[u8]) -> Outcome {
        self.write(&format!("{name}.delta"), bytes, &golden::delta(bytes)?)
    }

    /// In both profiles.
    fn snapshot(&mut self, name: &str, doc: &Doc) -> Outcome {
        for (suffix, profile) in [("", SnapshotProfile::Fast), ("-compact", SnapshotProfile::Compact)] {
            let bytes = doc.encode_snapshot_as(profile);
            let shape = golden::snapshot(&bytes, &[]);
            // What was there before it was saved, told by itself.
            for (key, held) in golden::document(doc) {
                assert_eq!(held, shape[&key], "{name}{suffix}: {key}");
            }
            self.write(&format!("{name}{suffix}.snapshot"), &bytes, &shape)?;
        }
        Ok(())
    }

    /// Names that were there before stay: a golden file is never taken away.
    fn write_manifest(mut self) -> Outcome {
        let path = Self::folder().join("manifest.json");
        if let Ok(text) = fs::read_to_string(&path) {
            let before: Map<String, Shape> = serde_json::from_str(&text)?;
            for (name, crc) in before {
                if !self.force || !self.manifest.contains_key(&name) {
                    self.manifest.insert(name, crc);
                }
            }
        }
        let mut text = serde_json::to_string_pretty(&Shape::Object(self.manifest))?;
        text.push('\n');
        Ok(fs::write(path, text)?)
    }
}

fn ada(seq: Seq) -> OpId {
    OpId::new(ADA, seq)
}

fn bob(seq: Seq) -> OpId {
    OpId::new(BOB, seq)
}

fn insert(id: OpId, anchor: Anchor, text: &str) -> Op {
    Op { id, kind: OpKind::Insert { anchor, text: text.into() } }
}

fn delete(id: OpId, target: OpId, len: u32, descending: bool) -> Op {
    Op { id, kind: OpKind::Delete { target, len, descending } }
}

/// One of each kind of run.
fn single_deltas(files: &mut Files) -> Outcome {
    let singles = [
        ("insert-at-start", insert(ada(0), Anchor::START, "Hello")),
        ("insert-typed-on", insert(ada(300), Anchor::after(ada(299)), "x")),
        ("insert-after-own", insert(ada(70_000), Anchor::after(ada(3)), "dreißig Zeichen und noch mehr")),
        ("insert-before-own", insert(ada(9), Anchor::before(ada(8)), "日本")),
        ("insert-after-other", insert(ada(0), Anchor::after(bob(4_000_000_000)), "😀")),
        ("insert-before-other", insert(ada(300), Anchor::before(bob(5)), "naïve 😀")),
        ("delete-own-up", delete(ada(12), ada(4), 3, false)),
        ("delete-own-down", delete(ada(12), ada(11), 12, true)),
        ("delete-other-up", delete(ada(12), bob(0), 1000, false)),
        ("delete-other-down", delete(ada(4_294_967_290), bob(4_294_967_294), 2, true)),
    ];
    for (name, op) in singles {
        files.delta(name, &encode_delta(&[op]))?;
    }
    Ok(())
}

fn other_deltas(files: &mut Files) -> Outcome {
    files.delta("nothing", &encode_delta(&[]))?;
    let eve = |seq| OpId::new(EVE, seq);
    let table = [
        insert(bob(4), Anchor::after(ada(0)), "y"),
        insert(ada(0), Anchor::START, "hé"),
        delete(ada(2), ada(1), 1, false),
        delete(ada(3), eve(900), 200, true),
        // Behind a hole.
        insert(ada(1000), Anchor::before(ada(0)), "क्षि"),
        insert(eve(0), Anchor::after(bob(4)), "e\u{301}"),
        insert(eve(2), Anchor::before(eve(0)), "<"),
        insert(eve(3), Anchor::after(eve(0)), ">"),
    ];
    files.delta("table", &encode_delta(&table))?;
    files.delta("rich", &rich()?.delta_since(&VersionVector::new()))?;
    let mut doc = Doc::new(ADA);
    doc.insert(0, "a secret")?;
    doc.delete(1..8)?;
    doc.trim(&doc.version().clone())?;
    files.delta("trimmed", &doc.delta_since(&VersionVector::new()))
}

fn parts(files: &mut Files) -> Outcome {
    let version: VersionVector = [(ADA, 302), (BOB, 5), (EVE, 4_294_967_295)].into_iter().collect();
    let shape = json!({ "format": "version", "seen": golden::version(&version) });
    files.write("three.version", &version.encode(), &shape)?;
    let anchors =
        [("end", Anchor::END), ("after", Anchor::after(ada(300))), ("before", Anchor::before(bob(0)))];
    for (name, anchor) in anchors {
        let shape = json!({ "format": "anchor", "anchor": golden::anchor(&anchor) });
        files.write(&format!("{name}.anchor"), &anchor.encode(), &shape)?;
    }

    let mut authors = Authors::new();
    authors.record(ADA, 0..12, "ada", 1_700_000_000_000)?;
    authors.record(ADA, 12..13, "ada", 1_700_000_060_000)?;
    authors.record(ADA, 100..400, "Bob Ørsted", 1_699_999_999_999)?;
    authors.record(BOB, 7..8, "ada", 0)?;
    authors.record(EVE, 0..4_294_967_295, "", 1 << 53)?;
    files.write("users.authors", &authors.encode(), &golden::authors(&authors))
}

/// A document with one of everything that is not plain text.
fn rich() -> Result<Doc, Box<dyn Error>> {
    let (mut ada, mut bob) = (Doc::new(ADA), Doc::new(BOB));
    ada.insert(0, "The fox jumped.\nA heading\n")?;
    ada.mark(4..7, "link", Json::parse(r#"{"href":"https://example.org/fox"}"#)?)?;
    ada.set_expand("bold", Expand::After);
    ada.mark(0..7, "bold", Json::yes())?;
    ada.mark(25..26, "header", Json::number(1))?;
    bob.apply(&ada.delta_since(bob.version()))?;
    bob.unmark(2..5, "bold")?;
    bob.insert_embed(15, Json::parse(r#"{"image":"fox.png","alt":"名前"}"#)?)?;
    ada.insert(7, "es")?;
    ada.delete(18..20)?;
    let marks: Marks = [("color", Json::string("red")), ("bold", Json::yes())].into_iter().collect();
    ada.insert_with(0, "Look: ", &marks)?;
    ada.set("title", Json::string("Fox \"and\" friends"))?;
    bob.set("title", Json::string("Foxes"))?;
    bob.set("draft", Json::yes())?;
    bob.unset("draft")?;
    ada.open_list("tasks")?.push(Json::string("bread"))?;
    ada.open_list("tasks")?.push(Json::parse(r#"["milk",2]"#)?)?;
    ada.open_list("tasks")?.push(Json::string("eggs"))?;
    ada.open_text("notes")?.insert(0, "beside it")?;
    ada.open_text("notes")?.mark(0..6, "italic", Json::yes())?;
    sync(&mut [&mut ada, &mut bob])?;
    let at = bob.text().chars().position(|c| c == '\u{fffc}').ok_or("the embed shows")?;
    bob.replace_embed(at, Json::parse(r#"{"image":"vixen.png"}"#)?)?;
    bob.open_list("tasks")?.move_to(0, 2)?;
    ada.open_list("tasks")?.move_to(0, 1)?;
    ada.open_list("tasks")?.replace(0, Json::number(-7))?;
    ada.open_list("tasks")?.push(Json::string("tea"))?;
    bob.open_text("notes")?.insert(0, "> ")?;
    sync(&mut [&mut ada, &mut bob])?;
    ada.open_list("tasks")?.move_to(2, 0)?;
    ada.open_list("tasks")?.delete(3..4)?;
    ada.delete(0..3)?;
    // An element U+FFFC that is that character.
    ada.insert(0, "\u{fffc}")?;
    Ok(ada)
}

/// Statements among text of two replicas, and none that moves anything, so that it can be told in the order of time.
fn statements() -> Result<Doc, Box<dyn Error>> {
    let (mut ada, mut bob) = (Doc::new(ADA), Doc::new(BOB));
    ada.insert(0, "marked and set")?;
    ada.mark(0..6, "bold", Json::yes())?;
    bob.apply(&ada.delta_since(bob.version()))?;
    bob.set("colour", Json::string("blue"))?;
    bob.open_text("notes")?.insert(0, "beside")?;
    bob.insert(6, " twice")?;
    ada.insert_embed(6, Json::number(1))?;
    ada.mark(3..11, "italic", Json::yes())?;
    ada.open_list("tasks")?.push(Json::string("bread"))?;
    ada.open_list("tasks")?.push(Json::string("tea"))?;
    sync(&mut [&mut ada, &mut bob])?;
    bob.delete(2..9)?;
    bob.unmark(0..1, "bold")?;
    ada.open_list("tasks")?.delete(0..1)?;
    ada.open_text("notes")?.insert(6, "\u{fffc}!")?;
    sync(&mut [&mut ada, &mut bob])?;
    ada.insert(3, "end")?;
    bob.insert(3, "END")?;
    bob.unset("colour")?;
    sync(&mut [&mut ada, &mut bob])?;
    Ok(ada)
}

fn sync(docs: &mut [&mut Doc]) -> Outcome {
    for to in 0..docs.len() {
        for from in 0..docs.len() {
            let delta = docs[from].delta_since(docs[to].version());
            docs[to].apply(&delta)?;
        }
    }
    Ok(())
}

/// Many small edits everywhere, the same at each run.
fn tombstones() -> Result<Doc, Box<dyn Error>> {
    let mut doc = Doc::new(BOB);
    doc.insert(0, &"0123456789abcdef".repeat(20))?;
    for step in 0..40_usize {
        let at = step * 97 % doc.len();
        let to = doc.len().min(at + 1 + step % 7);
        if step % 3 == 0 {
            // Backspacing.
            for end in (at..to).rev() {
                doc.delete(end..end + 1)?;
            }
        } else {
            doc.delete(at..to)?;
        }
        if step % 4 == 1 {
            doc.insert(at, ["<é>", "in", "x"][step % 3])?;
        }
    }
    Ok(doc)
}

/// Three replicas that write at one place at once, forwards, backwards and into each other.
fn concurrent() -> Result<Doc, Box<dyn Error>> {
    let (mut ada, mut bob, mut eve) = (Doc::new(ADA), Doc::new(BOB), Doc::new(EVE));
    ada.insert(0, "[]")?;
    bob.apply(&ada.delta_since(bob.version()))?;
    eve.apply(&ada.delta_since(eve.version()))?;
    ada.insert(1, "ada")?;
    bob.insert(1, "bob")?;
    for letter in ["e", "v", "e"] {
        eve.insert(1, letter)?;
    }
    ada.insert(0, "(")?;
    bob.insert(0, "{")?;
    eve.delete(0..1)?;
    sync(&mut [&mut ada, &mut bob, &mut eve])?;
    let len = ada.len();
    ada.insert(len / 2, "–")?;
    bob.delete(2..6)?;
    eve.delete(1..4)?;
    eve.insert(2, "EVE")?;
    sync(&mut [&mut ada, &mut bob, &mut eve])?;
    bob.insert(3, "!")?;
    bob.delete(4..5)?;
    bob.insert(4, "?")?;
    Ok(bob)
}

fn waiting() -> Result<Doc, Box<dyn Error>> {
    let (mut ada, mut bob) = (Doc::new(ADA), Doc::new(BOB));
    ada.insert(0, "What is here. ")?;
    bob.apply(&ada.delta_since(bob.version()))?;
    ada.insert(14, "What is missing. ")?;
    let before = ada.version().clone();
    ada.insert(31, "What waits.")?;
    ada.delete(0..2)?;
    ada.insert_embed(5, Json::string("waits, too"))?;
    bob.insert(0, "> ")?;
    bob.apply(&ada.delta_since(&before))?;
    assert_eq!(bob.pending().operations, 14);
    Ok(bob)
}

fn snapshots(files: &mut Files) -> Outcome {
    files.snapshot("empty", &Doc::new(ADA))?;
    let mut ascii = Doc::new(ADA);
    ascii.insert(0, &"All work and no play makes Jack a dull boy. ".repeat(8))?;
    ascii.insert(88, "\nna na na na na na na na\n")?;
    ascii.insert(0, "\"")?;
    ascii.insert(ascii.len(), "\"")?;
    files.snapshot("ascii", &ascii)?;
    let mut other = Doc::new(ADA);
    other.insert(0, "日本語、e\u{301}, 👩🏽‍🚀 ")?;
    other.insert(3, "と한국어")?;
    other.insert(0, &"żółć ".repeat(110))?;
    other.insert(6, "plain")?;
    other.delete(20..30)?;
    files.snapshot("alphabets", &other)?;
    files.snapshot("tombstones", &tombstones()?)?;
    files.snapshot("concurrent", &concurrent()?)?;
    files.snapshot("rich", &rich()?)?;
    files.snapshot("statements", &statements()?)?;
    files.snapshot("waiting", &waiting()?)?;

    // Chunks that somebody added later: behind all others, which is where they are written back.
    let plain = ascii.encode_snapshot();
    let mut body = plain[6..plain.len() - 4].to_vec();
    body.extend_from_slice(b"z\x00\x05later");
    body.extend_from_slice(b"b\x07\x02\xff\x00");
    // The third number that is optional: bits 1 and 2^40.
    let (required, chunks) = (body[0], &body[2..]);
    assert!(required < 0x80 && body[1] == 0, "one byte each");
    let mut added = vec![required, 0x81, 0x80, 0x80, 0x80, 0x80, 0x40];
    added.extend_from_slice(chunks);
    let bytes = sealed(&added);
    let shape = golden::snapshot(&bytes, &[('z', b"later"), ('b', &[0xff, 0])]);
    files.write("unknown-chunks.snapshot", &bytes, &shape)
}

fn trimmed(files: &mut Files) -> Outcome {
    let (mut ada, mut bob) = (Doc::new(ADA), Doc::new(BOB));
    ada.insert(0, "Once there was a mañana that was forgotten.")?;
    bob.apply(&ada.delta_since(bob.version()))?;
    bob.delete(5..11)?;
    ada.insert(17, "grey ")?;
    ada.delete(30..35)?;
    sync(&mut [&mut ada, &mut bob])?;
    bob.insert(4, ", twice,")?;
    sync(&mut [&mut ada, &mut bob])?;
    let floor = ada.version().clone();
    ada.delete(2..8)?;
    ada.insert(2, "ly")?;
    bob.insert(bob.len(), " The end.")?;
    sync(&mut [&mut ada, &mut bob])?;
    ada.trim(&floor)?;
    // In the order of time only what is whole can be written.
    let bytes = ada.encode_snapshot();
    files.write("trimmed.snapshot", &bytes, &golden::snapshot(&bytes, &[]))
}

fn logs(files: &mut Files) -> Outcome {
    let mut doc = Doc::new(ADA);
    doc.insert(0, "compacted")?;
    let (mut bytes, note) = (Vec::new(), RecordKind::optional(b'n').ok_or("a letter")?);
    let mut log = LogWriter::start(0x0123_4567_89ab_cdef, &mut bytes);
    log.append(RecordKind::SNAPSHOT, &doc.encode_snapshot(), &mut bytes);
    log.append(note, b"by hand", &mut bytes);
    for text in [" and", " on"] {
        let before = doc.version().clone();
        doc.insert(doc.len(), text)?;
        log.append(RecordKind::DELTA, &doc.delta_since(&before), &mut bytes);
    }
    files.write("compacted.log", &bytes, &golden::log(&bytes)?)?;
    // Everything stopped three bytes before the end of another record.
    let before = doc.version().clone();
    doc.delete(0..3)?;
    log.append(RecordKind::DELTA, &doc.delta_since(&before), &mut bytes);
    bytes.truncate(bytes.len() - 3);
    files.write("torn.log", &bytes, &golden::log(&bytes)?)
}
