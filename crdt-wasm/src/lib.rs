//! JavaScript bindings of crdt-core.
