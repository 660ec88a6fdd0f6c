//! Settings of a channel.

use std::{
    num::NonZeroUsize,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use super::super::sent::SentIds;
use super::{
    super::{
        connect::{ConnectError, Connector},
        options::CallOptions,
    },
    Channel, Inner,
    line::Line,
};
use crate::{
    codec::Codec,
    transport::{Address, Transport, system::System},
    wire::Limits,
};

/// Settings of a [`Channel`].
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use rpcnet::{CallOptions, Channel, Server};
///
/// let server = Server::builder().register("echo", |bytes| async move { Ok(bytes) }).bind("127.0.0.1:0").await?;
/// let address = server.local_addr();
/// tokio::spawn(server.serve());
///
/// let channel = Channel::builder(address)
///     .connect_timeout(Duration::from_millis(500))
///     .options(CallOptions::timeout(Duration::from_secs(2)))
///     .connect() // or `lazy()`: the first call connects
///     .await?;
/// assert_eq!(channel.call("echo", "hello").await?, "hello");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct ChannelBuilder {
    connector: Connector,
    connections: NonZeroUsize,
    options: CallOptions,
}

impl ChannelBuilder {
    pub(super) fn new(address: Address) -> Self {
        let connector = Connector {
            address,
            transport: Arc::new(System::loopback()),
            codec: Codec::default(),
            limits: Limits::default(),
            timeout: Channel::CONNECT_TIMEOUT_DEFAULT,
        };
        Self { connector, connections: NonZeroUsize::MIN, options: CallOptions::new() }
    }

    /// Travels by another transport than the system's sockets: TCP, or a Unix domain socket for `unix:` and a path.
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
        self.transport(System::plaintext())
    }

    /// How long opening a connection may take. [`Channel::CONNECT_TIMEOUT_DEFAULT`] when not set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connector.timeout = timeout;
        self
    }

    /// How values are encoded. [`Codec::Bincode`] when not set; a server answers each connection in the codec it was opened
    /// with.
    ///
    /// ```
    /// # use rpcnet::{Channel, Codec, Server};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::builder().bind("127.0.0.1:0").await?;
    /// # let address = server.local_addr();
    /// # tokio::spawn(server.serve());
    /// # #[cfg(feature = "json")] {
    /// let channel = Channel::builder(address).codec(Codec::Json).connect().await?;
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// A server that does not have the codec closes the connection, and opening it fails.
    pub fn codec(mut self, codec: Codec) -> Self {
        self.connector.codec = codec;
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

    /// How many connections share the calls, in turn: one when not set. Each connection is one task at each end, so that a
    /// few of them let a program with many cores send more, and a large message holds up only the calls of its own.
    pub fn connections(mut self, connections: NonZeroUsize) -> Self {
        self.connections = connections;
        self
    }

    /// A channel whose connection is opened by the first call.
    #[must_use]
    pub fn lazy(self) -> Channel {
        let (address, codec) = (self.connector.address.clone(), self.connector.codec);
        let lines = (0..self.connections.get()).map(|_| Line::new(self.connector.clone())).collect();
        let inner = Inner { address, codec, lines, calls: AtomicUsize::new(0), sent: SentIds::new() };
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
