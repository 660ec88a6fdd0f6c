//! Anti-entropy: whoever differs for more than a second compares notes, and only what differs travels.
//!
//! ```text
//!   root hash in every packet ─ differs for 1 s ─▶ 256 bucket hashes ─▶ a page of the buckets that differ
//!                                                   ◀─ push of what the other lacks ─┘
//! ```

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use super::limits::{
    DIFFERING_PEERS_MAX, STREAM_BULK_TIMEOUT, STREAM_BYTES_MAX, STREAM_UPDATES_MAX, SYNC_AFTER, SYNC_EVERY,
};
use super::message::{BUCKETS, Envelope, Page, Request};
use super::record::Update;
use super::stream::StreamPurpose;
use super::{Membership, NodeId};

/// Bytes of a page kept free for the envelope and the lengths.
const PAGE_MARGIN: usize = 1_024;

/// Peers whose root differs, and whether a sync runs.
#[derive(Debug, Default)]
pub(super) struct Sync {
    differing: BTreeMap<NodeId, Differing>,
    running: bool,
    not_before: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Differing {
    /// When this is a reason for a sync.
    due: Instant,
    addr: SocketAddr,
}

impl Sync {
    /// A packet came from a peer whose root is equal to ours, or not.
    pub(super) fn note(&mut self, now: Instant, peer: NodeId, addr: SocketAddr, equal: bool) {
        if equal {
            self.differing.remove(&peer);
        } else if self.differing.len() < DIFFERING_PEERS_MAX || self.differing.contains_key(&peer) {
            self.differing.entry(peer).or_insert(Differing { due: now + SYNC_AFTER, addr });
        }
    }

    /// A sync with this peer is wanted without waiting.
    pub(super) fn want(&mut self, now: Instant, peer: NodeId, addr: SocketAddr, differs: bool) {
        if differs && self.differing.len() < DIFFERING_PEERS_MAX {
            self.differing.insert(peer, Differing { due: now, addr });
        }
    }

    pub(super) fn failed(&mut self, now: Instant, peer: NodeId) {
        self.differing.remove(&peer);
        self.over(now);
    }

    fn over(&mut self, now: Instant) {
        self.running = false;
        self.not_before = Some(now + SYNC_EVERY);
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        if self.running {
            return None;
        }
        let due = self.differing.values().map(|differing| differing.due).min()?;
        Some(self.not_before.map_or(due, |at| at.max(due)))
    }
}

impl Membership {
    pub(super) fn sync_if_due(&mut self, now: Instant) {
        if self.sync.next_timeout().is_none_or(|at| at > now) {
            return;
        }
        let due = self.sync.differing.iter().filter(|(_, differing)| differing.due <= now);
        let due: Vec<_> = due.map(|(&peer, differing)| (peer, differing.addr)).collect();
        // A random one of them, or a cluster would turn to the same node together.
        let Some((peer, to)) = self.rng.choice(due) else { return };
        self.sync.differing.remove(&peer);
        let request = Request::Sync { buckets: Box::new(*self.table.buckets()) };
        let purpose = StreamPurpose::Sync { peer, to };
        self.sync.running = self.request(now, to, &request, STREAM_BULK_TIMEOUT, purpose).is_some();
    }

    /// The records of the buckets whose hashes differ from `theirs`, as many whole buckets as fit.
    pub(super) fn page(&mut self, theirs: &[u64; BUCKETS]) -> Page {
        let mine = self.table.buckets();
        let mut records: Vec<Vec<Update>> = vec![Vec::new(); BUCKETS];
        let mut bytes = [0; BUCKETS];
        for (_, member) in self.table.iter() {
            let bucket = member.record.bucket();
            if mine[bucket] != theirs[bucket] {
                bytes[bucket] += member.record.bytes().len() + 2;
                records[bucket].push(Update::Full(member.record.clone()));
            }
        }
        let mut page = Page { covered: [0; BUCKETS / 8], updates: Vec::new() };
        let mut room = STREAM_BYTES_MAX - PAGE_MARGIN;
        // A random start: buckets that did not fit this time come first another time.
        let start = self.rng.usize(..BUCKETS);
        for bucket in (0..BUCKETS).map(|offset| (start + offset) % BUCKETS) {
            let fits =
                bytes[bucket] <= room && page.updates.len() + records[bucket].len() <= STREAM_UPDATES_MAX;
            if mine[bucket] != theirs[bucket] && fits {
                room -= bytes[bucket];
                page.cover(bucket);
                page.updates.append(&mut records[bucket]);
            }
        }
        page
    }

    /// A page came back: take it in, and send what the other lacks.
    pub(super) fn page_arrived(&mut self, now: Instant, to: SocketAddr, from: &Envelope, page: Page) {
        self.sync.over(now);
        self.hear_forgotten(now, from, to);
        let theirs: BTreeMap<_, _> = page.updates.iter().filter_map(hash_of).collect();
        let covered = page.covered;
        self.merge_page(now, page.updates);
        let page = Page { covered, updates: Vec::new() };
        let updates = self.lacking(&page, &theirs);
        if !updates.is_empty() {
            self.request(now, to, &Request::Push { updates }, STREAM_BULK_TIMEOUT, StreamPurpose::Push);
        }
        // One page may not have been all of it.
        self.sync.want(now, from.from, to, covered_any(&covered) && self.table.root() != from.root);
    }

    /// Our records in the covered buckets that the other has not, or not like this.
    fn lacking(&self, page: &Page, theirs: &BTreeMap<NodeId, u64>) -> Vec<Update> {
        let mut room = STREAM_BYTES_MAX - PAGE_MARGIN;
        let mut updates = Vec::new();
        for (id, member) in self.table.iter().filter(|(_, member)| page.covers(member.record.bucket())) {
            if theirs.get(&id) == Some(&member.record.hash()) {
                continue;
            }
            let bytes = member.record.bytes().len() + 2;
            if bytes > room || updates.len() >= STREAM_UPDATES_MAX {
                break;
            }
            room -= bytes;
            updates.push(Update::Full(member.record.clone()));
        }
        updates
    }
}

fn hash_of(update: &Update) -> Option<(NodeId, u64)> {
    match update {
        Update::Full(record) => Some((record.id, record.hash())),
        Update::Brief { .. } => None,
    }
}

fn covered_any(covered: &[u8; BUCKETS / 8]) -> bool {
    covered.iter().any(|&byte| byte != 0)
}
