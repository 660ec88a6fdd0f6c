//! Names looked up by a resolver that may take its time, or never answer.

use std::{collections::BTreeSet, fmt, io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::timeout;

/// How long a name may take. Twice what the system's resolver waits for one server by default (resolv.conf(5), `timeout`).
const RESOLVE_WITHIN: Duration = Duration::from_secs(10);

/// What became of a name.
pub(crate) type Resolved = (String, io::Result<Vec<SocketAddr>>);

/// A lookup under way.
pub(crate) type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Finds the addresses behind a name.
pub(crate) trait Resolver: fmt::Debug + Send + Sync + 'static {
    /// What the name stands for now.
    fn look_up(&self, name: String) -> Lookup;
}

/// The resolver of the system.
#[derive(Debug)]
pub(crate) struct System;

impl Resolver for System {
    fn look_up(&self, name: String) -> Lookup {
        Box::pin(async move { Ok(tokio::net::lookup_host(name).await?.collect()) })
    }
}

/// Looks names up, each in a bounded time and by one lookup at once.
///
/// The system's resolver cannot be interrupted: it holds a thread until it has an answer. So a name that takes too long is
/// given up, but not asked for again before that thread is back; else a resolver that hangs would take all of them.
#[derive(Debug, Clone)]
pub(crate) struct Lookups {
    resolver: Arc<dyn Resolver>,
    under_way: Arc<Mutex<BTreeSet<String>>>,
}

impl Lookups {
    pub(crate) fn new(resolver: Arc<dyn Resolver>) -> Self {
        Self { resolver, under_way: Arc::default() }
    }

    /// What a name stands for; an error within ten seconds if nobody says.
    pub(crate) async fn look_up(self, name: String) -> Resolved {
        if !self.under_way.lock().insert(name.clone()) {
            let error = io::Error::new(io::ErrorKind::TimedOut, "the resolver has not answered yet");
            return (name, Err(error));
        }
        let (lookup, ended) = (self.resolver.look_up(name.clone()), Ended(self.under_way, name.clone()));
        let lookup = tokio::spawn(async move {
            let _ended = ended;
            lookup.await
        });
        let result = match timeout(RESOLVE_WITHIN, lookup).await {
            Ok(Ok(result)) => result,
            Ok(Err(ended)) => Err(io::Error::other(ended)),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the resolver does not answer")),
        };
        (name, result)
    }
}

/// Makes room for the next lookup of a name when it is dropped, however the one under way has ended.
struct Ended(Arc<Mutex<BTreeSet<String>>>, String);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.lock().remove(&self.1);
    }
}

#[cfg(test)]
mod tests {
    use tokio::{sync::Semaphore, time::Instant};

    use super::*;

    /// Answers when it is let.
    #[derive(Debug)]
    struct Slow {
        asked: Mutex<u32>,
        let_go: Arc<Semaphore>,
    }

    impl Resolver for Slow {
        fn look_up(&self, _: String) -> Lookup {
            *self.asked.lock() += 1;
            let let_go = Arc::clone(&self.let_go);
            Box::pin(async move {
                let _leave = let_go.acquire_owned().await.expect("never closed");
                Ok(vec![SocketAddr::from(([10, 0, 0, 1], 80))])
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_resolver_that_hangs_costs_ten_seconds_and_one_lookup_however_often_it_is_asked() {
        let slow = Arc::new(Slow { asked: Mutex::new(0), let_go: Arc::new(Semaphore::new(0)) });
        let lookups = Lookups::new(Arc::clone(&slow) as Arc<dyn Resolver>);
        let look_up = || lookups.clone().look_up("a.example:80".to_owned());
        let begun = Instant::now();
        assert!(look_up().await.1.is_err());
        assert_eq!(begun.elapsed(), RESOLVE_WITHIN);
        for _ in 0..1_000 {
            assert!(look_up().await.1.is_err());
        }
        assert_eq!((begun.elapsed(), *slow.asked.lock()), (RESOLVE_WITHIN, 1));
        slow.let_go.add_permits(1);
        tokio::task::yield_now().await;
        assert!(look_up().await.1.is_ok(), "its answer came too late, and made room for the next");
        assert_eq!(*slow.asked.lock(), 2);
    }
}
