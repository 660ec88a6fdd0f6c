//! Tools shared by the tests.

pub mod plot;
pub mod resilience;
pub mod sim;
