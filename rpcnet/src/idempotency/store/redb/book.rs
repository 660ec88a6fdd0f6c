//! The tables, and what a claim and an end mean in them. All of it happens in one transaction of the caller's.

use std::time::Duration;

use redb::{
    Database, ReadableDatabase as _, ReadableTable as _, Table, TableDefinition, TableError, WriteTransaction,
};
use uuid::Uuid;

use super::{Claim, Claimed, Outcome, StoreError};
use crate::idempotency::{
    limits::{CacheLimits, WhenFull},
    outcome::Kept,
};

const RECORDS: TableDefinition<'_, u128, Row> = TableDefinition::new("rpcnet.records");
/// What runs.
const RUNNING: TableDefinition<'_, u128, ()> = TableDefinition::new("rpcnet.running");
/// What has ended, by when.
const ENDED: TableDefinition<'_, (u64, u128), ()> = TableDefinition::new("rpcnet.ended");
/// The answers that are kept, by whose they are and when.
const ANSWERS: TableDefinition<'_, (u64, u64, u128), u64> = TableDefinition::new("rpcnet.answers");
/// What each caller has: entries and bytes.
const CALLERS: TableDefinition<'_, u64, (u64, u64)> = TableDefinition::new("rpcnet.callers");
const FACTS: TableDefinition<'_, &str, u128> = TableDefinition::new("rpcnet.facts");

/// State, fingerprint, caller (0 for those who proved nothing), fence, when it ended, the answer.
type Row = (u8, u128, u64, u64, u64, Vec<u8>);

const RUNS: u8 = 0;
const ANSWERED: u8 = 1;
const COMPLETED: u8 = 2;
const UNKNOWN: u8 = 3;

/// The form of the tables, to be raised when it changes.
const FORM: u128 = 1;

/// An error of the database, whichever of its kinds.
#[derive(Debug)]
pub(super) struct Failed(redb::Error);

impl<E: Into<redb::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl From<Failed> for StoreError {
    fn from(Failed(error): Failed) -> Self {
        Self::unavailable(error)
    }
}

/// What is known of the whole.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Facts {
    pub(super) secret: u128,
    /// Milliseconds for which the store has been open, when something was last written.
    pub(super) clock: u64,
    /// When the last of what has been forgotten had ended.
    forgotten: u64,
    fence: u64,
    entries: u64,
    bytes: u64,
}

/// Makes the tables of a new database. What ran in the one before is unknown: its process is gone.
pub(super) fn open(database: &Database) -> Result<Facts, StoreError> {
    let transaction = database.begin_write().map_err(Failed::from)?;
    let facts = reopened(&transaction)?;
    transaction.commit().map_err(Failed::from)?;
    Ok(facts)
}

fn reopened(transaction: &WriteTransaction) -> Result<Facts, StoreError> {
    let mut book = Book::open(transaction, CacheLimits::default(), 0)?;
    if book.form != FORM {
        return Err(StoreError::UnknownForm);
    }
    book.now = book.facts.clock;
    if book.facts.secret == 0 {
        book.facts.secret = Uuid::new_v4().as_u128() ^ Uuid::new_v4().as_u128().rotate_left(64);
    }
    let running: Result<Vec<_>, _> =
        book.running.iter().map_err(Failed::from)?.map(|row| row.map(|(record, _)| record.value())).collect();
    for record in running.map_err(Failed::from)? {
        if let Some(row) = book.row(record)? {
            book.end(record, row.3, &Outcome::Unknown)?;
        }
    }
    let facts = book.facts;
    book.close()?;
    Ok(facts)
}

/// What has ended and stays as it is, without a transaction that writes. `None` for all else.
pub(super) fn look_up(database: &Database, claim: &Claim) -> Result<Option<Claimed>, StoreError> {
    let found = || -> Result<_, Failed> {
        let records = match database.begin_read()?.open_table(RECORDS) {
            Err(TableError::TableDoesNotExist(_)) => return Ok(None),
            records => records?,
        };
        Ok(records.get(claim.record.to_bits())?.map(|row| row.value()))
    };
    match found()? {
        Some(row) if row.0 == RUNS || row.0 == UNKNOWN && claim.reruns => Ok(None),
        Some(row) => told(row, claim).map(Some),
        None => Ok(None),
    }
}

fn told(row: Row, claim: &Claim) -> Result<Claimed, StoreError> {
    if row.1 != claim.fingerprint.to_bits() {
        return Ok(Claimed::OtherArguments);
    }
    match row.0 {
        ANSWERED => Kept::from_bytes(&row.5).map(Claimed::Answered).ok_or(StoreError::UnknownForm),
        COMPLETED => Ok(Claimed::Completed),
        UNKNOWN | RUNS => Ok(Claimed::Unknown),
        _ => Err(StoreError::UnknownForm),
    }
}

