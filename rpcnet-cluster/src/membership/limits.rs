//! Every bound of the membership protocol, with its reason. Reaching one is counted or refused, never silent growth.

use std::time::Duration;

// --- messages -------------------------------------------------------------------------------------------------

/// Largest datagram sent or accepted, in bytes: fits an IPv6 path of 1 280 with headers and a seal.
pub(crate) const DATAGRAM_BYTES_MAX: usize = 1_200;
/// Bytes of a datagram kept free for a seal, whether there is one or not: what a node may say of itself must not depend on
/// it. A head of 8, a nonce of 24 and a tag of 16, less the 9 of the envelope that the head stands for.
pub(crate) const SEAL_BYTES: usize = 39;
/// Largest stream request or reply, in bytes: 2 000 records of usual size, so that 1 000 nodes fit one page.
pub(crate) const STREAM_BYTES_MAX: usize = 256 * 1024;
/// Updates accepted in one datagram: more than 1 200 bytes can hold, so the bound is the size.
pub(crate) const DATAGRAM_UPDATES_MAX: usize = 64;
/// Updates accepted in one stream message: more than its bytes can hold at the smallest record of 40 bytes.
pub(crate) const STREAM_UPDATES_MAX: usize = 8_192;
/// Largest generation accepted: wall-clock milliseconds stay below it until the year 10 889.
pub(crate) const GENERATION_MAX: u64 = 1 << 48;
/// Largest incarnation accepted: one refutation a second reaches it after 136 years.
pub(crate) const INCARNATION_MAX: u64 = 1 << 32;
/// Largest count of tag changes accepted in one generation.
pub(crate) const TAG_VERSION_MAX: u64 = 1 << 48;

// --- what a node may say about itself: a full record must fit one datagram beside the header ------------------

/// Longest label, in bytes.
pub(crate) const LABEL_BYTES_MAX: usize = 64;
/// Longest tag key, in bytes.
pub(crate) const TAG_KEY_BYTES_MAX: usize = 64;
/// Sum of all tag keys and values of a node, in bytes, two bytes of framing a tag included.
pub(crate) const TAGS_BYTES_MAX: usize = 640;
/// Tags of a node; each costs at least three bytes of the sum above.
pub(crate) const TAGS_MAX: usize = 64;

// --- what is remembered ---------------------------------------------------------------------------------------

/// Members held, failed and left ones included: three times the 10 000 nodes promised. A record beyond is refused.
pub(crate) const MEMBERS_MAX: usize = 32_768;
/// Failed and left members held; beyond it the oldest are forgotten early. Two fifths of the 10 000 nodes promised may
/// fail together and be recognised when they come back; more come back through their own word.
pub(crate) const GONE_MAX: usize = 4_096;
/// Forgotten members of whom the version is kept, so that an old record cannot revive them; the oldest go first.
pub(crate) const TOMBSTONES_MAX: usize = 16_384;
/// How long a failed member is remembered: a host that comes back within a day is recognised.
pub(crate) const FAILED_REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// How long a member that left is remembered: longer than any packet or sync in flight.
pub(crate) const LEFT_REMEMBERED: Duration = Duration::from_secs(3600);
/// Accusers kept for one suspicion: two convict and a third shortens the wait; four survive the loss of one.
pub(crate) const ACCUSERS_MAX: usize = 4;
/// Round trips kept for each observed peer (the phi paper's window is 1 000; 100 adapts within two minutes).
pub(crate) const WINDOW_SAMPLES_MAX: usize = 100;
/// Seeds: a list written by people.
pub(crate) const SEEDS_MAX: usize = 32;
/// Room for outputs that a node keeps once they are drained: more than any datagram causes.
pub(crate) const OUTPUTS_KEPT: usize = 256;
/// Stream requests without an answer. A driver answers each within its timeout, so this is far above any need.
pub(crate) const STREAMS_MAX: usize = 128;
/// Indirect probes carried out for others at once: 3 helpers a late edge; beyond it the requester hears nothing.
pub(crate) const RELAYS_MAX: usize = 256;
/// Peers whose differing root hash is tracked; we hear from some twelve a second.
pub(crate) const DIFFERING_PEERS_MAX: usize = 64;

// --- observers ------------------------------------------------------------------------------------------------

