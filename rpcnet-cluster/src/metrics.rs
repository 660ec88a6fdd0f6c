//! What is counted for operators, through the [`metrics`](https://docs.rs/metrics) facade.
//!
//! A program installs the recorder of its choice before it joins a cluster, such as `metrics-exporter-prometheus`. Without one a
//! count costs a few nanoseconds, and nothing is kept. Only changes of circuits have labels, which worker it was among them: at most
//! [`WORKERS_MAX`] different ones. For all else that is in the log, in spans and in [`health_dashboard`](crate::health_dashboard).
//!
//! Several nodes in one process, as in tests, count together, and the gauge is that of whoever heard of a change last.

use std::{collections::BTreeSet, net::SocketAddr};

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use parking_lot::Mutex;
use rpcnet::{Reason, Status};

use crate::{
    dispatch::CircuitState,
    membership::{ClusterEvent, NodeId},
};

/// One metric.
///
/// ```
/// use rpcnet_cluster::metrics::METRICS;
///
/// let labelled: Vec<_> = METRICS.iter().filter(|metric| !metric.labels.is_empty()).collect();
/// assert_eq!(labelled[0].labels, ["worker", "to"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// Its name for the recorder.
    pub name: &'static str,
    /// Whether it can go down: a gauge. The others are counters.
    pub is_gauge: bool,
    /// The labels that each of its values has.
    pub labels: &'static [&'static str],
    /// What it says.
    pub meaning: &'static str,
}

const NODE_FAILURES: &str = "cluster.node_failures";
const PARTITIONS: &str = "cluster.partitions";
const HEALTHY_NODES: &str = "cluster.healthy_nodes";
const NODE_CRASH: &str = "failures.node_crash";
const TIMEOUT: &str = "failures.timeout";
const PARTITION: &str = "failures.partition";
const RETRIES: &str = "calls.retries";
const BUDGET_EXHAUSTED: &str = "calls.budget_exhausted";
const HEDGES: &str = "calls.hedges";
const HEDGES_WON: &str = "calls.hedges_won";
const SHED: &str = "calls.shed";
const HELD_BACK: &str = "calls.held_back";
const CIRCUIT_OPENED: &str = "circuit.opened";
const CIRCUIT_CHANGES: &str = "circuit.changes";

/// How many workers a process tells apart in labels, by their node's label, or else by their address. Recorders keep a series for
/// each for ever, and workers come and go; those that come after so many are `others` together.
pub const WORKERS_MAX: usize = 1_024;

/// The workers that have been named.
static NAMED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Every metric there is.
///
/// ```
/// use rpcnet_cluster::metrics::METRICS;
///
/// for metric in &METRICS {
///     println!("{} {}: {}", metric.name, if metric.is_gauge { "gauge" } else { "counter" }, metric.meaning);
/// }
/// ```
pub const METRICS: [Metric; 14] = [
    counted(NODE_FAILURES, "nodes that this node was told have failed"),
    counted(PARTITIONS, "splits of the network that this node has noticed"),
    Metric { is_gauge: true, ..counted(HEALTHY_NODES, "members that nobody suspects, this node among them") },
    counted(NODE_CRASH, "attempts whose worker could not be reached, or whose connection broke"),
    counted(TIMEOUT, "attempts that were not answered in time"),
    counted(PARTITION, "attempts that a worker refused because it has lost its quorum"),
    counted(RETRIES, "attempts after the first one of their call, hedges not counted"),
    counted(BUDGET_EXHAUSTED, "calls that failed because the budget of retries was empty"),
    counted(HEDGES, "second attempts that were sent because the first one took long"),
    counted(HEDGES_WON, "second attempts that were answered first"),
    counted(SHED, "calls that were not sent because every worker had too much to do (`max_load`)"),
    counted(HELD_BACK, "calls that were not sent because workers refuse most of them (`throttle`)"),
    counted(
        CIRCUIT_OPENED,
        "times a worker was taken out of use because its calls fail or it cannot be reached",
    ),
    Metric {
        labels: &["worker", "to"],
        ..counted(CIRCUIT_CHANGES, "changes of a worker's circuit, to `closed`, `open` or `half_open`")
    },
];

