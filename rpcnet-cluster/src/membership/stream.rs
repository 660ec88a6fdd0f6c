//! Requests over streams: sent, answered, and what an answer or its absence means.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::limits::STREAMS_MAX;
use super::message::{Envelope, Reply, Request, decode_reply, decode_request, encode_reply, encode_request};
use super::node::Phase;
use super::record::Update;
use super::settle::Origin;
use super::{Malformed, Membership, NodeId, NodeState, Output, StreamFailure, StreamId};

/// Requests without an answer.
#[derive(Debug, Default)]
pub(super) struct Streams {
    last: u64,
    open: BTreeMap<StreamId, Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    purpose: StreamPurpose,
    sent: Instant,
    /// A driver that has not answered by then has lost the request.
    until: Instant,
}

/// Why a request was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamPurpose {
    Join { seed: SocketAddr },
    Sync { peer: NodeId, to: SocketAddr },
    Push,
    Probe { target: NodeId },
}

impl Membership {
    /// Sends a request; `None` if too many have no answer yet.
    pub(super) fn request(
        &mut self,
        now: Instant,
        to: SocketAddr,
        request: &Request,
        timeout: Duration,
        purpose: StreamPurpose,
    ) -> Option<StreamId> {
        if self.streams.open.len() >= STREAMS_MAX {
            return None;
        }
        self.streams.last += 1;
        let id = StreamId(self.streams.last);
        self.streams.open.insert(id, Open { purpose, sent: now, until: now + timeout * 2 });
        let bytes = encode_request(&self.envelope(), request);
        self.outputs.push_back(Output::Stream { id, to, bytes, timeout });
        Some(id)
    }

    /// The answer to an [`Output::Stream`], or why there is none. An id that is not open any more is ignored.
    ///
    /// # Errors
    /// If the answer is not one of this cluster; the request then counts as unanswered.
    pub fn handle_stream_reply(
        &mut self,
        now: Instant,
        id: StreamId,
        result: Result<Vec<u8>, StreamFailure>,
    ) -> Result<(), Malformed> {
        self.observe(now);
        let Some(open) = self.streams.open.remove(&id) else { return Ok(()) };
        if matches!(self.phase, Phase::Departed) {
            return Ok(());
        }
        let decoded = match result {
            Ok(bytes) => {
                let table = &self.table;
                decode_reply(self.cluster, &bytes, &|id, bytes| table.recall(id, bytes)).map_err(Some)
            }
            Err(failure) => {
                self.stream_failed(now, open, id, failure);
                Err(None)
            }
        };
        let outcome = match decoded {
            Ok((envelope, reply)) => {
                self.stream_answered(now, open, id, &envelope, reply);
                Ok(())
            }
            Err(Some(malformed)) => {
                self.stream_failed(now, open, id, StreamFailure::Unreachable);
                Err(malformed)
            }
            Err(None) => Ok(()),
        };
        self.finish(now);
        outcome
    }

    fn stream_answered(&mut self, now: Instant, open: Open, id: StreamId, from: &Envelope, reply: Reply) {
        let other = from.from != self.me;
        if other {
            self.hear(now, from, None);
        }
        match (open.purpose, reply) {
            (StreamPurpose::Join { seed }, Reply::Page(page)) => self.seed_answered(now, seed, from, page),
            (StreamPurpose::Sync { to, .. }, Reply::Page(page)) => self.page_arrived(now, to, from, page),
            (StreamPurpose::Push, _) => {}
            (StreamPurpose::Probe { target }, Reply::Done) if from.from == target => {
                self.stream_probe_over(target, id);
                if let Some(edge) = self.edges.get_mut(&target) {
                    let late = edge.late.is_some();
                    edge.answered_up_to(now, open.sent);
                    self.peer_answered(now, target, late);
                }
            }
            (StreamPurpose::Probe { target }, Reply::Done) if other => {
                self.stream_probe_over(target, id);
                self.met_another(now, target, from.from);
            }
            // An answer to another question, or our own: as good as none.
            _ => self.stream_failed(now, open, id, StreamFailure::Unreachable),
        }
        // An answer of our own says nothing about the network.
        if other {
            self.note_answer(now);
        }
    }

    /// Another node of this cluster answers where `target` was: that process is gone, and its successor may know
    /// nobody yet.
    fn met_another(&mut self, now: Instant, target: NodeId, other: NodeId) {
        let Some(addr) = self.table.get(target).map(|member| member.record.profile.addr) else { return };
        self.process_is_gone(now, target);
        if !self.table.state(other).is_some_and(NodeState::is_visible) {
            self.ask_seed(now, addr);
        }
    }

