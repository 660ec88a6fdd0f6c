//! From a typed method to a handler of bytes: what every generated server is a thin shim over.

use std::sync::Arc;

use crate::{
    body::{Body, Streamed},
    client::caller::Answer,
    codec::Codec,
    context::Context,
    descriptor::{MethodDescriptor, ServiceDescriptor},
    method::Method,
    server::handler::{Handler, HandlerFuture},
    status::{Executed, Reason, Status},
};

/// A service that a [`Server`](crate::Server) can be given. Implemented by every generated `XServer`.
///
/// ```
/// use rpcnet::{Service, rpc_trait};
///
/// #[rpc_trait]
/// trait Greeter {
///     async fn greet(&self, name: String) -> rpcnet::Result<String>;
/// }
///
/// struct English;
///
/// impl Greeter for English {
///     async fn greet(&self, name: String) -> rpcnet::Result<String> {
///         Ok(format!("hello, {name}"))
///     }
/// }
///
/// assert_eq!(GreeterServer::new(English).descriptor().name, "Greeter");
/// ```
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

    /// Adds a method. `run` is handed the service, the call and the decoded arguments.
    #[must_use]
    pub fn method<S, A, T, E, F, Fut>(mut self, method: Method<A, T, E>, service: &Arc<S>, run: F) -> Self
    where
        S: Send + Sync + 'static,
        A: 'static,
        T: 'static,
        E: 'static,
        F: Fn(Arc<S>, Context, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
    {
        let service = Arc::clone(service);
        self.methods.push((method.descriptor, Arc::new(Async { method, service, run })));
        self
    }

    /// Adds a method that blocks its thread: it gets one where that harms nobody.
    #[must_use]
    pub fn blocking<S, A, T, E, F>(mut self, method: Method<A, T, E>, service: &Arc<S>, run: F) -> Self
    where
        S: Send + Sync + 'static,
        A: Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
        F: Fn(Arc<S>, Context, A) -> Result<T, E> + Send + Sync + 'static,
    {
        let (service, run) = (Arc::clone(service), Arc::new(run));
        self.methods.push((method.descriptor, Arc::new(Blocking { method, service, run })));
        self
    }
}

/// A typed method behind the untyped [`Handler`].
struct Async<S, A, T, E, F> {
    method: Method<A, T, E>,
    service: Arc<S>,
    run: F,
}

impl<S, A, T, E, F, Fut> Handler for Async<S, A, T, E, F>
where
    S: Send + Sync + 'static,
    A: 'static,
    T: 'static,
    E: 'static,
    F: Fn(Arc<S>, Context, A) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
{
    fn handle(&self, codec: Codec, context: Context, arguments: Body) -> Result<HandlerFuture, Status> {
        let method = self.method;
        let arguments = decode(codec, method, arguments)?;
        let handler = (self.run)(Arc::clone(&self.service), context, arguments);
        Ok(Box::pin(async move { encode(codec, method, handler.await) }))
    }
}

/// A typed method that blocks, behind the untyped [`Handler`].
struct Blocking<S, A, T, E, F> {
    method: Method<A, T, E>,
    service: Arc<S>,
    run: Arc<F>,
}

impl<S, A, T, E, F> Handler for Blocking<S, A, T, E, F>
where
    S: Send + Sync + 'static,
    A: Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
    F: Fn(Arc<S>, Context, A) -> Result<T, E> + Send + Sync + 'static,
{
    fn handle(&self, codec: Codec, context: Context, arguments: Body) -> Result<HandlerFuture, Status> {
        let method = self.method;
        let arguments = decode(codec, method, arguments)?;
        let (service, run) = (Arc::clone(&self.service), Arc::clone(&self.run));
        let work = move || {
            // The thread goes on when the call is given up: the call's places are free when it is done.
            let _places = context.take_places();
            // It may have waited for a thread for so long that nobody wants it any more.
            let wanted = !context.is_cancelled();
            wanted.then(|| context.enter(|| run(service, context.clone(), arguments)))
        };
        Ok(Box::pin(async move {
            match tokio::task::spawn_blocking(work).await {
                Ok(Some(result)) => encode(codec, method, result),
                Ok(None) => {
                    Err(Status::new(Reason::Deadline, Executed::No, "nobody waits for the call any more"))
                }
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => Err(Status::new(
                        Reason::Draining,
                        Executed::No,
                        "the server's runtime is shutting down",
                    )),
                },
            }
        }))
    }
}

fn decode<A, T, E>(codec: Codec, method: Method<A, T, E>, arguments: Body) -> Result<A, Status> {
    let length = arguments.payload.len();
    (method.arguments.decode)(codec, arguments)
        .map_err(|error| undecodable(method.descriptor, length, &error))
}

/// An answer as it goes out. An `AppError` is marked as one, so that callers who do not know the method can read it.
fn encode<A, T, E>(codec: Codec, method: Method<A, T, E>, result: Result<T, E>) -> Result<Streamed, Status> {
    let app_answer = if method.err_is_app_error { Answer::AppError } else { Answer::App };
    let encoded = match result {
        Ok(value) => (method.ok.encode)(codec, value)
            .map(|Body { payload, items }| Streamed { answer: Answer::Ok(payload), items }),
        Err(error) => (method.err.encode)(codec, error).map(|body| app_answer(body.payload).into()),
    };
    encoded.map_err(|error| {
        let message = format!("the answer cannot be encoded: {error}");
        Status::new(Reason::Unencodable, Executed::Yes, message)
    })
}

fn undecodable(method: &MethodDescriptor, length: usize, error: &crate::codec::CodecError) -> Status {
    let message = format!(
        "the arguments of {length} bytes do not decode as {}: {error}; do both ends have the same trait?",
        Types(method.arguments)
    );
    Status::new(Reason::UndecodableArguments, Executed::No, message)
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
