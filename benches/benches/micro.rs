//! Parts of a call, each alone: `just micro`, or `just micro pick` for those whose name has that.

use std::{net::SocketAddr, time::Instant};

use bytes::Bytes;
use divan::{Bencher, black_box, counter::ItemsCount};
use rpcnet::{
    Codec,
    internals::{Records, Wire},
};
use rpcnet_cluster::{
    Key, Keyring, LoadBalancing, NodeId,
    internals::{Picker, RetryBudget, Sealing},
    membership::{Config, Generation, Identity, Membership, Output},
};
use uuid::Uuid;

fn main() {
    divan::main();
}

/// Arguments of a method that looks up a few accounts.
fn arguments() -> (u64, String, Vec<u32>) {
    (7_000_000_000, "an account's name".to_owned(), (0..8).collect())
}

/// Frames of a call and of its answer, made and read at both ends; without sockets.
#[divan::bench(args = [1, 64], consts = [64, 1024])]
fn frames<const BYTES: usize>(bencher: Bencher<'_, '_>, calls: usize) {
    let now = Instant::now();
    let (mut wire, payload) = (Wire::new(now), Bytes::from(vec![7; BYTES]));
    bencher.counter(ItemsCount::new(calls)).bench_local(|| {
        let came = wire.echo(now, calls, &payload).expect("the connection is open");
        assert_eq!(came, calls * BYTES);
    });
}

#[divan::bench]
fn codec_encode(bencher: Bencher<'_, '_>) {
    let arguments = arguments();
    bencher.bench_local(|| Codec::Bincode.encode(black_box(&arguments)).expect("it is within the limits"));
}

#[divan::bench]
fn codec_decode(bencher: Bencher<'_, '_>) {
    let bytes = Codec::Bincode.encode(&arguments()).expect("it is within the limits");
    bencher.bench_local(|| {
        Codec::Bincode.decode::<(u64, String, Vec<u32>)>(black_box(&bytes)).expect("it was just encoded")
    });
}

const STRATEGIES: [LoadBalancing; 6] = [
    LoadBalancing::RoundRobin,
    LoadBalancing::Random,
    LoadBalancing::LeastConnections,
    LoadBalancing::PeakEwma,
    LoadBalancing::Weighted,
    LoadBalancing::Consistent,
];

/// The choice of a worker, by each strategy.
#[divan::bench(args = STRATEGIES, consts = [3, 100])]
fn pick<const WORKERS: u32>(bencher: Bencher<'_, '_>, strategy: LoadBalancing) {
    let now = Instant::now();
    let (mut picker, mut key) = (Picker::new(&strategy.into(), WORKERS, now), 0_u64);
    bencher.bench_local(|| {
        key = key.wrapping_add(0x9e37_79b9_7f4a_7c15);
        picker.pick(now, Some(key))
    });
}

/// What a call and its retry do to the budget.
#[divan::bench]
fn retry_budget(bencher: Bencher<'_, '_>) {
    let now = Instant::now();
    let mut budget = RetryBudget::new(now);
    bencher.bench_local(|| budget.call_and_retry(now));
}

/// A keyed call whose answer is remembered, among a thousand.
#[divan::bench]
fn record_found(bencher: Bencher<'_, '_>) {
    let now = Instant::now();
    let (records, arguments) = (Records::new(now), Bytes::from(vec![7; 64]));
    (0..1_000).for_each(|id| assert!(records.call(now, Uuid::from_u128(id), &arguments)));
    let mut id = 0;
    bencher.bench_local(|| {
        id = (id + 1) % 1_000;
        assert!(!records.call(now, Uuid::from_u128(id), &arguments));
    });
}

/// A keyed call that is new: it is entered, and its answer kept.
#[divan::bench(sample_count = 100, sample_size = 100)]
fn record_made(bencher: Bencher<'_, '_>) {
    let now = Instant::now();
    let (records, arguments) = (Records::new(now), Bytes::from(vec![7; 64]));
    let mut id = 0;
    bencher.bench_local(|| {
        id += 1;
        assert!(records.call(now, Uuid::from_u128(id), &arguments));
    });
}

/// Two members that know each other, and a probe that the first has sent to the second.
fn probed(now: Instant) -> (Membership, SocketAddr, Vec<u8>) {
    let addr = |number: u8| SocketAddr::from(([10, 0, 0, number], 7946));
    let member = |number: u8| {
        let id = NodeId::new(Uuid::from_u128(number.into()));
        Membership::new(Identity::new(id, Generation(1), addr(number)), Config::new("micro"), number.into())
    };
    let (mut one, mut other) = (member(1), member(2));
    one.join(now, &[addr(2)]);
    other.join(now, &[]);
    let mut now = now;
    loop {
        while let Some(output) = one.poll_output() {
            match output {
                Output::Stream { id, bytes, .. } => {
                    let reply = other.handle_stream_request(now, &bytes).expect("it was just encoded");
                    one.handle_stream_reply(now, id, Ok(reply)).expect("it was just encoded");
                }
                Output::Send { bytes, .. } => return (other, addr(1), bytes),
                _ => {}
            }
        }
        now = one.next_timeout().expect("a member probes the other");
        one.handle_timeout(now);
    }
}

/// A member is probed: the packet is read, and the answer with its gossip made.
#[divan::bench]
fn membership_answer(bencher: Bencher<'_, '_>) {
    let now = Instant::now();
    let (mut member, from, probe) = probed(now);
    bencher.bench_local(|| {
        member.handle_datagram(now, from, black_box(&probe)).expect("it was just encoded");
        let mut bytes = 0;
        while let Some(output) = member.poll_output() {
            if let Output::Send { bytes: sent, .. } = output {
                bytes += sent.len();
            }
        }
        bytes
    });
}

/// A packet of membership is sealed, and opened by whoever it is for.
#[divan::bench]
fn membership_seal_and_open(bencher: Bencher<'_, '_>) {
    let (_, _, probe) = probed(Instant::now());
    let key = Key::generate().expect("the system gives randomness");
    let sealing = Sealing::new("micro", Some(Keyring::new(key)));
    bencher.bench_local(|| assert!(sealing.there_and_back(black_box(&probe)) > probe.len()));
}
