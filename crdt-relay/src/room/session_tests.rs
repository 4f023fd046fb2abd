use super::*;
use crdt_core::sync::Limits;

const HELLO: Frame<'static> = Frame::Hello { min_version: 1, max_version: 9, capabilities: 0 };

fn greeted() -> Session {
    let mut session = Session::new(42, SessionLimits::default(), 0);
    let outputs = session.receive(0, &encode(0, &HELLO));
    let [SessionOutput::Send(welcome)] = &outputs[..] else { panic!("one answer: {outputs:?}") };
    let welcome = Frame::decode(welcome).unwrap().1;
    assert!(matches!(
        welcome,
        Frame::Welcome { version: 1, session: 42, limits, .. } if limits == Limits::default()
    ));
    session
}

fn encode(handle: Handle, frame: &Frame<'_>) -> Bytes {
    frame.encode(handle).into()
}

fn closed_with(outputs: &[SessionOutput]) -> Option<CloseCode> {
    match outputs.last() {
        Some(SessionOutput::Close { code, .. }) => Some(*code),
        _ => None,
    }
}

fn presence() -> Frame<'static> {
    Frame::PresenceSet { state: Some(b"state") }
}

#[test]
fn the_first_frame_is_a_hello_of_a_known_version() {
    greeted();
    let mut early = Session::new(1, SessionLimits::default(), 0);
    let outputs = early.receive(0, &encode(0, &Frame::Ping { nonce: 1 }));
    assert_eq!(closed_with(&outputs), Some(CloseCode::PROTOCOL));
    let mut newer = Session::new(1, SessionLimits::default(), 0);
    let hello = Frame::Hello { min_version: 2, max_version: 3, capabilities: 0 };
    assert_eq!(closed_with(&newer.receive(0, &encode(0, &hello))), Some(CloseCode::UNSUPPORTED_VERSION));
    assert_eq!(newer.receive(0, &encode(0, &HELLO)), [], "nothing comes after the close");
}

#[test]
fn a_large_first_message_is_refused_unread() {
    let mut session = Session::new(1, SessionLimits::default(), 0);
    let outputs = session.receive(0, &vec![1; HELLO_BYTES + 1].into());
    assert_eq!(closed_with(&outputs), Some(CloseCode::TOO_LARGE));
}

#[test]
fn a_hello_that_does_not_come_ends_the_session() {
    let mut session = Session::new(1, SessionLimits::default(), 1_000);
    assert_eq!(session.tick(5_999), []);
    assert_eq!(closed_with(&session.tick(6_000)), Some(CloseCode::SILENT));
}

#[test]
fn a_silent_client_is_asked_and_then_given_up() {
    let mut session = greeted();
    assert_eq!(session.tick(14_999), []);
    assert_eq!(session.tick(15_000), [send(&Frame::Ping { nonce: 15_000 })]);
    assert_eq!(session.tick(16_000), []);
    assert_eq!(session.receive(20_000, &encode(0, &Frame::Pong { nonce: 15_000 })), []);
    assert_eq!(session.tick(34_999), []);
    assert_eq!(session.tick(35_000), [send(&Frame::Ping { nonce: 35_000 })]);
    assert_eq!(closed_with(&session.tick(170_000)), Some(CloseCode::SILENT));
}

#[test]
fn pings_are_answered_and_unknown_ignorable_frames_ignored() {
    let mut session = greeted();
    let outputs = session.receive(1, &encode(0, &Frame::Ping { nonce: 5 }));
    assert_eq!(outputs, [send(&Frame::Pong { nonce: 5 })]);
    assert_eq!(session.receive(1, &Bytes::from_static(&[0xfe, 0, 1, 2])), []);
    let outputs = session.receive(1, &Bytes::from_static(&[0x7e, 0]));
    assert_eq!(closed_with(&outputs), Some(CloseCode::PROTOCOL));
}

#[test]
fn frames_reach_the_room_once_it_is_open_and_until_it_is_left() {
    let mut session = greeted();
    assert_eq!(session.receive(1, &encode(7, &presence())), [], "not opened yet");
    session.opened(7);
    let frame = encode(7, &presence());
    let passed_on = [SessionOutput::Frame { handle: 7, frame: frame.clone() }];
    assert_eq!(session.receive(1, &frame), passed_on);
    assert_eq!(session.receive(1, &encode(7, &Frame::Leave)), [SessionOutput::Leave { handle: 7 }]);
    assert_eq!(session.receive(1, &frame), []);
}

#[test]
fn pieces_of_frames_for_different_rooms_may_mix() {
    let mut session = greeted();
    session.opened(7);
    session.opened(8);
    let state = [3; 4_000];
    let frame = Frame::PresenceSet { state: Some(&state) };
    let pieces = [7, 8].map(|handle| crdt_core::sync::split(handle, frame.encode(handle), 1_024).into_iter());
    let [seven, eight] = pieces;
    let mut whole = Vec::new();
    for (one, other) in seven.zip(eight) {
        whole.extend(session.receive(1, &one.into()));
        whole.extend(session.receive(1, &other.into()));
    }
    let expected = [7, 8].map(|handle| SessionOutput::Frame { handle, frame: encode(handle, &frame) });
    assert_eq!(whole, expected);
}

#[test]
fn a_frame_in_pieces_above_the_limit_ends_the_session() {
    let mut session = greeted();
    session.opened(7);
    let total = u32::try_from(CLIENT_FRAME_BYTES + 1).unwrap();
    let outputs = session.receive(1, &encode(7, &Frame::Fragment { total, start: 0, piece: &[1] }));
    assert_eq!(closed_with(&outputs), Some(CloseCode::TOO_LARGE));
    assert_eq!(outputs[0], SessionOutput::Leave { handle: 7 }, "and takes it out of its rooms");
}

#[test]
fn pieces_that_hold_a_frame_for_another_document_end_the_session() {
    let mut session = greeted();
    session.opened(7);
    let inner = encode(8, &presence());
    let total = u32::try_from(inner.len()).unwrap();
    let outputs = session.receive(1, &encode(7, &Frame::Fragment { total, start: 0, piece: &inner }));
    assert_eq!(closed_with(&outputs), Some(CloseCode::PROTOCOL));
}

#[test]
fn frames_that_only_a_server_sends_end_the_session() {
    for frame in [Frame::Deleted, Frame::Head { log_seq: 1 }, Frame::Reset { epoch: 2 }] {
        let mut session = greeted();
        session.opened(7);
        assert_eq!(closed_with(&session.receive(1, &encode(7, &frame))), Some(CloseCode::PROTOCOL));
    }
}
