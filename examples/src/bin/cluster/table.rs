//! The table of workers: what the director says of each, and what came back from it.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::{measure::Counts, watch};

/// What a person sees at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    pub(crate) rows: Vec<Row>,
    /// Answers a second of all workers.
    pub(crate) per_second: f64,
    /// How long the slowest call of the last second took.
    pub(crate) slowest: Duration,
    pub(crate) counts: Counts,
}

/// A worker.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) label: String,
    /// In the words of the cluster, or that the director has not heard of it.
    pub(crate) state: String,
    pub(crate) phi: f64,
    pub(crate) in_flight: u32,
    /// Its part of the answers of the last second, from 0 to 1.
    pub(crate) share: f64,
    /// Its answers a second.
    pub(crate) per_second: f64,
}

/// Remembers the last second, which speeds are taken from.
#[derive(Debug)]
pub(crate) struct Speeds {
    labels: Vec<String>,
    looks: VecDeque<Look>,
}

/// What was seen at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) at: Instant,
    pub(crate) counts: Counts,
    /// The longest that a call took which ended since the look before.
    pub(crate) slowest: Duration,
}

impl Speeds {
    /// Over how long speeds are taken: calm enough to read, quick enough to show the kill.
    const WINDOW: Duration = Duration::from_secs(1);

    pub(crate) fn new(labels: &[&str]) -> Self {
        Self { labels: labels.iter().map(ToString::to_string).collect(), looks: VecDeque::new() }
    }

    /// The table of this moment.
    pub(crate) fn table(&mut self, look: Look, told: &[watch::Row]) -> Table {
        let (now, counts) = (look.at, look.counts.clone());
        self.looks.push_back(look);
        // The last look that is a window old is kept: speeds are taken from it to now.
        while self.looks.get(1).is_some_and(|look| look.at + Self::WINDOW <= now) {
            self.looks.pop_front();
        }
        let Look { at: since, counts: before, .. } = &self.looks[0];
        let slowest = self.looks.iter().skip(1).map(|look| look.slowest).max().unwrap_or_default();
        let seconds = now.duration_since(*since).as_secs_f64().max(0.001);
        let per_second = |count: u64, before: u64| (count - before) as f64 / seconds;
        let answers = |counts: &Counts, label: &String| counts.by_worker.get(label).copied().unwrap_or(0);
        let all = per_second(counts.by_worker.values().sum(), before.by_worker.values().sum());
        let row = |label: &String| {
            let told = told.iter().find(|row| row.label == *label);
            let own = per_second(answers(&counts, label), answers(before, label));
            Row {
                label: label.clone(),
                state: told.map_or("unknown", |row| &row.state).to_owned(),
                phi: told.map_or(0.0, |row| row.phi),
                in_flight: told.map_or(0, |row| row.in_flight),
                share: if all > 0.0 { own / all } else { 0.0 },
                per_second: own,
            }
        };
        Table { rows: self.labels.iter().map(row).collect(), per_second: all, slowest, counts }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn counts(a: u64, b: u64) -> Counts {
        let by_worker = BTreeMap::from([("a".to_owned(), a), ("b".to_owned(), b)]);
        Counts { ok: a + b, by_worker, ..Counts::default() }
    }

    #[test]
    fn speeds_are_those_of_the_last_second() {
        let (start, mut speeds) = (Instant::now(), Speeds::new(&["a", "b"]));
        let told = [watch::Row { label: "a".into(), state: "alive".into(), phi: 0.5, in_flight: 2 }];
        // Looks every quarter of a second; `b` stops after one second, and calls take less and less.
        let mut look = |quarter: u32| {
            let at = start + Duration::from_millis(250) * quarter;
            let counts = counts(30 * u64::from(quarter), 10 * u64::from(quarter.min(4)));
            speeds.table(Look { at, counts, slowest: Duration::from_millis(9 - u64::from(quarter)) }, &told)
        };
        let first = look(0);
        assert_eq!((first.per_second, first.rows[0].share), (0.0, 0.0));
        let table = (1..=8).map(&mut look).last().unwrap();
        let [a, b] = &table.rows[..] else { panic!("{table:?}") };
        assert_eq!(
            (a.per_second, a.share, a.in_flight, a.phi, a.state.as_str()),
            (120.0, 1.0, 2, 0.5, "alive")
        );
        assert_eq!(
            (b.per_second, b.share, b.in_flight, b.phi, b.state.as_str()),
            (0.0, 0.0, 0, 0.0, "unknown")
        );
        assert_eq!((table.per_second, table.slowest), (120.0, Duration::from_millis(4)));
    }
}
