//! Who calls, repeats, and notes what they were told.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use parking_lot::Mutex;
use rpcnet::{CallError, CallOptions, Executed, Reason};
use rpcnet_cluster::ResilientClient;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use uuid::Uuid;

use crate::{
    books::{Books, Page},
    faults::World,
    service::CounterClient,
    store::Kind,
    tally::Tally,
};

/// How many call at once, one call after the other.
const CALLERS: u64 = 40;

/// How often what is not known is asked again, over some seconds: by then whoever can know does.
const REPEATS: u32 = 6;

/// One who calls.
#[derive(Clone)]
struct Caller {
    client: CounterClient<ResilientClient>,
    /// Of another node, for calls that come in pairs.
    other: CounterClient<ResilientClient>,
    books: Books,
    tally: Arc<Mutex<Tally>>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
struct Asked {
    id: Uuid,
    amount: u64,
    bytes: u32,
    first_sent: Instant,
    /// Somebody else asks the same at the same time.
    paired: bool,
}

/// Plays one seed.
pub(crate) async fn play(length: Duration, seed: u64, store: Kind) -> Tally {
    let mut world = World::new(seed, store).await;
    let client = |number: usize| {
        let client = ResilientClient::new(world.callers[number].registry()).select("role=worker");
        CounterClient::new(client.with(CallOptions::timeout(Duration::from_millis(1_500))))
    };
    let tally = Arc::new(Mutex::new(Tally::default()));
    let caller = Caller { client: client(0), other: client(1), books: world.books.clone(), tally };
    let until = Instant::now() + length;
    let mut calling = JoinSet::new();
    for number in 0..CALLERS {
        calling.spawn(caller.clone().call_until(until, Rng::with_seed(seed << 8 | number)));
    }
    world.trouble(until, Rng::with_seed(seed ^ 0x5eed)).await;
    while calling.join_next().await.is_some() {}
    let mut tally = caller.tally.lock().clone();
    tally.double += world.books.doubles();
    tally
}

impl Caller {
    async fn call_until(self, until: Instant, mut random: Rng) {
        while Instant::now() < until {
            let bytes = [8, 8, 200, 3_000, 8_000][random.usize(0..5)];
            let (id, amount) = (Uuid::from_u128(random.u128(..)), random.u64(1..1000));
            let asked = Asked { id, amount, bytes, first_sent: Instant::now(), paired: false };
            match random.u32(0..10) {
                // Once by two clients, and once as whatever is in between may hand a call over twice.
                kind @ (0 | 4) => {
                    let later = Duration::from_millis(random.u64(0..80));
                    Box::pin(self.pair(asked, later, kind == 0)).await;
                }
                1 => {
                    self.settle(asked, false).await;
                    self.change(asked).await;
                }
                2 | 3 => {
                    self.settle(asked, false).await;
                    sleep(Duration::from_millis(random.u64(0..3_000))).await;
                    self.settle(asked, false).await;
                }
                _ => self.settle(asked, false).await,
            }
        }
    }

    /// Two callers of one id, the second of them somewhat later; another client's, or the same one's.
    async fn pair(&self, asked: Asked, later: Duration, others: bool) {
        let asked = Asked { paired: true, ..asked };
        let second = async {
            sleep(later).await;
            self.settle(asked, others).await;
        };
        tokio::join!(self.settle(asked, false), second);
    }

    /// Calls until it is known what became of it, and notes that.
    async fn settle(&self, asked: Asked, second: bool) {
        let (mut told, began) = (Executed::No, self.books.page(asked.id).began);
        for attempt in 0..=REPEATS {
            let before = self.books.page(asked.id);
            match self.ask(asked, second).await {
                Ok((amount, _)) => return self.note_answered(asked, before, amount == asked.amount),
                Err(error) if error.reason() == Some(Reason::AlreadyCompleted) => {
                    return self.note_answered(asked, before, true);
                }
                Err(error) => {
                    if error.executed() != Executed::No {
                        told = Executed::Unknown;
                    }
                    if attempt == REPEATS || is_final(&error) {
                        return self.note_failed(asked, told, began, &error);
                    }
                }
            }
            sleep(Duration::from_millis(200 << attempt)).await;
        }
    }

    async fn ask(&self, asked: Asked, second: bool) -> Result<(u64, Vec<u8>), CallError<rpcnet::AppError>> {
        let Asked { id, amount, bytes, first_sent, .. } = asked;
        if second {
            // It cannot know of the first caller's attempts, so that it has to say that there may be some.
            let options = CallOptions::new().first_sent_at(first_sent.into_std());
            return self.other.with(options).add(id, amount, bytes).await;
        }
        self.client.add(id, amount, bytes).await
    }

    /// The same id with other arguments: it must be refused, or its outcome not be known.
    async fn change(&self, asked: Asked) {
        let changed = Asked { amount: asked.amount + 1, ..asked };
        let result = self.ask(changed, false).await;
        let ran = self.books.page(asked.id).amount == changed.amount;
        let mut tally = self.tally.lock();
        tally.calls += 1;
        match result {
            Ok(_) if self.books.page(asked.id).began > 1 => tally.double += 1,
            Ok(_) => tally.executed_once += 1,
            Err(error) if error.reason() == Some(Reason::RequestIdReused) => {
                tally.mismatched += 1;
                tally.lost += u64::from(ran);
            }
            Err(error) if error.executed() == Executed::No => tally.refused += 1,
            Err(error) => {
                *tally.unknown.entry((reason(&error), Some(self.books.truth(asked.id)))).or_default() += 1;
            }
        }
    }

    fn note_answered(&self, asked: Asked, before: Page, right: bool) {
        let mut tally = self.tally.lock();
        tally.calls += 1;
        match before {
            Page { began: 0, .. } => tally.executed_once += 1,
            Page { ended: true, .. } => tally.replayed += 1,
            Page { .. } => tally.attached += 1,
        }
        // Told that it ran, with this answer.
        let ran = self.books.page(asked.id).ended;
        tally.lost += u64::from(!ran || !right);
    }

    fn note_failed(&self, asked: Asked, told: Executed, began: u32, error: &CallError<rpcnet::AppError>) {
        // Another caller of the same id may have run it: that its own calls did not is all that one of a pair was told.
        let ran = !asked.paired && self.books.page(asked.id).began > began;
        let mut tally = self.tally.lock();
        tally.calls += 1;
        match told {
            Executed::No if ran => tally.lost += 1,
            Executed::No => tally.refused += 1,
            _ => *tally.unknown.entry((reason(error), Some(self.books.truth(asked.id)))).or_default() += 1,
        }
    }
}

fn reason(error: &CallError<rpcnet::AppError>) -> Reason {
    error.reason().unwrap_or(Reason::Unspecified)
}

/// Whether another attempt would be told the same.
fn is_final(error: &CallError<rpcnet::AppError>) -> bool {
    matches!(error.reason(), Some(Reason::OutcomeUnknown | Reason::Panicked | Reason::RequestIdReused))
}
