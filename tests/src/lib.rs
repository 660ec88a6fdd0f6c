//! Tools shared by the tests.

pub mod resilience;
pub mod sim;
