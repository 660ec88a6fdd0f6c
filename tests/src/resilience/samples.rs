//! What the callers saw.

use std::time::Duration;

/// One call.
#[derive(Debug, Clone)]
pub struct Sample {
    /// When it was made, from the beginning of the load.
    pub at: Duration,
    /// How long it took.
    pub took: Duration,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

impl Sample {
    /// Whether it was answered well.
    pub fn ok(&self) -> bool {
        self.error.is_none()
    }
}

/// The calls of a load, in the order they were made.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<Sample>);

impl Samples {
    /// These calls.
    pub fn new(mut samples: Vec<Sample>) -> Self {
        samples.sort_by_key(|sample| sample.at);
        Self(samples)
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Sample> {
        self.0.iter()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Those made from `from` on and before `to`.
    pub fn between(&self, from: Duration, to: Duration) -> Self {
        Self(self.iter().filter(|sample| (from..to).contains(&sample.at)).cloned().collect())
    }

    /// How many failed.
    pub fn failed(&self) -> usize {
        self.iter().filter(|sample| !sample.ok()).count()
    }

    /// The share that was answered well, 0 to 1; 1 of none.
    pub fn ok_share(&self) -> f64 {
        if self.0.is_empty() { 1.0 } else { 1.0 - self.failed() as f64 / self.count() as f64 }
    }

    /// What this share of the calls that were answered well took at most; zero if none was.
    pub fn quantile(&self, share: f64) -> Duration {
        let mut took: Vec<_> = self.iter().filter(|sample| sample.ok()).map(|sample| sample.took).collect();
        took.sort_unstable();
        let rank = (took.len() as f64 * share).ceil() as usize;
        took.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// What the longest took, whether it was answered well or not.
    pub fn worst(&self) -> Duration {
        self.iter().map(|sample| sample.took).max().unwrap_or_default()
    }

    /// Why the first that failed did.
    pub fn first_error(&self) -> Option<&str> {
        self.iter().find_map(|sample| sample.error.as_deref())
    }
}
