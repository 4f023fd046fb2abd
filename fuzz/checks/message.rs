//! Bytes from outside as a message of the sync protocol, read alone and by a joined client.

use crdt_core::sync::{Client, Frame};
use crdt_core::{Doc, ReplicaId};

/// Reads the bytes as one message, and as several of one connection.
pub(crate) fn check(bytes: &[u8]) {
    let _ = Frame::decode(bytes);
    // Several messages to one client: each starts with its length.
    let mut doc = Doc::new(ReplicaId::new(1));
    doc.insert(0, "text").expect("position 0 exists");
    let mut client = Client::new("doc");
    let _ = client.connected(&doc);
    let mut rest = bytes;
    while let Some((&len, tail)) = rest.split_first() {
        let (message, tail) = tail.split_at(usize::from(len).min(tail.len()));
        let _ = client.receive(&mut doc, message);
        rest = tail;
    }
    doc.assert_invariants();
}
