//! A server: its services, its settings, where it listens.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;

use super::{
    accept::Accept,
    access::Rule,
    admission::ServerLoad,
    drain::{ServerHandle, Serving},
    handler::untyped,
    router::{Duplicate, Router},
    routes::Service,
    services::Services,
    settings::Settings,
};
use crate::{
    error::AppError,
    idempotency::{CacheLimits, KeyedGauge, store::Store},
    local::Local,
    transport::{Address, InvalidIdentityPattern, Listener, Transport, system::System},
    wire::Limits,
};

/// A server that is bound to an address and not serving yet.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet::Server;
///
/// let server = Server::builder()
///     .register("reverse", |bytes| async move { Ok(bytes.iter().rev().copied().collect()) })
///     .bind("127.0.0.1:0")
///     .await?;
/// println!("serving on {}", server.local_addr());
/// server.serve().await;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "a server does nothing until it is told to `serve`"]
pub struct Server {
    router: Router,
    settings: Settings,
    listener: Box<dyn Listener>,
    address: Address,
    serving: Serving,
}

/// Settings of a [`Server`].
/// All of them have defaults, which the methods name. What a server is given here holds for all of its connections:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use rpcnet::{Limits, Server};
///
/// let mut limits = Limits::default();
/// limits.message_bytes_max = 1 << 20;
///
/// let server = Server::builder()
///     .register("echo", |bytes| async move { Ok(bytes) })
///     .limits(limits)
///     .running_max(64)
///     .queued_max(256)
///     .shutdown_timeout(Duration::from_secs(30))
///     .bind("127.0.0.1:0")
///     .await?;
/// // Serves until this future is ready, such as `tokio::signal::ctrl_c()`; then the calls that run are answered.
/// server.serve_with_shutdown(async {}).await;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use]
pub struct ServerBuilder {
    router: Result<Router, Duplicate>,
    /// Who may call what, as it was said: the methods may come later.
    allowed: Vec<(String, Result<Rule, InvalidIdentityPattern>)>,
    settings: Settings,
    transport: Arc<dyn Transport>,
}

/// Why a server could not be bound.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet::{BindError, Server};
///
/// let first = Server::builder().bind("127.0.0.1:0").await?;
/// let second = Server::builder().bind(first.local_addr()).await;
/// match second {
///     Err(BindError::Listen { address, cause }) => println!("{address}: {cause}"),
///     other => panic!("the port is in use: {other:?}"),
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Two methods cannot be told apart on the wire: the same name twice, or two names with one hash.
    #[error("{second} cannot be served beside {first}: {}", remedy(first, second))]
    Duplicate {
        /// The method that was registered first.
        first: String,
        /// The method that was to be registered under the same id.
        second: String,
    },
    /// A rule is for a method that there is not, and would protect nothing.
    #[error("`allow` names {methods}, and there is no such method; the server has {available}")]
    NoSuchMethod {
        /// What the rule is for.
        methods: String,
        /// The methods there are.
        available: String,
    },
    /// A rule lets in nobody that can be.
    #[error("`allow` for {methods}: {cause}")]
    InvalidCaller {
        /// What the rule is for.
        methods: String,
        /// What is wrong with whom it lets in. The message includes it.
        cause: InvalidIdentityPattern,
    },
    /// The address cannot be listened on: in use, not one of this host, not allowed.
    #[error("cannot listen on {address}: {cause}{}", advice(address, cause))]
    Listen {
        /// Where to.
        address: Address,
        /// The transport's error, which the message includes.
        cause: io::Error,
    },
}

/// What the system says of a socket that has no IP address.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

fn remedy(first: &str, second: &str) -> &'static str {
    if first == second {
        "it is registered twice; register it once, or give one service another name (`#[rpc_trait(name = \"…\")]`)"
    } else {
        "both have the same id; rename one (`#[rpc(rename = \"…\")]`)"
    }
}

fn advice(address: &Address, cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::AddrInUse if address.unix_name().is_some() => {
            "; stop the other process, or listen at another path"
        }
        io::ErrorKind::AddrInUse => {
            "; stop the other process, or use port 0 to let the system choose a free one"
        }
        _ => "",
    }
}

