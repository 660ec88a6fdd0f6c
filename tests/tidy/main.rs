//! The tree keeps its own rules: the pure folders are pure, every file says what it is for, nothing is left lying about.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod files;
mod prose;
mod pure;
mod rows;
