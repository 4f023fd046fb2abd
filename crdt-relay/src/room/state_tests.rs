use super::*;
use crdt_core::codec::{Limits, decode_delta, encode_delta};
use crdt_core::{Anchor, Op, OpId, OpKind};

const HANDLE: Handle = 7;
const NOW_MS: u64 = 1_000_000;

fn room_with(limits: RoomLimits) -> RoomState {
    let doc = Doc::new(ReplicaId::new(u64::MAX));
    RoomState::new(HANDLE, Opened { doc, epoch: 5, head: 0, bytes: 0 }, limits)
}

/// A room with sessions 1 and 2.
fn room() -> RoomState {
    let mut room = room_with(RoomLimits::default());
    join(&mut room, 1);
    join(&mut room, 2);
    room
}

fn request() -> JoinRequest {
    JoinRequest { request: 9, epoch: 0, last_log_seq: 0, version: VersionVector::new() }
}

fn join(room: &mut RoomState, session: SessionId) -> Outputs {
    room.join(session, &request(), Permission::Write)
}

/// Outputs in a form that tests can read.
#[derive(Debug, PartialEq)]
enum Seen {
    Ack(SessionId, Seq, u64),
    Update(SessionId, u64),
    Nack(SessionId, NackCode, Seq),
    Sync(SessionId, u64),
    Store(u64),
    Close(SessionId, CloseCode),
    Other(SessionId, u8),
}

fn seen(outputs: &[RoomOutput]) -> Vec<Seen> {
    let one = |output: &RoomOutput| match output {
        RoomOutput::Store(batch) => Seen::Store(batch.log_seq),
        RoomOutput::Close { session, code, .. } => Seen::Close(*session, *code),
        RoomOutput::Send { session, message } => match Frame::decode(message).unwrap().1 {
            Frame::Ack { up_to, log_seq, .. } => Seen::Ack(*session, up_to, log_seq),
            Frame::Update { log_seq, .. } => Seen::Update(*session, log_seq),
            Frame::Nack { code, expected, .. } => Seen::Nack(*session, code, expected),
            Frame::Sync { up_to, .. } => Seen::Sync(*session, up_to),
            frame => Seen::Other(*session, frame.kind()),
        },
    };
    outputs.iter().map(one).collect()
}

const ERROR: u8 = 0x08;
const PRESENCE: u8 = 0x21;

/// A document whose replica has typed `text`.
fn typed(replica: u64, text: &str) -> Doc {
    let mut doc = Doc::new(ReplicaId::new(replica));
    doc.insert(0, text).unwrap();
    doc
}

fn batch(doc: &Doc, from: Seq, to: Seq) -> Vec<u8> {
    let replica = doc.replica();
    update(replica, from, to, &doc.delta_of(replica, from..to))
}

fn update(replica: ReplicaId, from: Seq, to: Seq, delta: &[u8]) -> Vec<u8> {
    Frame::Update { log_seq: 0, replica, from, to, delta }.encode(HANDLE)
}

fn receive(room: &mut RoomState, session: SessionId, frame: &[u8]) -> Vec<Seen> {
    seen(&room.receive(NOW_MS, session, frame))
}

/// What must not be touched by a refused batch.
fn fingerprint(room: &RoomState) -> (String, VersionVector, usize, u64, bool) {
    let doc = room.doc();
    (doc.text(), room.accepted.clone(), doc.pending().operations, room.head(), room.is_stored())
}

fn assert_closed(room: &mut RoomState, frame: &[u8], code: CloseCode) {
    let before = fingerprint(room);
    assert_eq!(receive(room, 1, frame), [Seen::Other(1, ERROR), Seen::Close(1, code)]);
    assert_eq!(fingerprint(room), before, "nothing was stored or changed");
    assert_eq!(room.session_count(), 1, "the other session stays");
    assert_eq!(receive(room, 1, frame), [], "and nothing more comes from the closed one");
}

#[test]
fn a_batch_is_acknowledged_and_passed_on_after_it_is_stored() {
    let mut room = room();
    let doc = typed(1, "abc");
    assert_eq!(receive(&mut room, 1, &batch(&doc, 0, 3)), [Seen::Store(1)]);
    assert_eq!(seen(&room.stored(0)), []);
    assert_eq!(seen(&room.stored(1)), [Seen::Ack(1, 3, 1), Seen::Update(2, 1)]);
    assert_eq!(seen(&room.stored(1)), []);
}

