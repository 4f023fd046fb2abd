//! Two replicas.
fn main() {}
