//! The one road by which anything known of a member changes, and all that follows from a change.

use std::time::Instant;

use super::gossip::Urgency;
use super::record::{Record, Update};
use super::table::{Before, Transition};
use super::{ClusterEvent, Membership, Node, NodeId, NodeState, Output};

/// Where news comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A datagram of anybody.
    Gossip,
    /// The member's own word.
    Owner,
    /// A stream: a bulk of records, of which `relayed` says whether they are passed on.
    Page { relayed: bool },
    /// This node's own accusation.
    Here,
}

impl Membership {
    /// Takes in news about a member.
    pub(super) fn merge(&mut self, now: Instant, mut update: Update, origin: Origin) {
        if update.id() == self.me {
            self.meet_myself(now, &update);
            return;
        }
        let may_be_old = matches!(origin, Origin::Page { .. }) || self.may_be_of_other_side(now, update.id());
        let held_back = may_be_old && self.hold_back(&mut update);
        // Passed on as gossip it would convict elsewhere at once.
        let origin = if held_back && update.standing().accusers.gone() >= 2 {
            Origin::Page { relayed: false }
        } else {
            origin
        };
        if let Some(transition) = self.table.apply(now, &update, &mut self.rng) {
            self.settle(now, &transition, origin);
        }
        if held_back {
            self.telling.push(update.id());
        }
    }

    /// A sync, or gossip while a split heals, may bring an old verdict from the other side. A member that is visible here gets the
    /// time of a suspicion to refute it, and is told; without this both halves of a split would declare each other
    /// dead in the moment of healing.
    fn hold_back(&self, update: &mut Update) -> bool {
        let held = self.table.get(update.id()).filter(|member| member.state().is_visible());
        let standing = update.standing();
        let verdict = match standing.state {
            NodeState::Failed => true,
            NodeState::Suspect => standing.accusers.gone() >= 2,
            NodeState::Alive | NodeState::Left => false,
        };
        let held_back = verdict && held.is_some_and(|member| update.generation() >= member.record.generation);
        if held_back {
            update.set_state(NodeState::Suspect);
        }
        held_back
    }

    /// Replaces this node's own record, which only it may do.
    pub(super) fn rewrite_me(&mut self, now: Instant, record: Record) {
        if let Some(transition) = self.table.apply(now, &Update::Full(record.into()), &mut self.rng) {
            self.settle(now, &transition, Origin::Owner);
        }
    }

    pub(super) fn settle(&mut self, now: Instant, transition: &Transition, origin: Origin) {
        let id = transition.id;
        let Some(member) = self.table.get(id) else { return };
        let (state, node) = (member.state(), member.record.node());
        if origin != (Origin::Page { relayed: false }) {
            let full = transition.change.generation || transition.change.tags;
            self.queue.push(id, urgency(transition, state), full);
        }
        self.note_refutation(now, transition, &node);
        self.note_side(now, id, transition.before.as_ref().map(|before| before.state));
        self.announce(now, transition, &node, state);
        self.edges_stale |= transition.before.as_ref().is_none_or(|before| before.state != state);
        if id == self.me {
            return;
        }
        if transition.before.as_ref().is_some_and(|before| is_newer(&node, &before.node)) {
            self.suspicions.stop(id);
        }
        if state == NodeState::Suspect { self.weigh(now, id, origin) } else { self.suspicions.stop(id) }
    }

    /// Our accusation was answered by its subject: we were wrong, and remember it.
    fn note_refutation(&mut self, now: Instant, transition: &Transition, node: &Node) {
        let Some(before) = transition.before.as_ref().filter(|before| before.accused_here) else { return };
        let refuted = !transition.change.generation && node.incarnation > before.node.incarnation;
        // Whoever was behind a cut did nothing to be mistrusted for: the next cut is to be noticed as soon as this one.
        let mistaken = refuted && !self.partition.is_cut_in_two();
        if let Some(member) = self.table.get_mut(transition.id).filter(|_| refuted) {
            if mistaken {
                member.local_mut().grudge.refuted(now);
            }
            if before.gone_here {
                member.local_mut().grudge.refusal_disproved = Some(node.generation);
            }
        }
    }

    fn announce(&mut self, now: Instant, transition: &Transition, node: &Node, state: NodeState) {
        let before = transition.before.as_ref();
        let replaced = before.filter(|before| {
            transition.change.generation && before.state.is_visible() && transition.id != self.me
        });
        if let Some(old) = replaced.filter(|_| state.is_visible()) {
            self.emit(ClusterEvent::NodeFailed(old.node.clone()));
        }
        let same = before.filter(|_| !transition.change.generation).map(|before| before.state);
        match (same, state) {
            // Gone before this node had heard of it, or known to be gone already.
            (None, NodeState::Failed | NodeState::Left) if replaced.is_none() => {}
            (Some(NodeState::Failed | NodeState::Left), NodeState::Failed | NodeState::Left) => {}
            (_, NodeState::Failed) => self.emit(ClusterEvent::NodeFailed(node.clone())),
            (_, NodeState::Left) => self.emit(ClusterEvent::NodeLeft(node.clone())),
            (None | Some(NodeState::Left), _) => self.emit(ClusterEvent::NodeJoined(node.clone())),
            (Some(NodeState::Failed), _) | (Some(NodeState::Suspect), NodeState::Alive) => {
                self.emit(ClusterEvent::NodeRecovered(node.clone()));
            }
            (Some(NodeState::Alive | NodeState::Suspect), _) => {}
        }
        if state == NodeState::Suspect && same != Some(NodeState::Suspect) {
            let phi = self.phi_of(now, node.id);
            self.emit(ClusterEvent::NodeSuspected { node: node.clone(), phi });
        }
        let degraded = before.is_some_and(|before| before.node.degraded != node.degraded);
        let described = transition.change.tags || degraded;
        if described && same.is_some_and(NodeState::is_visible) && state.is_visible() {
            self.emit(ClusterEvent::TagsChanged(node.clone()));
        }
    }

    fn phi_of(&self, now: Instant, id: NodeId) -> f64 {
        self.edges.get(&id).map_or(0.0, |edge| edge.phi(now, &self.judgement()))
    }

    fn emit(&mut self, event: ClusterEvent) {
        self.outputs.push_back(Output::Event(event));
    }
}

/// Whether a node's owner has spoken since.
fn is_newer(node: &Node, before: &Node) -> bool {
    (node.generation, node.incarnation) > (before.generation, before.incarnation)
}

fn urgency(transition: &Transition, state: NodeState) -> Urgency {
    let was = transition.before.as_ref().map(|before: &Before| before.state);
    match state {
        NodeState::Failed | NodeState::Left => Urgency::Gone,
        NodeState::Suspect => Urgency::Suspected,
        NodeState::Alive if transition.change.generation || was.is_none() => Urgency::Joined,
        NodeState::Alive if transition.change.standing => Urgency::Refuted,
        NodeState::Alive => Urgency::Tagged,
    }
}
