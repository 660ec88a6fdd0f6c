//! A span a call.

use std::task::{Context, Poll};

use tower::{Layer, Service};
use tracing::{Instrument, Span, field::Empty};

use super::{Answering, BoxError, Outgoing, ServerCall, fate::Fate};
use crate::{
    body::Streamed,
    client::caller::Answer,
    status::{Code, Executed, Status},
};

/// Gives every call a `tracing` span of the level debug, named `call`, at a client or at a server.
///
/// | field | what |
/// |---|---|
/// | `otel.kind` | `client` or `server` |
/// | `rpc.system` | `rpcnet` |
/// | `rpc.service`, `rpc.method` | the two parts of the method's name; a method of bytes has no service |
/// | `peer` | at a server: where the call came from, if the transport has addresses |
/// | `trace` | the trace the call belongs to, as a `traceparent`, if there is one |
/// | `code` | how it ended: `ok`, `app error` for the method's own error, or the [`Code`] of a failure |
/// | `executed` | whether the method ran: `yes`, `no` or `unknown` |
/// | `latency_us` | from when the call came to the first layer until its answer, in microseconds |
///
/// What runs inside, the handler among it, is in the span. When the call ends there is an event of the level debug. The span of
/// a method that streams ends with its answer, before the stream. A call that is dropped ends with the code `cancelled`.
///
/// Outermost it sees what the caller is told; further inside, what the layers around it make of that.
///
/// ```
/// use rpcnet::{Server, layer::TraceLayer};
///
/// let server = Server::builder().layer(TraceLayer::new());
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct TraceLayer {}

impl TraceLayer {
    /// A span a call.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = Trace<S>;

    fn layer(&self, inner: S) -> Trace<S> {
        Trace { inner }
    }
}

/// A call of either side: [`Outgoing`] or [`ServerCall`].
pub trait AnyCall: sealed::Traced {}

impl AnyCall for Outgoing {}

impl AnyCall for ServerCall {}

mod sealed {
    //! What a span needs to know of a call.

    use super::{Fate, Span};

    pub trait Traced {
        fn fate(&self) -> &Fate;

        fn span(&self) -> Span;
    }
}

/// A span with what is known before the call. A macro, since the fields of a span are literals.
macro_rules! span {
    ($kind:literal, $method:expr) => {{
        let (service, method) = $method.split_once('/').unwrap_or(("", $method));
        tracing::debug_span!(
            "call",
            otel.kind = $kind,
            rpc.system = "rpcnet",
            rpc.service = service,
            rpc.method = method,
            peer = Empty,
            trace = Empty,
            code = Empty,
            executed = Empty,
            latency_us = Empty,
        )
    }};
}

impl sealed::Traced for Outgoing {
    fn fate(&self) -> &Fate {
        &self.fate
    }

    fn span(&self) -> Span {
        let span = span!("client", &*self.request().name);
        if let Some(trace) = self.request().options.trace_set() {
            span.record("trace", tracing::field::display(trace));
        }
        span
    }
}

impl sealed::Traced for ServerCall {
    fn fate(&self) -> &Fate {
        &self.fate
    }

    fn span(&self) -> Span {
        let span = span!("server", self.method());
        if let Some(peer) = self.context().peer() {
            span.record("peer", tracing::field::display(peer));
        }
        if let Some(trace) = self.context().trace() {
            span.record("trace", tracing::field::display(trace));
        }
        span
    }
}

/// What a [`TraceLayer`] makes of a service.
#[derive(Debug, Clone)]
pub struct Trace<S> {
    inner: S,
}

impl<R, S> Service<R> for Trace<S>
where
    R: AnyCall,
    S: Service<R, Response = Streamed>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = Streamed;
    type Error = Status;
    type Future = Answering;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        self.inner.poll_ready(cx).map_err(|error| Fate::new(None).status(error))
    }

    fn call(&mut self, call: R) -> Answering {
        let (fate, span) = (call.fate().clone(), call.span());
        let mut ending = Ending { span: span.clone(), fate, ended: false };
        let answering = span.in_scope(|| self.inner.call(call));
        let traced = async move {
            let result = answering.await.map_err(|error| ending.fate.status(error));
            ending.record(&result);
            result
        };
        Box::pin(traced.instrument(span))
    }
}

/// Says how a call ended, also if it is dropped.
struct Ending {
    span: Span,
    fate: Fate,
    ended: bool,
}

impl Ending {
    fn record(&mut self, result: &Result<Streamed, Status>) {
        match result {
            Ok(Streamed { answer: Answer::Ok(_), .. }) => self.end("ok", Executed::Yes),
            Ok(_) => self.end("app error", Executed::Yes),
            Err(status) => self.end(&status.code().to_string(), status.executed()),
        }
    }

    fn end(&mut self, code: &str, executed: Executed) {
        self.ended = true;
        let executed = match executed {
            Executed::Yes => "yes",
            Executed::No => "no",
            Executed::Unknown => "unknown",
        };
        let latency = u64::try_from(self.fate.since().elapsed().as_micros()).unwrap_or(u64::MAX);
        self.span.record("code", code).record("executed", executed).record("latency_us", latency);
        tracing::debug!(parent: &self.span, "a call ended");
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if !self.ended {
            self.end(&Code::Cancelled.to_string(), self.fate.executed());
        }
    }
}
