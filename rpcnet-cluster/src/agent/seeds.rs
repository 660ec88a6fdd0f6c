//! Seeds as people write them: `host:port`, resolved again every minute, and sooner when an address does not answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::Instant;

/// How often the names are resolved while all is well: hosts behind a name come and go, and the name is what finds the
/// cluster again after an outage in which every host was replaced.
const RESOLVE_EVERY: Duration = Duration::from_secs(60);
/// The same while a name does not resolve, or an address behind it does not answer.
const RESOLVE_SOON: Duration = Duration::from_secs(5);

/// The seeds and what they resolved to.
#[derive(Debug)]
pub(crate) struct Seeds {
    names: Vec<String>,
    addrs: BTreeMap<SocketAddr, String>,
    /// Addresses at which this very node answers; those it was given for itself, so few.
    own: BTreeSet<SocketAddr>,
    /// Names that have had no address yet.
    unknown: BTreeSet<String>,
    resolve_at: Option<Instant>,
}

/// What became of each name.
pub(crate) type Resolved = Vec<(String, io::Result<Vec<SocketAddr>>)>;

impl Seeds {
    /// Addresses are taken as they are; names wait for [`resolve`].
    pub(crate) fn new(names: Vec<String>) -> Self {
        let (addrs, names): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|name| name.parse::<SocketAddr>().is_ok());
        let addrs = addrs.into_iter().filter_map(|name| Some((name.parse().ok()?, name))).collect();
        let resolve_at = (!names.is_empty()).then(Instant::now);
        Self { addrs, own: BTreeSet::new(), unknown: names.iter().cloned().collect(), names, resolve_at }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.addrs.is_empty()
    }

    pub(crate) fn addrs(&self) -> Vec<SocketAddr> {
        self.addrs.keys().copied().collect()
    }

    /// What people call this address.
    pub(crate) fn name(&self, addr: SocketAddr) -> String {
        self.addrs.get(&addr).cloned().unwrap_or_else(|| addr.to_string())
    }

    /// The names to resolve, if it is time.
    pub(crate) fn due(&mut self) -> Option<Vec<String>> {
        self.resolve_at.take_if(|at| *at <= Instant::now())?;
        Some(self.names.clone())
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.resolve_at
    }

    /// A seed did not answer: if it has a name, the name may mean another address by now.
    pub(crate) fn unreachable(&mut self, addr: SocketAddr) {
        if self.addrs.get(&addr).is_some_and(|name| self.names.contains(name)) {
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
        self.unknown.is_empty()
            && !self.addrs.is_empty()
            && self.addrs.keys().all(|addr| self.own.contains(addr))
    }

    /// Takes in what the names resolved to. A name that did not resolve keeps the addresses it had.
    pub(crate) fn resolved(&mut self, resolved: Resolved) {
        self.resolve_within(RESOLVE_EVERY);
        for (name, result) in resolved {
            match result {
                Ok(addrs) if !addrs.is_empty() => {
                    self.unknown.remove(&name);
                    self.addrs.retain(|_, held| *held != name);
                    self.addrs.extend(addrs.into_iter().map(|addr| (addr, name.clone())));
                }
                Ok(_) => self.unresolved(&name, "it has no address"),
                Err(error) => self.unresolved(&name, &error.to_string()),
            }
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

/// Finds the addresses behind names.
pub(crate) trait Resolver: fmt::Debug + Send + Sync + 'static {
    /// What each of the names stands for now.
    fn resolve(&self, names: Vec<String>) -> Pin<Box<dyn Future<Output = Resolved> + Send>>;
}

/// The resolver of the system.
#[derive(Debug)]
pub(crate) struct System;

impl Resolver for System {
    fn resolve(&self, names: Vec<String>) -> Pin<Box<dyn Future<Output = Resolved> + Send>> {
        Box::pin(resolve(names))
    }
}

/// Asks the system's resolver for each name.
pub(crate) async fn resolve(names: Vec<String>) -> Resolved {
    let mut resolved = Vec::new();
    for name in names {
        let result = tokio::net::lookup_host(&name).await.map(Iterator::collect);
        resolved.push((name, result));
    }
    resolved
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
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_name_is_resolved_again_when_its_address_does_not_answer() {
        let mut seeds = Seeds::new(vec!["127.0.0.1:1".into(), "seed.example:2".into()]);
        assert_eq!(seeds.due(), Some(vec!["seed.example:2".to_owned()]));
        let (old, new) = (SocketAddr::from(([10, 0, 0, 1], 2)), SocketAddr::from(([10, 0, 0, 2], 2)));
        seeds.resolved(vec![("seed.example:2".into(), Ok(vec![old]))]);
        assert_eq!((seeds.name(old).as_str(), seeds.due()), ("seed.example:2", None));
        seeds.unreachable(old);
        tokio::time::advance(RESOLVE_SOON).await;
        assert!(seeds.due().is_some());
        assert_eq!(seeds.due(), None, "an answer is waited for");
        seeds.resolved(vec![("seed.example:2".into(), Ok(vec![new]))]);
        assert_eq!(seeds.addrs(), [new, SocketAddr::from(([127, 0, 0, 1], 1))]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_stops_resolving_keeps_its_addresses() {
        let mut seeds = Seeds::new(vec!["seed.example:2".into()]);
        seeds.due();
        let addr = SocketAddr::from(([10, 0, 0, 1], 2));
        seeds.resolved(vec![("seed.example:2".into(), Ok(vec![addr]))]);
        seeds.resolved(vec![("seed.example:2".into(), Err(io::ErrorKind::NotFound.into()))]);
        assert_eq!(seeds.addrs(), [addr]);
        assert_eq!(seeds.next_timeout(), Some(Instant::now() + RESOLVE_SOON));
    }

    #[tokio::test(start_paused = true)]
    async fn names_are_resolved_every_minute_though_all_is_well_and_addresses_never() {
        let mut seeds = Seeds::new(vec!["seed.example:2".into()]);
        let mut rounds = 0;
        for minute in 0..5_u8 {
            assert!(seeds.due().is_some(), "minute {minute}");
            assert_eq!(seeds.next_timeout(), None, "while the resolver works");
            let addr = SocketAddr::from(([10, 0, 0, minute], 2));
            seeds.resolved(vec![("seed.example:2".into(), Ok(vec![addr]))]);
            assert_eq!(seeds.addrs(), [addr]);
            tokio::time::advance(RESOLVE_EVERY).await;
            rounds += 1;
        }
        assert_eq!(rounds, 5);
        assert_eq!(Seeds::new(vec!["127.0.0.1:1".into()]).next_timeout(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_is_its_only_seed_once_every_name_has_turned_out_to_be_its_own() {
        let mut seeds = Seeds::new(vec!["one.example:2".into(), "two.example:2".into()]);
        let own = SocketAddr::from(([10, 0, 0, 1], 2));
        seeds.is_own(own);
        assert!(!seeds.are_all_own());
        seeds.due();
        let failed = || Err(io::ErrorKind::NotFound.into());
        seeds.resolved(vec![("one.example:2".into(), Ok(vec![own])), ("two.example:2".into(), failed())]);
        assert!(!seeds.are_all_own(), "nobody knows yet who the other is");
        seeds.resolved(vec![("two.example:2".into(), Ok(vec![own]))]);
        assert!(seeds.are_all_own());
    }
}
