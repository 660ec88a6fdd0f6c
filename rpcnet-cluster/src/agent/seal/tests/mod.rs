//! Claims about sealed bytes: what opens, what does not, and what they look like.

mod datagram;
mod stream;

use super::{Cluster, Key, Ring};

fn key(n: u8) -> Key {
    Key::from_bytes([n; 32])
}

fn ring(n: u8) -> Ring {
    Ring::new(key(n))
}

fn cluster() -> Cluster {
    Cluster::new("test")
}

/// A cluster of another name, which the two bytes in the head happen not to tell apart.
fn namesake() -> Cluster {
    Cluster { name: b"other".as_slice().into(), ..cluster() }
}

/// A message of a cluster, as the core writes it.
fn message(cluster: &Cluster, text: &[u8]) -> Vec<u8> {
    [&cluster.opening, text].concat()
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

#[test]
fn a_key_is_named_by_what_it_authenticates_and_not_by_its_bytes() {
    // As computed by a second implementation, from RFC 8439 and the XChaCha draft.
    assert_eq!(key(7).id().to_string(), "58ddb02e");
}
