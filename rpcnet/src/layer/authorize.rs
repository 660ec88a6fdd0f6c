//! Who may call what: a question asked before anything of a call is decoded.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use tower::{Layer, Service};

use super::{Answering, BoxError, ServerCall};
use crate::{
    body::Streamed,
    status::{Executed, Status},
};

/// Asks of every call to a server whether it may go on. One that may not fails with what it was told, and nothing of it runs: its
/// arguments are not decoded, and a repeated request id is not looked up.
///
/// ```
/// use rpcnet::{Executed, Reason, Server, Status, layer::AuthorizeLayer};
///
/// let writers_only = AuthorizeLayer::new(|call| {
///     let reads = call.descriptor().is_some_and(|method| method.idempotency == rpcnet::Idempotency::Read);
///     match call.context().metadata().get("role") {
///         Some("writer") => Ok(()),
///         _ if reads => Ok(()),
///         _ => Err(Status::new(Reason::PermissionDenied, Executed::No, "only writers write")),
///     }
/// });
/// let server = Server::builder().layer(writers_only);
/// ```
///
/// The question is answered at once, without waiting. Like every layer it is asked when what is inside of it is
/// ready: an outer layer that bounds how many calls wait bounds those of strangers too.
#[derive(Clone)]
pub struct AuthorizeLayer {
    may: Arc<Predicate>,
}

type Predicate = dyn Fn(&ServerCall) -> Result<(), Status> + Send + Sync;

impl AuthorizeLayer {
    /// With the question. Whatever the error says, the caller is told that nothing ran ([`Executed::No`]).
    pub fn new(may: impl Fn(&ServerCall) -> Result<(), Status> + Send + Sync + 'static) -> Self {
        Self { may: Arc::new(may) }
    }
}

impl<S> Layer<S> for AuthorizeLayer {
    type Service = Authorize<S>;

    fn layer(&self, inner: S) -> Authorize<S> {
        Authorize { inner, may: Arc::clone(&self.may) }
    }
}

impl fmt::Debug for AuthorizeLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorizeLayer")
    }
}

/// What an [`AuthorizeLayer`] makes of a service.
#[derive(Clone)]
pub struct Authorize<S> {
    inner: S,
    may: Arc<Predicate>,
}

impl<S> Service<ServerCall> for Authorize<S>
where
    S: Service<ServerCall, Response = Streamed>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = Streamed;
    type Error = Status;
    type Future = Answering;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        self.inner.poll_ready(cx).map_err(|error| super::fate::Fate::new(None).status(error))
    }

    fn call(&mut self, call: ServerCall) -> Answering {
        if let Err(status) = (self.may)(&call) {
            return Box::pin(std::future::ready(Err(status.with_executed(Executed::No))));
        }
        let fate = call.fate.clone();
        let answering = self.inner.call(call);
        Box::pin(async move { answering.await.map_err(|error| fate.status(error)) })
    }
}

impl<S: fmt::Debug> fmt::Debug for Authorize<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorize").field("inner", &self.inner).finish_non_exhaustive()
    }
}
