//! Three workers of a cluster, called through `ResilientClient` or over three plain channels in turn.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use rpcnet::{Channel, Server};
use rpcnet_cluster::{ClusterMembership, LoadBalancing, ResilientClient, WorkerRegistry};
use tokio::sync::OnceCell;

use crate::{
    Failure,
    load::Caller,
    process::System,
    rpc::{self, EchoClient, EchoServer},
};

const WORKERS: usize = 3;

/// How calls find their worker.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    Resilient,
    InTurn,
}

/// Both ends of it; the client is a member of the cluster from its first connection on.
pub(crate) struct Dispatch {
    way: Way,
    member: OnceCell<(ClusterMembership, WorkerRegistry)>,
}

impl Dispatch {
    pub(crate) fn new(way: Way) -> Self {
        Self { way, member: OnceCell::new() }
    }

    async fn join(&self, seed: SocketAddr) -> Result<WorkerRegistry, Failure> {
        let member = async {
            let cluster = ClusterMembership::builder().bind("127.0.0.1:0").seeds([seed]).join().await?;
            let registry = WorkerRegistry::new(&cluster, LoadBalancing::PeakEwma);
            while registry.workers().len() < WORKERS {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Ok::<_, Failure>((cluster, registry))
        };
        Ok(self.member.get_or_try_init(|| member).await?.1.clone())
    }
}

/// One of the callers.
pub(crate) enum Dispatched {
    Resilient(EchoClient<ResilientClient>),
    InTurn { clients: Vec<EchoClient<Channel>>, next: usize },
}

impl System for Dispatch {
    type Caller = Dispatched;

    /// Says where the first of the workers gossips.
    async fn serve(&self) -> Result<SocketAddr, Failure> {
        let mut seed = None;
        for _ in 0..WORKERS {
            let server = Server::builder().service(EchoServer::new(rpc::Worker)).bind("127.0.0.1:0").await?;
            let cluster = ClusterMembership::builder().bind("127.0.0.1:0").seeds(seed).tag("role", "worker");
            let cluster = cluster.advertise(server.local_addr()).join().await?;
            seed.get_or_insert(cluster.local_addr());
            tokio::spawn(async move {
                server.serve().await;
                drop(cluster);
            });
        }
        seed.ok_or_else(|| "no worker was started".into())
    }

    async fn connect(&self, to: SocketAddr, callers: usize) -> Result<Vec<Dispatched>, Failure> {
        let registry = self.join(to).await?;
        let resilient = EchoClient::new(ResilientClient::new(registry.clone()));
        let mut clients = Vec::new();
        for worker in registry.workers() {
            clients.push(EchoClient::new(Channel::connect(worker.addr).await?));
        }
        let caller = |next| match self.way {
            Way::Resilient => Dispatched::Resilient(resilient.clone()),
            Way::InTurn => Dispatched::InTurn { clients: clients.clone(), next },
        };
        Ok((0..callers).map(caller).collect())
    }
}

impl Caller for Dispatched {
    async fn call(&mut self, payload: &Bytes) -> Result<usize, Failure> {
        Ok(match self {
            Self::Resilient(client) => client.echo(payload.clone()).await?.len(),
            Self::InTurn { clients, next } => {
                *next = (*next + 1) % clients.len();
                clients[*next].echo(payload.clone()).await?.len()
            }
        })
    }
}
