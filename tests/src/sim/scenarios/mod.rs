//! The scenarios: scripts from a name, a number of nodes and a seed.

mod chaos;
mod churn;
mod failures;
mod sick;
mod splits;
mod weather;

use std::time::Duration;

use super::script::{Act, Script};

/// What is wished of a scenario.
#[derive(Clone, Debug)]
pub struct Wish {
    /// One of [`NAMES`].
    pub scenario: String,
    /// How many nodes; `chaos` without a number takes 3 to 15 by its seed.
    pub nodes: Option<usize>,
    /// Decides everything that is random.
    pub seed: u64,
    /// Share of datagrams lost throughout, in place of the scenario's own.
    pub loss: Option<f64>,
    /// Whether [`Outcome::story`](super::Outcome::story) is wanted.
    pub story: bool,
}

/// All scenarios, with what happens in each.
pub const NAMES: [(&str, &str); 30] = [
    ("steady", "a minute in which nothing happens"),
    ("quiet", "an hour in which nothing happens"),
    ("bootstrap", "all start at once with one seed"),
    ("crash", "one host falls silent"),
    ("crash10", "a tenth of the hosts fall silent together"),
    ("process-exit", "one process ends, its host refuses connections"),
    ("rolling-crash", "ten hosts fall silent, one every two seconds"),
    ("loss5-24h", "24 hours at 5 % loss"),
    ("loss10", "an hour at 10 % loss"),
    ("loss25", "an hour at 25 % loss"),
    ("slow-members", "a quarter stall for 1 to 30 s, again and again"),
    ("starved-members", "a quarter run in slices of up to 0.2 s with pauses of up to 5 s"),
    ("slow-by-turns", "one stands still for 4 s, runs for 10 s, and so on for three minutes"),
    ("deaf", "one node hears nothing"),
    ("half-deaf", "a hundredth loses half of what comes in"),
    ("flip-flop", "a hundredth hears nothing, every other 20 s"),
    ("loss80", "a hundredth loses 80 % both ways"),
    ("half-split", "two halves for 60 s"),
    ("split-30", "three tenths are cut off for 60 s"),
    ("minority-split", "a tenth is cut off for 60 s"),
    ("split-one", "one node is cut off for 60 s"),
    ("three-way", "three sides for 60 s"),
    ("bridge", "two sides that only a third one reaches, for 60 s"),
    ("flap-split", "two halves apart for 20 s and together for 20 s, six times"),
    ("one-way", "a tenth of the nodes each lose one direction of one link"),
    ("two-clusters", "two clusters whose seeds were mixed up"),
    ("churn", "every second one ends or leaves and one starts"),
    ("rolling-restart", "each process in turn leaves and starts again"),
    ("mass-restart", "all processes end and start again within five seconds"),
    ("chaos", "a minute of everything, then calm"),
];

/// The script of a scenario.
///
/// # Errors
/// If there is no such scenario, or it makes no sense for so few nodes.
pub fn script(wish: &Wish) -> Result<Script, String> {
    let nodes = match (wish.nodes, wish.scenario.as_str()) {
        (Some(nodes), _) => nodes,
        (None, "chaos") => 3 + (wish.seed % 13) as usize,
        (None, _) => return Err("--nodes is missing".into()),
    };
    if !(2..=1 << 20).contains(&nodes) {
        return Err(format!("{nodes} nodes are too few or too many"));
    }
    let mut rng = fastrand::Rng::with_seed(wish.seed ^ 0x7363_7269_7074);
    let loss = wish.loss;
    let script = match wish.scenario.as_str() {
        "steady" => weather::calm(nodes, loss, secs(60)),
        "quiet" => weather::calm(nodes, loss, secs(3_600)),
        "bootstrap" => weather::bootstrap(nodes, loss),
        "loss5-24h" => weather::calm(nodes, loss.or(Some(0.05)), secs(86_400)),
        "loss10" => weather::calm(nodes, loss.or(Some(0.10)), secs(3_600)),
        "loss25" => weather::calm(nodes, loss.or(Some(0.25)), secs(3_600)),
        "crash" => failures::crash(nodes, loss, &mut rng, 1),
        "crash10" => failures::crash(nodes, loss, &mut rng, (nodes / 10).max(1)),
        "process-exit" => failures::exit(nodes, loss, &mut rng),
        "rolling-crash" => failures::rolling(nodes, loss, &mut rng),
        "slow-members" => sick::stalling(nodes, loss, &mut rng, sick::SLOW),
        "starved-members" => sick::stalling(nodes, loss, &mut rng, sick::STARVED),
        "slow-by-turns" => sick::by_turns(nodes, loss),
        "deaf" => sick::deaf(nodes, loss),
        "half-deaf" => sick::lossy(nodes, loss, (0.5, 0.0)),
        "loss80" => sick::lossy(nodes, loss, (0.8, 0.8)),
        "flip-flop" => sick::flip_flop(nodes, loss),
        "half-split" => splits::two(nodes, loss, nodes / 2),
        "split-30" => splits::two(nodes, loss, (nodes * 3 / 10).max(1)),
        "minority-split" => splits::two(nodes, loss, (nodes / 10).max(1)),
        "split-one" => splits::two(nodes, loss, 1),
        "three-way" => splits::three(nodes, loss),
        "bridge" => splits::bridge(nodes, loss),
        "flap-split" => splits::flapping(nodes, loss),
        "one-way" => splits::one_way(nodes, loss, &mut rng),
        "two-clusters" => churn::two_clusters(nodes, loss),
        "churn" => churn::churn(nodes, loss, &mut rng),
        "rolling-restart" => churn::rolling_restart(nodes, loss),
        "mass-restart" => churn::mass_restart(nodes, loss, &mut rng),
        "chaos" => chaos::chaos(nodes, loss, &mut rng),
        other => return Err(format!("there is no scenario `{other}`")),
    };
    Ok(script)
}

/// Everybody starts at once and finds everybody; ten seconds later the scenario proper begins.
fn settled(nodes: usize, loss: Option<f64>) -> Script {
    booted(nodes, loss).then(secs(3), Act::OpenWindow).then(secs(10), Act::CloseWindow)
}

fn booted(nodes: usize, loss: Option<f64>) -> Script {
    let script = Script { nodes, seeds: vec![0], ..Script::default() };
    let script = script.at_once(Act::Loss(loss.unwrap_or(0.0))).at_once(Act::Start(all(nodes)));
    script.at_once(Act::AwaitWhole("all_see_all", secs(180)))
}

fn all(nodes: usize) -> Vec<u32> {
    (0..nodes as u32).collect()
}

fn without(nodes: usize, some: &[u32]) -> Vec<u32> {
    let mut left = all(nodes);
    left.retain(|node| !some.contains(node));
    left
}

/// Distinct nodes, never the seed.
fn pick(rng: &mut fastrand::Rng, nodes: usize, count: usize) -> Vec<u32> {
    rng.choose_multiple(1..nodes as u32, count)
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
