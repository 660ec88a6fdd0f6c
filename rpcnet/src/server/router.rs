//! From a method's id to the handler that serves it.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use super::{
    access::{self, Access, Rule},
    handler::Handler,
    routes::Service,
};
use crate::{
    client::caller::Name,
    descriptor::{Idempotency, MethodDescriptor, MethodId},
    status::{Executed, Reason, Status},
    transport::{Identity, IdentityPattern},
};

/// All methods of a server.
#[derive(Debug, Default)]
pub(crate) struct Router {
    methods: BTreeMap<MethodId, Arc<Route>>,
    access: Access,
}

/// One method of a server.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) name: Name,
    /// Its own id, by whichever of its names it was called.
    pub(crate) id: MethodId,
    pub(crate) idempotency: Idempotency,
    pub(crate) no_cancel: bool,
    /// Keyed, and may run again when its outcome is not known.
    pub(crate) reruns: bool,
    streaming: bool,
    /// `None` for one of bytes.
    pub(crate) method: Option<&'static MethodDescriptor>,
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) cost: Cost,
    /// Who may call it, once that is settled; `None` is everybody.
    allowed: OnceLock<Option<Vec<IdentityPattern>>>,
}

/// Two methods that cannot be told apart on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Duplicate {
    pub(crate) first: String,
    pub(crate) second: String,
}

impl Router {
    /// Adds a typed service, with all of its methods or none.
    pub(crate) fn add_service(&mut self, service: impl Service) -> Result<(), Duplicate> {
        let routes: Vec<_> = service.routes().methods.into_iter().map(Route::typed).collect();
        for (ids, route) in &routes {
            ids.iter().try_for_each(|id| self.check(*id, &route.name))?;
        }
        routes.into_iter().try_for_each(|(ids, route)| self.add(&ids, route))
    }

    /// Adds an untyped method.
    pub(crate) fn add_untyped(&mut self, name: &str, handler: Arc<dyn Handler>) -> Result<(), Duplicate> {
        let route = Route::untyped(name, handler);
        self.add(&[route.id], route)
    }

    /// Adds a method under each of its ids.
    fn add(&mut self, ids: &[MethodId], route: Arc<Route>) -> Result<(), Duplicate> {
        for id in ids {
            self.check(*id, &route.name)?;
            self.methods.insert(*id, Arc::clone(&route));
        }
        Ok(())
    }

    /// Adds a rule of who may call what.
    ///
    /// # Errors
    ///
    /// When there is no such method, with what there is: a rule with a slip in it would protect nothing.
    pub(crate) fn allow(&mut self, rule: Rule) -> Result<(), String> {
        if !self.methods.values().any(|route| rule.concerns(&route.name)) {
            return Err(Names(&self.methods).to_string());
        }
        self.access.add(rule);
        Ok(())
    }

    /// Settles who may call what: no rule is added from here on.
    pub(crate) fn settle(&self) {
        for route in self.methods.values() {
            route.allowed.get_or_init(|| self.access.of(&route.name));
        }
    }

    fn check(&self, id: MethodId, name: &str) -> Result<(), Duplicate> {
        match self.methods.get(&id) {
            Some(route) => Err(Duplicate { first: route.name.to_string(), second: name.to_owned() }),
            None => Ok(()),
        }
    }

    /// The method of an id. An unknown one ran nothing, and the error says what there is.
    pub(crate) fn find(&self, id: MethodId) -> Result<&Arc<Route>, Status> {
        self.methods.get(&id).ok_or_else(|| {
            let message = format!("no method with the id {id}; the server has {}", Names(&self.methods));
            Status::new(Reason::UnknownMethod, Executed::No, message)
        })
    }
}

impl Route {
    /// A typed method, and the ids it is called by: its own, and those of its former names.
    fn typed((method, handler): (&'static MethodDescriptor, Arc<dyn Handler>)) -> (Vec<MethodId>, Arc<Self>) {
        let former = method.aliases.iter().map(|path| MethodId::of(path));
        let route = Self {
            name: Name::Static(method.path),
            id: method.id,
            idempotency: method.idempotency,
            no_cancel: method.no_cancel,
            reruns: method.reruns,
            streaming: method.kind.is_streaming(),
            method: Some(method),
            handler,
            cost: Cost::default(),
            allowed: OnceLock::new(),
        };
        (std::iter::once(method.id).chain(former).collect(), Arc::new(route))
    }

    fn untyped(name: &str, handler: Arc<dyn Handler>) -> Arc<Self> {
        Arc::new(Self {
            name: Name::Owned(name.into()),
            id: MethodId::of(name),
            idempotency: Idempotency::AtMostOnce,
            no_cancel: false,
            reruns: false,
            streaming: false,
            method: None,
            handler,
            cost: Cost::default(),
            allowed: OnceLock::new(),
        })
    }

    /// Refuses a caller that may not call the method.
    pub(crate) fn check_identity(&self, caller: Option<&Identity>) -> Result<(), Status> {
        match self.allowed.get() {
            Some(Some(allowed)) => access::check(allowed, caller, &self.name),
            _ => Ok(()),
        }
    }

    /// Refuses a caller that means another method by the name.
    pub(crate) fn check_caller(&self, streaming: bool, fingerprint: u32) -> Result<(), Status> {
        let known = self.method.filter(|_| fingerprint != 0);
        let same = known.is_none_or(|method| method.short_fingerprint() == fingerprint);
        if same && self.streaming == streaming {
            return Ok(());
        }
        let message = match self.method {
            Some(method) => format!("the server's is `{}`", method.signature()),
            None => "the server's is one of bytes".to_owned(),
        };
        Err(Status::new(Reason::IncompatibleMethod, Executed::No, message))
    }
}

/// The names of methods, for messages.
struct Names<'a>(&'a BTreeMap<MethodId, Arc<Route>>);

