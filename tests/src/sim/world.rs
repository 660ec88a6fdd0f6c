//! Hosts, the network between them, and the time that passes.

use std::time::{Duration, Instant};

use fastrand::Rng;

use super::core::{Action, Change, Core, Failure, Seat, Version};
use super::counts::Counts;
use super::host::{Host, State, WAITING_MAX};
use super::invariants::{Deed, End, Excuse, Invariants, Seen};
use super::ledger::Ledger;
use super::measure::Measures;
use super::network::{Fate, Network};
use super::parting::{KNOWN_AFTER, Parted, Partings};
use super::schedule::{Schedule, Scheduled, What};
use super::script::Script;
use super::series::Second;
use super::story::Story;
use super::trace::Trace;

/// Bytes that a stream's packets cost beyond a request or an answer.
const STREAM_OVERHEAD: usize = 200;
/// Nodes whose lists are held against their events at the end: all up to a thousand, then some, since it costs N².
const FOLDED_MAX: usize = 1_000;

/// Everything there is in one run.
pub struct World<C: Core> {
    shared: C::Shared,
    epoch: Instant,
    pub(crate) now: Duration,
    pub(crate) rng: Rng,
    schedule: Schedule,
    pub(crate) hosts: Vec<Option<Host<C>>>,
    /// Which node listens at an address.
    pub(crate) at_addr: Vec<Option<u32>>,
    pub(crate) network: Network,
    pub(crate) ledger: Ledger,
    pub(crate) measures: Measures,
    pub(crate) partings: Partings,
    pub(crate) invariants: Invariants,
    pub(crate) counts: Counts,
    pub(crate) trace: Trace,
    pub(crate) story: Story,
    pub(crate) seconds: Vec<Second>,
    pub(crate) queued_most: usize,
    pub(crate) sent_bytes: u64,
    /// Until when everybody counts as faulty.
    pub(crate) storm_until: Duration,
    pub(crate) script: Script,
}

impl<C: Core> World<C> {
    /// A world in which nobody runs yet.
    pub fn new(script: Script, seed: u64) -> Self {
        let nodes = script.nodes;
        let cluster_of = (0..nodes).map(|node| u8::from(script.two_clusters && node % 2 == 1)).collect();
        Self {
            shared: C::Shared::default(),
            epoch: Instant::now(),
            now: Duration::ZERO,
            rng: Rng::with_seed(seed),
            schedule: Schedule::default(),
            hosts: (0..nodes).map(|_| None).collect(),
            at_addr: vec![None; nodes],
            network: Network::new(nodes),
            ledger: Ledger::new(cluster_of),
            measures: Measures::default(),
            partings: Partings::default(),
            invariants: Invariants::default(),
            counts: Counts::default(),
            trace: Trace::default(),
            story: Story::default(),
            seconds: Vec::new(),
            queued_most: 0,
            sent_bytes: 0,
            storm_until: Duration::ZERO,
            script,
        }
    }

    /// Starts a process of this node at an address; its predecessor, if any, is gone.
    pub(crate) fn start(&mut self, node: u32, addr: u32) {
        let start = self.hosts[node as usize].as_ref().map_or(1, |host| host.start + 1);
        let cluster = u32::from(self.script.two_clusters && node % 2 == 1);
        let seed = self.rng.u64(..);
        let core = C::new(&Seat { node, start, addr, nodes: self.script.nodes, seed, cluster }, &self.shared);
        let sent = self.hosts[node as usize].as_ref().map_or((0, 0), |old| (old.sent_bytes, old.sent_before));
        let mut host = Host::new(core, addr, start);
        (host.sent_bytes, host.sent_before) = sent;
        // Who has not heard yet may still find its predecessor failed.
        host.awake_since = self.now;
        host.faulty_until = if start > 1 { self.now + Duration::from_secs(60) } else { Duration::ZERO };
        self.hosts[node as usize] = Some(host);
        self.at_addr[addr as usize] = Some(node);
        self.ledger.started(node);
        self.partings.ended(node);
        let seeds: Vec<_> = self.script.seeds.iter().copied().filter(|&seed| seed != addr).collect();
        self.input(node, |core, now| core.join(now, &seeds));
    }

