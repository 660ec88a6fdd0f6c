//! The state machine itself: its parts, its commands and its timers.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::detector::crossing;

use super::apart::partition_of;
use super::edge::{Edge, Judgement};
use super::gossip::Queue;
use super::health::{Clock, Health};
use super::isolation::Isolation;
use super::join::Seeds;
use super::leave::Farewell;
use super::limits::{OUTPUTS_KEPT, SWEEP_EVERY};
use super::message::cluster_of;
use super::outbound::Pace;
use super::pool::RecordPool;
use super::record::Record;
use super::refute::Refutation;
use super::relay::Relays;
use super::strain::Strain;
use super::stream::Streams;
use super::suspicion::Suspicions;
use super::sync::Sync;
use super::table::Table;
use super::telling::Telling;
use crate::partition::Partition;

use super::{
    ClusterEvent, Config, Generation, Identity, MemberView, Node, NodeId, NodeState, Output, TagError,
};

/// One node's part in the membership protocol, without sockets, clocks or tasks.
///
/// The driver's loop: feed one input (`handle_datagram`, `handle_unreachable`, `handle_stream_reply`,
/// `handle_stream_request`, `handle_timeout`, or a command), then call [`poll_output`](Self::poll_output) until it is empty, then arm
/// [`next_timeout`](Self::next_timeout), then wait. Two rules matter for correctness:
///
/// * Packets that wait are handled *before* the timer, or a node that was stalled accuses others on evidence that
///   lies unread in its queue.
/// * `now` never goes back.
///
/// [`join`](Self::join) starts it, with or without seeds. The same inputs and the same seed give the same outputs.
///
/// ```
/// use std::time::Instant;
/// use rpcnet_cluster::membership::{Config, Generation, Identity, Membership, NodeId, Output};
///
/// let id = NodeId::new(uuid::Uuid::from_u128(1));
/// let me = Identity::new(id, Generation(1), "127.0.0.1:7946".parse().expect("an address"));
/// let mut node = Membership::new(me, Config::new("example"), 42);
/// let now = Instant::now();
/// node.join(now, &["127.0.0.1:7947".parse().expect("an address")]);
/// while let Some(output) = node.poll_output() {
///     match output {
///         Output::Stream { to, .. } => assert_eq!(to.port(), 7947), // the seed is asked
///         Output::Event(event) => println!("{event:?}"),           // the node itself has joined
///         other => println!("{other:?}"),
///     }
/// }
/// assert!(node.next_timeout().expect("it runs") >= now);
/// ```
#[derive(Debug)]
pub struct Membership {
    pub(super) me: NodeId,
    pub(super) config: Config,
    pub(super) cluster: u64,
    pub(super) crossing: f64,
    pub(super) rng: Rng,
    pub(super) phase: Phase,
    pub(super) table: Table,
    pub(super) queue: Queue,
    pub(super) pace: Pace,
    pub(super) telling: Telling,
    pub(super) edges: BTreeMap<NodeId, Edge>,
    /// The rings or their members changed; the edges are brought up to date at the end of the input.
    pub(super) edges_stale: bool,
    pub(super) relays: Relays,
    pub(super) suspicions: Suspicions,
    pub(super) refutation: Refutation,
    pub(super) health: Health,
    pub(super) clock: Clock,
    pub(super) strain: Strain,
    pub(super) isolation: Isolation,
    pub(super) seeds: Seeds,
    pub(super) sync: Sync,
    pub(super) streams: Streams,
    pub(super) partition: Partition,
    /// Emptied by the driver after every input, so what one input can cause bounds it.
    pub(super) outputs: VecDeque<Output>,
    next_sweep: Option<Instant>,
    /// When the last input came.
    now: Option<Instant>,
}

/// Where the node is in its life.
#[derive(Debug)]
pub(super) enum Phase {
    /// Created; answers, but asks nothing.
    Idle,
    Running,
    Leaving(Farewell),
    Departed,
}

impl Membership {
    /// A node that knows only itself. `seed` decides every random choice.
    pub fn new(me: Identity, config: Config, seed: u64) -> Self {
        Self::with_pool(me, config, seed, None)
    }

    /// A node that shares what it holds with others of its process: the simulator has ten thousand of them.
    #[cfg(feature = "__internals")]
    #[doc(hidden)]
    pub fn sharing(me: Identity, config: Config, seed: u64, pool: &RecordPool) -> Self {
        Self::with_pool(me, config, seed, Some(pool.clone()))
    }

