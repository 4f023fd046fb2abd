use super::*;
use crate::ids::{ReplicaId, Seq};
use crate::sync::frame::Limits;
use crate::sync::{JoinErrorCode, PresenceChange};
use alloc::vec;

const HANDLE: Handle = 300;

fn doc(replica: u64, text: &str) -> Doc {
    let mut doc = Doc::new(ReplicaId::new(replica));
    if !text.is_empty() {
        doc.insert(0, text).unwrap();
    }
    doc
}

fn welcome(limits: Limits) -> Vec<u8> {
    Frame::Welcome { version: 1, capabilities: 0, session: 42, limits, heartbeat_ms: 1_000 }.encode(0)
}

fn joined_frame(client: &Client, mode: JoinMode, version: VersionVector) -> Vec<u8> {
    let (request, permission) = (client.request, Permission::Write);
    Frame::Joined { request, permission, mode, epoch: 5, head: 10, version }.encode(HANDLE)
}

/// A client that has joined a server which holds nothing, at place 10 of its log.
fn joined_with(doc: &mut Doc, limits: Limits) -> (Client, Outputs) {
    let mut client = Client::new("notes");
    client.connected(doc);
    client.receive(doc, &welcome(limits));
    let joined = joined_frame(&client, JoinMode::Delta, VersionVector::new());
    let mut outputs = client.receive(doc, &joined);
    outputs.extend(client.receive(doc, &Frame::Sync { up_to: 10, delta: &[] }.encode(HANDLE)));
    (client, outputs)
}

fn joined(doc: &mut Doc) -> Client {
    joined_with(doc, Limits::default()).0
}

fn receive(client: &mut Client, doc: &mut Doc, frame: &Frame<'_>) -> Outputs {
    client.receive(doc, &frame.encode(HANDLE))
}

fn messages(outputs: &[Output]) -> Vec<&[u8]> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Send(message) => Some(&message[..]),
            _ => None,
        })
        .collect()
}

fn sent(outputs: &[Output]) -> Vec<Frame<'_>> {
    messages(outputs).into_iter().map(|message| Frame::decode(message).unwrap().1).collect()
}

/// The ranges of the batches sent.
fn batches(outputs: &[Output]) -> Vec<(u64, Seq, Seq)> {
    sent(outputs)
        .into_iter()
        .filter_map(|frame| match frame {
            Frame::Update { replica, from, to, log_seq: 0, .. } => Some((replica.get(), from, to)),
            _ => None,
        })
        .collect()
}

fn ack(replica: u64, up_to: Seq, log_seq: u64) -> Frame<'static> {
    Frame::Ack { replica: ReplicaId::new(replica), up_to, log_seq }
}

fn nack(from: Seq, to: Seq, code: NackCode, expected: Seq) -> Frame<'static> {
    Frame::Nack { replica: ReplicaId::new(1), from, to, code, retry_after_ms: 0, expected }
}

/// Types one character and gives the outputs.
fn type_one(client: &mut Client, doc: &mut Doc) -> Outputs {
    doc.insert(doc.len(), "x").unwrap();
    client.local_change(doc)
}

#[test]
fn a_client_says_hello_joins_and_sends_what_the_server_lacks() {
    let mut doc = doc(1, "abc");
    let mut client = Client::resume("notes", ResumePoint { epoch: 5, log_seq: 9 });
    let outputs = client.connected(&doc);
    assert_eq!(sent(&outputs), [Frame::Hello { min_version: 1, max_version: 1, capabilities: 0 }]);
    assert_eq!(client.status(), &Status::Offline { unsaved: true });
    let outputs = client.receive(&mut doc, &welcome(Limits::default()));
    let version = doc.version().clone();
    let join = Frame::Join { request: 1, name: "notes", epoch: 5, last_log_seq: 9, version };
    assert_eq!(sent(&outputs), [join]);
    assert_eq!(client.session(), Some(42));
    let known = [(ReplicaId::new(1), 1)].into_iter().collect();
    let joined = joined_frame(&client, JoinMode::Delta, known);
    let outputs = client.receive(&mut doc, &joined);
    assert_eq!(batches(&outputs), [(1, 1, 3)]);
    assert_eq!(client.status(), &Status::Saving);
    let outputs = client.receive(&mut doc, &Frame::Sync { up_to: 10, delta: &[] }.encode(HANDLE));
    assert_eq!(outputs, [Output::Synced]);
    let outputs = receive(&mut client, &mut doc, &ack(1, 3, 11));
    assert_eq!(outputs, [Output::Status(Status::Saved)]);
    assert_eq!(client.resume_point(), ResumePoint { epoch: 5, log_seq: 11 });
}

