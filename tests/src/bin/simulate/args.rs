//! The command line.

use std::ops::Range;

use rpcnet_tests::sim::{NAMES, Outcome, Wish};

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Args {
    scenario: String,
    nodes: Option<usize>,
    loss: Option<f64>,
    pub(crate) seeds: Range<u64>,
    pub(crate) csv: Option<String>,
    pub(crate) story: Option<String>,
    pub(crate) core: Which,
}

/// Which protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Rpcnet,
    #[cfg(feature = "foca")]
    Foca,
}

impl Args {
    pub(crate) fn wish(&self, seed: u64) -> Wish {
        Wish {
            scenario: self.scenario.clone(),
            nodes: self.nodes,
            seed,
            loss: self.loss,
            story: self.story.is_some(),
        }
    }

    /// The command that repeats one run.
    pub(crate) fn repeat(&self, outcome: &Outcome) -> String {
        let loss = self.loss.map_or(String::new(), |loss| format!(" --loss {loss}"));
        format!(
            "cargo run --release -p rpcnet-tests --bin simulate -- --nodes {} --scenario {} --seed {}{loss}",
            outcome.nodes, outcome.scenario, outcome.seed
        )
    }
}

pub(crate) fn usage() -> String {
    let mut text = String::from(
        "simulate --nodes N --scenario S [--seed K | --seeds M | --seeds A..B] [--loss P] [--csv FILE] [--story FILE] \
         [--core rpcnet|foca]\n\nscenarios:\n",
    );
    for (name, what) in NAMES {
        text += &format!("  {name:16} {what}\n");
    }
    text
}

pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Args, String> {
    let mut args = Args {
        scenario: String::new(),
        nodes: None,
        loss: None,
        seeds: 0..1,
        csv: None,
        story: None,
        core: Which::Rpcnet,
    };
    let mut words = words;
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("`{word}` needs a value"))?;
        match word.as_str() {
            "--scenario" => args.scenario = value,
            "--nodes" => args.nodes = Some(number(&value)?),
            "--seed" => args.seeds = number(&value).map(|seed| seed..seed + 1)?,
            "--seeds" => args.seeds = seeds(&value)?,
            "--loss" => args.loss = Some(share(&value)?),
            "--story" => args.story = Some(value),
            "--csv" => args.csv = Some(value),
            "--core" => args.core = core(&value)?,
            other => return Err(format!("`{other}` is not known")),
        }
    }
    Ok(args)
}

fn number<T: std::str::FromStr>(value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("`{value}` is no number"))
}

fn seeds(value: &str) -> Result<Range<u64>, String> {
    let range = match value.split_once("..") {
        Some((from, to)) => number(from)?..number(to)?,
        None => 0..number(value)?,
    };
    if range.is_empty() { Err(format!("`{value}` is no seed at all")) } else { Ok(range) }
}

fn share(value: &str) -> Result<f64, String> {
    let share: f64 = number(value)?;
    if (0.0..1.0).contains(&share) {
        Ok(share)
    } else {
        Err(format!("a loss of {value} is no share below 1"))
    }
}

fn core(value: &str) -> Result<Which, String> {
    match value {
        "rpcnet" => Ok(Which::Rpcnet),
        #[cfg(feature = "foca")]
        "foca" => Ok(Which::Foca),
        #[cfg(not(feature = "foca"))]
        "foca" => Err("foca is compiled in by `--features foca`".into()),
        other => Err(format!("there is no core `{other}`")),
    }
}
