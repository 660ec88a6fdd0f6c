//! What a run found, as lines to read and one to parse.

use std::time::Duration;

use super::core::Core;
use super::counts::Counts;
use super::invariants::Violation;
use super::scenarios::Wish;
use super::series::csv;
use super::world::World;

/// The result of one run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The scenario.
    pub scenario: String,
    /// Nodes that took part.
    pub nodes: usize,
    /// The seed.
    pub seed: u64,
    /// From the fault to the first suspicion, and to the first that holds the victim to be failed.
    pub first_suspect: Option<Duration>,
    /// See `first_suspect`.
    pub first_failed: Option<Duration>,
    /// From the fault until 50, 99 and 100 % of all pairs that had to find out had.
    pub known: [Option<Duration>; 3],
    /// Healthy nodes failed, in the views of healthy ones.
    pub false_failed: u64,
    /// Healthy nodes failed, in the views of faulty ones.
    pub false_by_faulty: u64,
    /// Healthy nodes accused, as healthy ones heard.
    pub accused: u64,
    /// Nodes failed, whoever they were, in anybody's view.
    pub failed_views: u64,
    /// Nodes that others heard to be degraded, and how many of them had no fault.
    pub degraded: (usize, usize),
    /// Bytes a node sent in a second of the scenario's window, headers included.
    pub sent: Option<f64>,
    /// The worst second: the mean of all nodes, and the node that sent most.
    pub sent_peak: (f64, u64),
    /// From the split until the last that had to report it did; `None` if one did not, or none had to.
    pub detected: Option<Duration>,
    /// From the end of the split until the last of them reported that.
    pub healed: Option<Duration>,
    /// Splits reported where there was none.
    pub false_partitions: u64,
    /// Seconds in which nodes on two sides of a split that had lasted for ten held the quorum.
    pub two_majorities: u64,
    /// All reports of splits and of changed sides, and of mass failures.
    pub partition_reports: (u64, u64),
    /// What was waited for, and how long it took.
    pub milestones: Vec<(&'static str, Option<Duration>)>,
    /// The hash of all that happened.
    pub trace: u64,
    /// How often what happened.
    pub counts: Counts,
    /// Invariants that did not hold, the first few.
    pub violations: Vec<Violation>,
    /// How many there were.
    pub violations_found: u64,
    /// The protocol is held to them.
    pub held: bool,
    /// Events that waited at once, at most.
    pub queued_most: usize,
    /// Virtual time that passed.
    pub lasted: Duration,
    /// The run second by second, as comma-separated values.
    pub csv: String,
    /// What happened, a line each, if it was asked for.
    pub story: Vec<String>,
}

impl Outcome {
    pub(crate) fn of<C: Core>(wish: &Wish, world: &World<C>) -> Self {
        let measures = &world.measures;
        let settled = measures.milestones.first().and_then(|(_, took)| *took).unwrap_or_default();
        // The start is a matter of its own, which the bootstrap scenario is about.
        let after_start = |second: &&super::series::Second| {
            wish.scenario == "bootstrap" || Duration::from_secs(second.at) > settled + Duration::from_secs(5)
        };
        let seconds: Vec<_> = world.seconds.iter().filter(after_start).collect();
        Self {
            scenario: wish.scenario.clone(),
            nodes: world.script.nodes,
            seed: wish.seed,
            first_suspect: measures.first_suspect,
            first_failed: measures.first_failed,
            known: [0.5, 0.99, 1.0].map(|share| measures.quantile(share)),
            false_failed: measures.false_failed,
            false_by_faulty: measures.false_by_faulty,
            accused: measures.accused,
            failed_views: measures.failed,
            degraded: (measures.degraded.len(), measures.degraded_well.len()),
            sent: measures.steady,
            sent_peak: (
                seconds.iter().map(|second| second.sent_per_node).fold(0.0, f64::max),
                seconds.iter().map(|second| second.sent_most).max().unwrap_or(0),
            ),
            detected: world.partings.detected(),
            healed: world.partings.healed(),
            false_partitions: world.partings.false_partitions,
            two_majorities: world.partings.two_majorities,
            partition_reports: (world.partings.reports, world.partings.mass_failures),
            milestones: measures.milestones.clone(),
            trace: world.trace.value(),
            counts: world.counts.clone(),
            violations: world.invariants.violations.clone(),
            violations_found: world.invariants.found,
            held: C::HELD_TO_INVARIANTS,
            queued_most: world.queued_most,
            lasted: world.now,
            csv: csv(&world.seconds),
            story: world.story.lines().to_vec(),
        }
    }

