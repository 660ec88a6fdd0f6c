//! Requests that run here and whose records are in a store: one asks the store, the others wait for it.

use std::{collections::hash_map::Entry, sync::Arc, time::Instant};

use uuid::Uuid;

use super::{
    answers,
    cache::{Begin, Cache, Settled, Ticket},
    key::RecordId,
    outcome::Outcome,
    store::{Claim, Claimed, Store, StoreError},
};
use crate::{client::caller::Answer, codec::Codec, status::Status};

/// What a request that runs holds in a store.
#[derive(Debug, Clone)]
pub(super) struct Hold {
    store: Arc<dyn Store>,
    /// `None` until it is claimed.
    fence: Option<u64>,
}

/// The record of a running request, for a handler that writes it itself.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "redb"), expect(dead_code, reason = "read by `RedbStore::complete`"))]
pub(crate) struct RecordOf {
    pub(crate) record: RecordId,
    pub(crate) fence: u64,
    pub(crate) codec: Codec,
    /// By which the store knows its own.
    pub(crate) secret: [u8; 16],
}

/// A request that does not run here, about to be looked up in the store. Whoever asks for the same meanwhile waits for what
/// comes of it.
#[derive(Debug)]
pub(crate) struct Claiming {
    ticket: Ticket,
    claim: Claim,
}

impl Cache {
    /// Looks up what runs here; of what does not, the store has to say.
    pub(super) fn begin_held(self: &Arc<Self>, store: &Arc<dyn Store>, claim: Claim, id: Uuid) -> Begin {
        let mut state = self.state.lock();
        match state.held.entry(claim.record) {
            Entry::Occupied(held) if *held.get() != claim.fingerprint => Begin::Refuse(answers::reused(id)),
            Entry::Occupied(_) => Begin::Attach(state.attach(claim.record)),
            Entry::Vacant(vacant) => {
                vacant.insert(claim.fingerprint);
                let hold = Hold { store: Arc::clone(store), fence: None };
                let ticket = self.open(claim.record, id, false, Some(hold));
                Begin::Ask(Box::new(Claiming { ticket, claim }))
            }
        }
    }
}

impl Claiming {
    /// Asks the store, until it knows: a request that runs in another process is asked for again until it has ended there,
    /// which it has at the latest when its lease has.
    pub(crate) async fn ask(self) -> Begin {
        let Self { ticket, claim } = self;
        loop {
            let hold = ticket.hold.as_ref().expect("a request that is claimed has a store");
            match hold.store.claim(&claim).await {
                Ok(Claimed::InFlight { retry_after }) => tokio::time::sleep(retry_after).await,
                Ok(claimed) => return ticket.claimed(claimed),
                Err(error) => {
                    tracing::warn!(%error, "a keyed call is refused: its record cannot be looked up");
                    return ticket.tell(Err(answers::away(error)), true);
                }
            }
        }
    }
}

impl Ticket {
    /// What a request comes to of which the store says this.
    fn claimed(mut self, claimed: Claimed) -> Begin {
        let (cache, id) = (Arc::clone(&self.cache), self.id);
        match claimed {
            Claimed::Run { fence, again } => {
                self.again = again;
                self.hold.iter_mut().for_each(|hold| hold.fence = Some(fence));
                Begin::Run(self)
            }
            Claimed::Answered(kept) => self.tell(Ok(kept.answer()), false),
            Claimed::Completed => self.tell(Err(answers::completed(id)), false),
            // A store says no more once it has been waited for.
            Claimed::Unknown | Claimed::InFlight { .. } => self.tell(Err(answers::unknown(id)), false),
            Claimed::OtherArguments => self.tell(Err(answers::reused(id)), true),
            Claimed::Forgotten => self.tell(Err(answers::forgotten(id)), true),
            Claimed::Full { retry_after, of_caller } => {
                self.tell(Err(answers::full(&cache.limits, of_caller, retry_after)), true)
            }
        }
    }

    /// Gives those who wait what the store said, and hands it on.
    fn tell(mut self, settled: Settled, refused: bool) -> Begin {
        self.close(now(), Outcome::NothingRan, &settled);
        match settled {
            Err(status) if refused => Begin::Refuse(status),
            settled => Begin::Replay(settled),
        }
    }

    /// The record, as far as a handler may write it itself.
    pub(crate) fn record_of(&self, codec: Codec) -> Option<RecordOf> {
        let hold = self.hold.as_ref()?;
        Some(RecordOf { record: self.record, fence: hold.fence?, codec, secret: hold.store.secret() })
    }

    /// Enters how the request ended, in the store before anybody is told of it: a caller that has its answer may be sure
    /// that a repeat gets the same.
    pub(crate) async fn finish(self, result: Result<&Answer, &Status>) {
        if let Some(Hold { store, fence: Some(fence) }) = &self.hold {
            let ended = store.end(self.record, *fence, &self.outcome(result)).await;
            if let Err(error) = ended {
                tracing::error!(id = %self.id, %error, "how a keyed call ended is not recorded: its repeats get `OutcomeUnknown`");
            }
        }
        self.complete(now(), result);
    }

    /// Tells the store, while the future it gives is polled, that the request still runs.
    pub(crate) fn renewed(&self) -> impl Future<Output = ()> + Send + use<> {
        let held =
            self.hold.clone().and_then(|hold| Some((hold.store.renew_every()?, hold.fence?, hold.store)));
        let (record, id) = (self.record, self.id);
        async move {
            let Some((every, fence, store)) = held else { return std::future::pending().await };
            loop {
                tokio::time::sleep(every).await;
                match store.renew(record, fence).await {
                    Ok(()) => {}
                    Err(StoreError::Fenced) => {
                        tracing::error!(%id, "a keyed call was held for dead while it runs");
                        return std::future::pending().await;
                    }
                    Err(error) => tracing::warn!(%id, %error, "a keyed call could not be renewed"),
                }
            }
        }
    }

    /// It was dropped without a word: the store is told, if there is a runtime left to do so. Otherwise it finds out.
    pub(super) fn give_up(&mut self) {
        let Some(Hold { store, fence: Some(fence) }) = self.hold.take() else { return };
        let record = self.record;
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = store.end(record, fence, &Outcome::Unknown).await {
                    tracing::warn!(%error, "that a keyed call was cut short is not recorded; its repeats find out");
                }
            });
        }
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
