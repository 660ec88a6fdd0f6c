//! Calls that arrive at a rate, whether or not those before have been answered (an open loop).

use std::time::Duration;

use rpcnet::CallError;
use rpcnet_cluster::ResilientClient;
use tokio::{task::JoinSet, time::Instant};

use super::{Sample, Samples};

/// Calls to come: how many a second, for how long.
///
/// They arrive as independent callers do, with exponentially distributed gaps. A loop that waits for its answers would call less
/// while things are slow, and so hide that they are.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Calls a second.
    pub rate: f64,
    /// For how long they come.
    pub lasts: Duration,
    /// What the gaps are drawn from.
    pub seed: u64,
    /// The method.
    pub method: &'static str,
    /// How often a caller calls before it gives up, by itself: a loop around the call.
    pub tries: u32,
}

impl Load {
    /// Calls to the method `work`.
    pub fn new(rate: f64, lasts: Duration, seed: u64) -> Self {
        Self { rate, lasts, seed, method: "work", tries: 1 }
    }

    /// Makes the calls, and waits for the last to end.
    pub async fn run(self, client: &ResilientClient) -> Samples {
        let begin = Instant::now();
        let mut random = fastrand::Rng::with_seed(self.seed);
        let (mut at, mut calls) = (Duration::ZERO, JoinSet::new());
        loop {
            at += Duration::from_secs_f64(-(1.0 - random.f64()).ln() / self.rate);
            if at >= self.lasts {
                break;
            }
            tokio::time::sleep_until(begin + at).await;
            let (client, method, tries) = (client.clone(), self.method, self.tries);
            calls.spawn(async move {
                let called = Instant::now();
                let mut answer = client.call(method, "x").await;
                for _ in 1..tries {
                    if answer.is_err() {
                        answer = client.call(method, "x").await;
                    }
                }
                Sample { at: called - begin, took: called.elapsed(), error: answer.err().map(what) }
            });
        }
        Samples::new(calls.join_all().await)
    }
}

fn what(error: CallError) -> String {
    error.to_string()
}
