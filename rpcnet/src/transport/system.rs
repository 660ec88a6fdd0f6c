//! What carries bytes when nobody says what should: the sockets of the system, by the kind of address.

use std::io;

#[cfg(unix)]
use super::Unix;
use super::{Address, BoxFuture, BoxStream, Listener, Tcp, Transport};

/// TCP for `host:port`, a Unix domain socket for `unix:` and a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct System {
    tcp: Tcp,
}

impl System {
    /// For processes of one host.
    pub(crate) fn loopback() -> Self {
        Self { tcp: Tcp::loopback() }
    }

    /// Between hosts too, readable by whoever is in between.
    pub(crate) fn plaintext() -> Self {
        Self { tcp: Tcp::plaintext() }
    }

    #[cfg(unix)]
    fn carrier(&self, address: &Address) -> &dyn Transport {
        if address.unix_name().is_some() { &Unix } else { &self.tcp }
    }

    /// TCP says that it does not reach a Unix domain socket.
    #[cfg(not(unix))]
    fn carrier(&self, _: &Address) -> &dyn Transport {
        &self.tcp
    }
}

impl Transport for System {
    fn connect<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, io::Result<BoxStream>> {
        self.carrier(to).connect(to)
    }

    fn listen<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        self.carrier(at).listen(at)
    }
}
