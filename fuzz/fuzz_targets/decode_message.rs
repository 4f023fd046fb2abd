//! Bytes from outside as a message of the sync protocol.
#![no_main]

#[path = "../memory.rs"]
mod memory;
#[path = "../checks/message.rs"]
mod message;

use crdt_core::sync::Frame;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    memory::bounded(bytes, 1 << 10, |bytes| drop(Frame::decode(bytes)));
    message::check(bytes);
});
