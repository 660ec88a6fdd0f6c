//! The network: namespaces, one for each node and one for what is between them.
//!
//! ```text
//!   node 1 ─ v1 ┐                                  ┌ v7 ─ node 7
//!      …        ├─ bridge b0 ─ x0 ═ x1 ─ bridge b1 ┤        …
//!   node 6 ─ v6 ┘                                  └ v12 ─ node 12
//! ```
//!
//! A cut is a link set down on the side of the bridges, which its nodes do not notice: a route that discards would tell the
//! sender. One direction is cut by a wrong hardware address for a neighbour. Neither needs a packet filter.

use std::net::Ipv4Addr;
use std::process::Command;

use crate::Outcome;

/// A hardware address of nobody: a locally administered one, which the system gives to none of its links.
const NOBODYS: &str = "02:00:5e:00:53:ff";

/// The namespaces of one run, removed when it is dropped.
pub(crate) struct Lab {
    /// Unlike any other run's.
    name: String,
    nodes: Vec<usize>,
}

/// Why there can be no namespaces here, if so.
pub(crate) fn possible() -> Result<(), String> {
    let name = format!("rpcnet-try-{}", uuid::Uuid::new_v4().simple());
    ip(&["netns", "add", &name]).map_err(|why| format!("no network namespaces here: {why}"))?;
    let linked = ip(&["-n", &name, "link", "add", "name", "a", "type", "veth", "peer", "name", "b"])
        .and_then(|()| ip(&["-n", &name, "link", "add", "name", "c", "type", "bridge"]));
    let removed = ip(&["netns", "del", &name]);
    linked.and(removed).map_err(|why| format!("no veth pairs and bridges here: {why}"))
}

impl Lab {
    /// Two bridges and what joins them.
    pub(crate) fn new() -> Outcome<Self> {
        let short = &uuid::Uuid::new_v4().simple().to_string()[..8];
        let lab = Self { name: format!("rpcnet-{}-{short}", std::process::id()), nodes: Vec::new() };
        let middle = lab.middle();
        ip(&["netns", "add", &middle])?;
        let between = |words: &[&str]| ip(&[&["-n", &middle], words].concat());
        between(&["link", "add", "name", "x0", "type", "veth", "peer", "name", "x1"])?;
        for (bridge, link) in [("b0", "x0"), ("b1", "x1")] {
            between(&["link", "add", "name", bridge, "type", "bridge"])?;
            between(&["link", "set", link, "master", bridge])?;
            between(&["link", "set", link, "up"])?;
            between(&["link", "set", bridge, "up"])?;
        }
        Ok(lab)
    }

    /// A host for a node, from 1 on, on the first bridge or the second.
    pub(crate) fn add(&mut self, node: usize, second: bool) -> Outcome<()> {
        let (middle, host, link) = (self.middle(), self.host(node), format!("v{node}"));
        ip(&["netns", "add", &host])?;
        self.nodes.push(node);
        let pair = ["link", "add", "name", &link, "type", "veth", "peer", "name", "eth0", "netns", &host];
        ip(&[&["-n", &middle], &pair[..]].concat())?;
        ip(&["-n", &middle, "link", "set", &link, "master", if second { "b1" } else { "b0" }])?;
        ip(&["-n", &middle, "link", "set", &link, "up"])?;
        for link in ["lo", "eth0"] {
            ip(&["-n", &host, "link", "set", link, "up"])?;
        }
        self.address(node, addr(node))
    }

    /// Gives a node's host another address beside those it has.
    pub(crate) fn address(&self, node: usize, addr: Ipv4Addr) -> Outcome<()> {
        Ok(ip(&["-n", &self.host(node), "addr", "add", &format!("{addr}/16"), "dev", "eth0"])?)
    }

    /// The road to a node's host, both ways.
    pub(crate) fn link(&self, node: usize, up: bool) -> Outcome<()> {
        self.set(&format!("v{node}"), up)
    }

    /// The road between the bridges.
    pub(crate) fn joint(&self, up: bool) -> Outcome<()> {
        self.set("x0", up)
    }

    fn set(&self, link: &str, up: bool) -> Outcome<()> {
        Ok(ip(&["-n", &self.middle(), "link", "set", link, if up { "up" } else { "down" }])?)
    }

    /// Nothing that `from` sends reaches `to` any more, and nobody is told.
    pub(crate) fn deafen(&self, from: usize, to: usize) -> Outcome<()> {
        let (host, to) = (self.host(from), addr(to).to_string());
        let entry = ["neigh", "replace", &to, "lladdr", NOBODYS, "dev", "eth0", "nud", "permanent"];
        Ok(ip(&[&["-n", &host], &entry[..]].concat())?)
    }

    pub(crate) fn undeafen(&self, from: usize, to: usize) -> Outcome<()> {
        Ok(ip(&["-n", &self.host(from), "neigh", "del", &addr(to).to_string(), "dev", "eth0"])?)
    }

    /// The words before a command that is to run on a node's host.
    pub(crate) fn on(&self, node: usize) -> [String; 4] {
        ["ip".into(), "netns".into(), "exec".into(), self.host(node)]
    }

    fn host(&self, node: usize) -> String {
        format!("{}-{node}", self.name)
    }

    fn middle(&self) -> String {
        format!("{}-m", self.name)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let hosts = self.nodes.iter().map(|&node| self.host(node)).chain([self.middle()]);
        for host in hosts {
            if let Err(why) = ip(&["netns", "del", &host]) {
                eprintln!("netns: {host} is left behind: {why}");
            }
        }
    }
}

/// The first address of a node's host.
pub(crate) fn addr(node: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 0, node as u8)
}

fn ip(words: &[&str]) -> Result<(), String> {
    let done = Command::new("ip").args(words).output().map_err(|error| format!("`ip`: {error}"))?;
    if done.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&done.stderr);
    Err(format!("`ip {}`: {}", words.join(" "), why.trim()))
}
