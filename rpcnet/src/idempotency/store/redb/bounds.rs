//! What bounds the records: shares, room, the window.

use std::time::Duration;

use redb::ReadableTable as _;

use super::{
    Claimed,
    book::{Book, caller, millis},
    tables::{ANSWERED, COMPLETED, Failed, Row},
};
use crate::idempotency::limits::WhenFull;

impl Book<'_> {
    /// How many that are too old are forgotten with each claim: more than are added.
    const FORGOTTEN_AT_ONCE: usize = 16;

    /// The largest answer of a caller that is kept.
    pub(super) fn most(&self, whose: u64) -> usize {
        self.limits.answer_bytes_max.min(self.limits.share(self.limits.bytes_max, whose != 0))
    }

    /// Answers become tombstones until those of the caller, and all together, are within their bounds: its own oldest first,
    /// then the oldest of whoever keeps most.
    pub(super) fn shrink(&mut self, whose: u64) -> Result<(), Failed> {
        let share = self.limits.share(self.limits.bytes_max, whose != 0) as u64;
        while self.of(whose)?.1 > share {
            self.shrink_oldest(whose)?;
        }
        while self.facts.bytes > self.limits.bytes_max as u64 {
            let most = self.keepers.last()?.map(|(key, _)| key.value().1);
            self.shrink_oldest(most.unwrap_or(whose))?;
        }
        Ok(())
    }

    fn shrink_oldest(&mut self, whose: u64) -> Result<(), Failed> {
        let oldest = self.answers.range((whose, 0, 0)..=(whose, u64::MAX, u128::MAX))?.next().transpose()?;
        let record = oldest.map(|(key, _)| key.value().2).ok_or_else(Failed::inconsistent)?;
        let mut row = self.row(record)?.ok_or_else(Failed::inconsistent)?;
        self.drop_answer(record, &row)?;
        (row.0, row.5) = (COMPLETED, Vec::new());
        self.records.insert(record, row)?;
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

    /// Room for one more, if it can be had: of its caller's share, then of the whole.
    pub(super) fn make_room(&mut self, whose: Option<u64>) -> Result<Option<Claimed>, Failed> {
        let share = self.limits.share(self.limits.entries_max, whose.is_some()) as u64;
        if whose.is_some() && self.of(caller(whose))?.0 >= share {
            let own = (caller(whose), 0, 0)..=(caller(whose), u64::MAX, u128::MAX);
            let oldest = self.ended_of.range(own)?.next().transpose()?;
            let oldest = oldest.map(|(key, _)| key.value()).map(|(_, ended, record)| (ended, record));
            return self.make_room_of(oldest, true);
        }
        if self.facts.entries < self.limits.entries_max as u64 {
            return Ok(None);
        }
        let oldest = self.ended.first()?.map(|(key, _)| key.value());
        self.make_room_of(oldest, false)
    }

    /// The same, at the cost of what ended first of those in question.
    fn make_room_of(
        &mut self,
        oldest: Option<(u64, u128)>,
        of_caller: bool,
    ) -> Result<Option<Claimed>, Failed> {
        let until = oldest.map_or(self.now, |(ended, _)| self.until(ended));
        match oldest {
            Some((ended, record)) if self.limits.when_full == WhenFull::BestEffort || until <= self.now => {
                self.drop_record(ended, record)?;
                Ok(None)
            }
            _ => {
                let retry_after = Duration::from_millis(until.saturating_sub(self.now).max(1));
                Ok(Some(Claimed::Full { retry_after, of_caller }))
            }
        }
    }

    /// Forgets what is older than the window.
    pub(super) fn forget(&mut self) -> Result<(), Failed> {
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
            self.ended_of.remove((row.2, ended, record))?;
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

    pub(super) fn count(&mut self, whose: u64, entries: i64, bytes: i64) -> Result<(), Failed> {
        let (had, kept) = self.of(whose)?;
        let now = (had.saturating_add_signed(entries), kept.saturating_add_signed(bytes));
        if now == (0, 0) {
            self.callers.remove(whose)?;
        } else {
            self.callers.insert(whose, now)?;
        }
        if kept != now.1 {
            self.keepers.remove((kept, whose))?;
            if now.1 > 0 {
                self.keepers.insert((now.1, whose), ())?;
            }
        }
        Ok(())
    }
}
