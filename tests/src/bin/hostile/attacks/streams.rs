//! Streams that nobody reads, and credit that is not there.

use std::{io, time::Duration};

use tokio::time::Instant;

use super::{Attack, Target, attack, limits};
use crate::{
    frames::{self, CREDIT, DATA, END, ITEMS, STREAMING},
    raw::{Done, PACE, Raw, Reading, flood},
};

/// What each frame of an item costs of the window beside its payload.
const FRAME_COST: usize = 16;

/// How many bytes of items are written together, where all windows are to be filled.
const BURST: usize = 256 << 10;

/// How many frames of items are written together.
const BATCH: u64 = 20;

pub(super) fn all() -> Vec<Attack> {
    let limits = limits();
    let windows = limits.streams_max as usize * limits.stream_window as usize;
    vec![
        attack!("credit-overflow", "credits", credit_overflow),
        attack!("past-the-credit", "items", past_the_credit),
        attack!("unread-source", "streams", unread_source)
            .may_cost(windows, "`streams_max` x `stream_window`"),
        attack!("unread-sink", "items", unread_sink)
            .may_cost(2 * windows, "twice `streams_max` x `stream_window`"),
        attack!("empty-items", "items", empty_items)
            .may_cost(2 * windows, "twice `streams_max` x `stream_window`"),
        attack!("padded-items", "items", padded_items)
            .may_cost(2 * windows, "twice `streams_max` x `stream_window`"),
        attack!("too-many-streams", "streams", too_many_streams)
            .may_cost(windows, "`streams_max` x `stream_window`"),
    ]
}

fn streams_max() -> u64 {
    limits().streams_max.into()
}

fn open_sink(out: &mut Vec<u8>, stream: u64) {
    frames::call(out, "Target/sink", STREAMING | ITEMS, frames::id(stream + 1, stream), &[]);
}

fn open_source(out: &mut Vec<u8>, stream: u64) {
    frames::call(out, "Target/source", STREAMING, frames::id(stream + 1, stream), &[]);
}

fn credit(out: &mut Vec<u8>, stream: u64, bytes: u32) {
    frames::put(out, CREDIT, 0, frames::id(stream + 1, stream), &bytes.to_le_bytes(), &[]);
}

fn item(out: &mut Vec<u8>, stream: u64, bytes: &[u8]) {
    frames::put(out, DATA, END, frames::id(stream + 1, stream), &[], bytes);
}

async fn past_the_credit(target: Target) -> io::Result<Done> {
    flood(&target, Reading::All, BATCH, |batch, out| {
        if batch == 0 {
            open_sink(out, 0);
        }
        (0..BATCH).for_each(|_| item(out, 0, &[0; 60_000]));
    })
    .await
}

async fn credit_overflow(target: Target) -> io::Result<Done> {
    flood(&target, Reading::All, 1, |batch, out| {
        if batch == 0 {
            open_source(out, 0);
        }
        credit(out, 0, u32::MAX);
    })
    .await
}

/// All streams there may be, each with credit for a gigabyte, and a socket that nobody reads.
async fn unread_source(target: Target) -> io::Result<Done> {
    let mut raw = Raw::connect(&target, Reading::Nothing).await?;
    let mut bytes = Vec::new();
    (0..streams_max()).for_each(|stream| open_source(&mut bytes, stream));
    raw.send(&bytes, target.until).await?;
    // Credit for a stream that has not begun says nothing: so it is said again and again.
    while Instant::now() < target.until {
        bytes.clear();
        (0..streams_max()).for_each(|stream| credit(&mut bytes, stream, 1 << 20));
        raw.send(&bytes, target.until).await?;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(Done { sent: streams_max(), connections: 1 })
}

/// All streams there may be, their windows filled with items of one length, each followed by so much that is skipped.
async fn fill_sinks(target: &Target, length: usize, padding: usize) -> io::Result<Done> {
    let mut raw = Raw::connect(target, Reading::All).await?;
    let mut bytes = Vec::new();
    (0..streams_max()).for_each(|stream| open_sink(&mut bytes, stream));
    raw.send(&bytes, target.until).await?;
    let payload = vec![7; length];
    let mut done = Done { sent: 0, connections: 1 };
    let window = limits().stream_window as usize;
    let turns = (0..window / (length + FRAME_COST)).flat_map(|_| 0..streams_max());
    bytes.clear();
    for stream in turns {
        item(&mut bytes, stream, &payload);
        frames::padding(&mut bytes, padding);
        done.sent += 1;
        if bytes.len() >= BURST {
            raw.send(&bytes, target.until).await?;
            bytes.clear();
            if Instant::now() >= target.until {
                break;
            }
            tokio::time::sleep(PACE).await;
        }
    }
    raw.keep(target.until).await;
    Ok(done)
}

async fn unread_sink(target: Target) -> io::Result<Done> {
    fill_sinks(&target, 1000, 0).await
}

async fn empty_items(target: Target) -> io::Result<Done> {
    fill_sinks(&target, 0, 0).await
}

/// If an item were a part of the buffer it was read into, it would keep all of that.
async fn padded_items(target: Target) -> io::Result<Done> {
    fill_sinks(&target, 16 << 10, 240 << 10).await
}

async fn too_many_streams(target: Target) -> io::Result<Done> {
    flood(&target, Reading::All, BATCH, |batch, out| {
        for n in 0..BATCH {
            let stream = batch * BATCH + n;
            open_sink(out, stream);
            item(out, stream, b"of a stream that may have been refused");
        }
    })
    .await
}
