//! One call to one worker, once.

use bytes::Bytes;
use rpcnet::{Answer, CallError, CallOptions, Caller, Codec, Executed, Reason, Request, Status};
use tokio::time::Instant;

use crate::registry::Worker;

/// Sends a call to a worker and waits for its answer until `deadline`.
///
/// The call counts as in flight until the future is done or dropped. At most half of the time is spent on opening a
/// connection, so that a host that does not answer is told apart from a slow one.
pub(crate) async fn attempt(worker: &Worker, request: &Request, deadline: Instant) -> Result<Answer, Status> {
    let permit = worker.line().enter();
    let line = permit.line();
    line.ready(connected_by(deadline)).await?;
    let timeout = deadline.saturating_duration_since(Instant::now());
    let options = CallOptions::timeout(timeout).or(&request.options);
    let result = line.channel().invoke(Request { options, ..request.clone() }).await;
    if result.as_ref().is_err_and(|status| status.reason() == Reason::ConnectionLost) {
        line.handle_lost();
    }
    result
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
        attempt(self, &request, deadline).await
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
