//! What waits to be sent, counted anew.

use super::Outbox;

impl Outbox {
    /// The bytes that wait.
    pub(in crate::wire) fn audit(&self) -> usize {
        let bulk: usize = self.bulk.iter().map(|bulk| bulk.rest.len()).sum();
        assert_eq!(self.bulk_bytes, bulk, "bytes of long messages");
        let ends: usize = self.bulk.iter().map(|bulk| bulk.then.len()).sum();
        self.ready.len() + bulk + ends
    }
}
