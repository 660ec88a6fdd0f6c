//! foca as a core of the simulator: the baseline, with its own preset for a LAN.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use foca::{
    Config, Foca as Machine, Identity, NoCustomBroadcast, Notification, PostcardCodec, Runtime, Timer,
};
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

use super::core::{Action, Change, Core, Failure, Kind, Seat, Version};

/// How many nodes the preset is for, at least: its times for fewer are those of its least.
const PRESET_NODES_MIN: usize = 2;
/// How often the seed is asked until somebody is known: foca leaves repeating it to its user.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(1);

/// A node of foca.
pub struct Foca {
    machine: Machine<Name, PostcardCodec, Xoshiro256PlusPlus, NoCustomBroadcast>,
    world: Surroundings,
    node: u32,
    seeds: Vec<u32>,
    next_announce: Option<Instant>,
    /// Which nodes it has reported to be up, as what.
    up: BTreeMap<u32, u32>,
}

/// Who a process is: its node, its address, and how often it has come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Name {
    node: u32,
    addr: u32,
    life: u32,
}

impl Identity for Name {
    type Addr = u32;

    fn renew(&self) -> Option<Self> {
        Some(Self { life: self.life + 1, ..*self })
    }

    fn addr(&self) -> u32 {
        self.addr
    }

    fn win_addr_conflict(&self, adversary: &Self) -> bool {
        self.life > adversary.life
    }
}

/// What foca sends, and asks to be reminded of.
#[derive(Default)]
struct Surroundings {
    now: Option<Instant>,
    actions: VecDeque<Action>,
    notes: VecDeque<(Kind, Name)>,
    timers: BinaryHeap<Reverse<Due>>,
    sequence: u64,
}

struct Due {
    at: Instant,
    sequence: u64,
    timer: Timer<Name>,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.sequence) == (other.at, other.sequence)
    }
}
impl Eq for Due {}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

impl Runtime<Name> for Surroundings {
    fn notify(&mut self, notification: Notification<'_, Name>) {
        match notification {
            Notification::MemberUp(name) => self.notes.push_back((Kind::Joined, *name)),
            Notification::MemberDown(name) => self.notes.push_back((Kind::Failed, *name)),
            Notification::Rename(_, name) => self.notes.push_back((Kind::Described, *name)),
            _ => {}
        }
    }

    fn send_to(&mut self, to: Name, data: &[u8]) {
        self.actions.push_back(Action::Send { to: to.addr, bytes: data.to_vec() });
    }

    fn submit_after(&mut self, timer: Timer<Name>, after: Duration) {
        let Some(now) = self.now else { return };
        self.sequence += 1;
        self.timers.push(Reverse(Due { at: now + after, sequence: self.sequence, timer }));
    }
}

impl Core for Foca {
    type Shared = ();

    const NAME: &'static str = "foca";
    const DATAGRAM_OVERHEAD: usize = 28;
    const DATAGRAM_MAX: usize = 1_400;
    const HELD_TO_INVARIANTS: bool = false;

    fn settings(nodes: usize) -> String {
        format!(
            "foca 2.0.0, its preset new_lan({nodes}): {:?}; identities renew themselves, the seed is asked each second \
             until somebody is known; not sealed, 28 bytes of headers counted for each datagram",
            preset(nodes)
        )
    }

    fn new(seat: &Seat, (): &()) -> Self {
        let name = Name { node: seat.node, addr: seat.addr, life: seat.start << 16 };
        let rng = Xoshiro256PlusPlus::seed_from_u64(seat.seed);
        Self {
            machine: Machine::new(name, preset(seat.nodes), rng, PostcardCodec),
            world: Surroundings::default(),
            node: seat.node,
            seeds: Vec::new(),
            next_announce: None,
            up: BTreeMap::new(),
        }
    }

    fn join(&mut self, now: Instant, seeds: &[u32]) {
        self.seeds = seeds.to_vec();
        self.world.now = Some(now);
        let me = Change { kind: Kind::Joined, node: self.node, version: self.version(), degraded: false };
        self.world.actions.push_back(Action::Changed(me));
        self.announce(now);
    }

    fn datagram(&mut self, now: Instant, _from: u32, bytes: &[u8]) -> bool {
        self.world.now = Some(now);
        let taken = self.machine.handle_data(bytes, &mut self.world).is_ok();
        self.report();
        taken
    }

    fn request(&mut self, _now: Instant, _bytes: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn reply(&mut self, _now: Instant, _id: u64, _result: Result<Vec<u8>, Failure>) {}

    fn timeout(&mut self, now: Instant) {
        self.world.now = Some(now);
        while self.world.timers.peek().is_some_and(|Reverse(due)| due.at <= now) {
            if let Some(Reverse(due)) = self.world.timers.pop() {
                // It reports timers that have become moot as errors.
                let _ = self.machine.handle_timer(due.timer, &mut self.world);
            }
        }
        if self.next_announce.is_some_and(|at| at <= now) {
            self.announce(now);
        }
        self.report();
    }

    fn leave(&mut self, now: Instant) {
        self.world.now = Some(now);
        // An error says that nobody was there to be told.
        let _ = self.machine.leave_cluster(&mut self.world);
        self.report();
        self.next_announce = None;
        self.world.timers.clear();
        self.world.actions.push_back(Action::Departed);
    }

    fn poll(&mut self) -> Option<Action> {
        self.world.actions.pop_front()
    }

    fn next_timeout(&self) -> Option<Instant> {
        let timer = self.world.timers.peek().map(|Reverse(due)| due.at);
        timer.into_iter().chain(self.next_announce).min()
    }

    fn version(&self) -> Version {
        version(self.machine.identity())
    }

    fn sees(&self, node: u32) -> bool {
        node == self.node || self.up.contains_key(&node)
    }
}

impl Foca {
    fn announce(&mut self, now: Instant) {
        self.next_announce = None;
        if self.machine.num_members() > 0 || self.seeds.is_empty() {
            return;
        }
        self.next_announce = Some(now + ANNOUNCE_EVERY);
        for &seed in &self.seeds {
            let stranger = Name { node: u32::MAX, addr: seed, life: 0 };
            // It refuses to send only what does not fit a packet.
            let _ = self.machine.announce(stranger, &mut self.world);
        }
    }

    /// Turns notifications into changes of the view: one node is up once, whatever its names are.
    fn report(&mut self) {
        while let Some((kind, name)) = self.world.notes.pop_front() {
            let held = self.up.get(&name.node).copied();
            let kind = match kind {
                Kind::Joined if held.is_none() => Kind::Joined,
                Kind::Joined | Kind::Described if held.is_some() => Kind::Described,
                // A failure of a name that has been replaced is none of the node's.
                Kind::Failed if held.is_some_and(|life| life <= name.life) => Kind::Failed,
                _ => continue,
            };
            match kind {
                Kind::Failed => self.up.remove(&name.node),
                _ => self.up.insert(name.node, name.life),
            };
            let change = Change { kind, node: name.node, version: version(&name), degraded: false };
            self.world.actions.push_back(Action::Changed(change));
        }
    }
}

fn version(name: &Name) -> Version {
    Version { generation: u64::from(name.life >> 16), incarnation: u64::from(name.life & 0xffff) }
}

fn preset(nodes: usize) -> Config {
    let nodes = u32::try_from(nodes.max(PRESET_NODES_MIN)).ok().and_then(NonZeroU32::new);
    Config::new_lan(nodes.expect("a number between 2 and 2²⁰"))
}
