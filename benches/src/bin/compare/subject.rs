//! What is compared.

use std::{fmt, path::Path};

#[cfg(feature = "peers")]
use crate::peers;
use crate::{
    Failure,
    args::Point,
    dispatch::{Dispatch, Way},
    idle::{CONNECTIONS, Idle},
    keyed::Keyed,
    mux::Mux,
    net::Link,
    open::Open,
    process::{self, Role},
    raw::Raw,
    rpc::{Bytes, Typed},
    streams::{self, ITEM_BYTES, ITEMS},
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
    #[cfg(feature = "peers")]
    Tarpc,
    #[cfg(feature = "peers")]
    Tonic,
    /// A stream over RpcNet, over TCP alone, over tonic.
    Stream,
    StreamRaw,
    #[cfg(feature = "peers")]
    StreamTonic,
    /// Repeats of keyed calls over RpcNet.
    Keyed,
    /// Three workers over one client, and over three channels.
    Dispatch,
    InTurn,
    /// An open loop over RpcNet, without and with slow calls.
    Open,
    OpenSlow,
    /// Connections on which nothing happens.
    Idle,
}

impl Subject {
    pub(crate) const ALL: &[Subject] = &[
        Subject::Raw,
        Subject::Mux(Link::Tcp),
        Subject::RpcNet(Link::Tcp),
        Subject::RpcNetBytes,
        #[cfg(feature = "peers")]
        Subject::Tarpc,
        #[cfg(feature = "peers")]
        Subject::Tonic,
        Subject::Mux(Link::Tls),
        Subject::RpcNet(Link::Tls),
        Subject::RpcNet(Link::Quic),
        Subject::Stream,
        Subject::StreamRaw,
        #[cfg(feature = "peers")]
        Subject::StreamTonic,
        Subject::Keyed,
        Subject::InTurn,
        Subject::Dispatch,
        Subject::Open,
        Subject::OpenSlow,
        Subject::Idle,
    ];

    /// What is measured of it, where echoes are to be measured at `echoes`.
    pub(crate) fn points(self, echoes: &[Point]) -> Vec<Point> {
        match self {
            Self::Keyed | Self::InTurn | Self::Dispatch => vec![Point { bytes: 64, callers: 64 }],
            Self::Open | Self::OpenSlow => vec![Point { bytes: 64, callers: 1 }],
            Self::Idle => vec![Point { bytes: 0, callers: CONNECTIONS }],
            _ if self.items() > 1 => vec![Point { bytes: ITEM_BYTES, callers: 1 }],
            _ => echoes.to_vec(),
        }
    }

    /// How many of what is counted a call is.
    pub(crate) fn items(self) -> usize {
        match self {
            Self::Stream | Self::StreamRaw => ITEMS,
            #[cfg(feature = "peers")]
            Self::StreamTonic => ITEMS,
            _ => 1,
        }
    }

    pub(crate) fn named(name: &str) -> Result<Self, Failure> {
        let names = || Self::ALL.iter().map(Self::to_string).collect::<Vec<_>>().join(", ");
        let found = Self::ALL.iter().copied().find(|subject| subject.to_string() == name);
        found.ok_or_else(|| format!("no system is called {name}; there are {}", names()).into())
    }

    /// Is one of its processes, until whoever started it closes its standard input.
    pub(crate) fn run(self, role: Role, certificates: &Path) -> Result<(), Failure> {
        match self {
            Self::Raw => process::run(Raw, role),
            Self::Mux(link) => process::run(Mux::new(link, certificates), role),
            Self::RpcNet(link) => process::run(Typed::new(link, certificates), role),
            Self::RpcNetBytes => process::run(Bytes, role),
            #[cfg(feature = "peers")]
            Self::Tarpc => process::run(peers::tarpc::Tarpc, role),
            #[cfg(feature = "peers")]
            Self::Tonic => process::run(peers::tonic::Tonic::Echo, role),
            Self::Stream => process::run(streams::Typed, role),
            Self::StreamRaw => process::run(streams::Framed, role),
            #[cfg(feature = "peers")]
            Self::StreamTonic => process::run(peers::tonic::Tonic::Stream, role),
            Self::Keyed => process::run(Keyed, role),
            Self::Dispatch => process::run(Dispatch::new(Way::Resilient), role),
            Self::InTurn => process::run(Dispatch::new(Way::InTurn), role),
            Self::Open => process::run(Open { slow: false }, role),
            Self::OpenSlow => process::run(Open { slow: true }, role),
            Self::Idle => process::run(Idle, role),
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
            #[cfg(feature = "peers")]
            Self::Tarpc => f.write_str("tarpc"),
            #[cfg(feature = "peers")]
            Self::Tonic => f.write_str("tonic"),
            Self::Stream => f.write_str("rpcnet-stream"),
            Self::StreamRaw => f.write_str("raw-stream"),
            #[cfg(feature = "peers")]
            Self::StreamTonic => f.write_str("tonic-stream"),
            Self::Keyed => f.write_str("rpcnet-keyed"),
            Self::Dispatch => f.write_str("rpcnet-dispatch"),
            Self::InTurn => f.write_str("rpcnet-in-turn"),
            Self::Open => f.write_str("rpcnet-open"),
            Self::OpenSlow => f.write_str("rpcnet-open-slow"),
            Self::Idle => f.write_str("rpcnet-idle"),
        }
    }
}
