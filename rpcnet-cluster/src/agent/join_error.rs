//! Why a node could not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;

use super::StateError;
use crate::membership::TagError;

/// Why a node could not start. Nothing runs then; a seed that does not answer is no such reason.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::{ClusterMembership, JoinError};
///
/// let first = ClusterMembership::builder().join().await?;
/// let second = ClusterMembership::builder().bind(first.local_addr()).join().await;
/// assert!(matches!(second, Err(JoinError::InUse { .. })));
/// # Ok(()) }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JoinError {
    /// The address to bind does not resolve.
    #[error("cannot bind to `{address}`: {cause}")]
    Resolve {
        /// As it was given.
        address: String,
        /// The resolver's error, which the message includes.
        cause: io::Error,
    },
    /// Another process has the port, by UDP or by TCP.
    #[error(
        "cannot bind to {addr}: the port is in use; stop the other process, choose another port, or use port 0 to let \
         the system choose"
    )]
    InUse {
        /// The address.
        addr: SocketAddr,
    },
    /// The address cannot be bound for another reason.
    #[error("cannot bind to {addr}: {cause}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// The system's error, which the message includes.
        cause: io::Error,
    },
    /// Gossip is not encrypted, and the address can be reached from other hosts.
    #[error(
        "cannot bind to {addr}: it is not on the loopback interface, and gossip in plain text can be read and forged \
         on the way; give the nodes of the cluster a key by `keyring(…)`, or, if the network is trusted, say \
         `allow_plaintext()`"
    )]
    Plaintext {
        /// The address.
        addr: SocketAddr,
    },
    /// A wildcard address is nowhere that others could send to.
    #[error(
        "cannot announce {addr}: others cannot send to it; say `reachable_at(ip)` with this host's own address"
    )]
    Wildcard {
        /// The address.
        addr: SocketAddr,
    },
    /// A seed is not written as an address.
    #[error(
        "the seed `{seed}` is not an address: write `host:port`, such as `10.0.0.1:7946` or `seed.example:7946`"
    )]
    Seed {
        /// As it was given.
        seed: String,
    },
    /// The label or the tags are too large.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// The file given by [`state_file`](super::ClusterMembershipBuilder::state_file) cannot be used.
    #[error("the state file `{path}`: {cause}", path = path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, which the message includes.
        cause: StateError,
    },
}
