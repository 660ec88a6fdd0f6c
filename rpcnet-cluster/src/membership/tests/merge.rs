//! The laws of merging: order, repetition and grouping of deliveries do not matter.

use std::net::SocketAddr;
use std::sync::Arc;

use proptest::prelude::*;

use super::super::accusers::{Accuser, Accusers};
use super::super::held::Held;
use super::super::message::{Body, Datagram, DatagramWriter, Envelope, cluster_of, update_bytes};
use super::super::pool::RecordPool;
use super::super::record::{Profile, Record, Standing, Update};
use super::super::tags::Tags;
use super::super::{Generation, Incarnation, NodeState};
use super::net::id;

fn accusers() -> impl Strategy<Value = Accusers> {
    proptest::collection::vec((0_usize..7, any::<bool>()), 0..6).prop_map(|list| {
        let mut accusers = Accusers::default();
        list.into_iter().for_each(|(index, gone)| accusers.add(Accuser { id: id(index), gone }));
        accusers
    })
}

fn record() -> impl Strategy<Value = Record> {
    let state = prop_oneof![
        Just(NodeState::Alive),
        Just(NodeState::Suspect),
        Just(NodeState::Failed),
        Just(NodeState::Left)
    ];
    (1_u64..3, 0_u64..3, state, accusers(), 0_u64..3, 0_u16..2, any::<bool>()).prop_map(
        |(generation, incarnation, state, accusers, version, port, degraded)| {
            let mut standing = Standing { incarnation: Incarnation(incarnation), state, accusers, degraded };
            standing.normalise();
            let map = Arc::new([("v".to_owned(), version.to_string())].into());
            let addr = SocketAddr::from(([127, 0, 0, 1], port));
            Record {
                id: id(0),
                generation: Generation(generation),
                standing,
                profile: Profile { addr, rpc_addr: None, label: "".into(), capacity: 0 },
                tags: Tags { version, map },
            }
        },
    )
}

fn merged(a: &Record, b: &Record) -> Record {
    let mut merged = a.clone();
    merged.merge(b);
    merged
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn merging_is_commutative_associative_and_idempotent(a in record(), b in record(), c in record()) {
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(merged(&a, &a), a);
    }

    #[test]
    fn merging_never_goes_back_and_says_when_it_went_on(a in record(), b in record()) {
        let version = |r: &Record| (r.generation, r.standing.incarnation, r.standing.state);
        let mut after = a.clone();
        let change = after.merge(&b);
        prop_assert!(version(&after) >= version(&a).max(version(&b)));
        prop_assert_eq!(change.any(), after != a);
    }

    #[test]
    fn a_record_survives_its_encoding(record in record()) {
        let envelope = Envelope {
            cluster: cluster_of("c"), from: id(3), generation: Generation(1), incarnation: Incarnation(0), root: 0, health: 0, side: 0, minority: false, degraded: true,
        };
        let mut writer = DatagramWriter::new(&envelope, Body::Gossip);
        let updates = [Update::Full(record.clone().into()), record.brief()];
        updates.iter().for_each(|update| assert!(writer.push(&update_bytes(update))));
        let datagram = Datagram::decode(cluster_of("c"), &writer.finish(), &|_, _| None).unwrap();
        prop_assert_eq!(datagram.updates, updates);
        prop_assert_eq!(datagram.envelope, envelope);
    }

    #[test]
    fn whoever_holds_a_record_reads_it_as_everybody_does(held in record(), sent in record()) {
        let held = Held::from(held);
        let envelope = Envelope {
            cluster: cluster_of("c"), from: id(3), generation: Generation(1), incarnation: Incarnation(0), root: 0, health: 0, side: 0, minority: false, degraded: false,
        };
        let mut writer = DatagramWriter::new(&envelope, Body::Gossip);
        let updates = [Update::Full(sent.clone().into()), sent.brief()];
        updates.iter().for_each(|update| assert!(writer.push(&update_bytes(update))));
        let pool = RecordPool::default();
        pool.share(held);
        let read = Datagram::decode(cluster_of("c"), &writer.finish(), &|id, bytes| pool.find(id, bytes)).unwrap();
        prop_assert_eq!(read.updates, updates);
    }

    #[test]
    fn those_who_share_hold_the_latest_once(old in record(), new in record()) {
        let pool = RecordPool::default();
        let share = |record: &Record| pool.share(record.clone().into());
        let (first, second) = (share(&old), share(&old));
        prop_assert!(std::ptr::eq::<Record>(&*first, &*second));
        let latest = share(&new);
        prop_assert_eq!(&*latest, &new);
        prop_assert_eq!(&*first, &old, "who holds the old one still does");
        prop_assert_eq!(pool.find(old.id, first.bytes()).is_some(), old == new);
    }
}
