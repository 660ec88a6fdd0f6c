//! What is printed.

use std::fmt;

use crate::{
    attacks::{Attack, Bound},
    child::Told,
    measure::Sample,
    raw::Done,
};

/// One attack and what came of it.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) bound: Bound,
    pub(crate) done: Done,
    /// The server's memory without attack, and the most it had under it, in bytes.
    pub(crate) quiet_memory: u64,
    pub(crate) peak_memory: u64,
    /// What the client that behaves saw.
    pub(crate) quiet: Sample,
    pub(crate) attacked: Sample,
    /// What the attacker was answered, and what the server says of itself.
    pub(crate) answers: Vec<(String, u64)>,
    pub(crate) told: Told,
    pub(crate) survived: bool,
}

/// All of them together.
#[derive(Default)]
pub(crate) struct Summary {
    attacks: usize,
    survived: usize,
    bounded: usize,
    calls: usize,
    failed: usize,
    worst_ratio: f64,
    peak_memory: u64,
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

impl Row {
    pub(crate) fn new(attack: &Attack) -> Self {
        Self {
            name: attack.name,
            unit: attack.unit,
            bound: attack.bound,
            done: Done::default(),
            quiet_memory: 0,
            peak_memory: 0,
            quiet: Sample::default(),
            attacked: Sample::default(),
            answers: Vec::new(),
            told: Told::default(),
            survived: false,
        }
    }

    fn failed(&self) -> usize {
        self.quiet.failed + self.attacked.failed
    }

    fn calls(&self) -> usize {
        self.quiet.calls() + self.attacked.calls()
    }

    fn ratio(&self) -> f64 {
        self.attacked.p99().as_secs_f64() / self.quiet.p99().as_secs_f64().max(1e-6)
    }

    fn growth(&self) -> u64 {
        self.peak_memory.saturating_sub(self.quiet_memory)
    }

    fn is_bounded(&self) -> bool {
        self.growth() <= self.bound.bytes as u64
    }

    /// What the server did to the attacker.
    fn answered(&self) -> String {
        let stubborn = ("not to be cancelled, at once".to_owned(), self.told.stubborn);
        let stubborn = Some(&stubborn).filter(|(_, most)| *most > 0);
        let all = self.answers.iter().chain(stubborn).chain(&self.told.events);
        let all: Vec<_> = all.map(|(what, times)| format!("{times} {what}")).collect();
        if all.is_empty() { "nothing".to_owned() } else { all.join("; ") }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |sample: &Sample| sample.p99().as_secs_f64() * 1e3;
        writeln!(
            f,
            "{:<24} rss {:>5.1} -> {:>6.1} MiB (+{:.0} of {:.0})  p99 {:>6.2} -> {:>6.2} ms (x{:.1})  calls {} failed {}  {}",
            self.name,
            mib(self.quiet_memory),
            mib(self.peak_memory),
            mib(self.growth()),
            mib(self.bound.bytes as u64),
            millis(&self.quiet),
            millis(&self.attacked),
            self.ratio(),
            self.calls(),
            self.failed(),
            match (self.survived, self.is_bounded()) {
                (false, _) => "DOWN",
                (true, false) => "TOO MUCH MEMORY",
                (true, true) => "survived",
            }
        )?;
        let Done { sent, connections } = self.done;
        writeln!(
            f,
            "    sent: {sent} {} on {connections} connections; may keep: {}",
            self.unit, self.bound.why
        )?;
        write!(f, "    server: {}", self.answered())?;
        let failure = self.quiet.failure.iter().chain(&self.attacked.failure).next();
        failure.map_or(Ok(()), |failure| write!(f, "\n    a call of the client: {failure}"))
    }
}

impl Summary {
    pub(crate) fn add(&mut self, row: &Row) {
        self.attacks += 1;
        self.survived += usize::from(row.survived);
        self.bounded += usize::from(row.is_bounded());
        self.calls += row.calls();
        self.failed += row.failed();
        self.worst_ratio = self.worst_ratio.max(row.ratio());
        self.peak_memory = self.peak_memory.max(row.peak_memory);
    }

    /// The ratio is not part of it: it is the machine's as much as the server's.
    pub(crate) fn is_good(&self) -> bool {
        self.attacks > 0
            && self.survived == self.attacks
            && self.bounded == self.attacks
            && self.calls > 0
            && self.failed == 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attacks, survived, bounded, calls, failed, worst_ratio, peak_memory } = self;
        write!(
            f,
            "summary: attacks={attacks} survived={survived} memory_bounded={bounded} good_calls={calls} good_failed={failed} \
             peak_rss_mib={:.0} worst_p99_ratio={worst_ratio:.1}",
            mib(*peak_memory)
        )
    }
}
