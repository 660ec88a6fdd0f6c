//! What happens to the cluster, one after the other; each leaves it whole.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use rpcnet_tests::out;
use rustix::process::Signal;

use crate::Outcome;
use crate::expected::{Expected, Measured, Row, known, simulated, whole};
use crate::field::{Field, NODES};
use crate::lab::addr;
use crate::told::What;

/// Whatever has not happened by then does not happen.
const LIMIT: Duration = Duration::from_secs(60);
/// What the protocol promises of a node that comes back at another address.
const MOVED: Duration = Duration::from_secs(10);
/// Before a fault: answers enough for each observer to know what is usual.
const CALM: Duration = Duration::from_secs(5);
/// A quorum is lost by then, of a network that was cut.
const REFUSED: Duration = Duration::from_secs(10);
/// How long halves stay apart once each has failed the other: both have to be told.
const SPLIT: Duration = Duration::from_secs(10);
/// A split is healed by then, of a network that is whole again.
const HEALED: Duration = Duration::from_secs(8);
/// How long a link is cut one way.
const ONE_WAY: Duration = Duration::from_secs(30);

pub(crate) async fn all(field: &mut Field, seeds: u64) -> Outcome<Vec<Row>> {
    let mut rows = Vec::new();
    let mut add = |row: Row| {
        out::line(format_args!("{}", row.line()))?;
        rows.push(row);
        Ok::<_, std::io::Error>(())
    };
    add(bootstrap(field, seeds).await?)?;
    add(crash(field, seeds).await?)?;
    add(silent_host(field, seeds).await?)?;
    stall(field, seeds).await?.into_iter().try_for_each(&mut add)?;
    add(moved(field).await?)?;
    add(one_way(field).await?)?;
    half_split(field, seeds).await?.into_iter().try_for_each(&mut add)?;
    Ok(rows)
}

async fn bootstrap(field: &mut Field, seeds: u64) -> Outcome<Row> {
    let begin = Instant::now();
    for node in 1..=NODES {
        field.start(node, addr(node))?;
    }
    let took = field.until(LIMIT, Field::is_whole).await;
    let all = |outcome: &rpcnet_tests::sim::Outcome| outcome.milestones.first().and_then(|(_, took)| *took);
    let expected = Expected::Simulated(simulated("bootstrap", seeds, all)?);
    Ok(row("bootstrap", "all see all", since(begin, took), expected))
}

/// `kill −9`: its host answers that nobody listens.
async fn crash(field: &mut Field, seeds: u64) -> Outcome<Row> {
    let expected = Expected::Simulated(simulated("process-exit", seeds, known)?);
    let (victim, begin) = (5, calm(field).await?);
    field.kill(victim).await?;
    let id = field.id(victim).to_owned();
    let took = field.until(LIMIT, |field| gone(field, &id, victim)).await;
    field.start(victim, addr(victim))?;
    Ok(row("crash", "failed in all views", since(begin, took), expected))
}

/// The link of a host goes down.
async fn silent_host(field: &mut Field, seeds: u64) -> Outcome<Row> {
    let expected = Expected::Simulated(simulated("crash", seeds, known)?);
    let (victim, begin) = (8, calm(field).await?);
    field.lab.link(victim, false)?;
    let id = field.id(victim).to_owned();
    let took = field.until(LIMIT, |field| gone(field, &id, victim)).await;
    field.lab.link(victim, true)?;
    Ok(row("silent-host", "failed in all views", since(begin, took), expected))
}

/// A process stops, is suspected, goes on, and refutes.
async fn stall(field: &mut Field, seeds: u64) -> Outcome<[Row; 3]> {
    // To whoever waits for an answer, a process that stands still is a silent host.
    let range = simulated("crash", seeds, |outcome| outcome.first_suspect)?;
    let (victim, begin) = (3, calm(field).await?);
    field.signal(victim, Signal::STOP)?;
    let suspected = |field: &Field| field.log.iter().any(|told| told.what == What::Suspected);
    let took = field.until(LIMIT, suspected).await;
    field.signal(victim, Signal::CONT)?;
    let resumed = Instant::now();
    let whole = field.until(LIMIT, Field::is_whole).await;
    field.listen(Duration::from_secs(10)).await;
    let failed = field.log.iter().filter(|told| told.what == What::Failed).count();
    Ok([
        row("stall", "first suspected", since(begin, took), Expected::Simulated(range)),
        row("stall", "refuted everywhere", since(resumed, whole), Expected::None),
        Row {
            scenario: "stall",
            what: "failed",
            measured: Measured::Wrong(failed),
            expected: Expected::None,
        },
    ])
}

