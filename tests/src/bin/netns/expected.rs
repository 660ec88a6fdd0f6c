//! What the simulator says of the same faults.

use std::ops::RangeInclusive;
use std::time::Duration;

use rpcnet_tests::sim::{Outcome, Rpcnet, Wish, run};

use crate::field::NODES;

/// Agreement: this far from the simulator's range at most.
const TOLERANCE: Duration = Duration::from_secs(1);

/// Something that was measured, beside what was expected.
pub(crate) struct Row {
    pub(crate) scenario: &'static str,
    pub(crate) what: &'static str,
    pub(crate) measured: Measured,
    /// The simulator's range, or what is promised.
    pub(crate) expected: Expected,
}

/// What came out.
pub(crate) enum Measured {
    Took(Option<Duration>),
    /// How many of what must not happen.
    Wrong(usize),
}

/// What should.
pub(crate) enum Expected {
    Simulated(RangeInclusive<Duration>),
    Promised(Duration),
    None,
}

impl Row {
    pub(crate) fn agrees(&self) -> bool {
        match (&self.measured, &self.expected) {
            (Measured::Wrong(count), _) => *count == 0,
            (Measured::Took(None), _) => false,
            (Measured::Took(Some(took)), Expected::Simulated(range)) => {
                *took + TOLERANCE >= *range.start() && *took <= *range.end() + TOLERANCE
            }
            (Measured::Took(Some(took)), Expected::Promised(most)) => took <= most,
            (Measured::Took(Some(_)), Expected::None) => true,
        }
    }

    pub(crate) fn line(&self) -> String {
        let expected = match &self.expected {
            Expected::Simulated(range) => {
                format!("simulator {:.2}–{:.2} s", range.start().as_secs_f64(), range.end().as_secs_f64())
            }
            Expected::Promised(most) => format!("promised ≤ {:.0} s", most.as_secs_f64()),
            Expected::None => String::new(),
        };
        let verdict = if self.agrees() { "agrees" } else { "DIFFERS" };
        format!("{:12} {:44} {:>9}  {expected:24} {verdict}", self.scenario, self.what, self.value(" s"))
    }

    pub(crate) fn field(&self) -> String {
        let name = format!("{}_{}", self.scenario, self.what).replace([' ', '-', ','], "_");
        format!("{name}={}", self.value(""))
    }

    fn value(&self, unit: &str) -> String {
        match self.measured {
            Measured::Took(Some(took)) => format!("{:.2}{unit}", took.as_secs_f64()),
            Measured::Took(None) => "-".into(),
            Measured::Wrong(count) => count.to_string(),
        }
    }
}

/// The simulator's range of one figure of a scenario, over so many seeds.
pub(crate) fn simulated(
    scenario: &str,
    seeds: u64,
    figure: impl Fn(&Outcome) -> Option<Duration>,
) -> crate::Outcome<RangeInclusive<Duration>> {
    let mut range: Option<RangeInclusive<Duration>> = None;
    for seed in 0..seeds {
        let wish = Wish { scenario: scenario.to_owned(), nodes: Some(NODES), seed, loss: None, story: false };
        let Some(took) = figure(&run::<Rpcnet>(&wish)?) else { continue };
        range = Some(match range {
            Some(range) => took.min(*range.start())..=took.max(*range.end()),
            None => took..=took,
        });
    }
    range.ok_or_else(|| format!("the simulator has no such figure of {scenario}").into())
}

/// Until all who had to find out had.
pub(crate) fn known(outcome: &Outcome) -> Option<Duration> {
    outcome.known[2]
}

/// Until the views were whole again.
pub(crate) fn whole(outcome: &Outcome) -> Option<Duration> {
    outcome.milestones.iter().find(|(name, _)| *name == "whole").and_then(|(_, took)| *took)
}
