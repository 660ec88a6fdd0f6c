//! How long the compilation of one crate takes, its dependencies being built.

use std::time::{Duration, Instant};

use crate::{
    args::Settings,
    cargo::{cargo, run},
    failure::Failure,
    framework::Framework,
    samples::Samples,
};

/// A way to compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Check,
    Build,
    Release,
}

impl Stage {
    /// Those that were asked for.
    pub(crate) fn all(settings: Settings) -> &'static [Self] {
        if settings.release {
            &[Self::Check, Self::Build, Self::Release]
        } else {
            &[Self::Check, Self::Build]
        }
    }

    /// What cargo calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Build => "build",
            Self::Release => "build --release",
        }
    }
}

/// How long each compilation of one crate in one way took.
#[derive(Debug)]
pub(crate) struct Times {
    pub(crate) framework: Framework,
    pub(crate) stage: Stage,
    taken: Vec<Duration>,
}

impl Times {
    /// The one in the middle, in seconds.
    pub(crate) fn median(&self) -> f64 {
        let mut taken: Vec<_> = self.taken.iter().map(Duration::as_secs_f64).collect();
        taken.sort_by(f64::total_cmp);
        match taken.len() {
            0 => f64::NAN,
            count if count % 2 == 1 => taken[count / 2],
            count => f64::midpoint(taken[count / 2 - 1], taken[count / 2]),
        }
    }

    /// The shortest and the longest, in seconds.
    pub(crate) fn range(&self) -> (f64, f64) {
        let seconds = || self.taken.iter().map(Duration::as_secs_f64);
        (seconds().fold(f64::INFINITY, f64::min), seconds().fold(0.0, f64::max))
    }
}

/// Builds everything once, and then each crate alone as often as asked. The crates take turns: what slows the machine
/// down for a while slows all of them down.
pub(crate) fn measure(samples: &Samples, settings: Settings) -> Result<Vec<Times>, Failure> {
    let pairs = || {
        let stages = Stage::all(settings).iter();
        stages.flat_map(|stage| Framework::ALL.map(|framework| (*stage, framework)))
    };
    for (stage, framework) in pairs() {
        eprintln!("dependencies of {framework}: cargo {}", stage.name());
        compile(samples, framework, stage)?;
    }
    let mut times: Vec<_> =
        pairs().map(|(stage, framework)| Times { framework, stage, taken: Vec::new() }).collect();
    for number in 1..=settings.runs {
        eprintln!("run {number} of {}", settings.runs);
        for times in &mut times {
            samples.touch(times.framework)?;
            times.taken.push(compile(samples, times.framework, times.stage)?);
        }
    }
    Ok(times)
}

fn compile(samples: &Samples, framework: Framework, stage: Stage) -> Result<Duration, Failure> {
    let package = framework.package();
    let words = stage.name().split(' ').chain(["--frozen", "--package", &package]);
    let mut command = cargo(samples, words);
    let begin = Instant::now();
    run(&mut command, &format!("compile the sample crate of {framework}"))?;
    Ok(begin.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_in_the_middle() {
        let times = |seconds: &[u64]| Times {
            framework: Framework::Baseline,
            stage: Stage::Check,
            taken: seconds.iter().map(|s| Duration::from_secs(*s)).collect(),
        };
        assert_eq!(times(&[9, 1, 3]).median(), 3.0);
        assert_eq!(times(&[1, 9, 3, 4]).median(), 3.5);
        assert_eq!(times(&[2, 9, 3]).range(), (2.0, 9.0));
    }
}
