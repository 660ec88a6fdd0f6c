//! One process of the cluster: a node that tells its standard output what it sees, and ends with its standard input.

use rpcnet_cluster::{ClusterEvent, ClusterMembership, Node};
use rpcnet_tests::out;
use tokio::io::AsyncReadExt;

use crate::{Outcome, ledger};

/// The argument that makes this program a node.
pub(crate) const NODE: &str = "--node";

/// `bind state seeds…`
pub(crate) async fn run(words: &[String]) -> Outcome<()> {
    let [bind, state, seeds @ ..] = words else { return Err("--node BIND STATE SEEDS…".into()) };
    let node = ClusterMembership::builder().bind(bind).state_file(state).seeds(seeds).allow_plaintext();
    let node = node.join().await?;
    tell(&format!("id {}", node.local_node_id()))?;
    ledger::serve(&node).await?;
    let mut events = node.subscribe();
    let mut parent = tokio::io::stdin();
    let mut byte = [0];
    loop {
        tokio::select! {
            event = events.recv() => match event.as_ref().and_then(line) {
                Some(line) => tell(&line)?,
                None if event.is_none() => return Ok(()),
                None => {}
            },
            // Nothing is ever written there: it ends when whoever started this process does.
            _ = parent.read(&mut byte) => std::process::exit(0),
        }
    }
}

fn line(event: &ClusterEvent) -> Option<String> {
    let said = |what: &str, node: &Node| Some(format!("{what} {} {}", node.id, node.addr));
    match event {
        ClusterEvent::NodeJoined(node) => said("joined", node),
        ClusterEvent::NodeLeft(node) => said("left", node),
        ClusterEvent::NodeSuspected { node, .. } => said("suspected", node),
        ClusterEvent::NodeFailed(node) => said("failed", node),
        ClusterEvent::NodeRecovered(node) => said("recovered", node),
        ClusterEvent::PartitionDetected { .. } => Some("split".to_owned()),
        ClusterEvent::PartitionHealed { .. } => Some("healed".to_owned()),
        _ => None,
    }
}

pub(crate) fn tell(line: &str) -> std::io::Result<()> {
    out::line(format_args!("{line}"))
}
