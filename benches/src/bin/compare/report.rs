//! The table, and the line of ratios under it.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    fs,
};

use crate::{
    Failure,
    allocs::Allocations,
    args::{Args, Point},
    net::Link,
    process::Measured,
    subject::Subject,
};

/// What was measured in every round.
#[derive(Debug, Default)]
pub(crate) struct Report(BTreeMap<(Point, Subject), BTreeMap<usize, Measured>>);

/// A ratio of the last lines: what it is called, what is measured, of what, and against what.
type Ratio = (&'static str, Point, Subject, Subject);

/// Calls, or items, a second: better when larger.
const RATIOS: &[Ratio] = &[
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
    ("stream_vs_raw", point(64, 1), Subject::Stream, Subject::StreamRaw),
    #[cfg(feature = "peers")]
    ("c1_vs_tarpc", point(64, 1), TYPED, Subject::Tarpc),
    #[cfg(feature = "peers")]
    ("c1_vs_tonic", point(64, 1), TYPED, Subject::Tonic),
    #[cfg(feature = "peers")]
    ("c64_vs_tarpc", point(64, 64), TYPED, Subject::Tarpc),
    #[cfg(feature = "peers")]
    ("c64_vs_tonic", point(64, 64), TYPED, Subject::Tonic),
    #[cfg(feature = "peers")]
    ("c512_vs_tarpc", point(64, 512), TYPED, Subject::Tarpc),
    #[cfg(feature = "peers")]
    ("c512_vs_tonic", point(64, 512), TYPED, Subject::Tonic),
    #[cfg(feature = "peers")]
    ("tls64_vs_tarpc", point(64, 64), Subject::RpcNet(Link::Tls), Subject::Tarpc),
    #[cfg(feature = "peers")]
    ("kib64_vs_tarpc", point(64 << 10, 16), TYPED, Subject::Tarpc),
    #[cfg(feature = "peers")]
    ("stream_vs_tonic", point(64, 1), Subject::Stream, Subject::StreamTonic),
];

/// What the plot compares.
const PLOTTED: &[(&str, Subject)] = &[
    ("bare multiplexer", MUX),
    ("RpcNet", TYPED),
    #[cfg(feature = "peers")]
    ("tarpc", Subject::Tarpc),
    #[cfg(feature = "peers")]
    ("tonic", Subject::Tonic),
];

/// Processor time a call: better when smaller.
const COSTS: &[Ratio] = &[
    ("dispatch_cpu", point(64, 64), Subject::Dispatch, Subject::InTurn),
    ("keyed_cpu", point(64, 64), Subject::Keyed, TYPED),
];

/// The latency that 99 of 100 calls do not exceed: better when smaller.
const DELAYS: &[Ratio] = &[("slow1_p99_ratio", point(64, 1), Subject::OpenSlow, Subject::Open)];

const TYPED: Subject = Subject::RpcNet(Link::Tcp);
const MUX: Subject = Subject::Mux(Link::Tcp);

const fn point(bytes: usize, callers: usize) -> Point {
    Point { bytes, callers }
}

impl Report {
    pub(crate) fn add(&mut self, round: usize, point: Point, subject: Subject, measured: Measured) {
        self.0.entry((point, subject)).or_default().insert(round, measured);
    }

    pub(crate) fn print(&self, args: &Args, allocations: Allocations) -> Result<(), Failure> {
        let table = self.table(args)?;
        println!("{table}");
        if let Some(file) = &args.table {
            fs::write(file, &table)?;
        }
        if let Some(file) = &args.plot {
            fs::write(file, self.plot()?)?;
        }
        let faster = |of: &Measured, against: &Measured| of.calls_per_second / against.calls_per_second;
        let cheaper = |of: &Measured, against: &Measured| against.cpu_per_call / of.cpu_per_call;
        let dearer = |of: &Measured, against: &Measured| of.cpu_per_call / against.cpu_per_call;
        let later = |of: &Measured, against: &Measured| of.latencies[1] / against.latencies[1];
        println!("cpu: {}", self.ratios(RATIOS, cheaper).join(" "));
        let mut summary = self.ratios(RATIOS, faster);
        summary.extend(self.ratios(DELAYS, later));
        summary.extend(self.ratios(COSTS, dearer));
        summary.extend(self.idle_bytes().map(|bytes| format!("idle_conn_bytes={bytes:.0}")));
        let Allocations { client, server } = allocations;
        println!("summary: {} allocs_client={client:.2} allocs_server={server:.2}", summary.join(" "));
        Ok(())
    }

    /// Calls of 64 bytes over callers, of whom the plot compares.
    fn plot(&self) -> Result<String, fmt::Error> {
        let mut out = "Calls of 64 bytes on one connection\nthousands a second over callers\n".to_owned();
        for (name, of) in PLOTTED {
            for ((point, subject), rounds) in &self.0 {
                if point.bytes == 64 && subject == of {
                    let calls = median(rounds.values().map(|measured| measured.calls_per_second)) / 1e3;
                    writeln!(out, "{name},{},{calls:.1}", point.callers)?;
                }
            }
        }
        Ok(out)
    }

    /// What was measured where, as Markdown.
    fn table(&self, args: &Args) -> Result<String, fmt::Error> {
        let mut out = String::new();
        writeln!(
            out,
            "{}; {} rounds of {} ms a measurement; server and client in processes of their own, tokio's multi-thread \
             runtime with as many workers as there are processors\n",
            machine(),
            args.rounds,
            args.length.as_millis()
        )?;
        writeln!(
            out,
            "| bytes, callers | system | calls or items/s, thousands | CPU µs each | p50 µs | p99 µs | p99.9 µs |"
        )?;
        writeln!(out, "|---|---|---|---|---|---|---|")?;
        for ((point, subject), rounds) in &self.0 {
            let median = |of: fn(&Measured) -> f64| median(rounds.values().map(of));
            let latency = |at: usize| self::median(rounds.values().map(|measured| measured.latencies[at]));
            writeln!(
                out,
                "| {point} | {subject} | {:.1} | {:.2} | {:.0} | {:.0} | {:.0} |",
                median(|measured| measured.calls_per_second) / 1e3 * subject.items() as f64,
                median(|measured| measured.cpu_per_call) / subject.items() as f64,
                latency(0),
                latency(1),
                latency(2),
            )?;
        }
        Ok(out)
    }

    /// Every ratio for which both were measured.
    fn ratios(&self, ratios: &[Ratio], ratio: impl Fn(&Measured, &Measured) -> f64) -> Vec<String> {
        let line = ratios.iter().filter_map(|(name, point, of, against)| {
            let (of, against) = (self.0.get(&(*point, *of))?, self.0.get(&(*point, *against))?);
            let ratios = of.iter().filter_map(|(round, of)| Some(ratio(of, against.get(round)?)));
            Some(format!("{name}={:.2}", median(ratios)))
        });
        line.collect()
    }

    /// What a server takes for a connection: in the first round, as what is given back to the allocator later stays resident.
    fn idle_bytes(&self) -> Option<f64> {
        let mut idle = self.0.iter().filter(|((_, subject), _)| *subject == Subject::Idle);
        Some(idle.next()?.1.values().next()?.bytes_per_caller)
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
