//! Everything at once, from a seed, and then calm: whoever runs sees whoever runs.

use fastrand::Rng;

use super::super::NodeState;
use super::net::{Net, addr, ms, secs};

/// Nodes 0 and 1 are everybody's seeds and only ever lose packets or stall; the others suffer everything.
const SEEDS: usize = 2;

/// A minute of faults. Returns how many of each kind there were.
fn storm(net: &mut Net, rng: &mut Rng, nodes: usize) -> [u32; 5] {
    let mut faults = [0; 5];
    net.loss = rng.f64() * 0.25;
    for _ in 0..40 {
        let victim = rng.usize(SEEDS..nodes);
        let kind = rng.usize(..5);
        faults[kind] += 1;
        match kind {
            0 => net.exit(victim),
            1 => (0..nodes).filter(|_| rng.bool()).for_each(|other| net.cut(other, victim)),
            2 => (0..nodes).filter(|_| rng.bool()).for_each(|other| net.cut(victim, other)),
            3 => stall(net, rng, nodes),
            _ => net.mend(),
        }
        net.run_for(ms(rng.u64(100..3_000)));
        let back = rng.usize(SEEDS..nodes);
        if !net.is_running(back) {
            net.restart(back, addr(back), &[addr(0), addr(1)]);
        }
    }
    faults
}

fn stall(net: &mut Net, rng: &mut Rng, nodes: usize) {
    let stalled = rng.usize(..nodes);
    if net.is_running(stalled) {
        net.pause(stalled);
        net.run_for(ms(rng.u64(100..12_000)));
        net.resume(stalled);
    }
}

fn story(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let nodes = rng.usize(4..10);
    let mut net = Net::settled(nodes, seed);
    let faults = storm(&mut net, &mut rng, nodes);
    net.mend();
    net.loss = 0.0;
    let running: Vec<_> = net.running().collect();
    let whole = |net: &Net| {
        let alive = |observer: usize, subject: usize| net.state(observer, subject) == Some(NodeState::Alive);
        net.all_see(running.len()) && running.iter().all(|&a| running.iter().all(|&b| alive(a, b)))
    };
    let took = net.run_until(secs(40), whole);
    assert!(took.is_some(), "seed {seed}: {nodes} nodes, {faults:?}, not whole after 40 s of calm");
    net.run_for(secs(20));
    assert!(whole(&net), "seed {seed}: whole, and then not any more");
    net.assert_views_fold();
}

#[test]
fn after_any_storm_whoever_runs_sees_whoever_runs() {
    (0..12).for_each(story);
}
