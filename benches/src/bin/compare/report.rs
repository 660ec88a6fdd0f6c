//! The table, and the line of ratios under it.

use std::{collections::BTreeMap, fs};

use crate::{
    args::{Args, Point},
    net::Link,
    process::Measured,
    subject::Subject,
};

/// What was measured in every round.
#[derive(Debug, Default)]
pub(crate) struct Report(BTreeMap<(Point, Subject), BTreeMap<usize, Measured>>);

/// The ratios of the last lines: what it is called, what is measured, of what, and against what.
const RATIOS: [(&str, Point, Subject, Subject); 10] = [
    ("c1_vs_raw", point(64, 1), TYPED, Subject::Raw),
    ("c1_vs_mux", point(64, 1), TYPED, MUX),
    ("c16_vs_mux", point(64, 16), TYPED, MUX),
    ("c64_vs_mux", point(64, 64), TYPED, MUX),
    ("c512_vs_mux", point(64, 512), TYPED, MUX),
    ("tls64_vs_mux", point(64, 64), Subject::RpcNet(Link::Tls), Subject::Mux(Link::Tls)),
    ("tls512_vs_mux", point(64, 512), Subject::RpcNet(Link::Tls), Subject::Mux(Link::Tls)),
    ("kib1_vs_mux", point(1 << 10, 64), TYPED, MUX),
    ("kib64_vs_mux", point(64 << 10, 16), Subject::RpcNetBytes, MUX),
    ("kib64_vs_raw", point(64 << 10, 16), Subject::RpcNetBytes, Subject::Raw),
];

const TYPED: Subject = Subject::RpcNet(Link::Tcp);
const MUX: Subject = Subject::Mux(Link::Tcp);

const fn point(bytes: usize, callers: usize) -> Point {
    Point { bytes, callers }
}

impl Report {
    pub(crate) fn add(&mut self, round: usize, point: Point, subject: Subject, measured: Measured) {
        self.0.entry((point, subject)).or_default().insert(round, measured);
    }

    pub(crate) fn print(&self, args: &Args) {
        println!(
            "{}; {} rounds of {} ms a measurement; server and client in processes of their own, tokio's multi-thread \
             runtime with as many workers as there are processors\n",
            machine(),
            args.rounds,
            args.length.as_millis()
        );
        println!("| echo | system | calls/s, thousands | CPU µs a call | p50 µs | p99 µs | p99.9 µs |");
        println!("|---|---|---|---|---|---|---|");
        for ((point, subject), rounds) in &self.0 {
            let median = |of: fn(&Measured) -> f64| median(rounds.values().map(of));
            let latency = |at: usize| self::median(rounds.values().map(|measured| measured.latencies[at]));
            println!(
                "| {point} | {subject} | {:.1} | {:.2} | {:.0} | {:.0} | {:.0} |",
                median(|measured| measured.calls_per_second) / 1e3,
                median(|measured| measured.cpu_per_call),
                latency(0),
                latency(1),
                latency(2),
            );
        }
        println!("\ncpu: {}", self.ratios(|of, against| against.cpu_per_call / of.cpu_per_call));
        println!("summary: {}", self.ratios(|of, against| of.calls_per_second / against.calls_per_second));
    }

    /// Every ratio for which both were measured, better when larger.
    fn ratios(&self, ratio: fn(&Measured, &Measured) -> f64) -> String {
        let line = RATIOS.iter().filter_map(|(name, point, of, against)| {
            let (of, against) = (self.0.get(&(*point, *of))?, self.0.get(&(*point, *against))?);
            let ratios = of.iter().filter_map(|(round, of)| Some(ratio(of, against.get(round)?)));
            Some(format!("{name}={:.2}", median(ratios)))
        });
        line.collect::<Vec<_>>().join(" ")
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// What it was measured on.
fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("a processor that does not say its name", |(_, name)| name);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{processors} × {model}, Linux {}, rpcnet {}", kernel.trim(), env!("CARGO_PKG_VERSION"))
}