impl From<Duplicate> for BindError {
    fn from(Duplicate { first, second }: Duplicate) -> Self {
        Self::Duplicate { first, second }
    }
}

impl Server {
    /// How many connections are served at once. Each takes a few kilobytes and a file descriptor.
    pub const CONNECTIONS_MAX_DEFAULT: usize = 16_384;

    /// How many calls run at once, of all connections together. A call that waits for something takes about as much memory as
    /// its arguments and its answer: this bounds what handlers take whoever connects, and no more. What a machine can do at
    /// once is for its operator to say.
    pub const RUNNING_MAX_DEFAULT: usize = 16_384;

    /// How many calls wait for their turn. They should not wait for longer than their callers do.
    pub const QUEUED_MAX_DEFAULT: usize = 1_024;

    /// How long calls under way may go on after a shutdown has begun.
    pub const SHUTDOWN_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

    /// Settings for a server.
    pub fn builder() -> ServerBuilder {
        let settings = Settings::default();
        let transport = Arc::new(System::loopback());
        ServerBuilder { router: Ok(Router::default()), allowed: Vec::new(), settings, transport }
    }

    /// The IP address at which the server listens, with the port the system chose.
    ///
    /// A server on a Unix domain socket has none: it is `0.0.0.0:0` then, as the system says of a socket without an address,
    /// to which nobody can connect. [`address`](Self::address) is where any server is.
    pub fn local_addr(&self) -> SocketAddr {
        self.address.socket_addr().unwrap_or(NOWHERE)
    }

    /// Where the server listens, whatever the transport: what a channel in this process connects to.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// How many calls the server runs, keeps waiting and has refused: to be read while it serves.
    pub fn load(&self) -> ServerLoad {
        ServerLoad(self.settings.admission())
    }

    /// Reads what the server remembers of keyed calls, while it serves: how many, in how many bytes, how far back.
    pub fn keyed(&self) -> KeyedGauge {
        self.settings.keyed.clone()
    }

    /// The server seen from outside, to be kept when it serves: how busy it is, and how to end it.
    pub fn handle(&self) -> ServerHandle {
        self.serving.handle(self.load())
    }

    /// Adds a service that could only be made once the address was known, such as one that calls the cluster in which this
    /// server is announced.
    ///
    /// # Errors
    ///
    /// When one of its methods has the id of another.
    pub fn service(&mut self, service: impl Service) -> Result<(), BindError> {
        Ok(self.router.add_service(service)?)
    }

    /// Adds a method of bytes under a name: see [`ServerBuilder::register`].
    ///
    /// # Errors
    ///
    /// When there is a method of that name.
    pub fn register<F, Fut>(&mut self, name: &str, handler: F) -> Result<(), BindError>
    where
        F: Fn(Bytes) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Bytes, AppError>> + Send + 'static,
    {
        Ok(self.router.add_untyped(name, untyped(handler))?)
    }

    /// Says who may call methods that were added after the bind: see [`ServerBuilder::allow`].
    ///
    /// # Errors
    ///
    /// When there is no such method, or a caller is none that can be.
    pub fn allow<'a>(
        &mut self,
        methods: &str,
        callers: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), BindError> {
        allow(&mut self.router, methods.to_owned(), Rule::new(methods, callers))
    }

    /// Serves until it is told to end by its [`handle`](Self::handle), or the future is dropped.
    pub async fn serve(self) {
        self.serve_with_shutdown(std::future::pending()).await;
    }

    /// Serves until `shutdown` completes, then lets the calls under way finish.
    ///
    /// From then on no connection is accepted and clients are told to make their next calls elsewhere. What is still
    /// running after [`shutdown_timeout`](ServerBuilder::shutdown_timeout) is cancelled. [`ServerHandle::drain`] does the same,
    /// with a time of its own, and says what was cancelled.
    pub async fn serve_with_shutdown(self, shutdown: impl Future<Output = ()>) {
        let Self { router, settings, listener, serving, .. } = self;
        Accept::new(listener, router, settings).run(serving, shutdown).await;
    }
}

