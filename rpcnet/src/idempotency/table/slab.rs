//! Where the entries are: in pieces of fixed size, so that growing copies nothing and a million cost what they need.

use std::ops::{Index, IndexMut};

use super::{
    super::{
        key::{Fingerprint, RecordId},
        outcome::Kept,
    },
    Tick,
};

/// Where an entry is.
pub(super) type Place = u32;

/// One request. Under 100 bytes with its share of the index; without its answer the facts are 40: two hashes, a time, how
/// it ended and whose it is.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) record: RecordId,
    pub(super) fingerprint: Fingerprint,
    pub(super) state: State,
    pub(super) ended: Tick,
    /// Its caller's place among the callers.
    pub(super) caller: u32,
    /// Its neighbours in its caller's list, in the order in which they ended; itself at an end.
    pub(super) older: Place,
    pub(super) newer: Place,
}

#[derive(Debug)]
pub(super) enum State {
    InFlight,
    Answered(Kept),
    Completed,
    Unknown,
}

impl State {
    /// Of the answer that is kept.
    pub(super) fn bytes(&self) -> usize {
        match self {
            State::Answered(kept) => kept.len(),
            State::InFlight | State::Completed | State::Unknown => 0,
        }
    }
}

impl Entry {
    pub(super) fn running(record: RecordId, fingerprint: Fingerprint, caller: u32) -> Self {
        Self { record, fingerprint, state: State::InFlight, ended: 0, caller, older: 0, newer: 0 }
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.state, State::InFlight)
    }
}

/// The entries.
#[derive(Debug, Default)]
pub(super) struct Slab {
    pieces: Vec<Vec<Option<Entry>>>,
    free: Vec<Place>,
}

impl Slab {
    /// Entries in a piece: 72 KiB.
    const PIECE: usize = 1024;

    pub(super) fn insert(&mut self, entry: Entry) -> Place {
        if let Some(place) = self.free.pop() {
            *self.slot(place) = Some(entry);
            return place;
        }
        if self.pieces.last().is_none_or(|piece| piece.len() == Self::PIECE) {
            self.pieces.push(Vec::with_capacity(Self::PIECE));
        }
        let full = (self.pieces.len() - 1) * Self::PIECE;
        let last = self.pieces.last_mut().expect("one was added if there was none");
        last.push(Some(entry));
        (full + last.len() - 1) as Place
    }

    pub(super) fn remove(&mut self, place: Place) -> Entry {
        let entry = self.slot(place).take().expect("only places of entries are handed on");
        self.free.push(place);
        entry
    }

    fn slot(&mut self, place: Place) -> &mut Option<Entry> {
        &mut self.pieces[place as usize / Self::PIECE][place as usize % Self::PIECE]
    }
}

impl Index<Place> for Slab {
    type Output = Entry;

    fn index(&self, place: Place) -> &Entry {
        let slot = &self.pieces[place as usize / Self::PIECE][place as usize % Self::PIECE];
        slot.as_ref().expect("only places of entries are handed on")
    }
}

impl IndexMut<Place> for Slab {
    fn index_mut(&mut self, place: Place) -> &mut Entry {
        self.slot(place).as_mut().expect("only places of entries are handed on")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_that_may_be_empty_is_no_larger_than_an_entry() {
        assert_eq!(size_of::<Option<Entry>>(), 72);
    }

    #[test]
    fn a_place_is_used_again_before_a_new_one_is_made() {
        let mut slab = Slab::default();
        let entry = |n| Entry::running(RecordId([n, n]), Fingerprint([n, n]), 0);
        let places: Vec<_> = (0..3000).map(|n| slab.insert(entry(n))).collect();
        assert_eq!(slab[places[1500]].record, RecordId([1500, 1500]));
        slab.remove(places[1500]);
        assert_eq!(slab.insert(entry(7)), places[1500]);
        assert_eq!(slab.pieces.len(), 3);
    }
}
