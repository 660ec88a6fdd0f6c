//! The workers a selector names, worked out once for each snapshot of the registry.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::registry::{Selector, Snapshot};

/// A selector and what it made of the last snapshot.
#[derive(Debug)]
pub(crate) struct Selection {
    /// `None` for every worker.
    selector: Option<Selector>,
    last: Mutex<Places>,
}

/// Places in the list of workers of a snapshot.
///
/// Neither the snapshot nor a worker is held: an idle client keeps no connection to workers that have left open.
#[derive(Debug, Default)]
struct Places {
    of: Weak<Snapshot>,
    places: Arc<[usize]>,
}

impl Selection {
    pub(crate) fn new(selector: Option<Selector>) -> Self {
        Self { selector, last: Mutex::default() }
    }

    pub(crate) fn selector(&self) -> Option<&Selector> {
        self.selector.as_ref()
    }

    /// The places of the selected workers among those of the snapshot. One that is draining is none: it takes its leave.
    pub(crate) fn places(&self, snapshot: &Arc<Snapshot>) -> Arc<[usize]> {
        let mut last = self.last.lock();
        if !std::ptr::eq(last.of.as_ptr(), Arc::as_ptr(snapshot)) {
            *last = Places { of: Arc::downgrade(snapshot), places: self.select(snapshot) };
        }
        Arc::clone(&last.places)
    }

    fn select(&self, snapshot: &Snapshot) -> Arc<[usize]> {
        let selected = |place: &usize| {
            let worker = &snapshot.workers[*place];
            !worker.is_draining()
                && self.selector.as_ref().is_none_or(|selector| selector.matches(&worker.tags))
        };
        (0..snapshot.workers.len()).filter(selected).collect()
    }
}
