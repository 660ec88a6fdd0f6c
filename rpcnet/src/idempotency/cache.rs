//! The records of one server: the table, and who waits for which answer.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, Weak},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{
    answers,
    held::{Claiming, Hold},
    key::{Fingerprint, Key, RecordId, Secret},
    limits::CacheLimits,
    outcome::Outcome,
    repeat::Repeat,
    store::{Claim, Store},
    table::{Asked, Found, Table},
};
use crate::{
    client::caller::Answer,
    codec::Codec,
    status::{Executed, Status},
};

pub(super) type Settled = Result<Answer, Status>;

/// The answers of one server's keyed calls.
#[derive(Debug)]
pub(crate) struct Cache {
    pub(super) state: Mutex<State>,
    /// Where records are kept when it is not in the table here, which is empty then.
    pub(super) store: Option<Arc<dyn Store>>,
    secret: Secret,
    pub(super) limits: CacheLimits,
    began: Instant,
}

#[derive(Debug)]
pub(super) struct State {
    table: Table,
    /// What runs here of which the records are in a store.
    pub(super) held: HashMap<RecordId, Fingerprint>,
    /// Who waits for the answers of requests that run.
    attached: HashMap<RecordId, Vec<oneshot::Sender<Settled>>>,
}

/// A keyed call, as it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keyed<'a> {
    pub(crate) key: Key<'a>,
    pub(crate) codec: Codec,
    pub(crate) arguments: &'a [u8],
    /// `None` for a first attempt.
    pub(crate) repeat: Option<Repeat>,
    /// The method may run again when its outcome is not known.
    pub(crate) reruns: bool,
}

/// What to do with a keyed call.
#[derive(Debug)]
pub(crate) enum Begin {
    /// It is the first: run it.
    Run(Ticket),
    /// The same request is running: its answer will be this one's too.
    Attach(oneshot::Receiver<Settled>),
    /// The same request was answered: with this.
    Replay(Settled),
    /// It cannot be run.
    Refuse(Status),
    /// The store has to be asked.
    Ask(Box<Claiming>),
}

/// Reads what a server remembers of keyed calls: [`Server::keyed`](crate::Server::keyed).
#[derive(Debug, Clone, Default)]
pub struct KeyedGauge(Arc<OnceLock<Weak<Cache>>>);

impl KeyedGauge {
    pub(crate) fn reads(&self, cache: &Arc<Cache>) {
        self.0.get_or_init(|| Arc::downgrade(cache));
    }

    /// What is remembered now. `None` before the server serves and when it has ended, and of a [store](crate::store) that
    /// does not say.
    pub fn stats(&self) -> Option<KeyedStats> {
        let cache = self.0.get()?.upgrade()?;
        match &cache.store {
            Some(store) => store.stats(),
            None => Some(cache.stats(tokio::time::Instant::now().into_std())),
        }
    }
}

/// What a server remembers of keyed calls now.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet::Server;
///
/// let server = Server::builder().bind("127.0.0.1:0").await?;
/// let keyed = server.keyed();
/// tokio::spawn(server.serve());
/// if let Some(stats) = keyed.stats() {
///     println!("{} requests are remembered, {:?} back", stats.entries, stats.effective_window);
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyedStats {
    /// Requests that are remembered, those that run included.
    pub entries: usize,
    /// Bytes of their answers.
    pub answer_bytes: usize,
    /// How far back memory reaches: `CacheLimits::window`, or less while the server is younger or a
    /// [`BestEffort`](crate::WhenFull::BestEffort) table has forgotten something before its time.
    pub effective_window: Duration,
}

impl Cache {
    pub(crate) fn new(limits: CacheLimits, store: Option<Arc<dyn Store>>, now: Instant) -> Arc<Self> {
        let (table, held, attached) = (Table::new(limits, now), HashMap::new(), HashMap::new());
        // Nobody outside can look for requests or arguments that are taken for others.
        let secret = store.as_ref().map_or_else(Secret::random, |store| Secret::of_store(store.secret()));
        Arc::new(Self {
            state: Mutex::new(State { table, held, attached }),
            store,
            secret,
            limits,
            began: now,
        })
    }

    /// Looks a request up and, if it is new, marks it as running.
    pub(crate) fn begin(self: &Arc<Self>, now: Instant, call: &Keyed<'_>) -> Begin {
        if let Some(store) = &self.store {
            return self.begin_held(store, self.claim(now, call), call.key.request_id);
        }
        let id = call.key.request_id;
        let asked = self.asked(call);
        let mut state = self.state.lock();
        match state.table.begin(now, &asked) {
            Found::New => Begin::Run(self.ticket(call, &asked, false)),
            Found::Again => Begin::Run(self.ticket(call, &asked, true)),
            Found::InFlight => Begin::Attach(state.attach(asked.record)),
            Found::Answered(kept) => {
                drop(state);
                Begin::Replay(Ok(kept.answer()))
            }
            Found::Completed => Begin::Replay(Err(answers::completed(id))),
            Found::Unknown => Begin::Replay(Err(answers::unknown(id))),
            Found::OtherArguments => Begin::Refuse(answers::reused(id)),
            Found::Forgotten => Begin::Refuse(answers::forgotten(id)),
            Found::Full { retry_after, of_caller } => {
                Begin::Refuse(answers::full(&self.limits, of_caller, retry_after))
            }
        }
    }

    pub(crate) fn stats(&self, now: Instant) -> KeyedStats {
        let state = self.state.lock();
        let table = &state.table;
        let effective_window = table.effective_window(now);
        KeyedStats { entries: table.len(), answer_bytes: table.bytes(), effective_window }
    }