/// A process is killed and comes back at another address of its host, as the same node.
async fn moved(field: &mut Field) -> Outcome<Row> {
    let (victim, elsewhere) = (6, Ipv4Addr::new(10, 77, 1, 6));
    field.lab.address(victim, elsewhere)?;
    let begin = calm(field).await?;
    field.kill(victim).await?;
    field.start(victim, elsewhere)?;
    let took = field.until(LIMIT, Field::is_whole).await;
    Ok(row("rejoin", "at its new address in all views", since(begin, took), Expected::Promised(MOVED)))
}

/// Nothing that one node sends reaches another; the others reach both.
async fn one_way(field: &mut Field) -> Outcome<Row> {
    calm(field).await?;
    field.lab.deafen(2, 9)?;
    field.listen(ONE_WAY).await;
    let failed = field.log.iter().filter(|told| told.what == What::Failed).count();
    field.lab.undeafen(2, 9)?;
    let (measured, expected) = (Measured::Wrong(failed), Expected::None);
    Ok(Row { scenario: "one-way", what: "failed", measured, expected })
}

/// Half of the nodes against the other half: the half with the lowest id goes on, the other refuses writes and is read.
async fn half_split(field: &mut Field, seeds: u64) -> Outcome<[Row; 6]> {
    let (failed, healed) = (simulated("half-split", seeds, known)?, simulated("half-split", seeds, whole)?);
    calm(field).await?;
    field
        .until(LIMIT, |field| field.all(1..=NODES, What::Writes))
        .await
        .ok_or("somebody's writes are refused")?;
    let begin = field.begin();
    field.lab.joint(false)?;
    let (one, other) = (1..=NODES / 2, NODES / 2 + 1..=NODES);
    let refused = field
        .until(LIMIT, |field| {
            field.all(one.clone(), What::Refuses) || field.all(other.clone(), What::Refuses)
        })
        .await;
    let halves = |field: &Field| (1..=NODES).all(|node| field.view(node).len() == NODES / 2);
    let took = field.until(LIMIT, halves).await;
    field.listen(SPLIT).await;
    let writing = field.ledgers(1..=NODES).filter(|(what, _)| *what == What::Writes).count();
    let unread = field.log.iter().filter(|told| told.what == What::Unread).count();
    let sides = field.log.iter().filter(|told| told.what == What::Split).count();
    field.lab.joint(true)?;
    let mended = Instant::now();
    let whole = field.until(LIMIT, Field::is_whole).await;
    let written = field.until(LIMIT, |field| field.all(1..=NODES, What::Writes)).await;
    let wrong = |what, count| Row {
        scenario: "half-split",
        what,
        measured: Measured::Wrong(count),
        expected: Expected::None,
    };
    Ok([
        row("half-split", "one half refuses writes", since(begin, refused), Expected::Promised(REFUSED)),
        wrong("not one half that writes, and both told", writing.abs_diff(NODES / 2) + sides.abs_diff(NODES)),
        wrong("reads refused", unread),
        row("half-split", "all write after the healing", since(mended, written), Expected::Promised(HEALED)),
        row(
            "half-split",
            "the other half failed everywhere",
            since(begin, took),
            Expected::Simulated(failed),
        ),
        row("half-split", "views whole after the healing", since(mended, whole), Expected::Simulated(healed)),
    ])
}

/// The cluster is whole and has been for a while; what comes now counts.
async fn calm(field: &mut Field) -> Outcome<Instant> {
    let is_whole = field.until(LIMIT, Field::is_whole).await;
    is_whole.ok_or("the cluster does not become whole")?;
    field.listen(CALM).await;
    if !field.is_whole() {
        return Err("the cluster does not stay whole".into());
    }
    Ok(field.begin())
}

fn gone(field: &Field, id: &str, victim: usize) -> bool {
    (1..=NODES).filter(|&node| node != victim).all(|node| !field.view(node).has(id))
}

fn since(begin: Instant, at: Option<Instant>) -> Option<Duration> {
    at.map(|at| at.saturating_duration_since(begin))
}

fn row(scenario: &'static str, what: &'static str, took: Option<Duration>, expected: Expected) -> Row {
    Row { scenario, what, measured: Measured::Took(took), expected }
}
