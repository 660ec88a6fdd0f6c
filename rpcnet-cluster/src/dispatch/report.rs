//! What happened to a call that failed: who was tried, and why each attempt failed.

use std::{error::Error, fmt, net::SocketAddr, sync::Arc, time::Duration};

use rpcnet::{Executed, Reason, Status};

use super::pool::Line;
use super::retry::GaveUp;
use crate::membership::NodeId;

/// The attempts of a call that failed, in order.
///
/// Found in the [`Status`] of a failed call; its text is part of the status's message.
///
/// ```no_run
/// # async fn example(client: rpcnet_cluster::ResilientClient) {
/// use rpcnet_cluster::FailedAttempts;
///
/// if let Err(error) = client.call("compute", vec![1, 2, 3]).await {
///     let attempts = error.status().and_then(FailedAttempts::of);
///     for attempt in attempts.into_iter().flat_map(FailedAttempts::iter) {
///         println!("{} ({}): {}", attempt.label, attempt.addr, attempt.status);
///     }
/// }
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct FailedAttempts {
    attempts: Vec<FailedAttempt>,
    left_out: usize,
}

/// One attempt that failed.
///
/// ```
/// use rpcnet_cluster::FailedAttempt;
///
/// fn log(attempts: &[FailedAttempt]) {
///     for attempt in attempts {
///         println!("{} after {:?}: {}", attempt.addr, attempt.took, attempt.status);
///     }
/// }
/// # let _ = log;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FailedAttempt {
    /// Who was tried.
    pub worker: NodeId,
    /// Its name for people; may be empty.
    pub label: Arc<str>,
    /// Where it was tried.
    pub addr: SocketAddr,
    /// How long the attempt took.
    pub took: Duration,
    /// Why it failed.
    pub status: Status,
}

impl FailedAttempts {
    /// How many attempts are kept. A call that finds none of a thousand workers listening needs no longer list.
    pub const KEPT_MAX: usize = 16;

    /// The attempts behind the status of a failed call, if it was made by a [`ResilientClient`](crate::ResilientClient) and
    /// anybody was tried.
    pub fn of(status: &Status) -> Option<&Self> {
        status.cause()?.downcast_ref()
    }

    /// The attempts, first to last. The last is always among them; of more than [`KEPT_MAX`](Self::KEPT_MAX) some in the
    /// middle are not.
    pub fn iter(&self) -> std::slice::Iter<'_, FailedAttempt> {
        self.attempts.iter()
    }

    /// How many there were.
    pub fn count(&self) -> usize {
        self.attempts.len() + self.left_out
    }

    pub(crate) fn push(&mut self, to: &Line, took: Duration, status: Status) {
        if self.attempts.len() == Self::KEPT_MAX {
            self.attempts.pop();
            self.left_out += 1;
        }
        let (label, addr) = (Arc::clone(to.label()), to.addr());
        self.attempts.push(FailedAttempt { worker: to.instance().id, label, addr, took, status });
    }

    /// The status of the call: that of its last attempt, in words that say why there is no further one, and who was tried.
    ///
    /// `None` if nobody was tried.
    pub(crate) fn into_status(self, why: GaveUp, executed: Executed) -> Option<Status> {
        let last = self.attempts.last()?.status.clone();
        let message = format!("{}{self}", reason(why, self.count()));
        Some(last.with_message(message).with_executed(executed).caused_by(self))
    }

    /// The status of a call whose deadline passed before any of its attempts succeeded.
    pub(crate) fn into_deadline(self, call: &str, executed: Executed) -> Status {
        let message = if self.attempts.is_empty() {
            format!("{call}: no time is left for the call")
        } else {
            format!("{call}: the deadline passed; {self}")
        };
        Status::new(Reason::Deadline, executed, message).caused_by(self)
    }
}

fn reason(why: GaveUp, attempts: usize) -> String {
    match why {
        GaveUp::NotRepeatable if attempts == 1 => String::new(),
        GaveUp::NotRepeatable => format!("after {attempts} attempts: "),
        GaveUp::MayHaveRun => {
            "not sent again, because it may have run and is not marked `#[rpc(idempotent)]`: ".into()
        }
        GaveUp::Spent => "not sent again, because part of what the client streams was sent: ".into(),
        GaveUp::Attempts => format!("gave up after {attempts} attempts: "),
        GaveUp::Budget => {
            "not sent again, too many calls are being repeated (retry_budget_exhausted): ".into()
        }
        GaveUp::Deadline => "no time is left for another attempt: ".into(),
        GaveUp::NoWorkers => format!("no worker could be reached in {attempts} attempts: "),
    }
}

impl FailedAttempt {
    fn name(&self) -> String {
        if self.label.is_empty() { format!("{:?}", self.worker) } else { self.label.to_string() }
    }
}

impl fmt::Display for FailedAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.status.message())
    }
}

impl fmt::Display for FailedAttempts {
    /// One after the other; the same worker failing in the same words again and again is said once, and how often.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.attempts.iter().map(ToString::to_string).collect();
        for (index, same) in texts.chunk_by(|a, b| a == b).enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{}", same[0])?;
            if same.len() > 1 {
                write!(f, " (×{})", same.len())?;
            }
        }
        match self.left_out {
            0 => Ok(()),
            more => write!(f, "; {more} more in between"),
        }
    }
}

impl Error for FailedAttempts {}