#[test]
fn updates_of_others_become_edits_and_are_not_sent_back() {
    let mut mine = doc(1, "");
    let mut client = joined(&mut mine);
    let theirs = doc(2, "hey");
    let delta = theirs.delta_of(theirs.replica(), 0..3);
    let update = Frame::Update { log_seq: 11, replica: theirs.replica(), from: 0, to: 3, delta: &delta };
    let outputs = receive(&mut client, &mut mine, &update);
    assert!(matches!(&outputs[..], [Output::Edits(edits)] if edits.len() == 1), "{outputs:?}");
    assert_eq!(client.status(), &Status::Saved);
    assert_eq!(receive(&mut client, &mut mine, &update), [], "twice does no harm");
}

#[test]
fn what_came_another_way_is_sent_whoever_issued_it() {
    let mut mine = doc(1, "ab");
    let mut client = joined(&mut mine);
    mine.apply(&doc(2, "hey").delta_since(&VersionVector::new())).unwrap();
    assert_eq!(batches(&client.local_change(&mine)), [(2, 0, 3)]);
}

#[test]
fn who_opens_a_name_that_others_open_too_sends_it_once_and_takes_it_back() {
    let (mut mine, mut theirs) = (doc(1, "a"), doc(2, "b"));
    for doc in [&mut mine, &mut theirs] {
        doc.open_text("notes").unwrap().insert(0, "text").unwrap();
    }
    let (mut client, outputs) = joined_with(&mut mine, Limits::default());
    let sent = batches(&outputs);
    let [(0, 0, 1), (1, 0, 1), (notes, 0, 2), (1, 1, 5)] = sent[..] else {
        panic!("what opens it comes first: {sent:?}")
    };
    // The server got theirs first: it acknowledges ours, and passes theirs on.
    let mut outputs = Outputs::new();
    for (log_seq, (replica, _, to)) in (11..).zip([(0, 0, 1), (notes, 0, 2), (2, 0, 5)]) {
        let them = ReplicaId::new(replica);
        let delta = theirs.delta_of(them, 0..to);
        let update = Frame::Update { log_seq, replica: them, from: 0, to, delta: &delta };
        outputs.extend(receive(&mut client, &mut mine, &update));
    }
    assert!(matches!(&outputs[..], [Output::Edits(edits)] if edits.len() == 2), "{outputs:?}");
    for (replica, to) in [(0, 1), (notes, 2), (1, 5)] {
        receive(&mut client, &mut mine, &ack(replica, to, 0));
    }
    assert_eq!(client.status(), &Status::Saved);
    assert_eq!(mine.text_named("notes").unwrap().text(), "texttext");
    // Who comes later finds it there.
    let version = [(0, 1), (notes, 2)].map(|(replica, seen)| (ReplicaId::new(replica), seen));
    let mut client = Client::new("notes");
    client.connected(&theirs);
    client.receive(&mut theirs, &welcome(Limits::default()));
    let joined = joined_frame(&client, JoinMode::Delta, version.into_iter().collect());
    assert_eq!(batches(&client.receive(&mut theirs, &joined)), [(2, 0, 5)]);
}

