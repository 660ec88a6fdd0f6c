//! What `#[rpc_trait]` expands to. Public so that generated code can name it; not part of the interface.

pub use bytes::Bytes;
pub use serde::{Serialize, de::DeserializeOwned};
pub use std::{future::Future, option::Option, result::Result, string::String, sync::Arc};
pub use uuid::Uuid;

pub use crate::{
    CallError, CallOptions, Caller, Context, Idempotency, MethodDescriptor, MethodId, Service,
    ServiceDescriptor, client::stub::Stub, server::routes::Routes,
};

/// What a method may answer with: a `Result` whose two sides can cross the wire.
///
/// The macro never looks for the word `Result` in a signature; it asks whether the type implements this, so that
/// aliases such as `io::Result`-like ones of the user's own work.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the answer of an RPC method",
    label = "a method of an `#[rpc_trait]` returns `Result<T, E>`",
    note = "return `Result<T, E>` where `T` and `E` implement `Serialize` and `DeserializeOwned`, or `rpcnet::Result<T>`"
)]
pub trait Reply: Send + 'static {
    /// The value of a call that succeeded.
    type Ok: Serialize + DeserializeOwned + Send + 'static;
    /// The method's own error.
    type Err: Serialize + DeserializeOwned + Send + 'static;

    /// The answer as a plain `Result`.
    fn into_result(self) -> Result<Self::Ok, Self::Err>;
}

impl<T, E> Reply for Result<T, E>
where
    T: Serialize + DeserializeOwned + Send + 'static,
    E: Serialize + DeserializeOwned + Send + 'static,
{
    type Ok = T;
    type Err = E;

    fn into_result(self) -> Self {
        self
    }
}

/// The request id of a keyed call, for the method's `request_id` parameter.
pub fn request_id(context: &Context) -> Uuid {
    context.request_id().expect("the router refuses a keyed call without a request id before it runs")
}