/// Rings, hence observers of a node: Rapid shows that a handful is enough for a stable cut.
pub(crate) const RINGS: usize = 5;
/// Edges that all rings together may have while they look ahead over bad successors: it bounds what a split costs. A
/// node of a side of a tenth has nine bad successors a ring on average, and twenty and more in some.
pub(crate) const EDGES_MAX: usize = 40;
/// Temporary edges, from the backstop and from hints: one a second, kept until they answer or fail.
pub(crate) const TEMPORARY_EDGES_MAX: usize = 16;
/// Unanswered probes remembered for each edge: an answer older than four seconds of re-probing says little.
pub(crate) const OUTSTANDING_MAX: usize = 16;
/// How long a failed successor still makes its ring look ahead: its neighbours may be failing with it.
pub(crate) const FAILED_LOOK_AHEAD: Duration = Duration::from_secs(30);

// --- probing --------------------------------------------------------------------------------------------------

/// No round trip is taken for longer than this. What took longer was a pause, for which there is an allowance of as much; one
/// of eight seconds among a new process's first answers would hide its next silence for half a minute.
pub(crate) const ROUND_TRIP_MAX: Duration = Duration::from_millis(1_500);

/// A probe is late after this at the earliest, however regular the round trips are.
pub(crate) const LATE_MIN: Duration = Duration::from_millis(250);
/// Pause between two probes of a late peer, by datagram and by stream in turn.
pub(crate) const REPROBE: Duration = Duration::from_millis(250);
/// The first probe by stream follows the first by datagram after this: long for an answer, short for finding a port closed.
pub(crate) const STREAM_AFTER: Duration = Duration::from_millis(100);
/// Re-probing at that rate ends after this; then once a heartbeat interval.
pub(crate) const REPROBE_FAST_FOR: Duration = Duration::from_secs(3);
/// Helpers are asked this long after the oldest unanswered heartbeat.
pub(crate) const HELP_AFTER: Duration = Duration::from_millis(500);
/// Helpers asked at once (SWIM's k; its §4 finds little gain beyond 3).
pub(crate) const HELPERS: usize = 3;
/// Time between two rounds of helpers for the same late peer.
pub(crate) const HELP_EVERY: Duration = Duration::from_secs(1);
/// A helper that got no answer says so after this.
pub(crate) const NACK_AFTER: Duration = Duration::from_millis(400);
/// A round of helpers is judged after this: the nack's delay and a slow round trip.
pub(crate) const HELP_VERDICT: Duration = Duration::from_millis(800);
/// How long "a helper reached it" counts: two rounds and a half.
pub(crate) const REACHED_COUNTS_FOR: Duration = Duration::from_millis(2_500);
/// A stream probe without an answer is given up after this: one lost SYN, which TCP repeats after a second, is survived.
pub(crate) const STREAM_PROBE_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Stream probes of one late peer at once: one is started every half second, so three are open while none is answered.
pub(crate) const STREAM_PROBES_MAX: usize = 3;
/// Join and sync requests are given up after this.
pub(crate) const STREAM_BULK_TIMEOUT: Duration = Duration::from_secs(5);
/// Least σ of φ: round trips in a data centre vary by microseconds, schedulers by tens of milliseconds.
pub(crate) const SIGMA_MIN: Duration = Duration::from_millis(100);

// --- own health -----------------------------------------------------------------------------------------------

/// Worst local health (Lifeguard §IV-A calls it S).
pub(crate) const HEALTH_MAX: u8 = 8;
/// Longest grace after an own stall: a fresh round of heartbeats and a refutation fit.
pub(crate) const GRACE_MAX: Duration = Duration::from_secs(5);
/// Members asked when half of the edges are late: one of twelve answers even if nine tenths are gone.
pub(crate) const ISOLATION_ASKED: usize = 12;
/// Time between two rounds of that question.
pub(crate) const ISOLATION_EVERY: Duration = Duration::from_secs(1);
/// A round is judged after this.
pub(crate) const ISOLATION_VERDICT: Duration = Duration::from_millis(500);
/// An answer this recent proves the link: two lost packets in a row must not look like a pulled cable.
pub(crate) const ANSWER_PROVES_LINK: Duration = Duration::from_millis(1_500);

