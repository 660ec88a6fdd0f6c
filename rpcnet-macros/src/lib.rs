//! The `#[rpc_trait]` attribute and the `Schema` derive of RpcNet. Use them through the crate `rpcnet`, which has the rest.
//!
//! ```
//! use rpcnet::prelude::*;
//!
//! #[rpc_trait]
//! trait Greeter {
//!     #[rpc(read)]
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
//! # #[tokio::main] async fn main() -> Result<(), CallError> {
//! let greeter = GreeterClient::local(English); // `GreeterServer` serves it to others, `GreeterClient::connect` calls them
//! assert_eq!(greeter.greet("Ann".into()).await?, "hello, Ann");
//! # Ok(()) }
//! ```
//!
//! [`rpc_trait`] and [`Schema`](derive@Schema) have all that they take and make. This crate has no features.
//!
//! The macro is a pipeline: `ast` takes the trait apart, with `attr` for its attributes; `check` judges it; `expand` writes
//! what stands in its place; `diagnostics` collects what is wrong on the way, and `names` knows what things are called.
//!
//! Generated code is thin: it names types and calls `rpcnet::private`, by absolute paths only.

mod ast;
mod attr;
mod check;
mod diagnostics;
mod expand;
mod names;
mod schema;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Makes a trait a service: generates its client and its server.
///
/// ```
/// use rpcnet::prelude::*;
///
/// #[derive(Debug, serde::Serialize, serde::Deserialize)]
/// pub struct TooLarge;
///
/// /// Does sums.
/// #[rpc_trait]
/// pub trait Compute {
///     /// The same answer however often it is asked.
///     #[rpc(idempotent)]
///     async fn square(&self, number: i64) -> Result<i64, TooLarge>;
/// }
///
/// struct Worker;
///
/// impl Compute for Worker {
///     async fn square(&self, number: i64) -> Result<i64, TooLarge> {
///         number.checked_mul(number).ok_or(TooLarge)
///     }
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::builder().service(ComputeServer::new(Worker)).bind("127.0.0.1:0").await?;
/// let address = server.local_addr();
/// tokio::spawn(server.serve());
///
/// let client = ComputeClient::connect(address).await?;
/// assert_eq!(client.square(3).await.unwrap(), 9);
/// assert!(matches!(client.square(i64::MAX).await, Err(CallError::App(TooLarge))));
/// # Ok(()) }
/// ```
///
/// # What is generated
///
/// Of a trait `Compute`, with its visibility, its doc comments and its `#[cfg]`s:
///
/// - **The trait**, which is `Send + Sync + 'static` and whose methods return futures that are `Send`. Implement it with
///   `async fn`. A method with a body is a default, as in any trait.
/// - **`ComputeClient<C = Channel>`**, which is cheap to clone and has
///   - `async fn connect(address)`, for a client of one server;
///   - `fn new(caller)`, for whatever else carries calls: a channel that exists already, a cluster;
///   - `fn local(service)`, for an implementation in the same process, without a network;
///   - `fn with(&self, CallOptions) -> Self`, the same client with other options;
///   - an `async fn` for each method of the trait. Where that answers `Result<T, E>`, this answers
///     `Result<T, CallError<E>>`: `CallError::App(E)` is the method's own error, the rest is about the call.
/// - **`ComputeServer<S>`**, made by `new(service)` or `from_arc(Arc<service>)`, for `ServerBuilder::service`. It describes the
///   service, with names, ids, arguments and docs, as `Service::descriptor`.
///
/// # Methods
///
/// A method takes `&self`, is an `async fn` or returns `impl Future<Output = …>`, and answers a `Result`: every call can
/// fail. (One that is `blocking` is a plain `fn`.) The type decides and not its name, so that an alias is as good: `rpcnet::Result<T>`, or your own. Both sides of
/// the answer and every argument are owned, `Send`, and implement serde's `Serialize` and `DeserializeOwned`. There may
/// be any number of arguments; more than 16 travel as a tuple of tuples.
///
/// Two parameters are not arguments:
///
/// | parameter | is known by | is |
/// |---|---|---|
/// | `request_id: Uuid` | its name; another type is an error | the id by which a repeated call is recognised. The method is *keyed*: a repeat is answered from the server's cache and does not run. The client's method takes it too, and sends it in the call's header |
/// | `ctx: Context`, or `_ctx` in a default | its name and its type together, so that your own `ctx` of another type is an argument | the call: who asks, until when. Made by the server, and not in the client's method |
///
/// ```
/// # use rpcnet::prelude::*;
/// #[rpc_trait]
/// trait Billing {
///     async fn charge(&self, request_id: Uuid, account: String, cents: u64) -> rpcnet::Result<()>;
///
///     async fn launch(&self, ctx: Context, target: String) -> rpcnet::Result<()>;
/// }
///
/// async fn calls(client: BillingClient) -> Result<(), CallError> {
///     client.charge(Uuid::new_v4(), "savings".to_owned(), 100).await?;
///     client.launch("the moon".to_owned()).await
/// }
/// ```
///
/// # Streams
///
/// `Streaming<T>` makes a method one of four kinds, and is written so in the signature itself, not behind an alias:
///
/// ```
/// # use rpcnet::prelude::*;
/// #[rpc_trait]
/// trait Feed {
///     /// One answer to one request: unary.
///     async fn latest(&self) -> rpcnet::Result<String>;
///     /// The server streams.
///     async fn watch(&self, prefix: String) -> rpcnet::Result<Streaming<String>>;
///     /// The client streams. Other arguments may come before or after the stream, and there is one stream at most.
///     async fn upload(&self, name: String, parts: Streaming<Bytes>) -> rpcnet::Result<u64>;
///     /// Both do.
///     async fn chat(&self, lines: Streaming<String>) -> rpcnet::Result<Streaming<String>>;
/// }
/// ```
///
/// `Err` is for what goes wrong before the stream begins. A stream that fails later ends with a status; for errors of its
/// own, let its items be results. `Streaming` says how streams end.
///
/// # Attributes
///
/// On the trait, `#[rpc_trait(…)]` with
///
/// | argument | default | says |
/// |---|---|---|
/// | `name = "billing.v2"` | the trait's name | what the service is called on the wire |
/// | `crate = path` | `::rpcnet` | where the runtime is, if it goes by another name |
///
/// On a method, `#[rpc(…)]` with
///
/// | argument | default | says |
/// |---|---|---|
/// | `read` | at most once | the method changes nothing: a call may be sent again although it may have run |
/// | `idempotent` | at most once | doing it twice has the effect of doing it once: a call may be sent again although it may have run |
/// | `keyed` | at most once | a repeated call is recognised by its request id, which the client makes. To choose the id, declare `request_id: Uuid` instead |
/// | `on_unknown = "rerun"` | a keyed call that was cut short is not run again | it is, when its caller repeats it: for a method that finds out by itself what it has done already. `Context::runs_again` tells it |
/// | `timeout = "250ms"` | 10 s | how long a call may take whose caller does not say: a whole number of `us`, `ms`, `s`, `m` or `h`. A method with a stream has no timeout unless it is given one |
/// | `rename = "…"` | the method's name | what the method is called on the wire |
/// | `alias = "…"` | none | what it was called before: calls by that name are served too. May be given more than once |
/// | `blocking` | the method waits without blocking | the method blocks its thread, by computing or by a library that does, and is a plain `fn`: it runs where that harms nobody, on tokio's blocking threads |
/// | `no_cancel` | the method is dropped when nobody waits for it any more | it runs to its end; `Context::cancelled` tells it |
/// | `hedge`, beside `read` or `idempotent` | the call goes to one worker | over a cluster, a call that takes longer than 95 % of them goes to a second worker too; the first answer counts |
///
/// `read`, `idempotent` and `keyed` exclude each other. A keyed method has no streams, since its answer is kept for repeats;
/// nor has a blocking one. Nor has a keyed method a `HashMap` or `HashSet` among its arguments, in no depth: a repeat is known
/// by the bytes of its arguments. Inside of other types nobody can see it, and there it is refused when it happens, as
/// `RequestIdReused`.
///
/// To rename a method while old clients are about, give it its old name as `alias`, and remove that when they are gone.
///
/// A method's id is a hash of `service/method`, by their names on the wire: reordering methods, adding some, or putting
/// some under a `#[cfg]` changes no other's id. Renaming one does, unless `rename` keeps the old name.
///
/// `#[cfg]`, `#[deprecated]`, `#[allow]` and doc comments on a method are carried to the client's. Two methods may have one
/// name if each is under its own `#[cfg]`.
///
/// # Generic traits
///
/// Types and constants may be parameters of the trait, not of its methods, and come first in the client's and last in
/// the server's: `StoreClient<K, V>`, `StoreServer<S, K, V>`. No bound need say that they can cross the network: that is
/// asked where they are known.
///
/// ```
/// # use rpcnet::prelude::*;
/// #[rpc_trait]
/// trait Store<K, V = String> {
///     async fn get(&self, key: K) -> rpcnet::Result<Option<V>>;
/// }
///
/// async fn call(client: StoreClient<u64>) -> Result<Option<String>, CallError> {
///     client.get(7).await
/// }
/// ```
///
/// # Errors
///
/// Whatever else is in the trait is refused: other receivers, generic methods, borrowed arguments, patterns, associated
/// types and constants, attributes that do not exist, two methods that cannot be told apart on the wire, and methods
/// called as the client's own are (`new`, `with`, `connect`, `clone`, `local`). All mistakes of a trait are reported at once,
/// each on its word and with what to write instead.
///
/// ```compile_fail
/// # use rpcnet::prelude::*;
/// #[rpc_trait]
/// trait Greeter {
///     async fn greet(&self, name: &str) -> rpcnet::Result<String>; // use `String`: arguments cross the network
/// }
/// ```
#[proc_macro_attribute]
pub fn rpc_trait(arguments: TokenStream, input: TokenStream) -> TokenStream {
    expand::rpc_trait(arguments.into(), input.into()).into()
}

