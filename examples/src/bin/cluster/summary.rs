//! The last line, and whether the run was a success.

use std::{fmt, time::Duration};

use crate::measure::Counts;

/// What the run came to.
#[derive(Debug, Clone)]
pub(crate) struct Summary {
    /// The calls.
    pub(crate) counts: Counts,
    /// The label of the worker that was killed.
    pub(crate) killed: String,
    /// How many calls the director had in flight to it.
    pub(crate) in_flight_at_kill: u32,
    /// The longest that a call took which was in flight at the kill or begun in the second after it.
    pub(crate) rerouted: Option<Duration>,
    /// From the kill to the director's event that the worker is suspected.
    pub(crate) suspected: Option<Duration>,
    /// From the kill to the director's event that the worker failed.
    pub(crate) failed_event: Option<Duration>,
    /// From the restart to the first answer of the worker.
    pub(crate) rejoined: Option<Duration>,
    /// The workers that ended without being asked to, in words.
    pub(crate) losses: Vec<String>,
}

impl Summary {
    /// What did not go as it must, in words.
    pub(crate) fn faults(&self) -> Vec<String> {
        let Counts { failed, wrong, .. } = self.counts;
        let killed = &self.killed;
        let faults = [
            (self.counts.ok == 0, "no call was answered".to_owned()),
            (failed > 0, format!("{failed} calls failed")),
            (wrong > 0, format!("{wrong} answers were wrong")),
            (self.in_flight_at_kill == 0, format!("{killed} had no call in flight when it was killed")),
            (self.failed_event.is_none(), format!("the director was not told that {killed} failed")),
            (self.rejoined.is_none(), format!("{killed} did not take work again")),
        ];
        let faults = faults.into_iter().filter_map(|(is, fault)| is.then_some(fault));
        faults.chain(self.losses.iter().cloned()).collect()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { ok, failed, wrong, .. } = self.counts;
        write!(f, "summary: calls={} ok={ok} failed={failed} wrong={wrong}", self.counts.calls())?;
        write!(f, " killed={} in_flight_at_kill={}", self.killed, self.in_flight_at_kill)?;
        write!(f, " rerouted_ms={} suspected_ms={}", Ms(self.rerouted), Ms(self.suspected))?;
        write!(f, " failed_event_ms={} rejoined_ms={}", Ms(self.failed_event), Ms(self.rejoined))
    }
}

/// Milliseconds, rounded up, or `none` for what did not happen.
struct Ms(Option<Duration>);

impl fmt::Display for Ms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(duration) => write!(f, "{}", duration.as_micros().div_ceil(1000)),
            None => f.write_str("none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary {
        Summary {
            counts: Counts { ok: 9000, ..Counts::default() },
            killed: "worker-2".into(),
            in_flight_at_kill: 3,
            rerouted: Some(Duration::from_micros(14_001)),
            suspected: Some(Duration::from_millis(900)),
            failed_event: Some(Duration::from_millis(5000)),
            rejoined: Some(Duration::from_millis(800)),
            losses: Vec::new(),
        }
    }

    #[test]
    fn the_last_line_has_every_figure() {
        assert_eq!(
            summary().to_string(),
            "summary: calls=9000 ok=9000 failed=0 wrong=0 killed=worker-2 in_flight_at_kill=3 rerouted_ms=15 \
             suspected_ms=900 failed_event_ms=5000 rejoined_ms=800"
        );
        assert_eq!(summary().faults(), [""; 0]);
    }

    #[test]
    fn what_did_not_happen_is_said() {
        let mut summary = summary();
        summary.counts = Counts { ok: 1, failed: 2, wrong: 3, ..Counts::default() };
        summary.losses.push("worker-3 ended by itself".into());
        (summary.in_flight_at_kill, summary.failed_event, summary.rejoined) = (0, None, None);
        assert!(summary.to_string().contains("calls=6 ok=1 failed=2 wrong=3"));
        assert!(summary.to_string().ends_with("failed_event_ms=none rejoined_ms=none"));
        assert_eq!(summary.faults().len(), 6);
    }
}
