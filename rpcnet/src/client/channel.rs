//! A channel to one server: opens its connection when needed, and again when it was lost.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{sync::watch, time::Instant};

use super::{
    caller::{Answer, Caller, Request},
    connect::{ConnectError, Connector},
    connection::Handle,
    guard::InFlight,
    options::CallOptions,
};
use crate::{
    body::Streamed,
    codec::Codec,
    error::CallError,
    status::{Executed, Reason, Status},
    streaming::Streaming,
    transport::{Address, Tcp, Transport},
    wire::{Call, CallHead, Limits},
};

/// A channel to one server.
///
/// Cheap to clone; clones share one connection, over which as many calls run at once as the server takes (4096 by
/// default; one more fails with [`Reason::TooManyCalls`]). A lost connection fails the calls
/// that were on it and is opened again by the next call. The connection closes when the last clone and the last call are
/// gone.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = rpcnet::Channel::connect("127.0.0.1:7001").await?;
/// let answer = channel.call("compute", vec![1, 2, 3]).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Channel {
    inner: Arc<Inner>,
    options: CallOptions,
}

#[derive(Debug)]
struct Inner {
    connector: Connector,
    current: parking_lot::Mutex<Option<Handle>>,
    /// The dial under way.
    dialling: parking_lot::Mutex<Option<watch::Receiver<Option<Dialled>>>>,
}

/// What became of a dial.
type Dialled = Result<Handle, ConnectError>;

/// Settings of a [`Channel`].
#[derive(Debug, Clone)]
#[must_use]
pub struct ChannelBuilder {
    connector: Connector,
    options: CallOptions,
}

impl Channel {
    /// How long opening a connection may take: a handshake across the world and one lost packet.
    pub const CONNECT_TIMEOUT_DEFAULT: Duration = Duration::from_secs(3);

    /// Opens a channel with the default settings.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached now. [`Channel::builder`] can open one lazily.
    pub async fn connect(address: impl Into<Address>) -> Result<Self, ConnectError> {
        Self::builder(address).connect().await
    }

    /// Settings for a channel.
    pub fn builder(address: impl Into<Address>) -> ChannelBuilder {
        let connector = Connector {
            address: address.into(),
            transport: Arc::new(Tcp::loopback()),
            codec: Codec::default(),
            limits: Limits::default(),
            timeout: Self::CONNECT_TIMEOUT_DEFAULT,
        };
        ChannelBuilder { connector, options: CallOptions::new() }
    }

    /// The same channel; calls without options of their own use these.
    #[must_use]
    pub fn with(&self, options: CallOptions) -> Self {
        Self { inner: Arc::clone(&self.inner), options: options.or(&self.options) }
    }

    /// Where the server is.
    pub fn address(&self) -> &Address {
        &self.inner.connector.address
    }

    /// Calls a method by name with bytes, and gets bytes: `"compute"` for a handler registered under that name,
    /// `"Compute/square"` for a method of a typed service, whose arguments are then those bytes encoded.
    ///
    /// # Errors
    ///
    /// See [`CallError`]. The error of a typed method, whose type is not known here, is reported by its size.
    pub async fn call(&self, name: &str, payload: impl Into<Bytes>) -> Result<Bytes, CallError> {
        let answer = self.invoke(Request::untyped(name, payload, self.options.clone())).await?;
        answer.untyped(self.codec())
    }

    /// Opens the connection unless it is open.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached.
    pub async fn ready(&self) -> Result<(), ConnectError> {
        self.connection().await.map(drop)
    }

    /// Whether the connection is open at this moment and takes calls.
    pub fn is_connected(&self) -> bool {
        self.inner.open_connection().is_some()
    }

    /// Closes the connection at once: calls in flight fail. The next call opens a new one.
    pub fn disconnect(&self) {
        let current = self.inner.current.lock().take();
        if let Some(connection) = current {
            connection.shut_down();
        }
    }

    fn with_options(&self, request: Request) -> Request {
        Request { options: request.options.or(&self.options), ..request }
    }

    fn at(&self, request: &Request, status: Status) -> Status {
        status.at(format_args!("{} at {}", request.name, self.address()))
    }

    async fn connection(&self) -> Result<Handle, ConnectError> {
        if let Some(connection) = self.inner.open_connection() {
            return Ok(connection);
        }
        let mut dial = Inner::dial(&self.inner);
        match dial.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(dialled)) => dialled.clone(),
            // The dial's task was ended with its runtime, or a transport panicked in it.
            Ok(None) | Err(_) => Err(self.inner.connector.abandoned()),
        }
    }

    /// Queues a call on the connection, opening one if there is none or the one there is takes no calls any more.
    async fn begin(
        &self,
        request: &Request,
        deadline: Option<Instant>,
        kind: Kind,
    ) -> Result<InFlight, Status> {
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Err(Status::new(
                Reason::Deadline,
                Executed::No,
                "the deadline had passed before the call was made",
            ));
        }
        let call = || Call { head: head(request, deadline, kind), payload: request.payload.clone() };
        let current = self.inner.current.lock().clone();
        if let Some(connection) = current {
            match connection.call(call()) {
                Err(_) if !connection.is_open() => {}
                result => return result,
            }
        }
        let Some(deadline) = deadline else { return self.connection().await?.call(call()) };
        match tokio::time::timeout_at(deadline, self.connection()).await {
            Ok(connection) => connection?.call(call()),
            Err(_) => {
                let message = "the deadline passed before the connection was open";
                Err(Status::new(Reason::Deadline, Executed::No, message))
            }
        }
    }
}

