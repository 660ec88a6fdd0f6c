//! Frames that cost their sender nothing.

use std::io;

use super::{Attack, Target, attack};
use crate::{
    frames::{self, CREDIT, FINISH, GO_AWAY, PING, RESET, STOP, UNKNOWN},
    raw::{Done, Reading, flood},
};

const BATCH: u64 = 1000;

pub(super) fn all() -> Vec<Attack> {
    vec![
        attack!("unknown-frames", "frames", unknown_frames),
        attack!("stray-frames", "frames", stray_frames),
        attack!("go-away", "frames", go_away),
        attack!("unread-pongs", "pings", unread_pongs),
    ]
}

async fn unknown_frames(target: Target) -> io::Result<Done> {
    flood(&target, Reading::All, BATCH, |_, out| {
        (0..BATCH).for_each(|n| frames::put(out, UNKNOWN, 0, n, b"a head", b"and a payload"));
    })
    .await
}

/// Every frame that ends or goes on with a stream.
fn every_end(out: &mut Vec<u8>, id: u64) {
    let status = [3, 1, 2, 17, 0, 0, 0, 0];
    frames::bare(out, FINISH, id);
    frames::bare(out, STOP, id);
    frames::put(out, RESET, frames::END, id, &status, b"no");
    frames::put(out, CREDIT, 0, id, &1000u32.to_le_bytes(), &[]);
}

/// Of calls that have ended, and of ones that never were.
async fn stray_frames(target: Target) -> io::Result<Done> {
    flood(&target, Reading::All, BATCH, |batch, out| {
        let call = frames::id(batch + 1, 0);
        frames::call(out, "Target/echo", 0, call, b"\x02hi");
        frames::bare(out, frames::CANCEL, call);
        (0..BATCH / 8).for_each(|_| every_end(out, call));
        (0..BATCH / 8).for_each(|n| every_end(out, frames::id(batch + 2, n)));
    })
    .await
}

/// It also calls, as nobody told it not to.
async fn go_away(target: Target) -> io::Result<Done> {
    flood(&target, Reading::All, BATCH, |batch, out| {
        (0..BATCH).for_each(|n| frames::put(out, GO_AWAY, 0, n, &[], b"bye"));
        frames::call(out, "Target/echo", 0, frames::id(batch + 1, 0), b"\x02hi");
    })
    .await
}

async fn unread_pongs(target: Target) -> io::Result<Done> {
    flood(&target, Reading::Nothing, BATCH, |batch, out| {
        (0..BATCH).for_each(|n| frames::bare(out, PING, batch * BATCH + n));
    })
    .await
}
