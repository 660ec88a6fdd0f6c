//! One call over the cluster, under way: does what the schedule says.

use std::{sync::Arc, time::Duration};

use rpcnet::{Executed, Idempotency, Reason, Request, Status, Streamed};
use tokio::{sync::watch, time::Instant};

use super::{
    attempt::{StreamDeadlines, attempt, attempt_stream},
    backoff::Backoff,
    field::Runner,
    report::FailedAttempts,
    resilient::Shared,
    retry::{Failure, GaveUp, Next, Policy, Schedule, later},
    selection::Selection,
    upload::Upload,
};
use crate::{
    balance::{key_of, rendezvous},
    registry::{Snapshot, Worker},
};

/// One call, from its first pick to its answer.
pub(super) struct Call<'a> {
    shared: &'a Shared,
    selection: &'a Selection,
    request: &'a Request,
    begun: Instant,
    wait_for_ready: Duration,
    schedule: Schedule,
    failed: FailedAttempts,
    streams: Option<Streams>,
}

/// The part of a call that has streams.
struct Streams {
    upload: Upload,
    /// When they must have ended.
    deadline: Option<Instant>,
}

/// What the schedule wants, in terms of workers.
enum Step {
    Attempt { worker: Worker, deadline: Instant },
    Wait { until: Instant },
    Fail(Status),
}

impl<'a> Call<'a> {
    /// Begins a call: from now on its deadline runs. `upload` is there if the method has a stream.
    pub(super) fn new(
        shared: &'a Shared,
        selection: &'a Selection,
        request: &'a Request,
        wait_for_ready: Duration,
        upload: Option<Upload>,
    ) -> Self {
        let begun = Instant::now();
        let streams = upload.map(|upload| {
            let deadline = request.options.explicit_deadline(begun.into_std()).map(Instant::from_std);
            Streams { upload, deadline }
        });
        let policy = Policy {
            attempts_max: request.options.max_attempts_set().unwrap_or(Policy::ATTEMPTS_MAX_DEFAULT),
            wait_for_ready,
            backoff: Backoff::DEFAULT,
        };
        let deadline = match &streams {
            None => request.options.deadline(begun.into_std()),
            // Nobody can guess how long a stream is to last.
            Some(Streams { deadline, .. }) => {
                deadline.map_or_else(|| later(begun.into_std(), Duration::MAX), Instant::into_std)
            }
        };
        let schedule = Schedule::new(begun.into_std(), deadline, request.idempotency, policy);
        shared.budget.lock().deposit(begun.into_std());
        let failed = FailedAttempts::default();
        Self { shared, selection, request, begun, wait_for_ready, schedule, failed, streams }
    }

    /// Carries the call to its end.
    pub(super) async fn run(mut self) -> Result<Streamed, Status> {
        let mut registry = self.shared.registry.watch();
        loop {
            // Read afresh for each attempt: this one is made because something has changed since the last.
            let snapshot = Arc::clone(&registry.borrow_and_update());
            match self.step(&snapshot) {
                Step::Attempt { worker, deadline } => {
                    // A long call must not keep the connections of all who were there when it began.
                    drop(snapshot);
                    if let Some(answer) = self.attempt(&worker, deadline).await {
                        return Ok(answer);
                    }
                }
                Step::Wait { until } => wait(&mut registry, until).await,
                Step::Fail(status) => return Err(status),
            }
        }
    }

    fn step(&mut self, snapshot: &Arc<Snapshot>) -> Step {
        let places = self.selection.places(snapshot);
        match self.schedule.next(now(), &field(snapshot, &places)) {
            Next::Try { among, deadline } => {
                let among: Vec<_> = among.iter().map(|place| &snapshot.workers[places[*place]]).collect();
                Step::Attempt { worker: self.pick(&among).clone(), deadline: Instant::from_std(deadline) }
            }
            Next::Wait { until } => Step::Wait { until: Instant::from_std(until) },
            Next::GiveUp(why) => Step::Fail(self.failure(why, snapshot)),
        }
    }

