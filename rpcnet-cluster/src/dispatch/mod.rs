//! ⑤ The choice becomes a call: attempts, resends, deadlines, and the connections they run over.
//!
//! Policy, without clocks or sockets: `outcome` (what a failure means), `field` (who may be tried), `retry` (what to do
//! next) with `backoff`, `budget` and `hedge` (over the times of `latency`), `breaker` (who is left alone, by the `record` of its
//! calls), `shed` and `throttle` (what is not sent). The shell around it: `resilient`, `call` and `race`, which do what the
//! policy says, `attempt` and `pool`, which reach a worker, `feedback`, which tells its load, `report`, `journal` and `span`, which
//! say what happened; `upload` is what a client streams, lent to each attempt.

mod attempt;
mod backoff;
mod breaker;
mod budget;
mod call;
mod circuit;
mod feedback;
mod field;
mod glance;
mod hedge;
mod journal;
mod latency;
mod outcome;
mod pool;
mod race;
mod record;
mod report;
mod resilient;
mod retry;
mod selection;
mod settings;
mod shed;
mod span;
#[cfg(test)]
mod tests;
mod throttle;
mod upload;

pub use breaker::CircuitState;
pub use circuit::{CircuitBreaker, CircuitError};
pub use journal::{AttemptEnd, AttemptReport, CallReport};
pub use report::{FailedAttempt, FailedAttempts};
pub use resilient::ResilientClient;
pub use settings::Resilience;

pub(crate) use backoff::Backoff;
#[cfg(feature = "__internals")]
pub(crate) use budget::Budget;
pub(crate) use field::{Runner, eligible};
pub(crate) use pool::{Dialler, Line};
