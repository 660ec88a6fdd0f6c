//! A scenario as data: what happens, one thing after another.

use std::time::Duration;

/// A scenario for a number of nodes and a seed.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// Nodes that take part, running or not.
    pub nodes: usize,
    /// Their seeds, by node.
    pub seeds: Vec<u32>,
    /// Nodes of odd numbers are another cluster, which seed `n` of the first meets by mistake.
    pub two_clusters: bool,
    /// What happens.
    pub steps: Vec<Step>,
}

/// After a while, one thing.
#[derive(Clone, Debug)]
pub struct Step {
    /// How long the world runs on before it.
    pub wait: Duration,
    /// What happens.
    pub act: Act,
}

/// What a scenario can do to the world.
#[derive(Clone, Debug)]
pub enum Act {
    /// Processes start, for the first time or anew.
    Start(Vec<u32>),
    /// Processes start anew at addresses that nobody had before.
    StartElsewhere(Vec<u32>),
    /// Hosts fall silent.
    Crash(Vec<u32>),
    /// Processes end; their hosts refuse connections.
    Exit(Vec<u32>),
    /// Processes say farewell.
    Leave(Vec<u32>),
    /// Processes stop.
    Stall(Vec<u32>),
    /// They go on: what has arrived is read first, then timers run.
    Resume(Vec<u32>),
    /// This share of all datagrams is lost from now on.
    Loss(f64),
    /// This share of all datagrams arrives twice, and this share late.
    Roughen {
        /// Twice.
        doubled: f64,
        /// Up to 50 ms late.
        delayed: f64,
    },
    /// These nodes lose this share of what comes in and of what goes out.
    Lossy {
        /// Which.
        nodes: Vec<u32>,
        /// Share of what comes in.
        ingress: f64,
        /// Share of what goes out.
        egress: f64,
    },
    /// Nothing passes on these directed links. Nobody counts as faulty for it: there are other ways.
    Cut(Vec<(u32, u32)>),
    /// The network splits; with `bridged`, the first side reaches all others, which do not reach each other.
    Split {
        /// At most four sides.
        sides: Vec<Vec<u32>>,
        /// Whether the first side still reaches everybody.
        bridged: bool,
    },
    /// From now on these have to report a split, and afterwards that it is over.
    ExpectReports(Vec<u32>),
    /// Runs until nobody holds itself to be split, at most so long.
    AwaitHealed(Duration),
    /// All links are whole, and nothing is lost but by [`Act::Loss`].
    Mend,
    /// From now on so much goes wrong that nothing anybody says of anybody counts as false.
    Storm,
    /// All faults are over: so much later everything counts again.
    Forgive(Duration),
    /// From now on these observers have to find that these subjects have failed.
    Expect {
        /// Who.
        observers: Vec<u32>,
        /// About whom.
        subjects: Vec<u32>,
    },
    /// Runs until all of that has happened, at most so long.
    AwaitKnown(Duration),
    /// Runs until whoever runs sees whoever runs, at most so long, and notes under this name how long it took.
    AwaitWhole(&'static str, Duration),
    /// Bytes are measured from here.
    OpenWindow,
    /// And up to here.
    CloseWindow,
    /// All faults are over: at the end every view must be whole.
    Calm,
    /// Nothing; for the wait before it.
    Nothing,
}

impl Script {
    /// Adds a step.
    #[must_use]
    pub fn then(mut self, wait: Duration, act: Act) -> Self {
        self.steps.push(Step { wait, act });
        self
    }

    /// Adds a step at once.
    #[must_use]
    pub fn at_once(self, act: Act) -> Self {
        self.then(Duration::ZERO, act)
    }
}
