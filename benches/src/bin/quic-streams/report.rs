//! The table.

use std::{collections::BTreeMap, fmt};

use crate::measure::Point;

/// The points of every round.
#[derive(Debug, Default)]
pub(crate) struct Report {
    points: BTreeMap<(&'static str, usize), Vec<Point>>,
    /// In the order in which they were first measured.
    names: Vec<&'static str>,
}

impl Report {
    pub(crate) fn add(&mut self, name: &'static str, callers: usize, point: Point) {
        if !self.names.contains(&name) {
            self.names.push(name);
        }
        self.points.entry((name, callers)).or_default().push(point);
    }

    /// Calls a second in thousands, and the microseconds of processor time of a call.
    fn results(&self, name: &'static str, callers: usize) -> (Spread, Spread) {
        let points = self.points.get(&(name, callers)).map_or(&[][..], Vec::as_slice);
        let rates = points.iter().map(|point| point.calls_per_second / 1e3);
        let times = points.iter().map(|point| point.cpu_per_call.as_secs_f64() * 1e6);
        (Spread::of(rates), Spread::of(times))
    }

    pub(crate) fn print(&self, callers: &[usize]) {
        println!("| | {} |", self.row(callers, |count| format!("{count} callers")));
        println!("|---|{}", "---|".repeat(callers.len()));
        for name in &self.names {
            let cell = |count: usize| {
                let (rate, time) = self.results(name, count);
                format!("{rate} k/s, {time} µs")
            };
            println!("| {name} | {} |", self.row(callers, cell));
        }
        let summary = |name: &&'static str| {
            let rates = callers.iter().map(|count| format!("{:.1}", self.results(name, *count).1.median));
            format!("{}={}", name.replace([' ', ','], "_"), rates.collect::<Vec<_>>().join("/"))
        };
        let summary: Vec<_> = self.names.iter().map(summary).collect();
        println!("summary: callers={callers:?} cpu_us_per_call {}", summary.join(" "));
    }

    fn row(&self, callers: &[usize], cell: impl Fn(usize) -> String) -> String {
        callers.iter().map(|count| cell(*count)).collect::<Vec<_>>().join(" | ")
    }
}

/// The median of the rounds, and how far they are apart: a median without it hides that a machine was busy with something else.
#[derive(Debug, Default)]
struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<_> = values.collect();
        values.sort_by(f64::total_cmp);
        match (values.first(), values.get(values.len() / 2), values.last()) {
            (Some(&least), Some(&median), Some(&most)) => Self { least, median, most },
            _ => Self::default(),
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { least, median, most } = self;
        write!(f, "{median:.1} ({least:.1}–{most:.1})")
    }
}
