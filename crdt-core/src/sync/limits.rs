//! Every limit of the sync layer. Sizes are in bytes, times in milliseconds.

/// Largest message on the wire; a longer frame travels as [`Fragment`](super::Frame::Fragment)s.
pub const FRAME_BYTES: usize = 256 << 10;

/// Largest first message of a connection, before the other side has said who it is.
pub const HELLO_BYTES: usize = 4 << 10;

/// Largest delta in one [`Update`](super::Frame::Update).
pub const DELTA_BYTES: usize = 8 << 20;

/// What a frame may hold beside its delta: its head, or a version vector.
pub const FRAME_OVERHEAD_BYTES: usize = 64 << 10;

/// Largest frame that a server puts together from fragments.
pub const CLIENT_FRAME_BYTES: usize = DELTA_BYTES + FRAME_OVERHEAD_BYTES;

/// Largest frame that a client puts together from fragments: a [`Sync`](super::Frame::Sync) that
/// holds a whole document.
pub const SERVER_FRAME_BYTES: usize = 256 << 20;

/// Longest name of a document.
pub const NAME_BYTES: usize = 256;

/// Largest presence state of one session.
pub const PRESENCE_BYTES: usize = 4 << 10;

/// Longest text of an error.
pub const ERROR_TEXT_BYTES: usize = 1 << 10;

/// Batches that a client has sent and that were not answered yet.
pub const IN_FLIGHT_BATCHES: usize = 32;

/// Operations in one batch. At no more than some 40 bytes each they stay well below [`DELTA_BYTES`].
pub const BATCH_OPERATIONS: u32 = 64 << 10;

/// How long a client that hears nothing waits until it asks with a ping, unless the server says otherwise.
pub const HEARTBEAT_MS: u32 = 15_000;

/// Least heartbeat that a client accepts from a server.
pub const HEARTBEAT_MIN_MS: u32 = 250;

/// How long a client waits at least before it repeats a batch that was refused for no reason that
/// it can do something about.
pub const RETRY_MIN_MS: u64 = 1_000;

/// Least message size that a client accepts from a server as limit.
pub const FRAME_BYTES_MIN: usize = 1 << 10;
