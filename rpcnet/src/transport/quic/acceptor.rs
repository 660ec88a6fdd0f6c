//! Accepts connections, shakes hands with many at once, and keeps floods of them small.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use quinn::{
    Connection, ConnectionError, Endpoint, EndpointConfig, Incoming, RecvStream, SendStream, ServerConfig,
    TokioRuntime, crypto::rustls::QuicServerConfig,
};
use rustls::pki_types::CertificateDer;
use tokio::sync::{mpsc, oneshot};

use super::{
    Inner, error,
    settings::{HELLO_BYTES_MAX, Side},
    stream::{Held, OneStream, PREAMBLE, REFUSED},
};
use crate::transport::{
    Accepted, Address, Identity, Listener,
    tls::{certificate, handshakes::Handshakes},
};

/// How many connections that are ready wait to be taken, as with TLS over TCP.
const READY_MAX: usize = 128;

/// How long to wait before the socket is opened again after it failed: the connections it had have to let go of it.
const SOCKET_PAUSE: Duration = Duration::from_secs(1);

/// A listener whose connections have shaken hands.
#[derive(Debug)]
pub(super) struct Accepting {
    address: Address,
    ready: mpsc::Receiver<io::Result<Accepted>>,
    /// Dropped with the listener: then nobody takes connections any more.
    _taker: oneshot::Sender<()>,
}

impl Accepting {
    pub(super) fn new(at: SocketAddr, quic: &Arc<Inner>) -> io::Result<Self> {
        // A socket at port 0 is that of one server, whatever it is called later.
        let door = Door::open(at, quic)?;
        let address = Address::from(door.local);
        let (sender, ready) = mpsc::channel(READY_MAX);
        let (taker, gone) = oneshot::channel();
        tokio::spawn(door.run(sender, gone));
        Ok(Self { address, ready, _taker: taker })
    }
}

impl Listener for Accepting {
    fn address(&self) -> Address {
        self.address.clone()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        match ready!(self.ready.poll_recv(cx)) {
            Some(accepted) => Poll::Ready(accepted),
            // The task ends only with its runtime.
            None => Poll::Pending,
        }
    }
}

/// Where connections come in.
struct Door {
    socket: Held,
    local: SocketAddr,
    /// All but what can change.
    config: ServerConfig,
    quic: Arc<Inner>,
    handshakes: Handshakes,
}

impl Door {
    fn open(at: SocketAddr, quic: &Arc<Inner>) -> io::Result<Self> {
        let config = config(quic, &at.into())?;
        let socket = Held { socket: bind(at, &config)?, holds: Arc::default() };
        let local = socket.socket.local_addr()?;
        quic.listening.send_modify(|count| *count += 1);
        Ok(Self { socket, local, config, quic: Arc::clone(quic), handshakes: Handshakes::default() })
    }

    async fn run(mut self, ready: mpsc::Sender<io::Result<Accepted>>, mut gone: oneshot::Receiver<()>) {
        loop {
            let next = tokio::select! {
                _ = &mut gone => break,
                accepted = self.handshakes.next() => Ok(accepted),
                incoming = self.socket.socket.accept() => match incoming {
                    Some(incoming) => {
                        self.admit(incoming);
                        continue;
                    }
                    None => tokio::select! {
                        _ = &mut gone => break,
                        error = self.reopen() => Err(error),
                    },
                },
            };
            tokio::select! {
                _ = &mut gone => break,
                sent = ready.send(next) => if sent.is_err() { break },
            }
        }
        drop(ready);
        self.close().await;
    }

    /// The socket has failed, which ends nothing but its connections.
    async fn reopen(&mut self) -> io::Error {
        loop {
            tokio::time::sleep(SOCKET_PAUSE).await;
            match bind(self.local, &self.config) {
                Ok(socket) => {
                    self.socket = Held { socket, holds: Arc::default() };
                    return io::Error::other(format!(
                        "the UDP socket at {} failed, and was opened again",
                        self.local
                    ));
                }
                Err(error) => {
                    tracing::error!(%error, at = %self.local, "the UDP socket failed and cannot be opened again");
                }
            }
        }
    }

    /// Begins the handshake of who may be let in, or has it prove first where it is.
    fn admit(&mut self, incoming: Incoming) {
        let max = self.quic.tls.handshakes_max();
        match Crowd::of(self.half_open(), max) {
            // An honest client asks again after a second.
            Crowd::Full => incoming.ignore(),
            Crowd::Large if !incoming.remote_address_validated() => {
                // It fails only for those whose address is validated.
                let _ = incoming.retry();
            }
            Crowd::Small | Crowd::Large => self.begin(incoming, max),
        }
    }

    /// How many connections are not in use: they shake hands, or failed to and are not forgotten yet, which takes them three
    /// round trips.
    fn half_open(&self) -> usize {
        let Held { socket, holds } = &self.socket;
        // The door itself and each handshake hold the socket too.
        let used = Arc::strong_count(holds).saturating_sub(1 + self.handshakes.count());
        socket.open_connections().saturating_sub(used)
    }

