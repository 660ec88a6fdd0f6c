//! Each process is told of one failure of one process once.

use std::collections::BTreeSet;

use super::super::core::{Kind, Version};
use super::{Invariant, Seen};

/// By observer, its start, and what failed.
#[derive(Default)]
pub(crate) struct ToldOnce {
    told: BTreeSet<(u32, u32, u32, Version)>,
}

impl Invariant for ToldOnce {
    fn name(&self) -> &'static str {
        "each failure is told once"
    }

    fn seen(&mut self, seen: &Seen) -> Result<(), String> {
        let Seen { observer, start, change, .. } = seen;
        let once = (*observer, *start, change.node, change.version);
        if change.kind == Kind::Failed && !self.told.insert(once) {
            return Err(format!(
                "{observer} is told twice that {} failed as {:?}",
                change.node, change.version
            ));
        }
        Ok(())
    }
}
