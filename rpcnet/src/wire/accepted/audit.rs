//! What the calls of the peer hold, counted anew.

use super::{Accepted, Gathering, Running, Slot};
use crate::wire::audit::Held;

impl Accepted {
    pub(in crate::wire) fn stopped_count(&self) -> usize {
        self.stopped.len()
    }

    /// Adds what is held, and holds it against the counts that are kept.
    pub(in crate::wire) fn audit(&self, held: &mut Held) {
        let (mut live, mut streams, mut incomplete) = (0, 0, 0);
        for slot in &self.slots {
            live += usize::from(!matches!(slot, Slot::Free));
            match slot {
                Slot::Gathering(gathering) => {
                    let Gathering { head, message, .. } = &**gathering;
                    streams += u32::from(head.streaming);
                    incomplete += message.len();
                }
                Slot::Running(Running { flow: Some(flow), .. }) => {
                    streams += 1;
                    incomplete += flow.receiving.partial_len();
                    held.unread += flow.receiving.audit();
                }
                Slot::Running(_) | Slot::Discarding(_) | Slot::Free => {}
            }
        }
        assert_eq!(self.live, live, "calls that are not over");
        assert_eq!(self.streams, streams, "calls with streams");
        assert_eq!(self.buffered, incomplete, "bytes of incomplete messages");
        held.accepted += live;
        held.incomplete += incomplete;
    }
}
