//! A run from beginning to end: processes, calls, a kill, a restart, and what came of it.

use std::{
    fmt::Display,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use rpcnet::{AppError, CallError, Channel, ConnectError};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::{
    children::{ChildError, Children, Complaints},
    corpus::Corpus,
    load::Load,
    measure::Tally,
    pace::Rate,
    screen::{Progress, Screen},
    script::{Script, Step},
    summary::Summary,
    table::{Look, Speeds},
    watch::{Event, Kill, WatchClient, What},
    work::WorkClient,
};

/// Why a run could not be brought to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error(transparent)]
    Child(#[from] ChildError),
    #[error("the director cannot be reached: {0}")]
    Connect(#[from] ConnectError),
    #[error("the director: {0}")]
    Director(#[from] CallError<AppError>),
    #[error("the workers did not find the director within {0:?}")]
    NotTogether(Duration),
    #[error("cannot show anything: {0}")]
    Screen(#[from] io::Error),
}

/// The workers, and the one that is killed.
const WORKERS: [&str; 3] = ["worker-1", "worker-2", "worker-3"];
const VICTIM: &str = WORKERS[1];

/// How often the director is asked and the table drawn.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How long the workers may take to find the director: gossip goes round in a fraction of it.
const TOGETHER_WITHIN: Duration = Duration::from_secs(10);

/// How many lines that the processes complain with wait to be shown. One that has more to say waits too.
const COMPLAINTS_MAX: usize = 64;

/// How long is waited for the complaints of processes that were killed: their pipes are closed already.
const COMPLAINTS_WITHIN: Duration = Duration::from_secs(1);

/// Starts the processes, makes calls for so long, and returns when all processes are gone again.
///
/// When this is dropped the processes are killed.
pub(crate) async fn run(
    corpus: Corpus,
    length: Duration,
    screen: &mut Screen<io::Stdout>,
) -> Result<Summary, RunError> {
    let (complain, mut complaints) = mpsc::channel(COMPLAINTS_MAX);
    let result = run_children(corpus, length, screen, complain, &mut complaints).await;
    if result.is_err() {
        // Why a process is gone is best said by itself.
        let _ = tokio::time::timeout(COMPLAINTS_WITHIN, async {
            while let Some(complaint) = complaints.recv().await {
                eprintln!("{complaint}");
            }
        })
        .await;
    }
    result
}

async fn run_children(
    corpus: Corpus,
    length: Duration,
    screen: &mut Screen<io::Stdout>,
    complain: Complaints,
    complaints: &mut mpsc::Receiver<String>,
) -> Result<Summary, RunError> {
    let mut children = Children::start(complain).await?;
    for label in WORKERS {
        children.start_worker(label).await?;
    }
    let director = Channel::connect(children.director()).await?;
    let mut run = Run {
        screen,
        children,
        complaints,
        watch: WatchClient::new(director.clone()),
        tally: Arc::default(),
        speeds: Speeds::new(&WORKERS),
        script: Script::new(length),
        rate: watch::channel(None).0,
        start: Instant::now(),
        events: Vec::new(),
        kill: None,
        losses: Vec::new(),
    };
    run.gather().await?;
    run.start = Instant::now();
    let load = Load::new(&WorkClient::new(director), Arc::new(corpus), Arc::clone(&run.tally));
    // A set, so that the calls end with this function.
    let mut calls = JoinSet::new();
    calls.spawn(load.run(length, run.rate.clone()));
    run.look_on(calls).await?;
    let summary = run.summary();
    run.screen.leave();
    run.children.end().await;
    Ok(summary)
}

/// A run that is under way.
struct Run<'a> {
    screen: &'a mut Screen<io::Stdout>,
    children: Children,
    complaints: &'a mut mpsc::Receiver<String>,
    watch: WatchClient,
    tally: Arc<Tally>,
    speeds: Speeds,
    script: Script,
    rate: watch::Sender<Option<Rate>>,
    /// When the first call was made.
    start: Instant,
    /// What the director was told of the cluster, so far.
    events: Vec<Event>,
    kill: Option<Kill>,
    /// The workers that ended without being asked to.
    losses: Vec<String>,
}

impl Run<'_> {
    /// Waits until the director knows all workers.
    async fn gather(&mut self) -> Result<(), RunError> {
        while self.watch.report(0).await?.rows.iter().filter(|row| row.state == "alive").count()
            < WORKERS.len()
        {
            if let Some(ended) = self.children.take_ended()?.pop() {
                return Err(ended.into());
            }
            if self.start.elapsed() > TOGETHER_WITHIN {
                return Err(RunError::NotTogether(TOGETHER_WITHIN));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Shows what happens and does what the script says, until all calls have ended.
    async fn look_on(&mut self, mut calls: JoinSet<()>) -> Result<(), RunError> {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick() => self.look().await?,
                ended = calls.join_next() => {
                    if let Some(Err(error)) = ended && let Ok(panic) = error.try_into_panic() {
                        std::panic::resume_unwind(panic);
                    }
                    return self.look().await;
                }
            }
        }
    }

    async fn look(&mut self) -> Result<(), RunError> {
        for ended in self.children.take_ended()? {
            self.note(&ended)?;
            self.losses.push(ended.to_string());
        }
        let report = self.watch.report(self.events.len() as u32).await?;
        for event in report.events {
            let ago = report.at.saturating_sub(event.at);
            self.note_at(self.start.elapsed().saturating_sub(ago), &event)?;
            self.events.push(event);
        }
        while let Ok(complaint) = self.complaints.try_recv() {
            self.note(complaint)?;
        }
        for trouble in self.tally.take_troubles() {
            self.note(trouble)?;
        }
        match self.script.next(self.start.elapsed(), self.after_kill(|what| what == What::Failed).is_some()) {
            Some(Step::Kill) => self.kill().await?,
            Some(Step::Restart) => self.restart().await?,
            None => {}
        }
        let rate = self.rate.borrow().map(Rate::per_second);
        let progress = Progress { now: self.start.elapsed(), length: self.script.length(), rate };
        let (counts, slowest) = (self.tally.counts(), self.tally.take_slowest());
        let table = self.speeds.table(Look { at: Instant::now(), counts, slowest }, &report.rows);
        Ok(self.screen.show(progress, &table)?)
    }

    async fn kill(&mut self) -> Result<(), RunError> {
        let Some(pid) = self.children.pid(VICTIM) else { return Ok(()) };
        self.tally.kill_begins();
        let kill = self.watch.kill(VICTIM.to_owned(), pid.cast_signed()).await?;
        self.tally.kill_ended();
        self.kill = Some(kill);
        self.note(format_args!("{VICTIM} was killed with {} calls in flight", kill.in_flight))?;
        Ok(self.children.bury(VICTIM).await?)
    }

    async fn restart(&mut self) -> Result<(), RunError> {
        self.note(format_args!("{VICTIM} is started again"))?;
        self.tally.restarted(VICTIM, Instant::now());
        Ok(self.children.start_worker(VICTIM).await?)
    }

    /// A line about this moment.
    fn note(&mut self, text: impl Display) -> io::Result<()> {
        self.note_at(self.start.elapsed(), text)
    }

    fn note_at(&mut self, when: Duration, text: impl Display) -> io::Result<()> {
        self.screen.note(format_args!("{:5.1} s  {text}", when.as_secs_f64()))
    }

    /// How long after the kill the director was told something of the victim. Both times are of the director's clock.
    fn after_kill(&self, is: impl Fn(What) -> bool) -> Option<Duration> {
        let killed = self.kill?.at;
        let mut after = self.events.iter().filter(|event| event.label == VICTIM && event.at >= killed);
        Some(after.find(|event| is(event.what))?.at - killed)
    }

    fn summary(&self) -> Summary {
        Summary {
            counts: self.tally.counts(),
            killed: VICTIM.to_owned(),
            in_flight_at_kill: self.kill.map_or(0, |kill| kill.in_flight),
            rerouted: self.tally.rerouted(),
            suspected: self.after_kill(|what| matches!(what, What::Suspected { .. })),
            failed_event: self.after_kill(|what| what == What::Failed),
            rejoined: self.tally.rejoined(),
            losses: self.losses.clone(),
        }
    }
}
