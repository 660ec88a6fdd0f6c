//! A minute of everything at once, and then calm.

use std::time::Duration;

use fastrand::Rng;

use super::super::script::{Act, Script};
use super::{all, ms, secs, settled};

/// How long after the last fault every view must be whole.
const WHOLE_WITHIN: u64 = 60;
/// How long after it what was suspected in the storm may still end in a failure: a lone accuser waits 18 s.
const EXCUSED: Duration = secs(25);

/// Node 0 is everybody's seed: it stalls and loses packets, but never ends. All others suffer everything. Small
/// clusters have too few roads for "nobody fails without a fault" while links are cut at random, so that everybody
/// counts as faulty until the calm.
pub(super) fn chaos(nodes: usize, loss: Option<f64>, rng: &mut Rng) -> Script {
    let mut script = settled(nodes, loss.or(Some(rng.f64() * 0.25))).at_once(Act::Storm);
    script = script.at_once(Act::Roughen { doubled: rng.f64() * 0.1, delayed: rng.f64() * 0.2 });
    let mut absent: Vec<u32> = Vec::new();
    let mut stalled: Vec<u32> = Vec::new();
    for _ in 0..40 {
        let victim = rng.u32(1..nodes as u32);
        let act = fault(rng, nodes, victim, &mut stalled);
        if matches!(act, Act::Crash(_) | Act::Exit(_) | Act::Leave(_)) && !absent.contains(&victim) {
            absent.push(victim);
        }
        script = script.then(ms(rng.u64(100..3_000)), act);
        if !absent.is_empty() && rng.u8(..3) > 0 {
            let back = vec![absent.swap_remove(rng.usize(..absent.len()))];
            // Whoever left has to have gone before its successor is the only one of its name.
            let start = if rng.bool() { Act::Start(back) } else { Act::StartElsewhere(back) };
            script = script.then(ms(rng.u64(..4_000)), start);
        }
        if !stalled.is_empty() && rng.bool() {
            let back = stalled.swap_remove(rng.usize(..stalled.len()));
            script = script.then(ms(rng.u64(..8_000)), Act::Resume(vec![back]));
        }
    }
    script
        .at_once(Act::Mend)
        .at_once(Act::Forgive(EXCUSED))
        .at_once(Act::Loss(0.0))
        .at_once(Act::Roughen { doubled: 0.0, delayed: 0.0 })
        .at_once(Act::Resume(all(nodes)))
        .then(secs(4), Act::Start(absent))
        .at_once(Act::AwaitWhole("whole", secs(WHOLE_WITHIN)))
        // Beyond the time in which the past excuses: calm has to be calm.
        .then(EXCUSED + secs(10), Act::Calm)
}

fn fault(rng: &mut Rng, nodes: usize, victim: u32, stalled: &mut Vec<u32>) -> Act {
    let others: Vec<u32> = all(nodes).into_iter().filter(|&node| node != victim && rng.bool()).collect();
    match rng.u8(..9) {
        0 => Act::Crash(vec![victim]),
        1 => Act::Exit(vec![victim]),
        2 => Act::Leave(vec![victim]),
        3 => Act::Cut(others.into_iter().map(|other| (other, victim)).collect()),
        4 => Act::Cut(others.into_iter().map(|other| (victim, other)).collect()),
        5 => Act::Split { sides: vec![others, vec![victim]], bridged: false },
        6 => {
            let node = rng.u32(..nodes as u32);
            stalled.push(node);
            Act::Stall(vec![node])
        }
        7 => Act::Lossy { nodes: vec![victim], ingress: rng.f64(), egress: rng.f64() },
        _ => Act::Mend,
    }
}
