//! Small inputs that ask for much: lengths that nobody sent, things of nothing a million times, chains of operations that
//! wait for each other, versions that nobody has.
//!
//! Each must be refused, or handled, at a cost that its own bytes justify. Who sets them off counts what they take.

use crate::chunks::{Body, Chunk, DEFLATE, LZ4, PLAIN, body, sealed};
use crate::loaded::PROFILES;
use crdt_core::bytes::{write_bytes, write_u64_le, write_varint};
use crdt_core::codec::{Limits, encode_delta};
use crdt_core::sync::{Client, Frame, JoinMode, Permission};
use crdt_core::{Anchor, Doc, Expand, Json, Op, OpId, OpKind, ReplicaId, VersionVector};
use flate2::{Compression, write::DeflateEncoder};
use std::io::Write;

const MILLION: u32 = 1_000_000;
const ME: ReplicaId = ReplicaId::new(0x7e57);

/// What has to become of a bomb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// An error.
    Refused,
    /// It is sound, only unusual.
    Taken,
    /// There are many, some of which happen to be sound.
    Either,
}

/// Who has to do with it.
#[derive(Clone, Copy, Debug)]
pub enum Reader {
    /// [`Doc::apply`].
    Delta,
    /// [`Doc::from_snapshot`].
    Snapshot,
    /// [`Frame::decode`], and a client that has joined.
    Message,
    /// [`VersionVector::decode`], and a document that says what it lacks.
    Version,
    /// [`Json::parse`].
    Json,
}

/// Some inputs of one kind.
#[derive(Clone, Debug)]
pub struct Bomb {
    /// What is large in it.
    pub name: &'static str,
    /// Who reads it.
    pub reader: Reader,
    /// The inputs; each is set off by itself.
    pub inputs: Vec<Vec<u8>>,
    /// What has to become of each.
    pub expected: Expected,
    /// Whether its bytes are operations indeed, as many as they say.
    pub is_long: bool,
}

impl Bomb {
    /// How many bytes on the heap one input may take: 10 MB, or if it holds what it says, what [`Limits`] documents.
    pub fn most_bytes(&self, input: &[u8]) -> usize {
        const MOST: usize = 10_000_000;
        if self.is_long { MOST.max(75 * input.len()) } else { MOST }
    }

    /// Lets the reader read one of the inputs; says why it refused.
    ///
    /// # Errors
    /// When it did.
    pub fn set_off(&self, input: &[u8]) -> Result<(), String> {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        match self.reader {
            Reader::Delta => {
                let mut doc = Doc::new(ME);
                doc.apply(input).map(drop).map_err(|error| {
                    assert!(doc.version().is_empty() && doc.pending().operations == 0, "nothing changed");
                    said(&error)
                })
            }
            Reader::Snapshot => Doc::from_snapshot(ME, input).map(drop).map_err(|error| said(&error)),
            Reader::Message => {
                let decoded = Frame::decode(input).map(drop);
                let mut doc = Doc::new(ME);
                joined(&mut doc).receive(&mut doc, input);
                decoded.map_err(|error| said(&error))
            }
            Reader::Version => {
                let version = VersionVector::decode(input, &Limits::DEFAULT).map_err(|error| said(&error))?;
                let mut doc = Doc::new(ME);
                doc.insert(0, "text").expect("position 0 exists");
                let delta = doc.delta_since(&version);
                assert!(!delta.is_empty(), "what it lacks of what is here");
                Ok(())
            }
            Reader::Json => {
                let text = std::str::from_utf8(input).map_err(|error| said(&error))?;
                Json::parse(text).map(drop).map_err(|error| said(&error))
            }
        }
    }
}

/// A client that has joined a server that holds nothing.
fn joined(doc: &mut Doc) -> Client {
    let mut client = Client::new("doc");
    client.connected(doc);
    let welcome = Frame::Welcome {
        version: 1,
        capabilities: 0,
        session: 42,
        limits: crdt_core::sync::Limits::default(),
        heartbeat_ms: 1_000,
    };
    client.receive(doc, &welcome.encode(0));
    let joined = Frame::Joined {
        request: 1,
        permission: Permission::Write,
        mode: JoinMode::Delta,
        epoch: 5,
        head: 10,
        version: VersionVector::new(),
    };
    client.receive(doc, &joined.encode(1));
    client
}

