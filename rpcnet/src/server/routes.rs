//! From a typed method to a handler of bytes: what every generated server is a thin shim over.

use std::{any::TypeId, marker::PhantomData, sync::Arc};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    client::caller::Answer,
    codec::Codec,
    context::Context,
    descriptor::{MethodDescriptor, ServiceDescriptor},
    error::AppError,
    private::Reply,
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
    pub fn unary<S, A, R, F, Fut>(
        mut self,
        method: &'static MethodDescriptor,
        service: &Arc<S>,
        run: F,
    ) -> Self
    where
        S: Send + Sync + 'static,
        A: DeserializeOwned + Send + 'static,
        R: Reply,
        F: Fn(Arc<S>, Context, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = R> + Send + 'static,
    {
        let service = Arc::clone(service);
        self.methods.push((method, Arc::new(Unary { method, service, run, types: PhantomData })));
        self
    }
}

/// A typed unary method behind the untyped [`Handler`].
struct Unary<S, A, R, F> {
    method: &'static MethodDescriptor,
    service: Arc<S>,
    run: F,
    types: PhantomData<fn(A) -> R>,
}

impl<S, A, R, F, Fut> Handler for Unary<S, A, R, F>
where
    S: Send + Sync + 'static,
    A: DeserializeOwned + Send + 'static,
    R: Reply,
    F: Fn(Arc<S>, Context, A) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = R> + Send + 'static,
{
    fn handle(&self, codec: Codec, context: Context, payload: Bytes) -> Result<HandlerFuture, Status> {
        let arguments =
            codec.decode(&payload).map_err(|error| undecodable(self.method, payload.len(), &error))?;
        let handler = (self.run)(Arc::clone(&self.service), context, arguments);
        Ok(Box::pin(async move {
            match handler.await.into_result() {
                Ok(value) => encode(codec, &value).map(Answer::Ok),
                Err(error) => encode(codec, &error).map(app_answer::<R::Err>()),
            }
        }))
    }
}

/// An `AppError` is marked as one, so that callers who do not know the method can read it.
fn app_answer<E: 'static>() -> fn(Bytes) -> Answer {
    if TypeId::of::<E>() == TypeId::of::<AppError>() { Answer::AppError } else { Answer::App }
}

fn undecodable(method: &MethodDescriptor, length: usize, error: &crate::codec::CodecError) -> Status {
    let message = format!(
        "the arguments of {length} bytes do not decode as {}: {error}; do both ends have the same trait?",
        Types(method.arguments)
    );
    Status::new(Reason::UndecodableArguments, Executed::No, message)
}

fn encode<T: Serialize>(codec: Codec, value: &T) -> Result<Bytes, Status> {
    codec.encode(value).map_err(|error| {
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
