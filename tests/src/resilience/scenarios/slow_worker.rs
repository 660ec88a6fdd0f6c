//! One worker of eleven becomes slow.

use std::time::Duration;

use rpcnet::CallOptions;
use rpcnet_cluster::LoadBalancing;

use super::{STRATEGIES, alike, percent, secs};
use crate::resilience::{Figure, Load, Played, Report, Scenario, Service, World};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "slow-worker",
    about: "one of eleven workers takes 2 s for half a minute; nothing is sent again",
    play: |seed| Box::pin(async move { scenario(seed).await }) as Played,
};

async fn scenario(seed: u64) -> Report {
    let mut figures = Vec::new();
    for (key, balancing) in STRATEGIES {
        let share = in_time(balancing, seed).await;
        let what = format!("answered within 1 s, {balancing:?}");
        figures.push(match balancing {
            LoadBalancing::PeakEwma => Figure::goal(key, what, percent(share), "99.9 %", share >= 0.999),
            _ => Figure::beside(key, what, percent(share)),
        });
    }
    Report {
        setting: "11 workers, 167 ms ± 5, any number at once; 1 000 calls/s for 50 s, one attempt each, timeout 1 s; \
                  one worker at 2 s from the 10th second to the 40th, in which the share is counted"
            .into(),
        anchor: "Linkerd 1 (Beyond Round Robin, 2016): round robin 95 %, least loaded 99 %, peak EWMA 99.9 %",
        figures,
    }
}

async fn in_time(balancing: LoadBalancing, seed: u64) -> f64 {
    let world = World::new(seed, alike(11, 167, 5, seed)).await;
    let once = CallOptions::timeout(secs(1)).max_attempts(1).idempotent(true);
    let client = world.client(balancing).with(once);
    let load = tokio::spawn(async move { Load::new(1000.0, secs(50), seed).run(&client).await });
    tokio::time::sleep(secs(10)).await;
    let healthy = Service::Takes { mean: Duration::from_millis(167), spread: Duration::from_millis(5) };
    world.posts[3].work.becomes(Service::Takes { mean: secs(2), spread: Duration::ZERO });
    tokio::time::sleep(secs(30)).await;
    world.posts[3].work.becomes(healthy);
    let samples = load.await.expect("the load does not panic");
    samples.between(secs(10), secs(40)).ok_share()
}