#[test]
fn batches_queue_while_the_store_writes_and_come_out_in_log_order() {
    let mut room = room();
    let (one, two) = (typed(1, "abc"), typed(2, "xy"));
    receive(&mut room, 1, &batch(&one, 0, 1));
    receive(&mut room, 2, &batch(&two, 0, 2));
    assert_eq!(receive(&mut room, 1, &batch(&one, 1, 3)), [Seen::Store(3)]);
    assert_eq!(
        seen(&room.stored(2)),
        [Seen::Ack(1, 1, 1), Seen::Update(2, 1), Seen::Update(1, 2), Seen::Ack(2, 2, 2)]
    );
    assert!(!room.is_stored());
    assert_eq!(seen(&room.stored(3)), [Seen::Ack(1, 3, 3), Seen::Update(2, 3)]);
    assert!(room.is_stored());
}

#[test]
fn a_batch_that_comes_again_is_acknowledged_once_it_is_stored_and_not_stored_twice() {
    let mut room = room();
    let doc = typed(1, "abc");
    receive(&mut room, 1, &batch(&doc, 0, 3));
    assert_eq!(receive(&mut room, 2, &batch(&doc, 0, 2)), [], "not stored yet, so not acknowledged");
    assert_eq!(seen(&room.stored(1)), [Seen::Ack(1, 3, 1), Seen::Update(2, 1), Seen::Ack(2, 2, 0)]);
    assert_eq!(receive(&mut room, 2, &batch(&doc, 0, 2)), [Seen::Ack(2, 3, 0)]);
}

#[test]
fn who_opens_a_name_that_others_opened_is_told_that_it_is_stored() {
    let mut room = room();
    let (mut one, mut two) = (typed(1, "a"), typed(2, "b"));
    for (session, doc) in [(1, &mut one), (2, &mut two)] {
        doc.open_list("todo").unwrap();
        let opened: Vec<(ReplicaId, Seq)> =
            doc.version().iter().filter(|(replica, _)| *replica != doc.replica()).collect();
        assert_eq!(opened.len(), 2, "where names begin, and the name");
        for (replica, to) in opened {
            let outputs = receive(&mut room, session, &update(replica, 0, to, &doc.delta_of(replica, 0..to)));
            assert_eq!(outputs.len(), 1);
            let is_first = session == 1;
            assert_eq!(matches!(outputs[0], Seen::Store(_)), is_first, "{outputs:?}");
            assert_eq!(matches!(outputs[0], Seen::Ack(2, ..)), !is_first, "{outputs:?}");
            room.stored(room.head());
        }
    }
    assert!(room.doc().list("todo").is_some());
}

#[test]
fn a_batch_that_would_leave_or_straddle_a_hole_is_refused_with_what_is_expected() {
    let mut room = room();
    let doc = typed(1, "abcdef");
    assert_eq!(receive(&mut room, 1, &batch(&doc, 1, 3)), [Seen::Nack(1, NackCode::Conflict, 0)]);
    receive(&mut room, 1, &batch(&doc, 0, 3));
    assert_eq!(receive(&mut room, 1, &batch(&doc, 2, 5)), [Seen::Nack(1, NackCode::Conflict, 3)]);
    assert_eq!(receive(&mut room, 1, &batch(&doc, 3, 6)), [Seen::Store(2)]);
}

/// Two replicas that have answered each other: 1 types "ab", 2 types "c" behind it, 1 types "d".
fn conversation() -> (Doc, Doc) {
    let (mut one, mut two) = (typed(1, "ab"), Doc::new(ReplicaId::new(2)));
    two.apply(&one.delta_since(&VersionVector::new())).unwrap();
    two.insert(2, "c").unwrap();
    one.apply(&two.delta_since(&VersionVector::new())).unwrap();
    one.insert(3, "d").unwrap();
    (one, two)
}

