//! Seeds as people write them: `host:port`, resolved again every minute, and sooner when an address does not answer.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::lookups::Resolved;

/// How often the names are resolved while all is well: hosts behind a name come and go, and the name is what finds the
/// cluster again after an outage in which every host was replaced.
const RESOLVE_EVERY: Duration = Duration::from_secs(60);
/// The same while a name does not resolve, or an address behind it does not answer.
const RESOLVE_SOON: Duration = Duration::from_secs(5);

/// The seeds and what they resolved to.
#[derive(Debug)]
pub(crate) struct Seeds {
    /// Those that are addresses, each as it was written.
    given: BTreeMap<SocketAddr, String>,
    names: Vec<String>,
    /// What each name stood for last; an address may be behind several.
    found: BTreeMap<String, BTreeSet<SocketAddr>>,
    /// Names that are being looked up.
    awaited: BTreeSet<String>,
    /// Addresses at which this very node answers; those it was given for itself, so few.
    own: BTreeSet<SocketAddr>,
    resolve_at: Option<Instant>,
}

impl Seeds {
    /// Addresses are taken as they are; names wait to be [due](Self::due).
    pub(crate) fn new(names: Vec<String>) -> Self {
        let (given, names): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|name| name.parse::<SocketAddr>().is_ok());
        let given = given.into_iter().filter_map(|name| Some((name.parse().ok()?, name))).collect();
        let resolve_at = (!names.is_empty()).then(Instant::now);
        let (found, awaited, own) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        Self { given, names, found, awaited, own, resolve_at }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.given.is_empty()
    }

    /// All addresses, in order, each once.
    pub(crate) fn addrs(&self) -> Vec<SocketAddr> {
        let found = self.found.values().flatten();
        let all: BTreeSet<_> = self.given.keys().chain(found).copied().collect();
        all.into_iter().collect()
    }

    /// What people call this address.
    pub(crate) fn name(&self, addr: SocketAddr) -> String {
        let found = || self.names_of(addr).next().cloned();
        self.given.get(&addr).cloned().or_else(found).unwrap_or_else(|| addr.to_string())
    }

    /// The names that stand for an address.
    fn names_of(&self, addr: SocketAddr) -> impl Iterator<Item = &String> {
        self.found.iter().filter(move |(_, addrs)| addrs.contains(&addr)).map(|(name, _)| name)
    }

    /// The names to look up, if it is time. Each is due again when what became of it was [told](Self::resolved).
    pub(crate) fn due(&mut self) -> Vec<String> {
        if self.resolve_at.take_if(|at| *at <= Instant::now()).is_none() {
            return Vec::new();
        }
        let due: Vec<_> = self.names.iter().filter(|name| !self.awaited.contains(*name)).cloned().collect();
        self.awaited.extend(due.iter().cloned());
        due
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.resolve_at
    }

    /// A seed did not answer: if it has a name, the name may mean another address by now.
    pub(crate) fn unreachable(&mut self, addr: SocketAddr) {
        if self.names_of(addr).next().is_some() {
            self.resolve_within(RESOLVE_SOON);
        }
    }

    fn resolve_within(&mut self, pause: Duration) {
        let at = Instant::now() + pause;
        self.resolve_at = Some(self.resolve_at.map_or(at, |earlier| earlier.min(at)));
    }

    /// This node itself answers there.
    pub(crate) fn is_own(&mut self, addr: SocketAddr) {
        self.own.insert(addr);
    }

    /// Every seed is known, and is this node itself.
    pub(crate) fn are_all_own(&self) -> bool {
        let addrs = self.addrs();
        self.names.iter().all(|name| self.found.contains_key(name))
            && !addrs.is_empty()
            && addrs.iter().all(|addr| self.own.contains(addr))
    }

    /// Takes in what a name resolved to. One that did not resolve keeps the addresses it had.
    pub(crate) fn resolved(&mut self, (name, result): Resolved) {
        self.awaited.remove(&name);
        self.resolve_within(RESOLVE_EVERY);
        match result {
            Ok(addrs) => {
                let addrs: BTreeSet<_> = addrs.into_iter().filter(is_somewhere).collect();
                if addrs.is_empty() {
                    self.unresolved(&name, "it has no address that anybody could be at");
                } else {
                    self.found.insert(name, addrs);
                }
            }
            Err(error) => self.unresolved(&name, &error.to_string()),
        }
    }

    fn unresolved(&mut self, name: &str, error: &str) {
        tracing::warn!(
            name,
            error,
            "the name cannot be resolved; what it stood for last stands, and it is tried again"
        );
        self.resolve_within(RESOLVE_SOON);
    }
}

/// Whether somebody can be at an address. Resolvers that block names answer with `0.0.0.0`, which to a connection is this very
/// host.
fn is_somewhere(addr: &SocketAddr) -> bool {
    let broadcast = matches!(addr, SocketAddr::V4(addr) if addr.ip().is_broadcast());
    addr.port() != 0 && !addr.ip().is_unspecified() && !addr.ip().is_multicast() && !broadcast
}

