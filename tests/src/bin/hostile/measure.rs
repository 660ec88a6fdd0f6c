//! A client that behaves, and how long it waits.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use rpcnet::{CallOptions, ConnectError};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::service::TargetClient;

/// The time between the beginnings of two calls, however long they take.
const TICK: Duration = Duration::from_millis(2);

/// How long a call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// The client, with a thread of its own: the one that asks it to call.
pub(crate) struct GoodClient {
    runtime: Runtime,
    client: TargetClient,
    addr: SocketAddr,
}

/// What it saw.
#[derive(Debug, Default)]
pub(crate) struct Sample {
    latencies: Vec<Duration>,
    pub(crate) failed: usize,
    /// The first failure.
    pub(crate) failure: Option<String>,
}

impl GoodClient {
    pub(crate) fn connect(addr: SocketAddr) -> Result<Self, Box<dyn std::error::Error>> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let client = runtime.block_on(connected(addr))?;
        Ok(Self { runtime, client, addr })
    }

    /// Calls at a steady rate for so long, and waits for the last answer.
    pub(crate) fn call_for(&self, time: Duration) -> Sample {
        self.runtime.block_on(call_for(&self.client, time))
    }

    /// Does nothing for so long.
    pub(crate) fn rest(&self, time: Duration) {
        // Made inside: a timer belongs to a runtime.
        self.runtime.block_on(async { tokio::time::sleep(time).await });
    }

    /// Whether a new connection is accepted and served.
    pub(crate) fn is_served_anew(&self) -> bool {
        let served = async { connected(self.addr).await.ok()?.echo("again".to_owned()).await.ok() };
        let served = async { tokio::time::timeout(2 * CALL_TIMEOUT, served).await };
        matches!(self.runtime.block_on(served), Ok(Some(text)) if text == "again")
    }
}

async fn connected(addr: SocketAddr) -> Result<TargetClient, ConnectError> {
    let client = TargetClient::connect(addr).await?;
    Ok(client.with(CallOptions::timeout(CALL_TIMEOUT)))
}

async fn call_for(client: &TargetClient, time: Duration) -> Sample {
    let mut calls = JoinSet::new();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let end = Instant::now() + time;
    while Instant::now() < end {
        ticks.tick().await;
        let client = client.clone();
        // From here on: a timer that is late is this process's fault. No call waits for the answer of another.
        let begin = Instant::now();
        calls.spawn(async move {
            let answer = client.echo("small".to_owned()).await;
            answer.map(|_| begin.elapsed()).map_err(|error| error.to_string())
        });
    }
    let mut sample = Sample::default();
    while let Some(call) = calls.join_next().await {
        sample.add(call.unwrap_or_else(|error| Err(error.to_string())));
    }
    sample
}

impl Sample {
    fn add(&mut self, call: Result<Duration, String>) {
        match call {
            Ok(latency) => self.latencies.push(latency),
            Err(error) => {
                self.failed += 1;
                self.failure.get_or_insert(error);
            }
        }
    }

    /// What was seen at other times, beside this.
    pub(crate) fn merge(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.failed += other.failed;
        self.failure = self.failure.take().or(other.failure);
    }

    pub(crate) fn calls(&self) -> usize {
        self.latencies.len() + self.failed
    }

    /// What 99 of 100 calls do not exceed.
    pub(crate) fn p99(&self) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let at = (sorted.len() * 99).div_ceil(100).saturating_sub(1);
        sorted.get(at).copied().unwrap_or_default()
    }
}
