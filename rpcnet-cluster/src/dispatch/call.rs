//! One call over the cluster, under way: does what the schedule says.

use std::{sync::Arc, time::Duration};

use rpcnet::{Executed, Idempotency, Reason, Request, Status, Streamed};
use tokio::{sync::watch, time::Instant};
use tracing::Span;

use super::{
    breaker::pardoned,
    field::Runner,
    journal::Journal,
    pool::Line,
    report::FailedAttempts,
    resilient::Shared,
    retry::{GaveUp, Next, Policy, Schedule, later},
    selection::Selection,
    shed::has_room,
    span,
    upload::Upload,
};
use crate::{
    balance::{key_of, rendezvous},
    metrics,
    registry::{Snapshot, Worker},
};

/// One call, from its first pick to its answer.
pub(super) struct Call<'a> {
    pub(super) shared: &'a Shared,
    pub(super) selection: &'a Selection,
    pub(super) request: Request,
    begun: Instant,
    wait_for_ready: Duration,
    pub(super) schedule: Schedule,
    pub(super) failed: FailedAttempts,
    pub(super) streams: Option<Streams>,
    pub(super) span: Span,
    /// Attempts begun.
    pub(super) attempts: u32,
    /// Where what happens is noted, if anybody wants to know.
    pub(super) journal: Option<&'a mut Journal>,
}

/// The part of a call that has streams.
#[derive(Clone)]
pub(super) struct Streams {
    pub(super) upload: Upload,
    /// When they must have ended.
    pub(super) deadline: Option<Instant>,
}

/// Of the workers that a call could go to, each has enough to do; some may be out of use besides.
pub(super) struct Full {
    workers: usize,
    out: usize,
}

/// What the schedule wants, in terms of workers.
enum Step {
    Attempt { line: Arc<Line>, deadline: Instant },
    Wait { until: Instant },
    Fail(Status),
}

impl<'a> Call<'a> {
    /// Begins a call: from now on its deadline runs. `upload` is there if the method has a stream.
    pub(super) fn new(
        shared: &'a Shared,
        selection: &'a Selection,
        request: Request,
        begun: Instant,
        wait_for_ready: Duration,
        upload: Option<Upload>,
        journal: Option<&'a mut Journal>,
    ) -> Self {
        let streams = upload.map(|upload| {
            let deadline = request.options.explicit_deadline(begun.into_std()).map(Instant::from_std);
            Streams { upload, deadline }
        });
        let policy = Policy {
            attempts_max: request.options.max_attempts_set().unwrap_or(shared.settings.attempts_max),
            wait_for_ready,
            backoff: shared.settings.backoff,
        };
        let deadline = match &streams {
            None => request.options.deadline(begun.into_std()),
            // Nobody can guess how long a stream is to last.
            Some(Streams { deadline, .. }) => {
                deadline.map_or_else(|| later(begun.into_std(), Duration::MAX), Instant::into_std)
            }
        };
        // A call without an id, and one whose id is new, is kept by nobody.
        let keeper = request.request_id.and_then(|id| shared.sent.whom(id));
        let schedule = Schedule::new(begun.into_std(), deadline, request.idempotency, policy).kept_by(keeper);
        shared.budget.lock().deposit(begun.into_std());
        let failed = FailedAttempts::default();
        let span = span::call(&request);
        Self {
            shared,
            selection,
            request,
            begun,
            wait_for_ready,
            schedule,
            failed,
            streams,
            span,
            attempts: 0,
            journal,
        }
    }

    /// Carries the call to its end.
    pub(super) async fn run(mut self) -> Result<Streamed, Status> {
        let mut now = self.begun;
        loop {
            // Read afresh for each attempt: this one is made because something has changed since the last.
            let snapshot = self.shared.registry.snapshot();
            match self.step(now.into_std(), &snapshot) {
                Step::Attempt { line, deadline } => {
                    // A long call must not keep the connections of all who were there when it began.
                    drop(snapshot);
                    if let Some(answer) = self.attempt(line, now, deadline).await {
                        return self.end(Ok(answer));
                    }
                }
                Step::Wait { until } => {
                    wait(self.shared.registry.watch(), snapshot, until).await;
                    if let Some(journal) = &mut self.journal {
                        journal.waited(now.elapsed());
                    }
                }
                Step::Fail(status) => return self.end(Err(status)),
            }
            now = Instant::now();
        }
    }

    fn end(&self, result: Result<Streamed, Status>) -> Result<Streamed, Status> {
        self.span.record("rpcnet.attempts", self.attempts);
        span::end(&self.span, &result);
        result
    }

