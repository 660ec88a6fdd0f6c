//! What a script does to the world.

use std::time::Duration;

use super::core::Core;
use super::host::State;
use super::script::Act;
use super::world::World;

/// How often the world is looked at while something is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How long after a fault its victim's troubles are no surprise: the longest suspicion, and the news of it.
const AFTERMATH: Duration = Duration::from_secs(60);
/// From this share of its datagrams lost on, a host is as good as cut off: of its round trips one in twenty-five succeeds.
const CUT_OFF: f64 = 0.8;

impl<C: Core> World<C> {
    pub(crate) fn act(&mut self, act: &Act) {
        match act {
            Act::Start(nodes) => self.each(nodes, Self::start_again),
            Act::StartElsewhere(nodes) => self.each(nodes, Self::start_elsewhere),
            Act::Crash(nodes) if nodes.len() > 1 => {
                self.partings.silenced();
                self.each(nodes, |world, node| world.end_process(node, State::Dark));
            }
            Act::Crash(nodes) => self.each(nodes, |world, node| world.end_process(node, State::Dark)),
            Act::Exit(nodes) => self.each(nodes, |world, node| world.end_process(node, State::Gone)),
            Act::Leave(nodes) => self.each(nodes, Self::leave),
            Act::Stall(nodes) => self.each(nodes, Self::stall),
            Act::Resume(nodes) => self.each(nodes, Self::resume),
            Act::Loss(share) => self.network.loss = *share,
            Act::Roughen { doubled, delayed } => {
                (self.network.doubled, self.network.delayed) = (*doubled, *delayed);
            }
            Act::Lossy { nodes, ingress, egress } => self.make_lossy(nodes, *ingress, *egress),
            Act::Cut(links) => {
                self.counts.cuts += links.len() as u64;
                links.iter().for_each(|&(from, to)| self.network.cut(from, to));
            }
            Act::Split { sides, bridged } => {
                self.counts.cuts += 1;
                self.network.split(sides, *bridged);
                if !bridged {
                    self.partings.split(self.now, self.network.sides());
                }
            }
            Act::ExpectReports(nodes) => self.partings.expect(nodes.clone()),
            Act::AwaitHealed(limit) => self.await_that(*limit, |world| world.partings.is_over()),
            Act::Mend => {
                self.network.mend(self.now);
                self.partings.mended(self.now);
            }
            Act::Storm => {
                self.storm_until = Duration::MAX;
                self.partings.silenced();
            }
            Act::Forgive(after) => self.forgive(*after),
            Act::Expect { observers, subjects } => {
                let nodes = self.hosts.len();
                self.measures.expect(self.now, nodes, observers, subjects);
            }
            Act::AwaitKnown(limit) => self.await_that(*limit, |world| world.measures.all_known()),
            Act::AwaitWhole(name, limit) => self.await_whole(name, *limit),
            Act::OpenWindow => self.measures.open_window(self.now, self.sent_bytes),
            Act::CloseWindow => {
                let running = self.ledger.running();
                self.measures.close_window(self.now, self.sent_bytes, running);
            }
            Act::Calm | Act::Nothing => {}
        }
    }

    fn each(&mut self, nodes: &[u32], act: impl Fn(&mut Self, u32)) {
        nodes.iter().for_each(|&node| act(self, node));
    }

    fn start_again(&mut self, node: u32) {
        let before = self.hosts[node as usize].as_ref().map(|host| (host.addr, host.lives()));
        if before.is_some() {
            self.counts.restarts += 1;
        }
        self.start(node, before.map_or(node, |(addr, _)| addr));
    }

    fn start_elsewhere(&mut self, node: u32) {
        self.counts.restarts += 1;
        if let Some(host) = &self.hosts[node as usize] {
            self.at_addr[host.addr as usize] = None;
        }
        self.at_addr.push(None);
        let addr = self.at_addr.len() as u32 - 1;
        self.start(node, addr);
    }

    fn end_process(&mut self, node: u32, state: State) {
        let Some(host) = self.hosts[node as usize].as_mut().filter(|host| host.lives()) else { return };
        host.state = state;
        host.waiting.clear();
        host.faulty_until = Duration::MAX;
        self.ledger.ended(node);
        self.partings.ended(node);
        match state {
            State::Dark => self.counts.crashes += 1,
            _ => self.counts.exits += 1,
        }
    }

    fn leave(&mut self, node: u32) {
        if self.hosts[node as usize].as_ref().is_some_and(|host| host.state == State::Running) {
            self.counts.leaves += 1;
            self.blame(node, Duration::MAX);
            // From here on it is no member that others have to see.
            self.ledger.ended(node);
            self.input(node, |core, now| core.leave(now));
        }
    }

    fn stall(&mut self, node: u32) {
        if let Some(host) = self.hosts[node as usize].as_mut().filter(|host| host.state == State::Running) {
            host.state = State::Stalled;
            host.faulty_until = Duration::MAX;
            self.counts.stalls += 1;
        }
    }

    fn resume(&mut self, node: u32) {
        let Some(host) = self.hosts[node as usize].as_mut().filter(|host| host.state == State::Stalled)
        else {
            return;
        };
        host.state = State::Running;
        host.awake_since = self.now;
        host.faulty_until = self.now + AFTERMATH;
        for what in std::mem::take(&mut host.waiting) {
            self.deliver(node, what);
        }
        self.input(node, |core, now| core.timeout(now));
    }

    fn make_lossy(&mut self, nodes: &[u32], ingress: f64, egress: f64) {
        self.counts.cuts += nodes.len() as u64;
        if ingress >= CUT_OFF {
            // Who hears hardly anybody holds itself cut off, and says so.
            self.partings.silenced();
        }
        let until = if ingress + egress > 0.0 { Duration::MAX } else { self.now + AFTERMATH };
        for &node in nodes {
            self.network.lose(node, ingress, egress);
            self.blame(node, until);
        }
    }

    fn blame(&mut self, node: u32, until: Duration) {
        if let Some(host) = &mut self.hosts[node as usize] {
            host.faulty_until = until;
        }
    }

    /// Faults of the network are over, and so much later nobody is excused by them any more.
    fn forgive(&mut self, after: Duration) {
        let until = self.now + after;
        self.storm_until = self.storm_until.min(until);
        for host in self.hosts.iter_mut().flatten().filter(|host| host.state == State::Running) {
            host.faulty_until = host.faulty_until.min(until);
        }
    }

    fn await_whole(&mut self, name: &'static str, limit: Duration) {
        let since = self.now;
        self.await_that(limit, |world| world.ledger.whole());
        let took = self.ledger.whole().then(|| self.now - since);
        self.measures.milestones.push((name, took));
    }

    fn await_that(&mut self, limit: Duration, done: impl Fn(&mut Self) -> bool) {
        let until = self.now + limit;
        while self.now < until && !done(self) {
            self.run_to((self.now + LOOK_EVERY).min(until));
        }
    }
}
