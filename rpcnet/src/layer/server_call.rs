//! A call that has come, as the layers of a server see it.

use std::sync::Arc;

use bytes::Bytes;

use super::{fate::Fate, stack::LayeredCall};
use crate::{
    body::Streamed,
    codec::Codec,
    context::Context,
    descriptor::{CallKind, MethodDescriptor},
    server::{
        router::Route,
        services::{Incoming, Services, awaited},
    },
    status::Status,
};

/// A call that has come to a server: what its layers are given.
///
/// Its method is known, and nothing else has been done. It cannot be made, only passed on or dropped, so that it is always known
/// whether it was [let through](super#what-an-error-of-a-layer-says-to-the-caller).
pub struct ServerCall {
    pub(super) services: Arc<Services>,
    pub(super) route: Arc<Route>,
    incoming: Incoming,
    context: Context,
    pub(super) fate: Fate,
}

impl ServerCall {
    pub(crate) fn new(services: &Arc<Services>, route: &Arc<Route>, incoming: Incoming) -> Self {
        let context = Context::new(incoming.about.clone(), None);
        let (services, route) = (Arc::clone(services), Arc::clone(route));
        Self { services, route, incoming, context, fate: Fate::new(None) }
    }

    /// Sends the call through the layers of its server.
    pub(crate) fn begin(self) -> LayeredCall {
        LayeredCall::new(self)
    }

    /// The method's full name: `Compute/square`, or that of a method of bytes. A client may have called it by an alias.
    pub fn method(&self) -> &str {
        &self.route.name
    }

    /// The method as its trait declares it; `None` for one of bytes.
    pub fn descriptor(&self) -> Option<&'static MethodDescriptor> {
        self.route.method
    }

    /// Which of the two ends streams.
    pub fn kind(&self) -> CallKind {
        self.descriptor().map(|method| method.kind).unwrap_or_default()
    }

    /// Who asks, until when, with which metadata, as part of which trace.
    ///
    /// It is told when nobody waits for the layers any more. What a layer calls finds it by [`Context::current`].
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The arguments, encoded.
    pub fn payload(&self) -> &Bytes {
        &self.incoming.arguments.payload
    }

    /// What the arguments are encoded in.
    pub fn codec(&self) -> Codec {
        self.incoming.codec
    }

    /// What is inside of all layers: repeats are answered, arguments decoded, the method run.
    pub(super) async fn serve(self) -> Result<Streamed, Status> {
        let Self { services, route, incoming, fate, .. } = self;
        let serve =
            awaited(|answered| services.start(&route, incoming, move |result| drop(answered.send(result))));
        fate.through(serve).await
    }
}

impl std::fmt::Debug for ServerCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerCall").field("method", &self.method()).finish_non_exhaustive()
    }
}
