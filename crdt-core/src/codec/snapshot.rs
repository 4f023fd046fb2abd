//! Snapshots: everything a document holds, in one checked file.
//!
//! ```text
//! snapshot = "CRDT"  'S'  0x01  delta  checksum
//! ```
//!
//! `delta` holds every operation, waiting ones too; `checksum` is the CRC-32C of all bytes before it,
//! four bytes, least significant first.

use crate::bytes::{Reader, crc32c, write_u32_le};
use crate::error::DecodeError;
use alloc::vec::Vec;

const MAGIC: &[u8; 5] = b"CRDTS";
const VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = 4;

/// Wraps the delta of a whole document.
pub(crate) fn seal_snapshot(delta: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(MAGIC.len() + 1 + delta.len() + CHECKSUM_BYTES);
    out.extend_from_slice(MAGIC);
    out.push(VERSION);
    out.extend_from_slice(delta);
    let checksum = crc32c(&out);
    write_u32_le(&mut out, checksum);
    out
}

/// Unwraps the delta of a whole document, after checking the checksum.
pub(crate) fn open_snapshot(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let mut reader = Reader::new(bytes);
    if reader.take(MAGIC.len())? != MAGIC {
        return Err(DecodeError::WrongFormat);
    }
    let version = reader.u8()?;
    if version != VERSION {
        return Err(DecodeError::UnsupportedVersion(version));
    }
    let len = reader.remaining().checked_sub(CHECKSUM_BYTES).ok_or(DecodeError::Truncated)?;
    let delta = reader.take(len)?;
    let checksum = reader.u32_le()?;
    if checksum != crc32c(&bytes[..bytes.len() - CHECKSUM_BYTES]) {
        return Err(DecodeError::ChecksumMismatch);
    }
    Ok(delta)
}
