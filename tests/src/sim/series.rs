//! What happened second by second, for plots.

use std::fmt::Write as _;

/// One second of a run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Second {
    /// Since the beginning, at its end.
    pub(crate) at: u64,
    pub(crate) running: usize,
    pub(crate) sent_per_node: f64,
    /// What the node sent that sent most.
    pub(crate) sent_most: u64,
    /// Since the beginning: accusations heard, failures heard, and those of healthy nodes.
    pub(crate) suspected: u64,
    pub(crate) failed: u64,
    pub(crate) false_failed: u64,
    /// Pairs of a node that runs and one it sees.
    pub(crate) pairs: u64,
}

/// As comma-separated values with a head.
pub(crate) fn csv(seconds: &[Second]) -> String {
    let mut text = String::from(
        "second,running,sent_bytes_per_node,sent_bytes_most,suspected,failed,false_failed,visible_pairs\n",
    );
    for s in seconds {
        let _ = writeln!(
            text,
            "{},{},{:.0},{},{},{},{},{}",
            s.at, s.running, s.sent_per_node, s.sent_most, s.suspected, s.failed, s.false_failed, s.pairs
        );
    }
    text
}