impl Names<'_> {
    /// How many are listed: enough to see a misspelling, little enough to read.
    const LISTED_MAX: usize = 16;
}

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<&str> = self.0.values().map(|route| &*route.name).collect();
        names.sort_unstable();
        names.dedup();
        let more = names.len().saturating_sub(Self::LISTED_MAX);
        names.truncate(Self::LISTED_MAX);
        match (names.is_empty(), more) {
            (true, _) => f.write_str("none"),
            (false, 0) => f.write_str(&names.join(", ")),
            (false, more) => write!(f, "{} and {more} more", names.join(", ")),
        }
    }
}

/// How long a method's handler runs before it first waits: a moving average, and how often it runs long.
///
/// A handler is polled where its call was read, which costs no task and no hand-over. One that computes for long there would
/// hold up every other call of its connection, so a method that does gets a task at once: also one that seldom does, for
/// which a hundred others would wait.
#[derive(Debug, Default)]
pub(crate) struct Cost {
    /// In nanoseconds.
    average: AtomicU32,
    /// Grows with every long run and shrinks with every other.
    long: AtomicU32,
}

impl Cost {
    /// Some ten times what a task costs: under it the hand-over would be the larger part.
    const INLINE_MAX: Duration = Duration::from_micros(20);
    /// What others notice who wait for it.
    const LONG_MIN: Duration = Duration::from_micros(200);
    /// A method whose runs are long more often than once in so many gets a task. A single long run is none of the method:
    /// threads are preempted, and with a busy server that happens within some run, once in a few thousand.
    const LONG_EVERY: u32 = 512;
    /// After its last long run a method gets a task for so many calls at most.
    const LONG_MAX: u32 = 16 * Self::LONG_EVERY;

    pub(crate) fn is_cheap(&self) -> bool {
        self.average() <= Self::INLINE_MAX && !self.runs_long()
    }

    /// Whether some of its runs keep a thread for so long that others would notice.
    pub(crate) fn runs_long(&self) -> bool {
        self.long.load(Ordering::Relaxed) > Self::LONG_EVERY
    }

    pub(crate) fn average(&self) -> Duration {
        Duration::from_nanos(self.average.load(Ordering::Relaxed).into())
    }

    /// Takes in one more measurement. Two that do so at once may lose one.
    ///
    /// Of the average it is a quarter, so that a single slow run (a page fault, a preempted thread) does not count as a slow
    /// method, and a method that became slow does after a few.
    pub(crate) fn record(&self, took: Duration) {
        let nanos = u32::try_from(took.as_nanos()).unwrap_or(u32::MAX);
        let old = self.average.load(Ordering::Relaxed);
        self.average.store(old - old / 4 + nanos / 4, Ordering::Relaxed);
        let long = self.long.load(Ordering::Relaxed);
        if took >= Self::LONG_MIN {
            self.long.store((long + Self::LONG_EVERY).min(Self::LONG_MAX), Ordering::Relaxed);
        } else if long > 0 {
            self.long.store(long - 1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_run_does_not_make_a_method_expensive_and_many_do() {
        let cost = Cost::default();
        cost.record(Duration::from_micros(60));
        assert!(cost.is_cheap());
        (0..8).for_each(|_| cost.record(Duration::from_micros(60)));
        assert!(!cost.is_cheap());
        (0..16).for_each(|_| cost.record(Duration::from_micros(1)));
        assert!(cost.is_cheap());
    }

    #[test]
    fn a_method_that_runs_long_now_and_then_is_not_polled_where_others_would_wait_for_it() {
        let cost = Cost::default();
        let hundred = |long: u64| {
            cost.record(Duration::from_micros(long));
            (0..99).for_each(|_| cost.record(Duration::from_micros(1)));
        };
        hundred(5_000);
        assert!(cost.is_cheap(), "one long run may be one of the machine's");
        hundred(5_000);
        assert!(!cost.is_cheap());
        (0..200).for_each(|_| hundred(5_000));
        assert!(!cost.is_cheap());
        (0..100).for_each(|_| hundred(1));
        assert!(cost.is_cheap(), "it has not run long for ten thousand calls");
    }

    #[test]
    fn a_thread_that_is_preempted_once_in_a_thousand_calls_makes_no_method_expensive() {
        let cost = Cost::default();
        for _ in 0..100 {
            cost.record(Duration::from_millis(4));
            (0..999).for_each(|_| cost.record(Duration::from_micros(1)));
            assert!(cost.is_cheap());
        }
    }
}