/// Makes a type say what it consists of: implements `rpcnet::Schema`.
///
/// ```
/// use rpcnet::Schema;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, Schema)]
/// struct Order {
///     id: u64,
///     #[serde(rename = "n")]
///     count: u32,
///     state: State,
/// }
///
/// #[derive(Serialize, Deserialize, Schema)]
/// enum State {
///     Open,
///     Shipped(String),
/// }
///
/// assert_eq!(
///     rpcnet::schema_of::<Order>(),
///     "Order { id: u64, #[serde(rename = \"n\")] count: u32, state: State(Open | Shipped(String)) }",
/// );
/// ```
///
/// For structs and enums, generic ones too: like serde's, the derive demands of a type parameter what it demands of a
/// field. What a type consists of must have a schema, as the common types of std do. A `union` is refused.
///
/// # What serde is told
///
/// `#[serde(…)]` on the type, a variant or a field is part of the text, as written, if it has a say in how a value is
/// encoded. Some of it decides what else is:
///
/// | attribute | the text has |
/// |---|---|
/// | `skip` on a field | nothing of the field, which needs no schema |
/// | `skip` on a variant | its name alone: the variant still has its number |
/// | `with`, `serialize_with`, `deserialize_with` | the type as it is spelled: what is encoded is the function's business |
/// | `from`, `try_from`, `into` on the type | the type that is encoded instead |
///
/// # Attributes
///
/// | attribute | on | says |
/// |---|---|---|
/// | `#[schema(crate = path)]` | the type | where the runtime is, if it is not `::rpcnet` |
/// | `#[schema(opaque)]` | a field | the field's type has no schema, and is known by its spelling |
///
/// ```
/// # mod calendar { pub struct Date; }
/// #[derive(rpcnet::Schema)]
/// struct Invoice {
///     cents: u64,
///     /// Somebody else's type.
///     #[schema(opaque)]
///     due: calendar::Date,
/// }
///
/// assert_eq!(rpcnet::schema_of::<Invoice>(), "Invoice { cents: u64, due: calendar::Date }");
/// ```
#[proc_macro_derive(Schema, attributes(serde, schema))]
pub fn schema(input: TokenStream) -> TokenStream {
    schema::schema(input.into()).into()
}