/// Whether a call has streams, and of which end.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Unary,
    Streaming { items: bool },
}

/// What a call says of itself on the wire.
fn head(request: &Request, deadline: Option<Instant>, kind: Kind) -> CallHead {
    let options = &request.options;
    CallHead {
        method: request.method,
        timeout: deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())),
        fingerprint: request.fingerprint,
        request_id: request.request_id,
        trace: options.trace_now(),
        metadata: options.metadata.clone().filter(|metadata| !metadata.is_empty()),
        streaming: matches!(kind, Kind::Streaming { .. }),
        items: matches!(kind, Kind::Streaming { items: true }),
    }
}

impl Inner {
    /// The connection, if it takes calls; one that does not is let go, and ends with its last call.
    fn open_connection(&self) -> Option<Handle> {
        let mut current = self.current.lock();
        if current.as_ref().is_some_and(|connection| !connection.is_open()) {
            *current = None;
        }
        current.clone()
    }

    /// The dial under way, or a new one: all who wait for a connection wait for the same, and it goes on when one of them
    /// gives up.
    fn dial(inner: &Arc<Self>) -> watch::Receiver<Option<Dialled>> {
        let mut dialling = inner.dialling.lock();
        if let Some(dial) =
            dialling.as_ref().filter(|dial| dial.has_changed().is_ok() && dial.borrow().is_none())
        {
            return dial.clone();
        }
        let (done, dial) = watch::channel(None);
        *dialling = Some(dial.clone());
        let inner = Arc::clone(inner);
        tokio::spawn(async move {
            let dialled = inner.connector.connect().await;
            if let Ok(connection) = &dialled {
                *inner.current.lock() = Some(connection.clone());
            }
            *inner.dialling.lock() = None;
            done.send_replace(Some(dialled));
        });
        dial
    }
}

impl Caller for Channel {
    async fn invoke(&self, request: Request) -> Result<Answer, Status> {
        let request = self.with_options(request);
        let deadline = Instant::from_std(request.options.deadline(Instant::now().into_std()));
        let answer = match self.begin(&request, Some(deadline), Kind::Unary).await {
            Ok(call) => call.await,
            Err(status) => Err(status),
        };
        answer.map(|streamed| streamed.answer).map_err(|status| self.at(&request, status))
    }

    async fn stream(&self, request: Request, items: Option<Streaming<Bytes>>) -> Result<Streamed, Status> {
        let request = self.with_options(request);
        let deadline = request.options.explicit_deadline(Instant::now().into_std());
        let kind = Kind::Streaming { items: items.is_some() };
        let answer = match self.begin(&request, deadline.map(Instant::from_std), kind).await {
            Ok(call) => {
                items.into_iter().for_each(|items| call.send(items));
                call.await
            }
            Err(status) => Err(status),
        };
        answer.map_err(|status| self.at(&request, status))
    }

    fn codec(&self) -> Codec {
        self.inner.connector.codec
    }
}

impl ChannelBuilder {
    /// Travels by another transport than TCP.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.connector.transport = Arc::new(transport);
        self
    }

    /// Travels by a transport that is shared.
    pub fn shared_transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.connector.transport = transport;
        self
    }

    /// Allows plain TCP beyond the loopback interface: whoever is on the way can read and change what is sent.
    pub fn allow_plaintext(self) -> Self {
        self.transport(Tcp::plaintext())
    }

    /// How long opening a connection may take. [`Channel::CONNECT_TIMEOUT_DEFAULT`] when not set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connector.timeout = timeout;
        self
    }

    /// The bounds of the connection.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.connector.limits = limits;
        self
    }

    /// The options of calls that have none of their own.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// A channel whose connection is opened by the first call.
    #[must_use]
    pub fn lazy(self) -> Channel {
        let inner = Inner {
            connector: self.connector,
            current: parking_lot::Mutex::default(),
            dialling: parking_lot::Mutex::default(),
        };
        Channel { inner: Arc::new(inner), options: self.options }
    }

    /// A channel whose connection is open.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached now.
    pub async fn connect(self) -> Result<Channel, ConnectError> {
        let channel = self.lazy();
        channel.ready().await?;
        Ok(channel)
    }
}