    /// One input to one process, and all that follows.
    pub(crate) fn input<T>(&mut self, node: u32, act: impl FnOnce(&mut C, Instant) -> T) -> Option<T> {
        let now = self.epoch + self.now;
        let result = act(&mut self.hosts[node as usize].as_mut()?.core, now);
        let mut datagrams = 0;
        while let Some(action) = self.hosts[node as usize].as_mut().and_then(|host| host.core.poll()) {
            datagrams += usize::from(matches!(action, Action::Send { .. }));
            self.carry_out(node, action);
        }
        self.invariants.done(self.now, Deed::Burst { datagrams });
        self.ask_quorum(node);
        self.arm(node);
        Some(result)
    }

    fn ask_quorum(&mut self, node: u32) {
        let Some(host) = &mut self.hosts[node as usize] else { return };
        let quorum = host.core.quorum();
        if quorum != host.quorum {
            host.quorum = quorum;
            let (held, visible, total) = quorum.unwrap_or_default();
            let held = if held { "holds" } else { "lacks" };
            self.story.tell(self.now, || format!("{node} {held} its quorum, {visible} of {total}"));
        }
    }

    fn arm(&mut self, node: u32) {
        let (epoch, now) = (self.epoch, self.now);
        let Some(host) = &mut self.hosts[node as usize] else { return };
        let Some(at) = host.core.next_timeout().map(|at| at.saturating_duration_since(epoch).max(now)) else {
            return;
        };
        if host.armed.is_none_or(|armed| at < armed) {
            host.armed = Some(at);
            let start = host.start;
            self.schedule.push(at, (node, start), What::Timer);
        }
    }

    fn carry_out(&mut self, node: u32, action: Action) {
        match action {
            Action::Send { to, bytes } => self.send(node, to, bytes),
            Action::Stream { id, to, bytes, timeout } => self.stream(node, id, to, bytes, timeout),
            Action::Changed(change) => self.changed(node, change),
            Action::Parted(parted) => self.parted(node, &parted),
            Action::Departed => {
                if let Some(host) = &mut self.hosts[node as usize] {
                    host.state = State::Gone;
                }
                self.ledger.ended(node);
            }
        }
    }

    fn charge(&mut self, node: u32, bytes: usize) {
        self.sent_bytes += bytes as u64;
        if let Some(host) = &mut self.hosts[node as usize] {
            host.sent_bytes += bytes as u64;
        }
    }

    fn listener(&self, addr: u32) -> Option<(u32, u32, State)> {
        let node = *self.at_addr.get(addr as usize)?.as_ref()?;
        self.hosts[node as usize].as_ref().map(|host| (node, host.start, host.state))
    }

    fn addr_of(&self, node: u32) -> u32 {
        self.hosts[node as usize].as_ref().map_or(node, |host| host.addr)
    }

    fn start_of(&self, node: u32) -> u32 {
        self.hosts[node as usize].as_ref().map_or(0, |host| host.start)
    }

    fn send(&mut self, node: u32, to: u32, bytes: Vec<u8>) {
        self.counts.datagrams += 1;
        self.charge(node, bytes.len() + C::DATAGRAM_OVERHEAD);
        self.invariants.done(self.now, Deed::Datagram { bytes: bytes.len(), most: C::DATAGRAM_MAX });
        let Some((target, start, _)) = self.listener(to) else { return };
        let from = self.addr_of(node);
        match self.network.fate(&mut self.rng, node, target) {
            Fate::Lost => self.counts.datagrams_lost += 1,
            Fate::Arrives { after, again, held_up } => {
                self.counts.datagrams_delayed += u64::from(held_up);
                if let Some(again) = again {
                    self.counts.datagrams_doubled += 1;
                    let what = What::Datagram { from, bytes: bytes.clone() };
                    self.schedule.push(self.now + after + again, (target, start), what);
                }
                self.schedule.push(self.now + after, (target, start), What::Datagram { from, bytes });
            }
        }
    }

    fn stream(&mut self, node: u32, id: u64, to: u32, bytes: Vec<u8>, timeout: Duration) {
        self.counts.streams += 1;
        self.charge(node, bytes.len() + STREAM_OVERHEAD);
        self.invariants.done(self.now, Deed::Stream { bytes: bytes.len() });
        let from = (node, self.start_of(node));
        let late = What::Reply { id, result: Err(Failure::TimedOut) };
        self.schedule.push(self.now + timeout, from, late);
        let Some((target, start, state)) = self.listener(to) else {
            return self.refuse(from, id, Duration::from_millis(1));
        };
        let road = self.network.stream(&mut self.rng, node, target, 2).filter(|_| state != State::Dark);
        match road {
            None => self.counts.streams_failed += 1,
            Some(took) if state == State::Gone => self.refuse(from, id, took / 2),
            Some(took) => {
                let what = What::Request { from: node, from_start: from.1, id, bytes };
                self.schedule.push(self.now + took, (target, start), what);
            }
        }
    }