#[test]
fn a_hole_in_the_log_is_asked_for_once() {
    let mut mine = doc(1, "");
    let mut client = joined(&mut mine);
    let theirs = doc(2, "hey");
    let them = theirs.replica();
    let delta = theirs.delta_of(them, 1..3);
    let outputs = receive(
        &mut client,
        &mut mine,
        &Frame::Update { log_seq: 12, replica: them, from: 1, to: 3, delta: &delta },
    );
    assert_eq!(sent(&outputs), [Frame::Pull { version: VersionVector::new() }]);
    assert_eq!(receive(&mut client, &mut mine, &Frame::Head { log_seq: 12 }), []);
    let delta = theirs.delta_since(&VersionVector::new());
    let outputs = receive(&mut client, &mut mine, &Frame::Sync { up_to: 12, delta: &delta });
    assert!(matches!(&outputs[..], [Output::Edits(_)]), "nothing goes back: {outputs:?}");
    assert_eq!((mine.text().as_str(), client.resume_point().log_seq), ("hey", 12));
    assert_eq!(sent(&receive(&mut client, &mut mine, &Frame::Head { log_seq: 13 })).len(), 1);
}

#[test]
fn no_more_batches_are_in_flight_than_the_server_allows() {
    let mut doc = doc(1, "");
    let (mut client, _) = joined_with(&mut doc, Limits { in_flight: 2, ..Limits::default() });
    assert_eq!(batches(&type_one(&mut client, &mut doc)), [(1, 0, 1)]);
    assert_eq!(batches(&type_one(&mut client, &mut doc)), [(1, 1, 2)]);
    assert_eq!(batches(&type_one(&mut client, &mut doc)), []);
    assert_eq!(batches(&type_one(&mut client, &mut doc)), []);
    assert_eq!(batches(&receive(&mut client, &mut doc, &ack(1, 1, 11))), [(1, 2, 4)]);
}

#[test]
fn after_a_conflict_the_rest_is_cut_anew_once_all_in_flight_is_answered() {
    let mut doc = doc(1, "");
    let mut client = joined(&mut doc);
    for _ in 0..3 {
        type_one(&mut client, &mut doc);
    }
    let conflict = NackCode::Conflict;
    assert_eq!(receive(&mut client, &mut doc, &nack(1, 2, conflict, 0)), []);
    assert_eq!(batches(&type_one(&mut client, &mut doc)), [], "held back");
    assert_eq!(receive(&mut client, &mut doc, &ack(1, 1, 11)), []);
    assert_eq!(batches(&receive(&mut client, &mut doc, &nack(2, 3, conflict, 1))), [(1, 1, 4)]);
    assert_eq!(receive(&mut client, &mut doc, &nack(2, 3, conflict, 1)), [], "nobody waits for that");
}

#[test]
fn batches_leave_in_causal_order_whoever_issued_them() {
    let (mut one, mut two) = (doc(1, "ab"), doc(2, ""));
    two.apply(&one.delta_since(&VersionVector::new())).unwrap();
    two.insert(2, "c").unwrap();
    one.apply(&two.delta_since(&VersionVector::new())).unwrap();
    one.insert(3, "de").unwrap();
    two.apply(&one.delta_since(two.version())).unwrap();
    two.delete(0..5).unwrap();
    let (_, outputs) = joined_with(&mut two, Limits::default());
    assert_eq!(batches(&outputs), [(1, 0, 2), (2, 0, 4), (1, 2, 4), (2, 4, 6)]);
    let mut server = doc(3, "");
    for frame in sent(&outputs) {
        if let Frame::Update { delta, .. } = frame {
            server.apply(delta).unwrap();
            assert_eq!(server.pending().operations, 0);
        }
    }
}

#[test]
fn what_refers_to_a_refused_batch_is_sent_behind_it() {
    let mut one = doc(1, "ab");
    let mut client = joined(&mut one);
    let mut two = doc(2, "");
    two.apply(&one.delta_since(&VersionVector::new())).unwrap();
    two.insert(2, "c").unwrap();
    client.tick(&one, 5_000);
    receive(&mut client, &mut one, &nack(0, 2, NackCode::Rate, 0));
    one.apply(&two.delta_since(one.version())).unwrap();
    assert_eq!(batches(&client.local_change(&one)), []);
    assert_eq!(batches(&client.tick(&one, 6_000)), [(1, 0, 2), (2, 0, 1)]);
}

