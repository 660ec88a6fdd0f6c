//! Records that the nodes of one process share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::NodeId;
use super::held::Held;

/// Records that the nodes of one process share: ten thousand simulated nodes hold ten thousand records, and not a hundred
/// million. A node that is alone in its process needs none.
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(feature = "__internals"), expect(unreachable_pub, reason = "of the simulator"))]
pub struct RecordPool(Arc<Mutex<BTreeMap<NodeId, Held>>>);

impl RecordPool {
    /// The record of these bytes, if it is the last that anybody took in of this member.
    pub(super) fn find(&self, id: NodeId, bytes: &[u8]) -> Option<Held> {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.get(&id).filter(|held| held.bytes() == bytes).cloned()
    }

    /// The same record, shared if somebody else holds it.
    pub(super) fn share(&self, record: Held) -> Held {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = records.entry(record.id).or_insert_with(|| record.clone());
        if *known != record {
            *known = record;
        }
        known.clone()
    }
}
