//! One call to one worker, once.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use rpcnet::{
    Answer, CallError, CallOptions, Caller, Codec, Executed, Reason, Request, Status, Streamed, Streaming,
};
use tokio::time::Instant;

use super::{call::Streams, feedback::Timed, pool::Permit};
use crate::registry::Worker;

/// Sends a call to a worker and waits for its answer until `deadline`.
///
/// The call counts as in flight until the future is done or dropped. At most half of the time is spent on opening a
/// connection, so that a host that does not answer is told apart from a slow one.
///
/// One function for both kinds, without further ones around it: each level of a future is a copy of all below it.
pub(crate) async fn attempt_once(
    permit: Permit,
    mut request: Request,
    streams: Option<Streams>,
    mut now: Instant,
    deadline: Instant,
) -> Result<Streamed, Status> {
    if let Some(Streams { upload, deadline: ended }) = streams {
        let deadlines = StreamDeadlines { answered: ended.map(|_| deadline), ended };
        // In a box, as most calls have none.
        return Box::pin(attempt_stream(permit, request, upload.lend(), deadlines)).await;
    }
    let line = permit.line();
    if !line.is_ready() {
        Box::pin(line.ready(connected_by(deadline))).await?;
        now = Instant::now();
    }
    let timeout = deadline.saturating_duration_since(now);
    request.options = CallOptions::timeout(timeout).or(&request.options);
    let timed = Timed::begin(line.gauge(), now);
    let result = line.channel().invoke(request).await;
    timed.end(&result);
    if result.as_ref().is_err_and(|status| status.reason() == Reason::ConnectionLost) {
        line.handle_lost();
    }
    result.map(Streamed::from)
}

/// When a call with streams must end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamDeadlines {
    /// The method must have answered by then, in this attempt.
    pub(crate) answered: Option<Instant>,
    /// Its streams must have ended by then.
    pub(crate) ended: Option<Instant>,
}

/// Sends a call with streams to a worker and waits until the method has answered.
///
/// It counts as in flight until the stream that follows the answer has ended or is dropped.
pub(crate) async fn attempt_stream(
    permit: Permit,
    request: Request,
    items: Option<Streaming<Bytes>>,
    deadlines: StreamDeadlines,
) -> Result<Streamed, Status> {
    let line = permit.line();
    line.ready(connected_by(deadlines.answered.unwrap_or_else(far))).await?;
    let options = match deadlines.ended {
        Some(ended) => {
            CallOptions::timeout(ended.saturating_duration_since(Instant::now())).or(&request.options)
        }
        None => request.options.clone(),
    };
    let timed = Timed::begin(line.gauge(), Instant::now());
    let answer = line.channel().stream(Request { options, ..request }, items);
    let result = match deadlines.answered {
        Some(answered) => {
            tokio::time::timeout_at(answered, answer).await.unwrap_or_else(|_| Err(unanswered()))
        }
        None => answer.await,
    };
    timed.end(&result);
    if result.as_ref().is_err_and(|status| status.reason() == Reason::ConnectionLost) {
        line.handle_lost();
    }
    result.map(|Streamed { answer, items }| Streamed {
        answer,
        items: items.map(|items| counted(items, permit)),
    })
}

fn unanswered() -> Status {
    Status::new(Reason::Deadline, Executed::Unknown, "the attempt's time passed before the method answered")
}

/// Later than anybody waits.
fn far() -> Instant {
    const FAR: std::time::Duration = std::time::Duration::from_secs(365 * 24 * 3600);
    Instant::now() + FAR
}

/// A stream that counts as a call in flight until it has ended.
fn counted(items: Streaming<Bytes>, permit: Permit) -> Streaming<Bytes> {
    Streaming::from_results(Counted { items, _permit: permit })
}

struct Counted {
    items: Streaming<Bytes>,
    _permit: Permit,
}

impl Stream for Counted {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // `Streaming` drops this at its end, and the permit with it.
        Poll::Ready(ready!(Pin::new(&mut self.items).poll_next(cx)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }
}

fn connected_by(deadline: Instant) -> Instant {
    let now = Instant::now();
    now + deadline.saturating_duration_since(now) / 2
}

/// A worker carries calls to itself and nobody else, once: `ComputeClient::new(worker)`.
impl Caller for Worker {
    async fn invoke(&self, request: Request) -> Result<Answer, Status> {
        let now = Instant::now();
        let deadline = Instant::from_std(request.options.deadline(now.into_std()));
        if deadline <= now {
            let message = format!("{}: no time is left for the call", request.name);
            return Err(Status::new(Reason::Deadline, Executed::No, message));
        }
        attempt_once(self.line().enter(), request, None, now, deadline).await.map(|streamed| streamed.answer)
    }

    async fn stream(&self, request: Request, items: Option<Streaming<Bytes>>) -> Result<Streamed, Status> {
        let now = Instant::now();
        let ended = request.options.explicit_deadline(now.into_std()).map(Instant::from_std);
        if ended.is_some_and(|ended| ended <= now) {
            let message = format!("{}: no time is left for the call", request.name);
            return Err(Status::new(Reason::Deadline, Executed::No, message));
        }
        attempt_stream(self.line().enter(), request, items, StreamDeadlines { answered: ended, ended }).await
    }

    fn codec(&self) -> Codec {
        self.line().channel().codec()
    }
}

impl Worker {
    /// Calls a method of this worker by name, bytes in and bytes out; sent once, with the default deadline.
    ///
    /// # Errors
    ///
    /// See [`CallError`]. Nothing is tried again; [`ResilientClient`](crate::ResilientClient) does that.
    pub async fn call(&self, name: &str, payload: impl Into<Bytes>) -> Result<Bytes, CallError> {
        let answer = self.invoke(Request::untyped(name, payload, CallOptions::new())).await?;
        answer.untyped(self.codec())
    }
}
