//! More calls come than the workers can serve.

use std::time::Duration;

use rpcnet::CallOptions;
use rpcnet_cluster::LoadBalancing;

use super::{alike, percent, secs};
use crate::resilience::{Figure, Limits, Load, Played, Report, Samples, Scenario, World, ms};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "overload",
    about: "twice and ten times as many calls come as two workers can serve; nothing is sent again",
    play: |seed| Box::pin(async move { scenario(seed).await }) as Played,
};

const LIMITS: Limits = Limits { running: 4, queued: 8 };
/// Two workers, each of which serves four calls in 20 ms.
const CAPACITY: f64 = 400.0;
/// A place at the end of the queue, and the call itself: three times 20 ms, and what the spread and the network add.
const BOUND: Duration = Duration::from_millis(70);

async fn scenario(seed: u64) -> Report {
    let mut figures = Vec::new();
    for (times, key_good, key_p99) in [(2.0, "goodput_2", "p99_2_ms"), (10.0, "goodput_10", "p99_10_ms")] {
        let samples = play(times * CAPACITY, seed).await.between(secs(1), secs(10));
        let good = (samples.count() - samples.failed()) as f64 / 9.0 / CAPACITY;
        let p99 = samples.quantile(0.99);
        let what = format!("served, of what can be served, at {times:.0} times as many");
        figures.push(Figure::goal(key_good, what, percent(good), "at least 95 %", good >= 0.95));
        let what = format!("p99 of those, at {times:.0} times as many");
        figures.push(Figure::goal(key_p99, what, ms(p99), "at most 70 ms, by the queue", p99 <= BOUND));
    }
    Report {
        setting: "2 workers, 20 ms ± 2, servers that run 4 calls and let 8 wait; 800 and 4 000 calls/s for 10 s, one attempt each, timeout \
                  1 s; counted from the second second on"
            .into(),
        anchor: "without a bound on the queue all calls end up over their deadline (SRE book, Addressing Cascading Failures)",
        figures,
    }
}

async fn play(rate: f64, seed: u64) -> Samples {
    let world = World::limited(seed, alike(2, 20, 2, seed), Some(LIMITS)).await;
    let client = world.client(LoadBalancing::PeakEwma).with(CallOptions::timeout(secs(1)).max_attempts(1));
    Load::new(rate, secs(10), seed).run(&client).await
}
