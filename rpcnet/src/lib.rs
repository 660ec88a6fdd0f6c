//! One annotated trait gives calls between processes.
//!
//! ```
//! use rpcnet::prelude::*;
//!
//! #[rpc_trait]
//! pub trait Greeter {
//!     /// Asking twice is as good as asking once.
//!     #[rpc(idempotent)]
//!     async fn greet(&self, name: String) -> rpcnet::Result<String>;
//! }
//!
//! struct English;
//!
//! impl Greeter for English {
//!     async fn greet(&self, name: String) -> rpcnet::Result<String> {
//!         Ok(format!("hello, {name}"))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::builder().service(GreeterServer::new(English)).bind("127.0.0.1:0").await?;
//! let address = server.local_addr();
//! tokio::spawn(server.serve());
//!
//! let greeter = GreeterClient::connect(address).await?;
//! assert_eq!(greeter.greet("Ann".into()).await?, "hello, Ann");
//! # Ok(()) }
//! ```
//!
//! # What a call costs, and what it promises
//!
//! - Calls of one [`Channel`] share one connection: thousands run at once, and what many callers send together leaves in
//!   one write. A method that does not wait for anything costs the server no task.
//! - Every call has a **deadline**: its own ([`CallOptions::timeout`]), or what is left of the call it is made for, or
//!   [ten seconds](CallOptions::TIMEOUT_DEFAULT). It travels with the call; the server stops working when it has passed.
//! - **Dropping** the future of a call cancels it at the server. (A keyed method runs on, so that a repeat finds its answer.)
//! - A call that may have run is **never sent again** by this crate. [`CallError`] says whether it ran, did not run, or
//!   whether nobody can know.
//! - A method with a parameter `request_id: Uuid` is **keyed**: a repeated id is answered from the server's cache.
//! - Every limit has a name, a default and a reason ([`Limits`], [`CacheLimits`]), and whoever meets one is told which.
//!
//! Many servers, and what happens when one of them dies, are the business of the crate `rpcnet-cluster`: the generated
//! clients are generic over who carries their calls ([`Caller`]), and run over a cluster unchanged.
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | the attribute, everything it accepts and generates | [`rpc_trait`] |
//! | a server's settings, load, shutdown | [`Server`], [`ServerBuilder`], [`ServerLoad`] |
//! | a client's settings | [`Channel`], [`ChannelBuilder`], [`CallOptions`] |
//! | errors | [`CallError`], [`Status`], [`AppError`] |
//! | what a handler may know of its call | [`Context`] |
//! | whether two programs mean the same by a type | [`Schema`], [`schema_of`] |
//! | middleware at either end: tracing, authorization, `tower`'s layers | [`layer`] |
//! | tests without a network | [`transport::memory`]; `local` of each generated client |
//!
//! # Four kinds of call
//!
//! `Streaming<T>` as an argument, as the answer, or both makes a method a stream. This one is all there is to an upload:
//!
//! ```
//! use rpcnet::prelude::*;
//!
//! #[rpc_trait]
//! trait Store {
//!     /// The total of what arrived. Half of a stream is an error, and not a smaller total.
//!     async fn upload(&self, parts: Streaming<Bytes>) -> rpcnet::Result<usize>;
//! }
//!
//! struct Counter;
//!
//! impl Store for Counter {
//!     async fn upload(&self, mut parts: Streaming<Bytes>) -> rpcnet::Result<usize> {
//!         let mut total = 0;
//!         while let Some(part) = parts.next().await {
//!             total += part?.len();
//!         }
//!         Ok(total)
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), CallError> {
//! let store = StoreClient::local(Counter); // over a network: `connect`
//! let parts = Streaming::iter([Bytes::from("two "), Bytes::from("parts")]);
//! assert_eq!(store.upload(parts).await?, 9);
//! # Ok(()) }
//! ```
//!
//! # What a failed call says
//!
//! [`CallError`] has three variants, which are three answers to "may I do it again?":
//!
//! ```
//! # use rpcnet::prelude::*;
//! fn may_be_repeated<E>(error: &CallError<E>) -> Option<bool> {
//!     match error {
//!         CallError::App(_) => Some(false),                                // it ran, and this is its answer
//!         CallError::Status(status) => Some(status.executed() == Executed::No), // it is known
//!         CallError::OutcomeUnknown(_) => None,                            // only if repeating does no harm
//!     }
//! }
//! ```
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `tls` | yes | [`transport::tls`](transport): TLS 1.3 by rustls with ring, identities, certificates that are read again |
//! | `tower` | yes | `layer`: tower's layers at both ends |
//! | `aws-lc-rs` | | TLS with the cryptography of AWS-LC |
//! | `development` | | certificates made on the spot, for the own machine and for tests |
//! | `quic` | | `transport::quic`, by quinn |
//! | `postcard`, `json` | | `Codec::Postcard`, `Codec::Json`. Each is compiled for every type of every method |
//! | `redb` | | `store::RedbStore`: the records of keyed calls on disk |
//! | `redis` | | `store::RedisStore`: the same in a Redis that several servers share |
//!
//! Features only add. The two ends of a connection need the same codec, which the client names, and may differ in the rest.

mod body;
mod client;
mod codec;
mod context;
mod descriptor;
mod driver;
mod error;
mod idempotency;
#[cfg(feature = "tower")]
pub mod layer;
mod local;
mod metadata;
mod method;
mod schema;
mod server;
mod status;
mod streaming;
mod time;
mod trace;
pub mod transport;
mod wire;

#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "__internals")]
#[doc(hidden)]
pub mod internals;
#[doc(hidden)]
pub mod private;

pub use rpcnet_macros::{Schema, rpc_trait};

pub use body::Streamed;
pub use client::{
    caller::{Answer, Caller, Name, Request},
    channel::{Channel, ChannelBuilder},
    connect::ConnectError,
    options::{CallOptions, Hedge},
    sent::{Attempted, SentIds},
};
pub use codec::{Codec, CodecError, DEPTH_MAX};
pub use context::Context;
pub use descriptor::{CallKind, Idempotency, MethodDescriptor, MethodId, ServiceDescriptor};
pub use error::{AppError, CallError, Cause, Result};
pub use idempotency::{CacheLimits, KeyedGauge, KeyedStats, WhenFull, store};
pub use local::Local;
pub use metadata::{InvalidMetadata, Metadata};
pub use schema::{Describer, Schema, schema_of};
pub use server::{
    admission::ServerLoad,
    builder::{BindError, Server, ServerBuilder},
    drain::{Drained, ServerHandle},
    routes::{Routes, Service},
};
pub use status::{Code, Executed, Reason, Status};
pub use streaming::{ReaderGone, StreamSender, Streaming};
pub use trace::{InvalidTrace, TraceContext};
pub use transport::{Address, Identity};
pub use wire::{CloseReason, Limits};

/// What almost every program that defines or calls a service names.
pub mod prelude {
    #[cfg(feature = "tower")]
    pub use crate::layer::CallerExt as _;
    pub use crate::{
        AppError, CallError, CallOptions, Channel, Context, Executed, Server, Streaming, rpc_trait,
    };
    pub use bytes::Bytes;
    pub use uuid::Uuid;
}