    fn stream_failed(&mut self, now: Instant, open: Open, id: StreamId, failure: StreamFailure) {
        match open.purpose {
            StreamPurpose::Join { seed } => self.seed_failed(now, seed, failure),
            StreamPurpose::Sync { peer, .. } => self.sync.failed(now, peer),
            StreamPurpose::Push => {}
            StreamPurpose::Probe { target } => {
                self.stream_probe_over(target, id);
                if failure == StreamFailure::Refused {
                    // Its host answered. A seed's refusal proves no such thing: the seed may be on this very host,
                    // and a last survivor would never come to a judgement while one refuses.
                    self.note_answer(now);
                    self.process_is_gone(now, target);
                }
            }
        }
    }

    fn stream_probe_over(&mut self, target: NodeId, id: StreamId) {
        if let Some(late) = self.edges.get_mut(&target).and_then(|edge| edge.late.as_mut()) {
            late.streams.retain(|&open| open != id);
        }
    }

    /// Positive evidence: the host says that nobody listens. Used once a generation; if the owner refutes it (a
    /// firewall that resets, say), refusals mean nothing there until the process is a new one.
    fn process_is_gone(&mut self, now: Instant, id: NodeId) {
        let late = self.edges.get(&id).is_some_and(|edge| edge.late.is_some());
        if !late || self.clock.grace(now).is_some() {
            return;
        }
        let Some(member) = self.table.get(id) else { return };
        let known =
            member.record.standing.accusers.iter().any(|accuser| accuser.id == self.me && accuser.gone);
        let disproved = member.local().grudge.refusal_disproved == Some(member.record.generation);
        if !known && !disproved && member.state().is_visible() {
            self.accuse(now, id, true);
        }
    }

    /// A request has arrived over a stream; returns the answer to send back. Who asks is in the request, so the
    /// stream's address does not matter.
    ///
    /// # Errors
    /// If it is not a request of this cluster. Nothing was changed; count it and close the stream.
    pub fn handle_stream_request(&mut self, now: Instant, bytes: &[u8]) -> Result<Vec<u8>, Malformed> {
        let table = &self.table;
        let (envelope, request) = decode_request(self.cluster, bytes, &|id, bytes| table.recall(id, bytes))?;
        if matches!(self.phase, Phase::Departed) {
            // Whoever asked for a page gets no answer to its question, and asks another node.
            return Ok(encode_reply(&self.envelope(), &Reply::Done));
        }
        self.observe(now);
        self.hear(now, &envelope, None);
        let reply = match request {
            Request::Join { me } => {
                self.hear_forgotten_record(now, &envelope, std::slice::from_ref(&*me));
                self.merge(now, *me, Origin::Owner);
                Reply::Page(self.page(&[0; super::message::BUCKETS]))
            }
            Request::Sync { buckets } => Reply::Page(self.page(&buckets)),
            Request::Push { updates } => {
                self.hear_forgotten_record(now, &envelope, &updates);
                self.merge_page(now, updates);
                Reply::Done
            }
            Request::Ping => Reply::Done,
        };
        let bytes = encode_reply(&self.envelope(), &reply);
        self.finish(now);
        Ok(bytes)
    }

    /// Gives up requests that the driver has lost; a driver that keeps its word never comes here.
    pub(super) fn expire_streams(&mut self, now: Instant) {
        let lost: Vec<_> = self
            .streams
            .open
            .iter()
            .filter(|(_, open)| open.until <= now)
            .map(|(&id, &open)| (id, open))
            .collect();
        for (id, open) in lost {
            self.streams.open.remove(&id);
            self.stream_failed(now, open, id, StreamFailure::TimedOut);
        }
    }

    pub(super) fn merge_page(&mut self, now: Instant, updates: Vec<Update>) {
        let relayed = updates.len() <= super::limits::GOSSIP_BULK;
        for update in updates {
            self.merge(now, update, Origin::Page { relayed });
        }
    }

    /// Whether this node or a member that is well gossips at that address. One that is late may have been replaced
    /// there by somebody who knows nobody.
    pub(super) fn is_member_addr(&self, addr: SocketAddr) -> bool {
        self.table.iter().any(|(id, member)| member.record.profile.addr == addr && self.is_well(id))
    }
}
