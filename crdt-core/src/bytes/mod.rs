//! Bounded reading and writing of bytes; knows no CRDT word.
//!
//! - [`Reader`] never reads past its end and never allocates: what it returns borrows the input.
//! - Numbers are LEB128 varints, least significant group first, in their one shortest form.
//! - Every read is O(bytes read).

mod checksum;
mod reader;
mod writer;

pub use checksum::{crc32c, crc32c_on};
pub use reader::Reader;
pub use writer::{write_bytes, write_u32_le, write_u64_le, write_varint};