/// All of them.
pub fn bombs() -> Vec<Bomb> {
    let bomb = |name, reader, inputs, expected| Bomb { name, reader, inputs, expected, is_long: false };
    let sample = sample();
    let everything = sample.delta_since(&VersionVector::new());
    let [snapshot, compact] = PROFILES.map(|profile| sample.encode_snapshot_as(profile));
    use Expected::{Either, Refused, Taken};
    vec![
        bomb(
            "2^60, 2^32 - 1, … in every place of a delta of one run",
            Reader::Delta,
            swollen(&one_run()),
            Either,
        ),
        bomb("… of a delta with a table and values", Reader::Delta, swollen(&everything), Either),
        bomb("… of a snapshot, inside its chunks", Reader::Snapshot, swollen_chunks(&snapshot), Either),
        bomb("… of a snapshot, and of its frame", Reader::Snapshot, swollen_body(&snapshot), Either),
        bomb(
            "… of a compact snapshot, inside its chunks",
            Reader::Snapshot,
            swollen_chunks(&compact),
            Either,
        ),
        bomb("… of a compact snapshot, and of its frame", Reader::Snapshot, swollen_body(&compact), Either),
        bomb(
            "… of messages",
            Reader::Message,
            messages(&sample).iter().flat_map(|one| swollen(one)).collect(),
            Either,
        ),
        bomb("… of a version vector", Reader::Version, swollen(&sample.version().encode()), Either),
        bomb("10^6 empty runs in a delta", Reader::Delta, vec![empty_runs()], Refused),
        bomb("10^6 blocks of no runs in a delta", Reader::Delta, vec![empty_blocks()], Refused),
        bomb("10^6 values that no element carries", Reader::Delta, vec![stray_values()], Refused),
        bomb("10^6 empty chunks in a snapshot", Reader::Snapshot, vec![many_chunks(Vec::new())], Refused),
        bomb("10^6 chunks that nobody knows", Reader::Snapshot, vec![many_chunks(vec![1])], Refused),
        bomb("64 MB of compressed zeros", Reader::Snapshot, zeros(64 << 20), Refused),
        bomb("4 MB of compressed zeros", Reader::Snapshot, zeros(4 << 20), Refused),
        bomb(
            "10^6 values that no element carries, in a snapshot",
            Reader::Snapshot,
            vec![with_chunks(vec![chunk(b'W', PLAIN, values())])],
            Refused,
        ),
        bomb(
            "a snapshot of 10^5 replicas with 2^32 - 1 operations each",
            Reader::Snapshot,
            vec![vast_version()],
            Refused,
        ),
        bomb(
            "10^6 operations that wait for each other in a circle",
            Reader::Delta,
            vec![circle(MILLION)],
            Refused,
        ),
        bomb("… each in a block", Reader::Delta, vec![circle_of_blocks(MILLION)], Refused),
        bomb(
            "10^6 operations that wait for one that is missing",
            Reader::Delta,
            vec![waiting(MILLION)],
            Refused,
        ),
        bomb(
            "… that wait in a snapshot",
            Reader::Snapshot,
            vec![with_chunks(vec![chunk(b'P', PLAIN, waiting(MILLION))])],
            Refused,
        ),
        Bomb {
            is_long: true,
            ..bomb(
                "2^16 operations that wait for each other in a circle: as many as may",
                Reader::Delta,
                vec![circle(1 << 16)],
                Taken,
            )
        },
        bomb("a run of 2^32 - 1 deletions of what is missing", Reader::Delta, vec![vast_deletion()], Refused),
        bomb(
            "a version vector of 10^5 replicas at 2^32 - 1",
            Reader::Version,
            vec![vast_vector(100_000)],
            Taken,
        ),
        bomb("10^6 brackets", Reader::Json, vec![vec![b'['; MILLION as usize]], Refused),
        bomb("10^6 brackets as an embed", Reader::Delta, vec![nested_embed(MILLION as usize)], Refused),
        bomb("a fragment of 4 GiB", Reader::Message, vec![fragment()], Taken),
    ]
}

/// A document with a little of everything.
fn sample() -> Doc {
    let mut doc = Doc::new(ReplicaId::new(2));
    let sound = "the sample is sound";
    doc.insert(0, "some téxt 😀 here").expect(sound);
    doc.delete(2..6).expect(sound);
    doc.insert(3, &"ABC and so on ".repeat(8)).expect(sound);
    doc.set_expand("bold", Expand::Both);
    doc.mark(1..7, "bold", Json::yes()).expect(sound);
    doc.insert_embed(4, Json::string("e")).expect(sound);
    doc.set("title", Json::number(7)).expect(sound);
    doc.open_list("todo").and_then(|mut list| list.push(Json::number(1))).expect(sound);
    let mut other = Doc::new(ReplicaId::new(1));
    other.apply(&doc.delta_since(&VersionVector::new())).expect(sound);
    other.insert(1, "xyz").expect(sound);
    doc.insert(1, "uvw").expect(sound);
    let from = doc.version().clone();
    doc.apply(&other.delta_since(&from)).expect(sound);
    // And something that waits.
    let anchor = Anchor::after(OpId::new(ReplicaId::new(9), 4));
    let id = OpId::new(ReplicaId::new(8), 0);
    doc.apply(&encode_delta(&[Op { id, kind: OpKind::Insert { anchor, text: "w".into() } }])).expect(sound);
    doc
}

