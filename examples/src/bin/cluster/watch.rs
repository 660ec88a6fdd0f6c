//! What the director tells the program that started it: its table, its events, and the moment of the kill.

use std::time::Duration;

use rpcnet::rpc_trait;
use serde::{Deserialize, Serialize};

/// The director as it is watched.
#[rpc_trait]
pub(crate) trait Watch {
    /// The director's table, and its events from the one of this number on.
    #[rpc(idempotent)]
    async fn report(&self, from_event: u32) -> rpcnet::Result<Report>;

    /// Kills the process of a worker while at least one of the director's calls is in flight to it.
    ///
    /// Asked of the director because nobody else knows that at the moment when it matters. A kill is no thing to repeat,
    /// so the method has no mark: it is sent once.
    async fn kill(&self, label: String, pid: i32) -> rpcnet::Result<Kill>;
}

/// The director's view of the cluster.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// When this was told, on the director's clock.
    pub(crate) at: Duration,
    /// The workers, by label.
    pub(crate) rows: Vec<Row>,
    /// What happened, the oldest first.
    pub(crate) events: Vec<Event>,
}

/// A worker as the director sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) label: String,
    pub(crate) state: String,
    /// How unlikely its silence is, as far as the director itself observes it.
    pub(crate) phi: f64,
    /// The director's calls that it has not answered yet.
    pub(crate) in_flight: u32,
}

/// An event of the director's cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// When, on the director's clock.
    pub(crate) at: Duration,
    /// The label of the node.
    pub(crate) label: String,
    pub(crate) what: What,
}

/// What happened to a node.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum What {
    Joined,
    Left,
    Suspected { phi: f64 },
    Failed,
    Recovered,
}

impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let label = &self.label;
        match self.what {
            What::Joined => write!(f, "{label} joined"),
            What::Left => write!(f, "{label} left"),
            // The director does not observe every worker itself.
            What::Suspected { phi: 0.0 } => write!(f, "{label} is suspected"),
            What::Suspected { phi } => write!(f, "{label} is suspected (phi {phi:.1})"),
            What::Failed => write!(f, "{label} failed"),
            What::Recovered => write!(f, "{label} recovered"),
        }
    }
}

/// A worker was killed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Kill {
    /// When, on the director's clock.
    pub(crate) at: Duration,
    /// How many of the director's calls were in flight to it.
    pub(crate) in_flight: u32,
}
