//! TCP, in plain text, and therefore only on the loopback interface unless asked.

use std::{
    io,
    net::SocketAddr,
    task::{Context, Poll, ready},
};

use tokio::net::{TcpListener, TcpStream};

use super::{Accepted, Address, BoxFuture, BoxStream, Listener, Transport, resolve};

/// Plain TCP.
///
/// What is sent can be read and changed by anybody on the way, and anybody can connect. So it stays on the loopback
/// interface, unless [`Tcp::plaintext`] says that the network is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tcp {
    plaintext_anywhere: bool,
}

impl Tcp {
    /// TCP between processes of one host.
    pub fn loopback() -> Self {
        Self { plaintext_anywhere: false }
    }

    /// TCP between hosts, readable by whoever is in between.
    pub fn plaintext() -> Self {
        Self { plaintext_anywhere: true }
    }

    fn check(self, addr: SocketAddr, setting: &str) -> io::Result<SocketAddr> {
        if self.plaintext_anywhere || addr.ip().is_loopback() {
            return Ok(addr);
        }
        let message = format!(
            "{addr} is not on the loopback interface, and plain TCP can be read and changed on the way; \
             use TLS (`transport::tls`), or say `{setting}` if the network is trusted"
        );
        Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
    }
}

impl Transport for Tcp {
    fn connect<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move {
            let mut failure = None;
            for addr in resolve::to_connect(to, "TCP").await? {
                let stream = match self.check(addr, "allow_plaintext()") {
                    Ok(addr) => TcpStream::connect(addr).await,
                    Err(refused) => Err(refused),
                };
                match stream {
                    Ok(stream) => return prepare(stream),
                    Err(error) => failure = Some(error),
                }
            }
            Err(failure.unwrap_or_else(|| resolve::no_address(to)))
        })
    }

    fn listen<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let addr = resolve::to_listen(at, "TCP").await?;
            let listener = TcpListener::bind(self.check(addr, "allow_plaintext()")?).await?;
            let local = listener.local_addr()?;
            Ok(Box::new(Accepting { listener, local }) as Box<dyn Listener>)
        })
    }
}

/// Frames are coalesced here; the kernel must not wait for more.
fn prepare(stream: TcpStream) -> io::Result<BoxStream> {
    stream.set_nodelay(true)?;
    Ok(Box::new(stream))
}

#[derive(Debug)]
struct Accepting {
    listener: TcpListener,
    local: SocketAddr,
}

impl Listener for Accepting {
    fn address(&self) -> Address {
        self.local.into()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        let (stream, peer) = ready!(self.listener.poll_accept(cx))?;
        Poll::Ready(prepare(stream).map(|stream| Accepted::new(stream, peer)))
    }
}
