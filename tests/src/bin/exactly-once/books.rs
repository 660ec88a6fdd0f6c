//! What really happened, which no worker and no caller sees as a whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use parking_lot::Mutex;
use uuid::Uuid;

/// Every execution of every id, whichever worker it was.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books(Arc<Mutex<Shelf>>);

#[derive(Debug, Default)]
struct Shelf {
    pages: BTreeMap<Uuid, Page>,
    /// Processes that were started, and those of them that were killed.
    started: u32,
    killed: BTreeSet<Process>,
}

/// A worker's process, by when it was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Process(u32);

/// One id.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Page {
    /// How often it began.
    pub(crate) began: u32,
    pub(crate) ended: bool,
    /// What it added, when it last began.
    pub(crate) amount: u64,
    /// Where it last began.
    pub(crate) by: Option<Process>,
}

/// What is known of a request by whoever sees everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Truth {
    NeverRan,
    /// With the process that ran it, its record is gone.
    RanAndItsWorkerWasKilled,
    RanAndItsWorkerLives,
}

impl Books {
    /// A process starts.
    pub(crate) fn start(&self) -> Process {
        let mut shelf = self.0.lock();
        shelf.started += 1;
        Process(shelf.started)
    }

    /// A process was killed.
    pub(crate) fn kill(&self, process: Process) {
        self.0.lock().killed.insert(process);
    }

    pub(crate) fn begin(&self, by: Process, id: Uuid, amount: u64) {
        let mut shelf = self.0.lock();
        let page = shelf.pages.entry(id).or_default();
        page.began += 1;
        (page.amount, page.by) = (amount, Some(by));
    }

    pub(crate) fn end(&self, id: Uuid) {
        self.0.lock().pages.entry(id).or_default().ended = true;
    }

    pub(crate) fn page(&self, id: Uuid) -> Page {
        self.0.lock().pages.get(&id).copied().unwrap_or_default()
    }

    /// What became of a request.
    pub(crate) fn truth(&self, id: Uuid) -> Truth {
        let shelf = self.0.lock();
        match shelf.pages.get(&id).and_then(|page| page.by) {
            None => Truth::NeverRan,
            Some(by) if shelf.killed.contains(&by) => Truth::RanAndItsWorkerWasKilled,
            Some(_) => Truth::RanAndItsWorkerLives,
        }
    }

    /// How many executions were one too many.
    pub(crate) fn doubles(&self) -> u64 {
        self.0.lock().pages.values().map(|page| u64::from(page.began.saturating_sub(1))).sum()
    }
}
