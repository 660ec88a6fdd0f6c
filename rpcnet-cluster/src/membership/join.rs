//! Finding the cluster: each seed is asked in the background, with backoff, for ever.
//!
//! A seed is an address and nothing else; no member is made up for it. While a visible member has that address there
//! is nothing to do; when it has none (any more), the seed is asked again, which is also what mends a cluster that
//! fell apart for longer than it remembers.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::limits::{SEED_RECHECK, SEED_RETRY_FIRST, SEED_RETRY_LONGEST, SEEDS_MAX, STREAM_BULK_TIMEOUT};
use super::message::{Envelope, Page, Request};
use super::node::Phase;
use super::record::Update;
use super::settle::Origin;
use super::stream::StreamPurpose;
use super::{Membership, Output, StreamFailure};

/// The seeds and how far each is.
#[derive(Debug, Default)]
pub(super) struct Seeds {
    list: Vec<Seed>,
    joined: bool,
}

#[derive(Clone, Copy, Debug)]
struct Seed {
    addr: SocketAddr,
    /// Failures in a row.
    attempts: u32,
    next_try: Instant,
    asked: bool,
}

impl Seeds {
    pub(super) fn replace(&mut self, now: Instant, addrs: &[SocketAddr]) {
        let mut list: Vec<Seed> = Vec::new();
        for &addr in addrs {
            if list.len() < SEEDS_MAX && !list.iter().any(|seed| seed.addr == addr) {
                let new = Seed { addr, attempts: 0, next_try: now, asked: false };
                list.push(self.list.iter().copied().find(|seed| seed.addr == addr).unwrap_or(new));
            }
        }
        self.list = list;
    }

    /// There are some besides this node itself, and none has been met yet.
    pub(super) fn are_unmet(&self, me: SocketAddr) -> bool {
        !self.joined && self.addrs().any(|addr| addr != me)
    }

    pub(super) fn addrs(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.list.iter().map(|seed| seed.addr)
    }

    /// All are to be tried now, however long ago they answered last.
    pub(super) fn hasten(&mut self, now: Instant) {
        self.list.iter_mut().for_each(|seed| seed.next_try = seed.next_try.min(now));
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.list.iter().filter(|seed| !seed.asked).map(|seed| seed.next_try).min()
    }

    fn find(&mut self, addr: SocketAddr) -> Option<&mut Seed> {
        self.list.iter_mut().find(|seed| seed.addr == addr)
    }
}

impl Membership {
    pub(super) fn ask_seeds(&mut self, now: Instant) {
        if !matches!(self.phase, Phase::Running) {
            return;
        }
        let due = |seed: &Seed| !seed.asked && seed.next_try <= now;
        let due: Vec<_> = self.seeds.list.iter().filter(|seed| due(seed)).map(|seed| seed.addr).collect();
        for addr in due {
            let known = self.is_member_addr(addr);
            let asked = !known && self.ask_seed(now, addr);
            let Some(seed) = self.seeds.find(addr) else { continue };
            seed.asked = asked;
            seed.next_try = now + SEED_RECHECK;
            if known {
                seed.attempts = 0;
            }
        }
    }

    pub(super) fn ask_seed(&mut self, now: Instant, seed: SocketAddr) -> bool {
        let me = Box::new(Update::Full(self.table.mine().clone()));
        let purpose = StreamPurpose::Join { seed };
        self.request(now, seed, &Request::Join { me }, STREAM_BULK_TIMEOUT, purpose).is_some()
    }

    pub(super) fn seed_answered(&mut self, now: Instant, seed: SocketAddr, from: &Envelope, page: Page) {
        if let Some(seed) = self.seeds.find(seed) {
            seed.asked = false;
            seed.attempts = 0;
            seed.next_try = now + SEED_RECHECK;
        }
        if from.from == self.me {
            // One's own address under another name is no seed.
            self.seeds.list.retain(|held| held.addr != seed);
            self.outputs.push_back(Output::SeedIsSelf { seed });
            return;
        }
        self.hear_forgotten(now, from, seed);
        for update in page.updates {
            self.merge(now, update, Origin::Page { relayed: false });
        }
        // The page may be one of several: go on until the roots agree.
        self.sync.want(now, from.from, seed, from.root != self.table.root());
        if !std::mem::replace(&mut self.seeds.joined, true) {
            self.outputs.push_back(Output::Joined { seed });
        }
    }

    pub(super) fn seed_failed(&mut self, now: Instant, addr: SocketAddr, failure: StreamFailure) {
        let jitter = 0.5 + 0.5 * self.rng.f64();
        let Some(seed) = self.seeds.find(addr) else { return };
        let retry_in = backoff(seed.attempts).mul_f64(jitter);
        seed.asked = false;
        seed.attempts = seed.attempts.saturating_add(1);
        seed.next_try = now + retry_in;
        let attempts = seed.attempts;
        self.outputs.push_back(Output::SeedUnreachable { seed: addr, failure, attempts, retry_in });
    }
}

fn backoff(attempts: u32) -> Duration {
    SEED_RETRY_FIRST.saturating_mul(2_u32.saturating_pow(attempts.min(16))).min(SEED_RETRY_LONGEST)
}
