//! An open loop: calls are made when their time has come, whether or not those before have been answered.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use rpcnet::{Channel, Server, prelude::*};
use tokio::task::JoinSet;

use crate::{
    Failure,
    load::{self, Caller, Seen},
    process::System,
};

/// What is called.
#[rpc_trait]
pub(crate) trait Work {
    /// The same again, after so many microseconds of work.
    #[rpc(read)]
    async fn work(&self, bytes: Bytes, micros: u32) -> rpcnet::Result<Bytes>;
}

struct Worker;

impl Work for Worker {
    async fn work(&self, bytes: Bytes, micros: u32) -> rpcnet::Result<Bytes> {
        let (begun, length) = (Instant::now(), Duration::from_micros(micros.into()));
        while begun.elapsed() < length {
            std::hint::spin_loop();
        }
        Ok(bytes)
    }
}

/// Two thousand calls a second, one every so often.
const EVERY: Duration = Duration::from_micros(500);

/// One call in so many is slow, and works for so long.
const SLOW: (usize, u32) = (100, 5_000);

/// RpcNet, with all of its defaults.
#[derive(Debug)]
pub(crate) struct Open {
    /// Whether some of the calls are slow.
    pub(crate) slow: bool,
}

impl System for Open {
    type Caller = WorkClient<Channel>;

    async fn serve(&self) -> Result<SocketAddr, Failure> {
        let server = Server::builder().service(WorkServer::new(Worker)).bind("127.0.0.1:0").await?;
        let address = server.local_addr();
        tokio::spawn(server.serve());
        Ok(address)
    }

    async fn connect(&self, to: SocketAddr, callers: usize) -> Result<Vec<Self::Caller>, Failure> {
        Ok(vec![WorkClient::new(Channel::connect(to).await?); callers])
    }

    /// Latencies are counted from when a call was to be made; those of the slow ones are left out.
    async fn drive(
        &self,
        callers: &mut Vec<Self::Caller>,
        payload: &Bytes,
        length: Duration,
    ) -> Result<Seen, Failure> {
        let client = callers.first().ok_or("a loop has one caller")?;
        let (begin, mut calls) = (Instant::now(), JoinSet::new());
        let mut due = begin;
        for number in 0.. {
            due += EVERY;
            if due > begin + length {
                break;
            }
            tokio::time::sleep_until(due.into()).await;
            let micros = if self.slow && number % SLOW.0 == 0 { SLOW.1 } else { 0 };
            let (client, payload) = (client.clone(), payload.clone());
            calls.spawn(async move {
                client.work(payload, micros).await?;
                Ok::<_, Failure>((micros == 0).then(|| due.elapsed()))
            });
        }
        let mut latencies = load::no_latencies()?;
        while let Some(call) = calls.join_next().await {
            if let Some(took) = call?? {
                latencies.saturating_record(u64::try_from(took.as_nanos())?);
            }
        }
        Ok(Seen { took: begin.elapsed(), latencies })
    }
}

impl Caller for WorkClient<Channel> {
    async fn call(&mut self, payload: &Bytes) -> Result<usize, Failure> {
        Ok(self.work(payload.clone(), 0).await?.len())
    }
}
