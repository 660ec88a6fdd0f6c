//! Claims about the strategies: who is picked, and how often.

mod consistent;
mod fleet;
mod narrowing;
mod newcomers;
mod shares;
mod simulation;
mod turns;
mod weighted;

use super::LoadBalancing;

/// Enough calls for chance to be within a hundredth.
const CALLS: u32 = 100_000;

const ALL: [LoadBalancing; 6] = [
    LoadBalancing::RoundRobin,
    LoadBalancing::Random,
    LoadBalancing::LeastConnections,
    LoadBalancing::PeakEwma,
    LoadBalancing::Weighted,
    LoadBalancing::Consistent,
];

/// How far the shares are from even, as a part of an even share.
fn unevenness(shares: &[u32]) -> f64 {
    let fair = f64::from(shares.iter().sum::<u32>()) / shares.len() as f64;
    shares.iter().map(|share| (f64::from(*share) - fair).abs() / fair).fold(0.0, f64::max)
}

fn assert_even(shares: &[u32], what: impl std::fmt::Debug) {
    let off = unevenness(shares) * 100.0;
    assert!(off <= 2.0, "{what:?}: shares {shares:?} are {off:.1} % off");
}