    fn pick<'w>(&self, among: &[&'w Worker]) -> &'w Worker {
        let now = now();
        let candidates: Vec<_> = among.iter().map(|worker| worker.candidate(now)).collect();
        let chosen = match (self.request.idempotency, self.request.request_id) {
            (Idempotency::Keyed, Some(id)) => rendezvous(id, &candidates),
            _ => self.shared.chooser.lock().pick(&candidates, self.key()),
        };
        among[chosen]
    }

    /// What the call is about, for a strategy that goes by it.
    fn key(&self) -> Option<u64> {
        match (self.request.options.affinity_set(), self.request.request_id) {
            (Some(key), _) => Some(key_of(key)),
            (None, Some(id)) => Some(key_of(id.as_bytes())),
            (None, None) => None,
        }
    }

    /// One attempt. `None` when it failed, which the schedule then knows.
    async fn attempt(&mut self, worker: &Worker, deadline: Instant) -> Option<Streamed> {
        self.schedule.handle_started(worker.instance());
        worker.line().handle_picked();
        let begun = Instant::now();
        let status = match self.send(worker, deadline).await {
            Ok(answer) => return Some(answer),
            Err(status) => status,
        };
        tracing::debug!(call = %self.request.name, %worker, %status, "attempt failed");
        let random = self.shared.chooser.lock().random.f64();
        let spent = self.streams.as_ref().is_some_and(|streams| !streams.upload.is_whole());
        let failure = Failure { spent, ..Failure::from(&status) };
        self.schedule.handle_failure(now(), failure, &mut self.shared.budget.lock(), random);
        self.failed.push(worker, begun.elapsed(), status);
        None
    }

    async fn send(&self, worker: &Worker, deadline: Instant) -> Result<Streamed, Status> {
        let Some(Streams { upload, deadline: ended }) = &self.streams else {
            return attempt(worker, self.request, deadline).await.map(Streamed::from);
        };
        let deadlines = StreamDeadlines { answered: ended.map(|_| deadline), ended: *ended };
        attempt_stream(worker, self.request, upload.lend(), deadlines).await
    }

    fn failure(&mut self, why: GaveUp, snapshot: &Snapshot) -> Status {
        let (call, executed) = (&self.request.name, self.schedule.executed());
        let failed = std::mem::take(&mut self.failed);
        if why == GaveUp::Deadline && now() >= self.schedule.deadline() {
            return failed.into_deadline(call, executed);
        }
        let nobody = || Status::new(Reason::NoWorkers, Executed::No, self.nobody(snapshot));
        failed.into_status(why, executed).unwrap_or_else(nobody)
    }

    fn nobody(&self, snapshot: &Snapshot) -> String {
        let wanted = match self.selection.selector() {
            Some(selector) => format!("no worker matches `{selector}`"),
            None => "there is no worker".to_owned(),
        };
        format!(
            "{}: {wanted}, after waiting for {}; nodes known to the registry: {}, workers: {}",
            self.request.name,
            self.waited(),
            snapshot.nodes.len(),
            snapshot.workers.len()
        )
    }

    /// How long the call waited, and what ended that.
    fn waited(&self) -> String {
        let waited = self.begun.elapsed();
        if waited >= self.wait_for_ready {
            return format!("{:?} (`wait_for_ready`)", self.wait_for_ready);
        }
        // Beyond milliseconds it is noise.
        let waited = Duration::from_millis(waited.as_millis().try_into().unwrap_or(u64::MAX));
        format!("{waited:?} (the call's deadline; `wait_for_ready` is {:?})", self.wait_for_ready)
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}

fn field(snapshot: &Snapshot, places: &[usize]) -> Vec<Runner> {
    places.iter().map(|place| snapshot.workers[*place].runner()).collect()
}

/// Waits until the time has come or the registry has changed.
async fn wait(registry: &mut watch::Receiver<Arc<Snapshot>>, until: Instant) {
    let changed = async {
        if registry.changed().await.is_err() {
            // The source of the registry has ended; its last picture stays.
            std::future::pending::<()>().await;
        }
    };
    let _ = tokio::time::timeout_at(until, changed).await;
}
