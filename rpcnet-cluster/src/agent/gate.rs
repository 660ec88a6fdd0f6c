//! What passes between a node and its network: sealed when it has a keyring, plain when it has none, never both.

use std::io;
use std::sync::Arc;

use rpcnet::transport::Transport;

use super::keyring::Keyring;
use super::seal::{self, Cluster, Line, NONCE_BYTES, SALT_BYTES};
use super::sealed::{GatedTransport, Report};
use crate::membership::Unreadable;

/// A node's cluster and, if it seals, its keys.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    cluster: Cluster,
    keyring: Option<Keyring>,
}

impl Gate {
    pub(crate) fn new(cluster_name: &str, keyring: Option<Keyring>) -> Self {
        Self { cluster: Cluster::new(cluster_name), keyring }
    }

    /// A datagram on its way out. Fails when the system gives no randomness.
    pub(crate) fn outgoing(&self, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let Some(keyring) = &self.keyring else { return Ok(bytes) };
        let nonce = random::<NONCE_BYTES>()?;
        Ok(seal::seal(&self.cluster, &keyring.ring(), &nonce, &bytes))
    }

    /// A datagram that came in, as the membership core reads it.
    pub(crate) fn incoming(&self, bytes: Vec<u8>) -> Result<Vec<u8>, Unreadable> {
        match &self.keyring {
            Some(keyring) => seal::open(&self.cluster, &keyring.ring(), &bytes),
            None if seal::is_sealed(&bytes) => Err(Unreadable::Sealed),
            None => Ok(bytes),
        }
    }

    /// Streams through this gate; what cannot be read is reported.
    pub(super) fn transport(&self, inner: Arc<dyn Transport>, report: Report) -> GatedTransport {
        GatedTransport::new(self.clone(), inner, report)
    }

    /// The end of a sealed stream that this node opens, with its keys.
    pub(super) fn asking(&self) -> io::Result<Option<(Line, Keyring)>> {
        let Some(keyring) = self.keyring.clone() else { return Ok(None) };
        let line = Line::asking(self.cluster.clone(), &keyring.ring(), random::<SALT_BYTES>()?);
        Ok(Some((line, keyring)))
    }

    /// The end of a sealed stream that this node accepted, with its keys.
    pub(super) fn answering(&self) -> io::Result<Option<(Line, Keyring)>> {
        let Some(keyring) = self.keyring.clone() else { return Ok(None) };
        Ok(Some((Line::answering(self.cluster.clone(), random::<SALT_BYTES>()?), keyring)))
    }
}

/// Bytes of the system's own generator: nothing of it is kept in the process, so no copy of the process repeats them.
fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
