//! The node under test, its honest neighbour, and what is under way between them.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};

use rpcnet_cluster::membership::{
    ClusterEvent, Config, Generation, Identity, Membership, Node, NodeId, NodeState, Output, StreamFailure,
    StreamId,
};
use uuid::Uuid;

use crate::{Step, forged};

/// What a timer may run out at one moment before it is a busy loop.
const TIMERS_MAX: usize = 100;

/// A node with what was asked of it and not yet done.
struct Host {
    membership: Membership,
    addr: SocketAddr,
    /// For its neighbour.
    sent: VecDeque<Sent>,
    /// To anybody else.
    asked: Vec<StreamId>,
    view: BTreeMap<NodeId, Node>,
    left: bool,
    departed: bool,
}

enum Sent {
    Datagram(Vec<u8>),
    Request(StreamId, Vec<u8>),
    Reply(StreamId, Result<Vec<u8>, StreamFailure>),
}

pub(crate) struct World {
    now: Instant,
    /// The node under test, and its neighbour.
    hosts: [Host; 2],
    /// What each message of the cluster begins with: versions, and the cluster's number.
    cluster: Vec<u8>,
}

fn addr(number: u8) -> SocketAddr {
    ([127, 0, 0, 1], forged::port(number)).into()
}

fn node(number: u8) -> NodeId {
    NodeId::new(Uuid::from_bytes(forged::id(number)))
}

impl Host {
    fn new(number: u8) -> Self {
        let me = Identity::new(node(number), Generation(10), addr(number));
        let membership = Membership::new(me, Config::new("fuzz"), number.into());
        let (sent, asked, view) = Default::default();
        Self { membership, addr: addr(number), sent, asked, view, left: false, departed: false }
    }

    /// Carries out what the node wants, and holds it against what it says of itself.
    fn drain(&mut self, neighbour: SocketAddr) {
        while let Some(output) = self.membership.poll_output() {
            assert!(!self.departed, "{output:?} after the farewell");
            match output {
                Output::Send { to, bytes } => {
                    assert!(bytes.len() <= 1_200 - 44, "a datagram of {} bytes", bytes.len());
                    if to == neighbour {
                        self.sent.push_back(Sent::Datagram(bytes));
                    }
                }
                Output::Stream { id, to, bytes, .. } => {
                    assert!(bytes.len() <= 256 << 10, "a request of {} bytes", bytes.len());
                    if to == neighbour {
                        self.sent.push_back(Sent::Request(id, bytes));
                    } else {
                        self.asked.push(id);
                    }
                }
                Output::Event(event) => self.note(&event),
                Output::Departed => self.departed = true,
                _ => {}
            }
        }
        self.expect_its_own_word();
    }

    fn note(&mut self, event: &ClusterEvent) {
        match event {
            ClusterEvent::NodeJoined(node)
            | ClusterEvent::NodeRecovered(node)
            | ClusterEvent::TagsChanged(node) => {
                self.view.insert(node.id, node.clone());
            }
            ClusterEvent::NodeLeft(node) | ClusterEvent::NodeFailed(node) => {
                assert!(
                    self.view.remove(&node.id).is_some(),
                    "the end of a node that is not there: {event:?}"
                );
            }
            _ => {}
        }
    }

    fn expect_its_own_word(&self) {
        let facts = |node: &Node| (node.id, node.generation, node.tags.clone());
        let visible: Vec<_> = self.membership.visible().map(|node| facts(&node)).collect();
        let folded: Vec<_> = self.view.values().map(facts).collect();
        assert_eq!(folded, visible, "the events add up to the view");
        let me = self.membership.local_node();
        assert_eq!(me.addr, self.addr, "where a node is, it says itself");
        let state = self.membership.state(me.id);
        assert!(
            self.left || state == Some(NodeState::Alive),
            "{state:?}: a node that runs is alive to itself"
        );
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        let mut hosts = [Host::new(0), Host::new(1)];
        hosts[0].membership.join(now, &[addr(1), addr(2)]);
        hosts[1].membership.join(now, &[]);
        let mut world = Self { now, hosts, cluster: Vec::new() };
        world.drain();
        let first = world.hosts[0].sent.front();
        let Some(Sent::Request(_, bytes)) = first else { unreachable!("a seed is asked first") };
        world.cluster = bytes[..9].to_vec();
        world
    }

    fn drain(&mut self) {
        let addrs = [self.hosts[1].addr, self.hosts[0].addr];
        self.hosts.iter_mut().zip(addrs).for_each(|(host, neighbour)| host.drain(neighbour));
    }

