//! A hash of everything that happened: two runs that differ anywhere differ here.

use std::time::Duration;

/// FNV-1a over words in place of bytes: collisions do not matter, only that equal runs are equal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trace(u64);

impl Default for Trace {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Trace {
    pub(crate) fn note(&mut self, at: Duration, node: u32, words: [u64; 3]) {
        for word in [at.as_nanos() as u64, u64::from(node)].into_iter().chain(words) {
            self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
        }
    }

    pub(crate) fn value(self) -> u64 {
        self.0
    }
}
