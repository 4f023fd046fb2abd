//! People with one document open, and what they are promised.

use crate::failing::FailingStore;
use crate::person::{PATIENCE, Person};
use crate::server::{TestRelay, config, stored_text};
use crdt_core::sync::Status;
use crdt_core::{Doc, ReplicaId};
use crdt_relay::config::Config;
use crdt_relay::server::ServerError;
use crdt_relay::store::{SqliteStore, Store};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::timeout;

#[tokio::test]
async fn two_people_who_type_at_once_see_one_text() {
    let folder = TempDir::new().unwrap();
    let relay = TestRelay::on(folder.path()).await;
    let mut ann = Person::join(relay.address, 1, "shared").await;
    let mut bob = Person::join(relay.address, 2, "shared").await;
    for word in 0..50 {
        ann.insert(0, &format!("<a{word}>")).await;
        bob.insert(bob.doc.len(), &format!("<b{word}>")).await;
        ann.step().await;
        bob.step().await;
    }
    bob.delete(0..2).await;
    ann.until_saved().await;
    bob.until_saved().await;
    let expected = ann.doc.version().clone();
    bob.until("equal", |bob| bob.doc.version().covers(&expected)).await;
    let expected = bob.doc.version().clone();
    ann.until("equal", |ann| ann.doc.version().covers(&expected)).await;
    assert_eq!(ann.doc.text(), bob.doc.text());
    assert_eq!(stored_text(relay.address, "shared").await, ann.doc.text());
    relay.stop().await;
}

#[tokio::test]
async fn what_was_typed_offline_arrives_once() {
    let folder = TempDir::new().unwrap();
    let relay = TestRelay::on(folder.path()).await;
    let mut ann = Person::join(relay.address, 1, "shared").await;
    let mut bob = Person::join(relay.address, 2, "shared").await;
    ann.insert(0, "together ").await;
    bob.until_text("together ").await;
    ann.disconnect();
    ann.insert(9, "ann ").await;
    bob.insert(9, "bob ").await;
    assert_eq!(*ann.client.status(), Status::Offline { unsaved: true });
    assert!(ann.connect(relay.address).await);
    ann.until_saved().await;
    ann.until("equal", |ann| ann.doc.len() == 17).await;
    bob.until("equal", |bob| bob.doc.len() == 17).await;
    assert_eq!(ann.doc.text(), bob.doc.text());
}

#[tokio::test]
async fn a_restart_on_the_same_folder_keeps_the_document() {
    let folder = TempDir::new().unwrap();
    let relay = TestRelay::on(folder.path()).await;
    let mut ann = Person::join(relay.address, 1, "kept").await;
    ann.insert(0, "still here").await;
    ann.until_saved().await;
    let stopping = relay.ask_to_stop();
    assert_eq!(ann.until_closed().await, Some(4503));
    timeout(PATIENCE, stopping).await.unwrap().unwrap().unwrap();

    let relay = TestRelay::on(folder.path()).await;
    let bob = Person::join(relay.address, 2, "kept").await;
    assert_eq!(bob.doc.text(), "still here");
    // She comes back to the same history: no reset.
    ann.insert(10, ", and more").await;
    assert!(ann.connect(relay.address).await);
    ann.until_saved().await;
    assert_eq!(stored_text(relay.address, "kept").await, "still here, and more");
}

#[tokio::test]
async fn nothing_is_acknowledged_or_passed_on_before_it_is_stored() {
    let folder = TempDir::new().unwrap();
    let store = Arc::new(FailingStore::new(Arc::new(SqliteStore::open(folder.path()).unwrap())));
    let relay = TestRelay::start(config(), store.clone()).await;
    let mut ann = Person::join(relay.address, 1, "slow disk").await;
    let mut bob = Person::join(relay.address, 2, "slow disk").await;
    store.hold_appends(true);
    ann.insert(0, "not yet").await;
    // Whoever comes meanwhile gets an answer from the room after it has taken the edit.
    store.until_held().await;
    let cid = Person::join(relay.address, 3, "slow disk").await;
    assert_eq!(cid.doc.text(), "");
    assert_eq!((ann.client.status(), bob.doc.text().as_str()), (&Status::Saving, ""));
    store.hold_appends(false);
    ann.until_saved().await;
    bob.until_text("not yet").await;
}

