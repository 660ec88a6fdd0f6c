//! Datagrams going out: what every one says of its sender, and the news that ride on it.

use std::net::SocketAddr;
use std::time::Instant;

use super::gossip::Offer;
use super::limits::{DATAGRAM_BYTES_MAX, GOSSIP_BULK_DATAGRAMS, GOSSIP_EVERY, GOSSIP_FANOUT};
use super::message::{Body, DatagramWriter, Envelope, update_bytes};
use super::{Membership, NodeId, NodeState, Output};

/// Less room than this in a datagram is not worth looking for news that fits.
const WORTHWHILE: usize = 64;

/// When the next gossip round is, and what it may send.
#[derive(Debug, Default)]
pub(super) struct Pace {
    next: Option<Instant>,
    /// Bytes that may be sent, refilled by the budget up to one second's worth.
    credit: usize,
    refilled: Option<Instant>,
}

impl Pace {
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    fn refill(&mut self, now: Instant, bytes_per_second: usize) {
        let share = self.refilled.map_or(1.0, |at| now.saturating_duration_since(at).as_secs_f64().min(1.0));
        self.credit =
            self.credit.saturating_add((share * bytes_per_second as f64) as usize).min(bytes_per_second);
        self.refilled = Some(now);
    }
}

impl Membership {
    pub(super) fn envelope(&self) -> Envelope {
        let record = self.table.mine();
        let (side, minority) = self.partition.side();
        Envelope {
            cluster: self.cluster,
            from: self.me,
            generation: record.generation,
            incarnation: record.standing.incarnation,
            root: self.table.root(),
            health: self.health.value(),
            side,
            minority,
            degraded: record.standing.degraded,
        }
    }

    /// A message without news: to the accused, to strangers, and wherever an answer must not outgrow its question.
    pub(super) fn send_bare(&mut self, to: SocketAddr, body: Body) {
        let bytes = DatagramWriter::new(&self.envelope(), body).finish();
        self.outputs.push_back(Output::Send { to, bytes });
    }

    /// A message to a member, with as much news as fits. Returns its size if there was any news.
    pub(super) fn send_with_news(&mut self, to: SocketAddr, id: NodeId, body: Body) -> Option<usize> {
        let mut writer = DatagramWriter::new(&self.envelope(), body);
        let (table, mut any) = (&self.table, false);
        self.queue.offer(table.live(), |news| {
            if writer.room() < WORTHWHILE {
                return Offer::NoRoom;
            }
            // Forgotten since: there is nothing left to say of it.
            let Some(member) = table.get(news.id) else { return Offer::Drop };
            if news.id == id {
                return Offer::Skip;
            }
            let written = if news.full {
                writer.push(member.record.bytes())
            } else {
                writer.push(&update_bytes(&member.record.brief()))
            };
            any |= written;
            if written { Offer::Written } else { Offer::Skip }
        });
        let bytes = writer.finish();
        let size = bytes.len();
        // A gossip message is its news; every other kind is worth sending without.
        if any || body != Body::Gossip {
            self.outputs.push_back(Output::Send { to, bytes });
        }
        any.then_some(size)
    }

    /// A probe; the accused and the late get no news, which would be wasted and counted as sent.
    pub(super) fn send_ping(&mut self, id: NodeId, nonce: u64) {
        let Some(member) = self.table.get(id) else { return };
        let (to, body) = (member.record.profile.addr, Body::Ping { nonce });
        if self.is_well(id) {
            self.send_with_news(to, id, body);
        } else {
            self.send_bare(to, body);
        }
    }

    /// Alive, and not late in answering.
    pub(super) fn is_well(&self, id: NodeId) -> bool {
        let late = self.edges.get(&id).is_some_and(|edge| edge.late.is_some());
        !late && self.table.state(id) == Some(NodeState::Alive)
    }

    pub(super) fn schedule_gossip(&mut self, now: Instant) {
        if self.pace.next.is_none() && !self.queue.is_empty() && self.table.roster.len() > 0 {
            // Not at once: news that arrives together leaves together.
            self.pace.next = Some(now + GOSSIP_EVERY.mul_f64(0.25 * self.rng.f64()));
        }
    }

    /// News too urgent for the next round's turn.
    pub(super) fn gossip_at_once(&mut self, now: Instant) {
        self.pace.next = Some(now);
        self.gossip_if_due(now);
    }

    /// One gossip round: a few random peers, and in bulk those who were heard from lately first.
    pub(super) fn gossip_if_due(&mut self, now: Instant) {
        if self.pace.next.is_none_or(|at| at > now) {
            return;
        }
        self.pace.next = None;
        self.pace.refill(now, self.config.gossip_bytes_per_second);
        let (peers, datagrams) = if self.queue.is_bulk() {
            (self.peers_heard_lately(), GOSSIP_BULK_DATAGRAMS)
        } else {
            (self.random_peers(GOSSIP_FANOUT, |_| true), 1)
        };
        for _ in 0..datagrams {
            for &id in &peers {
                self.gossip_to(id);
            }
        }
        if !self.queue.is_empty() && self.table.roster.len() > 0 {
            self.pace.next = Some(now + GOSSIP_EVERY);
        }
    }

    fn gossip_to(&mut self, id: NodeId) {
        if self.pace.credit < DATAGRAM_BYTES_MAX {
            return;
        }
        let Some(to) = self.table.get(id).map(|member| member.record.profile.addr) else { return };
        if let Some(size) = self.send_with_news(to, id, Body::Gossip) {
            self.pace.credit -= size;
        }
    }

    fn peers_heard_lately(&mut self) -> Vec<NodeId> {
        let mut peers = self.random_peers(4 * GOSSIP_FANOUT, |_| true);
        peers
            .sort_by_key(|&id| std::cmp::Reverse(self.table.get(id).and_then(|member| member.local().heard)));
        peers.truncate(GOSSIP_FANOUT);
        peers
    }

    /// Random members that are well.
    pub(super) fn random_peers(&mut self, count: usize, eligible: impl Fn(NodeId) -> bool) -> Vec<NodeId> {
        let mut rng = self.rng.fork();
        self.table.roster.sample(count, &mut rng, |id| self.is_well(id) && eligible(id))
    }
}
