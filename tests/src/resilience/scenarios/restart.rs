//! Everything is down, and comes back one by one.

use std::time::Duration;

use rpcnet::CallOptions;
use rpcnet_cluster::LoadBalancing;

use super::secs;
use crate::resilience::{Figure, Load, Played, Report, Scenario, Service, Work, World, ms};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "restart",
    about: "all workers are down for 10 s, then start again one by one",
    play: |seed| Box::pin(async move { scenario(seed).await }) as Played,
};

/// Between one worker's start and the next.
const STEP: Duration = Duration::from_secs(3);

async fn scenario(seed: u64) -> Report {
    let service = Service::Takes { mean: Duration::from_millis(20), spread: Duration::from_millis(2) };
    let work = (0..4).map(|number| Work::new(service, 0, seed * 1000 + number)).collect();
    let mut world = World::new(seed, work).await;
    let client = world.client(LoadBalancing::PeakEwma).with(CallOptions::timeout(secs(1)).idempotent(true));
    let load = tokio::spawn(async move { Load::new(200.0, secs(32), seed).run(&client).await });
    tokio::time::sleep(secs(5)).await;
    world.posts.iter().for_each(|post| post.node.kill());
    tokio::time::sleep(secs(10)).await;
    for number in 0..4 {
        world.restart(number).await;
        tokio::time::sleep(STEP).await;
    }
    let samples = load.await.expect("the load does not panic");
    let goodput: Vec<_> = (0..4)
        .map(|step| samples.between(secs(15) + STEP * step, secs(15) + STEP * (step + 1)).ok_share())
        .collect();
    let monotone = goodput.windows(2).all(|pair| pair[1] >= pair[0] - 0.01);
    let first = samples
        .iter()
        .find(|sample| sample.ok() && sample.at + sample.took >= secs(15))
        .map(|sample| sample.at + sample.took - secs(15))
        .unwrap_or(secs(99));
    let shares: Vec<_> = goodput.iter().map(|share| format!("{:.3}", share)).collect();
    let last = samples.between(secs(27), secs(32)).failed();
    Report {
        setting: "4 workers, 20 ms ± 2; 200 calls/s for 32 s, timeout 1 s; all killed in the 5th second, the first started again in \
                  the 15th, the others 3 s after each other"
            .into(),
        anchor: "none published",
        figures: vec![
            Figure::goal("first_ms", "first good answer after the first is back", ms(first), "at most 1.5 s", first <= Duration::from_millis(1500)),
            Figure::goal("recovery", "share of good answers, by steps of 3 s", shares.join("/"), "never falls", monotone),
            Figure::goal("last_failed", "failed calls once all are back", last, "0", last == 0),
        ],
    }
}
