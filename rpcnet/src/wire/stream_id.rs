//! The name of a call on its connection.

use std::fmt;

/// Names a call on its connection: who opened it, a slot, and a sequence number.
///
/// ```text
///  63                      24 23              1   0
/// +--------------------------+-----------------+---+
/// |     sequence number      |      slot       | r |   r = 1: opened by the acceptor of the connection
/// +--------------------------+-----------------+---+
/// ```
///
/// The sequence number grows with every call, so ids are ordered and never used twice: a late answer to an old call meets
/// nobody. The slot is free for the next call once the call has ended, and a new one is taken only when none is free, so both
/// ends find a call's state by indexing instead of hashing, and a hostile peer can choose neither collisions nor memory. At a million calls a second the ids last for 12 days
/// on one connection; the last one closes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StreamId(u64);

impl StreamId {
    /// How many slots the format has room for.
    pub(crate) const SLOTS_MAX: u32 = 1 << 23;
    const SEQUENCE_MAX: u64 = (1 << 40) - 1;

    /// The id of a call. `None` when the connection has used up its sequence numbers.
    pub(crate) fn new(sequence: u64, slot: u32, by_acceptor: bool) -> Option<Self> {
        let fits = sequence <= Self::SEQUENCE_MAX && slot < Self::SLOTS_MAX;
        fits.then_some(Self(sequence << 24 | u64::from(slot) << 1 | u64::from(by_acceptor)))
    }

    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) const fn to_bits(self) -> u64 {
        self.0
    }

    pub(crate) const fn sequence(self) -> u64 {
        self.0 >> 24
    }

    pub(crate) const fn slot(self) -> usize {
        (self.0 as u32 >> 1 & (Self::SLOTS_MAX - 1)) as usize
    }

    pub(crate) const fn by_acceptor(self) -> bool {
        self.0 & 1 == 1
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.sequence(), self.slot())
    }
}