fn one_run() -> Vec<u8> {
    let mut doc = Doc::new(ReplicaId::new(2));
    doc.insert(0, "abcdefghijkl").expect("position 0 exists");
    doc.delta_since(&VersionVector::new())
}

fn messages(doc: &Doc) -> Vec<Vec<u8>> {
    let version = doc.version().clone();
    let delta = doc.delta_since(&VersionVector::new());
    vec![
        Frame::Sync { up_to: 10, delta: &delta }.encode(1),
        Frame::Join { request: 1, name: "doc", epoch: 5, last_log_seq: 9, version: version.clone() }
            .encode(0),
        Frame::Pull { version }.encode(1),
        Frame::Fragment { total: 100, start: 0, piece: b"piece" }.encode(1),
        Frame::Update { log_seq: 11, replica: ReplicaId::new(2), from: 0, to: 12, delta: &one_run() }
            .encode(1),
        Frame::Presence {
            full: true,
            entries: vec![crdt_core::sync::PresenceEntry { session: 3, state: Some(b"{}") }],
        }
        .encode(1),
    ]
}

/// The bytes with a vast number in each place, in place of a byte and in front of it.
fn swollen(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for number in [1 << 60, u64::MAX, u64::from(u32::MAX), 1 << 31, 1 << 27, 1 << 60 | 1] {
        let mut vast = Vec::new();
        write_varint(&mut vast, number);
        for at in 0..bytes.len() {
            for replaced in 0..2 {
                all.push([&bytes[..at], &vast, &bytes[at + replaced..]].concat());
            }
        }
    }
    all
}

/// Snapshots in which the contents of each chunk are swollen, and their lengths are right: as they are compressed, and as
/// they are.
fn swollen_chunks(snapshot: &[u8]) -> Vec<Vec<u8>> {
    let whole = Body::read(body(snapshot)).expect("an own snapshot");
    let plain = whole.plain().expect("an own snapshot");
    let mut all = Vec::new();
    for whole in [whole, plain] {
        for at in 0..whole.chunks.len() {
            for bytes in swollen(&whole.chunks[at].bytes) {
                let mut changed = whole.clone();
                changed.chunks[at].bytes = bytes;
                all.push(sealed(&changed.write()));
            }
        }
    }
    all
}

fn swollen_body(snapshot: &[u8]) -> Vec<Vec<u8>> {
    swollen(body(snapshot)).iter().map(|body| sealed(body)).collect()
}

/// The start of a delta with a table of these replicas and text.
fn table(replicas: impl ExactSizeIterator<Item = u64>, text: &str) -> Vec<u8> {
    let mut out = vec![0xd2];
    write_varint(&mut out, replicas.len() as u64);
    replicas.for_each(|replica| write_u64_le(&mut out, replica));
    write_bytes(&mut out, text.as_bytes());
    out
}

fn empty_runs() -> Vec<u8> {
    let mut out = table([5].into_iter(), "");
    // Block of replica 0 that says how many runs there are, from 0 on; a run of no length takes a byte.
    out.extend([1, 0]);
    write_varint(&mut out, u64::from(MILLION));
    out.resize(out.len() + MILLION as usize, 0);
    out
}

fn empty_blocks() -> Vec<u8> {
    let mut out = table([5].into_iter(), "");
    for _ in 0..MILLION {
        out.extend([1, 0, 0]);
    }
    out
}

fn stray_values() -> Vec<u8> {
    let mut out = vec![0xf2];
    let id = OpId::new(ReplicaId::new(5), 0);
    let text = OpKind::Insert { anchor: Anchor::START, text: "x".into() };
    write_bytes(&mut out, &encode_delta(&[Op { id, kind: text }]));
    out.append(&mut values());
    out
}

/// A table of one replica, a block of it, and its values: each ends a sequence.
fn values() -> Vec<u8> {
    let mut out = vec![1];
    write_u64_le(&mut out, 5);
    out.push(0);
    write_varint(&mut out, u64::from(MILLION));
    for _ in 0..MILLION {
        out.extend([0, 7]);
    }
    out
}

fn chunk(tag: u8, coding: u8, bytes: Vec<u8>) -> Chunk {
    Chunk { tag, coding, bytes }
}

