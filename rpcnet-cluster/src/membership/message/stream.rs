//! Messages that may outgrow a datagram: joining, comparing what is known, and probing where datagrams are blocked.

use super::super::limits::{STREAM_BYTES_MAX, STREAM_UPDATES_MAX};
use super::super::record::Update;
use super::update::{Recall, decode_update, update_bytes};
use super::{Envelope, Malformed, Reader, Writer};

/// Parts that all records are divided into for comparing.
pub(crate) const BUCKETS: usize = 256;

/// A request, one answer each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// "This is me; whom do you know?" Answered by a page.
    Join { me: Box<Update> },
    /// "These are the hashes of what I know, by bucket." Answered by a page of what differs.
    Sync { buckets: Box<[u64; BUCKETS]> },
    /// "And this is what you lack." Answered by `Done`.
    Push { updates: Vec<Update> },
    /// "Are you there?", answered by `Done`.
    Ping,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Page(Page),
    Done,
}

/// As many whole buckets of the answerer's records as fit one message; the rest follows at the next sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// One bit a bucket: which are included.
    pub(crate) covered: [u8; BUCKETS / 8],
    pub(crate) updates: Vec<Update>,
}

impl Page {
    pub(crate) fn covers(&self, bucket: usize) -> bool {
        self.covered[bucket / 8] >> (bucket % 8) & 1 == 1
    }

    pub(crate) fn cover(&mut self, bucket: usize) {
        self.covered[bucket / 8] |= 1 << (bucket % 8);
    }
}

const JOIN: u8 = 16;
const SYNC: u8 = 17;
const PUSH: u8 = 18;
const STREAM_PING: u8 = 19;
const PAGE: u8 = 32;
const DONE: u8 = 33;

pub(crate) fn encode_request(envelope: &Envelope, request: &Request) -> Vec<u8> {
    let mut body = Writer::default();
    let kind = match request {
        Request::Join { me } => {
            body.bytes(&update_bytes(me));
            JOIN
        }
        Request::Sync { buckets } => {
            buckets.iter().for_each(|&bucket| body.u64(bucket));
            SYNC
        }
        Request::Push { updates } => {
            encode_updates(updates, &mut body);
            PUSH
        }
        Request::Ping => STREAM_PING,
    };
    framed(envelope, kind, &body)
}

pub(crate) fn encode_reply(envelope: &Envelope, reply: &Reply) -> Vec<u8> {
    let mut body = Writer::default();
    let kind = match reply {
        Reply::Page(page) => {
            body.raw(&page.covered);
            encode_updates(&page.updates, &mut body);
            PAGE
        }
        Reply::Done => DONE,
    };
    framed(envelope, kind, &body)
}

pub(crate) fn decode_request(
    cluster: u64,
    bytes: &[u8],
    recall: Recall<'_>,
) -> Result<(Envelope, Request), Malformed> {
    let (envelope, kind, mut body) = unframed(cluster, bytes)?;
    let request = match kind {
        JOIN => {
            let me = decode_update(body.bytes(STREAM_BYTES_MAX, "record")?, recall)?;
            if me.id() != envelope.from || !matches!(me, Update::Full(_)) {
                return Err(Malformed::Value("joiner"));
            }
            Request::Join { me: Box::new(me) }
        }
        SYNC => Request::Sync { buckets: decode_buckets(&mut body)? },
        PUSH => Request::Push { updates: decode_updates(&mut body, recall)? },
        STREAM_PING => Request::Ping,
        _ => return Err(Malformed::Value("kind")),
    };
    Ok((envelope, request))
}

pub(crate) fn decode_reply(
    cluster: u64,
    bytes: &[u8],
    recall: Recall<'_>,
) -> Result<(Envelope, Reply), Malformed> {
    let (envelope, kind, mut body) = unframed(cluster, bytes)?;
    let reply = match kind {
        PAGE => {
            let mut covered = [0; BUCKETS / 8];
            covered.copy_from_slice(body.take(BUCKETS / 8)?);
            Reply::Page(Page { covered, updates: decode_updates(&mut body, recall)? })
        }
        DONE => Reply::Done,
        _ => return Err(Malformed::Value("kind")),
    };
    Ok((envelope, reply))
}

fn framed(envelope: &Envelope, kind: u8, body: &Writer) -> Vec<u8> {
    let mut out = Writer::default();
    envelope.encode(kind, &mut out);
    out.bytes(body.as_bytes());
    out.into_bytes()
}

fn unframed(cluster: u64, bytes: &[u8]) -> Result<(Envelope, u8, Reader<'_>), Malformed> {
    if bytes.len() > STREAM_BYTES_MAX {
        return Err(Malformed::TooLong);
    }
    let mut input = Reader::new(bytes);
    let (envelope, kind) = Envelope::decode(cluster, &mut input)?;
    let body = input.bytes(STREAM_BYTES_MAX, "body")?;
    Ok((envelope, kind, Reader::new(body)))
}

fn encode_updates(updates: &[Update], out: &mut Writer) {
    out.varint(updates.len() as u64);
    updates.iter().for_each(|update| out.bytes(&update_bytes(update)));
}

fn decode_updates(input: &mut Reader<'_>, recall: Recall<'_>) -> Result<Vec<Update>, Malformed> {
    let count = input.varint_max(STREAM_UPDATES_MAX as u64, "updates")?;
    // Not reserved in advance: the vector grows by what really arrived.
    let mut updates = Vec::new();
    for _ in 0..count {
        updates.push(decode_update(input.bytes(STREAM_BYTES_MAX, "update")?, recall)?);
    }
    Ok(updates)
}

fn decode_buckets(input: &mut Reader<'_>) -> Result<Box<[u64; BUCKETS]>, Malformed> {
    let mut buckets = Box::new([0; BUCKETS]);
    for bucket in buckets.iter_mut() {
        *bucket = input.u64()?;
    }
    Ok(buckets)
}