#[test]
fn too_large_batches_are_cut_smaller_and_grow_again() {
    let mut doc = doc(1, "abcdefgh");
    let (mut client, outputs) = joined_with(&mut doc, Limits::default());
    assert_eq!(batches(&outputs), [(1, 0, 8)]);
    let outputs = receive(&mut client, &mut doc, &nack(0, 8, NackCode::TooLarge, 0));
    assert_eq!(outputs[0], Output::Refused(NackCode::TooLarge));
    assert_eq!(batches(&outputs), [(1, 0, 4), (1, 4, 8)]);
}

#[test]
fn deltas_keep_to_the_limit_that_the_server_has_told() {
    let mut doc = doc(1, &"x".repeat(1_000));
    let (_, outputs) = joined_with(&mut doc, Limits { delta_bytes: 100, ..Limits::default() });
    assert!(batches(&outputs).len() > 10);
    for frame in sent(&outputs) {
        if let Frame::Update { delta, .. } = frame {
            assert!(delta.len() <= 100);
        }
    }
}

#[test]
fn a_refusal_that_asks_for_patience_gets_it() {
    let mut doc = doc(1, "abc");
    let mut client = joined(&mut doc);
    client.tick(&doc, 5_000);
    let rate = Frame::Nack {
        replica: doc.replica(),
        from: 0,
        to: 3,
        code: NackCode::Rate,
        retry_after_ms: 2_000,
        expected: 0,
    };
    assert_eq!(receive(&mut client, &mut doc, &rate), [Output::Refused(NackCode::Rate)]);
    assert_eq!(batches(&client.tick(&doc, 6_999)), []);
    assert_eq!(batches(&client.tick(&doc, 7_000)), [(1, 0, 3)]);
}

#[test]
fn without_permission_nothing_is_sent_until_it_is_given() {
    let mut doc = doc(1, "abc");
    let mut client = joined(&mut doc);
    receive(&mut client, &mut doc, &nack(0, 3, NackCode::Permission, 0));
    assert_eq!(batches(&client.tick(&doc, 1_000_000)), []);
    let read = Frame::PermissionChanged { permission: Permission::Read };
    receive(&mut client, &mut doc, &read);
    assert_eq!(batches(&type_one(&mut client, &mut doc)), []);
    let write = Frame::PermissionChanged { permission: Permission::Write };
    let outputs = receive(&mut client, &mut doc, &write);
    assert_eq!(outputs[0], Output::Permission(Permission::Write));
    assert_eq!(batches(&outputs), [(1, 0, 4)]);
}

#[test]
fn a_silent_server_is_asked_and_then_given_up() {
    let mut doc = doc(1, "");
    let mut client = joined(&mut doc);
    assert_eq!(client.tick(&doc, 1_000), []);
    assert_eq!(client.tick(&doc, 1_999), []);
    assert_eq!(sent(&client.tick(&doc, 2_000)), [Frame::Ping { nonce: 2_000 }]);
    assert_eq!(client.tick(&doc, 2_999), []);
    let outputs = client.tick(&doc, 3_000);
    assert_eq!(outputs[0], Output::Close { code: CloseCode::SILENT, retry_after_ms: None });
    assert_eq!(outputs[1], Output::Status(Status::Offline { unsaved: false }));
}

#[test]
fn a_page_whose_timers_sleep_gives_nobody_up_unasked() {
    let mut doc = doc(1, "");
    let mut client = joined(&mut doc);
    client.tick(&doc, 1_000);
    assert_eq!(sent(&client.tick(&doc, 61_000)).len(), 1);
    client.receive(&mut doc, &Frame::Pong { nonce: 61_000 }.encode(0));
    assert_eq!(client.tick(&doc, 121_000), []);
}

