//! A few answers are ten times slower than the rest.

use std::time::Duration;

use rpcnet::{CallOptions, Hedge};
use rpcnet_cluster::LoadBalancing;

use super::{alike, percent, secs};
use crate::resilience::{Figure, Load, Played, Report, Samples, Scenario, Service, World, ms};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "hedging",
    about: "3 % of the answers are ten times slower; a second worker is asked after the 95th percentile",
    play: |seed| Box::pin(async move { scenario(seed).await }) as Played,
};

const MEAN: Duration = Duration::from_millis(20);

async fn scenario(seed: u64) -> Report {
    let mut figures = Vec::new();
    for (share, key_p99, key_more) in
        [(0.03, "p99_3", "more_3"), (0.05, "p99_5", "more_5"), (0.10, "p99_10", "more_10")]
    {
        let service = Service::Sometimes { mean: MEAN, times: 10, share };
        let (plain, _) = play(service, Hedge::Never, seed).await;
        let (hedged, more) = play(service, Hedge::AtP95, seed).await;
        let (before, after) = (plain.quantile(0.99), hedged.quantile(0.99));
        let saved = 1.0 - after.as_secs_f64() / before.as_secs_f64();
        let what = format!(
            "p99 with {:.0} % slow, {} without hedging: {}, less by",
            share * 100.0,
            ms(before),
            ms(after)
        );
        let calls = format!("more calls with {:.0} % slow", share * 100.0);
        if share < 0.05 {
            figures.push(Figure::goal(key_p99, what, percent(saved), "at least 60 %", saved >= 0.60));
            figures.push(Figure::goal(key_more, calls, percent(more), "at most 6 %", more <= 0.06));
        } else {
            figures.push(Figure::beside(key_p99, what, percent(saved)));
            figures.push(Figure::beside(key_more, calls, percent(more)));
        }
    }
    let uniform = uniform(seed).await;
    figures.push(Figure::goal(
        "more_uniform",
        "more calls when all become three times slower",
        percent(uniform),
        "at most 5 %",
        uniform <= 0.05,
    ));
    Report {
        setting: "5 workers, 20 ms ± 2, any number at once; 500 calls/s for 60 s, after 10 s in which nothing is counted".into(),
        anchor: "The Tail at Scale (CACM 2013): p99.9 from 1 800 to 74 ms for 2 % more calls; others: p99 −60 to −66 % for 5 to 7 %. \
                 From 5 % on the 95th percentile is itself one of the slow answers, so that hedges come late",
        figures,
    }
}

/// What callers saw, and the share of attempts beyond one a call.
async fn play(service: Service, hedge: Hedge, seed: u64) -> (Samples, f64) {
    let world = World::new(seed, alike(5, 20, 2, seed)).await;
    world.posts.iter().for_each(|post| post.work.becomes(service));
    let client =
        world.client(LoadBalancing::RoundRobin).with(CallOptions::new().idempotent(true).hedge(hedge));
    let samples = Load::new(500.0, secs(60), seed).run(&client).await;
    let more = begun(&world) as f64 / samples.count() as f64 - 1.0;
    (samples.between(secs(10), secs(60)), more)
}

async fn uniform(seed: u64) -> f64 {
    let world = World::new(seed, alike(5, 20, 2, seed)).await;
    let client =
        world.client(LoadBalancing::RoundRobin).with(CallOptions::new().idempotent(true).hedge(Hedge::AtP95));
    let load = tokio::spawn(async move { Load::new(500.0, secs(60), seed).run(&client).await });
    tokio::time::sleep(secs(20)).await;
    let slower = Service::Takes { mean: 3 * MEAN, spread: MEAN / 3 };
    world.posts.iter().for_each(|post| post.work.becomes(slower));
    let samples = load.await.expect("the load does not panic");
    begun(&world) as f64 / samples.count() as f64 - 1.0
}

fn begun(world: &World) -> u64 {
    world.posts.iter().map(|post| post.work.begun()).sum()
}
