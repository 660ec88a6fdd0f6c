//! What happens when: a third of the way in a worker is killed, and later it is started again.

use std::time::Duration;

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Kill the worker.
    Kill,
    /// Start it again.
    Restart,
}

/// The course of a run. All times are counted from the first call.
#[derive(Debug)]
pub(crate) struct Script {
    length: Duration,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Whole,
    Killed { at: Duration },
    Restarted,
}

impl Script {
    /// When the worker is killed, at the latest: time enough to find the rate and to see it held.
    const KILL_AT_MOST: Duration = Duration::from_secs(10);
    /// The worker stays away at least so long, even if its failure is established sooner: the table is to show it.
    const AWAY_LEAST: Duration = Duration::from_secs(4);
    /// And at most so long: its failure takes eight seconds when all goes well.
    const AWAY_MOST: Duration = Duration::from_secs(10);
    /// Left for the worker to come back and be seen working.
    const BACK_LEAST: Duration = Duration::from_secs(4);

    pub(crate) fn new(length: Duration) -> Self {
        Self { length, stage: Stage::Whole }
    }

    /// What is to be done now; `failed` is whether the director was told that the killed worker failed.
    pub(crate) fn next(&mut self, now: Duration, failed: bool) -> Option<Step> {
        match self.stage {
            Stage::Whole if now >= Self::KILL_AT_MOST.min(self.length / 3) => {
                self.stage = Stage::Killed { at: now };
                Some(Step::Kill)
            }
            Stage::Killed { at } => {
                let latest = (at + Self::AWAY_MOST).min(self.length.saturating_sub(Self::BACK_LEAST));
                let due = (failed && now >= at + Self::AWAY_LEAST) || now >= latest;
                due.then(|| {
                    self.stage = Stage::Restarted;
                    Step::Restart
                })
            }
            Stage::Whole | Stage::Restarted => None,
        }
    }

    pub(crate) fn length(&self) -> Duration {
        self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds at which the steps come, when the failure is known so many seconds in.
    fn steps(length: u64, failed: u64) -> Vec<(u64, Step)> {
        let mut script = Script::new(Duration::from_secs(length));
        let step = |second| Some((second, script.next(Duration::from_secs(second), second >= failed)?));
        (0..length).filter_map(step).collect()
    }

    #[test]
    fn ten_seconds_in_a_worker_is_killed_and_started_again_when_its_failure_is_known() {
        assert_eq!(steps(30, 16), [(10, Step::Kill), (16, Step::Restart)]);
        assert_eq!(steps(600, 16), [(10, Step::Kill), (16, Step::Restart)]);
    }

    #[test]
    fn the_worker_is_away_for_a_while_but_not_for_good() {
        assert_eq!(steps(30, 11), [(10, Step::Kill), (14, Step::Restart)]);
        assert_eq!(steps(30, 99), [(10, Step::Kill), (20, Step::Restart)]);
    }

    #[test]
    fn a_short_run_leaves_time_to_come_back() {
        assert_eq!(steps(20, 14), [(7, Step::Kill), (14, Step::Restart)]);
        assert_eq!(steps(20, 99), [(7, Step::Kill), (16, Step::Restart)]);
    }
}
