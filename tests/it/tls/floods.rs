//! Connections that never finish their handshake.

use std::time::Duration;

use rpcnet::transport::{BoxStream, Transport};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::Instant,
};

use super::*;
use crate::world::settle;

/// The first bytes of a handshake, which promise more than come.
const HALF: [u8; 9] = [22, 3, 1, 2, 0, 1, 0, 1, 252];

async fn half_open(realm: &Realm, addr: SocketAddr, count: usize) -> Vec<BoxStream> {
    let host = realm.network.host([10, 0, 0, 66]);
    let mut open = Vec::new();
    for _ in 0..count {
        let mut stream = host.connect(&addr.into()).await.unwrap();
        stream.write_all(&HALF).await.unwrap();
        settle().await;
        open.push(stream);
    }
    open
}

/// How many of these the server has ended.
async fn ended(streams: &mut [BoxStream]) -> usize {
    let mut count = 0;
    for stream in streams {
        let read = tokio::time::timeout(Duration::from_millis(1), stream.read(&mut [0; 64])).await;
        count += usize::from(read.is_ok());
    }
    count
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_half_open_handshakes_is_bounded_and_keeps_nobody_out() {
    let realm = Realm::new();
    let addr = realm.serve(realm.end(1, &[SERVER]).handshakes_max(8)).await;
    let mut flood = half_open(&realm, addr, 40).await;
    assert_eq!(ended(&mut flood).await, 32, "the oldest made room");
    assert_eq!(ended(&mut flood[..32]).await, 32);
    let door = open(addr, realm.end(2, &["spiffe://prod/x"])).await.unwrap();
    assert_eq!(door.knock().await.unwrap(), "spiffe://prod/x");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_a_byte_at_a_time_ends_at_its_timeout_all_the_same() {
    let realm = Realm::new();
    let timeout = Duration::from_secs(3);
    let addr = realm.serve(realm.end(1, &[SERVER]).handshake_timeout(timeout)).await;
    let begin = Instant::now();
    let mut slow = realm.network.host([10, 0, 0, 66]).connect(&addr.into()).await.unwrap();
    for byte in HALF.into_iter().chain(std::iter::repeat(0)) {
        let written = slow.write_all(&[byte]).await;
        let pause = tokio::time::timeout(Duration::from_millis(500), slow.read_u8()).await;
        if pause.is_ok() || written.is_err() || begin.elapsed() > 2 * timeout {
            break;
        }
    }
    assert!(begin.elapsed() < timeout + Duration::from_secs(1), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_waits_delays_no_other() {
    let realm = Realm::new();
    let addr = realm.serve(realm.end(1, &[SERVER])).await;
    let _waiting = half_open(&realm, addr, 20).await;
    let begin = Instant::now();
    let door = open(addr, realm.end(2, &["spiffe://prod/x"])).await.unwrap();
    assert_eq!(door.knock().await.unwrap(), "spiffe://prod/x");
    assert!(begin.elapsed() < Duration::from_millis(20), "{:?}", begin.elapsed());
}
