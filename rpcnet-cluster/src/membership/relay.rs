//! Helping others: a probe carried out for a node whose own probe has no answer (SWIM §3.1).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use super::limits::{NACK_AFTER, RELAYS_MAX};
use super::message::Body;
use super::{Membership, NodeId, NodeState};

/// Probes under way for others, by the nonce of our own ping.
#[derive(Debug, Default)]
pub(super) struct Relays(BTreeMap<u64, Relay>);

#[derive(Clone, Copy, Debug)]
struct Relay {
    requester: SocketAddr,
    /// The requester's nonce, given back with the answer.
    nonce: u64,
    target: NodeId,
    until: Instant,
}

impl Relays {
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.0.values().map(|relay| relay.until).min()
    }
}

impl Membership {
    /// Probes `target` for somebody else. Its address comes from our own table: nobody can aim us at a third party.
    pub(super) fn relay(&mut self, now: Instant, requester: SocketAddr, nonce: u64, target: NodeId) {
        if target == self.me {
            self.send_bare(requester, Body::Ack { nonce });
            return;
        }
        if !self.table.state(target).is_some_and(NodeState::is_visible) || self.relays.0.len() >= RELAYS_MAX {
            self.send_bare(requester, Body::Nack { nonce });
            return;
        }
        let own = self.rng.u64(..);
        self.relays.0.insert(own, Relay { requester, nonce, target, until: now + NACK_AFTER });
        let Some(to) = self.table.get(target).map(|member| member.record.profile.addr) else { return };
        // Without news: whoever asks must not make us send more than it sent.
        self.send_bare(to, Body::Ping { nonce: own });
    }

    /// `true` if the ack belongs to a probe for somebody else, who is told.
    pub(super) fn relay_reached(&mut self, from: NodeId, nonce: u64) -> bool {
        if self.relays.0.get(&nonce).is_none_or(|relay| relay.target != from) {
            return false;
        }
        if let Some(relay) = self.relays.0.remove(&nonce) {
            self.send_bare(relay.requester, Body::Ack { nonce: relay.nonce });
        }
        true
    }

    /// Says that the target was not reached, so that the requester can tell a dead target from its own bad link.
    pub(super) fn give_up_relays(&mut self, now: Instant) {
        let over = |relay: &Relay| relay.until <= now;
        let given_up: Vec<_> = self.relays.0.values().copied().filter(over).collect();
        self.relays.0.retain(|_, relay| !over(relay));
        for relay in given_up {
            self.send_bare(relay.requester, Body::Nack { nonce: relay.nonce });
        }
    }
}
