//! Tools shared by the tests.

pub mod out;
pub mod plot;
#[cfg(target_os = "linux")]
pub mod process;
pub mod resilience;
pub mod sim;
