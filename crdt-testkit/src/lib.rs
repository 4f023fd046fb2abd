//! Test kit of the workspace.
