//! A member that this node has forgotten speaks again, with a version too old to be believed.
//!
//! Both sides of a long partition forget each other and keep the versions. Neither believes what the other then says of
//! itself, and neither knows why; so whoever hears it says what it holds, and the owner raises itself above that.

use std::net::SocketAddr;
use std::time::Instant;

use super::message::{Body, Envelope};
use super::record::Update;
use super::{Generation, Incarnation, Membership, NodeId, NodeState};

impl Membership {
    /// A message of the sender itself has come from `to`.
    pub(super) fn hear_forgotten(&mut self, now: Instant, envelope: &Envelope, to: SocketAddr) {
        self.tell_forgotten(now, envelope.from, (envelope.generation, envelope.incarnation), to);
    }

    /// Records have come over a stream, perhaps the sender's own among them, which says where it gossips.
    pub(super) fn hear_forgotten_record(&mut self, now: Instant, envelope: &Envelope, updates: &[Update]) {
        let own = updates.iter().find_map(|update| match update {
            Update::Full(record) if record.id == envelope.from => Some(record.profile.addr),
            _ => None,
        });
        if let Some(to) = own {
            self.hear_forgotten(now, envelope, to);
        }
    }

    fn tell_forgotten(
        &mut self,
        now: Instant,
        id: NodeId,
        version: (Generation, Incarnation),
        to: SocketAddr,
    ) {
        if id == self.me || self.table.get(id).is_some() {
            return;
        }
        if let Some((generation, incarnation)) = self.table.tell_forgotten(now, id, version) {
            self.send_bare(to, Body::YouAre { state: NodeState::Failed, generation, incarnation });
        }
    }
}
