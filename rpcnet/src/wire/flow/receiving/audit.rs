//! What a stream that comes in holds, counted anew.

use super::Receiving;

impl Receiving {
    /// The bytes of its window that have come and are not read, with what the reader holds.
    pub(in crate::wire) fn audit(&self) -> usize {
        let held = self.partial_cost + self.unread + self.taken;
        if self.is_open() {
            assert_eq!(self.credit + self.owed + held, self.window, "the window is what its parts are");
        }
        held
    }
}