#[test]
fn what_the_server_says_last_decides_whether_to_come_back() {
    let final_code = CloseCode::INVALID_DELTA;
    let error = Frame::Error { code: final_code, text: "why" }.encode(0);
    let full = |client: &Client, retry_after_ms| {
        let (request, code) = (client.request, JoinErrorCode::RoomFull);
        Frame::JoinError { request, code, retry_after_ms }.encode(0)
    };
    let mut doc = doc(1, "");
    let mut client = joined(&mut doc);
    let outputs = client.receive(&mut doc, &Frame::GoAway { after_ms: 5_000 }.encode(0));
    assert_eq!(outputs[0], Output::Close { code: CloseCode::GOING_AWAY, retry_after_ms: Some(5_000) });
    client.connected(&doc);
    client.receive(&mut doc, &welcome(Limits::default()));
    let outputs = client.receive(&mut doc, &full(&client, 700));
    assert!(matches!(outputs[0], Output::Close { retry_after_ms: Some(700), .. }));
    let mut other = client.clone();
    other.connected(&doc);
    other.receive(&mut doc, &welcome(Limits::default()));
    other.receive(&mut doc, &full(&other, 0));
    assert_eq!(other.status(), &Status::Stopped(StopReason::JoinRefused(JoinErrorCode::RoomFull)));
    client.connected(&doc);
    client.receive(&mut doc, &error);
    let reason = StopReason::Closed { code: final_code, text: "why".into() };
    assert_eq!(client.status(), &Status::Stopped(reason));
    assert_eq!(client.connected(&doc), [], "stopped means stopped");
}

#[test]
fn close_codes_decide_whether_to_come_back() {
    let mut doc = doc(1, "");
    for (code, stops) in [(None, false), (Some(1006), false), (Some(4503), false), (Some(4422), true)] {
        let mut client = joined(&mut doc);
        client.disconnected(&doc, code.map(CloseCode));
        assert_eq!(matches!(client.status(), Status::Stopped(_)), stops, "{code:?}");
    }
}

#[test]
fn a_replaced_or_deleted_document_stops_the_client_and_leaves_the_text() {
    for (frame, reason) in
        [(Frame::Reset { epoch: 6 }, StopReason::Reset), (Frame::Deleted, StopReason::Deleted)]
    {
        let mut doc = doc(1, "abc");
        let mut client = joined(&mut doc);
        receive(&mut client, &mut doc, &frame);
        assert_eq!(client.status(), &Status::Stopped(reason));
        assert_eq!(doc.text(), "abc");
        assert_eq!(type_one(&mut client, &mut doc), []);
    }
}

#[test]
fn wrong_bytes_from_the_server_stop_the_client_and_change_nothing() {
    let other = doc(2, "hey");
    let delta = other.delta_of(other.replica(), 0..3);
    let update = |delta| Frame::Update { log_seq: 11, replica: other.replica(), from: 0, to: 3, delta };
    for message in [
        vec![],
        vec![0x7f, 0],
        Frame::Leave.encode(HANDLE),
        Frame::Head { log_seq: 1 }.encode(HANDLE + 1),
        update(&delta[..delta.len() - 1]).encode(HANDLE),
    ] {
        let mut mine = doc(1, "abc");
        let mut client = joined(&mut mine);
        let outputs = client.receive(&mut mine, &message);
        assert!(matches!(outputs[0], Output::Close { code, .. } if code.is_final()), "{outputs:?}");
        assert!(matches!(client.status(), Status::Stopped(_)));
        assert_eq!(mine.text(), "abc");
    }
}

#[test]
fn mutated_messages_never_panic() {
    let other = doc(2, "hey");
    let delta = other.delta_of(other.replica(), 0..3);
    let frames = [
        Frame::Update { log_seq: 11, replica: other.replica(), from: 0, to: 3, delta: &delta },
        Frame::Sync { up_to: 11, delta: &delta },
        ack(1, 3, 11),
        nack(0, 3, NackCode::Conflict, 1),
        Frame::Presence { full: true, entries: vec![PresenceEntry { session: 1, state: Some(b"x") }] },
    ];
    let mut mine = doc(1, "abc");
    let joined = joined(&mut mine);
    for frame in frames {
        let message = frame.encode(HANDLE);
        for at in 0..message.len() {
            for bits in 1..=u8::MAX {
                let mut mutated = message.clone();
                mutated[at] ^= bits;
                let (mut client, mut doc) = (joined.clone(), mine.clone());
                client.receive(&mut doc, &mutated);
                client.tick(&doc, 1_000_000);
            }
        }
    }
}