fn allow(
    router: &mut Router,
    methods: String,
    rule: Result<Rule, InvalidIdentityPattern>,
) -> Result<(), BindError> {
    let rule = match rule {
        Ok(rule) => rule,
        Err(cause) => return Err(BindError::InvalidCaller { methods, cause }),
    };
    router.allow(rule).map_err(|available| BindError::NoSuchMethod { methods, available })
}

/// The methods, with the rules of who may call them.
fn ruled(
    router: Result<Router, Duplicate>,
    allowed: Vec<(String, Result<Rule, InvalidIdentityPattern>)>,
) -> Result<Router, BindError> {
    let mut router = router?;
    allowed.into_iter().try_for_each(|(methods, rule)| allow(&mut router, methods, rule))?;
    Ok(router)
}

impl ServerBuilder {
    /// Adds a service: the generated `XServer` of an `#[rpc_trait]`.
    pub fn service(self, service: impl Service) -> Self {
        self.add(|router| router.add_service(service))
    }

    /// Adds a method of bytes under a name, for `call("name", bytes)`. Such a call is never repeated unless its caller says
    /// that it is idempotent.
    pub fn register<F, Fut>(self, name: &str, handler: F) -> Self
    where
        F: Fn(Bytes) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Bytes, AppError>> + Send + 'static,
    {
        self.add(|router| router.add_untyped(name, untyped(handler)))
    }

    fn add(mut self, add: impl FnOnce(&mut Router) -> Result<(), Duplicate>) -> Self {
        if let Ok(router) = &mut self.router
            && let Err(duplicate) = add(router)
        {
            self.router = Err(duplicate);
        }
        self
    }

