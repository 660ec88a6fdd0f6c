//! Somebody says that a process is gone: its host (ICMP port unreachable), or an observer that was refused. Reason to ask by
//! stream at once.
//!
//! A host's word itself convicts nobody. It is neither sealed nor tied to a connection, so whoever knows two addresses can
//! forge it, while a refused stream cannot be forged without seeing the packets. So a forged one costs a stream that is
//! answered, and a true one is confirmed a round trip later.

use std::net::SocketAddr;
use std::time::Instant;

use super::edge::Purpose;
use super::node::Phase;
use super::{Membership, NodeId};

impl Membership {
    /// The host at `addr` has answered a datagram with "nobody listens on that port". An observed member there is asked
    /// over a stream at once, and a refusal of that is evidence that its process is gone.
    ///
    /// It counts once for each process and refutation of it, or the datagrams that follow would be answered alike, and
    /// each answer would bring on another. An address of nobody observed changes nothing.
    pub fn handle_unreachable(&mut self, now: Instant, addr: SocketAddr) {
        if !matches!(self.phase, Phase::Running) {
            return;
        }
        self.observe(now);
        let there =
            |id: &NodeId| self.table.get(*id).is_some_and(|member| member.record.profile.addr == addr);
        let told: Vec<_> = self.edges.keys().copied().filter(there).collect();
        for id in told {
            self.ask_by_stream_at_once(now, id);
        }
        self.finish(now);
    }

    /// Asks an observed member over a stream, once for each process and refutation of it.
    pub(super) fn ask_by_stream_at_once(&mut self, now: Instant, id: NodeId) {
        let Some(member) = self.table.get(id).filter(|member| member.state().is_visible()) else {
            return;
        };
        let version = (member.record.generation, member.record.standing.incarnation);
        let Some(edge) = self.edges.get_mut(&id).filter(|edge| edge.purpose != Purpose::Failed) else {
            return;
        };
        if edge.said_gone.replace(version) == Some(version) {
            return;
        }
        self.press_by_stream(now, id);
    }
}