/// So many slips (an accusation refuted, a stall noticed) make a node degraded. Two come to anybody whose host is busy once.
pub(crate) const SLIPS: usize = 3;
/// They must fall within this time.
pub(crate) const SLIPS_WITHIN: Duration = Duration::from_secs(300);
/// Slips closer than this are one: as long as the grace after a stall, in which its accusations are refuted.
pub(crate) const SLIPS_APART: Duration = GRACE_MAX;
/// A degraded node is well again after this time without a slip.
pub(crate) const DEGRADED_CALM: Duration = Duration::from_secs(60);

// --- accusations ----------------------------------------------------------------------------------------------

/// Least suspicion time; grows with log2 N, see `suspicion`.
pub(crate) const SUSPICION_MIN: Duration = Duration::from_secs(3);
/// Suspicion time added for each doubling of the cluster: gossip needs more rounds.
pub(crate) const SUSPICION_PER_DOUBLING: Duration = Duration::from_millis(400);
/// Longest suspicion in units of the least (Lifeguard's α·β with its defaults).
pub(crate) const SUSPICION_SPREAD: u32 = 6;
/// How often a suspicion that has lasted the least time is looked at again.
pub(crate) const JUDGED_AGAIN: Duration = Duration::from_millis(500);
/// First pause before an observer that was refuted accuses the same node by φ again; doubles up to the next.
pub(crate) const GRUDGE_FIRST: Duration = Duration::from_secs(10);
/// Longest such pause.
pub(crate) const GRUDGE_LONGEST: Duration = Duration::from_secs(80);
/// A refutation this old no longer lengthens the next pause.
pub(crate) const GRUDGE_FORGOTTEN: Duration = Duration::from_secs(300);
/// Refutations of one node, and "you are accused" messages to one node: at most one in this time.
pub(crate) const TELL_EVERY: Duration = Duration::from_secs(1);

/// Members told at once of what a page of records says of them, and how long until the next: 320 a second are 45 KB a second, and a
/// thousand have heard before the shortest suspicion in a cluster of their size ends.
pub(crate) const TOLD_AT_ONCE: usize = 16;
/// Time between two such handfuls.
pub(crate) const TOLD_EVERY: Duration = Duration::from_millis(50);

// --- gossip, sync, seeds, leaving -------------------------------------------------------------------------------

/// Time between two gossip rounds while something waits.
pub(crate) const GOSSIP_EVERY: Duration = Duration::from_millis(200);
/// Peers told in one round.
pub(crate) const GOSSIP_FANOUT: usize = 3;
/// An update is sent `3·⌈log2(N + 1)⌉` times and never more often than this.
pub(crate) const TRANSMITS_MAX: u8 = 40;
/// With more updates waiting than this, several datagrams a peer go out and each update is sent a third as often.
pub(crate) const GOSSIP_BULK: usize = 50;
/// Datagrams a peer and round while many updates wait.
pub(crate) const GOSSIP_BULK_DATAGRAMS: usize = 4;
/// Gossip sent, in bytes a second: what a node may cost the network while half of 1 000 are being failed.
pub(crate) const GOSSIP_BYTES_PER_SECOND: usize = 24_000;
/// Roots must differ this long before a sync: gossip on its way explains shorter differences.
pub(crate) const SYNC_AFTER: Duration = Duration::from_secs(1);
/// Least time between two syncs of one node.
pub(crate) const SYNC_EVERY: Duration = Duration::from_millis(500);
/// First pause before an unreachable seed is tried again; doubles up to the next, for ever.
pub(crate) const SEED_RETRY_FIRST: Duration = Duration::from_millis(250);
/// Longest such pause: a seed that comes back after hours is met within this time.
pub(crate) const SEED_RETRY_LONGEST: Duration = Duration::from_secs(15);
/// How often a seed that is a live member is looked at again.
pub(crate) const SEED_RECHECK: Duration = Duration::from_secs(5);
/// Members told of a farewell besides the leaver's observers.
pub(crate) const FAREWELL_OTHERS: usize = 3;
/// A farewell is repeated to those who have not answered.
pub(crate) const FAREWELL_EVERY: Duration = Duration::from_millis(200);
/// A leaver waits for half of the answers, but not longer than this.
pub(crate) const FAREWELL_WAIT: Duration = Duration::from_secs(2);
/// A leaver answers probes this long after its farewell, so that nobody suspects it before hearing.
pub(crate) const FAREWELL_LINGER: Duration = Duration::from_secs(1);
/// How often forgotten members are looked for.
pub(crate) const SWEEP_EVERY: Duration = Duration::from_secs(60);