    fn asked(&self, call: &Keyed<'_>) -> Asked {
        // What went elsewhere is as if it had begun before this process: another one's memory is not here.
        let first_began = call.repeat.map(
            |Repeat { first_began, elsewhere, .. }| {
                if elsewhere { self.began.min(first_began) } else { first_began }
            },
        );
        Asked {
            record: self.secret.record(call.key),
            caller: self.secret.caller(call.key.caller),
            fingerprint: self.secret.fingerprint(call.codec, call.arguments),
            first_began,
            reruns: call.reruns,
        }
    }

    fn ticket(self: &Arc<Self>, call: &Keyed<'_>, asked: &Asked, again: bool) -> Ticket {
        self.open(asked.record, call.key.request_id, again, None)
    }

    pub(super) fn open(
        self: &Arc<Self>,
        record: RecordId,
        id: Uuid,
        again: bool,
        hold: Option<Hold>,
    ) -> Ticket {
        Ticket { cache: Arc::clone(self), record, id, again, hold, open: true }
    }

    pub(super) fn claim(&self, now: Instant, call: &Keyed<'_>) -> Claim {
        Claim {
            record: self.secret.record(call.key),
            caller: self.secret.caller(call.key.caller),
            fingerprint: self.secret.fingerprint(call.codec, call.arguments),
            age: call.repeat.map(|repeat| match repeat.beyond {
                true => Duration::MAX,
                false => now.saturating_duration_since(repeat.first_began),
            }),
            elsewhere: call.repeat.is_some_and(|repeat| repeat.elsewhere),
            reruns: call.reruns,
        }
    }

    /// Enters how a request ended and answers those who wait for it.
    fn settle(&self, now: Instant, record: RecordId, outcome: Outcome, settled: &Settled) {
        let mut state = self.state.lock();
        if self.store.is_some() {
            state.held.remove(&record);
        } else {
            state.table.end(now, record, outcome);
        }
        let attached = state.attached.remove(&record).unwrap_or_default();
        drop(state);
        for waiter in attached {
            // Whoever has gone away meanwhile wants no answer.
            let _ = waiter.send(settled.clone());
        }
    }
}

impl State {
    pub(super) fn attach(&mut self, record: RecordId) -> oneshot::Receiver<Settled> {
        let attached = self.attached.entry(record).or_default();
        // Repeats that gave up are let go, so that a client that retries for ever does not pile them up.
        if attached.len().is_power_of_two() {
            attached.retain(|waiter| !waiter.is_closed());
        }
        let (sender, receiver) = oneshot::channel();
        attached.push(sender);
        receiver
    }
}

/// The right to run a request, and the duty to say how it ended.
///
/// One that is dropped without a word (its task was ended, its handler panicked where nobody caught it) leaves the request
/// as unknown: it may have run in part, and running it again could do its work twice.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(super) cache: Arc<Cache>,
    pub(super) record: RecordId,
    pub(super) id: Uuid,
    pub(super) again: bool,
    /// What it holds in the store.
    pub(super) hold: Option<Hold>,
    /// Nothing has been said yet.
    open: bool,
}

impl Ticket {
    /// Whether the request may have run before.
    pub(crate) fn runs_again(&self) -> bool {
        self.again
    }

    /// The request has run, or did not come to it: then the next call with its id is the first.
    pub(crate) fn complete(mut self, now: Instant, result: Result<&Answer, &Status>) {
        let outcome = self.outcome(result);
        let settled = match (&outcome, result) {
            (_, Ok(answer)) => Ok(answer.clone()),
            (_, Err(status)) if status.executed() == Executed::No => Err(answers::refused()),
            (_, Err(_)) => Err(answers::unknown(self.id)),
        };
        self.close(now, outcome, &settled);
    }

    /// How the request ended whose handler gave this.
    pub(super) fn outcome(&self, result: Result<&Answer, &Status>) -> Outcome {
        match Outcome::of(result) {
            // Not this time; what it did before is as unknown as it was.
            Outcome::NothingRan if self.again => Outcome::Unknown,
            outcome => outcome,
        }
    }

    pub(super) fn close(&mut self, now: Instant, outcome: Outcome, settled: &Settled) {
        self.open = false;
        self.cache.settle(now, self.record, outcome, settled);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.open {
            self.give_up();
            let now = tokio::time::Instant::now().into_std();
            self.close(now, Outcome::Unknown, &Err(answers::unknown(self.id)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{descriptor::MethodId, status::Reason};

    fn asked(reruns: bool) -> Keyed<'static> {
        let key = Key { caller: None, method: MethodId::of("Bank/pay"), request_id: Uuid::from_u128(7) };
        Keyed { key, codec: Codec::default(), arguments: b"5", repeat: None, reruns }
    }

    fn begun(cache: &Arc<Cache>, reruns: bool) -> Ticket {
        match cache.begin(Instant::now(), &asked(reruns)) {
            Begin::Run(ticket) => ticket,
            other => panic!("not to be run: {other:?}"),
        }
    }

    #[test]
    fn a_second_run_that_is_refused_leaves_the_first_as_unknown_as_it_was() {
        let cache = Cache::new(CacheLimits::default(), None, Instant::now());
        drop(begun(&cache, true));
        let again = begun(&cache, true);
        assert!(again.runs_again());
        again.complete(Instant::now(), Err(&Status::new(Reason::Overloaded, Executed::No, "")));
        let Begin::Replay(Err(status)) = cache.begin(Instant::now(), &asked(false)) else {
            panic!("it may have run")
        };
        assert_eq!((status.reason(), status.executed()), (Reason::OutcomeUnknown, Executed::Unknown));
        assert!(begun(&cache, true).runs_again());
    }
}