/// The tables, open in a transaction.
pub(super) struct Book<'t> {
    records: Table<'t, u128, Row>,
    running: Table<'t, u128, ()>,
    ended: Table<'t, (u64, u128), ()>,
    answers: Table<'t, (u64, u64, u128), u64>,
    callers: Table<'t, u64, (u64, u64)>,
    kept: Table<'t, &'static str, u128>,
    facts: Facts,
    form: u128,
    limits: CacheLimits,
    now: u64,
}

impl<'t> Book<'t> {
    /// How many that are too old are forgotten with each claim: more than are added.
    const FORGOTTEN_AT_ONCE: usize = 16;

    pub(super) fn open(
        transaction: &'t WriteTransaction,
        limits: CacheLimits,
        now: u64,
    ) -> Result<Self, Failed> {
        let kept = transaction.open_table(FACTS)?;
        let fact =
            |name: &str| -> Result<Option<u128>, Failed> { Ok(kept.get(name)?.map(|fact| fact.value())) };
        let number = |name: &str| -> Result<u64, Failed> { Ok(fact(name)?.unwrap_or(0) as u64) };
        let facts = Facts {
            secret: fact("secret")?.unwrap_or(0),
            clock: number("clock")?,
            forgotten: number("forgotten")?,
            fence: number("fence")?,
            entries: number("entries")?,
            bytes: number("bytes")?,
        };
        let form = fact("form")?.unwrap_or(FORM);
        Ok(Self {
            records: transaction.open_table(RECORDS)?,
            running: transaction.open_table(RUNNING)?,
            ended: transaction.open_table(ENDED)?,
            answers: transaction.open_table(ANSWERS)?,
            callers: transaction.open_table(CALLERS)?,
            kept,
            facts,
            form,
            limits,
            now: now.max(facts.clock),
        })
    }

    /// Writes what is known of the whole.
    pub(super) fn close(mut self) -> Result<(), Failed> {
        let Facts { secret, clock, forgotten, fence, entries, bytes } = self.facts;
        let numbers = [
            ("clock", clock.max(self.now)),
            ("forgotten", forgotten),
            ("fence", fence),
            ("entries", entries),
            ("bytes", bytes),
        ];
        for (name, number) in numbers {
            self.kept.insert(name, u128::from(number))?;
        }
        self.kept.insert("secret", secret)?;
        self.kept.insert("form", self.form)?;
        Ok(())
    }

    /// Looks a request up; a new one is entered as running. What runs by the book does not run: its own process asks only for
    /// what it does not run itself.
    pub(super) fn claim(&mut self, claim: &Claim) -> Result<Claimed, Failed> {
        self.forget()?;
        let record = claim.record.to_bits();
        if let Some(row) = self.row(record)? {
            let rerun = matches!(row.0, RUNS | UNKNOWN) && claim.reruns;
            if !rerun || row.1 != claim.fingerprint.to_bits() {
                // A row in another form is as good as unknown: it is there.
                return Ok(told(row, claim).unwrap_or(Claimed::Unknown));
            }
            self.ended.remove((row.4, record))?;
            return self.run(claim, true);
        }
        let first =
            if claim.elsewhere { 0 } else { self.now.saturating_sub(millis(claim.age.unwrap_or_default())) };
        let again = claim.age.is_some() && first <= self.facts.forgotten;
        if again && !claim.reruns {
            return Ok(Claimed::Forgotten);
        }
        if let Some(full) = self.make_room(claim.caller.to_bits())? {
            return Ok(full);
        }
        self.facts.entries += 1;
        self.count(caller(claim.caller.to_bits()), 1, 0)?;
        self.run(claim, again)
    }

    /// Enters how a request ended. `false` when it is not this execution's to say.
    pub(super) fn end(&mut self, record: u128, fence: u64, outcome: &Outcome) -> Result<bool, Failed> {
        let Some(mut row) = self.row(record)?.filter(|row| row.3 == fence) else { return Ok(false) };
        if row.0 != RUNS {
            // The handler entered it itself.
            return Ok(true);
        }
        self.running.remove(record)?;
        if *outcome == Outcome::NothingRan {
            self.records.remove(record)?;
            self.facts.entries -= 1;
            self.count(row.2, -1, 0)?;
            return Ok(true);
        }
        row.4 = self.now;
        self.ended.insert((self.now, record), ())?;
        (row.0, row.5) = match outcome {
            Outcome::Answered(kept) if kept.len() <= self.most(row.2) => (ANSWERED, kept.to_bytes()),
            Outcome::Answered(_) => (COMPLETED, Vec::new()),
            Outcome::Unknown | Outcome::NothingRan => (UNKNOWN, Vec::new()),
        };
        let (whose, bytes) = (row.2, row.5.len() as u64);
        self.records.insert(record, row)?;
        if bytes > 0 {
            self.answers.insert((whose, self.now, record), bytes)?;
            self.facts.bytes += bytes;
            self.count(whose, 0, bytes as i64)?;
            self.shrink(whose)?;
        }
        Ok(true)
    }

