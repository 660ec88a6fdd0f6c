//! What is compared.

use std::{fmt, path::Path};

use crate::{
    Failure,
    mux::Mux,
    net::Link,
    process::{self, Role},
    raw::Raw,
    rpc::{Bytes, Typed},
};

/// A system that echoes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// A connection a caller, and nothing but the bytes.
    Raw,
    /// Calls of all callers on one connection, and nothing of an RPC.
    Mux(Link),
    /// RpcNet, by a generated client.
    RpcNet(Link),
    /// RpcNet by name, bytes in and bytes out.
    RpcNetBytes,
}

impl Subject {
    pub(crate) const ALL: [Subject; 7] = [
        Subject::Raw,
        Subject::Mux(Link::Tcp),
        Subject::RpcNet(Link::Tcp),
        Subject::RpcNetBytes,
        Subject::Mux(Link::Tls),
        Subject::RpcNet(Link::Tls),
        Subject::RpcNet(Link::Quic),
    ];

    pub(crate) fn named(name: &str) -> Result<Self, Failure> {
        let names = || Self::ALL.map(|subject| subject.to_string()).join(", ");
        let found = Self::ALL.into_iter().find(|subject| subject.to_string() == name);
        found.ok_or_else(|| format!("no system is called {name}; there are {}", names()).into())
    }

    /// Is one of its processes, until whoever started it closes its standard input.
    pub(crate) fn run(self, role: Role, certificates: &Path) -> Result<(), Failure> {
        match self {
            Self::Raw => process::run(Raw, role),
            Self::Mux(link) => process::run(Mux::new(link, certificates), role),
            Self::RpcNet(link) => process::run(Typed::new(link, certificates), role),
            Self::RpcNetBytes => process::run(Bytes, role),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raw => f.write_str("raw"),
            Self::Mux(link) => write!(f, "mux{link}"),
            Self::RpcNet(link) => write!(f, "rpcnet{link}"),
            Self::RpcNetBytes => f.write_str("rpcnet-bytes"),
        }
    }
}
