//! A service, its server and its client on a network in memory.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rpcnet::{
    Channel, Limits, Server, ServerBuilder,
    prelude::*,
    transport::memory::{MemoryHost, MemoryNetwork},
};
use serde::{Deserialize, Serialize};
use tokio::{sync::Notify, task::JoinHandle};

/// What a test calls.
#[rpc_trait]
pub(crate) trait Bench {
    /// Gives back what it was given.
    #[rpc(idempotent)]
    async fn echo(&self, text: String) -> Result<String, BenchError>;

    /// The same, after a tenth of a second.
    #[rpc(idempotent)]
    async fn slow_echo(&self, text: String) -> Result<String, BenchError>;

    /// Fails.
    async fn refuse(&self, text: String) -> Result<(), BenchError>;

    /// Panics.
    async fn panic(&self) -> Result<(), BenchError>;

    /// Counts that it began, waits for the gate, counts that it ended.
    async fn wait(&self) -> Result<(), BenchError>;

    /// Adds to an account; a repeated request id adds nothing.
    async fn charge(&self, request_id: Uuid, account: String, cents: u64) -> Result<u64, BenchError>;

    /// Says how long the caller will still wait.
    async fn remaining(&self, ctx: Context) -> Result<Duration, BenchError>;
}

/// The method's own error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum BenchError {
    /// Asked to.
    #[error("refused: {0}")]
    Refused(String),
}

/// The service's side of a test.
#[derive(Debug, Default, Clone)]
pub(crate) struct Probe {
    pub(crate) began: Arc<AtomicUsize>,
    pub(crate) ended: Arc<AtomicUsize>,
    pub(crate) gate: Arc<Notify>,
    pub(crate) accounts: Arc<Mutex<BTreeMap<String, u64>>>,
}

/// Counts that a handler was dropped, finished or not.
struct Ended(Arc<AtomicUsize>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Probe {
    pub(crate) fn began(&self) -> usize {
        self.began.load(Ordering::SeqCst)
    }

    pub(crate) fn ended(&self) -> usize {
        self.ended.load(Ordering::SeqCst)
    }

    fn enter(&self) -> Ended {
        self.began.fetch_add(1, Ordering::SeqCst);
        Ended(Arc::clone(&self.ended))
    }
}

impl Bench for Probe {
    async fn echo(&self, text: String) -> Result<String, BenchError> {
        Ok(text)
    }

    async fn slow_echo(&self, text: String) -> Result<String, BenchError> {
        let _ended = self.enter();
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok(text)
    }

    async fn refuse(&self, text: String) -> Result<(), BenchError> {
        Err(BenchError::Refused(text))
    }

    async fn panic(&self) -> Result<(), BenchError> {
        panic!("as asked")
    }

    async fn wait(&self) -> Result<(), BenchError> {
        let _ended = self.enter();
        self.gate.notified().await;
        Ok(())
    }

    async fn charge(&self, _request_id: Uuid, account: String, cents: u64) -> Result<u64, BenchError> {
        let _ended = self.enter();
        assert_eq!(Context::current().and_then(|call| call.deadline()), None, "it may outlive its caller");
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut accounts = self.accounts.lock().unwrap();
        let balance = accounts.entry(account).or_default();
        *balance += cents;
        Ok(*balance)
    }

    async fn remaining(&self, ctx: Context) -> Result<Duration, BenchError> {
        Ok(ctx.remaining().expect("every call has a deadline"))
    }
}

/// A server and who talks to it.
pub(crate) struct World {
    pub(crate) network: MemoryNetwork,
    pub(crate) server: MemoryHost,
    pub(crate) client: MemoryHost,
    pub(crate) addr: SocketAddr,
    pub(crate) probe: Probe,
    pub(crate) serving: JoinHandle<()>,
    pub(crate) shutdown: Arc<Notify>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|server| server).await
    }

    /// A world whose server has settings of its own.
    pub(crate) async fn with(settings: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        let network = MemoryNetwork::new(1);
        let (server, client) = (network.host([10, 0, 0, 1]), network.host([10, 0, 0, 2]));
        let (probe, shutdown) = (Probe::default(), Arc::new(Notify::new()));
        let builder = settings(Server::builder().service(BenchServer::new(probe.clone())));
        let bound = builder.transport(server.clone()).bind("10.0.0.1:7000").await.unwrap();
        let addr = bound.local_addr();
        let stop = Arc::clone(&shutdown);
        let serving = tokio::spawn(async move { bound.serve_with_shutdown(stop.notified()).await });
        Self { network, server, client, addr, probe, serving, shutdown }
    }

    pub(crate) async fn channel(&self) -> Channel {
        self.channel_with(Limits::default()).await
    }

    pub(crate) async fn channel_with(&self, limits: Limits) -> Channel {
        Channel::builder(self.addr).transport(self.client.clone()).limits(limits).connect().await.unwrap()
    }

    pub(crate) async fn bench(&self) -> BenchClient {
        BenchClient::new(self.channel().await)
    }
}

/// Lets everything that is ready run, and packets that are under way arrive.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}
