//! Rooms: one document's live sessions.
//!
//! `state` and `session` are the protocol as pure functions: no I/O, no clock, no channels. A room
//! knows neither axum nor SQL.

mod limits;
mod presence;
mod registry;
mod session;
mod state;
mod stored;
mod task;

pub use limits::{RoomLimits, SessionLimits};
pub use registry::{Progress, Registry, RoomEvent, RoomRequest, Ticket};
pub use session::{JoinRequest, Session, SessionOutput};
pub use state::{Opened, RoomOutput, RoomState};
pub use task::RoomSettings;
