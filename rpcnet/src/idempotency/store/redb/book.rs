//! What a claim and an end mean in the tables. All of it happens in one transaction of the caller's.

use std::time::Duration;

use redb::{Database, ReadableDatabase as _, ReadableTable as _, Table, TableError, WriteTransaction};
use uuid::Uuid;

use super::{
    Claim, Claimed, Outcome, StoreError,
    tables::{
        ANSWERED, ANSWERS, CALLERS, COMPLETED, ENDED, ENDED_OF, FACTS, FORM, Facts, Failed, KEEPERS, RECORDS,
        RUNNING, RUNS, Row, UNKNOWN,
    },
};
use crate::idempotency::{limits::CacheLimits, outcome::Kept};

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
    pub(super) records: Table<'t, u128, Row>,
    running: Table<'t, u128, ()>,
    pub(super) ended: Table<'t, (u64, u128), ()>,
    pub(super) ended_of: Table<'t, (u64, u64, u128), ()>,
    pub(super) answers: Table<'t, (u64, u64, u128), u64>,
    pub(super) callers: Table<'t, u64, (u64, u64)>,
    pub(super) keepers: Table<'t, (u64, u64), ()>,
    kept: Table<'t, &'static str, u128>,
    pub(super) facts: Facts,
    form: u128,
    pub(super) limits: CacheLimits,
    pub(super) now: u64,
}

impl<'t> Book<'t> {
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
            ended_of: transaction.open_table(ENDED_OF)?,
            answers: transaction.open_table(ANSWERS)?,
            callers: transaction.open_table(CALLERS)?,
            keepers: transaction.open_table(KEEPERS)?,
            kept,
            facts,
            form,
            limits,
            now: now.max(facts.clock),
        })
    }

    /// Writes what is known of the whole.
    pub(super) fn close(mut self) -> Result<Facts, Failed> {
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
        Ok(self.facts)
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
            self.ended_of.remove((row.2, row.4, record))?;
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
        if row.2 != 0 {
            self.ended_of.insert((row.2, self.now, record), ())?;
        }
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

    pub(super) fn row(&self, record: u128) -> Result<Option<Row>, Failed> {
        Ok(self.records.get(record)?.map(|row| row.value()))
    }
}

/// A caller's key: 0 is for those who proved nothing.
pub(super) fn caller(whose: Option<u64>) -> u64 {
    whose.map_or(0, |whose| whose.max(1))
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
