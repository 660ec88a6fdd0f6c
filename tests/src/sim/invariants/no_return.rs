//! Nobody comes back from the dead on old evidence: only with a higher incarnation, or as a new process.

use std::collections::BTreeMap;

use super::super::core::{Kind, Version};
use super::{Invariant, Seen};

/// By observer, its start, and the node that it saw go: as what it went.
#[derive(Default)]
pub(crate) struct NoReturn {
    gone: BTreeMap<(u32, u32, u32), Version>,
}

impl Invariant for NoReturn {
    fn name(&self) -> &'static str {
        "nobody returns on old evidence"
    }

    fn seen(&mut self, seen: &Seen) -> Result<(), String> {
        let (pair, version) = ((seen.observer, seen.start, seen.change.node), seen.change.version);
        match seen.change.kind {
            Kind::Failed | Kind::Left => {
                self.gone.insert(pair, version);
            }
            Kind::Joined | Kind::Recovered => {
                if self.gone.get(&pair).is_some_and(|gone| version <= *gone) {
                    return Err(format!("{} sees {} again as {version:?}", seen.observer, seen.change.node));
                }
            }
            Kind::Suspected | Kind::Described => {}
        }
        Ok(())
    }
}