#[tokio::test]
async fn a_store_that_fails_acknowledges_nothing_and_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let store = Arc::new(FailingStore::new(Arc::new(SqliteStore::open(folder.path()).unwrap())));
    let relay = TestRelay::start(config(), store.clone()).await;
    let mut ann = Person::join(relay.address, 1, "disk-full").await;
    let mut bob = Person::join(relay.address, 2, "disk-full").await;
    ann.insert(0, "before ").await;
    ann.until_saved().await;
    bob.until_text("before ").await;

    store.fail_appends(true);
    ann.statuses.clear();
    ann.insert(7, "during ").await;
    assert_eq!(ann.until_closed().await, Some(4500));
    assert_eq!(bob.until_closed().await, Some(4500));
    assert!(!ann.statuses.contains(&Status::Saved), "{:?}", ann.statuses);
    assert_eq!(*ann.client.status(), Status::Offline { unsaved: true });
    assert_eq!(bob.doc.text(), "before ");
    assert_eq!(stored_text(relay.address, "disk-full").await, "before ");

    store.fail_appends(false);
    assert!(ann.connect(relay.address).await);
    assert!(bob.connect(relay.address).await);
    ann.until_saved().await;
    bob.until_text("before during ").await;
    assert_eq!(stored_text(relay.address, "disk-full").await, "before during ");
}

#[tokio::test]
async fn a_stop_stores_and_acknowledges_what_was_accepted_first() {
    let folder = TempDir::new().unwrap();
    let store = Arc::new(FailingStore::new(Arc::new(SqliteStore::open(folder.path()).unwrap())));
    let relay = TestRelay::start(config(), store.clone()).await;
    let mut ann = Person::join(relay.address, 1, "stopped").await;
    store.hold_appends(true);
    ann.insert(0, "at the last moment").await;
    store.until_held().await;
    let stopping = relay.ask_to_stop();
    store.hold_appends(false);
    ann.statuses.clear();
    assert_eq!(ann.until_closed().await, Some(4503));
    assert!(ann.statuses.contains(&Status::Saved), "{:?}", ann.statuses);
    timeout(PATIENCE, stopping).await.unwrap().unwrap().unwrap();
    drop(store);

    let relay = TestRelay::on(folder.path()).await;
    assert_eq!(stored_text(relay.address, "stopped").await, "at the last moment");
}

#[tokio::test]
async fn a_stop_that_takes_too_long_is_cut_off() {
    let folder = TempDir::new().unwrap();
    let store = Arc::new(FailingStore::new(Arc::new(SqliteStore::open(folder.path()).unwrap())));
    let config = Config { shutdown_deadline: Duration::from_millis(20), ..config() };
    let relay = TestRelay::start(config, store.clone()).await;
    let mut ann = Person::join(relay.address, 1, "stuck").await;
    store.hold_appends(true);
    ann.insert(0, "never stored").await;
    store.until_held().await;
    let stopped = timeout(PATIENCE, relay.ask_to_stop()).await.unwrap().unwrap();
    assert!(matches!(stopped, Err(ServerError::Deadline)), "{stopped:?}");
    assert_eq!(*ann.client.status(), Status::Saving);
}

#[tokio::test]
async fn a_room_that_breaks_down_lets_its_sessions_go_and_opens_again() {
    let folder = TempDir::new().unwrap();
    let store = Arc::new(FailingStore::new(Arc::new(SqliteStore::open(folder.path()).unwrap())));
    let mut relay = TestRelay::start(config(), store.clone()).await;
    let mut ann = Person::join(relay.address, 1, "broken").await;
    let mut bob = Person::join(relay.address, 2, "broken").await;
    let other = Person::join(relay.address, 3, "whole").await;
    store.panic_appends(true);
    ann.insert(0, "kept by the client").await;
    assert_eq!(ann.until_closed().await, Some(4500));
    assert_eq!(bob.until_closed().await, Some(4500));
    relay.until_open_documents(1).await;
    store.panic_appends(false);
    assert!(ann.connect(relay.address).await);
    ann.until_saved().await;
    assert_eq!(stored_text(relay.address, "broken").await, "kept by the client");
    assert!(other.socket.is_some());
}

