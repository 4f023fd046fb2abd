//! Rooms: one document's live sessions.
//!
//! `state` and `session` are the protocol as pure functions: no I/O, no clock, no channels. A room
//! knows neither axum nor SQL.

mod limits;
mod presence;
mod session;
mod state;
mod stored;

pub use limits::{RoomLimits, SessionLimits};
pub use session::{JoinRequest, Session, SessionOutput};
pub use state::{Opened, RoomOutput, RoomState};
