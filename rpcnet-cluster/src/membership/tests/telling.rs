//! Many who are accused at once are told, and not in one burst.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Instant;

use super::super::accusers::Accusers;
use super::super::limits::{OUTPUTS_KEPT, TOLD_AT_ONCE};
use super::super::message::{Body, Datagram, Envelope, Request, cluster_of, encode_request};
use super::super::record::{Record, Standing, Update};
use super::super::{Incarnation, Membership, NodeState, Output};
use super::net::{Net, addr, id, ms, secs};

const MANY: usize = 600;

/// Records of members that are nowhere.
fn records(net: &Net, standing: &Standing) -> Vec<Update> {
    let like = net.hosts[1].membership.local_record();
    (100..100 + MANY)
        .map(|index| {
            let mut record = Record { id: id(index), standing: standing.clone(), ..like.clone() };
            record.profile.addr = addr(index);
            Update::Full(record.into())
        })
        .collect()
}

fn push(net: &Net, updates: Vec<Update>) -> Vec<u8> {
    let node = net.hosts[1].membership.local_node();
    let envelope = Envelope {
        cluster: cluster_of("test"),
        from: node.id,
        generation: node.generation,
        incarnation: node.incarnation,
        root: 0,
        health: 0,
        side: 0,
        minority: false,
        degraded: false,
    };
    encode_request(&envelope, &Request::Push { updates })
}

/// Where it says "you are" to whom, in the outputs of one input.
fn told(membership: &mut Membership) -> Vec<SocketAddr> {
    let outputs = std::iter::from_fn(|| membership.poll_output());
    let you_are = |output| match output {
        Output::Send { to, bytes } => {
            let datagram = Datagram::decode(cluster_of("test"), &bytes, &|_, _| None).unwrap();
            matches!(datagram.body, Body::YouAre { .. }).then_some(to)
        }
        _ => None,
    };
    outputs.filter_map(you_are).collect()
}

/// Lets a node's timers run, and nothing arrive; what was told at each moment.
fn run(membership: &mut Membership, from: Instant, until: Instant) -> Vec<Vec<SocketAddr>> {
    let (mut now, mut all) = (from, Vec::new());
    while let Some(at) = membership.next_timeout().filter(|&at| at <= until) {
        now = now.max(at);
        membership.handle_timeout(now);
        all.push(told(membership));
    }
    all
}

#[test]
fn a_page_that_accuses_many_is_no_burst_and_all_are_told() {
    let mut net = Net::settled(3, 1);
    let joined = push(&net, records(&net, &Standing::alive(Incarnation(0))));
    let mut accusers = Accusers::one(id(1), false);
    accusers.union(&Accusers::one(id(2), false));
    let failed = Standing { state: NodeState::Failed, accusers, ..Standing::alive(Incarnation(0)) };
    let accused = push(&net, records(&net, &failed));
    let (now, membership) = (net.now(), &mut net.hosts[0].membership);
    membership.handle_stream_request(now, &joined).unwrap();
    assert!(membership.outputs.capacity() > MANY, "so many events at once");
    assert!(told(membership).is_empty());
    assert!(membership.outputs.capacity() <= OUTPUTS_KEPT, "and no room for them is kept");

    membership.handle_stream_request(now, &accused).unwrap();
    let mut moments = vec![told(membership)];
    assert_eq!(moments[0].len(), TOLD_AT_ONCE, "the first hear of it at once");
    moments.extend(run(membership, now, now + secs(2) + ms(500)));
    assert!(moments.iter().all(|told| told.len() <= TOLD_AT_ONCE), "{moments:?}");
    let all: BTreeSet<_> = moments.concat().into_iter().collect();
    assert_eq!(all, (100..100 + MANY).map(addr).collect(), "before a suspicion ends");
}

#[test]
fn who_has_refuted_meanwhile_is_not_told() {
    let mut net = Net::settled(3, 2);
    let joined = push(&net, records(&net, &Standing::alive(Incarnation(0))));
    let mut accusers = Accusers::one(id(1), false);
    accusers.union(&Accusers::one(id(2), false));
    let failed = Standing { state: NodeState::Failed, accusers, ..Standing::alive(Incarnation(0)) };
    let accused = push(&net, records(&net, &failed));
    let refuted = push(&net, records(&net, &Standing::alive(Incarnation(1))));
    let (now, membership) = (net.now(), &mut net.hosts[0].membership);
    for bytes in [joined, accused, refuted] {
        membership.handle_stream_request(now, &bytes).unwrap();
    }
    let first = told(membership).len();
    let later: usize = run(membership, now, now + secs(1)).iter().map(Vec::len).sum();
    assert_eq!((first, later), (TOLD_AT_ONCE, 0));
}
