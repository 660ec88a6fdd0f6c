//! Networks that fall apart, and heal.

use fastrand::Rng;

use super::super::script::{Act, Script};
use super::{all, secs, settled};

/// The first `small` nodes against the others.
pub(super) fn two(nodes: usize, loss: Option<f64>, small: usize) -> Script {
    let mut side = all(nodes);
    let other = side.split_off(small);
    apart(nodes, loss, vec![side, other])
}

pub(super) fn three(nodes: usize, loss: Option<f64>) -> Script {
    let third = nodes.div_ceil(3);
    let sides = all(nodes).chunks(third).map(<[u32]>::to_vec).collect();
    apart(nodes, loss, sides)
}

/// For a minute; each side has to find that the others have failed. A node alone among several finds that it is cut off,
/// and judges nobody, so nothing is expected of it.
fn apart(nodes: usize, loss: Option<f64>, sides: Vec<Vec<u32>>) -> Script {
    let mut script = settled(nodes, loss).at_once(Act::Split { sides: sides.clone(), bridged: false });
    let judges = |side: &Vec<u32>| side.len() > 1 || nodes == 2;
    for (here, observers) in sides.iter().enumerate().filter(|(_, side)| judges(side)) {
        for (_, subjects) in sides.iter().enumerate().filter(|&(there, _)| there != here) {
            let (observers, subjects) = (observers.clone(), subjects.clone());
            script = script.at_once(Act::Expect { observers, subjects });
        }
    }
    let must = sides.iter().filter(|side| reports(side.len(), nodes)).flatten().copied().collect();
    heal(script.at_once(Act::ExpectReports(must)).then(secs(60), Act::Nothing))
}

/// Whether a side has to report that it is cut off from the others: it lost two nodes and a tenth, or is no majority.
fn reports(side: usize, nodes: usize) -> bool {
    let lost = nodes - side;
    lost >= nodes.div_ceil(10).max(2) || side * 2 <= nodes
}

fn heal(script: Script) -> Script {
    script
        .at_once(Act::Mend)
        .at_once(Act::Forgive(secs(60)))
        .at_once(Act::AwaitWhole("whole", secs(120)))
        .at_once(Act::AwaitHealed(secs(60)))
        .then(secs(30), Act::Calm)
}

/// A tenth in the middle reaches both sides, which do not reach each other: everybody is there for everybody.
pub(super) fn bridge(nodes: usize, loss: Option<f64>) -> Script {
    let mut middle = all(nodes);
    let mut left = middle.split_off((nodes / 10).max(1));
    let right = left.split_off(left.len() / 2);
    let split = Act::Split { sides: vec![middle, left, right], bridged: true };
    heal(settled(nodes, loss).at_once(split).then(secs(60), Act::Nothing))
}

pub(super) fn flapping(nodes: usize, loss: Option<f64>) -> Script {
    let mut side = all(nodes);
    let other = side.split_off(nodes / 2);
    let mut script = settled(nodes, loss);
    for _ in 0..6 {
        let sides = vec![side.clone(), other.clone()];
        script = script.at_once(Act::Split { sides, bridged: false }).then(secs(20), Act::Mend);
        script = script.then(secs(20), Act::Nothing);
    }
    heal(script)
}

/// Some links lose one direction for five minutes: nobody is to be accused, there are other ways.
pub(super) fn one_way(nodes: usize, loss: Option<f64>, rng: &mut Rng) -> Script {
    let links = (nodes / 10).max(1);
    let cut = (0..links).map(|_| {
        let from = rng.u32(..nodes as u32);
        (from, (from + rng.u32(1..nodes as u32)) % nodes as u32)
    });
    let cut = cut.collect();
    heal(settled(nodes, loss).at_once(Act::Cut(cut)).then(secs(300), Act::Nothing))
}
