//! A client's connections: all of them from one socket.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use quinn::{ClientConfig, ConnectError, Connecting, Connection, Endpoint, crypto::rustls::QuicClientConfig};
use tokio::task::JoinSet;

use super::{
    Inner, error,
    settings::Side,
    stream::{Held, OneStream, PREAMBLE},
    verify::{Refusal, Remembering},
};
use crate::transport::{Address, BoxStream, resolve, tls::quic::Dialing};

/// How long an address of a name is tried before the next one is tried too: nobody says that nobody listens. RFC 8305, section
/// 5, recommends it.
const NEXT_AFTER: Duration = Duration::from_millis(250);

/// How many addresses of a name are tried.
const TRIED_MAX: usize = 8;

pub(super) async fn connect(quic: &Arc<Inner>, to: &Address) -> io::Result<BoxStream> {
    let addrs = resolve::to_connect(to, "QUIC").await?;
    let dialing = quic.tls.dialing(to)?;
    let (connection, socket) = match addrs.as_slice() {
        [] => return Err(resolve::no_address(to)),
        [addr] => handshake(Arc::clone(quic), *addr, dialing, to.clone()).await?,
        addrs => first(quic, addrs, &dialing, to).await?,
    };
    let lost = |error| error::explain(error, to);
    let (mut send, recv) = connection.open_bi().await.map_err(lost)?;
    send.write_all(&[PREAMBLE]).await?;
    let socket = Held { socket, holds: Arc::default() };
    let stream = OneStream::new((send, recv), connection, socket, to.clone(), &quic.parting);
    Ok(Box::new(stream))
}

/// The first of several addresses that answers; they are begun one after the other.
async fn first(
    quic: &Arc<Inner>,
    addrs: &[SocketAddr],
    dialing: &Dialing,
    to: &Address,
) -> io::Result<(Connection, Endpoint)> {
    let mut attempts = JoinSet::new();
    for (number, addr) in (0..).zip(addrs.iter().take(TRIED_MAX)) {
        let attempt = handshake(Arc::clone(quic), *addr, dialing.clone(), to.clone());
        attempts.spawn(async move {
            tokio::time::sleep(NEXT_AFTER * number).await;
            attempt.await
        });
    }
    let mut failure = None;
    while let Some(result) = attempts.join_next().await {
        match result {
            Ok(Ok(connection)) => return Ok(connection),
            // Whoever answered says more than those of whom nothing was heard.
            Ok(Err(error)) => failure = failure.or(Some(error)),
            Err(_) => {}
        }
    }
    Err(failure.unwrap_or_else(|| resolve::no_address(to)))
}

async fn handshake(
    quic: Arc<Inner>,
    addr: SocketAddr,
    dialing: Dialing,
    to: Address,
) -> io::Result<(Connection, Endpoint)> {
    let timeout = quic.tls.handshake_timeout();
    let (config, refusal) = config(&quic, &dialing)?;
    let (connecting, socket) = quic.dial(addr, config, &dialing.name)?;
    match tokio::time::timeout(timeout, connecting).await {
        Ok(Ok(connection)) => Ok((connection, socket)),
        Ok(Err(error)) => Err(match refusal.lock().take() {
            Some(refusal) => error::refused(&refusal, &to),
            None => error::explain(error, &to),
        }),
        Err(_) => Err(late(&to, timeout)),
    }
}

fn late(to: &Address, timeout: Duration) -> io::Error {
    let message = format!(
        "QUIC with {to}: no answer within {timeout:?} (`TlsBuilder::handshake_timeout`): nobody listens there, or UDP does not \
         get through"
    );
    io::Error::new(io::ErrorKind::TimedOut, message)
}

/// What one handshake uses, and where it says what it found wrong with the server.
fn config(quic: &Inner, dialing: &Dialing) -> io::Result<(ClientConfig, Refusal)> {
    let (verifier, refusal) = Remembering::new(Arc::clone(&dialing.verifier));
    let mut tls = rustls::ClientConfig::clone(&dialing.config);
    tls.dangerous().set_certificate_verifier(verifier);
    let tls = QuicClientConfig::try_from(tls).map_err(io::Error::other)?;
    let mut config = ClientConfig::new(Arc::new(tls));
    config.transport_config(quic.settings.transport(Side::Client));
    Ok((config, refusal))
}

impl Inner {
    /// Begins a handshake.
    fn dial(&self, addr: SocketAddr, config: ClientConfig, name: &str) -> io::Result<(Connecting, Endpoint)> {
        let mut sockets = self.sockets.lock();
        let (kept, any): (_, IpAddr) = match addr {
            SocketAddr::V4(_) => (&mut sockets.v4, Ipv4Addr::UNSPECIFIED.into()),
            SocketAddr::V6(_) => (&mut sockets.v6, Ipv6Addr::UNSPECIFIED.into()),
        };
        if let Some(socket) = kept {
            match socket.connect_with(config.clone(), addr, name) {
                // Its task has ended, with the runtime it was begun in or with the socket.
                Err(ConnectError::EndpointStopping) => {}
                result => return Ok((result.map_err(io::Error::other)?, socket.clone())),
            }
        }
        let socket = kept.insert(Endpoint::client(SocketAddr::new(any, 0))?);
        Ok((socket.connect_with(config, addr, name).map_err(io::Error::other)?, socket.clone()))
    }
}
