//! One call being served: its handler, polled under its context, with panics caught.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Poll, Waker},
    time::Instant,
};

use bytes::Bytes;

use super::{handler::HandlerFuture, router::Route};
use crate::{
    client::caller::Answer,
    codec::Codec,
    context::Context,
    status::{Executed, Reason, Status},
};

/// The running handler of a call.
///
/// A panic ends this call alone: it becomes an answer that says so.
pub(crate) struct Execution {
    route: Arc<Route>,
    context: Context,
    handler: HandlerFuture,
    /// When work on the call began; `None` once it was polled.
    begun: Option<Instant>,
}

impl Execution {
    /// Decodes the arguments and makes the handler's future; nothing of the method has run yet.
    pub(crate) fn new(
        route: &Arc<Route>,
        codec: Codec,
        context: Context,
        payload: Bytes,
    ) -> Result<Self, Status> {
        let begun = Some(Instant::now());
        // `Deserialize` and the function that makes the future are the user's code too.
        let made = catch_unwind(AssertUnwindSafe(|| route.handler.handle(codec, context.clone(), payload)));
        let handler = match made {
            Ok(result) => result?,
            Err(panic) => return Err(panicked(route, panic)),
        };
        Ok(Self { route: Arc::clone(route), context, handler, begun })
    }

    /// Polls the handler once, where the call was read. `None` when it waits for something.
    pub(crate) fn poll_inline(&mut self) -> Option<Result<Answer, Status>> {
        match Pin::new(self).poll(&mut std::task::Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        }
    }

    fn poll_handler(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Result<Answer, Status>> {
        let (handler, context) = (&mut self.handler, &self.context);
        let poll = AssertUnwindSafe(|| context.enter(|| handler.as_mut().poll(cx)));
        match catch_unwind(poll) {
            Ok(poll) => poll,
            Err(panic) => Poll::Ready(Err(panicked(&self.route, panic))),
        }
    }
}

impl Future for Execution {
    type Output = Result<Answer, Status>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Self::Output> {
        let begun = self.begun.take();
        let poll = self.poll_handler(cx);
        if let Some(begun) = begun {
            self.route.cost.record(begun.elapsed());
        }
        poll
    }
}

fn panicked(route: &Route, panic: Box<dyn Any + Send>) -> Status {
    let what = panic.downcast_ref::<&str>().copied();
    let what = what.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    tracing::error!(method = %route.name, panic = what, "a handler panicked");
    // What was panicked with is a value of the user's, and dropping it may panic too.
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(again);
    }
    Status::new(Reason::Panicked, Executed::Yes, "the handler panicked; what it did before is not undone")
}
