//! The last round trips to one peer, and their mean and deviation.

use std::collections::VecDeque;
use std::time::Duration;

/// A sliding window over round trips. Starts empty: mean and deviation are then zero, and the floors of the caller
/// decide alone. (Seeding it with guesses would dull the detector for as long as they stay inside.)
#[derive(Clone, Debug)]
pub(crate) struct Window {
    samples: VecDeque<f64>,
    samples_max: usize,
    /// Kept beside the samples: they are read for every packet and change once a second.
    mean: Duration,
    deviation: Duration,
}

impl Window {
    /// An empty window that keeps the last `samples_max`.
    pub(crate) fn new(samples_max: usize) -> Self {
        Self { samples: VecDeque::new(), samples_max, mean: Duration::ZERO, deviation: Duration::ZERO }
    }

    /// Adds a round trip; the oldest goes when the window is full.
    pub(crate) fn record(&mut self, round_trip: Duration) {
        if self.samples.len() == self.samples_max {
            self.samples.pop_front();
        }
        self.samples.push_back(round_trip.as_secs_f64());
        self.summarise();
    }

    /// Two passes over at most a hundred numbers: a running sum of squares loses its digits after days.
    fn summarise(&mut self) {
        let count = self.samples.len() as f64;
        let mean = self.samples.iter().sum::<f64>() / count;
        let squares: f64 = self.samples.iter().map(|sample| (sample - mean).powi(2)).sum();
        self.mean = Duration::from_secs_f64(mean);
        self.deviation = Duration::from_secs_f64((squares / count).sqrt());
    }

    /// The mean; `None` before the first sample.
    pub(crate) fn mean(&self) -> Option<Duration> {
        (!self.samples.is_empty()).then_some(self.mean)
    }

    /// The standard deviation of the samples, zero for fewer than two.
    pub(crate) fn deviation(&self) -> Duration {
        self.deviation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_window_claims_nothing() {
        let window = Window::new(3);
        assert_eq!((window.mean(), window.deviation()), (None, Duration::ZERO));
    }

    #[test]
    fn only_the_last_samples_count() {
        let mut window = Window::new(2);
        for millis in [1_000, 10, 30] {
            window.record(Duration::from_millis(millis));
        }
        assert_eq!(window.mean(), Some(Duration::from_millis(20)));
        assert_eq!(window.deviation(), Duration::from_millis(10));
    }
}
