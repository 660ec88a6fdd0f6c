//! What names a request, and what tells its arguments from others: hashes under a key that no caller knows.

use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher as _;
use uuid::Uuid;

use crate::{codec::Codec, descriptor::MethodId, transport::Identity};

/// What names a request: who asks, the method, and the id the caller chose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key<'a> {
    /// Who the caller proved to be. All who proved nothing are one.
    pub(crate) caller: Option<&'a Identity>,
    pub(crate) method: MethodId,
    pub(crate) request_id: Uuid,
}

/// A request's name: 128 bits of a keyed hash of who asks, the method and the id.
///
/// With a million of them the chance that any two are alike is 2⁻⁸⁹, and nobody who does not know the secret can look for two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub(super) [u64; 2]);

/// What tells a request's arguments from others: 128 bits of a keyed hash of their codec and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub(super) [u64; 2]);

/// Whom a record belongs to, for the shares: a hash of the identity; `None` for callers without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallerId(pub(super) Option<u64>);

impl RecordId {
    /// The name as a number: the key of a store.
    pub fn to_bits(self) -> u128 {
        u128::from(self.0[0]) << 64 | u128::from(self.0[1])
    }
}

impl Fingerprint {
    /// The fingerprint as a number.
    pub fn to_bits(self) -> u128 {
        u128::from(self.0[0]) << 64 | u128::from(self.0[1])
    }
}

impl CallerId {
    /// The caller as a number; `None` for all those who proved nothing.
    pub fn to_bits(self) -> Option<u64> {
        self.0
    }
}

/// The key of a server's hashes.
///
/// SipHash-1-3 with 128 bits: a keyed function with a published definition, from a crate that is here already, in a few
/// nanoseconds for arguments of usual size. It is safe against whoever does not know the key, and the key never leaves
/// the process; against one who knows it a cryptographic hash would be needed, and they could read the records anyway.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Secret(u64, u64);

impl Secret {
    /// A new one, from the system's randomness.
    pub(super) fn random() -> Self {
        // Version 4 fixes six bits of each; two ids give more than is needed.
        let ((a, b), (c, d)) = (Uuid::new_v4().as_u64_pair(), Uuid::new_v4().as_u64_pair());
        Self(a ^ c.rotate_left(32), b ^ d.rotate_left(32))
    }

    /// That of a store, which outlives the process.
    pub(super) fn of_store(secret: [u8; 16]) -> Self {
        let bits = u128::from_le_bytes(secret);
        Self((bits >> 64) as u64, bits as u64)
    }

    pub(super) fn record(self, key: Key<'_>) -> RecordId {
        let mut hasher = self.hasher(1);
        hasher.write(&key.method.to_bits().to_le_bytes());
        hasher.write(key.request_id.as_bytes());
        // Last, since it alone has no fixed length.
        hasher.write(key.caller.map_or(&[0][..], |caller| caller.as_str().as_bytes()));
        RecordId(finish(&hasher))
    }

    pub(super) fn caller(self, caller: Option<&Identity>) -> CallerId {
        CallerId(caller.map(|caller| {
            let mut hasher = self.hasher(2);
            hasher.write(caller.as_str().as_bytes());
            finish(&hasher)[0]
        }))
    }

    pub(super) fn fingerprint(self, codec: Codec, arguments: &[u8]) -> Fingerprint {
        let mut hasher = self.hasher(3);
        hasher.write_u8(codec.to_wire());
        hasher.write(arguments);
        Fingerprint(finish(&hasher))
    }

    /// `purpose` keeps the three kinds of hashes apart.
    fn hasher(self, purpose: u8) -> SipHasher13 {
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        hasher.write_u8(purpose);
        hasher
    }
}

fn finish(hasher: &SipHasher13) -> [u64; 2] {
    let hash = hasher.finish128();
    [hash.h1, hash.h2]
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key<'a>(caller: Option<&'a Identity>, method: &str, id: u128) -> Key<'a> {
        Key { caller, method: MethodId::of(method), request_id: Uuid::from_u128(id) }
    }

    #[test]
    fn another_caller_method_or_id_is_another_request() {
        let (secret, ann, bob) = (Secret::random(), Identity::new("ann"), Identity::new("bob"));
        let keys = [
            key(Some(&ann), "Bank/pay", 1),
            key(Some(&bob), "Bank/pay", 1),
            key(None, "Bank/pay", 1),
            key(Some(&ann), "Bank/take", 1),
            key(Some(&ann), "Bank/pay", 2),
        ];
        let records: std::collections::BTreeSet<_> = keys.map(|key| secret.record(key)).into_iter().collect();
        assert_eq!(records.len(), keys.len());
        assert_eq!(secret.record(keys[0]), secret.record(key(Some(&ann), "Bank/pay", 1)));
        assert_ne!(Secret::random().record(keys[0]), secret.record(keys[0]), "each server has its own");
    }

    #[test]
    fn a_fingerprint_covers_the_codec_and_every_byte() {
        let secret = Secret::random();
        let arguments = [1, 2, 3];
        let fingerprint = secret.fingerprint(Codec::default(), &arguments);
        assert_eq!(fingerprint, secret.fingerprint(Codec::default(), &[1, 2, 3]));
        for other in [&[1, 2][..], &[1, 2, 4], &[1, 2, 3, 0]] {
            assert_ne!(fingerprint, secret.fingerprint(Codec::default(), other));
        }
    }
}
