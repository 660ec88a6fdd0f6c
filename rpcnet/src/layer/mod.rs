//! Layers around clients and servers: your own middleware, `tower`'s, and some of ours.
//!
//! A layer sees every call, whatever the method, before and after it runs. [`tower`](https://docs.rs/tower) says what a layer is
//! and brings many: time-outs, limits, rate limits, retries. A layer that is written for one service of `tower` fits any
//! other, and so it fits here.
//!
//! | where | how | a call is | it sees |
//! |---|---|---|---|
//! | client | [`caller.layer(…)`](CallerExt::layer) | [`Outgoing`] | the request, encoded, before it is sent |
//! | server | [`Server::builder().layer(…)`](crate::ServerBuilder::layer) | [`ServerCall`] | a call whose method was found, before a repeat is looked up and before arguments are decoded |
//!
//! Both are answered with [`Streamed`]: an answer, which may be the method's own error, and a stream where the
//! method has one. A [`Status`] is what failed outside of the method.
//!
//! ```
//! use std::time::Duration;
//! use rpcnet::prelude::*;
//! use tower::ServiceBuilder;
//!
//! #[rpc_trait]
//! trait Greeter {
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
//! let server = Server::builder()
//!     .service(GreeterServer::new(English))
//!     .layer(ServiceBuilder::new().load_shed().concurrency_limit(64))
//!     .bind("127.0.0.1:0")
//!     .await?;
//! let address = server.local_addr();
//! tokio::spawn(server.serve());
//!
//! let channel = Channel::connect(address).await?;
//! let layers = ServiceBuilder::new().concurrency_limit(8).timeout(Duration::from_secs(1));
//! let greeter = GreeterClient::new(channel.layer(layers));
//! assert_eq!(greeter.greet("Ann".into()).await?, "hello, Ann");
//! # Ok(()) }
//! ```
//!
//! # What an error of a layer says to the caller
//!
//! | error | [`Reason`](crate::Reason) | whether the method ran |
//! |---|---|---|
//! | a [`Status`] | its own | as it says; never less than what was seen |
//! | `tower`'s `Elapsed` | `Deadline` | as was seen |
//! | `tower`'s `Overloaded` | `Overloaded` | as was seen |
//! | any other | `Unspecified`, code `Internal`, with the error's text | as was seen |
//!
//! What was seen: whether the layers let the call through to what is inside of them. If they did not, it did not run
//! ([`Executed::No`](crate::Executed::No)), and whoever made it may make it again. If they did and gave up before there was
//! an answer, it may have ([`Executed::Unknown`](crate::Executed::Unknown)). This is why nobody can make an [`Outgoing`] or a
//! [`ServerCall`]: a call that is passed on is the one that came. A layer that serves a call by other means than the service
//! it wraps, and fails, answers with a `Status` of its own, which says whether something ran.
//!
//! # Order, readiness, and who may not be cloned
//!
//! The first layer of a `ServiceBuilder`, and of a server, is the outermost. What is to refuse a call because the rest is busy
//! (`load_shed`) is outside of what makes it busy (`concurrency_limit`). Each call takes a clone of the layers, and waits
//! until it is ready. `tower`'s rate limit cannot be cloned: it goes behind a `buffer`, which all clones share.
//!
//! A call's deadline holds while it waits in a layer, at both ends. Dropping the call drops the layers' future, which gives
//! back what it held. A panic in a server's layer fails the one call.

mod authorize;
mod bearer;
mod carry;
mod fate;
mod outgoing;
mod serve;
mod server_call;
pub(crate) mod stack;
mod trace;

use std::{error::Error as StdError, pin::Pin};

pub use authorize::{Authorize, AuthorizeLayer};
pub use bearer::{Bearer, BearerLayer, TokenError};
pub use carry::{CallerExt, Carry, Layered};
pub use outgoing::Outgoing;
pub use serve::Serve;
pub use server_call::ServerCall;
pub use trace::{AnyCall, Trace, TraceLayer};

use crate::{body::Streamed, status::Status};

/// The error of a layer: of any type, as `tower`'s own layers have it.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// A call on its way through layers.
pub type Answering = Pin<Box<dyn Future<Output = Result<Streamed, Status>> + Send>>;
