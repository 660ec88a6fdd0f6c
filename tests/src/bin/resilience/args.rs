//! What the command line asks for.

pub(crate) const USAGE: &str = "resilience [--scenario NAME] [--seed K] [--processes]";

#[derive(Debug)]
pub(crate) struct Args {
    /// Nothing for all of them.
    scenario: Option<String>,
    pub(crate) seed: u64,
    pub(crate) processes: bool,
}

impl Args {
    pub(crate) fn read(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut read = Self { scenario: None, seed: 1, processes: false };
        while let Some(option) = args.next() {
            if option == "--processes" {
                read.processes = true;
                continue;
            }
            let value = args.next().ok_or_else(|| format!("{option} wants a value"))?;
            match option.as_str() {
                "--scenario" => read.scenario = Some(value),
                "--seed" => {
                    read.seed = value.parse().map_err(|_| format!("--seed wants a number, not {value:?}"))?;
                }
                _ => return Err(format!("there is no option {option:?}")),
            }
        }
        Ok(read)
    }

    /// Those of a list that are asked for.
    pub(crate) fn among<T>(
        &self,
        all: &'static [T],
        name: fn(&T) -> &str,
    ) -> Result<Vec<&'static T>, String> {
        let Some(wanted) = &self.scenario else { return Ok(all.iter().collect()) };
        match all.iter().find(|one| name(one) == wanted) {
            Some(one) => Ok(vec![one]),
            None => {
                let kind = if self.processes { " with processes" } else { "" };
                Err(format!("there is no scenario {wanted:?}{kind}"))
            }
        }
    }
}