#[tokio::test]
async fn a_document_that_nobody_has_open_is_unloaded_and_comes_back() {
    let folder = TempDir::new().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path()).unwrap());
    let config = Config { idle_unload: Duration::ZERO, ..config() };
    let mut relay = TestRelay::start(config, store.clone()).await;
    let name = "idle".into();
    for round in 0..3 {
        let mut ann = Person::join(relay.address, 10 + round, "idle").await;
        assert_eq!(ann.doc.text(), "word ".repeat(usize::try_from(round).unwrap()));
        relay.until_open_documents(1).await;
        ann.insert(0, "word ").await;
        ann.until_saved().await;
        ann.disconnect();
        relay.until_open_documents(0).await;
        let stored = store.find(&name).await.unwrap().unwrap();
        assert_eq!((stored.head, stored.tail.len()), (round + 1, 0), "no snapshot was written");
        assert_eq!(stored.snapshot.unwrap().log_seq, round + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn coming_and_going_never_opens_a_document_twice() {
    let folder = TempDir::new().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path()).unwrap());
    let config = Config { idle_unload: Duration::ZERO, ..config() };
    let mut relay = TestRelay::start(config, store).await;
    let address = relay.address;
    let visitors: Vec<_> = (0..8)
        .map(|visitor| {
            tokio::spawn(async move {
                for visit in 0..12 {
                    let mut person = Person::join(address, 1 + visitor * 100 + visit, "busy").await;
                    person.insert(0, &format!("<{visitor}.{visit}>")).await;
                    // Half of them leave before they know.
                    if visit % 2 == 0 {
                        person.until_saved().await;
                        person.disconnect();
                    } else {
                        person.disconnect();
                        assert!(person.connect(address).await);
                        person.until_saved().await;
                    }
                }
            })
        })
        .collect();
    for visitor in visitors {
        visitor.await.unwrap();
    }
    relay.until_open_documents(0).await;
    let text = stored_text(address, "busy").await;
    for visitor in 0..8 {
        for visit in 0..12 {
            assert_eq!(text.matches(&format!("<{visitor}.{visit}>")).count(), 1, "{text}");
        }
    }
}

#[tokio::test]
async fn a_snapshot_is_written_after_so_many_operations_while_people_type() {
    let folder = TempDir::new().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path()).unwrap());
    let relay = TestRelay::start(Config { snapshot_every_operations: 40, ..config() }, store.clone()).await;
    let mut ann = Person::join(relay.address, 1, "long").await;
    let name = "long".into();
    let mut typed = 0;
    loop {
        ann.insert(typed, "x").await;
        typed += 1;
        ann.until_saved().await;
        if store.find(&name).await.unwrap().unwrap().snapshot.is_some_and(|it| it.log_seq > 80) {
            break;
        }
        assert!(typed < 10_000, "no snapshot was written");
    }
    assert!(typed > 80);
    assert_eq!(stored_text(relay.address, "long").await, ann.doc.text());
    assert_eq!(Person::join(relay.address, 2, "long").await.doc.text(), ann.doc.text());
}

#[tokio::test]
async fn one_damaged_document_does_not_concern_the_others() {
    let folder = TempDir::new().unwrap();
    let relay = TestRelay::on(folder.path()).await;
    for (replica, name) in [(1, "sound"), (2, "damaged")] {
        let mut person = Person::join(relay.address, replica, name).await;
        person.insert(0, name).await;
        person.until_saved().await;
    }
    relay.stop().await;
    let connection = rusqlite::Connection::open(SqliteStore::database_path(folder.path())).unwrap();
    let damage = "UPDATE snapshots SET bytes = x'00' WHERE document = (SELECT id FROM documents WHERE name = 'damaged')";
    assert_eq!(connection.execute(damage, []).unwrap(), 1);

    let relay = TestRelay::on(folder.path()).await;
    let mut ann = Person::new(3, "damaged");
    ann.insert(0, "typed meanwhile").await;
    assert!(ann.connect(relay.address).await);
    ann.until_closed().await;
    assert_eq!(
        *ann.client.status(),
        Status::Offline { unsaved: true },
        "it may be repaired: come back later"
    );
    let bob = Person::join(relay.address, 4, "sound").await;
    assert_eq!(bob.doc.text(), "sound");
    relay.stop().await;
    let left: Vec<u8> = connection
        .query_row("SELECT bytes FROM snapshots ORDER BY length(bytes) LIMIT 1", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, [0], "the damaged row was overwritten");
}

