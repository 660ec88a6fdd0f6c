//! The roads between nodes: latency, loss, duplication, holding up, and what is cut.

use std::collections::BTreeSet;
use std::time::Duration;

use fastrand::Rng;

/// Sides a network may split into.
pub(crate) const SIDES_MAX: usize = 4;

/// The network's weather.
#[derive(Debug)]
pub(crate) struct Network {
    /// Share of datagrams lost everywhere.
    pub(crate) loss: f64,
    /// Share of datagrams that arrive twice.
    pub(crate) doubled: f64,
    /// Share of datagrams held up by as much as 50 ms, which reorders them.
    pub(crate) delayed: f64,
    places: Vec<Place>,
    /// Whether anything passes from a side to another.
    passes: [[bool; SIDES_MAX]; SIDES_MAX],
    /// Directed links that carry nothing.
    cut: BTreeSet<(u32, u32)>,
    /// Until when views may still differ by the last split.
    healed_until: Duration,
}

/// What is particular about one node's place in the network.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    side: u8,
    /// Share of what comes in, and of what goes out, that is lost.
    ingress: f64,
    egress: f64,
}

/// What becomes of one datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Lost,
    Arrives { after: Duration, again: Option<Duration>, held_up: bool },
}

impl Network {
    pub(crate) fn new(nodes: usize) -> Self {
        Self {
            loss: 0.0,
            doubled: 0.0,
            delayed: 0.0,
            places: vec![Place::default(); nodes],
            passes: [[true; SIDES_MAX]; SIDES_MAX],
            cut: BTreeSet::new(),
            healed_until: Duration::ZERO,
        }
    }

    /// One way: 0.5 ± 0.25 ms.
    pub(crate) fn latency(rng: &mut Rng) -> Duration {
        Duration::from_nanos(rng.u64(250_000..750_000))
    }

    pub(crate) fn fate(&self, rng: &mut Rng, from: u32, to: u32) -> Fate {
        if !self.passes(from, to) || rng.f64() < self.loss_between(from, to) {
            return Fate::Lost;
        }
        let held_up = self.delayed > 0.0 && rng.f64() < self.delayed;
        let extra = if held_up { Duration::from_micros(rng.u64(..50_000)) } else { Duration::ZERO };
        let again = self.doubled > 0.0 && rng.f64() < self.doubled;
        let again = again.then(|| Self::latency(rng) * 3);
        Fate::Arrives { after: Self::latency(rng) + extra, again, held_up }
    }

    /// How long a stream's `round_trips` take: a lost segment costs a retransmission, after 1, 2, 4 … seconds. `None`
    /// if nothing passes.
    pub(crate) fn stream(&self, rng: &mut Rng, from: u32, to: u32, round_trips: u32) -> Option<Duration> {
        if !self.passes(from, to) || !self.passes(to, from) {
            return None;
        }
        let there_and_back = (1.0 - self.loss_between(from, to)) * (1.0 - self.loss_between(to, from));
        let mut took = Duration::ZERO;
        for _ in 0..round_trips {
            took += Self::latency(rng) * 2;
            let mut retransmission = Duration::from_secs(1);
            while rng.f64() >= there_and_back {
                took += retransmission;
                retransmission *= 2;
                if retransmission > Duration::from_secs(64) {
                    return None;
                }
            }
        }
        Some(took)
    }

    pub(crate) fn passes(&self, from: u32, to: u32) -> bool {
        let (a, b) = (self.places[from as usize], self.places[to as usize]);
        self.passes[usize::from(a.side)][usize::from(b.side)]
            && (self.cut.is_empty() || !self.cut.contains(&(from, to)))
    }

    fn loss_between(&self, from: u32, to: u32) -> f64 {
        let (egress, ingress) = (self.places[from as usize].egress, self.places[to as usize].ingress);
        1.0 - (1.0 - self.loss) * (1.0 - egress) * (1.0 - ingress)
    }

    pub(crate) fn cut(&mut self, from: u32, to: u32) {
        self.cut.insert((from, to));
    }

    /// Puts nodes on a side; nothing passes between sides that differ, except as `bridged` says.
    pub(crate) fn split(&mut self, sides: &[Vec<u32>], bridged: bool) {
        self.places.iter_mut().for_each(|place| place.side = 0);
        for (side, nodes) in sides.iter().enumerate() {
            nodes.iter().for_each(|&node| self.places[node as usize].side = side as u8);
        }
        for (from, row) in self.passes.iter_mut().enumerate() {
            for (to, passes) in row.iter_mut().enumerate() {
                *passes = from == to || (bridged && (from == 0 || to == 0));
            }
        }
    }

    /// On which side each node is.
    pub(crate) fn sides(&self) -> Vec<u8> {
        self.places.iter().map(|place| place.side).collect()
    }

    /// Whether two nodes' views of each other may suffer from a split, present or healed a moment ago.
    pub(crate) fn apart(&self, now: Duration, a: u32, b: u32) -> bool {
        let differ = self.places[a as usize].side != self.places[b as usize].side;
        differ && (!(self.passes(a, b) && self.passes(b, a)) || now < self.healed_until)
    }

    pub(crate) fn lose(&mut self, node: u32, ingress: f64, egress: f64) {
        let place = &mut self.places[node as usize];
        (place.ingress, place.egress) = (ingress, egress);
    }

    /// Everything passes everywhere. Sides are kept until the views have had a minute to grow together.
    pub(crate) fn mend(&mut self, now: Duration) {
        self.cut.clear();
        self.passes = [[true; SIDES_MAX]; SIDES_MAX];
        self.places.iter_mut().for_each(|place| (place.ingress, place.egress) = (0.0, 0.0));
        self.healed_until = now + Duration::from_secs(60);
    }
}
