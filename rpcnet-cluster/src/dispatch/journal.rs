//! What happened to a call, whether it failed or not.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use rpcnet::{Request, Status};
use tokio::time::Instant;

use super::pool::Line;
use crate::membership::NodeId;

/// What happened to one call: whom it was sent to, how each attempt ended, and how long it waited.
///
/// [`ResilientClient::call_with_report`](crate::ResilientClient::call_with_report) gives one beside the answer,
/// [`ResilientClient::reporting`](crate::ResilientClient::reporting) one for each call, also of a generated client.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::{ClusterMembership, LoadBalancing, ResilientClient, WorkerRegistry};
///
/// let cluster = ClusterMembership::builder().join().await?;
/// let client = ResilientClient::new(WorkerRegistry::new(&cluster, LoadBalancing::PeakEwma));
/// # let client = client.with(rpcnet::CallOptions::timeout(std::time::Duration::from_millis(10)));
/// let (answer, report) = client.call_with_report("compute", vec![1]).await;
/// assert!(answer.is_err() && report.attempts.is_empty(), "there is no worker");
/// println!("waited {:?} of {:?}", report.waited, report.took);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CallReport {
    /// The method's full name.
    pub call: String,
    /// The attempts in the order in which they began; at most [`ATTEMPTS_MAX`](Self::ATTEMPTS_MAX).
    pub attempts: Vec<AttemptReport>,
    /// Attempts beyond those.
    pub attempts_left_out: usize,
    /// How long the call took in all.
    pub took: Duration,
    /// How much of that passed without an attempt: before a resend, or for want of a worker.
    pub waited: Duration,
    /// Why it failed, in the words its caller was told; `None` if it was answered, be it by the method's own error.
    pub failure: Option<Status>,
}

/// One attempt of a call.
///
/// ```
/// use rpcnet_cluster::CallReport;
///
/// fn log(report: &CallReport) {
///     for attempt in &report.attempts {
///         println!("{} after {:?}, for {:?}: {:?}", attempt.addr, attempt.began, attempt.took, attempt.end);
///     }
/// }
/// # let _ = log;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AttemptReport {
    /// Who was tried.
    pub worker: NodeId,
    /// Its name for people; may be empty.
    pub label: Arc<str>,
    /// Where it was tried.
    pub addr: SocketAddr,
    /// How long after the call.
    pub began: Duration,
    /// How long it took.
    pub took: Duration,
    /// Whether it was the second of two at the same time.
    pub hedge: bool,
    /// What became of it.
    pub end: AttemptEnd,
}

/// What became of an attempt.
///
/// ```
/// use rpcnet_cluster::{AttemptEnd, CallReport};
///
/// /// The call was answered by the second of two.
/// fn hedging_helped(report: &CallReport) -> bool {
///     report.attempts.iter().any(|attempt| attempt.hedge && matches!(attempt.end, AttemptEnd::Answered))
/// }
/// # let _ = hedging_helped;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum AttemptEnd {
    /// It was answered: its answer is the call's.
    Answered,
    /// It failed.
    Failed(Status),
    /// It was given up, and cancelled at the worker, because the attempt beside it was answered.
    Outrun,
}

impl CallReport {
    /// How many attempts are listed. A call that finds none of a thousand workers listening needs no longer list.
    pub const ATTEMPTS_MAX: usize = 16;

    /// Whether an attempt was hedged.
    pub fn hedged(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.hedge)
    }
}

impl fmt::Display for CallReport {
    /// One line: `Compute/square: worker-1 failed after 2ms, worker-2 answered after 7ms; 9ms, 0ns of them waiting`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.call)?;
        for attempt in &self.attempts {
            let (took, hedge) = (attempt.took, if attempt.hedge { " (hedge)" } else { "" });
            let end = match &attempt.end {
                AttemptEnd::Answered => "answered",
                AttemptEnd::Failed(_) => "failed",
                AttemptEnd::Outrun => "was outrun",
            };
            write!(f, "{} at {}{hedge} {end} after {took:?}, ", attempt.label, attempt.addr)?;
        }
        write!(f, "{:?} in all, {:?} of them waiting", self.took, self.waited)
    }
}

/// A report while its call goes on.
#[derive(Debug)]
pub(super) struct Journal {
    begun: Instant,
    report: CallReport,
}

impl Journal {
    pub(super) fn begin(request: &Request) -> Self {
        let report = CallReport {
            call: request.name.to_string(),
            attempts: Vec::new(),
            attempts_left_out: 0,
            took: Duration::ZERO,
            waited: Duration::ZERO,
            failure: None,
        };
        Self { begun: Instant::now(), report }
    }

    pub(super) fn waited(&mut self, wait: Duration) {
        self.report.waited += wait;
    }

    /// An attempt that began at `begun` has ended.
    pub(super) fn ended(&mut self, to: &Line, begun: Instant, hedge: bool, end: AttemptEnd) {
        let (label, addr) = (Arc::clone(to.label()), to.addr());
        let (began, took) = (begun - self.begun, begun.elapsed());
        let attempt = AttemptReport { worker: to.instance().id, label, addr, began, took, hedge, end };
        if self.report.attempts.len() == CallReport::ATTEMPTS_MAX {
            self.report.attempts_left_out += 1;
            self.report.attempts.pop();
        }
        self.report.attempts.push(attempt);
    }

    pub(super) fn finish(mut self, failure: Option<&Status>) -> CallReport {
        self.report.took = self.begun.elapsed();
        self.report.failure = failure.cloned();
        // Of two at the same time, the one that ended first is noted first.
        self.report.attempts.sort_by_key(|attempt| attempt.began);
        self.report
    }
}

/// Whom reports are given to.
#[derive(Clone)]
pub(super) struct Reader(pub(super) Arc<dyn Fn(&CallReport) + Send + Sync>);

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}
