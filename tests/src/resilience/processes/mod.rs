//! The same with real processes: workers that are this program, started anew, on ports that the system chooses. They are
//! killed by SIGKILL, stopped by SIGSTOP, and told to end by SIGTERM.
//!
//! Time is the machine's, so that no two runs are alike, and a run is short: what takes long or wants exact figures is the
//! simulated scenario's.

mod black_hole;
mod field;
mod kill;
mod restart;
mod rolling;
mod worker;

use std::pin::Pin;

use self::field::Field;
pub use self::worker::{WORKER, main as worker};
use super::{Report, ms};

/// A scenario with real processes, by name.
#[derive(Debug)]
pub struct Stage {
    /// As the command line has it.
    pub name: &'static str,
    /// What happens, in a line.
    pub about: &'static str,
    /// Plays it.
    play: fn(seed: u64) -> Played,
}

/// A scenario under way; an error says what could not be started.
type Played = Pin<Box<dyn Future<Output = Result<Report, String>>>>;

/// All of them, in the order of their names.
pub const STAGES: &[Stage] = &[black_hole::STAGE, kill::STAGE, restart::STAGE, rolling::STAGE];

impl Stage {
    /// Plays it, in some seconds. The seed decides when calls come and how long they take.
    ///
    /// # Errors
    ///
    /// What could not be started, or did not end as it was told.
    ///
    /// # Panics
    ///
    /// Within a tokio runtime.
    pub fn play(&self, seed: u64) -> Result<Report, String> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.map_err(|error| error.to_string())?.block_on((self.play)(seed))
    }
}
