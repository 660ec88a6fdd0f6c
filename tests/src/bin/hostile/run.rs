//! The run: which attacks, one after the other, each on a server of its own.

use std::{error::Error, process::ExitCode, time::Duration};

use rpcnet_tests::say;

use crate::{
    attacks::{self, Attack, Target},
    child::{self, Child},
    measure::GoodClient,
    raw::Answers,
    report::{Row, Summary},
    serve,
};

/// How long an attack lasts, with the times without it.
const SECONDS: u64 = 3;

/// How often an attack and its absence take turns.
const TURNS: u32 = 3;

/// Before the client is watched without attack: what the attack left has time to end.
const PAUSE: Duration = Duration::from_millis(100);

const USAGE: &str = "usage: hostile [--list] [--attack NAME] [--seconds N]";

/// What was asked for.
struct Asked {
    list: bool,
    attack: Option<String>,
    seconds: u64,
}

impl Asked {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut asked = Self { list: false, attack: None, seconds: SECONDS };
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--list" => asked.list = true,
                "--attack" => asked.attack = Some(args.next().ok_or(USAGE)?),
                "--seconds" => asked.seconds = args.next().ok_or(USAGE)?.parse()?,
                _ => return Err(USAGE.into()),
            }
        }
        Ok(asked)
    }
}

pub(crate) fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let done = match args.split_first() {
        Some((first, rest)) if first == child::SERVE => {
            serve::run(rest.first().map(String::as_str)).map(|()| true)
        }
        _ => Asked::parse(args.into_iter()).and_then(|asked| attack_all(&asked)),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// True if nothing went wrong.
fn attack_all(asked: &Asked) -> Result<bool, Box<dyn Error>> {
    let mut attacks = attacks::all();
    if asked.list {
        attacks.iter().for_each(|attack| say!("{}", attack.name));
        return Ok(true);
    }
    if let Some(name) = &asked.attack {
        attacks.retain(|attack| attack.name == name);
        if attacks.is_empty() {
            return Err(format!("there is no attack `{name}`: `--list` lists them").into());
        }
    }
    let mut summary = Summary::default();
    for attack in &attacks {
        let row = withstand(attack, Duration::from_secs(asked.seconds))?;
        say!("{row}");
        summary.add(&row);
    }
    say!("{summary}");
    Ok(summary.is_good())
}

/// One attack, on a server of its own.
fn withstand(attack: &Attack, time: Duration) -> Result<Row, Box<dyn Error>> {
    let mut server = Child::start(attack.files_max)?;
    let client = GoodClient::connect(server.addr())?;
    let (answers, mut row) = (Answers::default(), Row::new(attack));
    let turns = if attack.at_least.is_some() { 1 } else { TURNS };
    // Two thirds of the time under attack.
    let quiet_time = time / 3 / turns;
    let attack_time = attack.at_least.unwrap_or(2 * quiet_time);
    for turn in 0..turns {
        row.quiet.merge(client.call_for(quiet_time));
        if turn == 0 {
            row.quiet_memory = server.memory();
        }
        server.forget_peak();
        let attacker = std::thread::spawn(attack.on(Target::new(server.addr(), attack_time, &answers)));
        row.attacked.merge(client.call_for(attack_time));
        let done = attacker.join().map_err(|_| format!("the attacker of `{}` panicked", row.name))?;
        row.done = row.done.and(done.map_err(|error| format!("the attacker of `{}`: {error}", row.name))?);
        row.peak_memory = row.peak_memory.max(server.peak_memory());
        client.rest(PAUSE);
    }
    row.quiet.merge(client.call_for(quiet_time));
    row.survived = client.is_served_anew() && server.is_running();
    row.answers = answers.all();
    row.told = server.told().unwrap_or_default();
    Ok(row)
}
