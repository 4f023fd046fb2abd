//! Rooms: one document's live sessions.
//!
//! `state` and `session` are the protocol as pure functions: no I/O, no clock, no channels. A room
//! knows neither axum nor SQL.