    /// Says who may call some methods: one (`"Bank/pay"`), those of a service (`"Bank/*"`), or all (`"*"`). Callers are
    /// [identities](crate::Identity) or [patterns](crate::transport::IdentityPattern) of them.
    ///
    /// Of several rules the one that says most of a method decides: its own before its service's, that before the one for all;
    /// two for the same are one. A method of which no rule speaks is open to whoever the transport lets in. Others are denied
    /// before their arguments are looked at, with [`Reason::PermissionDenied`](crate::Reason::PermissionDenied), or
    /// [`Reason::Unauthenticated`](crate::Reason::Unauthenticated) when the caller has no identity: it has one over
    /// mutual TLS.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use rpcnet::Server;
    ///
    /// let server = Server::builder()
    ///     .register("pay", |bytes| async move { Ok(bytes) })
    ///     .allow("pay", ["spiffe://prod/billing", "spiffe://prod/ops/*"]);
    /// let slip = server.allow("pya", ["*"]).bind("127.0.0.1:0").await.unwrap_err();
    /// assert_eq!(slip.to_string(), "`allow` names pya, and there is no such method; the server has pay");
    /// # }
    /// ```
    pub fn allow<'a>(mut self, methods: &str, callers: impl IntoIterator<Item = &'a str>) -> Self {
        self.allowed.push((methods.to_owned(), Rule::new(methods, callers)));
        self
    }

    /// Travels by another transport than the system's sockets: TCP, or a Unix domain socket for `unix:` and a path.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Arc::new(transport);
        self
    }

    /// Travels by a transport that is shared.
    pub fn shared_transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = transport;
        self
    }

    /// Allows plain TCP beyond the loopback interface: whoever is on the way can read and change what is sent, and
    /// anybody can call.
    pub fn allow_plaintext(self) -> Self {
        self.transport(System::plaintext())
    }

    /// The bounds of each connection.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// The bounds of the cache that answers repeated request ids.
    pub fn cache_limits(mut self, limits: CacheLimits) -> Self {
        self.settings.cache = limits;
        self
    }

    /// Where the records of keyed calls are kept, in place of this process's memory: see [`store`](crate::store).
    ///
    /// A store has limits of its own: [`cache_limits`](Self::cache_limits) mean nothing beside one.
    pub fn store(self, store: impl Store) -> Self {
        self.shared_store(Arc::new(store))
    }

    /// The same, of a store that others have too.
    pub fn shared_store(mut self, store: Arc<dyn Store>) -> Self {
        self.settings.store = Some(store);
        self
    }

    /// How many connections are served at once; further ones are closed as they come.
    /// [`Server::CONNECTIONS_MAX_DEFAULT`] when not set.
    pub fn connections_max(mut self, connections: usize) -> Self {
        self.settings.connections_max = connections;
        self
    }

    /// How many calls run at once, of all connections together, at least one; [`Server::RUNNING_MAX_DEFAULT`] when not set.
    ///
    /// Further ones wait for their turn, first come first served, as many as [`queued_max`](Self::queued_max) says. What comes
    /// then is refused before it runs, with [`Reason::Overloaded`](crate::Reason::Overloaded) and a hint when to come back, so
    /// that a client which knows other workers may try one of those. A call whose caller has given up by the time of its turn
    /// does not run. The answer of a request that was served before ([keyed](crate::Idempotency::Keyed) methods) needs no turn.
    ///
    /// A handler that computes keeps a core busy: with some times as many turns as there are cores, waiting calls are refused
    /// before all of them become slow. A call keeps its turn until its handler has really stopped, also when its caller gave up.
    pub fn running_max(mut self, calls: usize) -> Self {
        self.settings.running_max = calls;
        self
    }

    /// How many calls wait for their turn; [`Server::QUEUED_MAX_DEFAULT`] when not set. With 0 none waits.
    ///
    /// As many as are served in the time that callers are ready to wait: a longer queue serves calls that nobody waits for.
    pub fn queued_max(mut self, calls: usize) -> Self {
        self.settings.queued_max = calls;
        self
    }

    /// How long calls under way may go on after a shutdown has begun. [`Server::SHUTDOWN_TIMEOUT_DEFAULT`] when not set.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.settings.shutdown_timeout = timeout;
        self
    }

    /// Puts a layer before every method: `tower`'s own, one of [`rpcnet::layer`](crate::layer), or your own. What is given
    /// first is outermost.
    ///
    /// It sees a call once its method was found, and before anything else: before a repeated request id is looked up, and before
    /// the arguments are decoded. See [`layer`](crate::layer) for what becomes of its errors. Each use of this costs a call some
    /// allocations; a [`ServiceBuilder`](https://docs.rs/tower/latest/tower/struct.ServiceBuilder.html) makes one layer of
    /// many.
    #[cfg(feature = "tower")]
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: tower::Layer<crate::layer::Serve> + Send + 'static,
        L::Service: tower::Service<crate::layer::ServerCall, Response = crate::Streamed>
            + Clone
            + Send
            + Sync
            + 'static,
        <L::Service as tower::Service<crate::layer::ServerCall>>::Error: Into<crate::layer::BoxError>,
        <L::Service as tower::Service<crate::layer::ServerCall>>::Future: Send + 'static,
    {
        self.settings.layers.push(layer);
        self
    }

    /// What this server would serve, layers included, without a network: for tests, and for programs that have both ends.
    /// Settings of connections mean nothing there.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind), but for what is about the address.
    pub fn local(self) -> Result<Local, BindError> {
        let router = ruled(self.router, self.allowed)?;
        Ok(Local::serving(Services::new(router, self.settings)))
    }

    /// Listens on an address: `host:port`, where port 0 lets the system choose, or `unix:` and a path. Connections wait until
    /// the server is told to `serve`.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on, two methods have the same id, or a rule of [`allow`](Self::allow) means nothing.
    pub async fn bind(self, address: impl Into<Address>) -> Result<Server, BindError> {
        let address = address.into();
        let router = ruled(self.router, self.allowed)?;
        match self.transport.listen(&address).await {
            Ok(listener) => {
                let address = listener.address();
                Ok(Server { router, settings: self.settings, listener, address, serving: Serving::new() })
            }
            Err(cause) => Err(BindError::Listen { address, cause }),
        }
    }
}