    fn with_pool(me: Identity, config: Config, seed: u64, pool: Option<RecordPool>) -> Self {
        let (id, record) = (me.id(), me.into_record());
        let mut outputs = VecDeque::new();
        outputs.push_back(Output::Event(ClusterEvent::NodeJoined(record.node())));
        Self {
            me: id,
            cluster: cluster_of(&config.cluster),
            crossing: crossing(config.phi_threshold),
            rng: Rng::with_seed(seed),
            phase: Phase::Idle,
            table: Table::new(record, pool),
            queue: Queue::default(),
            pace: Pace::default(),
            telling: Telling::default(),
            edges: BTreeMap::new(),
            edges_stale: false,
            relays: Relays::default(),
            suspicions: Suspicions::default(),
            refutation: Refutation::default(),
            health: Health::default(),
            clock: Clock::default(),
            strain: Strain::default(),
            isolation: Isolation::default(),
            seeds: Seeds::default(),
            sync: Sync::default(),
            streams: Streams::default(),
            partition: partition_of(&config, id),
            outputs,
            next_sweep: None,
            now: None,
            config,
        }
    }

    /// Starts the node, and makes these its seeds: each is asked in the background, for ever, until it is a member.
    /// Calling it again replaces the list (a name may resolve to other addresses); seeds kept keep their pace.
    ///
    /// At most 32 seeds are taken.
    pub fn join(&mut self, now: Instant, seeds: &[SocketAddr]) {
        if matches!(self.phase, Phase::Idle) {
            self.phase = Phase::Running;
            self.clock.tick(now);
            self.next_sweep = Some(now + SWEEP_EVERY);
        }
        self.observe(now);
        self.seeds.replace(now, seeds);
        self.ask_seeds(now);
        self.finish(now);
    }

    /// Sets one of this node's tags and tells the cluster.
    ///
    /// # Errors
    /// If the tags would not fit a gossip datagram; nothing is changed then.
    pub fn set_tag(&mut self, now: Instant, key: &str, value: &str) -> Result<(), TagError> {
        let mut record = Record::clone(self.table.mine());
        if record.tags.set(key, value)? {
            self.rewrite_me(now, record);
            self.finish(now);
        }
        Ok(())
    }

    /// Removes one of this node's tags and tells the cluster; `false` when there was none.
    pub fn remove_tag(&mut self, now: Instant, key: &str) -> bool {
        let mut record = Record::clone(self.table.mine());
        let removed = record.tags.remove(key);
        if removed {
            self.rewrite_me(now, record);
            self.finish(now);
        }
        removed
    }

    /// A hint that a node may be gone, from somebody who called it: it is probed at once. Convicts nobody.
    pub fn report_failure(&mut self, now: Instant, id: NodeId) {
        if matches!(self.phase, Phase::Running) {
            self.observe(now);
            self.probe_on_hint(now, id);
            self.finish(now);
        }
    }

