//! Messages that fit a datagram: probes, their answers, and the news that ride on them.

use super::super::limits::{DATAGRAM_BYTES_MAX, DATAGRAM_UPDATES_MAX, SEAL_BYTES};
use super::super::record::Update;
use super::super::{Generation, Incarnation, NodeId, NodeState};
use super::update::{Recall, decode_state, decode_update, encode_state};
use super::{Envelope, Malformed, Reader, Writer};

/// A datagram as understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Datagram {
    pub(crate) envelope: Envelope,
    pub(crate) body: Body,
    pub(crate) updates: Vec<Update>,
}

/// What a datagram is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// "Are you there?"
    Ping { nonce: u64 },
    /// "Yes", or, from a helper, "yes, I reached it".
    Ack { nonce: u64 },
    /// "Please ping that member for me."
    PingReq { nonce: u64, target: NodeId },
    /// "I did not reach it."
    Nack { nonce: u64 },
    /// Nothing but news.
    Gossip,
    /// "This is what is said of you": the receiver refutes it if it is wrong.
    YouAre { state: NodeState, generation: Generation, incarnation: Incarnation },
}

const PING: u8 = 1;
const ACK: u8 = 2;
const PING_REQ: u8 = 3;
const NACK: u8 = 4;
const GOSSIP: u8 = 5;
const YOU_ARE: u8 = 6;

impl Body {
    fn kind(self) -> u8 {
        match self {
            Self::Ping { .. } => PING,
            Self::Ack { .. } => ACK,
            Self::PingReq { .. } => PING_REQ,
            Self::Nack { .. } => NACK,
            Self::Gossip => GOSSIP,
            Self::YouAre { .. } => YOU_ARE,
        }
    }

    fn encode(self) -> Writer {
        let mut out = Writer::default();
        match self {
            Self::Ping { nonce } | Self::Ack { nonce } | Self::Nack { nonce } => out.u64(nonce),
            Self::PingReq { nonce, target } => {
                out.u64(nonce);
                out.id(target);
            }
            Self::Gossip => {}
            Self::YouAre { state, generation, incarnation } => {
                encode_state(state, &mut out);
                out.varint(generation.0);
                out.varint(incarnation.0);
            }
        }
        out
    }

    fn decode(kind: u8, input: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match kind {
            PING => Self::Ping { nonce: input.u64()? },
            ACK => Self::Ack { nonce: input.u64()? },
            PING_REQ => Self::PingReq { nonce: input.u64()?, target: input.id()? },
            NACK => Self::Nack { nonce: input.u64()? },
            GOSSIP => Self::Gossip,
            YOU_ARE => Self::YouAre {
                state: decode_state(input)?,
                generation: input.generation()?,
                incarnation: input.incarnation()?,
            },
            _ => return Err(Malformed::Value("kind")),
        })
    }
}

impl Datagram {
    /// Reads a datagram of the cluster `cluster`.
    pub(crate) fn decode(cluster: u64, bytes: &[u8], recall: Recall<'_>) -> Result<Self, Malformed> {
        if bytes.len() > DATAGRAM_BYTES_MAX {
            return Err(Malformed::TooLong);
        }
        let mut input = Reader::new(bytes);
        let (envelope, kind) = Envelope::decode(cluster, &mut input)?;
        let length = usize::from(input.u8()?);
        let body = Body::decode(kind, &mut Reader::new(input.take(length)?))?;
        let count = if input.is_empty() { 0 } else { usize::from(input.u8()?) };
        if count > DATAGRAM_UPDATES_MAX {
            return Err(Malformed::Value("updates"));
        }
        // Not reserved in advance: the vector grows by what really arrived.
        let mut updates = Vec::new();
        for _ in 0..count {
            let length = usize::from(input.u16()?);
            updates.push(decode_update(input.take(length)?, recall)?);
        }
        Ok(Self { envelope, body, updates })
    }
}

/// A datagram being filled with as much news as fits.
#[derive(Debug)]
pub(crate) struct DatagramWriter {
    head: Writer,
    updates: Writer,
    count: u8,
}

impl DatagramWriter {
    pub(crate) fn new(envelope: &Envelope, body: Body) -> Self {
        let mut head = Writer::default();
        envelope.encode(body.kind(), &mut head);
        let body = body.encode();
        head.u8(body.len() as u8);
        head.raw(body.as_bytes());
        Self { head, updates: Writer::default(), count: 0 }
    }

    /// Bytes left for updates, their length fields included.
    pub(crate) fn room(&self) -> usize {
        if usize::from(self.count) == DATAGRAM_UPDATES_MAX {
            return 0;
        }
        (DATAGRAM_BYTES_MAX - SEAL_BYTES).saturating_sub(self.head.len() + 1 + self.updates.len())
    }

    /// Adds the bytes of an update; `false` when they do not fit any more.
    pub(crate) fn push(&mut self, update: &[u8]) -> bool {
        if update.len() + 2 > self.room() {
            return false;
        }
        self.updates.u16(update.len() as u16);
        self.updates.raw(update);
        self.count += 1;
        true
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        // Most probes carry no news, and say so by ending here: twelve of them a second, for ever.
        if self.count > 0 {
            self.head.u8(self.count);
            self.head.raw(self.updates.as_bytes());
        }
        self.head.into_bytes()
    }
}
