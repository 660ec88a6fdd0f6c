//! The layers of a server, and a call on its way through them.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, Waker},
};

use tower::{Layer, Service};

use super::{Answering, BoxError, Serve, ServerCall, fate::Fate};
use crate::{
    body::Streamed,
    context::Context,
    server::{execution::report, router::Route},
    status::{Reason, Status},
};

/// The layers a server was given, the outermost first.
#[derive(Default)]
pub(crate) struct Layers(Vec<Box<dyn FnOnce(Serve) -> Serve + Send>>);

impl Layers {
    /// Adds the innermost.
    pub(crate) fn push<L>(&mut self, layer: L)
    where
        L: Layer<Serve> + Send + 'static,
        L::Service: Service<ServerCall, Response = Streamed> + Clone + Send + Sync + 'static,
        <L::Service as Service<ServerCall>>::Error: Into<BoxError>,
        <L::Service as Service<ServerCall>>::Future: Send + 'static,
    {
        self.0.push(Box::new(move |inner| Serve::behind(layer.layer(inner))));
    }

    /// The layers around a server's methods, if there are any.
    pub(crate) fn build(self) -> Option<Serve> {
        let some = !self.0.is_empty();
        some.then(|| self.0.into_iter().rfold(Serve::default(), |inner, layer| layer(inner)))
    }
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Layers").field(&self.0.len()).finish()
    }
}

/// A call on its way through the layers of its server.
///
/// A panic in a layer ends this call alone, as one in a handler does.
pub(crate) struct LayeredCall {
    route: Arc<Route>,
    context: Context,
    fate: Fate,
    /// `None` once it has answered.
    answering: Option<Answering>,
}

impl LayeredCall {
    pub(super) fn new(call: ServerCall) -> Self {
        let (route, context, fate) = (Arc::clone(&call.route), call.context().clone(), call.fate.clone());
        let answering = async move {
            // Cloned where a panic is caught: it is the user's code.
            let layers = call.services.layers.clone().unwrap_or_default();
            layers.take(call).await
        };
        Self { route, context, fate, answering: Some(Box::pin(answering)) }
    }

    /// Whether it is worth polling where the call was read.
    pub(crate) fn is_cheap(&self) -> bool {
        self.route.cost.is_cheap()
    }

    /// Whether it may keep its thread for long.
    pub(crate) fn runs_long(&self) -> bool {
        self.route.cost.runs_long()
    }

    /// Polls the call once, where it was read. `None` when it waits for something.
    pub(crate) fn poll_inline(&mut self) -> Option<Result<Streamed, Status>> {
        match Pin::new(self).poll(&mut TaskContext::from_waker(Waker::noop())) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        }
    }
}

impl Future for LayeredCall {
    type Output = Result<Streamed, Status>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let Self { route, context, fate, answering } = &mut *self;
        let Some(running) = answering else { unreachable!("a call is not polled once it has answered") };
        let poll = match catch_unwind(AssertUnwindSafe(|| context.enter(|| running.as_mut().poll(cx)))) {
            Ok(poll) => poll,
            Err(panic) => {
                report(&route.name, "a layer panicked", panic);
                let message = "a layer of the server panicked";
                Poll::Ready(Err(Status::new(Reason::Panicked, fate.executed(), message)))
            }
        };
        if poll.is_ready() {
            *answering = None;
        }
        poll
    }
}

impl Drop for LayeredCall {
    /// Dropped without an answer: nobody waits for one.
    fn drop(&mut self) {
        if self.answering.is_some() {
            self.context.cancel();
        }
    }
}
