//! What happened, told in lines: every act of the script, every change of a view, every word of a split or a quorum.

use std::time::Duration;

/// The lines of one run, if they are wanted: a long run of many nodes has millions of them.
#[derive(Debug, Default)]
pub(crate) struct Story(Option<Vec<String>>);

impl Story {
    pub(crate) fn wanted(wanted: bool) -> Self {
        Self(wanted.then(Vec::new))
    }

    pub(crate) fn tell(&mut self, at: Duration, what: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.0 {
            lines.push(format!("{:9.3} {}", at.as_secs_f64(), what()));
        }
    }

    pub(crate) fn lines(&self) -> &[String] {
        self.0.as_deref().unwrap_or_default()
    }
}