    /// An invariant was broken by a protocol that is held to them.
    pub fn failed(&self) -> bool {
        self.held && self.violations_found > 0
    }

    /// How long something took that the scenario waited for.
    pub fn milestone(&self, name: &str) -> Option<Duration> {
        self.milestones.iter().rev().find(|(held, _)| *held == name).and_then(|(_, took)| *took)
    }

    /// What there is to read above the summary.
    pub fn lines(&self) -> Vec<String> {
        let [p50, p99, max] = self.known.map(field);
        let mut lines = vec![
            format!("virtual time: {:.1} s; {}", self.lasted.as_secs_f64(), self.counts.line()),
            format!("detection_ms: p50={p50} p99={p99} max={max}"),
            format!(
                "bytes/s: peak_mean={:.0} peak_node={}; false_by_faulty={} accused={} queued_most={}",
                self.sent_peak.0, self.sent_peak.1, self.false_by_faulty, self.accused, self.queued_most
            ),
        ];
        let took = |(name, took): &(&str, Option<Duration>)| format!("{name}_ms={}", field(*took));
        lines.push(self.milestones.iter().map(took).collect::<Vec<_>>().join(" "));
        let (sides, mass) = self.partition_reports;
        lines.push(format!(
            "partitions: reports={sides} mass_failures={mass} false={} two_majorities={}",
            self.false_partitions, self.two_majorities
        ));
        let (degraded, well) = self.degraded;
        lines.push(format!("views: failed={}; degraded={degraded} without_fault={well}", self.failed_views));
        lines.extend(self.violations.iter().map(|violation| {
            format!("broken at {:?}: {}: {}", violation.at, violation.invariant, violation.what)
        }));
        if self.violations_found > 0 {
            lines.push(format!("invariants broken: {}", self.violations_found));
        }
        lines
    }

    /// The last line, for programs: `-` where a field does not apply.
    pub fn summary(&self) -> String {
        let mut fields = vec![
            format!("scenario={} nodes={} seed={}", self.scenario, self.nodes, self.seed),
            format!("first_suspect_ms={}", field(self.first_suspect)),
            format!("first_failed_ms={}", field(self.first_failed)),
            format!("know99_ms={}", field(self.known[1])),
            format!("false_failed={}", self.false_failed),
            format!("sent_bytes_per_node_s={}", self.sent.map_or("-".into(), |sent| format!("{sent:.0}"))),
        ];
        let split =
            ["half-split", "split-30", "minority-split", "split-one", "three-way", "bridge", "flap-split"];
        if split.contains(&self.scenario.as_str()) {
            let whole = field(self.milestone("whole"));
            let (detected, healed) = (field(self.detected), field(self.healed));
            let (wrong, twice) = (self.false_partitions, self.two_majorities);
            fields.push(format!(
                "detected_ms={detected} whole_ms={whole} healed_ms={healed} false_partitions={wrong} two_majorities={twice}"
            ));
        }
        if self.scenario == "bootstrap" {
            fields.push(format!("all_see_all_ms={}", field(self.milestone("all_see_all"))));
        }
        format!("summary: {} trace={:016x}", fields.join(" "), self.trace)
    }
}

pub(crate) fn field(took: Option<Duration>) -> String {
    took.map_or("-".into(), |took| took.as_millis().to_string())
}
