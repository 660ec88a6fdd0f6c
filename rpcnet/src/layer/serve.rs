//! What a server's layers are put around: its methods, or the layers inside of theirs.

use std::{
    fmt,
    task::{Context, Poll},
};

use tower::Service;

use super::{Answering, BoxError, ServerCall, carry::ready_and_call, fate::Fate};
use crate::{body::Streamed, status::Status};

/// All methods of a server as one `tower::Service`, behind the layers that were already put around them: what
/// [`ServerBuilder::layer`](crate::ServerBuilder::layer) gives to a layer.
///
/// The methods themselves are always ready.
#[derive(Default)]
pub struct Serve(Option<Box<dyn Erased>>);

/// A service whose type nobody needs to know.
trait Erased: Send + Sync {
    fn cloned(&self) -> Box<dyn Erased>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>>;

    /// The service is ready.
    fn call(&mut self, call: ServerCall) -> Answering;
}

impl<S> Erased for S
where
    S: Service<ServerCall, Response = Streamed> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    fn cloned(&self) -> Box<dyn Erased> {
        Box::new(self.clone())
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        // Whatever is not ready was not called. If the call was, by another layer, that layer's `Fate` knows.
        Service::poll_ready(self, cx).map_err(|error| Fate::new(None).status(error))
    }

    fn call(&mut self, call: ServerCall) -> Answering {
        let fate = call.fate.clone();
        let answering = Service::call(self, call);
        Box::pin(async move { answering.await.map_err(|error| fate.status(error)) })
    }
}

impl Serve {
    /// These methods behind a layer.
    pub(super) fn behind<S>(service: S) -> Self
    where
        S: Service<ServerCall, Response = Streamed> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
    {
        Self(Some(Box::new(service)))
    }

    /// Takes a call when there is room for it.
    pub(super) async fn take(self, call: ServerCall) -> Result<Streamed, Status> {
        let fate = call.fate.clone();
        ready_and_call(self, call, &fate).await
    }
}

impl Service<ServerCall> for Serve {
    type Response = Streamed;
    type Error = Status;
    type Future = Answering;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        match &mut self.0 {
            Some(layered) => layered.poll_ready(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, call: ServerCall) -> Answering {
        match &mut self.0 {
            Some(layered) => layered.call(call),
            None => Box::pin(call.serve()),
        }
    }
}

impl Clone for Serve {
    fn clone(&self) -> Self {
        Self(self.0.as_ref().map(|layered| layered.cloned()))
    }
}

impl fmt::Debug for Serve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve").field("layered", &self.0.is_some()).finish()
    }
}
