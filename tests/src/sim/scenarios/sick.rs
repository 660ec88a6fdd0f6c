//! Nodes that are there and not well.

use std::time::Duration;

use fastrand::Rng;

use super::super::script::{Act, Script};
use super::{all, ms, pick, secs, settled, without};

/// How long a process runs and how long it stops, in milliseconds.
#[derive(Clone, Copy)]
pub(super) struct Rhythm {
    runs: (u64, u64),
    stops: (u64, u64),
}

/// Lifeguard's test: stops of 1 to 30 s, with time to recover between.
pub(super) const SLOW: Rhythm = Rhythm { runs: (1_000, 30_000), stops: (1_000, 30_000) };
/// Starved of CPU: it runs in short slices.
pub(super) const STARVED: Rhythm = Rhythm { runs: (1, 200), stops: (200, 5_000) };

/// Five minutes in which a quarter of the members, but at most 32, stop and go.
pub(super) fn stalling(nodes: usize, loss: Option<f64>, rng: &mut Rng, rhythm: Rhythm) -> Script {
    let victims = pick(rng, nodes, (nodes / 4).clamp(1, 32));
    let mut moments: Vec<(Duration, Act)> = Vec::new();
    for &victim in &victims {
        let mut at = ms(rng.u64(rhythm.runs.0..rhythm.runs.1));
        while at < secs(300) {
            moments.push((at, Act::Stall(vec![victim])));
            at += ms(rng.u64(rhythm.stops.0..rhythm.stops.1));
            moments.push((at, Act::Resume(vec![victim])));
            at += ms(rng.u64(rhythm.runs.0..rhythm.runs.1));
        }
    }
    moments.sort_by_key(|(at, _)| *at);
    let (mut script, mut before) = (settled(nodes, loss).at_once(Act::OpenWindow), Duration::ZERO);
    for (at, act) in moments {
        script = script.then(at - before, act);
        before = at;
    }
    script.at_once(Act::CloseWindow).at_once(Act::AwaitWhole("whole", secs(60))).then(secs(10), Act::Calm)
}

/// The last node stands still again and again, each time long enough to be accused and too short to be failed.
pub(super) fn by_turns(nodes: usize, loss: Option<f64>) -> Script {
    let victim = || vec![nodes as u32 - 1];
    let mut script = settled(nodes, loss).at_once(Act::OpenWindow);
    for _ in 0..13 {
        script = script.then(secs(10), Act::Stall(victim())).then(secs(4), Act::Resume(victim()));
    }
    script.at_once(Act::CloseWindow).at_once(Act::AwaitWhole("whole", secs(60))).then(secs(10), Act::Calm)
}

/// The last node hears nothing any more, but still talks.
pub(super) fn deaf(nodes: usize, loss: Option<f64>) -> Script {
    let victims = vec![nodes as u32 - 1];
    let observers = without(nodes, &victims);
    settled(nodes, loss)
        .at_once(Act::Lossy { nodes: victims.clone(), ingress: 1.0, egress: 0.0 })
        .at_once(Act::Expect { observers, subjects: victims })
        .at_once(Act::AwaitKnown(secs(60)))
        .then(secs(5), Act::Mend)
        .at_once(Act::Forgive(secs(60)))
        .at_once(Act::AwaitWhole("whole", secs(60)))
        // A quorum is held again after five seconds.
        .then(secs(10), Act::Calm)
}

fn few(nodes: usize) -> Vec<u32> {
    let count = (nodes / 100).max(1);
    all(nodes).split_off(nodes - count)
}

/// For ten minutes a hundredth of the nodes loses these shares of what comes in and goes out.
pub(super) fn lossy(nodes: usize, loss: Option<f64>, (ingress, egress): (f64, f64)) -> Script {
    settled(nodes, loss)
        .at_once(Act::OpenWindow)
        .at_once(Act::Lossy { nodes: few(nodes), ingress, egress })
        .then(secs(600), Act::CloseWindow)
        .at_once(Act::Mend)
        .at_once(Act::Forgive(secs(60)))
        .at_once(Act::AwaitWhole("whole", secs(120)))
        // A quorum is held again after five seconds.
        .then(secs(10), Act::Calm)
}

/// For ten minutes a hundredth of the nodes hears nothing, every other 20 s (Rapid's test).
pub(super) fn flip_flop(nodes: usize, loss: Option<f64>) -> Script {
    let mut script = settled(nodes, loss).at_once(Act::OpenWindow);
    for _ in 0..15 {
        script = script
            .at_once(Act::Lossy { nodes: few(nodes), ingress: 1.0, egress: 0.0 })
            .then(secs(20), Act::Lossy { nodes: few(nodes), ingress: 0.0, egress: 0.0 })
            .then(secs(20), Act::Nothing);
    }
    script
        .at_once(Act::CloseWindow)
        .at_once(Act::Mend)
        .at_once(Act::Forgive(secs(60)))
        .at_once(Act::AwaitWhole("whole", secs(120)))
        // A quorum is held again after five seconds.
        .then(secs(10), Act::Calm)
}
