//! Calls that are given up, never answered, or whose answers are never read.

use std::io;

use tokio::time::Instant;

use super::{Attack, Target, attack, limits};
use crate::{
    frames,
    raw::{Done, PACE, Raw, Reading, flood},
};

const BATCH: u64 = 100;

/// What a call under way costs the server: its slot, its task, its handler, its arguments here. A few hundred bytes each.
const CALL_COST: usize = 4 << 10;

/// How much the library's record of an answered request takes.
const REMEMBERED_COST: usize = 512;

/// How many requests a server remembers.
const REQUESTS_MAX: usize = 100_000;

/// How many bytes come with an argument that is kept: as many as are read at once.
const READ_BYTES: usize = 256 << 10;

/// An argument that comes whole in one read with many other bytes.
const PADDED_BYTES: usize = 16 << 10;

/// A call's metadata of 8 KiB: each pair is two pieces of memory and a place in a map.
const METADATA_COST: usize = 3 * (8 << 10);

pub(super) fn all() -> Vec<Attack> {
    let calls_max = limits().calls_max as usize;
    let calls = calls_max * CALL_COST;
    let requests = REQUESTS_MAX * REMEMBERED_COST + calls;
    vec![
        attack!("rapid-reset", "calls", rapid_reset).may_cost(calls, "`calls_max` calls"),
        attack!("ignored-cancel", "calls", ignored_cancel)
            .may_cost(calls, "`calls_max` calls, given up ones included"),
        attack!("ignored-cancel-blocking", "calls", ignored_cancel_blocking)
            .may_cost(calls, "`calls_max` calls, given up ones included"),
        attack!("cancelled-keyed", "calls", cancelled_keyed)
            .may_cost(requests, "`calls_max` calls, `entries_max` requests"),
        attack!("unanswered", "calls", unanswered).may_cost(calls, "`calls_max` calls"),
        attack!("padded-arguments", "calls", padded_arguments)
            .may_cost(calls_max * (PADDED_BYTES + CALL_COST), "`calls_max` calls with 16 KiB"),
        attack!("metadata-bomb", "calls", metadata_bomb)
            .may_cost(calls_max * (METADATA_COST + CALL_COST), "`calls_max` calls, 3 times their metadata"),
        attack!("unread-answers", "calls", unread_answers).may_cost(
            limits().queued_bytes_max + limits().unsent_bytes_max + calls,
            "`queued_bytes_max`, `unsent_bytes_max`, `calls_max` calls",
        ),
    ]
}

/// The next calls, each of which cancels an earlier one.
fn next_calls(out: &mut Vec<u8>, method: &str, batch: u64) {
    for n in 0..BATCH {
        let id = frames::next_id(out, batch * BATCH + n);
        frames::call(out, method, 0, id, &[]);
    }
}

async fn rapid_reset(target: Target) -> io::Result<Done> {
    flood(&target, Reading::All, BATCH, |batch, out| next_calls(out, "Target/hold", batch)).await
}

async fn ignored_cancel(target: Target) -> io::Result<Done> {
    flood(&target, Reading::All, BATCH, |batch, out| next_calls(out, "Target/stubborn", batch)).await
}

async fn ignored_cancel_blocking(target: Target) -> io::Result<Done> {
    flood(&target, Reading::All, BATCH, |batch, out| next_calls(out, "Target/blocking", batch)).await
}

async fn cancelled_keyed(target: Target) -> io::Result<Done> {
    let mut random = fastrand::Rng::new();
    flood(&target, Reading::All, BATCH, |batch, out| {
        for n in 0..BATCH {
            let id = frames::next_id(out, batch * BATCH + n);
            frames::keyed(out, "Target/keyed", id, random.u128(..));
        }
    })
    .await
}

/// As many as the server takes, and more, for which it closes the connection.
async fn unanswered(target: Target) -> io::Result<Done> {
    flood(&target, Reading::All, BATCH, |batch, out| {
        for n in 0..BATCH {
            let number = batch * BATCH + n;
            frames::call(out, "Target/hold", 0, frames::id(number + 1, number), &[]);
        }
    })
    .await
}

/// If an argument were a part of the buffer it was read into, it would keep all of that.
async fn padded_arguments(target: Target) -> io::Result<Done> {
    let mut raw = Raw::connect(&target, Reading::All).await?;
    let mut bytes = Vec::new();
    let mut calls = 0;
    while calls < u64::from(limits().calls_max) && Instant::now() < target.until {
        bytes.clear();
        frames::call(&mut bytes, "hold_bytes", 0, frames::id(calls + 1, calls), &[7; PADDED_BYTES]);
        frames::padding(&mut bytes, READ_BYTES);
        raw.send(&bytes, target.until).await?;
        calls += 1;
        tokio::time::sleep(PACE).await;
    }
    raw.keep(target.until).await;
    Ok(Done { sent: calls, connections: 1 })
}

/// As many calls as there may be, each with as much metadata as it may have: in as many pairs as it may be, and in as many as fit,
/// which are too many.
async fn metadata_bomb(target: Target) -> io::Result<Done> {
    let calls_max = u64::from(limits().calls_max);
    flood(&target, Reading::All, 10, |batch, out| {
        for n in 0..10 {
            let number = batch * 10 + n;
            if let Some(before) = number.checked_sub(calls_max) {
                frames::bare(out, frames::CANCEL, frames::id(before + 1, before % calls_max));
            }
            let pairs = if number % 2 == 0 { 100 } else { 1024 };
            frames::metadata_call(out, "Target/hold", frames::id(number + 1, number % calls_max), pairs);
        }
    })
    .await
}

async fn unread_answers(target: Target) -> io::Result<Done> {
    flood(&target, Reading::Nothing, 1, |batch, out| {
        let id = frames::next_id(out, batch);
        frames::call(out, "Target/blob", 0, id, &[]);
    })
    .await
}
