//! What is wrong with the network: who reaches whom, how late, and what is lost.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

/// How the network fails just now.
#[derive(Debug)]
pub(super) struct Faults {
    /// How long a packet takes where nothing is slow.
    pub(super) latency: Duration,
    /// The share of datagrams that are lost.
    pub(super) loss: f64,
    /// Ordered pairs of hosts: what the first sends does not reach the second.
    cuts: BTreeSet<(IpAddr, IpAddr)>,
    /// Hosts whose processes are stopped.
    paused: BTreeSet<IpAddr>,
    /// What a packet to or from a host takes longer.
    slow: BTreeMap<IpAddr, Duration>,
}

impl Faults {
    pub(super) fn none() -> Self {
        let (cuts, paused, slow) = Default::default();
        Self { latency: Duration::from_micros(500), loss: 0.0, cuts, paused, slow }
    }

    pub(super) fn cut(&mut self, from: IpAddr, to: IpAddr) {
        self.cuts.insert((from, to));
    }

    pub(super) fn heal(&mut self) {
        self.cuts.clear();
    }

    pub(super) fn pause(&mut self, ip: IpAddr) {
        self.paused.insert(ip);
    }

    pub(super) fn resume(&mut self, ip: IpAddr) {
        self.paused.remove(&ip);
    }

    pub(super) fn is_paused(&self, ip: IpAddr) -> bool {
        self.paused.contains(&ip)
    }

    pub(super) fn slow_down(&mut self, ip: IpAddr, by: Duration) {
        match by {
            Duration::ZERO => self.slow.remove(&ip),
            by => self.slow.insert(ip, by),
        };
    }

    /// How long a packet takes from one host to another.
    pub(super) fn latency(&self, from: IpAddr, to: IpAddr) -> Duration {
        if from == to || self.slow.is_empty() {
            return self.latency;
        }
        let slow = |ip| self.slow.get(&ip).copied().unwrap_or_default();
        self.latency + slow(from) + slow(to)
    }

    /// Whether what one host sends is lost on its way to the other.
    pub(super) fn is_cut(&self, from: IpAddr, to: IpAddr) -> bool {
        from != to && self.cuts.contains(&(from, to))
    }

    /// Whether what one host sends is not taken by the other, now.
    pub(super) fn is_held(&self, from: IpAddr, to: IpAddr) -> bool {
        let stopped = self.is_paused(from) || self.is_paused(to);
        self.is_cut(from, to) || from != to && stopped
    }
}
