//! The call that a worker is chosen for: its key, and the dice.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

/// What a [`Strategy`](super::Strategy) may know of the call, and where it gets its chance from.
#[derive(Debug)]
pub struct Pick<'a> {
    pub(super) key: Option<u64>,
    pub(super) random: &'a mut fastrand::Rng,
}

impl Pick<'_> {
    /// A hash of the call's key ([`CallOptions::affinity`](rpcnet::CallOptions::affinity), or its request id), the same in
    /// every process; `None` for a call without one.
    pub fn key(&self) -> Option<u64> {
        self.key
    }

    /// A random number below `limit`, each with the same chance; 0 if `limit` is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { self.random.usize(..limit) }
    }

    /// A random number in `0.0..1.0`.
    pub fn fraction(&mut self) -> f64 {
        self.random.f64()
    }
}

/// The hash that a key stands for, the same in every process. SipHash-1-3 with a key of zeros: it defends nothing.
pub(crate) fn key_of(bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(bytes);
    hasher.finish()
}
