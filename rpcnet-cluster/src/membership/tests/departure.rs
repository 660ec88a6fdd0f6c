//! What a node that has left puts out: nothing.

use std::time::Instant;

use uuid::Uuid;

use super::super::{Config, Generation, Identity, Membership, NodeId, Output};
use super::net::{addr, ms};

fn node(index: usize) -> Membership {
    let id = NodeId::new(Uuid::from_u128(index as u128));
    Membership::new(Identity::new(id, Generation(1), addr(index)), Config::new("test"), index as u64)
}

fn outputs(membership: &mut Membership) -> Vec<Output> {
    std::iter::from_fn(|| membership.poll_output()).collect()
}

/// The request that a node puts first to its seed.
fn joining(now: Instant, index: usize) -> Vec<u8> {
    let mut joiner = node(index);
    joiner.join(now, &[addr(0)]);
    let request = |output| match output {
        Output::Stream { bytes, .. } => Some(bytes),
        _ => None,
    };
    outputs(&mut joiner).into_iter().find_map(request).expect("the seed is asked")
}

#[test]
fn nothing_comes_out_after_the_farewell() {
    let mut now = Instant::now();
    let mut leaver = node(0);
    leaver.join(now, &[]);
    leaver.handle_stream_request(now, &joining(now, 1)).unwrap();
    leaver.leave(now);
    let mut last = outputs(&mut leaver);
    while !last.contains(&Output::Departed) {
        // News comes in to the end, and a timer that is late finds it due together with the farewell's.
        now += ms(3_000);
        leaver.handle_stream_request(now, &joining(now, 2)).unwrap();
        leaver.handle_timeout(now);
        last = outputs(&mut leaver);
    }
    assert_eq!(last.last(), Some(&Output::Departed));
    let _ = leaver.set_tag(now, "role", "worker");
    let _ = leaver.handle_stream_request(now, &joining(now, 3));
    leaver.handle_timeout(now + ms(1_000));
    assert_eq!(outputs(&mut leaver), []);
}
