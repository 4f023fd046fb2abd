use super::*;
use alloc::vec;

/// Every frame, with small and with large values.
fn samples() -> Vec<(Handle, Frame<'static>)> {
    let version: VersionVector =
        [(ReplicaId::new(1), 5), (ReplicaId::new(u64::MAX), Seq::MAX)].into_iter().collect();
    let replica = ReplicaId::new(0x0123_4567_89ab_cdef);
    let delta: &[u8] = &[1, 2, 3, 4];
    vec![
        (0, Frame::Hello { min_version: 1, max_version: 1, capabilities: 300 }),
        (
            0,
            Frame::Welcome {
                version: 1,
                capabilities: u64::MAX,
                session: 42,
                limits: Limits::default(),
                heartbeat_ms: 15_000,
            },
        ),
        (0, Frame::Auth { token: b"secret" }),
        (0, Frame::AuthOk { expires_ms: 60_000 }),
        (0, Frame::Ping { nonce: 7 }),
        (0, Frame::Pong { nonce: u64::MAX }),
        (0, Frame::GoAway { after_ms: 5_000 }),
        (0, Frame::Error { code: CloseCode::INVALID_DELTA, text: "what was wrong: é" }),
        (0, Frame::Fragment { total: 1000, start: 0, piece: delta }),
        (9, Frame::Fragment { total: 1000, start: 996, piece: delta }),
        (
            0,
            Frame::Join {
                request: 3,
                name: "notes",
                epoch: 8,
                last_log_seq: 1 << 40,
                version: version.clone(),
            },
        ),
        (
            300,
            Frame::Joined {
                request: 3,
                permission: Permission::Write,
                mode: JoinMode::Heal,
                epoch: 8,
                head: 12,
                version: version.clone(),
            },
        ),
        (0, Frame::JoinError { request: 3, code: JoinErrorCode::Unavailable, retry_after_ms: 1_000 }),
        (1, Frame::Leave),
        (1, Frame::Sync { up_to: 12, delta }),
        (1, Frame::Sync { up_to: 0, delta: &[] }),
        (u32::MAX, Frame::Update { log_seq: 13, replica, from: 5, to: 9, delta }),
        (1, Frame::Ack { replica, up_to: 9, log_seq: 13 }),
        (
            1,
            Frame::Nack {
                replica,
                from: 5,
                to: 9,
                code: NackCode::Conflict,
                retry_after_ms: 0,
                expected: Seq::MAX,
            },
        ),
        (1, Frame::Pull { version }),
        (1, Frame::Head { log_seq: 13 }),
        (1, Frame::PermissionChanged { permission: Permission::Read }),
        (1, Frame::Reset { epoch: 9 }),
        (1, Frame::Deleted),
        (1, Frame::PresenceSet { state: Some(b"{}") }),
        (1, Frame::PresenceSet { state: None }),
        (
            1,
            Frame::Presence {
                full: true,
                entries: vec![
                    PresenceEntry { session: 42, state: Some(b"{}") },
                    PresenceEntry { session: u64::MAX, state: None },
                ],
            },
        ),
        (0, Frame::Ignored { kind: 0xff }),
    ]
}

#[test]
fn every_frame_round_trips() {
    for (handle, frame) in samples() {
        assert_eq!(Frame::decode(&frame.encode(handle)), Ok((handle, frame)));
    }
}

#[test]
fn a_frame_cut_anywhere_never_decodes_to_itself() {
    for (handle, frame) in samples() {
        let bytes = frame.encode(handle);
        for len in 0..bytes.len() {
            assert_ne!(Frame::decode(&bytes[..len]), Ok((handle, frame.clone())), "cut at {len}");
        }
    }
}

#[test]
fn frames_without_a_tail_end_exactly() {
    for (handle, frame) in samples() {
        let has_tail = matches!(
            frame,
            Frame::Auth { .. }
                | Frame::Fragment { .. }
                | Frame::Sync { .. }
                | Frame::Update { .. }
                | Frame::Ignored { .. }
        );
        if has_tail {
            continue;
        }
        let bytes = frame.encode(handle);
        for len in 0..bytes.len() {
            assert!(Frame::decode(&bytes[..len]).is_err(), "{frame:?} cut at {len}");
        }
        let mut longer = bytes;
        longer.push(0);
        assert!(Frame::decode(&longer).is_err(), "{frame:?} with a byte more");
    }
}

#[test]
fn mutated_frames_never_panic_and_what_decodes_encodes_the_same() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).unwrap()
    };
    for (handle, frame) in samples() {
        let bytes = frame.encode(handle);
        for _ in 0..2_000 {
            let mut mutated = bytes.clone();
            for _ in 0..=next(3) {
                let at = next(mutated.len());
                match next(3) {
                    0 => mutated[at] = next(256).to_le_bytes()[0],
                    1 => mutated.insert(at, next(256).to_le_bytes()[0]),
                    _ if mutated.len() > 1 => drop(mutated.remove(at)),
                    _ => {}
                }
            }
            // The body of an ignored frame is not kept.
            match Frame::decode(&mutated) {
                Err(_) | Ok((_, Frame::Ignored { .. })) => {}
                Ok((handle, frame)) => assert_eq!(frame.encode(handle), mutated),
            }
        }
    }
}

#[test]
fn unknown_types_are_refused_unless_marked_as_ignorable() {
    for kind in 0..=u8::MAX {
        let known = samples().iter().any(|(_, frame)| frame.kind() == kind);
        let bytes = [kind, 1, 2, 3];
        let result = Frame::decode(&bytes);
        if kind >= 0x80 {
            assert_eq!(result, Ok((1, Frame::Ignored { kind })));
        } else if !known {
            assert_eq!(result, Err(FrameError::UnknownType(kind)));
        }
    }
}

#[test]
fn a_frame_about_a_document_needs_a_handle_and_one_about_the_connection_none() {
    for (handle, frame) in samples() {
        if matches!(frame, Frame::Fragment { .. } | Frame::Ignored { .. }) {
            continue;
        }
        let other = u32::from(handle == 0);
        assert_eq!(Frame::decode(&frame.encode(other)), Err(FrameError::WrongHandle(frame.kind())));
    }
}

#[test]
fn counts_and_lengths_that_cannot_follow_are_refused_before_memory_is_taken() {
    let presence = [kind::PRESENCE, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f];
    assert_eq!(Frame::decode(&presence), Err(FrameError::Body(DecodeError::Truncated)));
    let state = [kind::PRESENCE_SET, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f];
    assert_eq!(Frame::decode(&state), Err(FrameError::Body(DecodeError::Truncated)));
}

#[test]
fn limits_hold() {
    let state = vec![0; limits::PRESENCE_BYTES + 1];
    let frame = Frame::PresenceSet { state: Some(&state) };
    assert_eq!(
        Frame::decode(&frame.encode(1)),
        Err(FrameError::Body(DecodeError::LimitExceeded("presence state")))
    );
    let empty = Frame::Update { log_seq: 0, replica: ReplicaId::new(1), from: 3, to: 3, delta: &[1] };
    assert!(Frame::decode(&empty.encode(1)).is_err());
    let mut foreign = Frame::Hello { min_version: 1, max_version: 1, capabilities: 0 }.encode(0);
    foreign[2] = b'X';
    assert_eq!(Frame::decode(&foreign), Err(FrameError::Body(DecodeError::WrongFormat)));
}