/// A snapshot that may use all compressions.
fn with_chunks(chunks: Vec<Chunk>) -> Vec<u8> {
    sealed(&Body { header: vec![3, 0], chunks }.write())
}

fn many_chunks(bytes: Vec<u8>) -> Vec<u8> {
    with_chunks(vec![chunk(b'z', PLAIN, bytes); MILLION as usize])
}

fn vast_version() -> Vec<u8> {
    with_chunks(vec![chunk(b'V', PLAIN, vast_vector(100_000))])
}

/// What `packed` says it comes to, and `packed`.
fn compressed(coding: u8, len: usize, packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_varint(&mut bytes, len as u64);
    bytes.extend_from_slice(packed);
    with_chunks(vec![chunk(b'T', coding, bytes)])
}

fn zeros(len: usize) -> Vec<Vec<u8>> {
    let zeros = vec![0; len];
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
    deflated.write_all(&zeros).expect("memory takes all");
    let deflated = deflated.finish().expect("memory takes all");
    let mut lz4 = vec![0; lz4_flex::block::get_maximum_output_size(len)];
    let written = lz4_flex::block::compress_into(&zeros, &mut lz4).expect("there is room");
    lz4.truncate(written);
    // Those that say how much comes out, and those that say that little does.
    [(LZ4, lz4), (DEFLATE, deflated)]
        .iter()
        .flat_map(|(coding, packed)| [len, 100].map(|said| compressed(*coding, said, packed)))
        .collect()
}

fn vast_vector(replicas: u32) -> Vec<u8> {
    (1..=replicas)
        .map(|replica| (ReplicaId::new(u64::from(replica)), u32::MAX))
        .collect::<VersionVector>()
        .encode()
}

/// Of two replicas, each operation is placed beside the next one of the other.
fn circle(operations: u32) -> Vec<u8> {
    let half = operations / 2;
    let one = |replica: u64, other: u64, seq, to| Op {
        id: OpId::new(ReplicaId::new(replica), seq),
        kind: OpKind::Insert {
            anchor: Anchor::after(OpId::new(ReplicaId::new(other), to)),
            text: "x".into(),
        },
    };
    let first = (0..half).map(|seq| one(1, 2, seq, seq));
    let second = (0..half).map(|seq| one(2, 1, seq, seq + 1));
    encode_delta(&first.chain(second).collect::<Vec<_>>())
}

/// The same, with a block for each operation, in turns.
fn circle_of_blocks(operations: u32) -> Vec<u8> {
    let mut out = table([1, 2].into_iter(), &"x".repeat(operations as usize));
    for seq in 0..operations / 2 {
        for (replica, to) in [(0, seq), (1, seq + 1)] {
            out.push(replica << 1);
            write_varint(&mut out, u64::from(seq));
            // Inserts one element beside one of another replica.
            out.extend([1 << 3 | 4, (1 - replica) << 1]);
            write_varint(&mut out, u64::from(to));
        }
    }
    out
}

/// Each beside the one before it, and the first beside one that never comes.
fn waiting(operations: u32) -> Vec<u8> {
    let replica = ReplicaId::new(1);
    let missing = Anchor::after(OpId::new(ReplicaId::new(2), 7));
    let anchor = |seq: u32| seq.checked_sub(1).map_or(missing, |seq| Anchor::before(OpId::new(replica, seq)));
    let one = |seq| Op {
        id: OpId::new(replica, seq),
        kind: OpKind::Insert { anchor: anchor(seq), text: "x".into() },
    };
    encode_delta(&(0..operations).map(one).collect::<Vec<_>>())
}

fn vast_deletion() -> Vec<u8> {
    let target = OpId::new(ReplicaId::new(2), 0);
    let kind = OpKind::Delete { target, len: u32::MAX - 1, descending: false };
    encode_delta(&[Op { id: OpId::new(ReplicaId::new(1), 0), kind }])
}

fn nested_embed(depth: usize) -> Vec<u8> {
    let mut out = vec![0xf2];
    let id = OpId::new(ReplicaId::new(5), 0);
    let text = OpKind::Insert { anchor: Anchor::START, text: "\u{fffc}".into() };
    write_bytes(&mut out, &encode_delta(&[Op { id, kind: text }]));
    out.push(1);
    write_u64_le(&mut out, 5);
    out.extend([0, 1, 0, 0]);
    write_bytes(&mut out, &vec![b'['; depth]);
    out
}

fn fragment() -> Vec<u8> {
    Frame::Fragment { total: u32::MAX, start: 0, piece: b"piece" }.encode(1)
}
