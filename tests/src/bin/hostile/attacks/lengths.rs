//! Lengths that are announced and never come, and arguments that go on inwards.

use std::io;

use super::{Attack, Target, attack};
use crate::{
    frames::{self, BINCODE, JSON, POSTCARD},
    raw::{Done, Reading, flood, flood_in},
};

/// How many calls are written together.
const BATCH: u64 = 100;

/// How deep the arguments nest that are as long as a frame may be.
const DEPTH: usize = 60_000;

pub(super) fn all() -> Vec<Attack> {
    vec![
        attack!("announced-frame", "headers", announced_frame),
        attack!("announced-lengths", "calls", announced_lengths),
        attack!("deep-nesting", "calls", deep_nesting),
    ]
}

async fn announced_frame(target: Target) -> io::Result<Done> {
    flood(&target, Reading::All, 1, |_, out| {
        frames::header(out, frames::DATA, 0, frames::id(1, 0), u32::MAX as usize, 0);
    })
    .await
}

/// A number as bincode has it when it does not fit 32 bits: also one whose product with an item's size overflows.
fn announced(length: u64) -> Vec<u8> {
    [&[253][..], &length.to_le_bytes(), b"and no more than that"].concat()
}

/// A text, and a sequence of numbers, of 4 GiB and of as much as there can be.
async fn announced_lengths(target: Target) -> io::Result<Done> {
    let calls = [
        ("Target/echo", announced(4 << 30)),
        ("Target/numbers", announced(4 << 30)),
        ("Target/echo", announced(u64::MAX)),
        ("Target/numbers", announced(u64::MAX / 8)),
    ];
    flood(&target, Reading::All, BATCH, |batch, out| {
        for n in 0..BATCH {
            let id = frames::next_id(out, batch * BATCH + n);
            let (method, arguments) = &calls[n as usize % calls.len()];
            frames::call(out, method, 0, id, arguments);
        }
    })
    .await
}

/// A sequence of one, which is a sequence of one, and so on, in each codec.
async fn deep_nesting(target: Target) -> io::Result<Done> {
    let nested = |codec, byte| {
        let arguments = vec![byte; DEPTH];
        flood_in(&target, codec, Reading::All, 1, move |batch, out| {
            let id = frames::next_id(out, batch);
            frames::call(out, "Target/tree", 0, id, &arguments);
        })
    };
    let (bincode, postcard, json) = tokio::join!(nested(BINCODE, 1), nested(POSTCARD, 1), nested(JSON, b'['));
    Ok(bincode?.and(postcard?).and(json?))
}
