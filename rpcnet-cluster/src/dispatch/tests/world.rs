//! Workers on a network in memory, and a registry that is told of them by the test.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use rpcnet::{
    Address, AppError, Server,
    transport::{
        BoxFuture, BoxStream, Listener, Transport,
        memory::{MemoryHost, MemoryNetwork},
    },
};

use crate::{
    Balancer, ResilientClient, Worker, WorkerRegistry,
    membership::ClusterEvent,
    registry::testing::{Script, Scripted, node},
};

pub(super) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The network, the registry, and what the test knows of both.
pub(super) struct World {
    pub(super) network: MemoryNetwork,
    pub(super) registry: WorkerRegistry,
    pub(super) cluster: Scripted,
    /// Connections this process has opened or tried to.
    pub(super) dials: Arc<AtomicU32>,
    /// Calls of `work` and `tremble` that a worker has begun.
    pub(super) runs: Arc<AtomicU32>,
}

/// Where the client is.
const HERE: [u8; 4] = [10, 0, 0, 250];

/// Where a worker is.
pub(super) fn ip(number: u8) -> IpAddr {
    [10, 0, 0, number].into()
}

impl World {
    /// A world with these workers, started and known.
    pub(super) async fn with(workers: impl IntoIterator<Item = u8>, balancing: impl Into<Balancer>) -> Self {
        let (network, dials) = (MemoryNetwork::new(1), Arc::default());
        let transport = Counting { host: network.host(HERE), dials: Arc::clone(&dials) };
        let (script, cluster) = Script::new();
        let registry = WorkerRegistry::following(script, Arc::new(transport), balancing);
        let world = Self { network, registry, cluster, dials, runs: Arc::default() };
        for number in workers {
            world.start(number).await;
            world.cluster.tell(ClusterEvent::NodeJoined(node(number, 1)));
        }
        settled().await;
        world
    }

    /// Starts a worker's server.
    pub(super) async fn start(&self, number: u8) {
        let server =
            self.server(number).bind(SocketAddr::new(ip(number), 80)).await.expect("the port is free");
        tokio::spawn(server.serve());
    }

    /// A worker's methods. Each answers with its number: `who` at once, `work` after 100 ms, `tremble` never.
    pub(super) fn server(&self, number: u8) -> rpcnet::ServerBuilder {
        let runs = Arc::clone(&self.runs);
        let work = move |after: Duration| {
            let runs = Arc::clone(&runs);
            move |_: Bytes| {
                runs.fetch_add(1, Ordering::Relaxed);
                async move {
                    tokio::time::sleep(after).await;
                    Ok::<_, AppError>(Bytes::from(vec![number]))
                }
            }
        };
        let host = self.network.host(ip(number));
        let who = move |_: Bytes| async move { Ok(Bytes::from(vec![number])) };
        let builder = Server::builder().transport(host).register("who", who);
        builder.register("work", work(ms(100))).register("tremble", work(ms(1_000_000)))
    }

    pub(super) fn client(&self) -> ResilientClient {
        ResilientClient::new(self.registry.clone())
    }

    /// Whose turn it is: the worker that answers the client's next call.
    pub(super) async fn next_of(&self, client: &ResilientClient) -> u8 {
        client.call("who", vec![]).await.expect("somebody answers")[0]
    }

    /// The worker whose turn comes after another's.
    pub(super) fn after(&self, number: u8) -> u8 {
        number % self.registry.worker_count() as u8 + 1
    }

    pub(super) fn worker(&self, number: u8) -> Worker {
        let label = format!("worker-{number}");
        self.registry.workers().into_iter().find(|worker| *worker.label == *label).expect("it is a member")
    }

    /// Ends a worker as SIGKILL does. Membership has not noticed.
    pub(super) fn kill(&self, number: u8) {
        self.network.kill(ip(number));
    }

    /// Makes packets between here and a worker vanish.
    pub(super) fn cut(&self, number: u8) {
        self.network.cut(HERE.into(), ip(number));
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.registry.workers().iter().map(Worker::active_connections).sum()
    }
}

/// Lets everybody do what they have to do now.
pub(super) async fn settled() {
    tokio::time::sleep(ms(5)).await;
}

/// A transport that counts the connections it was asked for.
#[derive(Debug)]
struct Counting {
    host: MemoryHost,
    dials: Arc<AtomicU32>,
}

impl Transport for Counting {
    fn connect<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, io::Result<BoxStream>> {
        self.dials.fetch_add(1, Ordering::Relaxed);
        self.host.connect(to)
    }

    fn listen<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        self.host.listen(at)
    }
}