#[test]
fn a_batch_ahead_of_its_cause_is_refused_and_taken_behind_it() {
    let mut room = room();
    let (one, two) = conversation();
    let refused = [Seen::Nack(2, NackCode::CauseMissing, 0)];
    assert_eq!(receive(&mut room, 2, &batch(&two, 0, 1)), refused);
    assert_eq!((room.head(), room.is_stored(), room.doc().pending().operations), (0, true, 0));
    assert_eq!(receive(&mut room, 1, &batch(&one, 0, 2)), [Seen::Store(1)]);
    assert_eq!(receive(&mut room, 2, &batch(&two, 0, 1)), [Seen::Store(2)]);
    assert_eq!(room.doc().text(), "abc");
}

#[test]
fn a_batch_that_is_ahead_in_part_is_refused_whole() {
    let mut room = room();
    let (one, _) = conversation();
    assert_eq!(receive(&mut room, 1, &batch(&one, 0, 3)), [Seen::Nack(1, NackCode::CauseMissing, 0)]);
    assert_eq!(room.doc().text(), "");
}

#[test]
fn a_delta_that_cannot_be_read_closes_its_session_and_changes_nothing() {
    let doc = typed(1, "abc");
    let delta = doc.delta_of(doc.replica(), 0..3);
    for len in 1..delta.len() {
        assert_closed(&mut room(), &update(doc.replica(), 0, 3, &delta[..len]), CloseCode::INVALID_DELTA);
    }
    for at in 0..delta.len() {
        let mut mutated = delta.clone();
        mutated[at] ^= 0x40;
        // What still can be read must be what the header says.
        let mut room = room();
        let before = fingerprint(&room);
        match &receive(&mut room, 1, &update(doc.replica(), 0, 3, &mutated))[..] {
            [Seen::Store(1)] => {
                let ops = decode_delta(&mutated, &Limits::DEFAULT).unwrap();
                assert_eq!(ops.iter().map(Op::len).sum::<Seq>(), 3);
                assert!(ops.iter().all(|op| op.id.replica == doc.replica()));
            }
            [Seen::Other(1, ERROR), Seen::Close(1, CloseCode::INVALID_DELTA)] => {
                assert_eq!(fingerprint(&room), before);
            }
            other => panic!("byte {at}: {other:?}"),
        }
    }
}

#[test]
fn a_delta_that_is_not_what_its_header_says_closes_its_session() {
    let doc = typed(1, "abcdef");
    let me = doc.replica();
    let delta = doc.delta_of(me, 0..3);
    let mut both = typed(2, "x");
    both.apply(&delta).unwrap();
    let of_two = both.delta_since(&VersionVector::new());
    for frame in [
        update(me, 0, 4, &delta),
        update(me, 0, 2, &delta),
        update(ReplicaId::new(3), 0, 3, &delta),
        update(me, 0, 3, &doc.delta_of(me, 1..4)),
        update(me, 0, 4, &of_two),
        update(me, 0, 3, &encode_delta(&[])),
    ] {
        assert_closed(&mut room(), &frame, CloseCode::INVALID_DELTA);
    }
}

#[test]
fn an_operation_that_contradicts_the_document_closes_its_session() {
    let mut room = room();
    let (one, other) = (typed(1, "abc"), typed(1, "xyz"));
    receive(&mut room, 2, &batch(&one, 0, 3));
    assert_closed(&mut room, &batch(&other, 0, 3), CloseCode::REPLICA_COLLISION);
}

#[test]
fn what_builds_on_trimmed_history_is_told_to_reload() {
    let mut doc = typed(1, "a long story");
    let mut late = Doc::new(ReplicaId::new(2));
    late.apply(&doc.delta_since(&VersionVector::new())).unwrap();
    late.insert(6, "er").unwrap();
    doc.delete(1..12).unwrap();
    doc.trim(&doc.version().clone()).unwrap();
    let mut room = RoomState::new(HANDLE, Opened { doc, epoch: 5, head: 0, bytes: 0 }, RoomLimits::default());
    join(&mut room, 1);
    join(&mut room, 2);
    assert_closed(&mut room, &batch(&late, 0, 2), CloseCode::TRIMMED);
}