    pub(crate) fn run(&mut self, step: Step<'_>) {
        let (now, host) = (self.now, &mut self.hosts[0]);
        match step {
            Step::Raw(bytes) => {
                let _ = host.membership.handle_datagram(now, addr(3), bytes);
            }
            Step::Datagram { from, message } => {
                let bytes = message.datagram(&self.cluster);
                let _ = host.membership.handle_datagram(now, addr(from), &bytes);
            }
            Step::Request(message) => {
                let bytes = message.request(&self.cluster);
                if let Ok(answer) = host.membership.handle_stream_request(now, &bytes) {
                    assert!(answer.len() <= 256 << 10, "an answer of {} bytes", answer.len());
                }
            }
            Step::Reply { which, message, refused } => {
                if !host.asked.is_empty() {
                    let id = host.asked.swap_remove(usize::from(which) % host.asked.len());
                    let failure = if refused { StreamFailure::Refused } else { StreamFailure::TimedOut };
                    let answer = message.map(|message| message.reply(&self.cluster)).ok_or(failure);
                    let _ = host.membership.handle_stream_reply(now, id, answer);
                }
            }
            Step::Carry(count) => (0..count % 16).for_each(|_| self.carry()),
            Step::Drop(count) => self.lose(usize::from(count % 16)),
            Step::Pass { millis } => self.pass(Duration::from_millis(millis.into())),
            Step::Tag { key, value: Some(value) } => {
                let (key, value) = (key.to_string(), "v".repeat(value.into()));
                let _ = host.membership.set_tag(now, &key, &value);
            }
            Step::Tag { key, value: None } => drop(host.membership.remove_tag(now, &key.to_string())),
            Step::Report(number) => host.membership.report_failure(now, node(number)),
            Step::Leave => {
                host.left = true;
                host.membership.leave(now);
            }
        }
        self.drain();
    }

    /// The next message of each of the two arrives at the other.
    fn carry(&mut self) {
        for (from, to) in [(0, 1), (1, 0)] {
            let Some(sent) = self.hosts[from].sent.pop_front() else { continue };
            let (now, source) = (self.now, self.hosts[from].addr);
            let membership = &mut self.hosts[to].membership;
            match sent {
                Sent::Datagram(bytes) => {
                    let heard = membership.handle_datagram(now, source, &bytes);
                    heard.expect("an honest node is understood");
                }
                Sent::Request(id, bytes) => {
                    let answer = membership.handle_stream_request(now, &bytes);
                    let answer = answer.expect("an honest node is understood");
                    self.hosts[to].sent.push_back(Sent::Reply(id, Ok(answer)));
                }
                Sent::Reply(id, answer) => {
                    membership.handle_stream_reply(now, id, answer).expect("an honest node is understood");
                }
            }
            self.drain();
        }
    }

    /// Datagrams are lost; requests fail.
    fn lose(&mut self, count: usize) {
        for (from, to) in [(0, 1), (1, 0)] {
            let sent: Vec<_> = {
                let sent = &mut self.hosts[from].sent;
                sent.drain(..count.min(sent.len())).collect()
            };
            for sent in sent {
                let (host, id) = match sent {
                    Sent::Datagram(_) => continue,
                    Sent::Request(id, _) => (from, id),
                    Sent::Reply(id, _) => (to, id),
                };
                let failed = Err(StreamFailure::TimedOut);
                let _ = self.hosts[host].membership.handle_stream_reply(self.now, id, failed);
            }
        }
    }

    /// Lets time pass, one timer after the other.
    fn pass(&mut self, time: Duration) {
        let (until, mut times) = (self.now + time, 0);
        loop {
            let next = self.hosts.iter().filter_map(|host| host.membership.next_timeout()).min();
            let now = next.unwrap_or(until).clamp(self.now, until);
            times = if now == self.now { times + 1 } else { 0 };
            assert!(times < TIMERS_MAX, "a timer that is due again and again");
            self.now = now;
            if next.is_none_or(|next| next > until) {
                return;
            }
            for host in &mut self.hosts {
                if host.membership.next_timeout().is_some_and(|at| at <= now) {
                    host.membership.handle_timeout(now);
                }
            }
            self.drain();
            self.hosts.iter_mut().for_each(|host| host.sent.truncate(1000));
        }
    }

    /// The two hear of each other again; a node that left is gone.
    pub(crate) fn settle_down(mut self) {
        for _ in 0..20 {
            (0..40).for_each(|_| self.carry());
            self.pass(Duration::from_millis(200));
        }
        assert!(!self.hosts[0].left || self.hosts[0].departed, "a farewell ends");
    }
}
