//! What a relay does with those who do not keep to the protocol, read too slowly, or are not let in.

use crate::person::{PATIENCE, Person, Socket, open_socket};
use crate::server::{TestRelay, config, get, get_bytes, stored_text};
use crdt_core::sync::limits::{FRAME_BYTES, HELLO_BYTES};
use crdt_core::sync::{CloseCode, Frame, Handle, MAGIC, Status};
use crdt_core::{Doc, ReplicaId, VersionVector};
use crdt_relay::config::{Config, TextApi};
use crdt_relay::store::{SqliteStore, Store};
use futures_util::{SinkExt as _, StreamExt as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

/// A connection without a state machine, which can say anything.
struct Raw {
    socket: Socket,
}

impl Raw {
    async fn open(address: SocketAddr) -> Self {
        Self { socket: open_socket(address, None).await.unwrap() }
    }

    /// Says hello and opens a document.
    async fn join(address: SocketAddr, receive_buffer: Option<u32>, name: &str) -> (Self, Handle) {
        let mut raw = Self { socket: open_socket(address, receive_buffer).await.unwrap() };
        raw.send(&Frame::Hello { min_version: 1, max_version: 1, capabilities: 0 }, 0).await;
        let join = Frame::Join { request: 1, name, epoch: 0, last_log_seq: 0, version: VersionVector::new() };
        raw.send(&join, 0).await;
        loop {
            let message = raw.next().await.expect("the join is answered");
            if let (handle, Frame::Joined { .. }) = Frame::decode(&message).unwrap() {
                return (raw, handle);
            }
        }
    }

    async fn send(&mut self, frame: &Frame<'_>, handle: Handle) {
        self.send_bytes(frame.encode(handle)).await;
    }

    async fn send_bytes(&mut self, bytes: Vec<u8>) {
        // The relay may have closed already; the close code tells.
        drop(self.socket.send(Message::binary(bytes)).await);
    }

    /// The next binary message, or the close code.
    async fn next(&mut self) -> Result<Vec<u8>, Option<u16>> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("nothing comes") {
                Some(Ok(Message::Binary(bytes))) => return Ok(bytes.into()),
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    async fn until_closed(&mut self) -> Option<CloseCode> {
        loop {
            if let Err(code) = self.next().await {
                return code.map(CloseCode);
            }
        }
    }
}

/// Every row of the store.
fn rows(folder: &Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(SqliteStore::database_path(folder)).unwrap();
    let tables = [
        "SELECT name || ' ' || epoch || ' ' || head FROM documents ORDER BY id",
        "SELECT document || ' ' || log_seq || ' ' || replica || ' ' || op_from || ' ' || op_to || ' ' || crc
         || ' ' || hex(delta) FROM deltas ORDER BY document, log_seq",
        "SELECT document || ' ' || log_seq || ' ' || hex(bytes) FROM snapshots ORDER BY document",
    ];
    let read = |table: &str| -> Vec<String> {
        let mut select = connection.prepare(table).unwrap();
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    tables.into_iter().flat_map(read).collect()
}

/// An update that is wrong in its own way, and the code that it deserves.
struct WrongUpdate {
    what: &'static str,
    replica: ReplicaId,
    to: u32,
    delta: Vec<u8>,
    code: CloseCode,
}

fn wrong_updates(existing: &Doc) -> Vec<WrongUpdate> {
    let eve = ReplicaId::new(0xe4e);
    let mut doc = Doc::new(eve);
    doc.insert(0, "evil").unwrap();
    let sound = doc.delta_since(&VersionVector::new());
    let mut cut = sound.clone();
    cut.pop();
    let mut trailing = sound.clone();
    trailing.push(0);
    let mut twin = Doc::new(existing.replica());
    twin.insert(0, "other text").unwrap();
    let collision = twin.delta_since(&VersionVector::new());
    let invalid = |what, to, delta| {
        let code = CloseCode::INVALID_DELTA;
        WrongUpdate { what, replica: eve, to, delta, code }
    };
    vec![
        invalid("noise", 4, b"no delta at all".to_vec()),
        invalid("cut short", 4, cut),
        invalid("too long", 4, trailing),
        invalid("more than announced", 3, sound.clone()),
        invalid("less than announced", 5, sound.clone()),
        WrongUpdate { replica: ReplicaId::new(7), ..invalid("of another replica", 4, sound) },
        WrongUpdate { code: CloseCode::PROTOCOL, ..invalid("empty", 4, Vec::new()) },
        WrongUpdate {
            what: "of used ids",
            replica: twin.replica(),
            to: twin.version().get(twin.replica()),
            delta: collision,
            code: CloseCode::REPLICA_COLLISION,
        },
    ]
}

#[tokio::test]
async fn a_malformed_delta_closes_its_session_and_touches_nothing() {
    let folder = TempDir::new().unwrap();
    let relay = TestRelay::on(folder.path()).await;
    let mut ann = Person::join(relay.address, 1, "attacked").await;
    ann.insert(0, "untouched text").await;
    ann.until_saved().await;
    let before = rows(folder.path());
    let (head_before, text_before) = get(relay.address, "/v1/documents/attacked/text", "").await;
    assert!(head_before.contains("document-head: 1"), "{head_before}");

    for WrongUpdate { what, replica, to, delta, code } in wrong_updates(&ann.doc) {
        let (mut eve, handle) = Raw::join(relay.address, None, "attacked").await;
        eve.send(&Frame::Update { log_seq: 0, replica, from: 0, to, delta: &delta }, handle).await;
        assert_eq!(eve.until_closed().await, Some(code), "{what}");
        assert_eq!(rows(folder.path()), before, "{what}");
        let (head, text) = get(relay.address, "/v1/documents/attacked/text", "").await;
        assert_eq!(text, text_before, "{what}");
        assert!(head.contains("document-head: 1"), "{what}: {head}");
    }

    // Everybody else goes on.
    ann.insert(14, " and more").await;
    ann.until_saved().await;
    let bob = Person::join(relay.address, 2, "attacked").await;
    assert_eq!(bob.doc.text(), "untouched text and more");
}

#[tokio::test]
async fn what_is_no_frame_closes_the_session() {
    let folder = TempDir::new().unwrap();
    let relay = TestRelay::on(folder.path()).await;
    let (mut eve, _) = Raw::join(relay.address, None, "a").await;
    eve.send_bytes(vec![0x7f, 0, 1, 2]).await;
    assert_eq!(eve.until_closed().await, Some(CloseCode::PROTOCOL));

    let (mut eve, _) = Raw::join(relay.address, None, "a").await;
    drop(eve.socket.send(Message::text("hello")).await);
    assert_eq!(eve.until_closed().await, Some(CloseCode::PROTOCOL));

    let mut eve = Raw::open(relay.address).await;
    eve.send_bytes([&[1, 0], &MAGIC[..], &[9, 9, 0]].concat()).await;
    assert!(eve.until_closed().await.is_some_and(CloseCode::is_final));
}

#[tokio::test]
async fn messages_over_the_limit_close_the_session_without_being_read_whole() {
    let folder = TempDir::new().unwrap();
    let relay = TestRelay::on(folder.path()).await;
    for size in [FRAME_BYTES + 1, 16 << 20] {
        let (mut eve, _) = Raw::join(relay.address, None, "a").await;
        eve.send_bytes(vec![0; size]).await;
        let code = eve.until_closed().await;
        // What was on its way when the relay closed may reset the connection before the code is read.
        assert!(
            code == Some(CloseCode::TOO_LARGE) || (code.is_none() && size > FRAME_BYTES + 1),
            "{size}: {code:?}"
        );
    }
    let mut stranger = Raw::open(relay.address).await;
    stranger.send_bytes(vec![0; HELLO_BYTES + 1]).await;
    assert_eq!(stranger.until_closed().await, Some(CloseCode::TOO_LARGE));
}

#[tokio::test]
async fn whoever_says_no_hello_is_closed() {
    let folder = TempDir::new().unwrap();
    let config = Config { hello_deadline: Duration::from_millis(30), ..config() };
    let relay = TestRelay::start(config, Arc::new(SqliteStore::open(folder.path()).unwrap())).await;
    let mut silent = Raw::open(relay.address).await;
    assert_eq!(silent.until_closed().await, Some(CloseCode::SILENT));
}

#[tokio::test]
async fn a_slow_reader_is_closed_and_the_others_go_on() {
    let folder = TempDir::new().unwrap();
    let config = Config { session_buffer_bytes: 64 << 10, ..config() };
    let relay = TestRelay::start(config, Arc::new(SqliteStore::open(folder.path()).unwrap())).await;
    let (mut slow, _) = Raw::join(relay.address, Some(4 << 10), "busy").await;
    let mut ann = Person::join(relay.address, 1, "busy").await;
    let mut bob = Person::join(relay.address, 2, "busy").await;
    // Far more than the buffers of the system hold, and than the relay is told to keep.
    let paragraph = "lorem ipsum ".repeat(5_000);
    for _ in 0..200 {
        ann.insert(0, &paragraph).await;
        let expected = ann.doc.version().clone();
        let (saved, received) =
            (ann.until_saved(), bob.until("equal", |bob| bob.doc.version().covers(&expected)));
        tokio::join!(saved, received);
    }
    assert_eq!(slow.until_closed().await, Some(CloseCode::SLOW_READER));
    assert_eq!(ann.doc.len(), bob.doc.len());
}

#[tokio::test]
async fn a_reader_that_was_slow_for_a_while_catches_up_without_a_reconnect() {
    let folder = TempDir::new().unwrap();
    let relay = TestRelay::on(folder.path()).await;
    let mut ann = Person::join(relay.address, 1, "bursts").await;
    let mut bob = Person::new(2, "bursts");
    bob.receive_buffer = Some(4 << 10);
    assert!(bob.connect(relay.address).await);
    bob.until("up to date", |bob| bob.synced).await;
    assert_eq!(bob.catch_ups, 1);
    // More than the buffers of the system hold and may wait for a session, less than closes it.
    let paragraph = "lorem ipsum ".repeat(5_000);
    for _ in 0..140 {
        ann.insert(0, &paragraph).await;
        ann.until_saved().await;
    }
    bob.until("equal", |bob| bob.doc.version() == ann.doc.version()).await;
    assert!(bob.catch_ups > 1, "nothing was left out");
    assert!(ann.doc.text() == bob.doc.text());
    assert!(!bob.statuses.iter().any(|status| matches!(status, Status::Offline { .. })), "a reconnect");
}

#[tokio::test]
async fn connections_over_the_limit_are_refused_and_places_come_back() {
    let folder = TempDir::new().unwrap();
    let config = Config { max_connections: 1, ..config() };
    let relay = TestRelay::start(config, Arc::new(SqliteStore::open(folder.path()).unwrap())).await;
    let mut first = Person::join(relay.address, 1, "a").await;
    assert!(open_socket(relay.address, None).await.is_none());
    first.disconnect();
    // The place is free once the relay has seen the end of the first connection.
    let second = async {
        loop {
            if let Some(socket) = open_socket(relay.address, None).await {
                break socket;
            }
        }
    };
    timeout(PATIENCE, second).await.unwrap();
}

#[tokio::test]
async fn stored_texts_are_told_to_those_who_may_ask() {
    let folder = TempDir::new().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path()).unwrap());
    let relay = TestRelay::start(config(), store.clone()).await;
    let mut ann = Person::join(relay.address, 1, "a/b ü").await;
    ann.insert(0, "ö𝄞\n").await;
    ann.until_saved().await;
    let path = "/v1/documents/a%2Fb%20%C3%BC/text";
    let authors_path = "/v1/documents/a%2Fb%20%C3%BC/authors";
    assert_eq!(stored_text(relay.address, "a%2Fb%20%C3%BC").await, "ö𝄞\n");
    for other in ["/v1/documents/other/text", "/v1/documents/other/authors"] {
        let (head, _) = get(relay.address, other, "").await;
        assert!(head.starts_with("http/1.1 404"), "{head}");
    }
    for path in [path, authors_path] {
        let (head, _) = get_bytes(relay.address, path, "Host: rebound.example\r\n").await;
        assert!(head.starts_with("http/1.1 403"), "{head}");
    }
    // A relay that is dropped stops, and closes the store.
    let mut others = Vec::new();
    for (text_api, status) in [(TextApi::Off, "403"), (TextApi::On, "200")] {
        let relay = TestRelay::start(Config { text_api, ..config() }, store.clone()).await;
        for path in [path, authors_path] {
            let (head, _) = get_bytes(relay.address, path, "Host: relay.example\r\n").await;
            assert!(head.starts_with(&format!("http/1.1 {status}")), "{path}: {head}");
        }
        others.push(relay);
    }
}

#[tokio::test]
async fn pages_are_served_with_their_types_and_nothing_beside_them() {
    let folder = TempDir::new().unwrap();
    let site = folder.path().join("site");
    std::fs::create_dir(&site).unwrap();
    std::fs::write(folder.path().join("secret.txt"), "secret").unwrap();
    for file in ["index.html", "app.js", "core.wasm", "style.css"] {
        std::fs::write(site.join(file), file).unwrap();
    }
    let config = Config { site: Some(site), ..config() };
    let relay = TestRelay::start(config, Arc::new(SqliteStore::open(folder.path()).unwrap())).await;
    let types = [
        ("/", "text/html"),
        ("/app.js", "javascript"),
        ("/core.wasm", "application/wasm"),
        ("/style.css", "text/css"),
    ];
    for (path, kind) in types {
        let (head, body) = get(relay.address, path, "").await;
        assert!(head.starts_with("http/1.1 200"), "{path}: {head}");
        let content_type = head.lines().find(|line| line.starts_with("content-type:")).unwrap();
        assert!(content_type.contains(kind), "{path}: {content_type}");
        assert!(head.contains("cache-control: no-cache"), "{path}: {head}");
        assert_eq!(body, if path == "/" { "index.html" } else { &path[1..] });
        let etag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
        let (head, _) = get(relay.address, path, &format!("If-None-Match: {etag}\r\n")).await;
        assert!(head.starts_with("http/1.1 304"), "{path}: {head}");
    }
    for path in
        ["/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/site/../../secret.txt", "//secret.txt"]
    {
        let (head, body) = get(relay.address, path, "").await;
        assert!(!head.starts_with("http/1.1 200") && !body.contains("secret"), "{path}: {head}");
    }
}