#[tokio::test]
async fn a_large_paste_reaches_everybody_and_those_who_come_later() {
    let folder = TempDir::new().unwrap();
    let relay = TestRelay::on(folder.path()).await;
    let mut ann = Person::join(relay.address, 1, "large").await;
    let mut bob = Person::join(relay.address, 2, "large").await;
    // Larger than a message, than a batch, and than the budget of a session.
    let paste = "Zwölf Boxkämpfer jagen Viktor quer über den Sylter Deich. ".repeat(30_000);
    ann.insert(0, &paste).await;
    let (saved, received) =
        (ann.until_saved(), bob.until("equal", |bob| bob.doc.len() == paste.chars().count()));
    tokio::join!(saved, received);
    assert_eq!(bob.doc.text(), paste);
    assert_eq!(Person::join(relay.address, 3, "large").await.doc.text(), paste);
    assert!(
        ann.statuses.iter().all(|status| !matches!(status, Status::Offline { .. })),
        "{:?}",
        ann.statuses
    );
}

#[tokio::test]
async fn presence_comes_and_goes_with_the_session() {
    let folder = TempDir::new().unwrap();
    let relay = TestRelay::on(folder.path()).await;
    let mut ann = Person::join(relay.address, 1, "cursors").await;
    let mut bob = Person::join(relay.address, 2, "cursors").await;
    ann.show(b"ann is here").await;
    let ann_session = ann.client.session().unwrap();
    bob.until("told", |bob| bob.client.presence().any(|shown| shown == (ann_session, &b"ann is here"[..])))
        .await;
    ann.disconnect();
    bob.until("told that she left", |bob| bob.client.presence().next().is_none()).await;
}

/// Loads are compared by everything that a document tells of itself.
#[tokio::test]
async fn snapshot_and_tail_load_as_the_replay_of_everything_does() {
    let folders = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let [replayed, compacted] = folders.each_ref().map(|folder| SqliteStore::open(folder.path()).unwrap());
    let name = "both ways".into();
    let epochs = [replayed.open(&name).await.unwrap().epoch, compacted.open(&name).await.unwrap().epoch];
    let mut docs = [1, 2].map(|replica| Doc::new(ReplicaId::new(replica)));
    let by = crdt_relay::batch::Authorship { user: "".into(), time_ms: 0 };
    for log_seq in 1..=300_u64 {
        let turn = usize::try_from(log_seq).unwrap();
        let (one, other) = docs.split_at_mut(1);
        let (doc, other) =
            if turn % 3 == 0 { (&mut other[0], &mut one[0]) } else { (&mut one[0], &mut other[0]) };
        let from = doc.version().get(doc.replica());
        let mut transaction = doc.transaction();
        let len = transaction.doc().len();
        if turn % 5 == 4 {
            transaction.delete(len / 3..len / 2).unwrap();
        } else {
            transaction.insert(turn * 17 % (len + 1), "wörd 𝄞 ").unwrap();
        }
        let delta = transaction.commit();
        let to = doc.version().get(doc.replica());
        if turn % 4 == 0 {
            other.apply(&doc.delta_since(other.version())).unwrap();
        }
        let batch =
            crdt_relay::batch::Batch { log_seq, replica: doc.replica(), from, to, delta: delta.into() };
        replayed.append(&name, epochs[0], vec![batch.clone()], by.clone()).await.unwrap();
        compacted.append(&name, epochs[1], vec![batch], by.clone()).await.unwrap();
        if turn % 37 == 0 {
            crdt_relay::document::compact(&compacted, &name).await.unwrap();
        }
        if turn % 20 == 0 {
            let stored =
                [replayed.find(&name).await, compacted.find(&name).await].map(|it| it.unwrap().unwrap());
            let [whole, short] = stored.map(|it| crdt_relay::document::load(&name, &it).unwrap().doc);
            assert_eq!(whole.text(), short.text());
            assert_eq!(whole.version(), short.version());
            assert_eq!(whole.pending(), short.pending());
            let nothing = crdt_core::VersionVector::new();
            assert_eq!(whole.delta_since(&nothing), short.delta_since(&nothing));
        }
    }
    assert!(compacted.find(&name).await.unwrap().unwrap().tail.len() < 37);
}
