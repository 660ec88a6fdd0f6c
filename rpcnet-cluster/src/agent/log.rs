//! What operators read of the cluster's changes.

use crate::membership::{ClusterEvent, Node};

/// One line an event; `warn` for what may need somebody.
pub(super) fn log(event: &ClusterEvent) {
    match event {
        ClusterEvent::NodeJoined(node) => {
            tracing::info!(id = %node.id, label = label(node), addr = %node.addr, "node joined");
        }
        ClusterEvent::NodeLeft(node) => {
            tracing::info!(id = %node.id, label = label(node), addr = %node.addr, "node left");
        }
        ClusterEvent::NodeSuspected { node, phi } => {
            tracing::warn!(id = %node.id, label = label(node), addr = %node.addr, phi, "node suspected");
        }
        ClusterEvent::NodeFailed(node) => {
            tracing::warn!(id = %node.id, label = label(node), addr = %node.addr, "node failed");
        }
        ClusterEvent::NodeRecovered(node) => {
            tracing::info!(id = %node.id, label = label(node), addr = %node.addr, "node recovered");
        }
        ClusterEvent::TagsChanged(node) if node.degraded => {
            tracing::warn!(id = %node.id, label = label(node), tags = ?node.tags, "node says that it is degraded");
        }
        ClusterEvent::TagsChanged(node) => {
            tracing::debug!(id = %node.id, label = label(node), tags = ?node.tags, "tags changed");
        }
        ClusterEvent::PartitionDetected { minority, majority } => {
            tracing::warn!(
                minority = minority.len(),
                majority = majority.len(),
                ?minority,
                "the network is split"
            );
        }
        ClusterEvent::PartitionChanged { minority, majority } => {
            tracing::warn!(
                minority = minority.len(),
                majority = majority.len(),
                ?minority,
                "the split has changed"
            );
        }
        ClusterEvent::ViewsMerged { rejoined, missing } => {
            tracing::info!(rejoined = rejoined.len(), ?missing, "views are merged after a split");
        }
        ClusterEvent::PartitionHealed { rejoined, missing, duration } => {
            tracing::info!(rejoined = rejoined.len(), ?missing, ?duration, "the split is healed");
        }
        ClusterEvent::MassFailure { nodes } => {
            tracing::warn!(count = nodes.len(), ?nodes, "many processes are gone at once");
        }
        ClusterEvent::Lagged { .. } => {}
    }
}

/// The node's name for people; a field that is `None` is not printed.
fn label(node: &Node) -> Option<&str> {
    Some(&*node.label).filter(|label| !label.is_empty())
}
