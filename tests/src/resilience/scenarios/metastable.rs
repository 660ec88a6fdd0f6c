//! A short slow-down that resends would keep alive.

use std::time::Duration;

use rpcnet::CallOptions;
use rpcnet_cluster::{LoadBalancing, Resilience};

use super::secs;
use crate::resilience::{Figure, Load, Played, Report, Samples, Scenario, Service, Work, World};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "metastable",
    about: "four workers are slow for 650 ms; every call would be sent four times",
    play: |seed| Box::pin(async move { scenario(seed).await }) as Played,
};

const SERVICE: Service = Service::Takes { mean: Duration::from_millis(25), spread: Duration::ZERO };
const SLOW: Service = Service::Takes { mean: Duration::from_millis(675), spread: Duration::ZERO };
const BEGIN: Duration = Duration::from_secs(10);
const SLOW_FOR: Duration = Duration::from_millis(650);
const LASTS: Duration = Duration::from_secs(60);

async fn scenario(seed: u64) -> Report {
    // The same workers, called by a loop of the caller's own and by the client as it is.
    let call = CallOptions::timeout(Duration::from_millis(200)).idempotent(true).max_attempts(1);
    let jammed = normal_after(&play(seed, call, Resilience::default().throttle(false), 4).await);
    let call = CallOptions::timeout(Duration::from_millis(400)).idempotent(true).max_attempts(4);
    let ours = normal_after(&play(seed, call, Resilience::default(), 1).await);
    let goal = Duration::from_secs(2);
    Report {
        setting: "4 workers, one call at a time, 25 ms, that finish what their callers have given up; 50 calls/s for 60 s, 200 ms an \
                  attempt, up to 4 attempts; what begins within 650 ms from the 10th second on takes 675 ms. Normal: nine of ten \
                  calls of each of three seconds in a row are answered"
            .into(),
        anchor: "Bronson et al., Metastable Failures in Distributed Systems (HotOS 2021); such a loop stayed jammed for 29 s and more",
        figures: vec![
            Figure::beside("loop_s", "normal again with a loop of four tries, after", seconds(jammed)),
            Figure::goal("normal_s", "normal again with the retry budget, after", seconds(ours), "at most 2 s", ours <= goal),
        ],
    }
}

async fn play(seed: u64, options: CallOptions, settings: Resilience, tries: u32) -> Samples {
    let work = (0..4).map(|number| Work::new(SERVICE, 1, seed * 1000 + number)).collect();
    let world = World::new(seed, work).await;
    let client = world.client(LoadBalancing::RoundRobin).resilience(settings).with(options);
    let load = Load { method: "work_on", tries, ..Load::new(50.0, LASTS, seed) };
    let load = tokio::spawn(async move { load.run(&client).await });
    tokio::time::sleep(BEGIN).await;
    world.posts.iter().for_each(|post| post.work.becomes(SLOW));
    tokio::time::sleep(SLOW_FOR).await;
    world.posts.iter().for_each(|post| post.work.becomes(SERVICE));
    load.await.expect("the load does not panic")
}

/// After the end of the slow-down.
fn normal_after(samples: &Samples) -> Duration {
    let over = BEGIN + SLOW_FOR;
    let well = |from: Duration| {
        (0..3).all(|second| samples.between(from + secs(second), from + secs(second + 1)).ok_share() >= 0.9)
    };
    let tenths = (0..).map(|tenth| Duration::from_millis(100) * tenth);
    let mut after = tenths.take_while(|after| over + *after + secs(3) <= LASTS);
    after.find(|after| well(over + *after)).unwrap_or(LASTS - over)
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
