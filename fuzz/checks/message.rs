//! Bytes from outside as a message of the sync protocol, read alone, and by a client.

use crdt_core::sync::{
    Client, Frame, FrameError, Handle, JoinMode, Limits, Output, Permission, Reassembly, Status, StopReason,
};
use crdt_core::{Doc, ReplicaId, VersionVector};
use crdt_testkit::plain::PlainText;

const HANDLE: Handle = 1;

/// Reads the bytes as one message, and as several of one connection.
pub(crate) fn check(bytes: &[u8]) {
    alone(bytes);
    pieces(bytes);
    let (&setting, messages) = bytes.split_first().unwrap_or((&0, &[]));
    connection(setting, messages);
}

/// What is read can be said again, and only so.
fn alone(bytes: &[u8]) {
    match Frame::decode(bytes) {
        // What it said is not kept.
        Ok((_, Frame::Ignored { .. })) | Err(_) => {}
        Ok((handle, frame)) => assert_eq!(frame.encode(handle), bytes, "a frame has one form"),
    }
}

/// Pieces of a frame take no more memory than they bring, and make what was announced.
fn pieces(bytes: &[u8]) {
    const LIMIT: usize = 1 << 20;
    let mut reassembly = Reassembly::new();
    let mut brought = 0;
    for bytes in bytes.chunks(12) {
        let Ok((_, Frame::Fragment { total, start, piece })) = Frame::decode(bytes) else { continue };
        let waiting = reassembly.waiting_bytes();
        brought += piece.len();
        match reassembly.add(total, start, piece, LIMIT) {
            Ok(None) => assert_eq!(reassembly.waiting_bytes(), waiting + piece.len()),
            Ok(Some(whole)) => {
                assert_eq!((whole.len(), waiting + piece.len()), (total as usize, total as usize));
            }
            Err(error) => {
                assert!(matches!(error, FrameError::TooLarge { .. } | FrameError::Fragment(_)), "{error}");
                assert_eq!(reassembly.waiting_bytes(), 0, "what waited is dropped");
            }
        }
        assert!(reassembly.waiting_bytes() <= brought.min(LIMIT));
    }
}

/// Several messages to one client, each behind its length, which may have joined already.
fn connection(setting: u8, messages: &[u8]) {
    let mut doc = Doc::new(ReplicaId::new(1));
    doc.insert(0, "text 😀").expect("position 0 exists");
    let mut client = Client::new("doc");
    let greeting = client.connected(&doc);
    assert_sound(&greeting);
    if setting & 1 == 1 {
        join(&mut client, &mut doc, setting);
    }
    let mut shown = PlainText::of(&doc);
    let mut rest = messages;
    while let Some((&len, tail)) = rest.split_first() {
        let (message, tail) = tail.split_at(usize::from(len).min(tail.len()));
        rest = tail;
        if message.is_empty() {
            // Between messages a person types.
            doc.insert(doc.len() / 2, "é").expect("the middle exists");
            shown = PlainText::of(&doc);
            assert_sound(&client.local_change(&doc));
            continue;
        }
        let before = doc.encode_snapshot();
        let outputs = client.receive(&mut doc, message);
        assert_sound(&outputs);
        for output in &outputs {
            match output {
                Output::Edits(edits) => {
                    edits.iter().for_each(|edit| shown.replay(edit).expect("an edit of what is shown"));
                }
                Output::Status(Status::Stopped(StopReason::Protocol(_) | StopReason::Apply(_))) => {
                    assert_eq!(doc.encode_snapshot(), before, "a refused message changes nothing");
                }
                _ => {}
            }
        }
        shown.check(&doc).expect("the edits tell what changed");
        assert!(client.resume_point().log_seq == 0 || setting & 1 == 1 || client.resume_point().epoch != 0);
    }
    doc.assert_invariants();
}

/// Answers as a server does that knows none of the text, or some, or more than there is.
fn join(client: &mut Client, doc: &mut Doc, setting: u8) {
    let welcome = Frame::Welcome {
        version: 1,
        capabilities: 0,
        session: 42,
        limits: Limits { in_flight: u32::from(setting >> 4), ..Limits::default() },
        heartbeat_ms: 1_000,
    };
    assert_sound(&client.receive(doc, &welcome.encode(0)));
    let version: VersionVector = [(doc.replica(), u32::from(setting >> 5) * 2)].into_iter().collect();
    let permission = if setting & 2 == 0 { Permission::Write } else { Permission::Read };
    let joined = Frame::Joined { request: 1, permission, mode: JoinMode::Delta, epoch: 5, head: 10, version };
    assert_sound(&client.receive(doc, &joined.encode(HANDLE)));
    assert!(!matches!(client.status(), Status::Stopped(_)), "joined: {:?}", client.status());
}

/// What a client sends is a frame.
fn assert_sound(outputs: &[Output]) {
    for output in outputs {
        if let Output::Send(message) = output {
            Frame::decode(message).expect("a client sends frames");
        }
    }
}
