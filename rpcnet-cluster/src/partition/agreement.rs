//! What the peers that this node observes say of their side.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::membership::NodeId;

/// A peer that said nothing for so long is silent: it is probed every second, and one answer may be lost.
const SILENT_AFTER: Duration = Duration::from_secs(3);

/// What every packet says of its sender's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// A hash of whom it sees.
    pub(crate) side: u16,
    /// A hash of all it knows.
    pub(crate) root: u64,
    /// It knows itself to be in the minority of a split.
    pub(crate) minority: bool,
}

/// The last word of each observed peer.
#[derive(Debug, Default)]
pub(crate) struct Words(BTreeMap<NodeId, (Instant, Word)>);

impl Words {
    pub(crate) fn heard(&mut self, now: Instant, peer: NodeId, word: Word) {
        self.0.insert(peer, (now, word));
    }

    /// Keeps the words of these peers, which are as few as a node observes.
    pub(crate) fn only(&mut self, observed: &[NodeId]) {
        self.0.retain(|peer, _| observed.contains(peer));
    }

    /// Two thirds of them say so; without any there is nobody to disagree.
    pub(crate) fn agree(&self, observed: &[NodeId], says: impl Fn(&Word) -> bool) -> bool {
        let agreeing =
            observed.iter().filter(|peer| self.0.get(peer).is_some_and(|(_, word)| says(word))).count();
        agreeing * 3 >= observed.len() * 2
    }

    /// More than half of those that were heard know themselves to be in a minority.
    pub(crate) fn mostly_minority(&self) -> bool {
        self.0.values().filter(|(_, word)| word.minority).count() * 2 > self.0.len()
    }

    /// Two thirds of them have spoken lately. While fewer have, more are missing than is known: nobody is counted out, and
    /// no side is named.
    pub(crate) fn are_fresh(&self, now: Instant, observed: &[NodeId]) -> bool {
        let fresh = |at: Instant| now.saturating_duration_since(at) < SILENT_AFTER;
        let speaking =
            observed.iter().filter(|peer| self.0.get(peer).is_some_and(|&(at, _)| fresh(at))).count();
        speaking * 3 >= observed.len() * 2
    }
}