    fn begin(&mut self, incoming: Incoming, max: usize) {
        let peer = incoming.remote_address();
        let mut config = self.config.clone();
        // What there is now may be something else than when the socket was opened.
        match crypto(&self.quic, &self.local.into()) {
            Ok(crypto) => config.crypto = crypto,
            Err(error) => {
                tracing::warn!(%peer, %error, "connection refused");
                return incoming.refuse();
            }
        }
        let handshake = handshake(incoming, config, self.socket.clone(), Arc::clone(&self.quic));
        self.handshakes.begin(max, handshake);
    }

    /// Refuses who comes until the last connection has ended: until then the port is still this server's.
    async fn close(self) {
        let Self { socket, quic, handshakes, .. } = self;
        drop(handshakes);
        let Held { socket, .. } = socket;
        tokio::select! {
            // Whoever has come is told.
            biased;
            () = async { while let Some(incoming) = socket.accept().await { incoming.refuse() } } => {}
            () = socket.wait_idle() => {}
        }
        drop(socket);
        quic.listening.send_modify(|count| *count -= 1);
    }
}

/// How many connections are half open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crowd {
    Small,
    /// So many that whoever comes has to show that it is where it says: a packet back and forth for honest clients, and an end
    /// to those who write other people's addresses on their packets.
    Large,
    /// Twice as many as may be under way: those that had to make room have not been forgotten yet.
    Full,
}

impl Crowd {
    fn of(half_open: usize, max: usize) -> Self {
        if half_open < max.div_ceil(4) {
            Self::Small
        } else if half_open < 2 * max {
            Self::Large
        } else {
            Self::Full
        }
    }
}

fn bind(at: SocketAddr, config: &ServerConfig) -> io::Result<Endpoint> {
    let socket = std::net::UdpSocket::bind(at)?;
    Endpoint::new(EndpointConfig::default(), Some(config.clone()), socket, Arc::new(TokioRuntime))
}

fn config(quic: &Inner, at: &Address) -> io::Result<ServerConfig> {
    let mut config = ServerConfig::with_crypto(crypto(quic, at)?);
    let handshakes = quic.tls.handshakes_max();
    config
        .transport_config(quic.settings.transport(Side::Server))
        // Those that wait to be begun: the task that begins them seldom lets them wait at all.
        .max_incoming(handshakes)
        .incoming_buffer_size(HELLO_BYTES_MAX)
        .incoming_buffer_size_total(HELLO_BYTES_MAX.saturating_mul(handshakes as u64 / 16 + 1));
    Ok(config)
}

fn crypto(quic: &Inner, at: &Address) -> io::Result<Arc<QuicServerConfig>> {
    let tls = quic.tls.serving(at)?;
    Ok(Arc::new(QuicServerConfig::try_from(tls).map_err(io::Error::other)?))
}

/// One handshake, within its time.
async fn handshake(
    incoming: Incoming,
    config: ServerConfig,
    socket: Held,
    quic: Arc<Inner>,
) -> Option<Accepted> {
    let (peer, timeout) = (incoming.remote_address(), quic.tls.handshake_timeout());
    let result = tokio::time::timeout(timeout, shake(incoming, config)).await;
    match result.unwrap_or_else(|_| Err(late(peer, timeout))) {
        Ok(Shaken { streams, connection, identity }) => {
            let stream = OneStream::new(streams, connection, socket, peer.into(), &quic.parting);
            Some(Accepted::new(Box::new(stream), peer).identified(identity))
        }
        Err(error) => {
            tracing::info!(%peer, %error, "connection refused");
            None
        }
    }
}

struct Shaken {
    streams: (SendStream, RecvStream),
    connection: Connection,
    identity: Option<Identity>,
}

/// Shakes hands, looks who it is, and waits for the stream.
async fn shake(incoming: Incoming, config: ServerConfig) -> io::Result<Shaken> {
    let peer = incoming.remote_address();
    let lost = |error: ConnectionError| error::explain(error, peer);
    let connection = incoming.accept_with(Arc::new(config)).map_err(lost)?.await.map_err(lost)?;
    let refuse = |why: String| {
        connection.close(REFUSED, why.as_bytes());
        io::Error::new(io::ErrorKind::PermissionDenied, format!("QUIC with {peer}: {why}"))
    };
    let identity = identity(&connection).map_err(refuse)?;
    let (send, mut recv) = connection.accept_bi().await.map_err(lost)?;
    let mut preamble = [0];
    recv.read_exact(&mut preamble).await.map_err(io::Error::other)?;
    if preamble != [PREAMBLE] {
        return Err(refuse(format!("its stream begins with {}, and not with {PREAMBLE}", preamble[0])));
    }
    Ok(Shaken { streams: (send, recv), connection, identity })
}

/// Who the client is, by its certificate.
fn identity(connection: &Connection) -> Result<Option<Identity>, String> {
    let chain =
        connection.peer_identity().and_then(|any| any.downcast::<Vec<CertificateDer<'static>>>().ok());
    certificate::caller(chain.as_deref().map(Vec::as_slice))
}

fn late(peer: SocketAddr, timeout: Duration) -> io::Error {
    let message =
        format!("QUIC with {peer}: no handshake within {timeout:?} (`TlsBuilder::handshake_timeout`)");
    io::Error::new(io::ErrorKind::TimedOut, message)
}
