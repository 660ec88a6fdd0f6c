//! Datagrams coming in: who they are from, what they say of others, and what they ask.

use std::net::SocketAddr;
use std::time::Instant;

use super::limits::TELL_EVERY;
use super::message::{Body, Datagram, Envelope};
use super::node::Phase;
use super::record::{Standing, Update};
use super::settle::Origin;
use super::{Malformed, Membership, NodeId, NodeState};

impl Membership {
    /// A datagram has arrived.
    ///
    /// # Errors
    /// If it is not a message of another node of this cluster. Nothing was changed; count it.
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddr, bytes: &[u8]) -> Result<(), Malformed> {
        let table = &self.table;
        let datagram = Datagram::decode(self.cluster, bytes, &|id, bytes| table.recall(id, bytes))?;
        if datagram.envelope.from == self.me {
            return Err(Malformed::Own);
        }
        if matches!(self.phase, Phase::Departed) {
            return Ok(());
        }
        self.observe(now);
        let tell = !matches!(datagram.body, Body::YouAre { .. });
        self.hear(now, &datagram.envelope, tell.then_some(from));
        for update in datagram.updates {
            self.merge(now, update, Origin::Gossip);
        }
        self.handle_body(now, from, datagram.envelope.from, datagram.body);
        self.finish(now);
        Ok(())
    }

    fn handle_body(&mut self, now: Instant, from: SocketAddr, id: NodeId, body: Body) {
        match body {
            Body::Ping { nonce } => self.answer_ping(from, id, nonce),
            Body::Ack { nonce } => self.handle_ack(now, id, nonce),
            Body::PingReq { nonce, target } => self.relay(now, from, nonce, target),
            Body::Nack { nonce } => self.helper_replied(now, id, nonce, false),
            Body::Gossip => {}
            Body::YouAre { state, generation, incarnation } => {
                self.hear_about_me(now, state, generation, incarnation);
                // The accuser learns from our own word, which rides on every packet.
                self.send_bare(from, Body::Gossip);
            }
        }
    }

    /// Whoever asks is answered; news goes only to a member at its own address, so that a forged source gets back no
    /// more than it sent.
    fn answer_ping(&mut self, from: SocketAddr, id: NodeId, nonce: u64) {
        let at_home = self.table.get(id).is_some_and(|member| member.record.profile.addr == from);
        if at_home && self.is_well(id) {
            self.send_with_news(from, id, Body::Ack { nonce });
        } else {
            self.send_bare(from, Body::Ack { nonce });
        }
    }

    fn handle_ack(&mut self, now: Instant, id: NodeId, nonce: u64) {
        let well = self.table.state(id) == Some(NodeState::Alive) && self.clock.grace(now).is_none();
        if let Some(edge) = self.edges.get_mut(&id) {
            let late = edge.late.is_some();
            if edge.answered(now, nonce, well) {
                if !late {
                    self.health.better();
                }
                self.peer_answered(now, id, late);
                return;
            }
        }
        if self.relay_reached(id, nonce) || self.isolation.asked_with(nonce) {
            self.note_answer(now);
            return;
        }
        if let Phase::Leaving(farewell) = &mut self.phase {
            farewell.acknowledged(nonce);
            return;
        }
        self.helper_replied(now, id, nonce, true);
    }

    /// What a packet says by being there: the sender's own generation and incarnation, and its root hash. `tell` is
    /// where to send what is held of it, if that is worse than its own word.
    pub(super) fn hear(&mut self, now: Instant, envelope: &Envelope, tell: Option<SocketAddr>) {
        let root = self.table.root();
        self.hear_side(now, envelope);
        let Some(member) = self.table.get_mut(envelope.from) else {
            if let Some(to) = tell {
                self.hear_forgotten(now, envelope, to);
            }
            return;
        };
        member.local_mut().heard = Some(now);
        let (state, addr) = (member.state(), member.record.profile.addr);
        let held = (member.record.generation, member.record.standing.incarnation);
        let own = (envelope.generation, envelope.incarnation);
        let accused = own == held && matches!(state, NodeState::Suspect | NodeState::Failed);
        if own.0 == held.0 && own.1 > held.1 {
            let standing = Standing { degraded: envelope.degraded, ..Standing::alive(envelope.incarnation) };
            let update = Update::Brief { id: envelope.from, generation: own.0, standing };
            self.merge(now, update, Origin::Owner);
        } else if let Some(to) = tell.filter(|_| own < held || accused) {
            self.tell(now, envelope.from, to);
        }
        let reborn = own.0 > held.0;
        if (state.is_visible() || reborn) && tell.is_some() {
            // At its own address, not where the packet says it came from: nobody can aim our streams at a third party.
            self.sync.note(now, envelope.from, addr, envelope.root == root);
        }
    }

    /// Tells a member what is held of it, so that it can refute; at most once a second.
    pub(super) fn tell(&mut self, now: Instant, id: NodeId, to: SocketAddr) {
        let Some(member) = self.table.get_mut(id) else { return };
        if member.local().told.is_some_and(|at| now.saturating_duration_since(at) < TELL_EVERY) {
            return;
        }
        member.local_mut().told = Some(now);
        let (record, state) = (&member.record, member.state());
        let (generation, incarnation) = (record.generation, record.standing.incarnation);
        self.send_bare(to, Body::YouAre { state, generation, incarnation });
    }
}
