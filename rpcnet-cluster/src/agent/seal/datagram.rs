//! Datagrams: each is sealed by itself, under a nonce of its own.

use super::key::TAG_BYTES;
use super::{Cluster, HEAD_BYTES, MARK, NONCE_BYTES, OPENING_BYTES, Ring, not_sealed};
use crate::membership::Unreadable;

/// What is authenticated with a datagram, besides its head and the cluster's name.
const PURPOSE: &str = "rpcnet-cluster datagram";

const TEXT_AT: usize = HEAD_BYTES + NONCE_BYTES;

// The membership core leaves exactly this much of a datagram free.
const _: () = assert!(TEXT_AT + TAG_BYTES - OPENING_BYTES == crate::membership::SEAL_BYTES);

/// Seals a message of the cluster with the primary key. `nonce` must be random, and used for nothing else.
pub(crate) fn seal(cluster: &Cluster, ring: &Ring, nonce: &[u8; NONCE_BYTES], message: &[u8]) -> Vec<u8> {
    let key = ring.primary();
    debug_assert!(message.starts_with(&cluster.opening), "a message of this cluster");
    let text = message.get(OPENING_BYTES..).unwrap_or_default();
    let head = cluster.head(key);
    let mut sealed = Vec::with_capacity(TEXT_AT + text.len() + TAG_BYTES);
    sealed.extend_from_slice(&head);
    sealed.extend_from_slice(nonce);
    sealed.extend_from_slice(text);
    let tag = key.seal(nonce, &cluster.associated(PURPOSE, &[&head]), &mut sealed[TEXT_AT..]);
    sealed.extend_from_slice(&tag);
    sealed
}

/// Opens a datagram with whichever key it names: the message as it was before it was sealed.
///
/// # Errors
///
/// Why it cannot be read. Before [`Unreadable::Forged`] nothing was decrypted.
pub(crate) fn open(cluster: &Cluster, ring: &Ring, bytes: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let malformed = Unreadable::Malformed;
    let first = *bytes.first().ok_or(malformed)?;
    if first != MARK {
        return Err(not_sealed(first));
    }
    let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>().ok_or(malformed)?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(malformed)?;
    let (text, tag) = rest.split_last_chunk::<TAG_BYTES>().ok_or(malformed)?;
    let key = ring.find(cluster.read_head(head)?).ok_or(Unreadable::UnknownKey)?;
    let mut message = Vec::with_capacity(OPENING_BYTES + text.len());
    message.extend_from_slice(&cluster.opening);
    // The sender's range of versions, not ours.
    message[0] = head[1];
    message.extend_from_slice(text);
    if key.open(nonce, &cluster.associated(PURPOSE, &[head]), &mut message[OPENING_BYTES..], tag) {
        Ok(message)
    } else {
        Err(Unreadable::Forged)
    }
}

/// Whether a datagram looks sealed, for a node that cannot open any.
pub(crate) fn is_sealed(bytes: &[u8]) -> bool {
    bytes.first() == Some(&MARK) && bytes.len() >= TEXT_AT + TAG_BYTES
}
