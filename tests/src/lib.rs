//! Tools shared by the tests.

pub mod sim;