    fn refuse(&mut self, asker: (u32, u32), id: u64, after: Duration) {
        self.counts.streams_failed += 1;
        let refused = What::Reply { id, result: Err(Failure::Refused) };
        self.schedule.push(self.now + after, asker, refused);
    }

    fn changed(&mut self, observer: u32, change: Change) {
        let Version { generation, incarnation } = change.version;
        self.story.tell(self.now, || {
            format!("{observer} sees {:?} {} {generation}.{incarnation}", change.kind, change.node)
        });
        let words = [change.kind as u64, u64::from(change.node), change.version.generation];
        self.trace.note(self.now, observer, words);
        self.trace.note(self.now, observer, [change.version.incarnation, 0, 0]);
        let Some(subject) = &self.hosts[change.node as usize] else { return };
        let owner = subject.core.version();
        let lives = subject.lives() && change.version.generation == owner.generation;
        let seen = Seen {
            observer,
            start: self.start_of(observer),
            change,
            owner,
            lives,
            excuse: self.excuse(observer, change.node),
        };
        self.ledger.note(observer, &change);
        self.measures.note(self.now, &seen);
        self.invariants.seen(self.now, &seen);
    }

    fn parted(&mut self, observer: u32, parted: &Parted) {
        let word = match parted {
            Parted::Sides { minority, majority, .. } => [20, minority.len() as u64, majority.len() as u64],
            Parted::Healed => [21, 0, 0],
            Parted::MassFailure => [22, 0, 0],
        };
        self.story.tell(self.now, || format!("{observer} says {parted:?}"));
        self.trace.note(self.now, observer, word);
        self.partings.note(self.now, observer, parted);
    }

    fn excuse(&self, observer: u32, subject: u32) -> Option<Excuse> {
        let faulty =
            |node: u32| self.hosts[node as usize].as_ref().is_none_or(|host| self.now < host.faulty_until);
        if self.now < self.storm_until || faulty(subject) {
            Some(Excuse::Subject)
        } else if faulty(observer) {
            Some(Excuse::Observer)
        } else {
            self.network.apart(self.now, observer, subject).then_some(Excuse::Apart)
        }
    }

    /// Runs up to this moment.
    pub(crate) fn run_to(&mut self, until: Duration) {
        while self.now < until {
            let second = Duration::from_secs(self.seconds.len() as u64 + 1);
            let slice = until.min(second);
            while let Some(next) = self.schedule.pop(slice) {
                self.now = self.now.max(next.at);
                self.arrive(next);
            }
            self.now = slice;
            if slice == second {
                self.end_second();
            }
        }
    }

    fn arrive(&mut self, next: Scheduled) {
        self.counts.events += 1;
        if self.counts.events.is_multiple_of(1_024) {
            self.queued_most = self.queued_most.max(self.schedule.len());
        }
        let Some(host) = self.hosts[next.node as usize].as_mut().filter(|host| host.start == next.start)
        else {
            return;
        };
        match (host.state, next.what) {
            (State::Running, What::Timer) if host.armed == Some(next.at) => {
                host.armed = None;
                let (last, times) = host.timers;
                host.timers = if last == self.now { (last, times + 1) } else { (self.now, 0) };
                let times = host.timers.1;
                self.trace.note(self.now, next.node, [0; 3]);
                self.input(next.node, |core, now| core.timeout(now));
                self.invariants.done(self.now, Deed::Timers { times });
            }
            (State::Stalled, What::Timer) => host.armed = None,
            (State::Gone, What::Datagram { from, .. }) => self.bounce(next.node, from),
            (_, What::Timer) | (State::Gone | State::Dark, _) => {}
            (State::Running, what) => self.deliver(next.node, what),
            (State::Stalled, what) if host.waiting.len() < WAITING_MAX => host.waiting.push(what),
            (State::Stalled, _) => self.counts.datagrams_lost += 1,
        }
    }

