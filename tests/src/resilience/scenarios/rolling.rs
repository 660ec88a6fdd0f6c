//! Each worker is shut down and started again, one after the other.

use std::time::Duration;

use rpcnet::CallOptions;
use rpcnet_cluster::LoadBalancing;

use super::{alike, secs};
use crate::resilience::{Figure, Load, Played, Report, Scenario, World, ms};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "rolling",
    about: "each of four workers is shut down and started again under load; no call may be sent twice",
    play: |seed| Box::pin(async move { scenario(seed).await }) as Played,
};

async fn scenario(seed: u64) -> Report {
    let mut world = World::new(seed, alike(4, 50, 10, seed)).await;
    // At most once: nothing hides a call that was lost.
    let client = world.client(LoadBalancing::PeakEwma).with(CallOptions::timeout(secs(5)));
    let load = tokio::spawn(async move { Load::new(200.0, secs(40), seed).run(&client).await });
    for number in 0..4 {
        tokio::time::sleep(secs(3)).await;
        world.posts[number].node.shutdown().await;
        tokio::time::sleep(secs(2)).await;
        world.restart(number).await;
    }
    let samples = load.await.expect("the load does not panic");
    let (failed, worst) = (samples.failed(), samples.worst());
    let why = samples.first_error().map(|error| format!(": {error}")).unwrap_or_default();
    Report {
        setting: "4 workers, 50 ms ± 10; 200 calls/s for 40 s, at most once; each worker shut down after 3 s, away for 2 s".into(),
        anchor: "none published",
        figures: vec![
            Figure::goal("failed", format!("failed calls of {}{why}", samples.count()), failed, "0", failed == 0),
            Figure::goal("worst_ms", "the longest call", ms(worst), "at most 200 ms", worst <= Duration::from_millis(200)),
        ],
    }
}
