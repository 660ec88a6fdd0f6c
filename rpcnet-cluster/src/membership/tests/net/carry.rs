//! What the network does with what the nodes put out, and what it brings them.

use std::net::SocketAddr;
use std::time::Duration;

use super::super::super::limits::{DATAGRAM_BYTES_MAX, SEAL_BYTES};
use super::super::super::message::hash;
use super::super::super::{ClusterEvent, Output, StreamFailure, StreamId};
use super::{Logged, Net, Process, Said, What, ms};

impl Net {
    pub(super) fn carry_out(&mut self, index: usize, output: Output) {
        match output {
            Output::Send { to, bytes } => self.send(index, to, bytes),
            Output::Stream { id, to, bytes, timeout } => self.stream(index, id, to, bytes, timeout),
            Output::Event(event) => self.note(index, event),
            Output::Joined { .. } => self.hosts[index].joined = true,
            Output::SeedUnreachable { seed, failure, .. } => {
                self.seeds_unreachable.push((index, seed, failure));
            }
            Output::SeedIsSelf { .. } => {}
            Output::Departed => {
                self.hosts[index].departed = true;
                self.hosts[index].process = Process::Gone;
            }
        }
    }

    /// One way: 0.5 ± 0.25 ms.
    fn latency(&mut self) -> Duration {
        Duration::from_micros(self.rng.u64(250..750))
    }

    fn send(&mut self, index: usize, to: SocketAddr, bytes: Vec<u8>) {
        let sealed = bytes.len() + SEAL_BYTES;
        assert!(sealed <= DATAGRAM_BYTES_MAX, "a datagram of {sealed} bytes when it is sealed");
        self.largest_datagram = self.largest_datagram.max(sealed);
        self.hosts[index].sent_bytes += sealed + 28;
        if let Some(recorded) = &mut self.recorded {
            recorded.push(Said::Datagram(bytes.clone()));
        }
        let Some(&target) = self.by_addr.get(&to) else { return };
        if self.no_datagrams || self.cut.contains(&(index, target)) || self.rng.f64() < self.loss {
            self.datagrams_lost += 1;
            return;
        }
        if self.icmp && self.hosts[target].process == Process::Gone {
            let at = self.now + self.latency() * 2;
            return self.schedule(at, index, What::Unreachable { addr: to });
        }
        let (at, from) = (self.now + self.latency(), self.hosts[index].addr);
        self.schedule(at, target, What::Datagram { from, bytes });
    }

    fn stream(&mut self, index: usize, id: StreamId, to: SocketAddr, bytes: Vec<u8>, timeout: Duration) {
        self.hosts[index].sent_bytes += bytes.len() + 200;
        if let Some(recorded) = &mut self.recorded {
            recorded.push(Said::Request(bytes.clone()));
        }
        self.hosts[index].open.insert(id);
        let result = Err(StreamFailure::TimedOut);
        self.schedule(self.now + timeout, index, What::Reply { id, result });
        let target = self.by_addr.get(&to).copied();
        let dark = target.is_some_and(|target| self.hosts[target].process == Process::Dark);
        if dark || target.is_some_and(|target| self.is_cut(index, target)) {
            return;
        }
        // A lost segment costs TCP its first retransmission timeout.
        let retransmission = if self.rng.f64() < self.loss * 3.0 { ms(1_000) } else { ms(0) };
        let at = self.now + self.latency() * 3 + retransmission;
        match target {
            Some(target) if self.hosts[target].process != Process::Gone && !self.streams_refused => {
                self.schedule(at, target, What::Request { from: index, id, bytes });
            }
            _ => self.schedule(at, index, What::Reply { id, result: Err(StreamFailure::Refused) }),
        }
    }

    pub(super) fn is_cut(&self, a: usize, b: usize) -> bool {
        self.cut.contains(&(a, b)) || self.cut.contains(&(b, a))
    }

    fn note(&mut self, observer: usize, event: ClusterEvent) {
        let at = self.now - self.start;
        self.trace = hash(self.trace, format!("{at:?} {observer} {event:?}").as_bytes());
        let view = &mut self.hosts[observer].view;
        match &event {
            ClusterEvent::NodeJoined(node)
            | ClusterEvent::NodeRecovered(node)
            | ClusterEvent::TagsChanged(node) => {
                view.insert(node.id, node.clone());
            }
            ClusterEvent::NodeLeft(node) | ClusterEvent::NodeFailed(node) => {
                let known = view.remove(&node.id);
                assert!(known.is_some(), "{observer} hears of the end of a node it has not: {event:?}");
            }
            _ => {}
        }
        if let ClusterEvent::NodeFailed(node) = &event {
            let once = (node.id, node.generation.0, node.incarnation.0);
            assert!(self.hosts[observer].failed.insert(once), "{observer} hears twice that {node:?} failed");
        }
        self.log.push(Logged { at, observer, event });
    }

    pub(super) fn deliver(&mut self, index: usize, what: What) {
        match what {
            What::Timer => {}
            What::Unreachable { addr } => {
                self.unreachable += 1;
                self.input(index, |membership, now| membership.handle_unreachable(now, addr));
            }
            What::Datagram { from, bytes } => {
                // A packet of another cluster is refused, which is no failure of this world.
                let _ = self.input(index, |membership, now| membership.handle_datagram(now, from, &bytes));
            }
            What::Request { from, id, bytes } => {
                let answer =
                    self.input(index, |membership, now| membership.handle_stream_request(now, &bytes));
                if let Ok(bytes) = &answer {
                    self.hosts[index].sent_bytes += bytes.len() + 200;
                }
                let at = self.now + self.latency();
                let result = answer.map_err(|_| StreamFailure::Unreachable);
                self.schedule(at, from, What::Reply { id, result });
            }
            What::Reply { id, result } => {
                if self.hosts[index].open.remove(&id) {
                    let _ =
                        self.input(index, |membership, now| membership.handle_stream_reply(now, id, result));
                }
            }
        }
    }
}
