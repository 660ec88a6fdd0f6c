//! Calls under failure, measured: a cluster over a network in memory, in virtual time.
//!
//! Nodes run the agents, servers and clients of production; what is simulated is the network, the clock, and how long the
//! workers' work takes. A scenario builds a [`World`], lets a [`Load`] call into it while something goes wrong, and
//! holds what the callers saw against a goal. Some of them there are with real processes too, in `processes`.

mod load;
#[cfg(target_os = "linux")]
pub mod processes;
mod report;
mod samples;
mod scenarios;
mod work;
mod world;

use std::{future::Future, pin::Pin, time::Duration};

pub use load::Load;
pub use report::{Figure, Report};
pub use samples::{Sample, Samples};
pub use scenarios::SCENARIOS;
pub use work::{Service, Work};
pub use world::{Limits, Post, World};

/// A scenario by name.
#[derive(Debug)]
pub struct Scenario {
    /// As the command line has it.
    pub name: &'static str,
    /// What happens, in a line.
    pub about: &'static str,
    /// Plays it.
    pub play: fn(seed: u64) -> Played,
}

/// A scenario under way.
pub type Played = Pin<Box<dyn Future<Output = Report>>>;

/// Plays a scenario in virtual time, on this thread. The same seed plays the same.
///
/// # Panics
///
/// Within a tokio runtime.
pub fn play(scenario: &Scenario, seed: u64) -> Report {
    // What the crates draw without being given a seed, they draw from this thread's generator.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime of one thread").block_on((scenario.play)(seed))
}

/// Milliseconds, for people.
pub(crate) fn ms(duration: Duration) -> String {
    format!("{:.0} ms", duration.as_secs_f64() * 1e3)
}
