//! Where a server is.

use std::{fmt, net::SocketAddr};

/// Where a server is: `host:port`, the host being a name or an IP address.
///
/// A name is resolved each time a connection is opened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Place);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Place {
    Socket(SocketAddr),
    Name(String),
}

impl Address {
    /// The IP address and port, if it is not a name.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match self.0 {
            Place::Socket(addr) => Some(addr),
            Place::Name(_) => None,
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(addr: SocketAddr) -> Self {
        Self(Place::Socket(addr))
    }
}

impl From<&str> for Address {
    fn from(text: &str) -> Self {
        Self(text.parse().map_or_else(|_| Place::Name(text.to_owned()), Place::Socket))
    }
}

impl From<String> for Address {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&String> for Address {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<&Address> for Address {
    fn from(address: &Address) -> Self {
        address.clone()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Socket(addr) => addr.fmt(f),
            Place::Name(name) => name.fmt(f),
        }
    }
}
