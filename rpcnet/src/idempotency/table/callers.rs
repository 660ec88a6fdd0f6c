//! Whose the entries are, and in which order those of each caller ended.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::{Index, IndexMut},
};

use super::{
    super::key::CallerId,
    Tick,
    slab::{Entry, Place, Slab, State},
};

/// What one caller has in the table.
#[derive(Debug)]
pub(super) struct Caller {
    id: CallerId,
    /// Its entries, those that run included.
    pub(super) entries: usize,
    /// Bytes of its answers.
    pub(super) bytes: usize,
    list: Option<List>,
}

/// Its entries that have ended. No answer is kept before `answers`, if that is any.
#[derive(Debug, Clone, Copy)]
struct List {
    oldest: Place,
    oldest_ended: Tick,
    newest: Place,
    answers: Option<Place>,
}

/// All who have anything in the table.
#[derive(Debug, Default)]
pub(super) struct Callers {
    callers: Vec<Option<Caller>>,
    free: Vec<u32>,
    by_id: BTreeMap<CallerId, u32>,
    by_oldest: BTreeSet<(Tick, u32)>,
    by_bytes: BTreeSet<(usize, u32)>,
}

impl Caller {
    /// Whether it proved who it is.
    pub(super) fn is_named(&self) -> bool {
        self.id.0.is_some()
    }

    /// What of it ended first.
    pub(super) fn oldest(&self) -> Option<Place> {
        self.list.map(|list| list.oldest)
    }
}

impl Callers {
    pub(super) fn find(&self, id: CallerId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// Counts an entry.
    pub(super) fn enter(&mut self, id: CallerId) -> u32 {
        let place = self.find(id).unwrap_or_else(|| self.add(id));
        self[place].entries += 1;
        place
    }

    fn add(&mut self, id: CallerId) -> u32 {
        let caller = Caller { id, entries: 0, bytes: 0, list: None };
        let place = self.free.pop().unwrap_or_else(|| {
            self.callers.push(None);
            (self.callers.len() - 1) as u32
        });
        self.callers[place as usize] = Some(caller);
        self.by_id.insert(id, place);
        place
    }

    /// An entry is gone that was in no list.
    pub(super) fn leave(&mut self, caller: u32) {
        self[caller].entries -= 1;
        if self[caller].entries == 0 {
            let id = self[caller].id;
            self.by_id.remove(&id);
            self.callers[caller as usize] = None;
            self.free.push(caller);
        }
    }

    /// An entry that was taken out of its list is forgotten.
    pub(super) fn handle_forgotten(&mut self, entry: &Entry) {
        self.recount(entry.caller, |bytes| bytes - entry.state.bytes());
        self.leave(entry.caller);
    }

    /// Puts an entry that has just ended at the end of its caller's list.
    pub(super) fn append(&mut self, entries: &mut Slab, place: Place, bytes: usize) {
        let (caller, ended) = (entries[place].caller, entries[place].ended);
        let answers = (bytes > 0).then_some(place);
        let (older, list) = match self[caller].list {
            None => (place, List { oldest: place, oldest_ended: ended, newest: place, answers }),
            Some(list) => {
                entries[list.newest].newer = place;
                (list.newest, List { newest: place, answers: list.answers.or(answers), ..list })
            }
        };
        (entries[place].older, entries[place].newer) = (older, place);
        self.relist(caller, Some(list));
        self.recount(caller, |before| before + bytes);
    }

    /// Takes an entry out of its caller's list.
    pub(super) fn unlink(&mut self, entries: &mut Slab, place: Place) {
        let Entry { caller, older, newer, .. } = entries[place];
        let Some(mut list) = self[caller].list else { return };
        let (first, last) = (older == place, newer == place);
        if first && last {
            return self.relist(caller, None);
        }
        if list.answers == Some(place) {
            list.answers = (!last).then_some(newer);
        }
        match first {
            true => (list.oldest, list.oldest_ended) = (newer, entries[newer].ended),
            false => entries[older].newer = if last { older } else { newer },
        }
        match last {
            true => list.newest = older,
            false => entries[newer].older = if first { newer } else { older },
        }
        self.relist(caller, Some(list));
    }

    /// What ended first of all.
    pub(super) fn oldest(&self) -> Option<Place> {
        self.by_oldest.first().and_then(|(_, caller)| self[*caller].oldest())
    }

    /// Whose answers have most bytes.
    pub(super) fn keeps_most(&self) -> Option<u32> {
        self.by_bytes.last().map(|(_, caller)| *caller)
    }

    /// Makes a tombstone of a caller's oldest answer. Gives back how many bytes it had.
    pub(super) fn shrink_oldest(&mut self, entries: &mut Slab, caller: u32) -> usize {
        let Some(mut list) = self[caller].list else { return 0 };
        let mut bytes = 0;
        while let Some(place) = list.answers.filter(|_| bytes == 0) {
            let entry = &mut entries[place];
            bytes = entry.state.bytes();
            if bytes > 0 {
                entry.state = State::Completed;
            }
            list.answers = (entry.newer != place).then_some(entry.newer);
        }
        self[caller].list = Some(list);
        self.recount(caller, |before| before - bytes);
        bytes
    }

    fn relist(&mut self, caller: u32, list: Option<List>) {
        let before = std::mem::replace(&mut self[caller].list, list).map(|list| list.oldest_ended);
        let after = list.map(|list| list.oldest_ended);
        if before != after {
            before.map(|ended| self.by_oldest.remove(&(ended, caller)));
            after.map(|ended| self.by_oldest.insert((ended, caller)));
        }
    }

    fn recount(&mut self, caller: u32, count: impl FnOnce(usize) -> usize) {
        let before = self[caller].bytes;
        let after = count(before);
        self[caller].bytes = after;
        if before != after {
            self.by_bytes.remove(&(before, caller));
            if after > 0 {
                self.by_bytes.insert((after, caller));
            }
        }
    }
}

impl Index<u32> for Callers {
    type Output = Caller;

    fn index(&self, place: u32) -> &Caller {
        self.callers[place as usize].as_ref().expect("a caller stays as long as its entries")
    }
}

impl IndexMut<u32> for Callers {
    fn index_mut(&mut self, place: u32) -> &mut Caller {
        self.callers[place as usize].as_mut().expect("a caller stays as long as its entries")
    }
}
