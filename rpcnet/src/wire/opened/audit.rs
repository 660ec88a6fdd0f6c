//! What the calls of this end hold, counted anew.

use super::{Open, Opened, Slot};
use crate::wire::audit::Held;

impl Opened {
    pub(in crate::wire) fn stopped_count(&self) -> usize {
        self.stopped.len()
    }

    /// Adds what is held, and holds it against the counts that are kept.
    pub(in crate::wire) fn audit(&self, held: &mut Held) {
        let open = self.slots.iter().filter(|slot| matches!(slot, Slot::Open(_))).count();
        let free = self.slots.iter().filter(|slot| matches!(slot, Slot::Free)).count();
        let streams = self.slots.iter().filter(|slot| matches!(slot, Slot::Open(Open { flow: Some(_), .. })));
        assert_eq!(self.open, open, "calls that are open");
        assert_eq!(self.free.len(), free, "slots that are free");
        assert_eq!(self.streams as usize, streams.count(), "calls with streams");
        held.opened += self.slots.len() - free;
        for slot in &self.slots {
            let flow = match slot {
                Slot::Free => None,
                Slot::Done { flow, .. } => flow.as_deref(),
                Slot::Open(open) => {
                    held.answers += open.reply.as_ref().map_or(0, |reply| reply.1.len());
                    open.flow.as_deref()
                }
            };
            held.unread += flow.map_or(0, |flow| flow.receiving.audit());
        }
    }
}
