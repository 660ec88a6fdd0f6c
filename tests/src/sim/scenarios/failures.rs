//! Hosts that fall silent and processes that end.

use fastrand::Rng;

use super::super::script::{Act, Script};
use super::{ms, pick, secs, settled, without};

/// The longest that anybody may take to find out: one accuser among two nodes waits 18 s.
const FOUND_WITHIN: u64 = 120;

pub(super) fn crash(nodes: usize, loss: Option<f64>, rng: &mut Rng, count: usize) -> Script {
    let victims = pick(rng, nodes, count);
    found(settled(nodes, loss).then(ms(rng.u64(..1_000)), Act::Crash(victims.clone())), nodes, victims)
}

pub(super) fn exit(nodes: usize, loss: Option<f64>, rng: &mut Rng) -> Script {
    let victims = pick(rng, nodes, 1);
    found(settled(nodes, loss).then(ms(rng.u64(..1_000)), Act::Exit(victims.clone())), nodes, victims)
}

pub(super) fn rolling(nodes: usize, loss: Option<f64>, rng: &mut Rng) -> Script {
    let victims = pick(rng, nodes, (nodes / 2).min(10));
    let mut script = settled(nodes, loss);
    for &victim in &victims {
        let observers = without(nodes, &victims);
        script = script
            .then(secs(2), Act::Crash(vec![victim]))
            .at_once(Act::Expect { observers, subjects: vec![victim] });
    }
    script.at_once(Act::AwaitKnown(secs(FOUND_WITHIN))).then(secs(2), Act::Calm)
}

fn found(script: Script, nodes: usize, victims: Vec<u32>) -> Script {
    let observers = without(nodes, &victims);
    script
        .at_once(Act::Expect { observers, subjects: victims })
        .at_once(Act::AwaitKnown(secs(FOUND_WITHIN)))
        .then(secs(2), Act::Calm)
}
