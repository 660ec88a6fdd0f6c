//! What the peers that this node observes say of their side.

use std::collections::BTreeMap;

use crate::membership::NodeId;

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
pub(crate) struct Words(BTreeMap<NodeId, Word>);

impl Words {
    pub(crate) fn heard(&mut self, peer: NodeId, word: Word) {
        self.0.insert(peer, word);
    }

    /// Keeps the words of these peers, which are as few as a node observes.
    pub(crate) fn only(&mut self, observed: &[NodeId]) {
        self.0.retain(|peer, _| observed.contains(peer));
    }

    /// Two thirds of them say so; without any there is nobody to disagree.
    pub(crate) fn agree(&self, observed: &[NodeId], says: impl Fn(&Word) -> bool) -> bool {
        let agreeing = observed.iter().filter(|peer| self.0.get(peer).is_some_and(&says)).count();
        agreeing * 3 >= observed.len() * 2
    }

    /// More than half of those that were heard know themselves to be in a minority.
    pub(crate) fn mostly_minority(&self) -> bool {
        self.0.values().filter(|word| word.minority).count() * 2 > self.0.len()
    }
}
