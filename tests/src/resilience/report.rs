//! What a scenario found, beside what it was to find.

use std::fmt;

/// One figure.
#[derive(Debug, Clone)]
pub struct Figure {
    /// What it is of.
    pub what: String,
    /// Its name in the summary.
    pub key: &'static str,
    /// What was found.
    pub value: String,
    /// What was to be found; empty for what only stands beside it.
    pub goal: &'static str,
    /// Whether it was; true where there is no goal.
    pub met: bool,
}

impl Figure {
    /// A figure with a goal.
    pub fn goal(
        key: &'static str,
        what: impl Into<String>,
        value: impl fmt::Display,
        goal: &'static str,
        met: bool,
    ) -> Self {
        Self { what: what.into(), key, value: value.to_string(), goal, met }
    }

    /// A figure that stands beside others, for comparison.
    pub fn beside(key: &'static str, what: impl Into<String>, value: impl fmt::Display) -> Self {
        Self { what: what.into(), key, value: value.to_string(), goal: "", met: true }
    }
}

/// All figures of a scenario.
#[derive(Debug, Clone)]
pub struct Report {
    /// The set-up, in words.
    pub setting: String,
    /// What others have found, or the source of the set-up.
    pub anchor: &'static str,
    /// What was found here.
    pub figures: Vec<Figure>,
}

impl Report {
    /// Whether every goal was met.
    pub fn met(&self) -> bool {
        self.figures.iter().all(|figure| figure.met)
    }

    /// The line for programs.
    pub fn summary(&self, scenario: &str, seed: u64) -> String {
        let squeezed = |text: &str| text.replace(' ', "");
        let figures =
            self.figures.iter().map(|figure| format!(" {}={}", figure.key, squeezed(&figure.value)));
        format!("summary: scenario={scenario} seed={seed}{} met={}", figures.collect::<String>(), self.met())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "set-up: {}", self.setting)?;
        writeln!(f, "anchor: {}", self.anchor)?;
        let width = self.figures.iter().map(|figure| figure.what.chars().count()).max().unwrap_or(0);
        for Figure { what, value, goal, met, .. } in &self.figures {
            write!(f, "  {what:width$}  {value:>12}")?;
            match (goal.is_empty(), met) {
                (true, _) => writeln!(f)?,
                (false, true) => writeln!(f, "  goal {goal}: met")?,
                (false, false) => writeln!(f, "  goal {goal}: MISSED")?,
            }
        }
        Ok(())
    }
}