#[test]
fn presence_leaves_out_oneself_and_ends_with_the_connection() {
    let mut doc = doc(1, "");
    let mut client = joined(&mut doc);
    let outputs = client.set_presence(Some(b"me")).unwrap();
    assert_eq!(sent(&outputs), [Frame::PresenceSet { state: Some(b"me") }]);
    let show = |session, state| PresenceEntry { session, state };
    let entries = vec![show(7, Some(&b"seven"[..])), show(8, Some(b"eight")), show(42, Some(b"me"))];
    let outputs = receive(&mut client, &mut doc, &Frame::Presence { full: true, entries });
    let change = |session, state: Option<&[u8]>| PresenceChange { session, state: state.map(Into::into) };
    assert_eq!(outputs, [Output::Presence(vec![change(7, Some(b"seven")), change(8, Some(b"eight"))])]);
    let outputs =
        receive(&mut client, &mut doc, &Frame::Presence { full: false, entries: vec![show(7, None)] });
    assert_eq!(outputs, [Output::Presence(vec![change(7, None)])]);
    let outputs = client.disconnected(&doc, None);
    assert_eq!(outputs[0], Output::Presence(vec![change(8, None)]));
    client.connected(&doc);
    client.receive(&mut doc, &welcome(Limits::default()));
    let joined = joined_frame(&client, JoinMode::Delta, VersionVector::new());
    let outputs = client.receive(&mut doc, &joined);
    assert_eq!(sent(&outputs), [Frame::PresenceSet { state: Some(b"me") }], "shown again");
    assert!(client.set_presence(Some(&[0; limits::PRESENCE_BYTES + 1])).is_err());
}

#[test]
fn a_large_catch_up_arrives_in_pieces() {
    let other = doc(2, &"hey ".repeat(1_000));
    let delta = other.delta_since(&VersionVector::new());
    let mut mine = doc(1, "");
    let mut client = joined(&mut mine);
    let frame = Frame::Sync { up_to: 12, delta: &delta }.encode(HANDLE);
    for message in split(HANDLE, frame, 100) {
        client.receive(&mut mine, &message);
    }
    assert_eq!(mine.text(), other.text());
}

#[test]
fn a_client_of_an_opened_snapshot_sends_what_that_of_the_saved_document_would() {
    let (mut one, mut two) = (doc(1, "ab"), doc(2, ""));
    two.apply(&one.delta_since(&VersionVector::new())).unwrap();
    two.insert(2, "cé").unwrap();
    one.apply(&two.delta_since(one.version())).unwrap();
    one.delete(1..3).unwrap();
    let mut opened = Doc::from_snapshot(ReplicaId::new(3), &one.encode_snapshot()).unwrap();
    let before = opened.encode_snapshot();
    let (_, of_the_saved) = joined_with(&mut one, Limits::default());
    let (mut client, outputs) = joined_with(&mut opened, Limits::default());
    assert_eq!(batches(&outputs), [(1, 0, 3), (2, 0, 2), (1, 3, 4)]);
    assert_eq!(messages(&outputs)[2..], messages(&of_the_saved)[2..], "all but the hello and the join");
    assert_eq!(opened.encode_snapshot(), before);
    // The same where writing is allowed later on only.
    let change = |permission| Frame::PermissionChanged { permission };
    let read = change(Permission::Read);
    let write = change(Permission::Write);
    let mut opened = Doc::from_snapshot(ReplicaId::new(3), &before).unwrap();
    client.disconnected(&opened, None);
    client.connected(&opened);
    client.receive(&mut opened, &welcome(Limits::default()));
    let joined = Frame::Joined {
        request: client.request,
        permission: Permission::Read,
        mode: JoinMode::Delta,
        epoch: 5,
        head: 10,
        version: VersionVector::new(),
    };
    assert_eq!(batches(&client.receive(&mut opened, &joined.encode(HANDLE))), []);
    assert_eq!(batches(&receive(&mut client, &mut opened, &read)), []);
    assert_eq!(batches(&receive(&mut client, &mut opened, &write)), batches(&of_the_saved));
    opened.assert_invariants();
}

