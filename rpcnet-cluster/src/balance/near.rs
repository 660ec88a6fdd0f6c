//! The own zone first, while it has room: calls that cross zones take longer and cost money.

use super::{Candidate, Place};

/// The tag with the zone of a node.
pub(crate) const ZONE_TAG: &str = "zone";

/// Those of the candidates that calls should stay among; `None` if that is all of them.
///
/// A zone that is left with less than half of what zones have on average is none to stay in: its few would carry what all
/// callers of the zone send.
///
/// Zone-aware routing after Envoy's
/// (<https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/zone_aware>), simpler: Envoy
/// compares the numbers of callers too, which nobody here knows.
pub(super) fn those_with_room<'a>(candidates: &[Candidate<'a>]) -> Option<Vec<Candidate<'a>>> {
    let count_of_zones = candidates.iter().find_map(zones)?;
    let near = candidates.iter().filter(|candidate| zones(candidate).is_some());
    let count = near.clone().count();
    if count == candidates.len() || count * count_of_zones * 2 < candidates.len() {
        return None;
    }
    let room: Vec<_> = near.filter(|candidate| candidate.has_room()).copied().collect();
    (!room.is_empty()).then_some(room)
}

/// How many zones there are, if the candidate is in the own one.
fn zones(candidate: &Candidate<'_>) -> Option<usize> {
    match candidate.about.place {
        Place::Near { zones } => Some(zones),
        Place::Elsewhere => None,
    }
}
