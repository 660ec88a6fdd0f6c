//! From a typed method to a handler of bytes: what every generated server is a thin shim over.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    client::caller::Answer,
    codec::Codec,
    context::Context,
    descriptor::{MethodDescriptor, ServiceDescriptor},
    method::{Method, Wired},
    server::handler::{Handler, HandlerFuture},
    status::{Executed, Reason, Status},
};

/// A service that a [`Server`](crate::Server) can be given. Implemented by every generated `XServer`.
pub trait Service: Send + Sync + 'static {
    /// What the service looks like from outside.
    fn descriptor(&self) -> &'static ServiceDescriptor;

    /// The service's methods as handlers of bytes.
    fn routes(self) -> Routes;
}

/// The methods of one service, each with the handler that serves it.
#[derive(Debug)]
pub struct Routes {
    pub(crate) methods: Vec<(&'static MethodDescriptor, Arc<dyn Handler>)>,
}

impl Routes {
    /// No method yet, room for those of the service.
    pub fn new(service: &'static ServiceDescriptor) -> Self {
        Self { methods: Vec::with_capacity(service.methods.len()) }
    }

    /// Adds a method with one answer. `run` is handed the service, the call and the decoded arguments.
    #[must_use]
    pub fn unary<S, A, T, E, F, Fut>(mut self, method: Method<A, T, E>, service: &Arc<S>, run: F) -> Self
    where
        S: Send + Sync + 'static,
        A: 'static,
        T: 'static,
        E: 'static,
        F: Fn(Arc<S>, Context, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
    {
        let service = Arc::clone(service);
        self.methods.push((method.descriptor, Arc::new(Unary { method, service, run })));
        self
    }
}

/// A typed unary method behind the untyped [`Handler`].
struct Unary<S, A, T, E, F> {
    method: Method<A, T, E>,
    service: Arc<S>,
    run: F,
}

impl<S, A, T, E, F, Fut> Handler for Unary<S, A, T, E, F>
where
    S: Send + Sync + 'static,
    A: 'static,
    T: 'static,
    E: 'static,
    F: Fn(Arc<S>, Context, A) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
{
    fn handle(&self, codec: Codec, context: Context, payload: Bytes) -> Result<HandlerFuture, Status> {
        let Method { descriptor, arguments, ok, err, err_is_app_error } = self.method;
        let arguments = (arguments.decode)(codec, &payload)
            .map_err(|error| undecodable(descriptor, payload.len(), &error))?;
        // An `AppError` is marked as one, so that callers who do not know the method can read it.
        let app_answer = if err_is_app_error { Answer::AppError } else { Answer::App };
        let handler = (self.run)(Arc::clone(&self.service), context, arguments);
        Ok(Box::pin(async move {
            match handler.await {
                Ok(value) => encode(codec, ok, &value).map(Answer::Ok),
                Err(error) => encode(codec, err, &error).map(app_answer),
            }
        }))
    }
}

fn undecodable(method: &MethodDescriptor, length: usize, error: &crate::codec::CodecError) -> Status {
    let message = format!(
        "the arguments of {length} bytes do not decode as {}: {error}; do both ends have the same trait?",
        Types(method.arguments)
    );
    Status::new(Reason::UndecodableArguments, Executed::No, message)
}

fn encode<T>(codec: Codec, wired: Wired<T>, value: &T) -> Result<Bytes, Status> {
    (wired.encode)(codec, value).map_err(|error| {
        let message = format!("the answer cannot be encoded: {error}");
        Status::new(Reason::Unencodable, Executed::Yes, message)
    })
}

/// Argument types as a tuple, for messages.
struct Types(&'static [(&'static str, &'static str)]);

impl std::fmt::Display for Types {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(")?;
        for (index, (name, ty)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{name}: {ty}")?;
        }
        f.write_str(")")
    }
}
