//! A connection that somebody opened.

use std::fmt;

use super::{BoxStream, Identity, Peer};

/// A connection that a [`Listener`](super::Listener) accepted.
#[non_exhaustive]
pub struct Accepted {
    /// Its bytes.
    pub stream: BoxStream,
    /// Where it comes from.
    pub peer: Peer,
    /// Who opened it, where the transport made sure of it: TLS, by the client's certificate.
    pub identity: Option<Identity>,
}

impl Accepted {
    /// A connection of somebody who was not asked who it is.
    pub fn new(stream: BoxStream, peer: impl Into<Peer>) -> Self {
        Self { stream, peer: peer.into(), identity: None }
    }

    /// The same connection, of somebody who proved to be this.
    #[must_use]
    pub fn identified(self, identity: Option<Identity>) -> Self {
        Self { identity, ..self }
    }
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stream: _, peer, identity } = self;
        f.debug_struct("Accepted").field("peer", peer).field("identity", identity).finish_non_exhaustive()
    }
}
