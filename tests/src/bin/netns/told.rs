//! What a process says, and the view that follows from it.

use std::collections::BTreeMap;
use std::time::Instant;

/// A line of a process.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) at: Instant,
    /// Which node, and which process of it.
    pub(crate) observer: usize,
    pub(crate) start: u32,
    pub(crate) what: What,
    /// The id that it speaks of; the error, of what its ledger refused.
    pub(crate) id: String,
    pub(crate) addr: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Id,
    Joined,
    Left,
    Suspected,
    Failed,
    Recovered,
    /// It was told of a split, and that it is healed.
    Split,
    Healed,
    /// Its ledger takes writes; refuses them; cannot be read.
    Writes,
    Refuses,
    Unread,
}

impl Told {
    /// `None` if nobody of this program wrote it.
    pub(crate) fn read(line: &str, observer: usize, start: u32) -> Option<Self> {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        let what = match first {
            "id" => What::Id,
            "joined" => What::Joined,
            "left" => What::Left,
            "suspected" => What::Suspected,
            "failed" => What::Failed,
            "recovered" => What::Recovered,
            "split" => What::Split,
            "healed" => What::Healed,
            "writes" => What::Writes,
            "refuses" => What::Refuses,
            "unread" => What::Unread,
            _ => return None,
        };
        let of_node = !matches!(what, What::Writes | What::Refuses | What::Unread);
        let (id, addr) = rest.split_once(' ').filter(|_| of_node).unwrap_or((rest, ""));
        let (id, addr) = (id.to_owned(), addr.to_owned());
        Some(Self { at: Instant::now(), observer, start, what, id, addr })
    }
}

/// What one process sees: who is there, and where.
#[derive(Clone, Debug, Default)]
pub(crate) struct View(BTreeMap<String, Seen>);

#[derive(Clone, Debug)]
struct Seen {
    addr: String,
    suspect: bool,
}

impl View {
    pub(crate) fn take_in(&mut self, told: &Told) {
        match told.what {
            What::Id | What::Split | What::Healed | What::Writes | What::Refuses | What::Unread => {}
            What::Joined | What::Recovered | What::Suspected => {
                let seen = Seen { addr: told.addr.clone(), suspect: told.what == What::Suspected };
                self.0.insert(told.id.clone(), seen);
            }
            What::Left | What::Failed => {
                self.0.remove(&told.id);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    pub(crate) fn has_at(&self, id: &str, addr: &str) -> bool {
        self.0.get(id).is_some_and(|seen| seen.addr == addr && !seen.suspect)
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.0.values().all(|seen| !seen.suspect)
    }
}
