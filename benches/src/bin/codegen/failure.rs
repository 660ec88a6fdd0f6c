//! Why nothing could be measured.

use std::{fmt, io, path::Path};

/// What failed, in which command, and what that said.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    command: Option<String>,
    output: String,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), command: None, output: String::new() }
    }

    /// A file or a folder that could not be used.
    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        Self::new(format!("{}: {error}", path.display()))
    }

    /// The same failure, of this command.
    pub(crate) fn of(self, command: String) -> Self {
        Self { command: Some(command), ..self }
    }

    /// The same failure, with what the command said.
    pub(crate) fn saying(self, output: &[u8]) -> Self {
        Self { output: String::from_utf8_lossy(output).trim_end().to_owned(), ..self }
    }

    /// In one line.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(command) = &self.command {
            write!(f, "\ncommand: {command}")?;
        }
        if !self.output.is_empty() {
            write!(f, "\n{}", self.output)?;
        }
        Ok(())
    }
}
