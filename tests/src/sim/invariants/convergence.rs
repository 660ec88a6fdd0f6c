//! When the calm phase is over, whoever runs sees whoever runs.

use super::{End, Invariant};

pub(crate) struct Convergence;

impl Invariant for Convergence {
    fn name(&self) -> &'static str {
        "in calm every view becomes whole"
    }

    fn end(&mut self, end: &End) -> Result<(), String> {
        match &end.gap {
            Some((observer, about)) if end.calm => Err(format!("{observer} is wrong about {about:?}")),
            _ => Ok(()),
        }
    }
}
