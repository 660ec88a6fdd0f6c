//! Claims of which no answer came: they may hold a record that nobody runs.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use uuid::Uuid;

use super::RecordId;

/// The names under which claims were made whose answers were lost. The next claim of the record is made under the same, and
/// takes up what the lost one was given, instead of waiting for its lease to end.
#[derive(Debug, Default)]
pub(super) struct Lost(Mutex<BTreeMap<RecordId, String>>);

impl Lost {
    /// How many are kept. What is lost beyond that costs a request its certainty, not its safety: it is `OutcomeUnknown` when
    /// the lease has ended.
    const KEPT_MAX: usize = 16_384;

    /// The name to claim a record under. Nobody else is given the same: of two who claim at once, one waits.
    pub(super) fn token(&self, record: RecordId) -> String {
        self.0.lock().remove(&record).unwrap_or_else(|| Uuid::new_v4().simple().to_string())
    }

    pub(super) fn note(&self, record: RecordId, token: String) {
        let mut lost = self.0.lock();
        if lost.len() < Self::KEPT_MAX {
            lost.insert(record, token);
        }
    }
}
