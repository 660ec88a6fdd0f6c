//! Claims about the table of members.

use super::*;
use crate::membership::record::{Profile, Standing};
use crate::membership::tags::Tags;
use std::net::SocketAddr;
use uuid::Uuid;

pub(crate) fn record(number: u128, generation: u64) -> Record {
    let addr = SocketAddr::from(([127, 0, 0, 1], 1));
    Record {
        id: NodeId::new(Uuid::from_u128(number)),
        generation: Generation(generation),
        standing: Standing::alive(Incarnation(0)),
        profile: Profile { addr, rpc_addr: None, label: "".into(), capacity: 0 },
        tags: Tags::default(),
    }
}

fn left(number: u128) -> Update {
    let mut record = record(number, 1);
    record.standing.state = NodeState::Left;
    Update::Full(record.into())
}

#[test]
fn nobody_comes_back_on_old_evidence_after_being_forgotten() {
    let (now, mut rng) = (Instant::now(), Rng::with_seed(1));
    let mut table = Table::new(record(0, 1), None);
    assert!(table.apply(now, &Update::Full(record(1, 1).into()), &mut rng).is_some());
    table.apply(now, &left(1), &mut rng);
    let later = now + LEFT_REMEMBERED;
    table.sweep(later);
    let id = NodeId::new(Uuid::from_u128(1));
    assert!(table.get(id).is_none(), "forgotten after an hour");
    assert!(
        table.apply(later, &Update::Full(record(1, 1).into()), &mut rng).is_none(),
        "the old process stays gone"
    );
    assert!(
        table.apply(later, &Update::Full(record(1, 2).into()), &mut rng).is_some(),
        "a new one is welcome"
    );
}

#[test]
fn the_derived_orders_and_hashes_follow_the_members() {
    let (now, mut rng) = (Instant::now(), Rng::with_seed(1));
    let mut table = Table::new(record(0, 1), None);
    let (root, live) = (table.root(), table.live());
    table.apply(now, &Update::Full(record(1, 1).into()), &mut rng);
    assert_ne!(table.root(), root);
    assert_eq!(table.live(), live + 1);
    table.apply(now, &left(1), &mut rng);
    assert_eq!((table.root(), table.live()), (root, live), "a member that left is no difference");
    assert!(table.observers().is_empty());
}

#[test]
fn a_loop_of_crashes_does_not_fill_the_table() {
    let (now, mut rng) = (Instant::now(), Rng::with_seed(1));
    let mut table = Table::new(record(0, 1), None);
    for number in 1..=2 * MEMBERS_MAX as u128 {
        table.apply(now, &left(number), &mut rng);
    }
    assert_eq!((table.members.len(), table.refused), (MEMBERS_MAX, 0));
    table.sweep(now);
    assert_eq!(table.members.len(), 1 + GONE_MAX);
    let newest = NodeId::new(Uuid::from_u128(2 * MEMBERS_MAX as u128));
    assert!(table.get(newest).is_some(), "the oldest are forgotten first");
    assert!(table.apply(now, &Update::Full(record(0x1_0000_0000, 1).into()), &mut rng).is_some());
}