#[test]
fn a_server_that_claims_too_much_makes_nobody_wait() {
    // 2^32 - 1 operations of each of so many replicas as a frame holds: anything in proportion would not come back.
    let mut claims: VersionVector = (0..18_000).map(|n| (ReplicaId::new(n << 20), Seq::MAX)).collect();
    claims.set(ReplicaId::new(1), Seq::MAX);
    let mut doc = doc(1, "mine");
    let mut client = Client::new("notes");
    client.connected(&doc);
    client.receive(&mut doc, &welcome(Limits::default()));
    let frame = joined_frame(&client, JoinMode::Delta, claims.clone());
    let outputs = client.receive(&mut doc, &frame);
    assert_eq!(batches(&outputs), [], "nothing is sent that it says it has");
    let up_to = Seq::MAX;
    receive(&mut client, &mut doc, &Frame::Ack { replica: ReplicaId::new(1), up_to, log_seq: 11 });
    receive(&mut client, &mut doc, &Frame::Head { log_seq: u64::MAX });
    doc.insert(4, " too").unwrap();
    client.local_change(&doc);
    assert_eq!((doc.text().as_str(), doc.version().len()), ("mine too", 1));
    assert_eq!(doc.delta_since(&claims), [0xd2, 0, 0]);
}

#[test]
fn a_client_stops_where_trimmed_history_is_missing() {
    let trimmed = |text: &str| {
        let mut doc = doc(1, text);
        doc.delete(1..text.len()).unwrap();
        doc.trim(&doc.version().clone()).unwrap();
        doc
    };
    // The server lacks what was trimmed here.
    let mut mine = trimmed("abc");
    let (mut client, outputs) = joined_with(&mut mine, Limits::default());
    assert_eq!(batches(&outputs), []);
    assert_eq!(*client.status(), Status::Stopped(StopReason::Trimmed));
    assert!(outputs.contains(&Output::Close { code: CloseCode::TRIMMED, retry_after_ms: None }));
    assert_eq!(type_one(&mut client, &mut mine), [], "it is not tried again");
    assert_eq!(client.connected(&mine), []);

    // It has all of that: then nothing is amiss.
    let mut mine = trimmed("abc");
    let mut client = Client::new("notes");
    client.connected(&mine);
    client.receive(&mut mine, &welcome(Limits::default()));
    let frame = joined_frame(&client, JoinMode::Delta, mine.version().clone());
    client.receive(&mut mine, &frame);
    assert_eq!(batches(&type_one(&mut client, &mut mine)), [(1, 5, 6)]);

    // The server has trimmed what is missing here, or is told to build on that.
    let theirs = trimmed("xyz");
    for message in [
        Frame::Sync { up_to: 11, delta: &theirs.delta_since(&VersionVector::new()) }.encode(HANDLE),
        Frame::Error { code: CloseCode::TRIMMED, text: "" }.encode(0),
    ] {
        let mut mine = doc(2, "mine");
        let mut client = joined(&mut mine);
        let outputs = client.receive(&mut mine, &message);
        assert!(outputs.contains(&Output::Close { code: CloseCode::TRIMMED, retry_after_ms: None }));
        assert_eq!(*client.status(), Status::Stopped(StopReason::Trimmed));
        assert_eq!((mine.text().as_str(), mine.version().len()), ("mine", 1));
    }
    let mut mine = doc(2, "mine");
    let mut client = joined(&mut mine);
    client.disconnected(&mine, Some(CloseCode::TRIMMED));
    assert_eq!(*client.status(), Status::Stopped(StopReason::Trimmed));
}
