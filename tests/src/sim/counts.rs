//! How often what happened: the proof that the faults of a scenario took place.

/// Counters of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events taken from the heap.
    pub events: u64,
    /// Datagrams sent.
    pub datagrams: u64,
    /// Datagrams that loss, a cut, or a full socket took away.
    pub datagrams_lost: u64,
    /// Datagrams that arrived twice.
    pub datagrams_doubled: u64,
    /// Datagrams that were held up, so that later ones overtook them.
    pub datagrams_delayed: u64,
    /// Datagrams that the receiver refused.
    pub datagrams_refused: u64,
    /// Stream requests.
    pub streams: u64,
    /// Stream requests that were refused or cut off.
    pub streams_failed: u64,
    /// Hosts that fell silent.
    pub crashes: u64,
    /// Processes that ended on a host that goes on.
    pub exits: u64,
    /// Processes started again.
    pub restarts: u64,
    /// Farewells.
    pub leaves: u64,
    /// Processes stopped for a while.
    pub stalls: u64,
    /// Links, sides or nodes cut off.
    pub cuts: u64,
}

impl Counts {
    /// One line with what is not zero.
    pub fn line(&self) -> String {
        let all = [
            ("events", self.events),
            ("datagrams", self.datagrams),
            ("lost", self.datagrams_lost),
            ("doubled", self.datagrams_doubled),
            ("delayed", self.datagrams_delayed),
            ("refused", self.datagrams_refused),
            ("streams", self.streams),
            ("streams_failed", self.streams_failed),
            ("crashes", self.crashes),
            ("exits", self.exits),
            ("restarts", self.restarts),
            ("leaves", self.leaves),
            ("stalls", self.stalls),
            ("cuts", self.cuts),
        ];
        let some = all.iter().filter(|(_, count)| *count > 0);
        some.map(|(name, count)| format!("{name}={count}")).collect::<Vec<_>>().join(" ")
    }
}
