//! The records of keyed calls, in memory. Pure: time is an argument, and whoever waits for an answer is somebody else's
//! business.
//!
//! ```text
//!            begin                 end
//! (absent) ─────────▶ InFlight ──────────▶ Answered ──▶ Completed     the answer made room for others
//!     ▲                │  │ ▲  panic, abort               ▲
//!     │  nothing ran   │  │ └──────────┐   an answer too  │
//!     └────────────────┘  └────────▶ Unknown    large ────┘
//!                          `on_unknown = "rerun"`
//! ```
//!
//! The last three are forgotten `window` after they ended, and not before unless the table is `BestEffort`.

mod callers;
mod slab;

use std::time::{Duration, Instant};

use hashbrown::HashTable;

use self::{
    callers::Callers,
    slab::{Entry, Place, Slab, State},
};
use super::{
    key::{CallerId, Fingerprint, RecordId},
    limits::{CacheLimits, WhenFull},
    outcome::{Kept, Outcome},
};

#[cfg(test)]
mod tests;

/// A request that may be new.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) record: RecordId,
    pub(super) caller: CallerId,
    pub(super) fingerprint: Fingerprint,
    /// Of a repeat: when the first attempt began, by this process's clock and not later than it did.
    pub(super) first_began: Option<Instant>,
    /// A request whose outcome is not known runs again.
    pub(super) reruns: bool,
}

/// What a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing: it is entered as running.
    New,
    /// That it ran before and its outcome is not known, and that it may run again: it is entered as running.
    Again,
    InFlight,
    Answered(Kept),
    Completed,
    Unknown,
    OtherArguments,
    /// Nothing, and it began before all that is remembered: it may have run and been forgotten.
    Forgotten,
    /// Nothing, and there is no room for it.
    Full {
        retry_after: Duration,
        of_caller: bool,
    },
}

/// The records, and what bounds them.
#[derive(Debug)]
pub(super) struct Table {
    limits: CacheLimits,
    index: HashTable<Place>,
    entries: Slab,
    callers: Callers,
    /// Bytes of all answers.
    bytes: usize,
    began: Instant,
    /// When the last of what has been forgotten had ended; what began later is remembered, if it ran.
    forgotten: Tick,
}

/// Tenths of a second since the table began: 32 bits are thirteen years.
pub(super) type Tick = u32;
const TICK: Duration = Duration::from_millis(100);

impl Table {
    /// How many that are too old are forgotten with each call: more than are added, few enough not to be felt.
    const FORGOTTEN_AT_ONCE: usize = 16;

    pub(super) fn new(limits: CacheLimits, now: Instant) -> Self {
        let (index, entries, callers) = (HashTable::new(), Slab::default(), Callers::default());
        Self { limits, index, entries, callers, bytes: 0, began: now, forgotten: 0 }
    }

    /// Looks a request up; a new one is entered as running. Both in one step: between a check and a later insert two
    /// duplicates could both run.
    pub(super) fn begin(&mut self, now: Instant, asked: &Asked) -> Found {
        self.forget(now);
        if let Some(place) = self.find(asked.record) {
            return self.found(place, asked);
        }
        let again = asked.first_began.is_some_and(|first| self.may_have_forgotten(first));
        if again && !asked.reruns {
            return Found::Forgotten;
        }
        if let Some(full) = self.make_room(now, asked.caller) {
            return full;
        }
        let caller = self.callers.enter(asked.caller);
        let entry = Entry::running(asked.record, asked.fingerprint, caller);
        let place = self.entries.insert(entry);
        let entries = &self.entries;
        self.index.insert_unique(hash(asked.record), place, |place| hash(entries[*place].record));
        if again { Found::Again } else { Found::New }
    }

    /// Enters how a request ended.
    pub(super) fn end(&mut self, now: Instant, record: RecordId, outcome: Outcome) {
        let Some(place) = self.find(record).filter(|place| self.entries[*place].is_running()) else { return };
        let state = match outcome {
            Outcome::NothingRan => {
                let entry = self.remove(place);
                self.callers.leave(entry.caller);
                return;
            }
            Outcome::Unknown => State::Unknown,
            Outcome::Answered(kept) => self.keep(place, kept),
        };
        let bytes = state.bytes();
        let tick = self.tick_up(now);
        let entry = &mut self.entries[place];
        (entry.state, entry.ended) = (state, tick);
        self.bytes += bytes;
        self.callers.append(&mut self.entries, place, bytes);
        self.shrink(place);
    }

