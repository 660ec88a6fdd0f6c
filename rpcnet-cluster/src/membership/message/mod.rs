//! The protocol's messages and their bytes: written by hand, every length checked before anything is reserved.
//!
//! ```text
//! envelope  versions u8 (min·16 + max) │ cluster u64 │ kind u8 │ from 16 │ generation v │ incarnation v │ root u64 │ health u8 │ side u16
//! datagram  envelope │ body length u8, body │ nothing, or: count u8, count × (length u16, update) │ …skipped
//! stream    envelope │ body length v, body │ …skipped
//! update    tag u8 │ id 16 │ generation v │ incarnation v │ state u8 │ count u8, count × (id 16, gone u8)
//!           │ full only: tag version v │ addr │ rpc addr │ label │ capacity v │ count u8, count × (key, value) │ …skipped
//! ```
//!
//! The highest bit of an update's state says that the owner is degraded, the highest of `health` that the sender is in a
//! minority, and the next that it is degraded.
//! `v` is a LEB128 integer of at most ten bytes, a text is its length `v` and its bytes, an address is a 4, a 6 or a 0
//! (none) followed by ip and port. Integers are big-endian. What follows the known fields is skipped, so a later
//! version can add to any of them.

mod bytes;
mod datagram;
mod stream;
mod update;

use std::hash::Hasher;

use siphasher::sip::SipHasher13;
use thiserror::Error;

pub(crate) use bytes::{Reader, Writer};
pub(crate) use datagram::{Body, Datagram, DatagramWriter};
pub(crate) use stream::{
    BUCKETS, Page, Reply, Request, decode_reply, decode_request, encode_reply, encode_request,
};
pub(crate) use update::{record_bytes, update_bytes};

use super::{Generation, Incarnation, NodeId};

/// The protocol version spoken, and the oldest understood.
const VERSION: u8 = 1;
const VERSION_MIN: u8 = 1;
/// Both, as they stand in every message.
pub(crate) const VERSIONS: u8 = VERSION_MIN << 4 | VERSION;

/// Why bytes from the network were not understood. The sender's fault (or nobody's: any packet can arrive on a port);
/// nothing was changed, the caller counts it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// The message ends in the middle of a field.
    #[error("the message ends too early")]
    Truncated,
    /// The message is longer than any that is sent.
    #[error("the message is too long")]
    TooLong,
    /// The sender speaks no version that is understood here.
    #[error("no common protocol version")]
    Version,
    /// It belongs to another cluster.
    #[error("the message belongs to another cluster")]
    OtherCluster,
    /// The message is this node's own: somebody sent it back.
    #[error("the message is this node's own")]
    Own,
    /// A field holds a value that no sender writes.
    #[error("the field `{0}` holds an impossible value")]
    Value(&'static str),
}

/// What every message says about its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) cluster: u64,
    pub(crate) from: NodeId,
    pub(crate) generation: Generation,
    pub(crate) incarnation: Incarnation,
    /// Hash of everything the sender knows: equal roots need no sync.
    pub(crate) root: u64,
    pub(crate) health: u8,
    /// Hash of whom the sender sees: equal on one side of a split.
    pub(crate) side: u16,
    /// The sender knows itself to be in the minority of a split.
    pub(crate) minority: bool,
    /// The sender says that it is unwell, with the incarnation above: a refutation is whole in its first packet.
    pub(crate) degraded: bool,
}

/// Stand beside the health, which needs four bits.
const MINORITY: u8 = 0x80;
const DEGRADED: u8 = 0x40;

impl Envelope {
    fn encode(&self, kind: u8, out: &mut Writer) {
        out.raw(&opening(self.cluster));
        out.u8(kind);
        out.id(self.from);
        out.varint(self.generation.0);
        out.varint(self.incarnation.0);
        out.u64(self.root);
        let flags = if self.minority { MINORITY } else { 0 } | if self.degraded { DEGRADED } else { 0 };
        out.u8(self.health | flags);
        out.u16(self.side);
    }

    fn decode(cluster: u64, input: &mut Reader<'_>) -> Result<(Self, u8), Malformed> {
        if !speaks(input.u8()?) {
            return Err(Malformed::Version);
        }
        if input.u64()? != cluster {
            return Err(Malformed::OtherCluster);
        }
        let kind = input.u8()?;
        let (from, generation, incarnation) = (input.id()?, input.generation()?, input.incarnation()?);
        let (root, health, side) = (input.u64()?, input.u8()?, input.u16()?);
        let (minority, degraded) = (health & MINORITY != 0, health & DEGRADED != 0);
        let health = health & !(MINORITY | DEGRADED);
        Ok((Self { cluster, from, generation, incarnation, root, health, side, minority, degraded }, kind))
    }
}

/// Whether there is a version that both this node and the sender of this range speak.
pub(crate) fn speaks(versions: u8) -> bool {
    let (min, max) = (versions >> 4, versions & 0x0f);
    min <= VERSION && max >= VERSION_MIN
}

/// What every message of a cluster begins with, which a seal says in its own way.
pub(crate) fn opening(cluster: u64) -> [u8; 9] {
    let [a, b, c, d, e, f, g, h] = cluster.to_be_bytes();
    [VERSIONS, a, b, c, d, e, f, g, h]
}

/// The number that stands for a cluster's name in every header.
pub(crate) fn cluster_of(name: &str) -> u64 {
    hash(0, name.as_bytes())
}

/// Which part of all records a member's is in. Hashed, because ids given by operators may share any of their bytes.
pub(crate) fn bucket_of(id: NodeId) -> usize {
    hash(0x6275_636b_6574, &id.to_bytes()) as usize % BUCKETS
}

/// SipHash-1-3 under fixed keys: the same on every machine. `salt` tells its uses apart.
pub(crate) fn hash(salt: u64, bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(0x7270_636e_6574_2d31, salt);
    hasher.write(bytes);
    hasher.finish()
}