    /// The host of a process that is gone says so to whoever sends it a datagram, as far as the way back is open.
    fn bounce(&mut self, node: u32, to: u32) {
        let Some((target, start, _)) = self.listener(to) else { return };
        if let Fate::Arrives { after, .. } = self.network.fate(&mut self.rng, node, target) {
            let addr = self.addr_of(node);
            self.schedule.push(self.now + after, (target, start), What::Unreachable { addr });
        }
    }

    pub(crate) fn deliver(&mut self, node: u32, what: What) {
        self.trace.note(self.now, node, [what.digest(), 0, 0]);
        match what {
            What::Timer => {}
            What::Datagram { from, bytes } => {
                let taken = self.input(node, |core, now| core.datagram(now, from, &bytes));
                self.counts.datagrams_refused += u64::from(taken == Some(false));
            }
            What::Unreachable { addr } => {
                self.input(node, |core, now| core.unreachable(now, addr));
            }
            What::Request { from, from_start, id, bytes } => {
                let answer = self.input(node, |core, now| core.request(now, &bytes)).flatten();
                let size = answer.as_ref().map_or(0, Vec::len);
                self.charge(node, size + STREAM_OVERHEAD);
                self.invariants.done(self.now, Deed::Stream { bytes: size });
                if self.network.passes(node, from) && self.network.passes(from, node) {
                    let at = self.now + Network::latency(&mut self.rng);
                    let result = answer.ok_or(Failure::Unreachable);
                    self.schedule.push(at, (from, from_start), What::Reply { id, result });
                }
            }
            What::Reply { id, result } => {
                self.input(node, |core, now| core.reply(now, id, result));
            }
        }
    }

    /// Who holds the quorum, of those that have run for long enough to know.
    fn count_majorities(&mut self) {
        let (now, hosts) = (self.now, &self.hosts);
        let knows = |host: &&Host<C>| host.state == State::Running && now >= host.awake_since + KNOWN_AFTER;
        let holds = |node: &u32| {
            let host = hosts[*node as usize].as_ref().filter(knows);
            host.and_then(|host| host.quorum).is_some_and(|(held, ..)| held)
        };
        let holders = || (0..hosts.len() as u32).filter(holds);
        if self.partings.count_majorities(now, holders) {
            self.story
                .tell(now, || format!("two majorities: {:?} hold the quorum", holders().collect::<Vec<_>>()));
        }
    }

    fn end_second(&mut self) {
        self.count_majorities();
        let (mut most, mut sent) = (0, 0);
        for host in self.hosts.iter_mut().flatten() {
            let lately = host.sent_bytes - host.sent_before;
            host.sent_before = host.sent_bytes;
            most = lately.max(most);
            sent += lately;
        }
        let running = self.ledger.running();
        self.seconds.push(Second {
            at: self.seconds.len() as u64 + 1,
            running,
            sent_per_node: sent as f64 / running.max(1) as f64,
            sent_most: most,
            suspected: self.measures.suspected,
            failed: self.measures.failed,
            false_failed: self.measures.false_failed,
            pairs: self.ledger.pairs(),
        });
    }

    /// The only one of its cluster, with seeds of another: it cannot know that it is whole.
    fn is_astray(&self, node: u32) -> bool {
        let others = (0..self.hosts.len() as u32).filter(|other| other % 2 == node % 2).count();
        self.script.two_clusters && others == 1
    }

    /// The last look at everything.
    pub(crate) fn end(&mut self, calm: bool) {
        let gap = self.ledger.gap();
        let nodes = self.hosts.len() as u32;
        let looked_at = if self.hosts.len() <= FOLDED_MAX { nodes } else { 8 };
        let runs = |host: &&Host<C>| host.state == State::Running;
        let misfold = (0..looked_at).find_map(|observer| {
            let host = self.hosts[observer as usize].as_ref().filter(runs)?;
            let wrong = (0..nodes).find(|&node| host.core.sees(node) != self.ledger.sees(observer, node));
            wrong.map(|node| (observer, node))
        });
        let without_quorum = (0..nodes).find(|&node| {
            let host = self.hosts[node as usize].as_ref().filter(runs);
            host.and_then(|host| host.quorum).is_some_and(|(held, ..)| !held) && !self.is_astray(node)
        });
        let parted = self.partings.faults();
        self.invariants.end(self.now, &End { calm, gap, misfold, without_quorum, parted });
    }
}
