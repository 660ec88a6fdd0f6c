//! One annotated trait gives calls between processes.

mod client;
mod codec;
mod context;
mod descriptor;
mod driver;
mod error;
mod idempotency;
mod method;
mod server;
mod status;
pub mod transport;
mod wire;

#[doc(hidden)]
pub mod private;

pub use rpcnet_macros::rpc_trait;

pub use client::{
    caller::{Answer, Caller, Name, Request},
    channel::{Channel, ChannelBuilder},
    connect::ConnectError,
    options::CallOptions,
};
pub use codec::{Codec, CodecError, DEPTH_MAX};
pub use context::Context;
pub use descriptor::{Idempotency, MethodDescriptor, MethodId, ServiceDescriptor};
pub use error::{AppError, CallError, Cause, Result};
pub use idempotency::CacheLimits;
pub use server::{
    builder::{BindError, Server, ServerBuilder},
    routes::{Routes, Service},
};
pub use status::{Code, Executed, Reason, Status};
pub use transport::Address;
pub use wire::Limits;

/// What almost every program that defines or calls a service names.
pub mod prelude {
    pub use crate::{AppError, CallError, CallOptions, Channel, Context, Server, rpc_trait};
    pub use uuid::Uuid;
}
