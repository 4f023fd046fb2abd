//! The relay's limits that no option changes, and the defaults of those that options do.
//!
//! Limits of the frames themselves (name, presence, frame length) stand in `crdt_core::sync`.

use std::time::Duration;

/// Snapshot after so many operations.
pub const SNAPSHOT_EVERY_OPERATIONS: u64 = 1000;

/// A room without sessions is unloaded after this long.
pub const IDLE_UNLOAD: Duration = Duration::from_secs(30);

/// A connection must have said Hello by then.
pub const HELLO_DEADLINE: Duration = Duration::from_secs(5);

/// How long a shutdown may take to store everything and say goodbye.
pub const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(10);

/// Frames queued for a session, in bytes, above which it is closed as too slow.
pub const SESSION_BUFFER_BYTES: usize = 1 << 20;

/// Connections at the same time; further ones are answered 503.
pub const CONNECTIONS: usize = 10_000;

/// One message that a peer takes longer than this to read ends its connection.
pub const WRITE_DEADLINE: Duration = Duration::from_secs(30);

/// How often rooms look at the time (head heartbeat, presence, idleness).
pub const ROOM_TICK: Duration = Duration::from_millis(50);

/// Requests that a room has not looked at yet; senders wait when it is full.
pub const ROOM_QUEUE: usize = 256;

/// WebSocket read buffer, in bytes. axum's default of 128 KiB is most of what a connection costs.
pub const WEBSOCKET_READ_BUFFER_BYTES: usize = 4 << 10;

/// WebSocket write buffer, in bytes: 0 hands each message to the socket at once.
pub const WEBSOCKET_WRITE_BUFFER_BYTES: usize = 0;
