//! What was measured, as a table and as one line.

use std::{fmt, process::Command, thread};

use crate::{
    args::Settings,
    code::Code,
    failure::Failure,
    framework::Framework,
    samples::Samples,
    timing::{Stage, Times},
};

/// Everything that is printed.
pub(crate) struct Report {
    settings: Settings,
    rustc: String,
    versions: String,
    times: Vec<Times>,
    code: Vec<Code>,
}

impl Report {
    pub(crate) fn new(
        samples: &Samples,
        settings: Settings,
        times: Vec<Times>,
        code: Vec<Code>,
    ) -> Result<Self, Failure> {
        let mut versions = Vec::new();
        for dependency in Framework::ALL.iter().flat_map(|framework| framework.reported()) {
            versions.push(format!("{dependency} {}", samples.version(dependency)?));
        }
        Ok(Self { settings, rustc: rustc(), versions: versions.join(", "), times, code })
    }

    fn seconds(&self, framework: Framework, stage: Stage) -> Option<f64> {
        let times = self.times.iter().find(|times| times.framework == framework && times.stage == stage);
        times.map(Times::median)
    }

    fn code(&self, framework: Framework, size: impl Fn(&Code) -> Option<usize>) -> Option<f64> {
        let size = self.code.iter().find(|code| code.framework == framework).and_then(size)?;
        // Far below where a float is not exact.
        u32::try_from(size).ok().map(f64::from)
    }

    fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { methods, runs, release } = self.settings;
        let cores = thread::available_parallelism().map_or(0, usize::from);
        let release = if release { "; release profile, stripped" } else { "" };
        writeln!(f, "{}, {cores} cores, {methods} methods, medians of {runs} runs", self.rustc)?;
        writeln!(f, "{}", self.versions)?;
        writeln!(
            f,
            "dev profile, not incremental{release}; the crate alone, with linking; × is against the baseline"
        )
    }

    fn times(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{:<18}{:<10}{:>8}{:>8}   {:<16}", "compile time", "", "s", "×", "shortest, longest")?;
        for times in &self.times {
            let (shortest, longest) = times.range();
            let name = format!("cargo {}", times.stage.name());
            let base = ratio(Some(times.median()), self.seconds(Framework::Baseline, times.stage));
            let median = times.median();
            let (name, framework) =
                (if times.framework == Framework::Baseline { &name } else { "" }, times.framework);
            writeln!(f, "{name:<23}{framework:<10}{median:>8.2}{base:>8}   {shortest:.2}, {longest:.2}")?;
        }
        Ok(())
    }

    fn sizes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = ["written", "expanded", "generated", "over baseline", "IR lines", "×", "program, KiB"];
        write!(f, "\n{:<23}", "code, in lines")?;
        columns.iter().try_for_each(|column| write!(f, "{column:>14}"))?;
        writeln!(f)?;
        let base = self.code(Framework::Baseline, |code| Some(code.ir));
        for code in &self.code {
            let cells = [
                code.written.to_string(),
                or_unknown(code.expanded.as_ref().ok()),
                or_unknown(code.generated()),
                or_unknown(self.over_baseline(code)),
                code.ir.to_string(),
                ratio(self.code(code.framework, |code| Some(code.ir)), base),
                code.program.map_or("-".to_owned(), |bytes| bytes.div_ceil(1024).to_string()),
            ];
            write!(f, "{:<23}", code.framework)?;
            cells.iter().try_for_each(|cell| write!(f, "{cell:>14}"))?;
            writeln!(f)?;
        }
        self.unknown(f)
    }

    /// Generated lines that are not those of serde's derives on the types, which RpcNet and tarpc need as the baseline does.
    fn over_baseline(&self, code: &Code) -> Option<f64> {
        Some(self.code(code.framework, Code::generated)? - self.code(Framework::Baseline, Code::generated)?)
    }

    /// Why the macros could not be expanded.
    fn unknown(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failures =
            self.code.iter().filter_map(|code| Some((code.framework, code.expanded.as_ref().err()?)));
        failures
            .into_iter()
            .try_for_each(|(framework, failure)| writeln!(f, "not known for {framework}: {}", failure.what()))
    }

    fn summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\nsummary: methods={}", self.settings.methods)?;
        self.against(f, "check", |framework| self.seconds(framework, Stage::Check))?;
        self.against(f, "build", |framework| self.seconds(framework, Stage::Build))?;
        self.against(f, "lines", |framework| self.code(framework, Code::generated))?;
        self.against(f, "ir", |framework| self.code(framework, |code| Some(code.ir)))
    }

    /// RpcNet's value against that of each peer.
    fn against(
        &self,
        f: &mut fmt::Formatter<'_>,
        name: &str,
        value: impl Fn(Framework) -> Option<f64>,
    ) -> fmt::Result {
        [Framework::Tarpc, Framework::Tonic].into_iter().try_for_each(|peer| {
            write!(f, " {name}_vs_{peer}={}", ratio(value(Framework::RpcNet), value(peer)))
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        self.times(f)?;
        self.sizes(f)?;
        self.summary(f)
    }
}

/// How many times `other` it is, with two decimals.
fn ratio(value: Option<f64>, other: Option<f64>) -> String {
    match (value, other) {
        (Some(value), Some(other)) if other > 0.0 => format!("{:.2}", value / other),
        _ => "unknown".to_owned(),
    }
}

fn or_unknown(value: Option<impl fmt::Display>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| value.to_string())
}

/// The compiler's name and version. Cargo already used it, so that not knowing it is no reason to fail.
fn rustc() -> String {
    let output = Command::new("rustc").arg("--version").output();
    let version = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    version
        .ok()
        .filter(|version| !version.is_empty())
        .unwrap_or_else(|| "rustc of unknown version".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_has_two_decimals_and_is_unknown_without_both_sides() {
        assert_eq!(ratio(Some(1.0), Some(3.0)), "0.33");
        assert_eq!(ratio(None, Some(3.0)), "unknown");
        assert_eq!(ratio(Some(1.0), Some(0.0)), "unknown");
    }
}
