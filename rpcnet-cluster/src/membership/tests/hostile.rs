//! Bytes from strangers.

use proptest::prelude::*;

use super::super::limits::{DATAGRAM_BYTES_MAX, SEAL_BYTES};
use super::super::message::{
    Body, Datagram, DatagramWriter, Envelope, Request, cluster_of, decode_reply, decode_request,
    encode_request, update_bytes,
};
use super::super::record::Update;
use super::super::{Generation, Incarnation, Malformed};
use super::net::{Net, addr, id, secs};

#[test]
fn packets_of_another_cluster_change_nothing() {
    let mut net = Net::settled(3, 1);
    let stranger = net.start_in("other", &[addr(0), addr(1)]);
    net.run_for(secs(30));
    assert_eq!(net.hosts[stranger].view.len(), 1);
    assert!((0..3).all(|index| net.hosts[index].view.len() == 3));
    assert!(!net.hosts[stranger].joined);
    // Even at an address where a member used to be.
    net.exit(2);
    net.restart(stranger, addr(2), &[addr(0)]);
    net.run_for(secs(30));
    assert!((0..2).all(|index| net.hosts[index].view.len() == 2));
    assert_eq!(net.hosts[stranger].view.len(), 1);
}

fn envelope() -> Envelope {
    Envelope {
        cluster: cluster_of("test"),
        from: id(1),
        generation: Generation(1_001),
        incarnation: Incarnation(0),
        root: 7,
        health: 0,
        side: 0,
        minority: false,
        degraded: false,
    }
}

/// A well-formed datagram with one full record.
fn sample(net: &Net) -> Vec<u8> {
    let me = net.hosts[1].membership.local_record();
    let mut writer = DatagramWriter::new(&envelope(), Body::Ping { nonce: 5 });
    assert!(writer.push(&update_bytes(&Update::Full(me.into()))));
    writer.finish()
}

#[test]
fn a_datagram_cut_anywhere_is_refused_and_fields_of_the_future_are_skipped() {
    let net = Net::settled(2, 2);
    let bytes = sample(&net);
    let cluster = cluster_of("test");
    let known = Datagram::decode(cluster, &bytes, &|_, _| None).unwrap();
    // What ends after its body is a whole message, one without news.
    let bare = DatagramWriter::new(&envelope(), known.body).finish();
    assert!(bytes.starts_with(&bare));
    for end in (0..bytes.len()).filter(|&end| end != bare.len()) {
        assert!(Datagram::decode(cluster, &bytes[..end], &|_, _| None).is_err(), "cut at {end}");
    }
    let read = Datagram::decode(cluster, &bare, &|_, _| None).unwrap();
    assert_eq!(read, Datagram { updates: Vec::new(), ..known });
    let mut longer = bytes;
    longer.extend_from_slice(b"fields of a later version");
    assert_eq!(Datagram::decode(cluster, &longer, &|_, _| None).unwrap(), known);
}

#[test]
fn a_full_datagram_leaves_exactly_the_room_that_its_seal_needs() {
    let mut writer = DatagramWriter::new(&envelope(), Body::Gossip);
    while writer.room() > 2 {
        let most = writer.room() - 2;
        assert!(!writer.push(&vec![0; most + 1]), "one byte too many");
        assert!(writer.push(&vec![0; most]));
    }
    assert_eq!(writer.finish().len() + SEAL_BYTES, DATAGRAM_BYTES_MAX);
}

#[test]
fn nodes_that_say_as_much_of_themselves_as_they_may_stay_within_a_datagram() {
    let mut net = Net::settled(8, 9);
    for index in 0..8 {
        // Of many sizes, so that some fill a datagram together.
        let tag = "x".repeat(630 - 70 * index);
        net.input(index, |membership, now| membership.set_tag(now, "tag", &tag)).unwrap();
    }
    net.run_for(secs(10));
    // The network itself holds that none is larger; this holds that it was put to the test.
    assert!(net.largest_datagram > DATAGRAM_BYTES_MAX - 200, "{}", net.largest_datagram);
    assert!((0..8).all(|index| net.hosts[index].view.values().all(|node| node.tag("tag").is_some())));
}

#[test]
fn other_versions_and_other_clusters_are_told_apart() {
    let net = Net::settled(2, 3);
    let mut bytes = sample(&net);
    assert_eq!(
        Datagram::decode(cluster_of("other"), &bytes, &|_, _| None).unwrap_err(),
        Malformed::OtherCluster
    );
    bytes[0] = 0x99;
    assert_eq!(Datagram::decode(cluster_of("test"), &bytes, &|_, _| None).unwrap_err(), Malformed::Version);
    bytes[0] = 0x19;
    assert!(Datagram::decode(cluster_of("test"), &bytes, &|_, _| None).is_ok(), "a range that includes ours");
}

#[test]
fn a_flipped_byte_anywhere_never_panics_and_never_fails_a_member() {
    let mut net = Net::settled(3, 4);
    let bytes = sample(&net);
    for place in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut forged = bytes.clone();
            forged[place] ^= flip;
            net.inject(0, &forged);
        }
    }
    net.run_for(secs(30));
    assert!((0..3).all(|index| net.hosts[index].view.contains_key(&id(index))));
}

/// The bytes every golden test of the format begins with: a change of the format must be noticed here.
#[test]
fn the_header_is_written_as_documented() {
    let bytes = DatagramWriter::new(&envelope(), Body::Ping { nonce: 0x0102 }).finish();
    let mut expected = vec![0x11];
    expected.extend_from_slice(&cluster_of("test").to_be_bytes());
    expected.push(1);
    expected.extend_from_slice(&id(1).to_bytes());
    expected.extend_from_slice(&[0xe9, 0x07, 0x00]);
    expected.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0]);
    expected.extend_from_slice(&[8, 0, 0, 0, 0, 0, 0, 1, 2]);
    assert_eq!(bytes, expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..1_300)) {
        let cluster = cluster_of("test");
        let _ = Datagram::decode(cluster, &bytes, &|_, _| None);
        let _ = decode_request(cluster, &bytes, &|_, _| None);
        let _ = decode_reply(cluster, &bytes, &|_, _| None);
    }

    #[test]
    fn garbage_behind_a_good_header_never_panics(
        kind in 0_u8..40,
        tail in proptest::collection::vec(any::<u8>(), 0..1_100),
    ) {
        let mut bytes = encode_request(&envelope(), &Request::Ping);
        bytes.truncate(bytes.len() - 1);
        bytes[9] = kind;
        bytes.extend_from_slice(&tail);
        let cluster = cluster_of("test");
        if let Ok(datagram) = Datagram::decode(cluster, &bytes, &|_, _| None) {
            prop_assert!(datagram.updates.len() * 20 <= bytes.len());
        }
        let _ = decode_request(cluster, &bytes, &|_, _| None);
        let _ = decode_reply(cluster, &bytes, &|_, _| None);
    }
}
