//! Saying farewell, so that nobody has to find out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Instant;

use super::limits::{FAREWELL_EVERY, FAREWELL_LINGER, FAREWELL_OTHERS, FAREWELL_WAIT};
use super::message::{Body, DatagramWriter};
use super::node::Phase;
use super::record::Record;
use super::{Membership, NodeState, Output};

/// A farewell under way.
///
/// It ends `FAREWELL_LINGER` after half of those told have answered, or after `FAREWELL_WAIT` altogether: one gossip
/// period would be too short for a lost packet, and a leaver that stops answering at once is suspected by those who
/// have not heard yet.
#[derive(Debug)]
pub(super) struct Farewell {
    /// Those told who have not answered, by nonce; at most the five observers and three others.
    unanswered: BTreeMap<u64, SocketAddr>,
    told: usize,
    next_send: Instant,
    wait_until: Instant,
    lingers_until: Option<Instant>,
}

impl Farewell {
    pub(super) fn acknowledged(&mut self, nonce: u64) {
        self.unanswered.remove(&nonce);
    }

    fn is_heard(&self) -> bool {
        self.unanswered.len() * 2 <= self.told
    }

    pub(super) fn next_timeout(&self) -> Instant {
        self.lingers_until.unwrap_or(self.next_send.min(self.wait_until))
    }
}

impl Membership {
    /// Leaves the cluster: tells this node's observers and three others, repeats it until half have answered or two
    /// seconds have passed, and goes on answering for another second. [`Output::Departed`] is the end.
    pub fn leave(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Leaving(_) | Phase::Departed) {
            return;
        }
        self.observe(now);
        let mut record = Record::clone(self.table.mine());
        record.standing.state = NodeState::Left;
        self.phase = Phase::Leaving(self.farewell(now));
        self.edges.clear();
        self.rewrite_me(now, record);
        self.say_farewell(now);
        self.finish(now);
    }

    fn farewell(&mut self, now: Instant) -> Farewell {
        let mut told: BTreeSet<_> = self.table.observers();
        told.extend(self.random_peers(FAREWELL_OTHERS, |_| true));
        told.remove(&self.me);
        let addrs: Vec<_> = told
            .into_iter()
            .filter_map(|id| self.table.get(id))
            .filter(|member| member.state().is_visible())
            .map(|member| member.record.profile.addr)
            .collect();
        let unanswered: BTreeMap<_, _> = addrs.into_iter().map(|addr| (self.rng.u64(..), addr)).collect();
        let (told, wait_until) = (unanswered.len(), now + FAREWELL_WAIT);
        Farewell { unanswered, told, next_send: now, wait_until, lingers_until: None }
    }

    /// Drives the farewell, if one is under way.
    pub(super) fn say_farewell(&mut self, now: Instant) {
        let Phase::Leaving(farewell) = &mut self.phase else { return };
        if farewell.told == 0 || farewell.lingers_until.is_some_and(|until| until <= now) {
            self.phase = Phase::Departed;
            self.outputs.push_back(Output::Departed);
            return;
        }
        if farewell.lingers_until.is_none() && (farewell.is_heard() || farewell.wait_until <= now) {
            farewell.lingers_until = Some(now + FAREWELL_LINGER);
        }
        if farewell.lingers_until.is_none() && farewell.next_send <= now {
            farewell.next_send = now + FAREWELL_EVERY;
            let unanswered: Vec<_> = farewell.unanswered.iter().map(|(&nonce, &to)| (nonce, to)).collect();
            for (nonce, to) in unanswered {
                self.send_farewell(nonce, to);
            }
        }
    }

    /// A ping that carries the farewell: its answer says that it was heard.
    fn send_farewell(&mut self, nonce: u64, to: SocketAddr) {
        let mut writer = DatagramWriter::new(&self.envelope(), Body::Ping { nonce });
        writer.push(self.table.mine().bytes());
        self.outputs.push_back(Output::Send { to, bytes: writer.finish() });
    }
}
