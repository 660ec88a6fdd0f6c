//! A worker's packets vanish: nothing refuses, nothing answers.

use std::time::Duration;

use rpcnet::CallOptions;
use rpcnet_cluster::LoadBalancing;

use super::{alike, secs};
use crate::resilience::{Figure, Load, Played, Report, Scenario, World, ms};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "black-hole",
    about: "the packets between the callers and one of three workers vanish; calls are idempotent",
    play: |seed| Box::pin(async move { scenario(seed).await }) as Played,
};

async fn scenario(seed: u64) -> Report {
    let world = World::new(seed, alike(3, 20, 2, seed)).await;
    let options = CallOptions::timeout(secs(2)).idempotent(true);
    let client = world.client(LoadBalancing::PeakEwma).with(options);
    let load = tokio::spawn(async move { Load::new(300.0, secs(30), seed).run(&client).await });
    tokio::time::sleep(secs(5)).await;
    world.cluster.network().cut(world.caller.ip(), world.posts[1].node.ip());
    let samples = load.await.expect("the load does not panic");
    let slow = samples.iter().filter(|sample| sample.took > Duration::from_millis(500)).count();
    let (attempt, worst) = (secs(1), samples.worst());
    Report {
        setting: "3 workers, 20 ms ± 2; 300 calls/s for 30 s, timeout 2 s, so that an attempt has 1 s; the cut comes after 5 s \
                  and stays"
            .into(),
        anchor: "none published",
        figures: vec![
            Figure::goal("failed", format!("failed calls of {}", samples.count()), samples.failed(), "0", samples.failed() == 0),
            Figure::goal("worst_ms", "the longest call", ms(worst), "an attempt and 100 ms", worst <= attempt + Duration::from_millis(100)),
            Figure::beside("waited", "calls that waited for it, over 500 ms", slow),
        ],
    }
}
