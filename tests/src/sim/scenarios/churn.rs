//! Nodes that come and go.

use fastrand::Rng;

use super::super::script::{Act, Script};
use super::{all, ms, secs, settled};

/// Two clusters; each one's nodes also know a seed of the other.
pub(super) fn two_clusters(nodes: usize, loss: Option<f64>) -> Script {
    let mut script = settled(nodes, loss);
    script.two_clusters = true;
    script.seeds = vec![0, 1];
    script.at_once(Act::OpenWindow).then(secs(60), Act::CloseWindow).at_once(Act::Calm)
}

/// A minute in which every second one process ends, leaves or moves, and starts again two seconds later.
pub(super) fn churn(nodes: usize, loss: Option<f64>, rng: &mut Rng) -> Script {
    let mut script = settled(nodes, loss).at_once(Act::OpenWindow);
    let mut absent: Vec<u32> = Vec::new();
    for _ in 0..60 {
        let node = rng.u32(1..nodes as u32);
        let go = if rng.bool() { Act::Exit(vec![node]) } else { Act::Leave(vec![node]) };
        if absent.len() >= 3 || absent.contains(&node) {
            let back = vec![absent.remove(0)];
            let start = if rng.bool() { Act::Start(back) } else { Act::StartElsewhere(back) };
            script = script.at_once(start);
        }
        if !absent.contains(&node) {
            absent.push(node);
            script = script.at_once(go);
        }
        script = script.then(secs(1), Act::Nothing);
    }
    script
        .then(secs(4), Act::Start(absent))
        .at_once(Act::CloseWindow)
        .at_once(Act::AwaitWhole("whole", secs(60)))
        .then(secs(10), Act::Calm)
}

/// Each process in turn leaves, and starts again four seconds later; up to fifty of them.
pub(super) fn rolling_restart(nodes: usize, loss: Option<f64>) -> Script {
    let mut script = settled(nodes, loss).at_once(Act::OpenWindow);
    for node in all(nodes).into_iter().rev().take(50) {
        script = script.at_once(Act::Leave(vec![node])).then(secs(4), Act::Start(vec![node]));
    }
    script.at_once(Act::CloseWindow).at_once(Act::AwaitWhole("whole", secs(60))).then(secs(10), Act::Calm)
}

/// All processes end within a second, the seed too, and start again within five.
pub(super) fn mass_restart(nodes: usize, loss: Option<f64>, rng: &mut Rng) -> Script {
    let mut script = settled(nodes, loss).at_once(Act::Exit(all(nodes)));
    let mut order = all(nodes);
    rng.shuffle(&mut order);
    let pause = ms(5_000 / nodes as u64);
    for node in order {
        script = script.then(pause, Act::Start(vec![node]));
    }
    script.at_once(Act::AwaitWhole("whole", secs(120))).then(secs(10), Act::Calm)
}
