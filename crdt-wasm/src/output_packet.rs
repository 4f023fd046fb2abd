//! What a `SyncClient` wants done, as bytes that `js/src/sync.ts` reads. Private to this pair of files.
//!
//! Each output: its number below, then its fields. Numbers are varints, texts and byte strings have
//! their length in front, ids are 8 bytes LE, codes are names.

use crate::packet::write_edits;
use crdt_core::bytes::{write_bytes, write_u64_le, write_varint};
use crdt_core::sync::{JoinErrorCode, NackCode, Output, Permission, PresenceChange, Status, StopReason};

const SEND: u8 = 0;
const EDITS: u8 = 1;
const PRESENCE: u8 = 2;
const OFFLINE: u8 = 3;
const SAVING: u8 = 4;
const SAVED: u8 = 5;
const STOPPED: u8 = 6;
const SYNCED: u8 = 7;
const PERMISSION: u8 = 8;
const REFUSED: u8 = 9;
const CLOSE: u8 = 10;

pub(crate) fn write(outputs: &[Output]) -> Vec<u8> {
    let mut out = Vec::new();
    for output in outputs {
        write_output(&mut out, output);
    }
    out
}

fn write_output(out: &mut Vec<u8>, output: &Output) {
    match output {
        Output::Send(message) => {
            out.push(SEND);
            write_bytes(out, message);
        }
        Output::Edits(edits) => {
            let mut body = Vec::new();
            write_edits(&mut body, edits);
            out.push(EDITS);
            write_bytes(out, &body);
        }
        Output::Presence(changes) => {
            out.push(PRESENCE);
            write_varint(out, changes.len() as u64);
            for change in changes {
                write_presence(out, change);
            }
        }
        Output::Status(status) => write_status(out, status),
        Output::Synced => out.push(SYNCED),
        Output::Permission(permission) => {
            out.extend([PERMISSION, u8::from(*permission == Permission::Write)]);
        }
        Output::Refused(code) => {
            out.push(REFUSED);
            write_bytes(out, nack_name(*code).as_bytes());
        }
        Output::Close { code, retry_after_ms } => {
            out.push(CLOSE);
            write_varint(out, code.0.into());
            // 0 is no delay; any other number is the delay plus one.
            write_varint(out, retry_after_ms.map_or(0, |ms| u64::from(ms) + 1));
        }
        // `Output` is open for more; each needs a number here and a case in JavaScript.
        _ => unreachable!("an output without a packet form"),
    }
}

fn write_status(out: &mut Vec<u8>, status: &Status) {
    match status {
        Status::Offline { unsaved } => out.extend([OFFLINE, u8::from(*unsaved)]),
        Status::Saving => out.push(SAVING),
        Status::Saved => out.push(SAVED),
        Status::Stopped(reason) => {
            let (code, message) = stop_reason(reason);
            out.push(STOPPED);
            write_bytes(out, code.as_bytes());
            write_bytes(out, message.as_bytes());
        }
    }
}

fn nack_name(code: NackCode) -> &'static str {
    match code {
        NackCode::Conflict => "conflict",
        NackCode::TooLarge => "too-large",
        NackCode::Rate => "rate",
        NackCode::Permission => "permission",
        NackCode::DocumentFull => "document-full",
        NackCode::CauseMissing => "cause-missing",
    }
}

fn join_error_name(code: JoinErrorCode) -> &'static str {
    match code {
        JoinErrorCode::InvalidName => "the document's name is not allowed",
        JoinErrorCode::Forbidden => "this session may not open the document",
        JoinErrorCode::RoomFull => "too many sessions have the document open",
        JoinErrorCode::Unavailable => "the document cannot be read now",
        JoinErrorCode::AlreadyJoined => "this connection has the document open already",
        JoinErrorCode::TooManyDocuments => "this connection has too many documents open",
    }
}

fn stop_reason(reason: &StopReason) -> (&'static str, String) {
    match reason {
        StopReason::Reset => ("reset", "the server has another document of this name".into()),
        StopReason::Deleted => ("deleted", "the document was deleted".into()),
        StopReason::JoinRefused(code) => ("join-refused", join_error_name(*code).into()),
        StopReason::Closed { code, text } if text.is_empty() => {
            ("closed", format!("the server closed the connection: {}", code.0))
        }
        StopReason::Closed { code, text } => {
            ("closed", format!("the server closed the connection: {} {text}", code.0))
        }
        StopReason::UnsupportedVersion(version) => {
            ("unsupported-version", format!("the server speaks version {version} of the protocol"))
        }
        StopReason::Protocol(_) => ("protocol", "the server does not keep to the protocol".into()),
        StopReason::Trimmed => ("trimmed", "history that is missing was trimmed: reload the document".into()),
        StopReason::Apply(error) => ("invalid-delta", error.to_string()),
        _ => ("stopped", "the session cannot go on".into()),
    }
}

fn write_presence(out: &mut Vec<u8>, change: &PresenceChange) {
    write_u64_le(out, change.session);
    out.push(u8::from(change.state.is_some()));
    if let Some(state) = &change.state {
        write_bytes(out, state);
    }
}
