//! Who is at the other end of a connection.

use std::{fmt, net::SocketAddr};

/// Who opened a connection, as far as the transport knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Peer {
    /// Somebody at an IP address and port.
    Socket(SocketAddr),
    /// A process of this host, as it was when it connected.
    Process {
        /// Its id, where the system tells: not from inside a container that cannot see it.
        id: Option<u32>,
        /// The id of the user it runs as.
        user: Option<u32>,
    },
}

impl Peer {
    /// Its IP address and port, if it has them.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match *self {
            Self::Socket(addr) => Some(addr),
            Self::Process { .. } => None,
        }
    }
}

impl From<SocketAddr> for Peer {
    fn from(addr: SocketAddr) -> Self {
        Self::Socket(addr)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(addr) => addr.fmt(f),
            Self::Process { id: Some(id), user: Some(user) } => write!(f, "process {id} of user {user}"),
            Self::Process { id: Some(id), user: None } => write!(f, "process {id}"),
            Self::Process { id: None, user: Some(user) } => write!(f, "a process of user {user}"),
            Self::Process { id: None, user: None } => f.write_str("a process of this host"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_without_an_address_can_be_told_in_a_log() {
        let text = |id, user| Peer::Process { id, user }.to_string();
        assert_eq!(text(Some(12), Some(1000)), "process 12 of user 1000");
        assert_eq!(text(None, Some(0)), "a process of user 0");
        assert_eq!(text(None, None), "a process of this host");
        assert_eq!(Peer::from(SocketAddr::from(([127, 0, 0, 1], 80))).to_string(), "127.0.0.1:80");
    }
}
