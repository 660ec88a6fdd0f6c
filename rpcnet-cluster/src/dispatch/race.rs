//! One attempt, and perhaps a second beside it: the first answer that is one ends both.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
};

use rpcnet::{Attempted, Executed, Hedge, Reason, Request, Status, Streamed};
use tokio::time::Instant;
use tracing::{Instrument, Span};

use super::{
    attempt::attempt_once,
    breaker::{Ticket, Verdict},
    call::{Call, now},
    journal::AttemptEnd,
    outcome::Class,
    pool::Line,
    retry::Failure,
    span,
};
use crate::{metrics, registry::Instance};

/// An attempt under way. One that is dropped was given up, which says nothing of its worker.
struct Running {
    line: Arc<Line>,
    begun: Instant,
    hedge: bool,
    span: Span,
    /// Of a keyed call: what was sent of it before, by any call with its id.
    attempted: Option<Attempted>,
    /// Until the worker's breaker has been told how it ended.
    ticket: Option<Ticket>,
}

impl Call<'_> {
    /// An attempt at this worker, and at another one too if it takes long. Nothing when both failed, which the schedule then
    /// knows.
    pub(super) async fn attempt(
        &mut self,
        line: Arc<Line>,
        now: Instant,
        deadline: Instant,
    ) -> Option<Streamed> {
        self.schedule.handle_started(line.instance());
        let first = self.begin(line, now, deadline, false);
        let mut answer = pin!(self.send(&first, deadline));
        let Some(hedge_at) = self.hedge_at(&first) else {
            let result = answer.await;
            return self.ended(first, result);
        };
        tokio::select! {
            biased;
            result = &mut answer => return self.ended(first, result),
            () = tokio::time::sleep_until(hedge_at) => {}
        }
        match self.hedge() {
            // In a box: few calls are hedged, and all would carry the memory of a second attempt with them.
            Some((second, deadline)) => Box::pin(self.race(first, answer, second, deadline)).await,
            None => {
                let result = answer.await;
                self.ended(first, result)
            }
        }
    }

    /// Waits for the first answer of two attempts. One that fails leaves the call to the other: a failure that comes fast is
    /// no answer. The slower one is dropped, which cancels it on the wire.
    async fn race(
        &mut self,
        first: Running,
        mut answer: Pin<&mut impl Future<Output = Result<Streamed, Status>>>,
        second: Arc<Line>,
        deadline: Instant,
    ) -> Option<Streamed> {
        let second = self.begin(second, Instant::now(), deadline, true);
        let mut other = pin!(self.send(&second, deadline));
        tokio::select! {
            biased;
            result = &mut answer => match self.ended(first, result) {
                Some(answer) => {
                    self.note(&second, AttemptEnd::Outrun);
                    Some(answer)
                }
                None => {
                    let result = other.await;
                    self.ended(second, result)
                }
            },
            result = &mut other => match self.ended(second, result) {
                Some(answer) => {
                    self.outran(&first);
                    Some(answer)
                }
                None => {
                    let result = answer.await;
                    self.ended(first, result)
                }
            },
        }
    }

    fn send(
        &self,
        attempt: &Running,
        deadline: Instant,
    ) -> impl Future<Output = Result<Streamed, Status>> + use<> {
        let request = Request { attempted: attempt.attempted, ..self.request.clone() };
        let (streams, permit) = (self.streams.clone(), attempt.line.enter());
        let sent = attempt_once(permit, request, streams, attempt.begun, deadline);
        sent.instrument(attempt.span.clone())
    }

    fn begin(&mut self, line: Arc<Line>, begun: Instant, deadline: Instant, hedge: bool) -> Running {
        self.attempts += 1;
        if self.attempts > 1 && !hedge {
            metrics::retried();
        }
        let span = span::attempt(&self.span, &line, self.attempts, hedge);
        let ticket = Some(line.handle_picked(begun, deadline));
        let attempted = self.sent_before(begun, line.instance());
        Running { line, begun, hedge, span, attempted, ticket }
    }

    /// Notes that a keyed call is about to be sent to this worker, and says what was sent of it before.
    fn sent_before(&self, now: Instant, to: Instance) -> Option<Attempted> {
        let (id, since) = (self.request.request_id?, self.request.options.first_sent_at_set());
        self.shared.sent.send(now.into_std(), id, to, since)
    }

    /// When the attempt has had its time alone, if another may join it then.
    fn hedge_at(&self, first: &Running) -> Option<Instant> {
        let hedge = self.hedging()?;
        if !self.schedule.may_hedge() {
            return None;
        }
        let delay = self.shared.hedges.lock().delay(now(), self.request.method, hedge)?;
        Some(first.begun + delay)
    }

    /// What was asked of hedging, where it makes sense: a stream goes to one worker.
    fn hedging(&self) -> Option<Hedge> {
        let hedge = self.request.options.hedge_set().filter(|hedge| *hedge != Hedge::Never)?;
        (self.streams.is_none() && self.request.idempotency.is_repeatable()).then_some(hedge)
    }

    /// Picks the worker of a second attempt, and pays for it.
    fn hedge(&mut self) -> Option<(Arc<Line>, Instant)> {
        let snapshot = self.shared.registry.snapshot();
        let places = self.selection.places(&snapshot);
        if self.shared.throttle.lock().probability(now()) > 0.0 {
            return None;
        }
        let now = now();
        let (places, field) = self.field(now, &snapshot, &places).ok()?;
        let (among, deadline) = self.schedule.hedge(now, &field)?;
        let among: Vec<_> = among.iter().map(|place| &snapshot.workers[places[*place]]).collect();
        let line = Arc::clone(self.pick(now, &among).line());
        let mut hedges = self.shared.hedges.lock();
        if !hedges.allows(now) || !self.shared.budget.lock().withdraw(now) {
            return None;
        }
        hedges.handle_hedged();
        metrics::hedged();
        drop(hedges);
        tracing::debug!(call = %self.request.name, worker = %line, "takes long: sent to a second worker");
        self.schedule.handle_hedged(line.instance());
        Some((line, Instant::from_std(deadline)))
    }

    /// An attempt has ended. Nothing if it failed.
    fn ended(&mut self, mut attempt: Running, result: Result<Streamed, Status>) -> Option<Streamed> {
        span::end(&attempt.span, &result);
        let now = now();
        let status = match result {
            Ok(answer) => {
                attempt.end(now, Verdict::Served);
                self.note(&attempt, AttemptEnd::Answered);
                self.shared.throttle.lock().handle_ended(now, false);
                self.answered(&attempt);
                return Some(answer);
            }
            Err(status) => status,
        };
        if let (Some(id), None, Executed::No) =
            (self.request.request_id, attempt.attempted, status.executed())
        {
            self.shared.sent.take_back(id);
        }
        self.note(&attempt, AttemptEnd::Failed(status.clone()));
        metrics::attempt_failed(&status);
        let failure = Failure::from(&status);
        attempt.end(now, failure.class.verdict());
        if failure.class.was_sent() {
            self.shared.throttle.lock().handle_ended(now, failure.class == Class::Rejected);
        }
        let line = &attempt.line;
        tracing::debug!(call = %self.request.name, worker = %line, %status, "attempt failed");
        if status.reason() == Reason::Overloaded {
            self.shared.hedges.lock().handle_overloaded(now, status.retry_hint());
        }
        let random = self.shared.chooser.lock().random.f64();
        let spent = self.streams.as_ref().is_some_and(|streams| !streams.upload.is_whole());
        let failure = Failure { spent, ..failure };
        let mut budget = self.shared.budget.lock();
        self.schedule.handle_failure(now, line.instance(), failure, &mut budget, random);
        drop(budget);
        self.failed.push(line, attempt.begun.elapsed(), status);
        None
    }

    /// Notes how an attempt ended, if anybody wants to know.
    fn note(&mut self, attempt: &Running, end: AttemptEnd) {
        if let Some(journal) = &mut self.journal {
            journal.ended(&attempt.line, attempt.begun, attempt.hedge, end);
        }
    }

    fn answered(&self, attempt: &Running) {
        if let Some(hedge) = self.hedging() {
            let took = attempt.begun.elapsed();
            self.shared.hedges.lock().handle_answered(now(), self.request.method, hedge, took);
        }
    }

    /// The hedge was faster.
    fn outran(&mut self, first: &Running) {
        self.note(first, AttemptEnd::Outrun);
        metrics::hedge_won();
        if let Some(hedge) = self.hedging() {
            let took = first.begun.elapsed();
            self.shared.hedges.lock().handle_outrun(now(), self.request.method, hedge, took);
        }
    }
}

impl Running {
    fn end(&mut self, now: std::time::Instant, verdict: Verdict) {
        if let Some(ticket) = self.ticket.take() {
            self.line.handle_ended(now, ticket, verdict);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            self.end(now(), Verdict::Nothing);
        }
    }
}