#[test]
fn a_reference_that_turns_out_to_be_wrong_harms_nobody_but_its_sender() {
    let mut room = room();
    let mut victim = typed(1, "ab");
    victim.delete(0..1).unwrap();
    // Placed beside operation 2 of the victim, which will be a deletion and no element.
    let anchor = Anchor::after(OpId::new(victim.replica(), 2));
    let liar = ReplicaId::new(2);
    let op = Op { id: OpId::new(liar, 0), kind: OpKind::Insert { anchor, text: "!".into() } };
    let frame = update(liar, 0, 1, &encode_delta(&[op]));
    assert_eq!(receive(&mut room, 2, &frame), [Seen::Nack(2, NackCode::CauseMissing, 0)]);
    assert_eq!(receive(&mut room, 1, &batch(&victim, 0, 3)), [Seen::Store(1)]);
    let closed = [Seen::Other(2, ERROR), Seen::Close(2, CloseCode::INVALID_DELTA)];
    assert_eq!(receive(&mut room, 2, &frame), closed);
    assert_eq!((room.doc().text().as_str(), room.head(), room.session_count()), ("b", 1, 1));
}

#[test]
fn a_session_that_may_only_read_is_refused() {
    let mut room = room();
    let doc = typed(1, "abc");
    let changed = room.set_permission(1, Permission::Read);
    assert_eq!(changed.len(), 1);
    assert_eq!(receive(&mut room, 1, &batch(&doc, 0, 3)), [Seen::Nack(1, NackCode::Permission, 0)]);
    room.set_permission(1, Permission::Write);
    assert_eq!(receive(&mut room, 1, &batch(&doc, 0, 3)), [Seen::Store(1)]);
}

#[test]
fn too_large_too_many_and_too_full_are_refused_and_the_session_goes_on() {
    let frames = crdt_core::sync::Limits { delta_bytes: 100, ..Default::default() };
    let mut room =
        room_with(RoomLimits { frames, document_bytes: 150, batch_burst: 3, ..Default::default() });
    join(&mut room, 1);
    let doc = typed(1, &"x".repeat(300));
    assert_eq!(receive(&mut room, 1, &batch(&doc, 0, 300)), [Seen::Nack(1, NackCode::TooLarge, 0)]);
    assert_eq!(receive(&mut room, 1, &batch(&doc, 0, 60)), [Seen::Store(1)]);
    assert_eq!(receive(&mut room, 1, &batch(&doc, 60, 140)), [Seen::Nack(1, NackCode::DocumentFull, 60)]);
    assert_eq!(receive(&mut room, 1, &batch(&doc, 60, 61)), [Seen::Nack(1, NackCode::Rate, 60)]);
    let later = room.receive(NOW_MS + 5, 1, &batch(&doc, 60, 61));
    assert_eq!(seen(&later), [Seen::Store(2)]);
}