    fn run(&mut self, claim: &Claim, again: bool) -> Result<Claimed, Failed> {
        self.facts.fence += 1;
        let (record, fence) = (claim.record.to_bits(), self.facts.fence);
        let whose = caller(claim.caller.to_bits());
        self.records.insert(record, (RUNS, claim.fingerprint.to_bits(), whose, fence, 0, Vec::new()))?;
        self.running.insert(record, ())?;
        Ok(Claimed::Run { fence, again })
    }

    fn row(&self, record: u128) -> Result<Option<Row>, Failed> {
        Ok(self.records.get(record)?.map(|row| row.value()))
    }

    /// The largest answer of a caller that is kept.
    fn most(&self, whose: u64) -> usize {
        self.limits.answer_bytes_max.min(self.limits.share(self.limits.bytes_max, whose != 0))
    }

    /// A caller's oldest answers become tombstones until its own, and all together, are within their bounds.
    fn shrink(&mut self, whose: u64) -> Result<(), Failed> {
        let share = self.limits.share(self.limits.bytes_max, whose != 0) as u64;
        while self.facts.bytes > self.limits.bytes_max as u64 || self.of(whose)?.1 > share {
            let oldest =
                self.answers.range((whose, 0, 0)..=(whose, u64::MAX, u128::MAX))?.next().transpose()?;
            let Some(record) = oldest.map(|(key, _)| key.value().2) else { return Ok(()) };
            let Some(mut row) = self.row(record)? else { return Ok(()) };
            self.drop_answer(record, &row)?;
            (row.0, row.5) = (COMPLETED, Vec::new());
            self.records.insert(record, row)?;
        }
        Ok(())
    }

    fn drop_answer(&mut self, record: u128, row: &Row) -> Result<(), Failed> {
        if row.0 == ANSWERED {
            self.answers.remove((row.2, row.4, record))?;
            self.facts.bytes -= row.5.len() as u64;
            self.count(row.2, 0, -(row.5.len() as i64))?;
        }
        Ok(())
    }

    /// Room for one more, if it can be had.
    fn make_room(&mut self, whose: Option<u64>) -> Result<Option<Claimed>, Failed> {
        let share = self.limits.share(self.limits.entries_max, whose.is_some()) as u64;
        let of_caller = whose.is_some() && self.of(caller(whose))?.0 >= share;
        if !of_caller && self.facts.entries < self.limits.entries_max as u64 {
            return Ok(None);
        }
        let oldest = self.ended.first()?.map(|(key, _)| key.value());
        match oldest {
            Some((ended, record)) if !of_caller && self.limits.when_full == WhenFull::BestEffort => {
                self.drop_record(ended, record)?;
                Ok(None)
            }
            _ => {
                let until = oldest.map_or(self.now, |(ended, _)| self.until(ended));
                let retry_after = Duration::from_millis(until.saturating_sub(self.now).max(1));
                Ok(Some(Claimed::Full { retry_after, of_caller }))
            }
        }
    }

    /// Forgets what is older than the window.
    fn forget(&mut self) -> Result<(), Failed> {
        for _ in 0..Self::FORGOTTEN_AT_ONCE {
            let oldest = self.ended.first()?.map(|(key, _)| key.value());
            match oldest {
                Some((ended, record)) if self.until(ended) <= self.now => self.drop_record(ended, record)?,
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    fn until(&self, ended: u64) -> u64 {
        ended.saturating_add(millis(self.limits.window))
    }

    fn drop_record(&mut self, ended: u64, record: u128) -> Result<(), Failed> {
        self.ended.remove((ended, record))?;
        if let Some(row) = self.row(record)? {
            self.drop_answer(record, &row)?;
            self.records.remove(record)?;
            self.facts.entries -= 1;
            self.count(row.2, -1, 0)?;
        }
        self.facts.forgotten = self.facts.forgotten.max(ended);
        Ok(())
    }

    fn of(&self, whose: u64) -> Result<(u64, u64), Failed> {
        Ok(self.callers.get(whose)?.map_or((0, 0), |row| row.value()))
    }

    fn count(&mut self, whose: u64, entries: i64, bytes: i64) -> Result<(), Failed> {
        let (had, kept) = self.of(whose)?;
        let now = (had.saturating_add_signed(entries), kept.saturating_add_signed(bytes));
        if now == (0, 0) {
            self.callers.remove(whose)?;
        } else {
            self.callers.insert(whose, now)?;
        }
        Ok(())
    }
}

/// A caller's key: 0 is for those who proved nothing.
fn caller(whose: Option<u64>) -> u64 {
    whose.map_or(0, |whose| whose.max(1))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
