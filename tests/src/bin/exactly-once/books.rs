//! What really happened, which no worker and no caller sees as a whole.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use uuid::Uuid;

/// Every execution of every id, whichever worker it was.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books(Arc<Mutex<BTreeMap<Uuid, Page>>>);

/// One id.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Page {
    /// How often it began.
    pub(crate) began: u32,
    pub(crate) ended: bool,
    /// What it added, when it last began.
    pub(crate) amount: u64,
}

impl Books {
    pub(crate) fn begin(&self, id: Uuid, amount: u64) {
        let mut books = self.0.lock();
        let page = books.entry(id).or_default();
        page.began += 1;
        page.amount = amount;
    }

    pub(crate) fn end(&self, id: Uuid) {
        self.0.lock().entry(id).or_default().ended = true;
    }

    pub(crate) fn page(&self, id: Uuid) -> Page {
        self.0.lock().get(&id).copied().unwrap_or_default()
    }

    /// How many executions were one too many.
    pub(crate) fn doubles(&self) -> u64 {
        self.0.lock().values().map(|page| u64::from(page.began.saturating_sub(1))).sum()
    }
}
