//! A worker's process ends, as SIGKILL ends it.

use std::time::Duration;

use rpcnet::CallOptions;
use rpcnet_cluster::LoadBalancing;

use super::{alike, secs};
use crate::resilience::{Figure, Load, Played, Report, Scenario, World, ms};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "kill",
    about: "one of three workers is killed under load; calls are idempotent",
    play: |seed| Box::pin(async move { scenario(seed).await }) as Played,
};

async fn scenario(seed: u64) -> Report {
    let world = World::new(seed, alike(3, 20, 2, seed)).await;
    let client = world.client(LoadBalancing::PeakEwma).with(CallOptions::new().idempotent(true));
    let registry = client.registry().clone();
    let load = tokio::spawn(async move { Load::new(300.0, secs(10), seed).run(&client).await });
    tokio::time::sleep(secs(5)).await;
    world.posts[1].node.kill();
    let killed = tokio::time::Instant::now();
    while registry.worker_count() == 3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let by_gossip = killed.elapsed();
    let samples = load.await.expect("the load does not panic");
    let after = samples.between(secs(5), secs(6));
    Report {
        setting:
            "3 workers, 20 ms ± 2; 300 calls/s for 10 s, all settings at their defaults; killed in the middle"
                .into(),
        anchor: "gossip alone takes 6 to 8 s to notice (memberlist and foca, their defaults)",
        figures: vec![
            Figure::goal(
                "failed",
                format!("failed calls of {}", samples.count()),
                samples.failed(),
                "0",
                samples.failed() == 0,
            ),
            Figure::goal(
                "worst_ms",
                "the longest call in the second after",
                ms(after.worst()),
                "at most 100 ms",
                after.worst() <= Duration::from_millis(100),
            ),
            Figure::beside("gossip_ms", "until gossip said so too", ms(by_gossip)),
        ],
    }
}