/// Whether people could mean an address by this: `host:port`.
pub(crate) fn is_seed(text: &str) -> bool {
    let named = |(host, port): (&str, &str)| {
        let plain = |c: char| !c.is_whitespace() && !matches!(c, ':' | '/' | '[' | ']' | '@');
        !host.is_empty() && host.chars().all(plain) && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    text.parse::<SocketAddr>().is_ok() || text.rsplit_once(':').is_some_and(named)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    const NAME: &str = "seed.example:2";

    fn addr(host: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, host], 2))
    }

    fn of(names: &[&str]) -> Seeds {
        Seeds::new(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// A name stands for these.
    fn stands_for(seeds: &mut Seeds, name: &str, hosts: &[u8]) {
        seeds.resolved((name.to_owned(), Ok(hosts.iter().map(|host| addr(*host)).collect())));
    }

    fn fails(seeds: &mut Seeds, name: &str) {
        seeds.resolved((name.to_owned(), Err(io::ErrorKind::NotFound.into())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_resolved_again_when_its_address_does_not_answer() {
        let mut seeds = of(&["127.0.0.1:1", NAME]);
        assert_eq!(seeds.due(), [NAME]);
        stands_for(&mut seeds, NAME, &[1]);
        assert_eq!((seeds.name(addr(1)).as_str(), seeds.due().len()), (NAME, 0));
        seeds.unreachable(addr(1));
        tokio::time::advance(RESOLVE_SOON).await;
        assert_eq!(seeds.due(), [NAME]);
        assert_eq!(seeds.due(), [""; 0], "an answer is waited for");
        stands_for(&mut seeds, NAME, &[2]);
        assert_eq!(seeds.addrs(), [addr(2), SocketAddr::from(([127, 0, 0, 1], 1))]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_stops_resolving_keeps_its_addresses() {
        let mut seeds = of(&[NAME]);
        seeds.due();
        stands_for(&mut seeds, NAME, &[1]);
        fails(&mut seeds, NAME);
        assert_eq!(seeds.addrs(), [addr(1)]);
        assert_eq!(seeds.next_timeout(), Some(Instant::now() + RESOLVE_SOON));
    }

    #[tokio::test(start_paused = true)]
    async fn names_are_resolved_every_minute_though_all_is_well_and_addresses_never() {
        let mut seeds = of(&[NAME]);
        for minute in 0..5_u8 {
            assert_eq!(seeds.due(), [NAME], "minute {minute}");
            assert_eq!(seeds.next_timeout(), None, "while the resolver works");
            stands_for(&mut seeds, NAME, &[minute]);
            assert_eq!(seeds.addrs(), [addr(minute)]);
            tokio::time::advance(RESOLVE_EVERY).await;
        }
        assert_eq!(of(&["127.0.0.1:1"]).next_timeout(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_is_being_looked_up_holds_up_no_other() {
        let mut seeds = of(&["hangs.example:2", NAME]);
        assert_eq!(seeds.due().len(), 2);
        for _ in 0..3 {
            stands_for(&mut seeds, NAME, &[1]);
            tokio::time::advance(RESOLVE_EVERY).await;
            assert_eq!(seeds.due(), [NAME]);
        }
        fails(&mut seeds, "hangs.example:2");
        tokio::time::advance(RESOLVE_SOON).await;
        assert_eq!(seeds.due(), ["hangs.example:2"]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_stays_for_as_long_as_anything_in_the_list_stands_for_it() {
        let mut seeds = of(&["10.0.0.1:2", "a.example:2", "b.example:2"]);
        stands_for(&mut seeds, "a.example:2", &[1, 2]);
        stands_for(&mut seeds, "b.example:2", &[2]);
        assert_eq!(seeds.addrs(), [addr(1), addr(2)]);
        stands_for(&mut seeds, "a.example:2", &[3]);
        assert_eq!(seeds.addrs(), [addr(1), addr(2), addr(3)], "the first was given, the second is behind b");
        stands_for(&mut seeds, "a.example:2", &[2]);
        fails(&mut seeds, "a.example:2");
        stands_for(&mut seeds, "b.example:2", &[4]);
        assert_eq!(seeds.addrs(), [addr(1), addr(2), addr(4)], "what a stood for last stands");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_at_which_nobody_can_be_is_none() {
        let mut seeds = of(&[NAME]);
        stands_for(&mut seeds, NAME, &[1]);
        let nowhere = ["0.0.0.0:2", "[::]:2", "224.0.0.1:2", "255.255.255.255:2", "10.0.0.9:0"];
        let nowhere: Vec<SocketAddr> = nowhere.iter().map(|addr| addr.parse().expect("an address")).collect();
        seeds.resolved((NAME.to_owned(), Ok(nowhere.clone())));
        assert_eq!(seeds.addrs(), [addr(1)], "the last answer stands");
        seeds.resolved((NAME.to_owned(), Ok([nowhere, vec![addr(3)]].concat())));
        assert_eq!(seeds.addrs(), [addr(3)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_is_its_only_seed_once_every_name_has_turned_out_to_be_its_own() {
        let mut seeds = of(&["one.example:2", "two.example:2"]);
        seeds.is_own(addr(1));
        assert!(!seeds.are_all_own());
        seeds.due();
        stands_for(&mut seeds, "one.example:2", &[1]);
        fails(&mut seeds, "two.example:2");
        assert!(!seeds.are_all_own(), "nobody knows yet who the other is");
        stands_for(&mut seeds, "two.example:2", &[1]);
        assert!(seeds.are_all_own());
    }
}
