//! Scenarios in which nobody fails.

use std::time::Duration;

use super::super::script::{Act, Script};
use super::{booted, secs, settled};

pub(super) fn bootstrap(nodes: usize, loss: Option<f64>) -> Script {
    booted(nodes, loss).then(secs(5), Act::Calm)
}

pub(super) fn calm(nodes: usize, loss: Option<f64>, lasts: Duration) -> Script {
    let script = settled(nodes, loss).at_once(Act::OpenWindow).then(lasts, Act::CloseWindow);
    script.at_once(Act::Calm)
}
