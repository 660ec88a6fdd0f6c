//! ⑤ The choice becomes a call: attempts, resends, deadlines, and the connections they run over.
//!
//! Policy, without clocks or sockets: `outcome` (what a failure means), `field` (who may be tried), `retry` (what to do
//! next) with `backoff` and `budget`, `ejection` (who is left alone). The shell around it: `resilient` and `call`, which do
//! what the policy says, `attempt` and `pool`, which reach a worker, `feedback`, which tells its load, `report`, which says what
//! happened; `upload` is what a client streams, lent to each attempt.

mod attempt;
mod backoff;
mod budget;
mod call;
mod ejection;
mod feedback;
mod field;
mod outcome;
mod pool;
mod report;
mod resilient;
mod retry;
mod selection;
#[cfg(test)]
mod tests;
mod upload;

pub use report::{FailedAttempt, FailedAttempts};
pub use resilient::ResilientClient;

pub(crate) use field::{Runner, eligible};
pub(crate) use pool::{Dialler, Line};