#[test]
fn a_newcomer_gets_what_is_stored_and_who_is_there() {
    let mut room = room();
    let doc = typed(1, "abc");
    receive(&mut room, 1, &Frame::PresenceSet { state: Some(b"me") }.encode(HANDLE));
    receive(&mut room, 1, &batch(&doc, 0, 2));
    room.stored(1);
    receive(&mut room, 1, &batch(&doc, 2, 3));
    let outputs = join(&mut room, 3);
    let frames: Vec<Frame<'_>> = outputs
        .iter()
        .map(|output| match output {
            RoomOutput::Send { session: 3, message } => Frame::decode(message).unwrap().1,
            other => panic!("{other:?}"),
        })
        .collect();
    let [Frame::Joined { head: 1, epoch: 5, mode: JoinMode::Delta, version, .. }, sync, presence] =
        &frames[..]
    else {
        panic!("{frames:?}")
    };
    assert_eq!(version.get(doc.replica()), 2);
    let Frame::Sync { up_to: 1, delta } = sync else { panic!("{sync:?}") };
    let mut copy = Doc::new(ReplicaId::new(9));
    copy.apply(delta).unwrap();
    assert_eq!(copy.text(), "ab");
    let Frame::Presence { full: true, entries } = presence else { panic!("{presence:?}") };
    assert_eq!(entries.iter().map(|entry| entry.session).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_pull_is_answered_with_what_is_missing_and_stored() {
    let mut room = room();
    let doc = typed(1, "abc");
    receive(&mut room, 1, &batch(&doc, 0, 3));
    let pull = Frame::Pull { version: VersionVector::new() }.encode(HANDLE);
    assert_eq!(receive(&mut room, 2, &pull), [Seen::Sync(2, 0)]);
    room.stored(1);
    assert_eq!(receive(&mut room, 2, &pull), [Seen::Sync(2, 1)]);
}

#[test]
fn a_room_opened_from_a_snapshot_tells_each_session_what_it_lacks() {
    let (one, two) = conversation();
    let limits = RoomLimits::default();
    let opened = Doc::from_snapshot(ReplicaId::new(u64::MAX), &one.encode_snapshot()).unwrap();
    let mut room = RoomState::new(HANDLE, Opened { doc: opened, epoch: 5, head: 3, bytes: 0 }, limits);
    let new = typed(3, "!");
    let versions = [VersionVector::new(), two.version().clone(), one.version().clone(), VersionVector::new()];
    for (session, version) in (1..).zip(versions) {
        let outputs =
            room.join(session, &JoinRequest { version: version.clone(), ..request() }, Permission::Write);
        let RoomOutput::Send { message, .. } = &outputs[1] else { panic!("{outputs:?}") };
        let Frame::Sync { delta, .. } = Frame::decode(message).unwrap().1 else { panic!("{outputs:?}") };
        let expected = if version.covers(one.version()) { Vec::new() } else { one.delta_since(&version) };
        assert_eq!(delta, expected, "session {session}");
        assert_eq!((room.doc().text(), room.doc().version()), (one.text(), one.version()));
        room.doc().assert_invariants();
    }
    // What is accepted and not stored yet is told to nobody.
    receive(&mut room, 1, &batch(&new, 0, 1));
    let outputs = join(&mut room, 5);
    let RoomOutput::Send { message, .. } = &outputs[1] else { panic!("{outputs:?}") };
    let Frame::Sync { delta, .. } = Frame::decode(message).unwrap().1 else { panic!("{outputs:?}") };
    let mut copy = Doc::new(ReplicaId::new(9));
    copy.apply(delta).unwrap();
    assert_eq!((copy.text(), copy.version()), (one.text(), one.version()));
}

#[test]
fn a_flood_of_pulls_closes_its_session_for_a_while() {
    let mut room = room_with(RoomLimits { batch_burst: 2, ..RoomLimits::default() });
    join(&mut room, 1);
    let pull = Frame::Pull { version: VersionVector::new() }.encode(HANDLE);
    assert_eq!(receive(&mut room, 1, &pull), [Seen::Sync(1, 0)]);
    assert_eq!(receive(&mut room, 1, &pull), [Seen::Sync(1, 0)]);
    let closed = [Seen::Other(1, ERROR), Seen::Close(1, CloseCode::OVERLOADED)];
    assert_eq!(receive(&mut room, 1, &pull), closed);
}

#[test]
fn joins_are_told_apart_by_epoch_and_by_how_far_the_client_was() {
    let mut room = room();
    let mode = |room: &mut RoomState, session, epoch, last_log_seq| {
        let outputs =
            room.join(session, &JoinRequest { epoch, last_log_seq, ..request() }, Permission::Write);
        let RoomOutput::Send { message, .. } = &outputs[0] else { panic!("{outputs:?}") };
        let Frame::Joined { mode, .. } = Frame::decode(message).unwrap().1 else { panic!("{outputs:?}") };
        (mode, outputs.len())
    };
    assert_eq!(mode(&mut room, 3, 0, 0), (JoinMode::Delta, 3));
    assert_eq!(mode(&mut room, 4, 5, 0), (JoinMode::Delta, 3));
    assert_eq!(mode(&mut room, 5, 5, 1), (JoinMode::Heal, 3));
    assert_eq!(mode(&mut room, 6, 4, 0), (JoinMode::Reset, 1));
    assert_eq!(room.session_count(), 5, "who was reset is not in the room");
}

#[test]
fn a_full_room_and_a_second_join_are_refused() {
    let mut room = room_with(RoomLimits { sessions: 1, ..RoomLimits::default() });
    join(&mut room, 1);
    for (session, code, again) in
        [(1, JoinErrorCode::AlreadyJoined, false), (2, JoinErrorCode::RoomFull, true)]
    {
        let outputs = join(&mut room, session);
        let [RoomOutput::Send { message, .. }] = &outputs[..] else { panic!("{outputs:?}") };
        let (0, Frame::JoinError { request: 9, code: found, retry_after_ms }) =
            Frame::decode(message).unwrap()
        else {
            panic!("{outputs:?}")
        };
        assert_eq!((found, retry_after_ms > 0), (code, again));
    }
}

#[test]
fn a_failed_store_closes_everybody_and_acknowledges_nothing() {
    let mut room = room();
    receive(&mut room, 1, &batch(&typed(1, "abc"), 0, 3));
    let failed = CloseCode::STORE_FAILED;
    assert_eq!(
        seen(&room.store_failed()),
        [Seen::Other(1, ERROR), Seen::Close(1, failed), Seen::Other(2, ERROR), Seen::Close(2, failed)]
    );
    assert!(room.is_idle());
    assert_eq!(seen(&room.stored(1)), []);
    assert_eq!(seen(&join(&mut room, 3)).len(), 1, "a newcomer is sent away");
    assert_eq!(room.session_count(), 0);
}

#[test]
fn presence_goes_out_once_a_tick_and_says_who_left() {
    let mut room = room();
    for state in [b"1", b"2", b"3"] {
        receive(&mut room, 1, &Frame::PresenceSet { state: Some(state) }.encode(HANDLE));
    }
    assert!(room.wants_tick());
    let outputs = room.tick(NOW_MS);
    assert_eq!(seen(&outputs), [Seen::Other(1, PRESENCE), Seen::Other(2, PRESENCE)]);
    receive(&mut room, 1, &Frame::PresenceSet { state: Some(b"4") }.encode(HANDLE));
    assert_eq!(seen(&room.tick(NOW_MS + 49)), []);
    assert_eq!(seen(&room.tick(NOW_MS + 50)).len(), 2);
    room.leave(1);
    let outputs = room.tick(NOW_MS + 100);
    let [RoomOutput::Send { session: 2, message }] = &outputs[..] else { panic!("{outputs:?}") };
    let Frame::Presence { full: false, entries } = Frame::decode(message).unwrap().1 else { panic!() };
    assert_eq!(entries, [crdt_core::sync::PresenceEntry { session: 1, state: None }]);
    assert!(!room.wants_tick());
}

#[test]
fn the_head_is_announced_once_after_changes() {
    let mut room = room();
    receive(&mut room, 1, &batch(&typed(1, "abc"), 0, 3));
    room.stored(1);
    let head = 0x19;
    assert_eq!(seen(&room.tick(NOW_MS)), [Seen::Other(1, head), Seen::Other(2, head)]);
    assert_eq!(seen(&room.tick(NOW_MS + 9_000)), []);
}

#[test]
fn large_frames_leave_in_pieces_within_the_limit() {
    let frames = crdt_core::sync::Limits { frame_bytes: 1_024, ..Default::default() };
    let mut room = room_with(RoomLimits { frames, ..RoomLimits::default() });
    join(&mut room, 1);
    join(&mut room, 2);
    let doc = typed(1, &"x".repeat(5_000));
    receive(&mut room, 1, &batch(&doc, 0, 5_000));
    let outputs = room.stored(1);
    let to_two: Vec<&Bytes> = outputs
        .iter()
        .filter_map(|output| match output {
            RoomOutput::Send { session: 2, message } => Some(message),
            _ => None,
        })
        .collect();
    assert!(to_two.len() >= 5 && to_two.iter().all(|message| message.len() <= 1_024));
}

#[test]
fn frames_that_only_a_server_sends_or_for_another_document_close_the_session() {
    for frame in [Frame::Deleted.encode(HANDLE), batch(&typed(1, "a"), 0, 1)] {
        let mut room = room();
        let mut frame = frame;
        if frame[0] == 0x15 {
            frame[1] = 8;
        }
        assert_closed(&mut room, &frame, CloseCode::PROTOCOL);
    }
}

#[test]
fn everybody_is_told_of_a_reset_and_of_a_deletion() {
    for (outputs, kind) in [(room().reset(6), 0x1c), (room().deleted(), 0x1d)] {
        assert_eq!(seen(&outputs), [Seen::Other(1, kind), Seen::Other(2, kind)]);
    }
}
