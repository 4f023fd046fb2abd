//! The examples of `docs/protocol.md` are what this library sends and understands.

use crdt_core::sync::{
    CloseCode, Frame, Handle, JoinErrorCode, JoinMode, Limits, NackCode, Permission, PresenceEntry,
};
use crdt_core::{Doc, ReplicaId, VersionVector};
use std::collections::BTreeMap;

/// The document's handle in all examples.
const HANDLE: Handle = 300;

/// Who has typed "hi" in all examples.
const REPLICA: ReplicaId = ReplicaId::new(0x8877_6655_4433_2211);

fn check(examples: &BTreeMap<String, Vec<u8>>, name: &str, handle: Handle, frame: &Frame<'_>) {
    let bytes = frame.encode(handle);
    let hex = || bytes.iter().map(|byte| format!("{byte:02x} ")).collect::<String>();
    let example = examples.get(name).unwrap_or_else(|| panic!("no example of {name}: {}", hex()));
    assert_eq!(example, &bytes, "{name} is {}", hex());
    assert_eq!(Frame::decode(example), Ok((handle, frame.clone())), "{name}");
}

/// Blocks that open with ```` ```hex NAME ````; spaces and what follows a `;` are for people.
fn read_examples(document: &str) -> BTreeMap<String, Vec<u8>> {
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
    examples
}

#[test]
fn the_document_shows_every_frame_as_it_is_sent() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/protocol.md");
    let document = match std::fs::read_to_string(path) {
        Ok(document) => document,
        Err(error) => {
            eprintln!("SKIPPED: {path} is not part of this copy of the crate: {error}");
            return;
        }
    };
    let examples = read_examples(&document);

    let mut doc = Doc::new(REPLICA);
    doc.insert(0, "hi").unwrap();
    let delta = doc.delta_since(&VersionVector::new());
    let version: VersionVector = [(REPLICA, 2)].into_iter().collect();
    let epoch = 0x0102_0304_0506_0708;
    let entries = || {
        vec![PresenceEntry { session: 42, state: Some(b"{}") }, PresenceEntry { session: 43, state: None }]
    };
    let frames: [(&str, Handle, Frame<'_>); 25] = [
        ("Hello", 0, Frame::Hello { min_version: 1, max_version: 1, capabilities: 0 }),
        (
            "Welcome",
            0,
            Frame::Welcome {
                version: 1,
                capabilities: 0,
                session: 42,
                limits: Limits::default(),
                heartbeat_ms: 15_000,
            },
        ),
        ("Auth", 0, Frame::Auth { token: b"abc" }),
        ("AuthOk", 0, Frame::AuthOk { expires_ms: 3_600_000 }),
        ("Ping", 0, Frame::Ping { nonce: 1_000 }),
        ("Pong", 0, Frame::Pong { nonce: 1_000 }),
        ("GoAway", 0, Frame::GoAway { after_ms: 5_000 }),
        ("Error", 0, Frame::Error { code: CloseCode::INVALID_DELTA, text: "no" }),
        ("Fragment", HANDLE, Frame::Fragment { total: 300_000, start: 0, piece: &[0x14, 0xac, 0x02] }),
        (
            "Join",
            0,
            Frame::Join { request: 1, name: "notes", epoch: 0, last_log_seq: 0, version: version.clone() },
        ),
        (
            "Joined",
            HANDLE,
            Frame::Joined {
                request: 1,
                permission: Permission::Write,
                mode: JoinMode::Delta,
                epoch,
                head: 12,
                version: version.clone(),
            },
        ),
        (
            "JoinError",
            0,
            Frame::JoinError { request: 1, code: JoinErrorCode::RoomFull, retry_after_ms: 15_000 },
        ),
        ("Leave", HANDLE, Frame::Leave),
        ("Sync", HANDLE, Frame::Sync { up_to: 12, delta: &delta }),
        ("Update", HANDLE, Frame::Update { log_seq: 0, replica: REPLICA, from: 0, to: 2, delta: &delta }),
        ("Ack", HANDLE, Frame::Ack { replica: REPLICA, up_to: 2, log_seq: 13 }),
        (
            "Nack",
            HANDLE,
            Frame::Nack {
                replica: REPLICA,
                from: 4,
                to: 6,
                code: NackCode::Conflict,
                retry_after_ms: 0,
                expected: 2,
            },
        ),
        ("Pull", HANDLE, Frame::Pull { version }),
        ("Head", HANDLE, Frame::Head { log_seq: 13 }),
        ("PermissionChanged", HANDLE, Frame::PermissionChanged { permission: Permission::Read }),
        ("Reset", HANDLE, Frame::Reset { epoch }),
        ("Deleted", HANDLE, Frame::Deleted),
        ("PresenceSet", HANDLE, Frame::PresenceSet { state: Some(b"{}") }),
        ("PresenceSet of nothing", HANDLE, Frame::PresenceSet { state: None }),
        ("Presence", HANDLE, Frame::Presence { full: false, entries: entries() }),
    ];
    for (name, handle, frame) in &frames {
        check(&examples, name, *handle, frame);
    }
    assert_eq!(examples.len(), frames.len(), "every example is checked");
}

#[test]
fn the_document_names_every_number_of_the_codes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/protocol.md");
    let Ok(document) = std::fs::read_to_string(path) else {
        eprintln!("SKIPPED: {path} is not part of this copy of the crate");
        return;
    };
    for code in [4400, 4401, 4403, 4404, 4409, 4410, 4413, 4422, 4426, 4500, 4503, 4508, 4509, 4529] {
        assert!(document.contains(&format!("| {code} |")), "close code {code}");
    }
}
