//! The tables of the database, and its errors.

use redb::TableDefinition;

use super::StoreError;

pub(super) const RECORDS: TableDefinition<'_, u128, Row> = TableDefinition::new("rpcnet.records");
/// What runs.
pub(super) const RUNNING: TableDefinition<'_, u128, ()> = TableDefinition::new("rpcnet.running");
/// What has ended, by when.
pub(super) const ENDED: TableDefinition<'_, (u64, u128), ()> = TableDefinition::new("rpcnet.ended");
/// The same, of each caller that proved who it is.
pub(super) const ENDED_OF: TableDefinition<'_, (u64, u64, u128), ()> =
    TableDefinition::new("rpcnet.ended_of");
/// The answers that are kept, by whose they are and when.
pub(super) const ANSWERS: TableDefinition<'_, (u64, u64, u128), u64> = TableDefinition::new("rpcnet.answers");
/// What each caller has: entries and bytes.
pub(super) const CALLERS: TableDefinition<'_, u64, (u64, u64)> = TableDefinition::new("rpcnet.callers");
/// Who keeps answers, by how many bytes.
pub(super) const KEEPERS: TableDefinition<'_, (u64, u64), ()> = TableDefinition::new("rpcnet.keepers");
pub(super) const FACTS: TableDefinition<'_, &str, u128> = TableDefinition::new("rpcnet.facts");

/// State, fingerprint, caller (0 for those who proved nothing), fence, when it ended, the answer.
pub(super) type Row = (u8, u128, u64, u64, u64, Vec<u8>);

pub(super) const RUNS: u8 = 0;
pub(super) const ANSWERED: u8 = 1;
pub(super) const COMPLETED: u8 = 2;
pub(super) const UNKNOWN: u8 = 3;

/// The form of the tables, to be raised when it changes.
pub(super) const FORM: u128 = 1;

/// An error of the database, whichever of its kinds.
#[derive(Debug)]
pub(super) struct Failed(pub(super) redb::Error);

impl<E: Into<redb::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl Failed {
    /// Two tables do not agree.
    pub(super) fn inconsistent() -> Self {
        Self(redb::Error::Corrupted("the tables of the request records do not agree".to_owned()))
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
    pub(super) forgotten: u64,
    pub(super) fence: u64,
    pub(super) entries: u64,
    pub(super) bytes: u64,
}
