//! What really ran: one line at the beginning of each execution and one at its end, by whichever worker.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::Write as _,
    path::Path,
};

use uuid::Uuid;

const NAME: &str = "log";

/// Written by a worker, as it runs.
#[derive(Debug)]
pub(super) struct Writer(File);

impl Writer {
    pub(super) fn open(folder: &Path) -> std::io::Result<Self> {
        OpenOptions::new().create(true).append(true).open(folder.join(NAME)).map(Self)
    }

    /// In one write, which survives the process.
    pub(super) fn note(&self, what: char, id: Uuid) -> std::io::Result<()> {
        (&self.0).write_all(format!("{what} {id}\n").as_bytes())
    }
}

/// All of it, read when it is over.
#[derive(Debug, Default)]
pub(super) struct Log {
    began: BTreeMap<Uuid, u64>,
    ended: BTreeMap<Uuid, u64>,
}

impl Log {
    pub(super) fn read(folder: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(folder.join(NAME)).map_err(|error| error.to_string())?;
        let mut log = Self::default();
        for line in text.lines() {
            let id = line.get(2..).and_then(|id| Uuid::parse_str(id).ok());
            let id = id.ok_or_else(|| format!("the log has a line {line:?}"))?;
            let of = if line.starts_with('b') { &mut log.began } else { &mut log.ended };
            *of.entry(id).or_default() += 1;
        }
        Ok(log)
    }

    pub(super) fn began(&self, id: Uuid) -> bool {
        self.began.contains_key(&id)
    }

    pub(super) fn ended(&self, id: Uuid) -> bool {
        self.ended.contains_key(&id)
    }

    /// How many executions were one too many.
    pub(super) fn doubles(&self) -> u64 {
        self.began.values().map(|times| times - 1).sum()
    }
}
