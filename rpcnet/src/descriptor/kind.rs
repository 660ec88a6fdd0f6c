//! What kind of call a method takes, and what a repeated one does.

/// What may happen when it is not known whether a call ran.
///
/// ```
/// use rpcnet::{Idempotency, Service, rpc_trait};
///
/// #[rpc_trait]
/// trait Accounts {
///     #[rpc(read)]
///     async fn balance(&self, account: u32) -> rpcnet::Result<i64>;
///
///     /// Nothing is said of it: it never runs twice.
///     async fn withdraw(&self, account: u32, amount: i64) -> rpcnet::Result<()>;
/// }
///
/// # struct Bank;
/// # impl Accounts for Bank {
/// #     async fn balance(&self, _: u32) -> rpcnet::Result<i64> { Ok(0) }
/// #     async fn withdraw(&self, _: u32, _: i64) -> rpcnet::Result<()> { Ok(()) }
/// # }
/// let methods = AccountsServer::new(Bank).descriptor().methods;
/// assert_eq!(methods[0].idempotency, Idempotency::Read);
/// assert_eq!(methods[1].idempotency, Idempotency::AtMostOnce);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Idempotency {
    /// Never sent again once it may have run. What a method is when nothing is said.
    #[default]
    AtMostOnce,
    /// It changes nothing: may be sent again, to any worker, and where writing is not allowed. `#[rpc(read)]`.
    Read,
    /// Doing it twice has the effect of doing it once: may be sent again, to any worker. `#[rpc(idempotent)]`.
    Idempotent,
    /// Each call carries a request id; the server answers a repeat from its cache. A parameter `request_id: Uuid`, or
    /// `#[rpc(keyed)]`, with which the client makes the id.
    Keyed,
}

impl Idempotency {
    /// Whether a call that may have run may be sent again as it is, to anybody.
    pub const fn is_repeatable(self) -> bool {
        matches!(self, Idempotency::Read | Idempotency::Idempotent)
    }
}

/// Which of the two ends of a call streams.
///
/// ```
/// use rpcnet::{CallKind, Service, Streaming, rpc_trait};
///
/// #[rpc_trait]
/// trait Log {
///     async fn follow(&self, from: u64) -> rpcnet::Result<Streaming<String>>;
/// }
///
/// # struct Empty;
/// # impl Log for Empty {
/// #     async fn follow(&self, _: u64) -> rpcnet::Result<Streaming<String>> { Ok(Streaming::channel(1).1) }
/// # }
/// let methods = LogServer::new(Empty).descriptor().methods;
/// assert_eq!(methods[0].kind, CallKind::ServerStreaming);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum CallKind {
    /// One request, one answer.
    #[default]
    Unary,
    /// The method answers a stream.
    ServerStreaming,
    /// The method takes a stream.
    ClientStreaming,
    /// Both.
    Bidirectional,
}

impl CallKind {
    /// Whether there is a stream in one direction at least.
    pub const fn is_streaming(self) -> bool {
        !matches!(self, CallKind::Unary)
    }
}
