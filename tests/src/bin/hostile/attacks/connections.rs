//! Connections that say little, nothing, or nonsense.

use std::{io, time::Duration};

use rpcnet::Limits;
use tokio::{io::AsyncWriteExt, net::TcpStream, time::Instant};

use super::{Attack, Target, attack, limits};
use crate::{
    frames::{self, hello},
    raw::{Done, Raw, Reading},
};

/// What a connection costs that says little: its task, its timer, its first buffer of 4 KiB.
const CONNECTION_COST: usize = 16 << 10;

/// How many connections are half open at once.
const HALF_OPEN: usize = 500;

/// How many say a byte a second.
const SLOW: usize = 200;

/// How many connections the server may have of the 64 files that it may open: some it has without any.
const FILES: u64 = 64;

/// So many connections are attempted then.
const TOO_MANY: usize = 300;

/// What a frame of 64 KiB takes that never comes to its end, with what its buffer has grown by.
const FRAME_COST: usize = 256 << 10;

pub(super) fn all() -> Vec<Attack> {
    // Longer than the server waits for a hello, so that it is seen to end them.
    let time = limits().handshake_timeout + Duration::from_millis(1500);
    vec![
        attack!("half-open", "connections", half_open)
            .may_cost(2 * HALF_OPEN * CONNECTION_COST, "500 connections, and again")
            .for_at_least(time),
        attack!("slow-hello", "connections", slow_hello)
            .may_cost(SLOW * CONNECTION_COST, "200 connections")
            .for_at_least(time),
        attack!("slow-frames", "connections", slow_frames)
            .may_cost(SLOW * (CONNECTION_COST + FRAME_COST), "200 connections, a frame each")
            .for_at_least(time),
        attack!("garbage", "connections", garbage),
        attack!("out-of-files", "connections", out_of_files)
            .may_cost(FILES as usize * CONNECTION_COST, "64 connections")
            .on_a_server_with_files(FILES),
    ]
}

/// Many connections at once; an error of one ends the attack on that one only.
async fn connections(target: &Target, count: usize) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..count {
        if let Ok(stream) = TcpStream::connect(target.addr).await {
            streams.push(stream);
        }
        if streams.len() % 10 == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    streams
}

async fn half_open(target: Target) -> io::Result<Done> {
    let first = connections(&target, HALF_OPEN).await;
    tokio::time::sleep_until(target.until.min(Instant::now() + Limits::default().handshake_timeout)).await;
    let second = connections(&target, HALF_OPEN).await;
    tokio::time::sleep_until(target.until).await;
    let count = (first.len() + second.len()) as u64;
    Ok(Done { sent: count, connections: count })
}

async fn slow_hello(target: Target) -> io::Result<Done> {
    let mut streams = connections(&target, SLOW).await;
    for byte in hello(frames::BINCODE) {
        for stream in &mut streams {
            let _ = stream.write_all(&[byte]).await;
        }
        if !a_second_more(&target).await {
            break;
        }
    }
    let count = streams.len() as u64;
    Ok(Done { sent: count, connections: count })
}

async fn slow_frames(target: Target) -> io::Result<Done> {
    let mut raws = Vec::new();
    for _ in 0..SLOW {
        raws.push(Raw::connect(&target, Reading::All).await?);
    }
    let mut call = Vec::new();
    frames::call(&mut call, "Target/echo", 0, frames::id(1, 0), &[0; 60_000]);
    // All but the end at once, so that there is something to hold.
    let (begin, rest) = call.split_at(50_000);
    for raw in &mut raws {
        raw.send(begin, target.until).await?;
    }
    for byte in rest {
        for raw in &mut raws {
            let _ = raw.send(&[*byte], target.until).await;
        }
        if !a_second_more(&target).await {
            break;
        }
    }
    let count = raws.len() as u64;
    Ok(Done { sent: count, connections: count })
}

/// False when the time is over before.
async fn a_second_more(target: &Target) -> bool {
    let next = Instant::now() + Duration::from_secs(1);
    tokio::time::sleep_until(next.min(target.until)).await;
    next < target.until
}

async fn garbage(target: Target) -> io::Result<Done> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut done = Done::default();
    let mut bytes = vec![0; 10_000];
    while Instant::now() < target.until {
        random.fill(&mut bytes);
        let mut stranger = TcpStream::connect(target.addr).await?;
        let _ = stranger.write_all(&bytes).await;
        let mut raw = Raw::connect(&target, Reading::All).await?;
        let _ = raw.send(&bytes, target.until).await;
        done = done.and(Done { sent: 2, connections: 2 });
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(done)
}

async fn out_of_files(target: Target) -> io::Result<Done> {
    let streams = connections(&target, TOO_MANY).await;
    tokio::time::sleep_until(target.until).await;
    let count = streams.len() as u64;
    Ok(Done { sent: count, connections: count })
}
