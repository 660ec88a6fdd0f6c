//! The two sockets of a node, at one port number.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rpcnet::{BindError, Server};
use tokio::sync::mpsc;

use super::JoinError;
use super::sealed::GatedTransport;
use super::socket::{DatagramSocket, Network};
use super::streams::{self, Request};

/// Ports tried when the system chooses one for TCP that is taken for UDP.
const BIND_TRIES: u32 = 16;

/// Both sockets of a node, at one port number.
pub(super) struct Bound {
    pub(super) addr: SocketAddr,
    pub(super) datagrams: Arc<dyn DatagramSocket>,
    pub(super) server: Server,
    pub(super) requests: mpsc::Receiver<Request>,
}

impl Bound {
    pub(super) async fn open(
        network: &dyn Network,
        streams: &GatedTransport,
        at: SocketAddr,
    ) -> Result<Self, JoinError> {
        let tries = if at.port() == 0 { BIND_TRIES } else { 1 };
        let mut result = Self::try_open(network, streams, at).await;
        for _ in 1..tries {
            if !matches!(result, Err(JoinError::InUse { .. })) {
                break;
            }
            // Free for TCP and taken for UDP: let the system choose again.
            result = Self::try_open(network, streams, at).await;
        }
        result
    }

    async fn try_open(
        network: &dyn Network,
        streams: &GatedTransport,
        at: SocketAddr,
    ) -> Result<Self, JoinError> {
        let (server, requests) = streams::service(streams.clone());
        let server = server.bind(at).await.map_err(|error| match error {
            BindError::Listen { cause, .. } => bind_error(at, cause),
            // One method alone cannot be there twice, and no rule speaks of it.
            other => bind_error(at, io::Error::other(other)),
        })?;
        let addr = SocketAddr::new(at.ip(), server.local_addr().port());
        let datagrams = network.datagrams(addr).await.map_err(|cause| bind_error(addr, cause))?;
        Ok(Self { addr, datagrams, server, requests })
    }
}

fn bind_error(addr: SocketAddr, cause: io::Error) -> JoinError {
    match cause.kind() {
        io::ErrorKind::AddrInUse => JoinError::InUse { addr },
        _ => JoinError::Bind { addr, cause },
    }
}
