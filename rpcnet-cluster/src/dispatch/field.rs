//! Whom a call may go to now: of the workers its selector names, those that nothing speaks against.

use std::collections::BTreeMap;

use crate::registry::Instance;

/// A worker as the scheduler sees it at one pick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Runner {
    pub(crate) instance: Instance,
    /// Gossip has an accusation against it: hearsay, which its owner may refute.
    pub(crate) suspected: bool,
    /// This process could not reach it a moment ago, or its connection broke and it is not known yet whether another can
    /// be opened.
    pub(crate) ejected: bool,
    /// It is ejected because no connection could be opened to it.
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
/// In this order: workers that this process cannot reach are out, unless it can reach nobody; then no worker is tried
/// again before the others; then those under suspicion are left for last.
pub(crate) fn eligible_again(field: &[Runner], tries: &Tries) -> Eligible {
    let reached = places(field, |runner| !runner.ejected);
    let tried = |place: &usize| tries.get(&field[*place].instance).copied().unwrap_or(0);
    let open = if reached.is_empty() { places(field, |_| true) } else { reached };
    let least = open.iter().map(tried).min().unwrap_or(0);
    let least_tried: Vec<usize> = open.into_iter().filter(|place| tried(place) == least).collect();
    let trusted: Vec<usize> = least_tried.iter().copied().filter(|place| !field[*place].suspected).collect();
    let among = if trusted.is_empty() { least_tried } else { trusted };
    Eligible { among, repeats: least > 0 }
}

fn places(field: &[Runner], fits: impl Fn(&Runner) -> bool) -> Vec<usize> {
    (0..field.len()).filter(|place| fits(&field[*place])).collect()
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
