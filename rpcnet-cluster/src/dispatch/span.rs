//! A call in traces: one span for the call, and one within it for each attempt.

use rpcnet::{Answer, Request, Status, Streamed};
use tracing::{Span, field::Empty};

use super::pool::Line;

/// The span of a call. Its fields are OpenTelemetry's where it has names for them
/// (<https://opentelemetry.io/docs/specs/semconv/rpc/rpc-spans/>).
pub(super) fn call(request: &Request) -> Span {
    // Within the macro, which evaluates it only for whoever reads spans.
    let parts = || request.name.rsplit_once('/').unwrap_or(("", &request.name));
    tracing::debug_span!(
        "rpc",
        otel.kind = "client",
        otel.name = &*request.name,
        rpc.system = "rpcnet",
        rpc.service = parts().0,
        rpc.method = parts().1,
        rpcnet.attempts = Empty,
        error.type = Empty,
    )
}

/// The span of an attempt.
pub(super) fn attempt(within: &Span, to: &Line, number: u32, hedge: bool) -> Span {
    tracing::debug_span!(
        parent: within,
        "attempt",
        otel.kind = "client",
        server.address = %to.addr().ip(),
        server.port = to.addr().port(),
        rpcnet.worker = &**to.label(),
        rpcnet.attempt = number,
        rpcnet.hedge = hedge,
        error.type = Empty,
    )
}

/// How it ended. An attempt that is dropped says nothing: it was given up.
pub(super) fn end(span: &Span, result: &Result<Streamed, Status>) {
    match result {
        Ok(Streamed { answer: Answer::Ok(_), .. }) => {}
        Ok(_) => {
            span.record("error.type", "app error");
        }
        Err(status) => {
            span.record("error.type", tracing::field::display(status.code()));
        }
    }
}
