//! Results with structure, as bytes that `js/src/packet.ts` reads. Private to this pair of files.
//!
//! Numbers are varints. An edit is `position · 2 + (0 insert | 1 delete)`, then for an insertion its
//! text (length in bytes, UTF-8), for a deletion its length; positions and lengths in UTF-16 units.

use crdt_core::bytes::{write_bytes, write_u64_le, write_varint};
use crdt_core::{PendingReport, TextEdit};

/// The edits one after the other, up to the packet's end.
pub(crate) fn edits(edits: &[TextEdit]) -> Vec<u8> {
    let mut out = Vec::new();
    write_edits(&mut out, edits);
    out
}

pub(crate) fn write_edits(out: &mut Vec<u8>, edits: &[TextEdit]) {
    for edit in edits {
        match edit {
            TextEdit::Insert { position_utf16, text, .. } => {
                write_varint(out, (*position_utf16 as u64) << 1);
                write_bytes(out, text.as_bytes());
            }
            TextEdit::Delete { position_utf16, len_utf16, .. } => {
                write_varint(out, ((*position_utf16 as u64) << 1) | 1);
                write_varint(out, *len_utf16 as u64);
            }
            TextEdit::Embed { position_utf16, .. } => {
                write_varint(out, (*position_utf16 as u64) << 1);
                write_bytes(out, "\u{fffc}".as_bytes());
            }
            _ => {}
        }
    }
}

/// How many operations wait; then, for each missing range, replica (8 bytes LE), start, end.
pub(crate) fn pending(report: &PendingReport) -> Vec<u8> {
    let mut out = Vec::new();
    write_varint(&mut out, report.operations as u64);
    for (replica, seqs) in &report.missing {
        write_u64_le(&mut out, replica.get());
        write_varint(&mut out, seqs.start.into());
        write_varint(&mut out, seqs.end.into());
    }
    out
}