    /// A timer has run out. Does nothing when called early.
    pub fn handle_timeout(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Idle | Phase::Departed) {
            return;
        }
        self.observe(now);
        if self.clock.next_tick(self.config.heartbeat).is_some_and(|at| at <= now) {
            self.tick(now);
        }
        if matches!(self.phase, Phase::Running) {
            self.refute_if_due(now);
            self.drive_edges(now);
            self.judge_suspects(now);
            self.ask_seeds(now);
            self.sync_if_due(now);
        }
        self.give_up_relays(now);
        self.gossip_if_due(now);
        // Last: nothing comes out after its end.
        self.say_farewell(now);
        self.finish(now);
    }

    /// The next thing to do, until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        let next = self.outputs.pop_front();
        if next.is_none() && self.outputs.capacity() > OUTPUTS_KEPT {
            // A page of ten thousand joins has made room for as many events, which nobody will need again.
            self.outputs = VecDeque::new();
        }
        next
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called, whatever is inside; `None` before
    /// [`join`](Self::join) and after the farewell. May lie in the past: then at once.
    pub fn next_timeout(&self) -> Option<Instant> {
        let (Phase::Running | Phase::Leaving(_), Some(now)) = (&self.phase, self.now) else { return None };
        let tick = self.clock.next_tick(self.config.heartbeat);
        let always = [tick, self.pace.next(), self.relays.next_timeout()];
        let running = match &self.phase {
            Phase::Leaving(farewell) => {
                [Some(farewell.next_timeout()), None, None, None, None, None, None, None, None]
            }
            _ => [
                self.next_edge(),
                self.isolation.next_timeout(now),
                self.suspicions.next_timeout(),
                self.seeds.next_timeout(),
                self.sync.next_timeout(),
                self.refutation.next_timeout(),
                self.strain.next_timeout(),
                self.partition.next_timeout(),
                self.telling.next_timeout(),
            ],
        };
        always.into_iter().chain(running).flatten().min()
    }

    /// This node's id.
    pub fn local_id(&self) -> NodeId {
        self.me
    }

    /// Which start this is. Grows while the node runs when it meets a version of itself that it did not write.
    pub fn local_generation(&self) -> Generation {
        self.table.mine().generation
    }

    /// This node as others see it.
    pub fn local_node(&self) -> Node {
        self.table.mine().node()
    }

    #[cfg(test)]
    pub(super) fn local_record(&self) -> Record {
        Record::clone(self.table.mine())
    }

    /// The nodes that are there: alive or suspect, this one included, ordered by id.
    pub fn visible(&self) -> impl Iterator<Item = Node> + '_ {
        self.table
            .iter()
            .filter(|(_, member)| member.state().is_visible())
            .map(|(_, member)| member.record.node())
    }

    /// One line a member for an operator's table, failed and left ones included while they are remembered.
    pub fn members(&self, now: Instant) -> impl Iterator<Item = MemberView> + '_ {
        let judgement = self.judgement();
        self.table.iter().map(move |(id, member)| {
            let edge = self.edges.get(&id).filter(|_| member.state().is_visible());
            let accuse_at = edge.and_then(|edge| edge.accuse_at(&judgement));
            MemberView {
                node: member.record.node(),
                state: member.state(),
                observed: edge.is_some(),
                phi: edge.map_or(0.0, |edge| edge.phi(now, &judgement)),
                deadline: accuse_at.map(|at| at.saturating_duration_since(now)),
                round_trip: edge.and_then(Edge::mean),
                link_down: member.local().link_down,
            }
        })
    }

    /// What is held of one node.
    pub fn state(&self, id: NodeId) -> Option<NodeState> {
        self.table.state(id)
    }

    /// Lifeguard's local health: 0 is well, 8 is too sick to judge others quickly.
    pub fn local_health(&self) -> u8 {
        self.health.value()
    }

    /// Whether this node holds itself to be cut off: nobody it asks answers. It accuses nobody meanwhile.
    pub fn is_isolated(&self) -> bool {
        self.isolation.cut_off()
    }

    /// Records of new members that were refused because 32 768 are held.
    pub fn refused_records(&self) -> u64 {
        self.table.refused
    }

    /// Records refused because they are no newer than what this node held of a member when it forgot it.
    pub fn covered_records(&self) -> u64 {
        self.table.covered
    }

    /// Before every input: did this node run at all since its last tick?
    pub(super) fn observe(&mut self, now: Instant) {
        self.now = Some(now);
        if self.clock.observe(now, self.config.heartbeat) {
            self.health.worse();
            self.strain.slip(now);
            self.forget_evidence(now);
        }
    }

    /// After every input: what follows from it.
    pub(super) fn finish(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Running) {
            self.own_up(now);
            self.update_isolation(now);
            self.update_edges(now);
            self.look_for_cuts(now);
        }
        self.tell_some(now);
        self.schedule_gossip(now);
    }

    fn tick(&mut self, now: Instant) {
        self.clock.tick(now);
        self.expire_streams(now);
        // Look-ahead ends by time, not by an event: looking once a second is enough.
        self.edges_stale = true;
        if matches!(self.phase, Phase::Running) {
            self.backstop(now);
        }
        if self.next_sweep.is_some_and(|at| at <= now) {
            self.table.sweep(now);
            self.next_sweep = Some(now + SWEEP_EVERY);
        }
    }

    /// How φ is judged at present.
    pub(super) fn judgement(&self) -> Judgement {
        let stretch = u32::from(self.health.value()) + 1;
        Judgement {
            heartbeat: self.config.heartbeat,
            pause: self.config.acceptable_pause * stretch,
            crossing: self.crossing,
        }
    }

    /// Neither accusation nor expiry now; the moment at which to look again.
    pub(super) fn judging_paused_until(&self, now: Instant) -> Option<Instant> {
        let cut_off = self.isolation.cut_off().then(|| now + Duration::from_millis(250));
        self.clock.grace(now).or(cut_off)
    }
}
