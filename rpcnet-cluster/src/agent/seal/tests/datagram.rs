//! Sealed datagrams.

use proptest::prelude::*;

use super::super::{Cluster, MARK, is_sealed, open, seal};
use super::{cluster, hex, key, message, namesake, ring};
use crate::membership::{DATAGRAM_BYTES_MAX, SEAL_BYTES, Unreadable};

fn sample() -> Vec<u8> {
    seal(&cluster(), &ring(7), &[9; 24], &message(&cluster(), b"news of the cluster"))
}

proptest! {
    #[test]
    fn whatever_is_sealed_opens_with_the_same_key_for_the_same_cluster(
        text in proptest::collection::vec(any::<u8>(), 0..1_200),
        nonce: [u8; 24],
        name in ".*",
    ) {
        let cluster = Cluster::new(&name);
        let text = message(&cluster, &text);
        let sealed = seal(&cluster, &ring(7), &nonce, &text);
        prop_assert_eq!(sealed.len(), text.len() + SEAL_BYTES);
        prop_assert!(is_sealed(&sealed));
        prop_assert_eq!(open(&cluster, &ring(7), &sealed), Ok(text));
        let stranger = open(&Cluster::new(&format!("{name}.")), &ring(7), &sealed).unwrap_err();
        prop_assert!(matches!(stranger, Unreadable::OtherCluster | Unreadable::Forged));
    }

    #[test]
    fn garbage_never_opens(bytes in proptest::collection::vec(any::<u8>(), 0..200), marked: bool) {
        let mut bytes = bytes;
        if let (true, Some(first)) = (marked, bytes.first_mut()) {
            *first = MARK;
        }
        prop_assert!(open(&cluster(), &ring(7), &bytes).is_err());
    }
}

#[test]
fn a_datagram_changed_in_any_bit_cut_or_longer_is_refused() {
    let sealed = sample();
    for place in 0..sealed.len() {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed[place] ^= 1 << bit;
            assert!(open(&cluster(), &ring(7), &changed).is_err(), "byte {place}, bit {bit}");
        }
    }
    for end in 0..sealed.len() {
        assert!(open(&cluster(), &ring(7), &sealed[..end]).is_err(), "cut at {end}");
    }
    let longer = [&*sealed, &[0]].concat();
    assert_eq!(open(&cluster(), &ring(7), &longer), Err(Unreadable::Forged));
}

#[test]
fn a_newer_sender_is_read_with_the_range_of_versions_that_it_spoke_of() {
    // As a node seals that speaks versions 1 and 2.
    let mut head = cluster().head(&key(7));
    head[1] = 0x12;
    let mut text = *b"news";
    let tag = key(7).seal(&[9; 24], &cluster().associated("rpcnet-cluster datagram", &[&head]), &mut text);
    let sealed = [&head[..], &[9; 24], &text, &tag].concat();
    let opened = open(&cluster(), &ring(7), &sealed).unwrap();
    assert_eq!((opened[0], &opened[9..]), (0x12, &b"news"[..]));
}

#[test]
fn why_a_datagram_does_not_open_is_told_apart() {
    let sealed = sample();
    let with = |place: usize, byte: u8| {
        let mut changed = sealed.clone();
        changed[place] = byte;
        open(&cluster(), &ring(7), &changed).unwrap_err()
    };
    assert_eq!(open(&cluster(), &ring(8), &sealed), Err(Unreadable::UnknownKey));
    assert_eq!(open(&Cluster::new("other"), &ring(7), &sealed), Err(Unreadable::OtherCluster));
    assert_eq!(
        open(&namesake(), &ring(7), &sealed),
        Err(Unreadable::Forged),
        "the whole name is authenticated"
    );
    assert_eq!(with(0, 0xf2), Unreadable::Version, "another way to seal");
    assert_eq!(with(1, 0x99), Unreadable::Version, "another protocol inside");
    assert_eq!(with(1, 0x12), Unreadable::Forged, "a range that includes ours, and is not what was sealed");
    assert_eq!(with(60, 0), Unreadable::Forged);
    assert_eq!(open(&cluster(), &ring(7), b"\x11 a message in plain text"), Err(Unreadable::Plaintext));
    assert_eq!(open(&cluster(), &ring(7), b"hello"), Err(Unreadable::Malformed));
    assert_eq!(open(&cluster(), &ring(7), b""), Err(Unreadable::Malformed));
}

#[test]
fn every_key_of_a_ring_opens_and_the_primary_alone_seals() {
    let mut both = ring(7);
    both.add(key(8)).unwrap();
    let text = message(&cluster(), b"text");
    for n in [7, 8] {
        both.use_primary(key(n).id()).unwrap();
        let sealed = seal(&cluster(), &both, &[1; 24], &text);
        assert_eq!(open(&cluster(), &ring(n), &sealed).unwrap(), text);
        assert_eq!(open(&cluster(), &ring(15 - n), &sealed), Err(Unreadable::UnknownKey));
        for single in [7, 8] {
            let sealed = seal(&cluster(), &ring(single), &[2; 24], &text);
            assert_eq!(open(&cluster(), &both, &sealed).unwrap(), text);
        }
    }
}

#[test]
fn a_full_message_sealed_is_a_full_datagram() {
    let mut text = message(&cluster(), &[]);
    text.resize(DATAGRAM_BYTES_MAX - SEAL_BYTES, 0);
    assert_eq!(seal(&cluster(), &ring(7), &[0; 24], &text).len(), DATAGRAM_BYTES_MAX);
}

#[test]
fn a_sealed_datagram_has_these_bytes() {
    // As computed by a second implementation, from RFC 8439 and the XChaCha draft.
    let golden = "f111801a58ddb02e090909090909090909090909090909090909090909090909d01795f95cc51f42807a6d1c0b1f7298\
         5e96c5d7fc178b6341f232a106d128a4857975";
    assert_eq!(hex(&sample()), golden);
}
