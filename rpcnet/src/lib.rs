//! One annotated trait gives calls between processes.

mod client;
mod codec;
mod context;
mod descriptor;
mod error;
mod server;
mod status;

#[doc(hidden)]
pub mod private;

pub use client::{
    caller::{Answer, Caller, Name, Request},
    options::CallOptions,
};
pub use codec::{Codec, CodecError, DEPTH_MAX};
pub use context::Context;
pub use descriptor::{Idempotency, MethodDescriptor, MethodId, ServiceDescriptor};
pub use error::{AppError, CallError, Result};
pub use server::routes::{Routes, Service};
pub use status::{Code, Executed, Reason, Status};
