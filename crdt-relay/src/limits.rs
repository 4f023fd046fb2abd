//! The relay's limits that no option changes, and the defaults of those that options do.
//!
//! Limits of sessions and rooms stand in `room::limits`, those of the frames in `crdt_core::sync::limits`.

use std::time::Duration;

/// Snapshot after so many operations.
pub const SNAPSHOT_EVERY_OPERATIONS: u64 = 1000;

/// A room without sessions is unloaded after this long.
pub const IDLE_UNLOAD: Duration = Duration::from_secs(30);

/// A connection must have said Hello by then.
pub const HELLO_DEADLINE: Duration = Duration::from_secs(5);

/// How long a shutdown may take to store everything and say goodbye.
pub const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(10);

/// Live frames queued for a session, in bytes, above which updates are left out for it.
pub const SESSION_BUFFER_BYTES: usize = 1 << 20;

/// How many times that much may be left out before the session is closed as too slow.
pub const SESSION_LAG_FACTOR: usize = 16;

/// Connections at the same time; further ones are answered 503.
pub const CONNECTIONS: usize = 10_000;

/// One message that a peer takes longer than this to read ends its connection.
pub const WRITE_DEADLINE: Duration = Duration::from_secs(30);

/// Catch-up and single huge frames queued for a session, in bytes, above which another one closes it.
pub const SESSION_CATCH_UP_BYTES: usize = 128 << 20;

/// How often a room with something to say later looks at the time.
pub const ROOM_TICK: Duration = Duration::from_millis(50);

/// How often a connection looks at the time, at the most.
pub const CONNECTION_TICK: Duration = Duration::from_secs(1);

/// Frames that a room has not looked at yet; connections stop reading when it is full.
pub const ROOM_QUEUE: usize = 32;

/// Bytes that a room has given to the store and that are not committed; it stops taking frames above.
pub const ROOM_UNSTORED_BYTES: usize = 32 << 20;

/// When a client whose document cannot be opened now may ask again.
pub const RETRY_OPEN: Duration = Duration::from_secs(5);

/// Within this time of a shutdown's goodbye, each client comes back at a moment of its own.
pub const COME_BACK_WITHIN: Duration = Duration::from_secs(2);

/// How long a closed connection may take to answer the close.
pub const CLOSE_DEADLINE: Duration = Duration::from_secs(2);

/// WebSocket read buffer, in bytes. axum's default of 128 KiB is most of what a connection costs.
pub const WEBSOCKET_READ_BUFFER_BYTES: usize = 4 << 10;

/// WebSocket write buffer, in bytes: 0 hands each message to the socket at once.
pub const WEBSOCKET_WRITE_BUFFER_BYTES: usize = 0;
