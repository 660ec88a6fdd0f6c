//! Whom a call may go to now: of the workers its selector names, those that nothing speaks against.

use std::collections::BTreeMap;

use crate::registry::Instance;

/// A worker as the scheduler sees it at one pick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Runner {
    pub(crate) instance: Instance,
    /// Gossip has something against it: an accusation, which is hearsay that its owner may refute, or its own word that it
    /// is degraded.
    pub(crate) suspected: bool,
    /// This process could not reach it a moment ago, or its connection broke and it is not known yet whether another can
    /// be opened.
    pub(crate) ejected: bool,
    /// It is ejected because no connection could be opened to it. A call that goes there all the same reaches nobody.
    pub(crate) refused: bool,
}

impl Runner {
    /// The worker as a keyed call sees it. Neither hearsay nor a broken connection proves that its process is gone, and
    /// with it the record of the request: only there can a repeat learn what became of the first.
    pub(crate) fn keyed(self) -> Self {
        Self { suspected: false, ejected: self.refused, ..self }
    }
}

/// Those a call may go to, as places in the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Eligible {
    pub(crate) among: Vec<usize>,
    /// Whether the call has tried every one of them before.
    pub(crate) repeats: bool,
}

/// Whom a call that has tried nobody may go to, as places in the field.
pub(crate) fn eligible(field: &[Runner]) -> Vec<usize> {
    eligible_again(field, &Tries::new()).among
}

/// How often a call has tried each worker.
pub(crate) type Tries = BTreeMap<Instance, u32>;

/// Whom a call with these tries may go to; nobody in an empty field.
///
/// Each step leaves out some of those that the steps before it left, unless that would be all of them:
///
/// 1. ejected workers, unless they are most: see [`unless_panicking`];
/// 2. those that the call has tried more often than others;
/// 3. those that are suspected, or say that they are degraded.
pub(crate) fn eligible_again(field: &[Runner], tries: &Tries) -> Eligible {
    let mut among: Vec<usize> = (0..field.len()).collect();
    unless_panicking(field, &mut among);
    let tried = |place: usize| tries.get(&field[place].instance).copied().unwrap_or(0);
    let least = among.iter().map(|place| tried(*place)).min().unwrap_or(0);
    prefer(&mut among, |place| tried(place) == least);
    prefer(&mut among, |place| !field[place].suspected);
    Eligible { among, repeats: least > 0 }
}

/// Leaves the ejected workers out. When fewer than half are left, only those that refuse connections.
///
/// What most of the workers share is seldom the workers' fault, and if it is, the few that are left would drown under the
/// calls of all: then it is better to fail some calls everywhere. A worker that refuses cannot help the others by being
/// asked.
///
/// Source: Envoy's panic threshold, which is half by default too
/// (<https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/panic_threshold>).
fn unless_panicking(field: &[Runner], among: &mut Vec<usize>) {
    let left = among.iter().filter(|place| !field[**place].ejected).count();
    let panicking = left * 2 < among.len();
    prefer(among, |place| if panicking { !field[place].refused } else { !field[place].ejected });
}

/// Keeps those that fit, if any does.
fn prefer(among: &mut Vec<usize>, fits: impl Fn(usize) -> bool) {
    if among.iter().any(|place| fits(*place)) {
        among.retain(|place| fits(*place));
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::membership::{Generation, NodeId};

    /// A field from a picture of it: `.` nothing against it, `s` suspected, `e` ejected, `b` both, `r` refused.
    fn field(picture: &str) -> Vec<Runner> {
        let runner = |(number, mark)| Runner {
            instance: instance(number),
            suspected: matches!(mark, 's' | 'b'),
            ejected: matches!(mark, 'e' | 'b' | 'r'),
            refused: mark == 'r',
        };
        (0..).zip(picture.chars()).map(runner).collect()
    }

    fn instance(number: u128) -> Instance {
        Instance { id: NodeId::new(Uuid::from_u128(number)), generation: Generation(1) }
    }

    #[test]
    fn a_keyed_call_stays_away_only_from_workers_that_refused() {
        for (picture, among) in [("se.b", vec![0, 1, 2, 3]), ("sr.", vec![0, 2]), ("rr", vec![0, 1])] {
            let keyed: Vec<_> = field(picture).into_iter().map(Runner::keyed).collect();
            assert_eq!(eligible(&keyed), among, "field {picture:?}");
        }
    }

    #[test]
    fn with_most_workers_ejected_only_those_that_refuse_are_left_out() {
        let table: [(&str, &[usize]); 8] = [
            ("ee..", &[2, 3]),
            ("eee.", &[0, 1, 2, 3]),
            ("er..", &[2, 3]),
            ("err.", &[0, 3]),
            ("rrr.", &[3]),
            ("rrrr", &[0, 1, 2, 3]),
            ("rrre", &[3]),
            ("eb..b", &[0, 2, 3]),
        ];
        for (picture, among) in table {
            assert_eq!(eligible(&field(picture)), among, "field {picture:?}");
        }
    }

    #[test]
    fn ejection_counts_before_tries_and_tries_before_suspicion() {
        let table: [(&str, &[u32], &[usize], bool); 13] = [
            ("", &[], &[], false),
            ("...", &[], &[0, 1, 2], false),
            (".e.", &[], &[0, 2], false),
            ("eee", &[], &[0, 1, 2], false),
            ("...", &[1, 0, 0], &[1, 2], false),
            (".e.", &[1, 0, 1], &[0, 2], true),
            ("...", &[2, 1, 2], &[1], true),
            ("s..", &[], &[1, 2], false),
            ("ss.", &[], &[2], false),
            ("ss.", &[0, 0, 1], &[0, 1], false),
            ("s..", &[0, 1, 1], &[0], false),
            ("sb.", &[], &[2], false),
            ("be", &[1, 1], &[1], true),
        ];
        for (picture, tries, among, repeats) in table {
            let tries = (0..).map(instance).zip(tries.iter().copied()).collect();
            let expected = Eligible { among: among.to_vec(), repeats };
            assert_eq!(
                eligible_again(&field(picture), &tries),
                expected,
                "field {picture:?}, tries {tries:?}"
            );
        }
    }
}
