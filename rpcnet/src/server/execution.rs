//! One call being served: its handler, polled under its context, with panics caught.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Poll, Waker, ready},
};

use bytes::Bytes;
use futures_core::Stream;
// Not that of the standard library: where a handler is polled must not depend on how fast a simulated run's machine is.
use tokio::time::Instant;

use super::{
    admission::{Queued, Turn},
    handler::HandlerFuture,
    router::Route,
};
use crate::{
    body::{Body, Streamed},
    codec::Codec,
    context::Context,
    status::{Executed, Reason, Status},
    streaming::{Each, Source, Streaming},
};

/// The running handler of a call.
///
/// A panic ends this call alone: it becomes an answer that says so.
pub(crate) struct Execution {
    route: Arc<Route>,
    context: Context,
    /// Until the call's turn has come.
    queued: Option<Queued>,
    /// `None` once it has answered.
    handler: Option<HandlerFuture>,
    /// Whether the handler has been polled.
    polled: bool,
}

impl Execution {
    /// Decodes the arguments and makes the handler's future; nothing of the method has run yet.
    pub(crate) fn new(
        route: &Arc<Route>,
        codec: Codec,
        context: Context,
        arguments: Body,
        turn: Turn,
    ) -> Result<Self, Status> {
        let queued = match turn {
            Turn::Now(running) => {
                context.set_running(running);
                None
            }
            Turn::Later(queued) => Some(queued),
        };
        // `Deserialize` and the function that makes the future are the user's code too.
        let made = catch_unwind(AssertUnwindSafe(|| route.handler.handle(codec, context.clone(), arguments)));
        let handler = match made {
            Ok(result) => Some(result?),
            Err(panic) => return Err(panicked(route, panic)),
        };
        Ok(Self { route: Arc::clone(route), context, queued, handler, polled: false })
    }

    /// The call that is served.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// Whether it is worth polling where the call was read.
    pub(crate) fn is_cheap(&self) -> bool {
        self.queued.is_none() && self.route.cost.is_cheap()
    }

    /// Whether it may keep its thread for long.
    pub(crate) fn runs_long(&self) -> bool {
        self.route.cost.runs_long()
    }

    /// Polls the handler once, where the call was read. `None` when it waits for something. `began` is when the call before it
    /// was done with, and moved on: with many calls in one read, one look at the clock each.
    pub(crate) fn poll_inline(&mut self, began: &mut Instant) -> Option<Result<Streamed, Status>> {
        self.polled = true;
        let poll = self.poll_handler(&mut std::task::Context::from_waker(Waker::noop()));
        let now = Instant::now();
        self.route.cost.record(now - *began);
        *began = now;
        match poll {
            Poll::Ready(result) => Some(self.finish(result)),
            Poll::Pending => None,
        }
    }