const fn counted(name: &'static str, meaning: &'static str) -> Metric {
    Metric { name, is_gauge: false, labels: &[], meaning }
}

/// Tells the recorder what each metric means.
pub(crate) fn describe() {
    for Metric { name, is_gauge, meaning, .. } in METRICS {
        if is_gauge {
            describe_gauge!(name, Unit::Count, meaning);
        } else {
            describe_counter!(name, Unit::Count, meaning);
        }
    }
}

/// The members that nobody suspects, as the events tell.
#[derive(Debug, Default)]
pub(crate) struct HealthyNodes(BTreeSet<NodeId>);

impl HealthyNodes {
    /// Counts what a node is told.
    pub(crate) fn note(&mut self, event: &ClusterEvent) {
        match event {
            ClusterEvent::NodeJoined(node) | ClusterEvent::NodeRecovered(node) => {
                self.0.insert(node.id);
            }
            ClusterEvent::NodeSuspected { node, .. } | ClusterEvent::NodeLeft(node) => {
                self.0.remove(&node.id);
            }
            ClusterEvent::NodeFailed(node) => {
                counter!(NODE_FAILURES).increment(1);
                self.0.remove(&node.id);
            }
            ClusterEvent::PartitionDetected { .. } => counter!(PARTITIONS).increment(1),
            _ => return,
        }
        gauge!(HEALTHY_NODES).set(self.0.len() as f64);
    }
}

/// An attempt failed.
pub(crate) fn attempt_failed(status: &Status) {
    match status.reason() {
        Reason::ConnectFailed | Reason::ConnectionLost => counter!(NODE_CRASH).increment(1),
        Reason::Deadline => counter!(TIMEOUT).increment(1),
        Reason::QuorumLost => counter!(PARTITION).increment(1),
        _ => {}
    }
}

pub(crate) fn retried() {
    counter!(RETRIES).increment(1);
}

pub(crate) fn budget_exhausted() {
    counter!(BUDGET_EXHAUSTED).increment(1);
}

pub(crate) fn hedged() {
    counter!(HEDGES).increment(1);
}

pub(crate) fn hedge_won() {
    counter!(HEDGES_WON).increment(1);
}

pub(crate) fn shed() {
    counter!(SHED).increment(1);
}

pub(crate) fn held_back() {
    counter!(HELD_BACK).increment(1);
}

pub(crate) fn circuit_opened() {
    counter!(CIRCUIT_OPENED).increment(1);
}

/// The circuit of a worker has changed.
pub(crate) fn circuit_changed(label: &str, addr: SocketAddr, to: CircuitState) {
    let to = match to {
        CircuitState::Closed => "closed",
        CircuitState::Open => "open",
        CircuitState::HalfOpen => "half_open",
    };
    let name = if label.is_empty() { addr.to_string() } else { label.to_owned() };
    counter!(CIRCUIT_CHANGES, "worker" => named(&mut NAMED.lock(), name), "to" => to).increment(1);
}

/// What a worker is called in labels.
fn named(named: &mut BTreeSet<String>, name: String) -> String {
    if named.len() < WORKERS_MAX {
        named.insert(name.clone());
    }
    if named.contains(&name) { name } else { "others".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_that_come_and_go_for_ever_do_not_become_labels_for_ever() {
        let mut names = BTreeSet::new();
        let labels: BTreeSet<_> =
            (0..10_000).map(|number| named(&mut names, format!("worker-{number}"))).collect();
        assert_eq!((labels.len(), names.len()), (WORKERS_MAX + 1, WORKERS_MAX));
        assert_eq!(named(&mut names, "worker-7".to_owned()), "worker-7", "who has a name keeps it");
    }
}
