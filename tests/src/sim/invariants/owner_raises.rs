//! Generation and incarnation are raised by their owner alone: nobody hears of one that the owner has not reached.

use super::{Invariant, Seen};

pub(crate) struct OwnerRaises;

impl Invariant for OwnerRaises {
    fn name(&self) -> &'static str {
        "only its owner raises an incarnation"
    }

    fn seen(&mut self, seen: &Seen) -> Result<(), String> {
        if seen.change.version <= seen.owner {
            return Ok(());
        }
        let Seen { observer, change, owner, .. } = seen;
        Err(format!("{observer} knows {} as {:?}, which is {owner:?}", change.node, change.version))
    }
}