    /// Waits for the call's turn. One that nobody waits for by then has not run, and never will.
    fn poll_turn(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Result<(), Status>> {
        let Some(queued) = &mut self.queued else { return Poll::Ready(Ok(())) };
        self.context.set_running(ready!(Pin::new(queued).poll(cx)));
        self.queued = None;
        if self.context.is_cancelled() || self.context.remaining().is_some_and(|left| left.is_zero()) {
            let message = "nobody waits for the call any more, and it was still waiting for its turn";
            return Poll::Ready(Err(Status::new(Reason::Deadline, Executed::No, message)));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_handler(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Result<Streamed, Status>> {
        let (Some(handler), context) = (&mut self.handler, &self.context) else {
            unreachable!("an execution is not polled once it has answered")
        };
        let poll = AssertUnwindSafe(|| context.enter(|| handler.as_mut().poll(cx)));
        match catch_unwind(poll) {
            Ok(poll) => poll,
            Err(panic) => Poll::Ready(Err(panicked(&self.route, panic))),
        }
    }

    /// The answer as it leaves: what the handler streams goes on under its context.
    fn finish(&mut self, result: Result<Streamed, Status>) -> Result<Streamed, Status> {
        self.handler = None;
        let Streamed { answer, items } = result?;
        let items = items.map(|items| {
            let (route, context) = (Arc::clone(&self.route), self.context.clone());
            Streaming::from_source(Outgoing { route, context, items, ended: false })
        });
        Ok(Streamed { answer, items })
    }
}

impl Future for Execution {
    type Output = Result<Streamed, Status>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Self::Output> {
        if let Err(status) = ready!(self.poll_turn(cx)) {
            return Poll::Ready(self.finish(Err(status)));
        }
        if std::mem::replace(&mut self.polled, true) {
            return self.poll_handler(cx).map(|result| self.finish(result));
        }
        // Not from when the call was read: one that got a task has waited for its turn since. Counted in, a method that was
        // slow once would be taken for slow as long as there is load, and every call of it would cost a task.
        let begun = Instant::now();
        let poll = self.poll_handler(cx);
        self.route.cost.record(begun.elapsed());
        poll.map(|result| self.finish(result))
    }
}

impl Drop for Execution {
    /// Dropped without an answer: nobody waits for one. What the handler began elsewhere can learn of it.
    fn drop(&mut self) {
        if self.handler.take().is_some() {
            self.context.cancel();
        }
        // After the handler: what it drops may take its time.
        drop(self.context.take_places());
    }
}

/// What a handler streams, made as it is read, with panics caught.
struct Outgoing {
    route: Arc<Route>,
    context: Context,
    items: Streaming<Bytes>,
    ended: bool,
}

impl Outgoing {
    /// Lets the handler's code run; `Err` if it panicked.
    fn enter<T>(&mut self, run: impl FnOnce(&mut Streaming<Bytes>) -> T) -> Result<T, Status> {
        let Self { route, context, items, .. } = self;
        let run = AssertUnwindSafe(|| context.enter(|| run(items)));
        catch_unwind(run).map_err(|panic| panicked(route, panic))
    }
}

impl Source<Bytes> for Outgoing {
    fn poll_item(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Bytes, Status>>> {
        let poll = self.enter(|items| Pin::new(items).poll_next(cx));
        let poll = poll.unwrap_or_else(|panicked| Poll::Ready(Some(Err(panicked))));
        self.ended = !matches!(poll, Poll::Pending | Poll::Ready(Some(Ok(_))));
        poll
    }

    fn poll_each(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        take: &mut dyn FnMut(Bytes) -> bool,
    ) -> Poll<Each> {
        let poll = self.enter(|items| items.poll_each(cx, take));
        let poll = poll.unwrap_or_else(|panicked| Poll::Ready(Each::Ended(Err(panicked))));
        self.ended = matches!(poll, Poll::Ready(Each::Ended(_)));
        poll
    }

    fn hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if !self.ended {
            self.context.cancel();
        }
    }
}

fn panicked(route: &Route, panic: Box<dyn Any + Send>) -> Status {
    report(&route.name, "a handler panicked", panic);
    Status::new(Reason::Panicked, Executed::Yes, "the handler panicked; what it did before is not undone")
}

/// Logs a panic of the user's code, and gets rid of it.
pub(crate) fn report(method: &str, who: &'static str, panic: Box<dyn Any + Send>) {
    let what = panic.downcast_ref::<&str>().copied();
    let what = what.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    tracing::error!(method, panic = what, "{who}");
    // What was panicked with is a value of the user's, and dropping it may panic too.
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(again);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        context::About,
        server::{admission::Admission, handler, router::Router},
    };

    /// The only method, and a call of it that has its turn.
    fn call(method: impl Fn() + Clone + Send + Sync + 'static) -> (Arc<Route>, Execution) {
        let mut router = Router::default();
        let handler = handler::untyped(move |bytes| {
            let method = method.clone();
            async move {
                method();
                Ok(bytes)
            }
        });
        router.add_untyped("method", handler).expect("the only method");
        let route = router.find(crate::MethodId::of("method")).expect("just added");
        let (context, arguments) = (Context::new(About::default(), None), Body::from(Bytes::new()));
        let turn = Admission::new(1, 0).enter().expect("the first call");
        let execution =
            Execution::new(route, Codec::Bincode, context, arguments, turn).expect("bytes decode");
        (Arc::clone(route), execution)
    }

    fn burn() {
        let begun = std::time::Instant::now();
        while begun.elapsed().as_millis() < 5 {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn waiting_for_its_turn_does_not_make_a_method_expensive() {
        let (route, mut execution) = call(|| ());
        burn();
        let polled = Instant::now();
        assert!(execution.poll_inline(&mut polled.clone()).is_some());
        assert!(route.cost.average() <= polled.elapsed(), "more was counted than the handler can have run");
    }

    #[test]
    fn a_method_that_computes_for_long_is_known_for_it() {
        let (route, mut execution) = call(burn);
        assert!(execution.poll_inline(&mut Instant::now()).is_some());
        assert!(!route.cost.is_cheap());
    }

    #[tokio::test(start_paused = true)]
    async fn while_the_clock_stands_still_no_method_computes_for_long() {
        let (route, mut execution) = call(burn);
        assert!(execution.poll_inline(&mut Instant::now()).is_some());
        assert!(route.cost.is_cheap(), "where it is polled would depend on the machine's speed");
    }
}