    fn step(&mut self, now: std::time::Instant, snapshot: &Arc<Snapshot>) -> Step {
        let places = self.selection.places(snapshot);
        let (places, field) = match self.field(now, snapshot, &places) {
            Ok(field) => field,
            Err(full) => return Step::Fail(self.shed(full)),
        };
        match self.schedule.next(now, &field) {
            Next::Try { among, deadline } => {
                let among: Vec<_> = among.iter().map(|place| &snapshot.workers[places[*place]]).collect();
                let line = Arc::clone(self.pick(now, &among).line());
                Step::Attempt { line, deadline: Instant::from_std(deadline) }
            }
            Next::Wait { until } => Step::Wait { until: Instant::from_std(until) },
            Next::GiveUp(why) => Step::Fail(self.failure(why, snapshot)),
        }
    }

    /// The workers that have room, as places in the snapshot and as the schedule sees them; [`Full`] if some could take the
    /// call, and none of them has room.
    ///
    /// A keyed call goes to its own worker as long as anybody has room: only there is the record of its first sending.
    pub(super) fn field(
        &self,
        now: std::time::Instant,
        snapshot: &Snapshot,
        places: &Arc<[usize]>,
    ) -> Result<(Arc<[usize]>, Vec<Runner>), Full> {
        let field = field(now, snapshot, places);
        let Some(max_load) = self.request.options.max_load_set() else {
            return Ok((Arc::clone(places), field));
        };
        let roomy = |place: &usize| {
            let worker = &snapshot.workers[*place];
            has_room(worker.active_connections(), worker.capacity, max_load)
        };
        let roomy: Vec<bool> = places.iter().map(roomy).collect();
        let mut open = field.iter().zip(&roomy).filter(|(runner, _)| !runner.ejected).peekable();
        if open.peek().is_some() && open.all(|(_, roomy)| !*roomy) {
            let out = field.iter().filter(|runner| runner.ejected).count();
            return Err(Full { workers: places.len(), out });
        }
        if self.request.idempotency == Idempotency::Keyed {
            return Ok((Arc::clone(places), field));
        }
        let left = places.iter().zip(field).zip(roomy).filter(|(_, roomy)| *roomy).map(|(left, _)| left);
        let (places, field): (Vec<usize>, Vec<Runner>) = left.unzip();
        Ok((places.into(), field))
    }

    /// The failure of a call that is not sent, or not again, because everybody has enough to do.
    fn shed(&mut self, Full { workers, out }: Full) -> Status {
        metrics::shed();
        let max_load = self.request.options.max_load_set().unwrap_or_default();
        let failed = std::mem::take(&mut self.failed);
        let each = if out > 0 { "is out of use or has" } else { "has" };
        let tried = if failed.count() > 0 { format!("; tried before: {failed}") } else { String::new() };
        let message = format!(
            "{}: shed, because each of the {workers} workers {each} as many calls in flight as `max_load` ({max_load} of its \
             capacity) lets it{tried}",
            self.request.name
        );
        Status::new(Reason::Overloaded, self.schedule.executed(), message).caused_by(failed)
    }

    pub(super) fn pick<'w>(&self, now: std::time::Instant, among: &[&'w Worker]) -> &'w Worker {
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

    fn failure(&mut self, why: GaveUp, snapshot: &Snapshot) -> Status {
        let (call, executed) = (&self.request.name, self.schedule.executed());
        if why == GaveUp::Budget {
            metrics::budget_exhausted();
        }
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
        let draining = snapshot.workers.iter().filter(|worker| worker.is_draining()).count();
        let draining = if draining > 0 { format!(" ({draining} draining)") } else { String::new() };
        format!(
            "{}: {wanted}, after waiting for {}; nodes known to the registry: {}, workers: {}{draining}",
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

pub(super) fn now() -> std::time::Instant {
    Instant::now().into_std()
}

fn field(now: std::time::Instant, snapshot: &Snapshot, places: &[usize]) -> Vec<Runner> {
    let runner = |place: &usize| snapshot.workers[*place].runner(now);
    let mut field: Vec<Runner> = places.iter().map(runner).collect();
    if field.iter().any(|runner| runner.ejected) {
        let line = |(place, runner): (&usize, &Runner)| {
            runner.ejected && snapshot.workers[*place].line().is_failing()
        };
        let failing: Vec<bool> = places.iter().zip(&field).map(line).collect();
        let out: Vec<bool> =
            field.iter().zip(&failing).map(|(runner, failing)| runner.ejected && !failing).collect();
        pardoned(&failing, &out).into_iter().for_each(|place| field[place].ejected = false);
    }
    field
}

/// Waits until the time has come or the registry is no longer as it was.
async fn wait(mut registry: watch::Receiver<Arc<Snapshot>>, was: Arc<Snapshot>, until: Instant) {
    let changed = !Arc::ptr_eq(&registry.borrow_and_update(), &was);
    // The wait must not keep the connections of workers that leave.
    drop(was);
    if changed {
        return;
    }
    let changed = async {
        if registry.changed().await.is_err() {
            // The source of the registry has ended; its last picture stays.
            std::future::pending::<()>().await;
        }
    };
    let _ = tokio::time::timeout_at(until, changed).await;
}
