//! How a store in Redis is to behave.

use std::time::Duration;

use super::{Claim, Claimed, StoreError};
use crate::idempotency::CacheLimits;

/// The settings of a [`RedisStore`](super::RedisStore). Those who share records need the same.
///
/// | setting | default | reason |
/// |---|---|---|
/// | [`prefix`](Self::prefix) | `{rpcnet}` | the braces keep all keys at one node of a Redis Cluster |
/// | [`limits`](Self::limits) | [`CacheLimits::default`] | of all servers together; a million records are 600 MB of Redis |
/// | [`lease`](Self::lease) | 10 s | longer than a process stalls that is well; as long are repeats of a dead one's requests held up |
/// | [`timeout`](Self::timeout) | 1 s | a Redis that takes longer is away |
/// | [`when_away`](Self::when_away) | [`Refuse`](WhenAway::Refuse) | what cannot be known to be new does not run |
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RedisSettings {
    /// What all keys of the records begin with: one for each set of servers that are to share them.
    pub prefix: String,
    /// The bounds of the records, of all who share them.
    pub limits: CacheLimits,
    /// How long a request that runs is held for alive after its process last said so, which it does three times as often.
    pub lease: Duration,
    /// How long to wait for Redis: for a connection, and for each answer.
    pub timeout: Duration,
    /// What becomes of keyed calls while Redis is away.
    pub when_away: WhenAway,
}

impl Default for RedisSettings {
    fn default() -> Self {
        Self {
            prefix: "{rpcnet}".to_owned(),
            limits: CacheLimits::default(),
            lease: Duration::from_secs(10),
            timeout: Duration::from_secs(1),
            when_away: WhenAway::default(),
        }
    }
}

/// What becomes of keyed calls while their records cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WhenAway {
    /// They are refused with [`RecordsUnavailable`](crate::Reason::RecordsUnavailable), and nothing runs.
    #[default]
    Refuse,
    /// First attempts run, without a record: a repeat at another server, or after the answer, may run them again if it does
    /// not say that it is a repeat. Those that say so are refused with `DedupHorizonLost`.
    BestEffort,
}

impl WhenAway {
    /// Of what runs without a record.
    pub(super) const FENCE: u64 = 0;

    /// What a claim comes to that could not be made.
    pub(super) fn instead(self, claim: &Claim, error: StoreError) -> Result<Claimed, StoreError> {
        match self {
            Self::Refuse => Err(error),
            Self::BestEffort if claim.age.is_some() && !claim.reruns => Ok(Claimed::Forgotten),
            Self::BestEffort => {
                tracing::warn!(%error, "a keyed call runs without a record");
                Ok(Claimed::Run { fence: Self::FENCE, again: claim.age.is_some() })
            }
        }
    }
}
