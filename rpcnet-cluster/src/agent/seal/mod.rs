//! The seal of gossip: what is sent can be read and written only by who holds a key of the cluster. Pure.
//!
//! ```text
//! head      mark u8 (F1) │ versions u8 │ cluster u16 │ key id u32
//! datagram  head │ nonce 24 │ sealed text: the message after its versions and cluster │ tag 16
//! stream    head │ salt 16 │ frames, each: length u16, the highest bit set on the last │ sealed text │ tag 16
//! ```
//!
//! XChaCha20-Poly1305. Integers are big-endian. `versions` are those of the protocol inside, `cluster` is a part of the
//! hash of the cluster's name: with the key id they say without a key why a message cannot be read, and spare the work.
//! All of the head is authenticated, and with it what the bytes are for and the whole name of the cluster.
//!
//! **Nonces.** A nonce must never seal two texts under one key, which all nodes of a cluster share for months: 10 000
//! nodes send 2⁴⁶ datagrams in ten years. Of 96 random bits, two would be equal with probability ½ after 2⁴⁸, and NIST's
//! bound of 2⁻³² is passed after 2³², which that cluster sends in ten hours. Of 192 bits, two are equal after ten years
//! with probability 2⁻¹⁰¹. So each datagram's nonce is drawn anew from the system: nothing is counted, nothing has to
//! survive a restart, and a virtual machine that is copied while it runs repeats none. A stream draws 16 bytes of salt
//! for each direction and counts its frames in the other 8: 2⁴² streams in ten years collide with probability 2⁻⁴⁵.
//!
//! **Replay.** Whoever saw a sealed datagram can send it again, to any node of the cluster, at any time. The protocol inside
//! bears it: it takes old news for old (generation, then incarnation, which only their owner raises, and tombstones after
//! that), a probe's nonce counts once and only while it is awaited, and an answer goes where the question came from and is
//! no longer than it. What a replay achieves: an answer to a ping, and a sync with a member that is there, at its own
//! address, twice a second at most. A stream cannot be replayed beyond its asker's first frame, see [`Line`].
//!
//! **No oracle.** Nothing is answered to a datagram that does not open, nor to a stream whose frame does not. A head alone is
//! answered on a stream by a head: both are public. A message costs one search of eight ids, and at most one opening.

mod datagram;
mod error;
mod key;
mod ring;
mod stream;
#[cfg(test)]
mod tests;

pub use error::KeyError;
pub use key::{Key, KeyId};

pub(super) use datagram::{is_sealed, open, seal};
pub(super) use key::NONCE_BYTES;
pub(super) use ring::Ring;
pub(super) use stream::{FRAME_BYTES_MAX, Line, SALT_BYTES};

use crate::membership::{Unreadable, VERSIONS, cluster_of, opening, speaks};

/// The first byte of everything sealed. No plain datagram begins so (its range of versions would begin at 15), and no
/// connection of `rpcnet`. Another way to seal will have another.
const MARK: u8 = 0xf1;
/// What the marks of other ways to seal have in common.
const MARKS: u8 = 0xf0;
const HEAD_BYTES: usize = 8;
/// Bytes of a message that its head stands for: versions and cluster.
const OPENING_BYTES: usize = 9;

/// The cluster that something is sealed for.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    name: Box<[u8]>,
    /// What messages begin with when they are not sealed.
    opening: [u8; OPENING_BYTES],
}

impl Cluster {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.as_bytes().into(), opening: opening(cluster_of(name)) }
    }

    fn hint(&self) -> [u8; 2] {
        let [.., a, b] = self.opening;
        [a, b]
    }

    fn head(&self, key: &Key) -> [u8; HEAD_BYTES] {
        let ([a, b], [c, d, e, f]) = (self.hint(), key.id().to_bytes());
        [MARK, VERSIONS, a, b, c, d, e, f]
    }

    /// The key that a head names.
    fn read_head(&self, head: &[u8; HEAD_BYTES]) -> Result<KeyId, Unreadable> {
        let [mark, versions, a, b, key @ ..] = *head;
        match mark {
            MARK if !speaks(versions) => Err(Unreadable::Version),
            MARK if [a, b] != self.hint() => Err(Unreadable::OtherCluster),
            MARK => Ok(KeyId::from_bytes(key)),
            other => Err(not_sealed(other)),
        }
    }

    /// The data authenticated beside a text: each part but the last has one length for each purpose.
    fn associated(&self, purpose: &str, parts: &[&[u8]]) -> Vec<u8> {
        let mut associated = purpose.as_bytes().to_vec();
        parts.iter().for_each(|part| associated.extend_from_slice(part));
        associated.extend_from_slice(&self.name);
        associated
    }
}

/// Whether something that begins with this byte is sealed.
pub(super) fn is_mark(first: u8) -> bool {
    first == MARK
}

/// What begins with this byte, which is not the mark.
fn not_sealed(first: u8) -> Unreadable {
    if first & MARKS == MARKS {
        Unreadable::Version
    } else if speaks(first) {
        Unreadable::Plaintext
    } else {
        Unreadable::Malformed
    }
}
