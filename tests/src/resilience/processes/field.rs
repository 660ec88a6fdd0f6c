//! Who runs: this process, which calls, and its workers.

use std::time::Duration;

use rpcnet::CallOptions;
use rpcnet_cluster::{ClusterMembership, LoadBalancing, NodeId, ResilientClient, WorkerRegistry};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::{
    super::{Load, Samples},
    worker::WORKER,
};
use crate::process::Process;

/// How long the caller may take until it sees whom it should.
const PATIENCE: Duration = Duration::from_secs(20);

/// The caller's node and the workers, which end when this is dropped.
pub(super) struct Field {
    caller: ClusterMembership,
    pub(super) registry: WorkerRegistry,
    pub(super) workers: Vec<Process>,
    seed: u64,
}

impl Field {
    /// Starts so many workers, and waits until this process sees all of them.
    pub(super) async fn start(workers: usize, seed: u64) -> Result<Self, String> {
        let caller = ClusterMembership::builder().bind("127.0.0.1:0").label("caller").join().await;
        let caller = caller.map_err(|error| error.to_string())?;
        let registry = WorkerRegistry::new(&caller, LoadBalancing::PeakEwma);
        let mut field = Self { caller, registry, workers: Vec::new(), seed };
        for number in 0..workers {
            let worker = field.worker(number).await?;
            field.workers.push(worker);
        }
        field.sees(workers).await?;
        Ok(field)
    }

    /// Starts a worker again that has ended: a new process, at another port.
    pub(super) async fn restart(&mut self, number: usize) -> Result<(), String> {
        self.workers[number] = self.worker(number).await?;
        Ok(())
    }

    /// The id of a worker's node.
    pub(super) fn id(&self, number: usize) -> Result<NodeId, String> {
        let label = label(number);
        let mut workers = self.registry.workers().into_iter();
        let found = workers.find(|worker| *worker.label == *label).map(|worker| worker.id);
        found.ok_or_else(|| format!("{label} is not seen"))
    }

    /// Waits until the caller sees so many workers.
    pub(super) async fn sees(&self, workers: usize) -> Result<(), String> {
        let begun = Instant::now();
        while self.registry.worker_count() != workers {
            if begun.elapsed() > PATIENCE {
                let seen = self.registry.worker_count();
                return Err(format!("after {PATIENCE:?} the caller sees {seen} workers and not {workers}"));
            }
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    /// A client of all workers.
    pub(super) fn client(&self, options: CallOptions) -> ResilientClient {
        ResilientClient::new(self.registry.clone()).with(options)
    }

    /// Calls 300 times a second for so long.
    pub(super) fn load(&self, client: ResilientClient, lasts: Duration) -> JoinHandle<Samples> {
        let load = Load::new(300.0, lasts, self.seed);
        tokio::spawn(async move { load.run(&client).await })
    }

    async fn worker(&self, number: usize) -> Result<Process, String> {
        let (seed, node) = (self.seed * 1_000 + number as u64, self.caller.local_addr());
        let args = [WORKER.to_owned(), label(number), seed.to_string(), node.to_string()];
        Process::of_this_program(args, "ready").await
    }
}

fn label(number: usize) -> String {
    format!("worker-{number}")
}
