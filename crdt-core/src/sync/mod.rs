//! The sync protocol: frames and the client state machine, without I/O.
