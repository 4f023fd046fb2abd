//! Todo.
pub(super) fn run(_bench: &mut super::Bench) {}
