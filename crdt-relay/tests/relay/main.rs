//! The relay as a whole: its store, and a real server over real sockets.

#![allow(missing_docs, unreachable_pub, reason = "a test program has no public items")]

mod authors;
mod failing;
mod kill;
mod misbehaviour;
mod person;
mod process;
mod server;
mod store;
mod together;
