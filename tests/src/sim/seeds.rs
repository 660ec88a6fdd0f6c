//! Many seeds of one scenario in a few lines.

use std::time::Duration;

use super::outcome::{Outcome, field};

/// Medians and worst of several runs of one scenario; `-` where no run has a value.
pub fn overview(outcomes: &[Outcome]) -> String {
    let Some(first) = outcomes.first() else { return "summary: no runs".into() };
    let times = |name: &str, value: &dyn Fn(&Outcome) -> Option<Duration>| {
        let mut all: Vec<_> = outcomes.iter().filter_map(value).collect();
        all.sort_unstable();
        let (median, worst) = (all.get(all.len() / 2).copied(), all.last().copied());
        let missing = outcomes.len() - all.len();
        format!("{name}_ms={}/{} missing={missing}", field(median), field(worst))
    };
    let mut sent: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.sent).collect();
    sent.sort_by(f64::total_cmp);
    let sent = sent.get(sent.len() / 2).map_or("-".into(), |sent| format!("{sent:.0}"));
    let trace = outcomes.iter().fold(0_u64, |all, outcome| all.rotate_left(7) ^ outcome.trace);
    format!(
        "summary: scenario={} nodes={} seeds={} {} {} {} {} {} {} {} false_failed={} \
         false_partitions={} two_majorities={} broken={} \
         sent_bytes_per_node_s={sent} trace={trace:016x}",
        first.scenario,
        nodes(outcomes),
        outcomes.len(),
        times("first_suspect", &|outcome| outcome.first_suspect),
        times("first_failed", &|outcome| outcome.first_failed),
        times("know99", &|outcome| outcome.known[1]),
        times("all_see_all", &|outcome| outcome.milestone("all_see_all")),
        times("whole", &|outcome| outcome.milestone("whole")),
        times("detected", &|outcome| outcome.detected),
        times("healed", &|outcome| outcome.healed),
        outcomes.iter().map(|outcome| outcome.false_failed).sum::<u64>(),
        outcomes.iter().map(|outcome| outcome.false_partitions).sum::<u64>(),
        outcomes.iter().map(|outcome| outcome.two_majorities).sum::<u64>(),
        outcomes.iter().filter(|outcome| outcome.failed()).count(),
    )
}

/// How many took part, or from how many to how many.
fn nodes(outcomes: &[Outcome]) -> String {
    let all = outcomes.iter().map(|outcome| outcome.nodes);
    match (all.clone().min(), all.max()) {
        (Some(least), Some(most)) if least != most => format!("{least}..{most}"),
        (least, _) => least.unwrap_or_default().to_string(),
    }
}
