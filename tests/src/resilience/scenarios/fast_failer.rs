//! A worker that fails at once looks idle.

use std::time::Duration;

use rpcnet::CallOptions;
use rpcnet_cluster::LoadBalancing;

use super::{STRATEGIES, alike, percent, secs};
use crate::resilience::{Figure, Load, Played, Report, Scenario, Service, World};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "fast-failer",
    about: "one of five workers panics after 10 µs",
    play: |seed| Box::pin(async move { scenario(seed).await }) as Played,
};

/// The share of a worker among five that are alike.
const FAIR: f64 = 0.2;

async fn scenario(seed: u64) -> Report {
    let mut figures = Vec::new();
    for (key, balancing) in STRATEGIES {
        let share = share(balancing, seed).await;
        let what = format!("its share of the attempts, {balancing:?}");
        figures.push(Figure::goal(key, what, percent(share), "under 20 %", share < FAIR));
    }
    Report {
        setting: "5 workers, 20 ms ± 2, one of which panics after 10 µs from the 5th second on; 500 calls/s for 15 s, \
                  idempotent; its share is counted from the 6th second on"
            .into(),
        anchor: "least connections and peak EWMA by themselves send it most of the calls",
        figures,
    }
}

async fn share(balancing: LoadBalancing, seed: u64) -> f64 {
    let world = World::new(seed, alike(5, 20, 2, seed)).await;
    let client = world.client(balancing).with(CallOptions::new().idempotent(true));
    let load = tokio::spawn(async move { Load::new(500.0, secs(15), seed).run(&client).await });
    let begun = || world.posts.iter().map(|post| post.work.begun()).collect::<Vec<_>>();
    tokio::time::sleep(secs(5)).await;
    world.posts[2].work.becomes(Service::Panics(Duration::from_micros(10)));
    tokio::time::sleep(secs(1)).await;
    let before = begun();
    load.await.expect("the load does not panic");
    let since: Vec<_> = begun().iter().zip(before).map(|(now, then)| now - then).collect();
    since[2] as f64 / since.iter().sum::<u64>() as f64
}
