//! The tree keeps its own rules: the pure folders are pure, every file says what it is for, nothing is left lying about.

mod files;
mod prose;
mod pure;
