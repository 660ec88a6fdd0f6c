//! What goes wrong, a file each.

mod black_hole;
mod fast_failer;
mod hedging;
mod kill;
mod metastable;
mod overload;
mod restart;
mod rolling;
mod slow_worker;

use std::time::Duration;

use rpcnet_cluster::LoadBalancing;

use super::{Scenario, Service, Work};

/// All of them, in the order of their names.
pub const SCENARIOS: &[Scenario] = &[
    black_hole::SCENARIO,
    fast_failer::SCENARIO,
    hedging::SCENARIO,
    kill::SCENARIO,
    metastable::SCENARIO,
    overload::SCENARIO,
    restart::SCENARIO,
    rolling::SCENARIO,
    slow_worker::SCENARIO,
];

/// The strategies that are set beside each other, each with the name of its figure.
const STRATEGIES: [(&str, LoadBalancing); 4] = [
    ("round_robin", LoadBalancing::RoundRobin),
    ("random", LoadBalancing::Random),
    ("least_connections", LoadBalancing::LeastConnections),
    ("peak_ewma", LoadBalancing::PeakEwma),
];

/// So many workers that take some milliseconds, more or less, for any number of calls at once.
fn alike(workers: u64, mean_ms: u64, spread_ms: u64, seed: u64) -> Vec<Work> {
    let (mean, spread) = (Duration::from_millis(mean_ms), Duration::from_millis(spread_ms));
    let service = Service::Takes { mean, spread };
    (0..workers).map(|number| Work::new(service, 0, seed * 1000 + number)).collect()
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn percent(share: f64) -> String {
    format!("{:.3} %", share * 100.0)
}
