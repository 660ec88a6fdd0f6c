//! Keyed calls whose answers are remembered: each caller repeats its own id, so that nothing runs but the look-up.

use std::net::SocketAddr;

use bytes::Bytes;
use rpcnet::{Channel, Server, prelude::*};
use uuid::Uuid;

use crate::{Failure, load::Caller, process::System};

/// What is called.
#[rpc_trait]
pub(crate) trait Once {
    /// The same again.
    async fn echo(&self, request_id: Uuid, bytes: Bytes) -> rpcnet::Result<Bytes>;
}

struct Worker;

impl Once for Worker {
    async fn echo(&self, _request_id: Uuid, bytes: Bytes) -> rpcnet::Result<Bytes> {
        Ok(bytes)
    }
}

/// RpcNet, with all of its defaults.
#[derive(Debug)]
pub(crate) struct Keyed;

/// A caller and its id.
pub(crate) struct Repeating {
    client: OnceClient<Channel>,
    id: Uuid,
}

impl System for Keyed {
    type Caller = Repeating;

    async fn serve(&self) -> Result<SocketAddr, Failure> {
        let server = Server::builder().service(OnceServer::new(Worker)).bind("127.0.0.1:0").await?;
        let address = server.local_addr();
        tokio::spawn(server.serve());
        Ok(address)
    }

    async fn connect(&self, to: SocketAddr, callers: usize) -> Result<Vec<Repeating>, Failure> {
        let client = OnceClient::new(Channel::connect(to).await?);
        let caller = |id| Repeating { client: client.clone(), id: Uuid::from_u128(id) };
        Ok((0..callers as u128).map(caller).collect())
    }
}

impl Caller for Repeating {
    async fn call(&mut self, payload: &Bytes) -> Result<usize, Failure> {
        Ok(self.client.echo(self.id, payload.clone()).await?.len())
    }
}