    /// How far back memory reaches: the window, unless records had to be forgotten before their time.
    pub(super) fn effective_window(&self, now: Instant) -> Duration {
        let forgotten = self.began + TICK * self.forgotten;
        self.limits.window.min(now.saturating_duration_since(forgotten).max(Duration::ZERO))
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn find(&self, record: RecordId) -> Option<Place> {
        self.index.find(hash(record), |place| self.entries[*place].record == record).copied()
    }

    fn found(&mut self, place: Place, asked: &Asked) -> Found {
        let entry = &self.entries[place];
        if entry.fingerprint != asked.fingerprint {
            return Found::OtherArguments;
        }
        match &entry.state {
            State::InFlight => Found::InFlight,
            State::Answered(kept) => Found::Answered(kept.clone()),
            State::Completed => Found::Completed,
            State::Unknown if asked.reruns => {
                self.callers.unlink(&mut self.entries, place);
                self.entries[place].state = State::InFlight;
                Found::Again
            }
            State::Unknown => Found::Unknown,
        }
    }

    /// Whether a request that began then may have run and been forgotten.
    fn may_have_forgotten(&self, first_began: Instant) -> bool {
        first_began <= self.began + TICK * self.forgotten
    }

    /// The answer as it is kept, if one so large is.
    fn keep(&self, place: Place, kept: Kept) -> State {
        let named = self.callers[self.entries[place].caller].is_named();
        let most = self.limits.answer_bytes_max.min(self.limits.share(self.limits.bytes_max, named));
        if kept.len() > most { State::Completed } else { State::Answered(kept) }
    }

    /// Answers become tombstones until those of the caller, and all together, are within their bounds: its own oldest
    /// first, then the oldest of whoever keeps most.
    fn shrink(&mut self, place: Place) {
        let caller = self.entries[place].caller;
        let share = self.limits.share(self.limits.bytes_max, self.callers[caller].is_named());
        while self.callers[caller].bytes > share {
            self.bytes -= self.callers.shrink_oldest(&mut self.entries, caller);
        }
        while self.bytes > self.limits.bytes_max {
            let most = self.callers.keeps_most().expect("whoever keeps bytes is listed");
            self.bytes -= self.callers.shrink_oldest(&mut self.entries, most);
        }
    }

    /// Room for one more, if it can be had.
    fn make_room(&mut self, now: Instant, caller: CallerId) -> Option<Found> {
        let share = self.limits.share(self.limits.entries_max, caller.0.is_some());
        let own = self.callers.find(caller);
        if share < self.limits.entries_max && own.is_some_and(|own| self.callers[own].entries >= share) {
            return self.make_room_of(now, own);
        }
        if self.len() >= self.limits.entries_max { self.make_room_of(now, None) } else { None }
    }

    /// The same, of what one caller has, or all have.
    fn make_room_of(&mut self, now: Instant, caller: Option<u32>) -> Option<Found> {
        let oldest = match caller {
            Some(caller) => self.callers[caller].oldest(),
            None => self.callers.oldest(),
        };
        let until = oldest.map(|place| self.until(place));
        match oldest {
            Some(place)
                if self.limits.when_full == WhenFull::BestEffort || until.is_some_and(|at| at <= now) =>
            {
                self.drop_oldest(place);
                None
            }
            _ => {
                // With nothing but calls that run, a moment from now is as good a guess as any.
                let wait = until.map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
                let retry_after = wait.max(Duration::from_millis(1));
                Some(Found::Full { retry_after, of_caller: caller.is_some() })
            }
        }
    }

    /// Forgets what is older than the window.
    fn forget(&mut self, now: Instant) {
        for _ in 0..Self::FORGOTTEN_AT_ONCE {
            match self.callers.oldest().filter(|place| self.until(*place) <= now) {
                Some(place) => self.drop_oldest(place),
                None => return,
            }
        }
    }

    /// Until when an entry that has ended is remembered.
    fn until(&self, place: Place) -> Instant {
        crate::time::later(self.began + TICK * self.entries[place].ended, self.limits.window)
    }

    /// Forgets what a caller's list begins with.
    fn drop_oldest(&mut self, place: Place) {
        self.callers.unlink(&mut self.entries, place);
        let entry = self.remove(place);
        self.bytes -= entry.state.bytes();
        self.callers.handle_forgotten(&entry);
        self.forgotten = self.forgotten.max(entry.ended);
    }

    fn remove(&mut self, place: Place) -> Entry {
        let hash = hash(self.entries[place].record);
        if let Ok(found) = self.index.find_entry(hash, |other| *other == place) {
            found.remove();
        }
        self.entries.remove(place)
    }

    /// A moment in ticks, rounded up: what ended then is not forgotten too early.
    fn tick_up(&self, now: Instant) -> Tick {
        let ticks = now.saturating_duration_since(self.began).as_nanos().div_ceil(TICK.as_nanos());
        Tick::try_from(ticks).unwrap_or(Tick::MAX)
    }
}

/// A record's id is a hash already.
fn hash(record: RecordId) -> u64 {
    record.0[0]
}
