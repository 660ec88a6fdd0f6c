//! What `#[rpc_trait]` expands to. Public so that generated code can name it; not part of the interface.

pub use bytes::Bytes;
pub use serde::{Serialize, de::DeserializeOwned};
pub use std::{
    clone::Clone,
    convert::Into,
    fmt::{self, Debug, Formatter},
    future::Future,
    marker::{PhantomData, Send, Sync},
    option::Option,
    result::Result,
    string::String,
    sync::Arc,
    time::Duration,
};
pub use uuid::Uuid;

pub use crate::{
    Address, CallError, CallKind, CallOptions, Caller, Channel, ConnectError, Context, Idempotency, Local,
    MethodDescriptor, MethodId, Schema, Service, ServiceDescriptor, Streaming,
    client::stub::Stub,
    method::{
        Method, answer, answer_stream, arguments_0, arguments_1, arguments_2, arguments_3, arguments_4,
        arguments_5, arguments_6, arguments_7, arguments_8, arguments_9, arguments_10, arguments_11,
        arguments_12, arguments_13, arguments_14, arguments_15, arguments_16, upload_0, upload_1, upload_2,
        upload_3, upload_4, upload_5, upload_6, upload_7, upload_8, upload_9, upload_10, upload_11,
        upload_12, upload_13, upload_14, upload_15, upload_16,
    },
    schema::{
        Describer,
        probe::{Probe, Undescribed},
    },
    server::routes::Routes,
};

/// What can cross the network, as an argument or as a side of an answer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross the network",
    label = "arguments and answers are `Serialize + DeserializeOwned + Send + 'static`",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it and for what it consists of; a stream is written \
            `Streaming<T>` in the signature itself"
)]
pub trait Wire: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> Wire for T {}

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
    type Ok: Wire;
    /// The method's own error.
    type Err: Wire;

    /// The answer as a plain `Result`.
    fn into_result(self) -> Result<Self::Ok, Self::Err>;
}

impl<T: Wire, E: Wire> Reply for Result<T, E> {
    type Ok = T;
    type Err = E;

    fn into_result(self) -> Self {
        self
    }
}

/// What a method that streams may answer with: a `Result` whose `Ok` side is the stream.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the answer of an RPC method",
    label = "a method that streams returns `Result<Streaming<T>, E>`",
    note = "return `Result<Streaming<T>, E>` where `T` and `E` implement `Serialize` and `DeserializeOwned`"
)]
pub trait StreamReply: Send + 'static {
    /// An item.
    type Item: Wire;
    /// The method's own error.
    type Err: Wire;

    /// The answer as a plain `Result`.
    fn into_result(self) -> Result<Streaming<Self::Item>, Self::Err>;
}

impl<T: Wire, E: Wire> StreamReply for Result<Streaming<T>, E> {
    type Item = T;
    type Err = E;

    fn into_result(self) -> Self {
        self
    }
}

/// A caller of a service in the same process.
pub fn local(service: impl Service) -> Local {
    Local::new(service).expect("the macro gives every method an id of its own")
}

/// An id for a keyed call whose caller gives none.
pub fn new_request_id() -> Uuid {
    Uuid::new_v4()
}

/// The request id of a keyed call, for the method's `request_id` parameter.
pub fn request_id(context: &Context) -> Uuid {
    context.request_id().expect("the router refuses a keyed call without a request id before it runs")
}

/// What a method does that the macro refused.
pub fn refused() -> ! {
    unreachable!("the trait does not compile")
}

/// How a generated client shows itself.
pub fn debug_client(f: &mut Formatter<'_>, name: &str, stub: &dyn Debug) -> fmt::Result {
    f.debug_struct(name).field("stub", stub).finish()
}

/// How a generated server shows itself: its service need not be `Debug`.
pub fn debug_server(f: &mut Formatter<'_>, name: &str) -> fmt::Result {
    f.debug_struct(name).finish_non_exhaustive()
}
